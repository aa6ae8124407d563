"""What is kept of a verdict."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from retrieval.judging.edition import Edition
from retrieval.judging.judge import Verdict
from retrieval.judging.work import Work
from retrieval.outcome import UNREADABLE


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was said of one work on a photograph, and by what. Distances are as they were computed, not rounded."""

    date: str  # ISO 8601, with the zone
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
    number: int | None = None


def recorded(
    verdict: Verdict, edition: Edition, *, asked: str | None = None, lot: Mapping[str, str] | None = None
) -> list[Recorded]:
    """Return what is to be kept of a verdict, a record a work; one that says `unreadable` where there is none."""
    base = Recorded(
        date=datetime.now().astimezone().isoformat(timespec="seconds"),
        photo=os.path.realpath(verdict.photo),
        sha256=verdict.sha256,
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
        reasons=(str(verdict.error),) if verdict.error else (),
        lot=None if lot is None else dict(lot),
    )
    return [_with_work(base, work, edition) for work in verdict.works] or [base]


def _with_work(base: Recorded, work: Work, edition: Edition) -> Recorded:
    decision = work.decision
    said = replace(
        base,
        region=work.region,
        outcome=str(decision.outcome),
        likelihood_ratio=decision.likelihood_ratio,
        p_value=decision.p_value,
        reasons=decision.reasons,
        alert=work.alert,
    )
    if not work.matches:
        return said
    match = work.matches[0]
    limits = edition.basis.thresholds
    said = replace(said, object_id=match.object_id, exemplar=str(match.exemplar), whole=match.distance)
    if match.compared:
        found, limit = match.compared, limits.combined if limits else None
        said = replace(said, local=found.local_distance, combined=found.combined_distance)
    else:
        limit = limits.authenticity if limits else None
    return replace(said, threshold=limit.value if limit else None)


def as_dict(item: Recorded) -> dict[str, Any]:
    """Return a record for JSON."""
    values = asdict(item)
    return {"global" if name == "whole" else name: value for name, value in values.items()}
