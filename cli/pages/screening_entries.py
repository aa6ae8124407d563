"""Make the entries of the page of a screening: pictures, alerts, object, distance, reasons, claim, lot of a work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from cli.pages.parts import Bar
from cli.pictures.thumbnails import LARGE, SMALL, Reference, thumbnail
from cli.records.artifact_1 import ForgeryRecord, MatchRecord, PhotographRecord, WorkRecord
from cli.records.lines import LOT_COLUMNS, seen_words
from cli.records.triage import ALERTS, Priority, claimed, deciding
from retrieval.outcome import OF_AN_OBJECT, Outcome

View = dict[str, Any]  # what the template of an entry shows
COMPACT = (Priority.CONSISTENT, Priority.NO_MATCH)
PICTURED = 3000  # entries with pictures; a browser opens no more
PROVISIONAL = "provisional"  # begins a reason
ALERT_WORDS = {
    Priority.STOLEN: "This is consistent with an object that is registered as stolen.",
    Priority.MISSING: "This is consistent with an object that is registered as missing.",
    Priority.KNOWN_FORGERY: "This is consistent with a known forgery.",
}


@dataclass
class Entries:
    """Makes the entries of one page; `evidence` names the page of evidence of a work, relative to this one, if any."""

    folder: Path
    reference: Reference
    remarks: tuple[str, ...]  # reasons that stand above all, not in every entry
    evidence: Callable[[PhotographRecord, int], str | None]
    _made: int = field(default=0, init=False)

    def entry(self, found: PhotographRecord, index: int | None, rank: Priority) -> View:
        """Return the entry of a work, or of a photograph that could not be read."""
        work = None if index is None else found["works"][index]
        page = None if index is None else self.evidence(found, index)
        self._made += 1
        compact = rank in COMPACT or work is None
        return {
            **self.line(found, index),
            **(self._judgement(work, rank) if work else {"best": None, "reasons": [found["error"]]}),
            **_claim(found, None if compact else work),
            "rank": rank,
            "compact": compact,
            "work": work,
            "pictures": list(self._pictures(found, work, rank)) if work and self._made <= PICTURED else [],
            "alerts": _alerts(work, claimed(found, work)) if work and rank in ALERTS else [],
            "number": None if index is None or len(found["works"]) == 1 else index + 1,
            "of": len(found["works"]),
            "original": self._name(found["same_as"]) if found["same_as"] else None,
            "evidence": quote(page, errors="surrogateescape") if page else None,
            "seen": [seen_words(seen) for seen in found["seen_before"]],
        }

    def line(self, found: PhotographRecord, index: int | None) -> View:
        """Return all that is said of a file identical to that of an entry: its name, its lot and its verdict."""
        numbers = found["verdicts"]
        return {
            "photo": self._name(found["photo"]),
            "lot": found["lot"] or {},
            "columns": list(_columns(found)),
            "verdict": numbers[index or 0] if (index or 0) < len(numbers) else None,
        }

    def _name(self, photo: str) -> str:
        path = Path(photo)
        return str(path.relative_to(self.folder) if path.is_relative_to(self.folder) else path)

    def _pictures(self, found: PhotographRecord, work: WorkRecord, rank: Priority) -> Iterator[View]:
        """Yield the probe, and what it was compared with; of an unknown work the probe alone, small."""
        side = SMALL if rank in COMPACT else LARGE
        probe = thumbnail(found["photo"], found["sha256"], tuple(work["region"]), side=side)
        yield {"shown": probe, "caption": "probe", "file": None, "aside": False}
        if rank is Priority.NO_MATCH or not work["matches"]:
            return
        for (object_id, exemplar), what in _beside(found, work).items():
            shown = self.reference.thumbnail(object_id, exemplar, side)
            aside = what == "nearest, not a match"
            yield {"shown": shown, "caption": what, "file": Path(exemplar).name, "aside": aside}

    def _judgement(self, work: WorkRecord, rank: Priority) -> View:
        """Return the nearest object, the distance that decides, and the reasons but those that stand above all."""
        reasons = [reason for reason in work["reasons"] if reason not in self.remarks]
        if not work["matches"]:
            return {"best": None, "reasons": reasons}
        best = work["matches"][0]
        name, compared = deciding(best)
        above = [reason for reason in work["reasons"] if reason in self.remarks]
        return {
            "best": best,
            "reasons": reasons,
            "title": "" if rank is Priority.NO_MATCH else self.reference.name(best["object_id"]),
            "only_nearest": work["outcome"] not in OF_AN_OBJECT,
            "judged_by": name,
            "bar": Bar.of(compared),
            "provisional": any(reason.startswith(PROVISIONAL) for reason in above),
        }


def _beside(found: PhotographRecord, work: WorkRecord) -> dict[tuple[str, str], str]:
    """Return the exemplars that a work was compared with, each once, and what they are."""
    near = "exemplar" if work["outcome"] in OF_AN_OBJECT else "nearest"
    near = "nearest, not a match" if work["outcome"] == Outcome.NO_MATCH else near
    compared = claimed(found, work)
    beside: dict[str, MatchRecord | ForgeryRecord | None] = {
        "claimed": compared["matches"][0] if compared and compared["matches"] else None,
        near: work["matches"][0],
        "known forgery": work["forgery"],
    }
    shown: dict[tuple[str, str], str] = {}
    for what, other in beside.items():
        if other:
            shown.setdefault((other["object_id"], other["exemplar"]), what)
    return shown


def _alerts(work: WorkRecord, compared: WorkRecord | None) -> list[tuple[Priority, str]]:
    """Return each alert of a work, and of what it was claimed to be, in words that cannot be overlooked."""
    alerts = {judged["alert"] for judged in (work, compared) if judged}
    return [(alert, ALERT_WORDS[alert]) for alert in ALERTS if alert in alerts]


def _claim(found: PhotographRecord, below: WorkRecord | None) -> View:
    """Return what the lot is said to be, and what became of it; of the work `below`, what is said there is not."""
    claim = found["claim"]
    work = claim["work"] if claim else None
    said_below = bool(work and below and _what_is_said(work) == _what_is_said(below))
    upheld = work is not None and work["outcome"] == Outcome.CONSISTENT
    drawn = work["matches"][:1] if work and not upheld and not said_below else []
    bar = next((Bar.of(deciding(best)[1]) for best in drawn), None)
    return {"claim": claim, "claim_is_said_below": said_below, "claim_bar": bar}


def _what_is_said(work: WorkRecord) -> tuple[list[MatchRecord], list[str]]:
    """Return what is the same for works of which the same is said."""
    return work["matches"][:1], work["reasons"]


def _columns(found: PhotographRecord) -> Iterator[View]:
    """Yield the columns of a lot that say something, those that are usual first."""
    lot = found["lot"] or {}
    for name in [*(name for name in LOT_COLUMNS if name in lot), *(name for name in lot if name not in LOT_COLUMNS)]:
        text = str(lot[name] or "")
        if text.strip() and not (name == "claim" and found["claim"]):
            yield {"name": name, "text": text, "linked": name == "url" and _leads_to_the_web(text)}


def _leads_to_the_web(url: str) -> bool:
    try:
        return urlsplit(url).scheme in ("http", "https") and url.isprintable() and " " not in url
    except ValueError:
        return False
