"""Find the features of a content: in the database of the catalogue, or in its shard, as the database says."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from sqlite_utils import Database

from retrieval.catalogue.among import do_among, rows_among
from retrieval.catalogue.shard_features import Division, Row, ShardFeatures
from retrieval.errors import CatalogueBusy

SHARDS = "shards"  # the setting that says how many there are; without it features lie in the database
SHARDS_OF = "shards_of"  # the id of the catalogue, by which its shards are known
_WRITES = "shard_writes"  # how often each was written, as JSON
IN_SHARD = b""  # in place of features: they lie in the shard of their content
AT_ONCE = 500  # features that are moved in one step: 6 MB


def division_of(database: Database) -> Division:
    """Return how a catalogue is divided; into one shard: everything lies in its own folder."""
    sql = f"SELECT key, value FROM settings WHERE key IN ('{SHARDS}', '{SHARDS_OF}', '{_WRITES}')"
    found = dict(database.execute(sql).fetchall())
    return Division(found.get(SHARDS_OF, ""), int(found.get(SHARDS, 1)), tuple(json.loads(found.get(_WRITES, "[]"))))


def set_writes(database: Database, writes: Iterable[int]) -> None:
    """Keep how often each shard was written, in the transaction that rests on that."""
    database["settings"].upsert({"key": _WRITES, "value": json.dumps(list(writes))}, pk="key")


class FeatureRows:
    """The features, coded, of a catalogue: a row in its database says of which version there are some, and where."""

    def __init__(self, database: Database, data: Path, *, any_thread: bool) -> None:
        self._db = database
        self._data = data
        self._any_thread = any_thread
        self._shards: ShardFeatures | None = None

    def close(self) -> None:
        """Close the shards."""
        if self._shards is not None:
            self._shards.close()
            self._shards = None

    def get(self, sha256: str, version: int) -> bytes | None:
        """Return the features of a content; None where there are none of that version."""
        sql = "SELECT features FROM features WHERE sha256 = ? AND version = ?"
        row = self._db.execute(sql, [sha256, version]).fetchone()
        if row is None or row[0] != IN_SHARD:
            return None if row is None else row[0]
        shards = self._opened()
        return None if shards is None else shards.get(sha256, version)

    def put(self, rows: Iterable[Row]) -> None:
        """Keep features, each in place of what was kept of its content."""
        given, shards = list(rows), self._opened()
        if shards is not None:
            shards.put(given)  # first: one that no row of the database names is no mistake
            given = [(sha256, version, IN_SHARD) for sha256, version, _ in given]
        with self._db.atomic():
            self._db.conn.executemany("INSERT OR REPLACE INTO features VALUES (?, ?, ?)", given)
            self._note_writes()

    def drop(self, sha256s: Iterable[str]) -> None:
        """Forget the features of some contents."""
        gone = list(sha256s)
        with self._db.atomic():
            do_among(self._db, "DELETE FROM features WHERE sha256 IN ({marks})", gone)
        self.leave(gone)

    def leave(self, sha256s: Iterable[str]) -> None:
        """Drop from shards what no row of the database names any more, once that is so for good.

        Where a shard cannot be written it stays there: nobody asks for it.
        """
        if (shards := self._opened()) is not None:
            with suppress(CatalogueBusy):
                shards.drop(sha256s)
            with self._db.atomic():
                self._note_writes()

    def forget_missing(self, sha256s: Iterable[str]) -> None:
        """Forget that some contents have features of which their shard has none: an index run finds them again."""
        if (shards := self._opened()) is None:
            return
        sql = "SELECT sha256 FROM features WHERE sha256 IN ({marks}) AND features = ?"
        named = [sha256 for (sha256,) in rows_among(self._db, sql, sha256s, IN_SHARD)]
        missing = [sha256 for sha256 in named if not shards.holds(sha256)]
        with self._db.atomic():
            do_among(self._db, "DELETE FROM features WHERE sha256 IN ({marks})", missing)

    def move(self, *, into_shards: bool) -> None:
        """Move all features into the shards, or back into the database; those that were moved before are passed over.

        Some at a time: what a killed run has moved stays so. What should be in a shard and is not is forgotten.
        """
        shards, last = self._opened(), ""
        assert shards is not None
        sql = f"SELECT sha256, version, features FROM features WHERE sha256 > ? ORDER BY sha256 LIMIT {AT_ONCE}"
        while page := self._db.execute(sql, [last]).fetchall():
            last = page[-1][0]
            if into_shards:
                moved = [row for row in page if row[2] != IN_SHARD]
                shards.put(moved)
                changed = [(IN_SHARD, sha256) for sha256, _, _ in moved]
            else:
                there = [(row[0], row[1]) for row in page if row[2] == IN_SHARD]
                self.forget_missing(sha256 for sha256, _ in there)
                changed = [(data, key) for key, version in there if (data := shards.get(key, version)) is not None]
            with self._db.atomic():
                self._db.conn.executemany("UPDATE features SET features = ? WHERE sha256 = ?", changed)
                self._note_writes()

    def _note_writes(self) -> None:
        if self._shards is not None and (writes := tuple(self._shards.writes)) != division_of(self._db).writes:
            set_writes(self._db, writes)

    def _opened(self) -> ShardFeatures | None:
        """Return the shards that there are now; None where everything lies in the database."""
        division = division_of(self._db)
        if self._shards is not None and self._shards.division.count != division.count:
            self.close()
        if self._shards is None and division.count > 1:
            self._shards = ShardFeatures(self._data, division, any_thread=self._any_thread)
        return self._shards
