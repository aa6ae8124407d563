"""Write what one index run changes into the tables of photographs and objects."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlite_utils import Database

from retrieval.catalogue.among import dicts_among, do_among, rows_among
from retrieval.catalogue.rows import FIELDS, Changes, MetadataChange, Photo

Metadata = Mapping[str, Mapping[str, str]]


def write_changes(database: Database, changes: Changes, revision: int) -> None:
    """Write the changes of one run, in the transaction that is open; an object without a photograph goes.

    What changes in the metadata of objects that were there is noted under the revision, also a status that goes. Only
    the objects that the changes name are read, and those that photographs leave.
    """
    database.execute("PRAGMA defer_foreign_keys = ON")
    objects = _touched(database, changes)
    before = metadata_of(database, objects)
    database.conn.executemany("DELETE FROM photos WHERE photo_id = ?", [(photo_id,) for photo_id in changes.gone])
    _describe(database, changes.metadata)  # first: the words of a new object are then written once
    _put(database, changes.put)
    do_among(
        database,
        """DELETE FROM objects WHERE object_id IN ({marks})
           AND NOT EXISTS (SELECT 1 FROM photos WHERE photos.object_id = objects.object_id)""",
        objects,
    )
    _note(database, revision, before, metadata_of(database, objects))


def metadata_of(database: Database, object_ids: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return what is known of some objects, by their ids; of those that are not there, nothing."""
    sql = "SELECT * FROM objects WHERE object_id IN ({marks})"
    return {row["object_id"]: _metadata(row) for row in dicts_among(database, sql, object_ids)}


def _touched(database: Database, changes: Changes) -> list[str]:
    """Return the objects that changes name, and those of the photographs that they take away or give to others."""
    known = (photo.photo_id for photo in changes.put if photo.photo_id is not None)
    sql = "SELECT object_id FROM photos WHERE photo_id IN ({marks})"
    left = (object_id for (object_id,) in rows_among(database, sql, [*changes.gone, *known]))
    return list(dict.fromkeys([*changes.metadata, *(photo.object_id for photo in changes.put), *left]))


def _note(database: Database, revision: int, before: Metadata, after: Metadata) -> None:
    """Note what changed; of an object that goes, its status."""
    rows: list[tuple[int, str, str, str, str]] = []
    for object_id, old in before.items():
        new = after.get(object_id, {name: value for name, value in old.items() if name != "status"})
        rows += [
            (revision, object_id, name, old.get(name, ""), new.get(name, ""))
            for name in dict.fromkeys([*old, *new])
            if old.get(name, "") != new.get(name, "")
        ]
    database.conn.executemany("INSERT INTO metadata_changes VALUES (?, ?, ?, ?, ?)", rows)


def _metadata(row: Mapping[str, Any]) -> dict[str, str]:
    return {name: row[name] for name in FIELDS if row[name]} | json.loads(row["other"] or "{}")


def _put(database: Database, photos: Sequence[Photo]) -> None:
    """Write rows of photographs; those that were there go out of the way first: two may have exchanged their names."""
    there = [photo for photo in photos if photo.photo_id is not None]
    new = [photo for photo in photos if photo.photo_id is None]
    many = database.conn.executemany
    many("UPDATE photos SET path = ? WHERE photo_id = ?", [(f"\0{photo.photo_id}", photo.photo_id) for photo in there])
    many("INSERT OR IGNORE INTO objects (object_id) VALUES (?)", [(photo.object_id,) for photo in photos])
    names = [name for name in Photo.__slots__ if name != "photo_id"]
    places = ", ".join(f"{name} = ?" for name in names)
    many(f"UPDATE photos SET {places} WHERE photo_id = ?", (_values(photo, [*names, "photo_id"]) for photo in there))
    marks = ", ".join("?" * len(names))
    many(f"INSERT INTO photos ({', '.join(names)}) VALUES ({marks})", (_values(photo, names) for photo in new))


def _values(photo: Photo, names: Sequence[str]) -> list[Any]:
    return [getattr(photo, name) for name in names]


def _describe(database: Database, metadata: Metadata) -> None:
    names = ("object_id", *FIELDS, "other")
    rows = (
        (
            object_id,
            *(known.get(name) or None for name in FIELDS),
            json.dumps({name: value for name, value in known.items() if name not in FIELDS}, ensure_ascii=False),
        )
        for object_id, known in metadata.items()
    )
    changes = ", ".join(f"{name} = excluded.{name}" for name in names[1:])
    database.conn.executemany(
        f"INSERT INTO objects ({', '.join(names)}) VALUES ({', '.join('?' * len(names))}) "
        f"ON CONFLICT (object_id) DO UPDATE SET {changes}",
        rows,
    )


def last_changes(database: Database) -> Iterator[MetadataChange]:
    """Yield what the last revision that changed any metadata changed, statuses first."""
    for which in ("=", "!="):  # apart: neither part needs to be sorted
        sql = f"""SELECT * FROM metadata_changes WHERE revision = (SELECT max(revision) FROM metadata_changes)
                  AND field {which} 'status' ORDER BY object_id, field"""
        for row in database.execute(sql):
            yield MetadataChange(*row)


def count_last_changes(database: Database) -> tuple[int, int, int]:
    """Return the last revision that changed any metadata, 0 for none, and of how many objects how many values."""
    last = database.execute("SELECT coalesce(max(revision), 0) FROM metadata_changes").fetchone()[0]
    sql = """SELECT (SELECT count(*) FROM (SELECT DISTINCT object_id FROM metadata_changes WHERE revision = ?)),
                    (SELECT count(*) FROM metadata_changes WHERE revision = ?)"""
    return last, *database.execute(sql, [last, last]).fetchone()


def changes_of(database: Database, object_id: str) -> list[MetadataChange]:
    """Return all that changed in the metadata of an object since it was there, the last change first."""
    sql = "SELECT * FROM metadata_changes WHERE object_id = ? ORDER BY revision DESC, field != 'status', field"
    return [MetadataChange(*row) for row in database.execute(sql, [object_id])]
