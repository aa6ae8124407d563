"""Keep the records of a screening as they come, so that an interrupted screening goes on from the last one."""

from __future__ import annotations

import json
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from cli.records.artifact_1 import PhotographRecord, TogetherRecord, alerts, away, dumps, name_of, outcomes, undecided
from retrieval.errors import ArtifactError
from retrieval.judging.together import MOST, Part
from retrieval.moment import in_utc, now

_TABLES = """
CREATE TABLE IF NOT EXISTS heading (body TEXT NOT NULL, started TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS records (
    number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, identity TEXT, made_ns INTEGER NOT NULL, record TEXT NOT NULL,
    thing TEXT
);
CREATE INDEX IF NOT EXISTS by_identity ON records (identity);
CREATE INDEX IF NOT EXISTS by_thing ON records (thing) WHERE thing IS NOT NULL;
CREATE TABLE IF NOT EXISTS parts (identity TEXT NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS parts_by_identity ON parts (identity);
CREATE TABLE IF NOT EXISTS together (thing TEXT PRIMARY KEY, body TEXT NOT NULL);
"""
NEXT = """SELECT number, record, body, made_ns FROM records LEFT JOIN together USING (thing) WHERE number > ?
          ORDER BY number LIMIT 100"""
BESIDE = ("", "-wal", "-shm")  # the files of a SQLite database


def journal_of(out: Path) -> Path:
    """Return where the journal of an output file lies."""
    return out.with_name(f"{out.name}.part")


class Journal:
    """A SQLite database beside the output: what is being done, then a record a photograph.

    A journal of the same work (`heading`: source, encoder, revision, ...) is taken up again, without the records of
    photographs that could not be read or were written since. For any other work a new journal is begun. `started` is
    the moment when it was begun, in ISO 8601 and UTC; `taken_up` says whether an earlier run began it.
    """

    def __init__(self, path: Path, heading: Mapping[str, Any], advice: str) -> None:
        self.path, self._advice = path, advice
        self.counts: Counter[str] = Counter()  # of works, by outcome
        self.alerts: Counter[str] = Counter()
        self.undecided = 0  # alerts
        self.away = 0  # works whose exemplar is away
        self._count = self._told = 0
        self.taken_up = False
        with self._in_words():
            self._db = self._taken_up(dumps(dict(heading)))
            self.started = in_utc(self._db.execute("SELECT started FROM heading").fetchone()[0])
            for number, record in self._after(0):
                self._told = number
                self._reckon(record)

    @classmethod
    @contextmanager
    def beside(cls, out: Path | None, heading: Mapping[str, Any]) -> Iterator[Journal]:
        """Open the journal of an output file, FILE.part; without one, of an output that no later run takes up."""
        if out is None:
            with tempfile.TemporaryDirectory(prefix="artifact-") as folder:
                yield from cls._opened(Path(folder, "journal"), heading, "Free room there, or set TMPDIR.")
        else:
            yield from cls._opened(journal_of(out), heading, "The same command goes on from there.")

    @classmethod
    def _opened(cls, path: Path, heading: Mapping[str, Any], advice: str) -> Iterator[Journal]:
        """Yield the journal in a file, open; where it cannot be written, the advice is given."""
        journal = cls(path, heading, advice)
        try:
            yield journal
        finally:
            journal._db.close()

    def _taken_up(self, heading: str) -> sqlite3.Connection:
        with suppress(sqlite3.DatabaseError):
            if self.path.exists():
                database = _connected(self.path)
                if database.execute("SELECT body FROM heading").fetchall() == [(heading,)]:
                    database.execute("DELETE FROM records WHERE json_extract(record, '$.error') IS NOT NULL")
                    self.taken_up = True
                    return database
                database.close()
        _delete(self.path)
        database = _connected(self.path)
        database.executescript(_TABLES)
        database.execute("INSERT INTO heading VALUES (?, ?)", [heading, now()])
        return database

    def __len__(self) -> int:
        return self._count

    def holds(self, key: str, path: Path) -> bool:
        """Say whether there is the record of an input, made after its photograph was last written or put there."""
        row = self._db.execute("SELECT made_ns, record FROM records WHERE key = ?", [dumps(key)]).fetchone()
        if row is None:
            return False
        with suppress(OSError):
            if path.stat().st_ctime_ns < row[0]:  # the time of its last writing may be of another clock, or copied
                return True
        gone = _read(row[1])
        self.counts.subtract(outcomes(gone))
        self.alerts.subtract(alerts(gone))
        self.undecided -= undecided(gone)
        self.away -= len(away(gone))
        self._count -= 1
        self._db.execute("DELETE FROM records WHERE key = ?", [dumps(key)])
        return False

    def of_identity(self, identity: str) -> PhotographRecord | None:
        """Return the record of the same photograph, if it was judged already."""
        sql = "SELECT record FROM records WHERE identity = ? ORDER BY number LIMIT 1"
        row = self._db.execute(sql, [identity]).fetchone()
        return _read(row[0]) if row else None

    def add(
        self,
        key: str,
        identity: str | None,
        record: PhotographRecord,
        *,
        thing: str | None = None,
        parts: Sequence[Part] = (),
    ) -> None:
        """Append the record of an input, at once; `parts` is what it says with others of the same thing."""
        with self._in_words():
            self._db.executemany("INSERT INTO parts VALUES (?, ?)", [(identity, part.to_bytes()) for part in parts])
            new = self._db.execute(
                "INSERT OR IGNORE INTO records (key, identity, made_ns, record, thing) VALUES (?, ?, ?, ?, ?)",
                [dumps(key), identity, time.time_ns(), dumps(record), thing and dumps(thing)],
            ).rowcount
        if new:  # a line may stand twice in a table
            self._reckon(record)

    def parts(self, thing: str) -> list[Part]:
        """Return what the photographs of a thing say, each by the name that its record has, in their order."""
        sql = """SELECT DISTINCT body, record FROM records JOIN parts USING (identity) WHERE thing = ?
                 ORDER BY records.number LIMIT ?"""
        rows = self._db.execute(sql, [dumps(thing), MOST]).fetchall()
        return [replace(Part.from_bytes(body), photo=name_of(_read(record))) for body, record in rows]

    def put_together(self, thing: str, said: Sequence[TogetherRecord]) -> None:
        """Keep what is said of the photographs of a thing together, in place of what was said before."""
        with self._in_words():
            self._db.execute("INSERT OR REPLACE INTO together VALUES (?, ?)", [dumps(thing), dumps(said)])

    def _reckon(self, record: PhotographRecord) -> None:
        self._count += 1
        self.counts.update(outcomes(record))
        self.alerts.update(alerts(record))
        self.undecided += undecided(record)
        self.away += len(away(record))

    def records(self) -> Iterator[PhotographRecord]:
        """Yield every record so far, in the order in which they were made."""
        for _, record in self._after(0):
            yield record

    def fresh(self) -> Iterator[PhotographRecord]:
        """Yield the records added since the last call, or since the journal was opened."""
        for number, record in self._after(self._told):
            self._told = number
            yield record

    def _after(self, number: int) -> Iterator[tuple[int, PhotographRecord]]:
        """Yield the records after a number, each with its own number."""
        while rows := self._db.execute(NEXT, [number]).fetchall():
            for number, record, together, _ in rows:
                yield number, record_of(record, together)

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise ArtifactError(f"{self.path} cannot be written: {error}. {self._advice}") from error

    def discard(self) -> None:
        """Delete the journal; its work is done."""
        self._db.close()
        _delete(self.path)


def _read(record: str) -> PhotographRecord:
    return json.loads(record)


def record_of(text: str, together: str | None) -> PhotographRecord:
    """Return a record as it is kept, with what is said of its photograph together with others."""
    record = _read(text)
    said: list[TogetherRecord] = json.loads(together) if together else []
    return {**record, "together": [one for one in said if name_of(record) in one["photos"]]} if said else record


def _delete(path: Path) -> None:
    for ending in BESIDE:
        path.with_name(path.name + ending).unlink(missing_ok=True)


def _connected(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None, timeout=30.0)  # every record is a transaction of its own
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    return database
