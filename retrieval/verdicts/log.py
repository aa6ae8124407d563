"""Keep every verdict, with all that the verdict rests on, in a database."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from sqlite_utils import Database

from retrieval.catalogue.database import LARGEST, WAIT_SECONDS, can_write, connected, lock, writing
from retrieval.errors import CatalogueMissing, UnknownVerdict
from retrieval.finding.sightings import KEPT, Sighting, Sightings
from retrieval.outcome import OF_AN_OBJECT
from retrieval.photographs.features import VERSION, Features
from retrieval.verdicts.entry import LogEntry
from retrieval.verdicts.migrations import VERDICTS

DATABASE = "verdicts.db"
NESTED = ("region", "reasons", "lot", "together")  # kept as JSON


class VerdictLog:
    """The verdicts of a data folder: entries are added, and none is ever changed."""

    def __init__(self, database: Database, *, is_writable: bool = True) -> None:
        self.db, self.is_writable = database, is_writable

    @classmethod
    @contextmanager
    def opened(cls, data: Path) -> Iterator[VerdictLog]:
        """Open the log, making it where there is none; several processes may write."""
        with connected(data, DATABASE, VERDICTS) as database:
            if VERDICTS.pending(database):
                with lock(data, "verdicts.lock", wait=WAIT_SECONDS):
                    VERDICTS.apply(database)
            yield cls(database)

    @classmethod
    @contextmanager
    def reading(cls, data: Path) -> Iterator[VerdictLog]:
        """Open an existing log, even one that cannot be written; raises CatalogueMissing."""
        if not (data / DATABASE).is_file():
            raise CatalogueMissing(
                f"No verdict is recorded in {data}. Run `artifact query PHOTO` first, or name --data."
            )
        if can_record(data):
            with cls.opened(data) as log:
                yield log
        else:
            with connected(data, DATABASE, VERDICTS) as database:
                yield cls(database, is_writable=False)

    def add(
        self, entries: Sequence[LogEntry], sightings: Sequence[Sighting | None] = (), *, since: str | None = None
    ) -> list[int]:
        """Keep the entries of a photograph at once, and how its works looked; return the numbers of the entries.

        Entries that were kept already since a moment (ISO 8601) are not kept twice.
        """
        if since is not None and (numbers := self._kept(entries, since)):
            return numbers
        with writing(self.db):
            numbers = [int(self.db["verdicts"].insert(_row(entry)).last_pk) for entry in entries]
            seen = zip(numbers, entries, sightings, strict=False)  # one unreadable has an entry, but no work
            rows = [_sighting_row(number, entry.encoder, work) for number, entry, work in seen if work is not None]
            self.db["sightings"].insert_all(rows)
        return numbers

    def _kept(self, entries: Sequence[LogEntry], since: str) -> list[int]:
        """Return the numbers of the same entries, if they were kept since a moment; else none."""
        values = _row(entries[0])
        sql = "SELECT * FROM verdicts WHERE sha256 IS ? AND photo = ? AND picture IS ? AND asked IS ? AND lot IS ?"
        names = [values[name] for name in ("sha256", "photo", "picture", "asked", "lot")]
        rows = self.db.query(f"{sql} AND date >= ? ORDER BY number", [*names, since])
        kept = [_entry(row) for row in rows][: len(entries)]
        same = [replace(entry, date="", number=None) for entry in kept] == [
            replace(entry, date="") for entry in entries
        ]
        return [entry.number for entry in kept if entry.number is not None] if same else []

    def earlier(
        self,
        sha256: str | None,
        *,
        object_ids: Sequence[str],
        seen: Sequence[int],
        before: str,
        most: int = 100,
    ) -> list[LogEntry]:
        """Return the entries of before a moment (ISO 8601) on the same file, objects or works, the last first.

        Of an object, only where a photograph was held to be of it: consistent or divergent. `seen` are the numbers of
        entries on the same works.
        """
        sql = f"""SELECT * FROM verdicts WHERE asked IS NULL AND date < ? AND number IN (
                      SELECT number FROM verdicts WHERE sha256 = ? OR number IN ({_marks(seen)})
                      UNION SELECT number FROM verdicts
                      WHERE object_id IN ({_marks(object_ids)}) AND outcome IN {tuple(map(str, OF_AN_OBJECT))})
                  ORDER BY number DESC LIMIT ?"""
        return [_entry(row) for row in self.db.query(sql, [before, sha256, *seen, *object_ids, most])]

    def forget(self, kept: int = KEPT) -> None:
        """Forget how all works looked but the last so many; the entries on them stay."""
        last = "SELECT verdict FROM sightings ORDER BY verdict DESC LIMIT 1 OFFSET ?"
        with writing(self.db):
            self.db.execute(f"DELETE FROM sightings WHERE verdict <= ({last})", [kept])

    def entries(
        self,
        *,
        outcome: str | None = None,
        photo: str | None = None,
        before: int | None = None,
        limit: int | None = None,
    ) -> list[LogEntry]:
        """Return entries, the last one first: of an outcome, with a text in the photograph's path, before a number."""
        where: list[str] = ["number < ?"]
        values: list[object] = [LARGEST if before is None else min(before, LARGEST)]
        if outcome is not None:
            where.append("outcome = ?")
            values.append(outcome)
        if photo is not None:
            where.append("instr(photo, ?) > 0")
            values.append(photo)
        sql = f"SELECT * FROM verdicts WHERE {' AND '.join(where)} ORDER BY number DESC LIMIT ?"
        return [_entry(row) for row in self.db.query(sql, [*values, -1 if limit is None else min(limit, LARGEST)])]

    def compared(self, calibration: int) -> list[LogEntry]:
        """Return the entries on photographs compared place by place under a calibration, the first one first.

        What is said of several photographs together is left out: the calibration is of single ones.
        """
        sql = "SELECT * FROM verdicts WHERE calibration = ? AND combined IS NOT NULL ORDER BY number"
        found = (_entry(row) for row in self.db.query(sql, [calibration]))
        return [entry for entry in found if entry.together is None]

    @property
    def has_together(self) -> bool:
        """Whether entries may be on several photographs together: none in an old log that cannot be written."""
        return "together" in self.db["verdicts"].columns_dict

    def together(self) -> list[LogEntry]:
        """Return the entries on several photographs together, the first one first."""
        if not self.has_together:
            return []
        return [
            _entry(row) for row in self.db.query("SELECT * FROM verdicts WHERE together IS NOT NULL ORDER BY number")
        ]

    def matched(self, object_ids: Sequence[str]) -> list[LogEntry]:
        """Return the entries on works that show one of some objects, and raised no alert: registered, or near enough.

        The first one comes first; what was found by a recheck is none, nor is one on several photographs together.
        """
        found: list[LogEntry] = []
        for object_id in object_ids:
            sql = f"""SELECT * FROM verdicts WHERE object_id = ? AND alert IS NULL AND
                      (outcome IN {tuple(map(str, OF_AN_OBJECT))} OR condition IS NOT NULL OR combined IS NOT NULL)
                      ORDER BY number"""
            found += [_entry(row) for row in self.db.query(sql, [object_id])]
        return [entry for entry in found if entry.together is None]

    def has_alerted(self, entry: LogEntry, object_id: str) -> bool:
        """Say whether an alert about an object is logged of the same photograph, in the same place and lot."""
        values = _row(entry)
        sql = """SELECT 1 FROM verdicts WHERE sha256 IS ? AND photo = ? AND picture IS ? AND lot IS ?
                 AND alert IS NOT NULL AND coalesce(alert_object, object_id) = ? LIMIT 1"""
        same = [values[name] for name in ("sha256", "photo", "picture", "lot")]
        return self.db.execute(sql, [*same, object_id]).fetchone() is not None

    def sighted(self, encoder: str) -> tuple[np.ndarray, np.ndarray]:
        """Return the works seen so far that were of no object, as the encoder of a fingerprint sees them.

        The numbers of their verdicts, int64 (n,), and their vectors, float16 (n, dim).
        """
        rows = self.db.execute("SELECT verdict, vector FROM sightings WHERE encoder = ?", [encoder]).fetchall()
        vectors = np.frombuffer(b"".join(vector for _, vector in rows), np.float16)
        return np.array([number for number, _ in rows], np.int64), vectors.reshape(len(rows), -1 if rows else 1)

    def rechecked(self) -> dict[str, str]:
        """Return the objects that were searched for among all that was seen, and what was known of each then."""
        return dict(self.db.execute("SELECT object_id, state FROM rechecked").fetchall())

    def set_rechecked(self, states: Mapping[str, str]) -> None:
        """Note which objects were searched for, in place of those noted before."""
        with writing(self.db):
            self.db.execute("DELETE FROM rechecked")
            self.db["rechecked"].insert_all({"object_id": name, "state": state} for name, state in states.items())

    def entry(self, number: int) -> LogEntry:
        """Return the entry of one verdict; raises UnknownVerdict."""
        for row in self.db.query("SELECT * FROM verdicts WHERE number = ?", [min(number, LARGEST)]):
            return _entry(row)
        raise UnknownVerdict(f"No verdict {number} is recorded. `artifact verdicts` lists them.")


def can_record(data: Path) -> bool:
    """Say whether verdicts may be added to the log of a data folder."""
    return can_write(data, DATABASE)


def read_sightings(data: Path, encoder: str) -> Sightings:
    """Return the works seen so far that were of no object, as the encoder of a fingerprint sees them."""
    with VerdictLog.reading(data) as log:
        numbers, vectors = log.sighted(encoder)
    return Sightings.of(numbers.tolist(), vectors, partial(features_seen, data))


def features_seen(data: Path, numbers: Sequence[int]) -> dict[int, Features]:
    """Return the features kept of works, by the numbers of their verdicts."""
    sql = f"SELECT verdict, features FROM sightings WHERE verdict IN ({_marks(numbers)}) AND version = ?"
    with connected(data, DATABASE, VERDICTS) as database:
        return {number: Features.from_bytes(kept) for number, kept in database.execute(sql, [*numbers, VERSION])}


def _sighting_row(number: int, encoder: str, work: Sighting) -> dict[str, object]:
    kept = work.thinned()
    vector, features = kept.vector.astype(np.float16).tobytes(), kept.features.to_bytes()
    return {"verdict": number, "encoder": encoder, "vector": vector, "version": VERSION, "features": features}


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _row(entry: LogEntry) -> dict[str, object]:
    values = entry.to_json()
    del values["number"]
    nested = {name: None if values[name] is None else json.dumps(values[name]) for name in NESTED}
    return values | nested | {"photo": _storable(entry.photo)}


def _storable(name: str) -> str | bytes:
    """Return a file's name as text, or its bytes on disk where they are no text."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return os.fsencode(name)
    return name


def _entry(row: dict) -> LogEntry:
    whole, region, lot = row.pop("global"), row.pop("region"), row.pop("lot", None)  # a log of the first version: none
    together = row.pop("together", None)
    row["reasons"] = tuple(json.loads(row["reasons"]))
    row["photo"] = os.fsdecode(row["photo"])
    return LogEntry(
        **row,
        whole=whole,
        region=tuple(json.loads(region)) if region else None,
        lot=json.loads(lot) if lot else None,
        together=tuple(json.loads(together)) if together else None,
    )
