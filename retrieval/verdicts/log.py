"""Keep every verdict with all that it rests on, and make one again to see whether it still holds."""

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

from retrieval.catalogue.database import WAIT_SECONDS, connected, lock, writing
from retrieval.catalogue.migrations import VERDICTS
from retrieval.errors import CatalogueMissing, UnknownVerdict
from retrieval.finding.sightings import KEPT, Sighting, Sightings
from retrieval.judging.edition import Edition
from retrieval.judging.judge import Verdict
from retrieval.outcome import OF_AN_OBJECT
from retrieval.photographs.features import VERSION, Features
from retrieval.verdicts.recorded import Recorded, as_dict, recorded

DATABASE = "verdicts.db"
_LARGEST = 2**63 - 1  # number that SQLite holds


class VerdictLog:
    """The verdicts of a data folder, in a database of their own: nothing in it is ever changed."""

    def __init__(self, database: Database) -> None:
        self.db = database

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
        """Open an existing log, where it cannot be written as it is; raises CatalogueMissing."""
        if not (data / DATABASE).is_file():
            raise CatalogueMissing(
                f"No verdict is recorded in {data}. Run `artifact query PHOTO` first, or name --data."
            )
        if os.access(data, os.W_OK):
            with cls.opened(data) as log:
                yield log
        else:
            with connected(data, DATABASE, VERDICTS) as database:
                yield cls(database)

    def add(
        self,
        verdict: Verdict,
        edition: Edition,
        *,
        asked: str | None = None,
        lot: Mapping[str, str] | None = None,
        since: str | None = None,
    ) -> list[int]:
        """Keep a verdict, and the lot that the photograph is of, at once; return the numbers of its works.

        One that was kept already since a moment (ISO 8601) is not kept twice.
        """
        rows = recorded(verdict, edition, asked=asked, lot=lot)
        if since is not None and (numbers := self._kept(rows, since)):
            return numbers
        with writing(self.db):
            numbers = [int(self.db["verdicts"].insert(_row(row)).last_pk) for row in rows]
            seen = [
                _sighting_row(number, edition.encoder.fingerprint, work.sighting)
                for number, work in zip(numbers, verdict.works, strict=False)  # one unreadable has a row, but no work
                if work.sighting is not None
            ]
            self.db["sightings"].insert_all(seen)
        return numbers

    def _kept(self, rows: Sequence[Recorded], since: str) -> list[int]:
        """Return the numbers under which the works of a photograph were kept since a moment; none if they were not."""
        values = _row(rows[0])
        sql = "SELECT * FROM verdicts WHERE sha256 IS ? AND photo = ? AND asked IS ? AND lot IS ? AND date >= ?"
        names = [values[name] for name in ("sha256", "photo", "asked", "lot")]
        kept = [_recorded(row) for row in self.db.query(f"{sql} ORDER BY number", [*names, since])][: len(rows)]
        same = [replace(item, date="", number=None) for item in kept] == [replace(row, date="") for row in rows]
        return [item.number for item in kept if item.number is not None] if same else []

    def earlier(self, verdict: Verdict, *, before: str, most: int = 100) -> list[Recorded]:
        """Return what was recorded before a moment (ISO 8601) of the same file, object or work, the last first.

        Of an object, only where a photograph was held to be of it: consistent or divergent.
        """
        found = [work.matches[0].object_id for work in verdict.works if work.decision.outcome in OF_AN_OBJECT]
        seen = [number for work in verdict.works for number in work.seen]
        sql = f"""SELECT * FROM verdicts WHERE asked IS NULL AND date < ? AND number IN (
                      SELECT number FROM verdicts WHERE sha256 = ? OR number IN ({_marks(seen)})
                      UNION SELECT number FROM verdicts
                      WHERE object_id IN ({_marks(found)}) AND outcome IN {tuple(map(str, OF_AN_OBJECT))})
                  ORDER BY number DESC LIMIT ?"""
        return [_recorded(row) for row in self.db.query(sql, [before, verdict.sha256, *seen, *found, most])]

    def forget(self, kept: int = KEPT) -> None:
        """Forget how all works looked but the last so many; what was said of them stays."""
        last = "SELECT verdict FROM sightings ORDER BY verdict DESC LIMIT 1 OFFSET ?"
        with writing(self.db):
            self.db.execute(f"DELETE FROM sightings WHERE verdict <= ({last})", [kept])

    def verdicts(
        self, *, outcome: str | None = None, photo: str | None = None, limit: int | None = None
    ) -> list[Recorded]:
        """Return verdicts, the last one first: those of an outcome, or whose photograph has this text in its path."""
        where, values = ["1"], []
        if outcome is not None:
            where.append("outcome = ?")
            values.append(outcome)
        if photo is not None:
            where.append("instr(photo, ?) > 0")
            values.append(photo)
        sql = f"SELECT * FROM verdicts WHERE {' AND '.join(where)} ORDER BY number DESC LIMIT ?"
        return [_recorded(row) for row in self.db.query(sql, [*values, -1 if limit is None else min(limit, _LARGEST)])]

    def verdict(self, number: int) -> Recorded:
        """Return one verdict; raises UnknownVerdict."""
        for row in self.db.query("SELECT * FROM verdicts WHERE number = ?", [min(number, _LARGEST)]):
            return _recorded(row)
        raise UnknownVerdict(f"No verdict {number} is recorded. `artifact verdicts` lists them.")


def read_sightings(data: Path, encoder: str) -> Sightings:
    """Return the works seen so far that were of no object, as an encoder of that fingerprint sees them."""
    with VerdictLog.reading(data) as log:
        rows = log.db.execute("SELECT verdict, vector FROM sightings WHERE encoder = ?", [encoder]).fetchall()
    vectors = np.frombuffer(b"".join(vector for _, vector in rows), np.float16).reshape(len(rows), -1 if rows else 1)
    return Sightings.of([number for number, _ in rows], vectors, partial(_features_seen, data))


def _features_seen(data: Path, numbers: Sequence[int]) -> dict[int, Features]:
    sql = f"SELECT verdict, features FROM sightings WHERE verdict IN ({_marks(numbers)}) AND version = ?"
    with connected(data, DATABASE, VERDICTS) as database:
        return {number: Features.from_bytes(kept) for number, kept in database.execute(sql, [*numbers, VERSION])}


def _sighting_row(number: int, encoder: str, work: Sighting) -> dict[str, object]:
    kept = work.thinned()
    vector, features = kept.vector.astype(np.float16).tobytes(), kept.features.to_bytes()
    return {"verdict": number, "encoder": encoder, "vector": vector, "version": VERSION, "features": features}


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _row(item: Recorded) -> dict[str, object]:
    values = as_dict(item)
    del values["number"]
    nested = {name: None if values[name] is None else json.dumps(values[name]) for name in ("region", "reasons", "lot")}
    return values | nested | {"photo": _storable(item.photo)}


def _storable(name: str) -> str | bytes:
    """Return a file's name as text, or as it is on disk where that is no text."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return os.fsencode(name)
    return name


def _recorded(row: dict) -> Recorded:
    whole, region, lot = row.pop("global"), row.pop("region"), row.pop("lot", None)  # a log of the first version: none
    row["reasons"] = tuple(json.loads(row["reasons"]))
    row["photo"] = os.fsdecode(row["photo"])
    return Recorded(
        **row, whole=whole, region=tuple(json.loads(region)) if region else None, lot=json.loads(lot) if lot else None
    )
