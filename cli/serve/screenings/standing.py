"""How far a screening has come, and what was found so far: read from its journal as it grows, or from its records."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from cli.records.alert_words import alert_sentence, alert_words
from cli.records.artifact_1 import PhotographRecord, WorkRecord, alarming_works, name_of, outcomes
from cli.records.client_words import client_words
from cli.records.lines import lot_words
from cli.records.triage import deciding, shows_object
from cli.screening.journal import journal_of
from cli.screening.journal_reading import JournalReading, Kept
from cli.serve.screenings.kept import RECORDS, REPORT
from retrieval.outcome import UNREADABLE

MOST_ALERTS = 200  # that are listed; the report has all
LAST = 12  # works that are shown
OFTENEST = 0.5  # seconds between two looks at a journal
PACE_OF = 60  # records


@dataclass(frozen=True, slots=True)
class Row:
    """A work that is listed: what is said of it, and where to look."""

    photo: str
    lot: str
    outcome: str
    object_id: str
    distance: str
    verdict: int | None
    alert: str = ""
    words: str = ""  # of the alert, with the case
    then: str = ""  # who is to be told


@dataclass(frozen=True, slots=True)
class Standing:
    """What a screening has come to."""

    count: int = 0  # photographs, each page one
    outcomes: Mapping[str, int] = field(default_factory=dict)  # of works
    alert_count: int = 0
    alerts: tuple[Row, ...] = ()
    last: tuple[Row, ...] = ()  # the newest first
    rate: float | None = None  # photographs a second, of late

    def as_dict(self) -> dict[str, Any]:
        """Return this as JSON keeps it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Standing:
        """Return what `as_dict` gave."""
        rows = {name: tuple(Row(**row) for row in kept[name]) for name in ("alerts", "last")}
        return cls(**{**kept, **rows, "rate": None})


class Tallying:
    """Counts records as they come."""

    def __init__(self) -> None:
        self.count = self.alert_count = self.reached = 0
        self.outcomes: Counter[str] = Counter()
        self.alerts: list[Row] = []
        self.last: deque[Row] = deque(maxlen=LAST)
        self.made: deque[int] = deque(maxlen=PACE_OF)  # when records were made, in nanoseconds

    def add(self, kept: Kept) -> None:
        """Count one record more."""
        record, self.reached = kept.record, kept.number
        self.count += 1
        self.outcomes.update(outcomes(record))
        self.made.append(kept.made_ns)
        raised = alarming_works(record)
        self.alert_count += len(raised)
        room = MOST_ALERTS - len(self.alerts)
        self.alerts.extend(_alert_row(record, work) for work in raised[:room])
        works: Sequence[WorkRecord | None] = record["works"] or [None]
        self.last.extend(_row(record, work) for work in works)

    def standing(self, since_ns: int | None) -> Standing:
        """Return what was counted; the pace is that of records made since a moment."""
        made = [moment for moment in self.made if since_ns is not None and moment >= since_ns]
        span = (time.time_ns() - made[0]) / 1e9 if len(made) > 3 else 0.0
        return Standing(
            self.count,
            {name: count for name, count in self.outcomes.items() if count},
            self.alert_count,
            tuple(self.alerts),
            tuple(reversed(self.last)),
            len(made) / span if span > 0 else None,
        )


class LiveStanding:
    """The standing of a screening whose journal grows; all who watch it share one look."""

    def __init__(self, folder: Path) -> None:
        self._out = folder / REPORT
        self._tally = Tallying()
        self._looked, self._begun = 0.0, ""
        self._lock = threading.Lock()

    def now(self, since_ns: int | None = None) -> Standing:
        """Return what the journal says now."""
        with self._lock:
            if time.monotonic() - self._looked > OFTENEST:
                self._look()
                self._looked = time.monotonic()
            return self._tally.standing(since_ns)

    def _look(self) -> None:
        with JournalReading.of(self._out) as journal:
            if journal is None or not (there := journal.count()):
                return
            if there < self._tally.count or journal.begun() != self._begun:  # some are judged anew, or all
                self._begun = journal.begun()
                self._tally = Tallying()
            for kept in journal.after(self._tally.reached):
                self._tally.add(kept)
            if there > self._tally.count:  # a number was given twice
                self._tally = Tallying()
                for kept in journal.after(0):
                    self._tally.add(kept)


def final_standing(folder: Path) -> Standing:
    """Return what a screening came to that is over, or was ended."""
    tally = Tallying()
    for number, record in enumerate(records_of(folder), 1):
        tally.add(Kept(number, 0, record))
    return tally.standing(None)


def records_of(folder: Path) -> Iterator[PhotographRecord]:
    """Yield the records of a screening: of its file, or of its journal where it was ended before."""
    if journal_of(folder / REPORT).exists():
        with JournalReading.of(folder / REPORT) as journal:
            yield from (kept.record for kept in (journal.after(0) if journal else ()))
    elif (folder / RECORDS).exists():
        with (folder / RECORDS).open(encoding="utf-8") as file:
            yield from map(json.loads, file)


def _row(record: PhotographRecord, work: WorkRecord | None) -> Row:
    name, lot = Path(name_of(record)).name, lot_words(record["lot"])
    if work is None:
        return Row(name, lot, UNREADABLE, "", "", None)
    object_id, distance = "", ""
    if work["matches"]:
        best = work["matches"][0]
        which, judged = deciding(best)
        distance = f"{which} distance {judged['distance']:.3f}"
        object_id = best["object_id"] if shows_object(work) else ""
    return Row(name, lot, work["outcome"], object_id, distance, _verdict(record, work), work["alert"] or "")


def _alert_row(record: PhotographRecord, work: WorkRecord) -> Row:
    words = alert_sentence(alert_words(work), work["register_entry"])
    return replace(_row(record, work), words=words, then=client_words(record, work).then)


def _verdict(record: PhotographRecord, work: WorkRecord) -> int | None:
    """Return the number of the verdict on a work; that of the first where the work is the one that is claimed."""
    numbers = record["verdicts"]
    index = record["works"].index(work) if work in record["works"] else 0
    return numbers[index] if index < len(numbers) else None
