"""Keep every verdict with all that it rests on, and make one again to see whether it still holds."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sqlite_utils import Database

from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.database import WAIT_SECONDS, connected, lock, writing
from retrieval.catalogue.migrations import VERDICTS
from retrieval.divergence import Divergence
from retrieval.errors import CatalogueMissing, UnknownVerdict
from retrieval.judge import Judge, Verdict, Work
from retrieval.outcome import OF_AN_OBJECT, UNREADABLE
from retrieval.photographs.features import VERSION, Features
from retrieval.sightings import KEPT, Sighting, Sightings

DATABASE = "verdicts.db"
TOLERANCE = 1e-3  # between distances on different machines
_LARGEST = 2**63 - 1  # number that SQLite holds


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


@dataclass(frozen=True, slots=True)
class Replayed:
    """A verdict that was made again: how far it is from the recorded one."""

    recorded: Recorded
    now: Recorded
    largest: float | None  # difference of a distance; None where one of them has a distance that the other has not
    remarks: tuple[str, ...]  # what has changed since

    @property
    def identical(self) -> bool:
        """Whether it holds bit for bit."""
        return self._same_words and self.largest == 0.0

    @property
    def holds(self) -> bool:
        """Whether outcome and object are the same, and all distances within TOLERANCE."""
        return self._same_words and self.largest is not None and self.largest <= TOLERANCE

    @property
    def _same_words(self) -> bool:
        one, other = self.recorded, self.now
        return (one.outcome, one.object_id) == (other.outcome, other.object_id)


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
        judge: Judge,
        *,
        asked: str | None = None,
        lot: Mapping[str, str] | None = None,
        since: str | None = None,
    ) -> list[int]:
        """Keep a verdict, and the lot that the photograph is of, at once; return the numbers of its works.

        One that was kept already since a moment (ISO 8601) is not kept twice.
        """
        rows = recorded(verdict, judge, asked=asked, lot=lot)
        if since is not None and (numbers := self._kept(rows, since)):
            return numbers
        with writing(self.db):
            numbers = [int(self.db["verdicts"].insert(_row(row)).last_pk) for row in rows]
            seen = [
                _sighting_row(number, judge.encoder.fingerprint, work.sighting)
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


def recorded(
    verdict: Verdict, judge: Judge, *, asked: str | None = None, lot: Mapping[str, str] | None = None
) -> list[Recorded]:
    """Return what is to be kept of a verdict, a record a work; one that says `unreadable` where there is none."""
    base = Recorded(
        date=datetime.now().astimezone().isoformat(timespec="seconds"),
        photo=os.path.realpath(verdict.photo),
        sha256=verdict.sha256,
        asked=asked,
        encoder=judge.encoder.fingerprint,
        revision=judge.revision,
        calibration=judge.basis.calibration.number if judge.basis.calibration else None,
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
    return [_with_work(base, work, judge) for work in verdict.works] or [base]


def _with_work(base: Recorded, work: Work, judge: Judge) -> Recorded:
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
    limits = judge.basis.thresholds
    said = replace(said, object_id=match.object_id, exemplar=str(match.exemplar), whole=match.distance)
    if isinstance(match.divergence, Divergence):
        found, limit = match.divergence, limits.combined if limits else None
        said = replace(said, local=found.local_distance, combined=found.combined_distance)
    else:
        limit = limits.authenticity if limits else None
    return replace(said, threshold=limit.value if limit else None)


def as_dict(item: Recorded) -> dict[str, Any]:
    """Return a record for JSON."""
    values = asdict(item)
    return {"global" if name == "whole" else name: value for name, value in values.items()}


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


def replay(item: Recorded, judge: Judge, *, max_megapixels: float) -> Replayed:
    """Make a recorded verdict again, with the calibration of then; raises UnknownVerdict where that cannot be done."""
    remarks = []
    if item.encoder != judge.encoder.fingerprint:
        raise UnknownVerdict(
            f"verdict {item.number} was made with the encoder {item.encoder}; this catalogue has "
            f"{judge.encoder.fingerprint}, whose distances do not compare"
        )
    if item.revision != judge.revision:
        remarks.append(f"the catalogue has changed since: revision {item.revision} then, {judge.revision} now")
    with Catalogue.reading(judge.data) as catalogue:
        calibration = None if item.calibration is None else catalogue.calibration(item.calibration)
    if item.calibration is not None and calibration is None:
        remarks.append(f"calibration {item.calibration} is no longer there")
    judge = replace(judge, calibration=calibration)
    photo = Path(item.photo)
    if item.asked is None:
        (verdict,) = judge.judge_all([photo], k=1, max_megapixels=max_megapixels)
    else:
        verdict = judge.compare(photo, item.asked, max_megapixels=max_megapixels)
    if verdict.sha256 != item.sha256:
        problem = verdict.error if verdict.sha256 is None else "it is no longer the same file"
        raise UnknownVerdict(f"verdict {item.number} cannot be made again from {photo}: {problem}")
    works = recorded(verdict, judge, asked=item.asked)
    now = next((work for work in works if work.region == item.region), works[0])
    return Replayed(item, now, _largest_difference(item, now), tuple(remarks))


def _largest_difference(one: Recorded, other: Recorded) -> float | None:
    pairs: Sequence[tuple[float | None, float | None]] = [
        (getattr(one, name), getattr(other, name)) for name in ("whole", "local", "combined", "threshold")
    ]
    if any((first is None) != (second is None) for first, second in pairs):
        return None
    return max(
        (abs(first - second) for first, second in pairs if first is not None and second is not None), default=0.0
    )
