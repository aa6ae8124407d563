"""The catalogue: objects, exemplars, vectors and thresholds in one SQLite database, the only truth there is."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sqlite_utils import Database

from retrieval.catalogue.among import batches
from retrieval.catalogue.changes import write_changes
from retrieval.catalogue.database import (
    DATABASE,
    apply_steps,
    bring_up_to_date,
    can_write,
    check_there,
    connected,
    lock,
    make_folder,
)
from retrieval.catalogue.distinct import distinct
from retrieval.catalogue.feature_rows import FeatureRows
from retrieval.catalogue.migrations import MIGRATIONS
from retrieval.catalogue.near_ids import near_ids
from retrieval.catalogue.rows import FIELDS, Changes, Content, EncoderRecord, Object, Photo
from retrieval.errors import CatalogueBusy, CatalogueDamaged, UnknownObject
from retrieval.photographs.features import VERSION, Features
from retrieval.statistics.calibration import Calibration, Threshold, Thresholds

_VECTORS = """FROM photos p JOIN vectors v ON v.sha256 = p.sha256
              WHERE v.fingerprint = ? AND length(v.vector) = ?"""


class Catalogue:
    """An open catalogue. Writers hold a lock; readers see the last committed revision meanwhile."""

    def __init__(self, database: Database, data: Path, *, any_thread: bool = False) -> None:
        self.db = database
        self.data = data
        self.feature_rows = FeatureRows(database, data, any_thread=any_thread)

    @classmethod
    @contextmanager
    def reading(cls, data: Path, *, any_thread: bool = False) -> Iterator[Catalogue]:
        """Open an existing catalogue as of now: one consistent revision, whatever is written meanwhile."""
        check_there(data)
        with connected(data, any_thread=any_thread) as database:
            if MIGRATIONS.pending(database):
                bring_up_to_date(database, data)
            database.execute("BEGIN")
            catalogue = cls(database, data, any_thread=any_thread)
            try:
                yield catalogue
            finally:
                catalogue.feature_rows.close()
                database.rollback()

    @classmethod
    @contextmanager
    def writing(cls, data: Path) -> Iterator[Catalogue]:
        """Open a catalogue to write, making it where there is none; raises CatalogueBusy to a second writer."""
        make_folder(data)
        if not can_write(data):
            raise CatalogueBusy(f"The catalogue in {data} cannot be written: the folder or its database is read-only.")
        with lock(data), connected(data) as database:
            apply_steps(database)
            catalogue = cls(database, data)
            try:
                yield catalogue
            finally:
                catalogue.feature_rows.close()

    @property
    def revision(self) -> int:
        """The number of the last change; 0 before the first."""
        return int(self.setting("revision") or 0)

    @property
    def encoder(self) -> EncoderRecord | None:
        """The encoder of this catalogue; None before the first photograph."""
        text = self.setting("encoder")
        return EncoderRecord(**json.loads(text)) if text else None

    def setting(self, key: str) -> str | None:
        """Return what is kept under a key; None where nothing is."""
        return next((value for (value,) in self.db.execute("SELECT value FROM settings WHERE key = ?", [key])), None)

    def set_encoder(self, encoder: EncoderRecord) -> None:
        """Remember the encoder of the vectors to come."""
        value = {name: getattr(encoder, name) for name in EncoderRecord.__slots__}
        self.db["settings"].upsert({"key": "encoder", "value": json.dumps(value)}, pk="key")

    # -- objects and photos

    def objects(self, object_ids: Iterable[str] | None = None, *, after: str = "") -> Iterator[Object]:
        """Yield the objects in the order of ids, all or those after an id, or those of some ids that are there."""
        if object_ids is None:
            yield from self._objects("WHERE o.object_id > ?", after)
            return
        for some in batches(sorted(set(object_ids))):
            yield from self._objects(f"WHERE o.object_id IN ({', '.join('?' * len(some))})", *some)

    def object(self, object_id: str) -> Object:
        """Return one object; raises UnknownObject with the nearest ids there are."""
        for found in self._objects("WHERE o.object_id = ?", object_id):
            return found
        near = near_ids(self.db, object_id)
        hint = f" Did you mean {', '.join(near)}?" if near else " `artifact list` shows the ids."
        raise UnknownObject(f"No object {object_id!r} in the catalogue.{hint}")

    def _objects(self, where: str, *values: str) -> Iterator[Object]:
        sql = f"""SELECT o.*, (SELECT count(*) FROM photos p WHERE p.object_id = o.object_id) AS photos
                  FROM objects o {where} ORDER BY o.object_id"""
        for row in self.db.query(sql, values):
            metadata = {name: row[name] for name in FIELDS if row[name]} | json.loads(row["other"] or "{}")
            yield Object(row["object_id"], metadata, row["photos"])

    def counts(self) -> tuple[int, int]:
        """Return the numbers of objects and of exemplars."""
        counts = dict(self.db.execute("SELECT name, count FROM row_counts").fetchall())
        return counts["objects"], counts["photos"]

    def titles(self, object_ids: Iterable[str]) -> dict[str, str]:
        """Return the titles of some objects, "" where there is none."""
        sql = "SELECT title FROM objects WHERE object_id = ?"
        rows = {object_id: self.db.execute(sql, [object_id]).fetchone() for object_id in object_ids}
        return {object_id: (row[0] or "") if row else "" for object_id, row in rows.items()}

    def photos(self, object_id: str | None = None) -> list[Photo]:
        """Return the exemplars of one object, or of all, ordered by object, folder and path."""
        where, values = ("WHERE object_id = ?", [object_id]) if object_id is not None else ("", [])
        sql = f"SELECT {', '.join(Photo.__slots__)} FROM photos {where} ORDER BY object_id, folder, path"
        return [Photo(**row) for row in self.db.query(sql, values)]

    def apply(self, changes: Changes) -> int:
        """Write one run's changes in one transaction; return the new revision."""
        with self.db.atomic():
            revision = self.revision + 1
            write_changes(self.db, changes, revision)
            self.db["settings"].upsert({"key": "revision", "value": str(revision)}, pk="key")
        return revision

    def touch(self, photos: Iterable[Photo]) -> None:
        """Note when files with unchanged content were last written; not a new revision."""
        rows = [(photo.modified_ns, photo.photo_id) for photo in photos]
        with self.db.atomic():
            self.db.conn.executemany("UPDATE photos SET modified_ns = ? WHERE photo_id = ?", rows)

    def set_skipped(self, folder: str, skipped: Iterable[tuple[str, str]]) -> None:
        """Replace the (path, reason) list of files of a folder that could not be taken."""
        rows = [(folder, path, reason) for path, reason in skipped]
        with self.db.atomic():
            self.db.execute("DELETE FROM skipped WHERE folder = ?", [folder])
            self.db.conn.executemany("INSERT OR REPLACE INTO skipped VALUES (?, ?, ?)", rows)

    def skipped(self, *, gone: Collection[str] = ()) -> Iterator[tuple[str, str]]:
        """Yield (file, reason) for what the last index of each folder left out, of folders that are gone nothing."""
        rows = self.db.execute("SELECT folder, path, reason FROM skipped ORDER BY folder, path")
        return ((str(Path(folder) / path), reason) for folder, path, reason in rows if folder not in gone)

    def folders(self) -> list[str]:
        """Return the folders that were indexed, in order."""
        return sorted({folder for table in ("photos", "skipped") for folder in distinct(self.db, table, "folder")})

    # -- vectors

    def add_vectors(self, encoded: Iterable[tuple[Content, np.ndarray]], fingerprint: str) -> None:
        """Keep unit vectors (dim,) by content, at once, so that a killed run need not compute them again."""
        rows = [
            (item.sha256, fingerprint, item.bytes, item.width, item.height, vector.astype("<f4").tobytes())
            for item, vector in encoded
        ]
        with self.db.atomic():
            self.db.conn.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?, ?, ?)", rows)

    def vectors(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the vectors of all exemplars: ids int64 of shape (n,), float32 of shape (n, dim), by id."""
        ids, encoder = self.vector_ids(), self.encoder
        if encoder is None:
            return ids, np.empty((0, 0), np.float32)
        vectors = np.empty((len(ids), encoder.dim), np.float32)
        sql = f"SELECT v.vector {_VECTORS} ORDER BY p.photo_id"
        for row, (blob,) in enumerate(self.db.execute(sql, [encoder.fingerprint, 4 * encoder.dim])):
            vectors[row] = np.frombuffer(blob, "<f4")
        return ids, vectors

    def vector_ids(self) -> np.ndarray:
        """Return the ids of the exemplars that have a whole vector, int64 of shape (n,), in order."""
        rows = self.db.execute(f"SELECT p.photo_id {_VECTORS} ORDER BY p.photo_id", self._of_vectors())
        return np.array([photo_id for (photo_id,) in rows], np.int64)

    def _of_vectors(self) -> tuple[str, int]:
        """Return the encoder and the bytes of whole vectors."""
        encoder = self.encoder
        return (encoder.fingerprint, 4 * encoder.dim) if encoder else ("", 0)

    def count_vectors(self) -> int:
        """Return the number of exemplars that have a whole vector."""
        return int(self.db.execute(f"SELECT count(*) {_VECTORS}", self._of_vectors()).fetchone()[0])

    def forget_vector(self, sha256: str) -> None:
        """Drop the vectors of a content, and the thresholds: nothing is judged until it is encoded again."""
        with self.db.atomic():
            self.db.execute("DELETE FROM vectors WHERE sha256 = ?", [sha256])
            self.db.execute("DELETE FROM thresholds")

    def drop_unused_vectors(self) -> int:
        """Forget vectors and features of contents that no exemplar has; return how many vectors."""
        sql = "DELETE FROM {} WHERE sha256 IN (SELECT sha256 FROM unused_contents)"
        unused = [sha256 for (sha256,) in self.db.execute("SELECT sha256 FROM unused_contents")]
        with self.db.atomic():
            *_, dropped = (self.db.execute(sql.format(name)) for name in ("rephotographs", "features", "vectors"))
            self.db.execute("DELETE FROM unused_contents")
        self.feature_rows.leave(unused)
        return dropped.rowcount

    # -- features

    def add_features(self, features: Mapping[str, Features]) -> None:
        """Keep features by content, in place of features of another version."""
        self.feature_rows.put((sha256, VERSION, item.to_bytes()) for sha256, item in features.items())

    def features(self, sha256s: Iterable[str]) -> dict[str, Features]:
        """Return the features of the contents that have sound features of this version."""
        found: dict[str, Features] = {}
        for sha256 in sha256s:
            data = self.feature_rows.get(sha256, VERSION)
            with suppress(ValueError):
                found |= {sha256: Features.from_bytes(data)} if data is not None else {}
        return found

    def forget_features(self, sha256: str) -> None:
        """Drop the features of a content: the next index run finds them anew."""
        self.feature_rows.drop([sha256])

    # -- thresholds

    def add_rephotographs(self, distances: Mapping[str, float], fingerprint: str, simulation: int) -> None:
        """Keep the distance between an exemplar, by sha256, and its simulated re-photograph."""
        rows = [(sha256, fingerprint, simulation, distance) for sha256, distance in distances.items()]
        with self.db.atomic():
            self.db.conn.executemany("INSERT OR REPLACE INTO rephotographs VALUES (?, ?, ?, ?)", rows)

    def rephotographs(self, fingerprint: str, simulation: int) -> dict[str, float]:
        """Return the distances to simulated re-photographs, by sha256."""
        sql = "SELECT sha256, distance FROM rephotographs WHERE fingerprint = ? AND simulation = ?"
        return dict(self.db.execute(sql, [fingerprint, simulation]).fetchall())

    def set_thresholds(self, thresholds: Thresholds) -> None:
        """Keep the thresholds of this revision in place of the last ones."""
        revision = self.revision
        with self.db.atomic():
            for kind, threshold in (("match", thresholds.match), ("authenticity", thresholds.authenticity)):
                row: dict[str, Any] = {"revision": revision, "kind": kind}
                row |= {"value": threshold.value, "rate": threshold.rate, "count": threshold.count}
                self.db["thresholds"].upsert(row, pk="kind")

    def thresholds(self) -> Thresholds | None:
        """Return the thresholds of this revision, or None where an index run did not come to them."""
        sql = "SELECT kind, value, rate, count FROM thresholds WHERE revision = ?"
        rows = {kind: Threshold(*values) for kind, *values in self.db.execute(sql, [self.revision])}
        return Thresholds(rows["match"], rows["authenticity"]) if len(rows) == 2 else None

    # -- calibrations

    def add_calibration(self, calibration: Calibration) -> Calibration:
        """Keep a calibration beside the earlier ones; return it with its number."""
        row = {"date": calibration.date, "fingerprint": calibration.encoder, "revision": calibration.revision}
        with self.db.atomic():
            body = json.dumps(calibration.as_dict(), ensure_ascii=False)
            number = self.db["calibrations"].insert({**row, "body": body}).last_pk
        return replace(calibration, number=number)

    def calibrations(self) -> list[Calibration]:
        """Return every calibration, the last one first."""
        return self._calibrations("ORDER BY number DESC")

    def calibration(self, number: int | None = None) -> Calibration | None:
        """Return the calibration of a number, by default the last one; None where there is none."""
        if number is None:
            found = self._calibrations("ORDER BY number DESC LIMIT 1")
        else:
            found = self._calibrations("WHERE number = ?", number)
        return found[0] if found else None

    def _calibrations(self, which: str, *values: int) -> list[Calibration]:
        rows = self.db.execute(f"SELECT number, body FROM calibrations {which}", values)
        try:
            return [Calibration.from_dict(json.loads(body), number=number) for number, body in rows]
        except (ValueError, KeyError, TypeError) as error:
            raise CatalogueDamaged(
                f"a calibration in {self.data / DATABASE} is damaged ({error}). Restore it, or index again elsewhere."
            ) from error
