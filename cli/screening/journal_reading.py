"""Read the journal of a screening while another process keeps it, or after that process was ended."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from cli.records.artifact_1 import PhotographRecord
from cli.screening.journal import NEXT, journal_of, record_of

PATIENCE = 5.0  # seconds, while the other process writes


@dataclass(frozen=True, slots=True)
class Kept:
    """A record of a journal: its number there, and when it was made."""

    number: int
    made_ns: int
    record: PhotographRecord


@dataclass(frozen=True, slots=True)
class JournalReading:
    """The records that a journal holds now; nothing is changed in it. Any thread may read on, one at a time."""

    database: sqlite3.Connection

    @classmethod
    @contextmanager
    def of(cls, out: Path) -> Iterator[JournalReading | None]:
        """Open the journal of an output file; None where there is none."""
        where = f"{journal_of(out).resolve().as_uri()}?mode=ro"
        try:
            database = sqlite3.connect(where, uri=True, timeout=PATIENCE, check_same_thread=False)
        except sqlite3.Error:
            yield None
            return
        with closing(database):
            yield cls(database)

    def begun(self) -> str:
        """Return when the journal was begun, in ISO 8601; empty where it is just being made, or is gone."""
        try:
            row = self.database.execute("SELECT started FROM heading").fetchone()
        except sqlite3.Error:
            return ""
        return str(row[0]) if row else ""

    def count(self) -> int:
        """Return how many records there are; 0 where the journal is just being made, or is gone."""
        try:
            return int(self.database.execute("SELECT count(*) FROM records").fetchone()[0])
        except sqlite3.Error:
            return 0

    def after(self, number: int) -> Iterator[Kept]:
        """Yield the records after a number, in the order in which they were made."""
        try:
            while rows := self.database.execute(NEXT, [number]).fetchall():
                for number, record, together, made_ns in rows:
                    yield Kept(number, made_ns, record_of(record, together))
        except sqlite3.Error:  # it is being removed: its work is done
            return
