"""Keep the features of contents in shards: by hash, in so many databases, each in a folder of its own.

A folder may be a link to another disk, or a share of another machine. What is kept of a content never becomes another
one, so that no shard needs to be of the same revision as the catalogue.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from retrieval.catalogue.database import connected, make_folder, said_plainly
from retrieval.catalogue.key_of_content import KEYS_END, content_key
from retrieval.errors import StoreAway

FOLDER = "shards"  # in the folder of the catalogue
DATABASE = "features.db"
STEPS = Migrations("artifact_shard")
Row = tuple[str, int, bytes]  # the hash of a content, the version of its features, and these


@STEPS(name="001_features")
def _features(db: Any) -> None:
    db.execute("CREATE TABLE features (sha256 TEXT PRIMARY KEY, version INTEGER NOT NULL, features BLOB NOT NULL)")
    db.execute("CREATE TABLE shard (number INTEGER NOT NULL, count INTEGER NOT NULL)")


def shard_of(sha256: str, count: int) -> int:
    """Return the shard of a content among so many: each has a range of hashes."""
    return content_key(sha256) * count // KEYS_END


def shard_folder(data: Path, number: int) -> Path:
    """Return the folder of a shard."""
    return data / FOLDER / f"{number:02d}"


def is_there(data: Path, number: int) -> bool:
    """Say whether a shard is there: the folder of one that is not mounted may be, and is empty."""
    return (shard_folder(data, number) / DATABASE).is_file()


def check_shards(data: Path, count: int) -> None:
    """Raise StoreAway where one of so many shards is not there."""
    for number in range(count) if count > 1 else ():
        if not is_there(data, number):
            raise StoreAway(
                f"The shard {shard_folder(data, number)} is not there, so that nothing is judged. Mount it, or restore "
                f"it from a copy; where it is lost, `artifact index FOLDER --shards {count}` makes it anew from the "
                "photographs."
            )


def make_shards(data: Path, count: int) -> None:
    """Make the folders of so many shards, each with its database; those that are there are looked at."""
    for number in range(count):
        make_folder(shard_folder(data, number))
        with connected(shard_folder(data, number), DATABASE, STEPS, journal="DELETE") as database:
            STEPS.apply(database)
            if not database.execute("SELECT 1 FROM shard").fetchone():
                database["shard"].insert({"number": number, "count": count})
            _check_identity(database, data, number, count)


def _check_identity(database: Database, data: Path, number: int, count: int) -> None:
    if database.execute("SELECT number, count FROM shard").fetchone() != (number, count):
        raise StoreAway(f"{shard_folder(data, number)} holds another shard than number {number} of {count}.")


class ShardFeatures:
    """The features in the shards of a catalogue, each of which is opened when it is first asked; one thread at a time.

    Raises StoreAway where a shard is not there.
    """

    def __init__(self, data: Path, count: int, *, any_thread: bool) -> None:
        self.count = count
        self._data = data
        self._any_thread = any_thread
        self._stack = ExitStack()
        self._open: dict[int, Database] = {}

    def close(self) -> None:
        """Close the shards that were asked."""
        self._open.clear()
        self._stack.close()

    def get(self, sha256: str, version: int) -> bytes | None:
        """Return the features of a content; None where none of that version are kept."""
        number = shard_of(sha256, self.count)
        sql = "SELECT features FROM features WHERE sha256 = ? AND version = ?"
        with said_plainly(shard_folder(self._data, number), DATABASE):
            row = self._shard(number).execute(sql, [sha256, version]).fetchone()
        return None if row is None else row[0]

    def put(self, rows: Iterable[Row]) -> None:
        """Keep features, each in place of what was kept of its content, before this returns."""
        self._write("INSERT OR REPLACE INTO features VALUES (?, ?, ?)", rows)

    def drop(self, sha256s: Iterable[str]) -> None:
        """Forget the features of some contents."""
        self._write("DELETE FROM features WHERE sha256 = ?", ((sha256,) for sha256 in sha256s))

    def _write(self, sql: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Write rows that begin with a hash, in one transaction for each shard."""
        by_shard: dict[int, list[tuple[Any, ...]]] = {}
        for row in rows:
            by_shard.setdefault(shard_of(row[0], self.count), []).append(row)
        for number, some in by_shard.items():
            database = self._shard(number)
            with said_plainly(shard_folder(self._data, number), DATABASE), database.atomic():
                database.conn.executemany(sql, some)

    def _shard(self, number: int) -> Database:
        if number not in self._open:
            if not is_there(self._data, number):
                check_shards(self._data, self.count)
            folder = shard_folder(self._data, number)
            opened = connected(folder, DATABASE, STEPS, any_thread=self._any_thread, journal="DELETE")
            database = self._stack.enter_context(opened)
            _check_identity(database, self._data, number, self.count)
            self._open[number] = database
        return self._open[number]
