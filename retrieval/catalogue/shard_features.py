"""Keep the features of contents in shards: by hash, in so many databases, each in a folder of its own.

A folder may be a link to another disk, or a share of another machine. What is kept of a content never becomes another
one, so that no shard needs to be of the same revision as the catalogue; but it says whose it is, and how often it was
written, so that neither another one nor an older copy is taken for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from retrieval.catalogue.database import connected, make_folder, said_plainly
from retrieval.catalogue.key_of_content import KEYS_END, content_key
from retrieval.errors import CatalogueDamaged, StoreAway

FOLDER = "shards"  # in the folder of the catalogue
DATABASE, UNFINISHED = "features.db", "features.part"
STEPS = Migrations("artifact_shard")
Row = tuple[str, int, bytes]  # the hash of a content, the version of its features, and these


@STEPS(name="001_features")
def _features(db: Any) -> None:
    db.execute("CREATE TABLE features (sha256 TEXT PRIMARY KEY, version INTEGER NOT NULL, features BLOB NOT NULL)")
    db["shard"].create({"catalogue": str, "number": int, "count": int, "writes": int})


@dataclass(frozen=True, slots=True)
class Division:
    """How a catalogue is divided: its id, into how many shards, and how often each was written, at least."""

    catalogue: str
    count: int
    writes: tuple[int, ...]

    @property
    def shards(self) -> range:
        """The numbers of the shards: there are none where everything lies in the folder of the catalogue."""
        return range(self.count if self.count > 1 else 0)


def shard_of(sha256: str, count: int) -> int:
    """Return the shard of a content among so many: each has a range of hashes."""
    return content_key(sha256) * count // KEYS_END


def shard_folder(data: Path, number: int) -> Path:
    """Return the folder of a shard."""
    return data / FOLDER / f"{number:02d}"


def is_there(data: Path, number: int) -> bool:
    """Say whether a shard is there: the folder of one that is not mounted may be, and is empty."""
    return (shard_folder(data, number) / DATABASE).is_file()


def make_shard(data: Path, number: int, division: Division) -> None:
    """Make the folder of a shard, and an empty database in it, whole or not at all, in place of what is there."""
    folder = shard_folder(data, number)
    if folder.is_symlink() and not folder.exists():
        raise StoreAway(
            f"{folder} is a link to {folder.readlink()}, which is not there. Make that folder, or remove the link."
        )
    make_folder(folder)
    (folder / UNFINISHED).unlink(missing_ok=True)
    with connected(folder, UNFINISHED, STEPS, journal="DELETE") as database:
        STEPS.apply(database)
        identity = {"catalogue": division.catalogue, "number": number, "count": division.count, "writes": 0}
        database["shard"].insert(identity)
    os.replace(folder / UNFINISHED, folder / DATABASE)


def catalogue_in(folder: Path) -> str | None:
    """Return the id of the catalogue whose shard lies in a folder; None where none does."""
    if not (folder / DATABASE).is_file():
        return None
    with connected(folder, DATABASE, STEPS, journal="DELETE") as database, said_plainly(folder, DATABASE):
        found: str | None = next((row[0] for row in database.execute("SELECT catalogue FROM shard")), None)
        return found


def check_there(data: Path, division: Division) -> None:
    """Raise StoreAway where one of the shards is not there; none is opened."""
    for number in division.shards:
        if not is_there(data, number):
            raise _away(data, number, "is not there")


@contextmanager
def open_shard(data: Path, number: int, division: Division, *, any_thread: bool = False) -> Iterator[Database]:
    """Open a shard; raises StoreAway where it is not there, is damaged, is another one, or an older copy of it."""
    if not is_there(data, number):
        raise _away(data, number, "is not there")
    folder = shard_folder(data, number)
    try:
        with connected(folder, DATABASE, STEPS, any_thread=any_thread, journal="DELETE") as database:
            with said_plainly(folder, DATABASE):
                trouble = _trouble(database, number, division)
            if trouble:
                raise _away(data, number, trouble)
            yield database
    except CatalogueDamaged as error:
        raise _away(data, number, "is damaged") from error


def _trouble(database: Database, number: int, division: Division) -> str:
    """Say why what lies in the folder of a shard is not that shard; "" where it is."""
    if not STEPS.applied(database):
        return "is damaged"
    *identity, writes = database.execute("SELECT catalogue, number, count, writes FROM shard").fetchone()
    if identity != [division.catalogue, number, division.count]:
        return "holds another shard, or one of another catalogue"
    return "is an older copy, which lacks what came since" if writes < division.writes[number] else ""


def _away(data: Path, number: int, what: str) -> StoreAway:
    return StoreAway(
        f"The shard {shard_folder(data, number)} {what}, so that nothing is judged. Mount it, or restore its last "
        "copy; if it is lost, `artifact index FOLDER --remake-shards` makes it anew from the photographs."
    )


class ShardFeatures:
    """The features in the shards of a catalogue, each of which is opened when it is first asked; one thread at a time.

    Raises StoreAway where a shard is not there, or is not the one that it should be.
    """

    def __init__(self, data: Path, division: Division, *, any_thread: bool) -> None:
        self.division = division
        self.writes = list(division.writes)
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
        number = shard_of(sha256, self.division.count)
        sql = "SELECT features FROM features WHERE sha256 = ? AND version = ?"
        with said_plainly(shard_folder(self._data, number), DATABASE):
            row = self._shard(number).execute(sql, [sha256, version]).fetchone()
        return None if row is None else row[0]

    def holds(self, sha256: str) -> bool:
        """Say whether features of a content are kept, of whatever version."""
        number = shard_of(sha256, self.division.count)
        with said_plainly(shard_folder(self._data, number), DATABASE):
            found = self._shard(number).execute("SELECT 1 FROM features WHERE sha256 = ?", [sha256]).fetchone()
        return found is not None

    def put(self, rows: Iterable[Row]) -> None:
        """Keep features, each in place of what was kept of its content, before this returns; count it in `writes`."""
        self._write("INSERT OR REPLACE INTO features VALUES (?, ?, ?)", rows)

    def drop(self, sha256s: Iterable[str]) -> None:
        """Forget the features of some contents."""
        self._write("DELETE FROM features WHERE sha256 = ?", ((sha256,) for sha256 in sha256s))

    def _write(self, sql: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Write rows that begin with a hash, in one transaction for each shard."""
        by_shard: dict[int, list[tuple[Any, ...]]] = {}
        for row in rows:
            by_shard.setdefault(shard_of(row[0], self.division.count), []).append(row)
        for number, some in by_shard.items():
            with said_plainly(shard_folder(self._data, number), DATABASE):
                database = self._shard(number)
                with database.atomic():
                    database.conn.executemany(sql, some)
                    database.execute("UPDATE shard SET writes = writes + 1")
                self.writes[number] = database.execute("SELECT writes FROM shard").fetchone()[0]

    def _shard(self, number: int) -> Database:
        if number not in self._open:
            opened = open_shard(self._data, number, self.division, any_thread=self._any_thread)
            self._open[number] = self._stack.enter_context(opened)
        return self._open[number]
