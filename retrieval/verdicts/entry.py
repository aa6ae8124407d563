"""What the log keeps of a verdict: an entry for each work."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from retrieval.comparing.network import comparison_name
from retrieval.judging.edition import Edition
from retrieval.judging.judge import Verdict
from retrieval.judging.together import Together
from retrieval.judging.work import Work
from retrieval.moment import now
from retrieval.outcome import UNREADABLE, Outcome


@dataclass(frozen=True, slots=True)
class LogEntry:
    """What was said of one work on a photograph, and what the verdict rests on; distances are not rounded."""

    date: str  # ISO 8601, in UTC
    photo: str
    sha256: str | None
    asked: str | None  # the one object that the photograph was compared with; None: all
    encoder: str  # fingerprint
    revision: int
    calibration: int | None
    region: tuple[int, int, int, int] | None
    outcome: str  # or "unreadable"
    object_id: str | None
    exemplar: str | None
    whole: float | None  # the global distance
    local: float | None
    combined: float | None
    threshold: float | None  # of the distance that decided
    likelihood_ratio: float | None
    p_value: float | None
    reasons: tuple[str, ...]
    lot: Mapping[str, str] | None = None  # the row of the lot, column by column
    alert: str | None = None  # "stolen", "missing" or "known forgery"
    picture: int | None = None  # its number in a file of several
    condition: str | None = None  # of the photograph, where it is registered
    comparison: str | None = None  # what the combined distance is measured by; None: by a version that did not say
    alert_certainty: str | None = None  # "consistent" or "undecided"
    alert_object: str | None = None  # that the alert is about; None: no alert, or that of an earlier version
    recheck_of: int | None = None  # the earlier verdict on the same work, where its object was stolen later
    together: tuple[int, ...] | None = None  # the single verdicts that one on several photographs rests on
    number: int | None = None  # None: not yet in the log

    @property
    def alerted(self) -> str | None:
        """The object that the alert is about; None where there is no alert."""
        return (self.alert_object or self.object_id) if self.alert else None

    @property
    def decisive(self) -> float | None:
        """The distance that decides: the combined one, or without it the global one."""
        return self.whole if self.combined is None else self.combined

    @property
    def decided_by(self) -> str:
        """The name of the distance that decides."""
        return "global" if self.combined is None else "combined"

    @property
    def is_of_claim(self) -> bool:
        """Whether it compares a photograph with what its lot is said to be."""
        return self.asked is not None and self.lot is not None and self.together is None

    @property
    def has_picture(self) -> bool:
        """Whether there is one photograph to show, which could be read."""
        return self.sha256 is not None and self.together is None and self.outcome != UNREADABLE

    @property
    def about(self) -> str | None:
        """The object that it is about, for a person who decides."""
        return object_about(self.alert, self.alert_object, self.outcome, self.object_id, self.asked)

    @property
    def name(self) -> str:
        """What a person calls the photograph: its file, with the number of the picture in a file of several.

        Of several photographs, the first and how many more there are.
        """
        if self.together is not None:
            return f"{self.photo} and {len(self.together) - 1} more"
        return self.photo if self.picture is None else f"{self.photo}#{self.picture}"

    def to_json(self) -> dict[str, Any]:
        """Return the entry as JSON shows it."""
        return {"global" if name == "whole" else name: value for name, value in asdict(self).items()}


def object_about(
    alert: str | None, alert_object: str | None, outcome: str, object_id: str | None, asked: str | None
) -> str | None:
    """Return the object that a verdict is about: that of its alert, the one it names, or the one that was asked for."""
    if alert and alert_object:
        return alert_object
    return (None if outcome == Outcome.NO_MATCH else object_id) or asked


def entries_of(
    verdict: Verdict, edition: Edition, *, asked: str | None = None, lot: Mapping[str, str] | None = None
) -> list[LogEntry]:
    """Return the entries of a verdict, one a work; of a photograph without works one that says `unreadable`."""
    photograph = replace(
        _begun(verdict.photo, verdict.sha256, edition, asked=asked, lot=lot),
        reasons=(str(verdict.error),) if verdict.error else (),
        picture=verdict.picture if verdict.pictures > 1 else None,
    )
    return [_with_work(photograph, work, edition) for work in verdict.works] or [photograph]


def entry_together(said: Together, edition: Edition, *, lot: Mapping[str, str] | None = None) -> LogEntry:
    """Return the entry of a verdict on several photographs: by the name of the first, and the contents of all.

    Alerts stand on the entries of the single ones.
    """
    contents = hashlib.sha256(" ".join(sorted(said.contents)).encode()).hexdigest()
    return replace(
        _begun(said.photos[0], contents, edition, asked=said.object_id, lot=lot),
        outcome=str(said.outcome),
        object_id=said.object_id,
        exemplar=said.exemplar,
        local=said.local,
        combined=said.combined,
        threshold=said.threshold,
        reasons=said.reasons,
        condition=said.condition,
        comparison=comparison_name(closely=edition.closely),
        together=said.verdicts,
    )


def _begun(
    photo: str | Path,
    sha256: str | None,
    edition: Edition,
    *,
    asked: str | None,
    lot: Mapping[str, str] | None,
) -> LogEntry:
    """Return the entry of a photograph of which nothing is said yet but by what it is judged."""
    return LogEntry(
        date=now(),
        photo=os.path.realpath(photo),
        sha256=sha256,
        asked=asked,
        encoder=edition.encoder.fingerprint,
        revision=edition.revision,
        calibration=edition.basis.calibration.number if edition.basis.calibration else None,
        region=None,
        outcome=UNREADABLE,
        object_id=None,
        exemplar=None,
        whole=None,
        local=None,
        combined=None,
        threshold=None,
        likelihood_ratio=None,
        p_value=None,
        reasons=(),
        lot=None if lot is None else dict(lot),
    )


def _with_work(photograph: LogEntry, work: Work, edition: Edition) -> LogEntry:
    decision = work.decision
    entry = replace(
        photograph,
        region=work.region,
        outcome=str(decision.outcome),
        likelihood_ratio=decision.likelihood_ratio,
        p_value=decision.p_value,
        reasons=decision.reasons,
        alert=work.alert,
        alert_certainty=work.certainty,
        alert_object=work.entry.object_id if work.entry else None,
    )
    if not work.matches:
        return entry
    match, limits = work.matches[0], edition.basis.thresholds
    entry = replace(entry, object_id=match.object_id, exemplar=str(match.exemplar), whole=match.distance)
    if match.compared is None:
        return replace(entry, threshold=limits.authenticity.value if limits else None)
    combined = limits.combined_of(match.condition) if limits else None
    return replace(
        entry,
        condition=match.condition,
        comparison=comparison_name(closely=edition.closely),
        local=match.compared.local_distance,
        combined=match.compared.combined_distance,
        threshold=combined.value if combined else None,
    )
