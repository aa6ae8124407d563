"""Watch whether a calibration still fits the photographs that come, by what reviewers hold to be genuine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from retrieval.catalogue.status_words import Status
from retrieval.moment import day
from retrieval.outcome import Outcome
from retrieval.statistics.calibration import Calibration
from retrieval.statistics.martingale import LEVEL, conformal_p_values, evidence
from retrieval.verdicts.entry import LogEntry
from retrieval.verdicts.log import DATABASE, VerdictLog
from retrieval.verdicts.reviews import Review, reviews


@dataclass(frozen=True, slots=True)
class Watch:
    """What speaks against a calibration since it was made, and how many genuine photographs do so."""

    evidence: float  # times a stake of 1
    genuine: int
    beyond: int  # their threshold

    @property
    def fits(self) -> bool:
        """Whether the photographs may well come as those of the calibration did."""
        return self.evidence < LEVEL


def fits(data: Path, calibration: Calibration | None) -> bool:
    """Say whether nothing speaks against a calibration; where there is none, or nothing was reviewed, nothing does."""
    watch = watched(data, calibration)
    return watch is None or watch.fits


def watched(data: Path, calibration: Calibration | None) -> Watch | None:
    """Return what speaks against a calibration; None where no reviewer found a genuine photograph since."""
    if calibration is None or calibration.number is None or not (data / DATABASE).is_file():
        return None
    with VerdictLog.reading(data) as log:
        held = {review.verdict: review for review in reviews(log)}  # the last one counts
        if not any(review.outcome == Outcome.CONSISTENT for review in held.values()):
            return None
        entries = log.compared(calibration.number)
    return watch(calibration, entries, held)


def watch(calibration: Calibration, entries: Iterable[LogEntry], held: Mapping[int, Review]) -> Watch | None:
    """Return what entries on photographs compared place by place, the first one first, speak against a calibration.

    `held` is the last review of each. Genuine is what a reviewer holds to be consistent, and what lies within its
    threshold unless a reviewer holds otherwise: reviewers look at what is flagged, and by that alone no calibration
    would fit. A photograph counts once, and an object once a day.
    """
    shown: dict[object, list[LogEntry]] = {}
    for entry in entries:
        shown.setdefault((entry.sha256, entry.picture, entry.object_id), []).append(entry)
    genuine: dict[object, LogEntry] = {}
    confirmed = False
    for same in shown.values():
        decided = [held[entry.number] for entry in same if entry.number is not None and entry.number in held]
        review = max(decided, key=lambda one: one.number or 0, default=None)
        if _is_genuine(same[0], review):
            genuine.setdefault((same[0].object_id, day(same[0].date)), same[0])
            confirmed |= review is not None
    if not confirmed:
        return None
    counted = list(genuine.values())
    return Watch(evidence(_p_values(calibration, counted)), len(counted), sum(map(_is_beyond, counted)))


def _is_genuine(entry: LogEntry, review: Review | None) -> bool:
    if review is not None:
        return (review.outcome, review.object_id) == (Outcome.CONSISTENT, entry.object_id)
    return entry.threshold is not None and not _is_beyond(entry) and entry.alert != Status.KNOWN_FORGERY


def _is_beyond(entry: LogEntry) -> bool:
    return entry.threshold is not None and entry.combined is not None and entry.combined > entry.threshold


def _p_values(calibration: Calibration, entries: Sequence[LogEntry]) -> list[float]:
    """Return the p-value of each, among those of its condition."""
    numbers: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, entry in enumerate(entries):
        numbers[calibration.thresholds.pool_of(entry.condition)].append(number)
    found = [1.0] * len(entries)
    for pool, some in numbers.items():
        known = calibration.combined_of(pool[0] if pool else None).genuine
        distances = [entries[number].combined or 0.0 for number in some]
        for number, p_value in zip(some, conformal_p_values(known, distances), strict=True):
            found[number] = p_value
    return found
