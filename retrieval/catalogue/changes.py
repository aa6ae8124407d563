"""Write what one index run changes into the tables of photographs and objects."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlite_utils import Database

from retrieval.catalogue.rows import FIELDS, Changes, MetadataChange, Photo

Metadata = Mapping[str, Mapping[str, str]]


def write_changes(database: Database, changes: Changes, revision: int) -> None:
    """Write the changes of one run, in the transaction that is open; an object without a photograph goes.

    What changes in the metadata of objects that were there is noted under the revision, also a status that goes.
    """
    before = {row["object_id"]: _metadata(row) for row in database.query("SELECT * FROM objects")}
    database.execute("PRAGMA defer_foreign_keys = ON")
    for photo_id in changes.gone:
        database.execute("DELETE FROM photos WHERE photo_id = ?", [photo_id])
    _put(database, changes.put)
    for object_id, metadata in changes.metadata.items():
        _describe(database, object_id, metadata)
    database.execute("DELETE FROM objects WHERE object_id NOT IN (SELECT object_id FROM photos)")
    after = {row["object_id"]: _metadata(row) for row in database.query("SELECT * FROM objects")}
    _note(database, revision, before, after)


def _note(database: Database, revision: int, before: Metadata, after: Metadata) -> None:
    """Note what changed; of an object that goes, its status."""
    for object_id, old in before.items():
        new = after.get(object_id, {name: value for name, value in old.items() if name != "status"})
        rows = [
            (revision, object_id, name, old.get(name, ""), new.get(name, ""))
            for name in dict.fromkeys([*old, *new])
            if old.get(name, "") != new.get(name, "")
        ]
        database.conn.executemany("INSERT INTO metadata_changes VALUES (?, ?, ?, ?, ?)", rows)


def _metadata(row: Mapping[str, Any]) -> dict[str, str]:
    return {name: row[name] for name in FIELDS if row[name]} | json.loads(row["other"] or "{}")


def _put(database: Database, photos: Sequence[Photo]) -> None:
    for photo in photos:  # out of the way first: two files may have exchanged their names
        if photo.photo_id is not None:
            database["photos"].update(photo.photo_id, {"path": f"\0{photo.photo_id}"})
    for photo in photos:
        database.execute("INSERT OR IGNORE INTO objects (object_id) VALUES (?)", [photo.object_id])
        values = {name: getattr(photo, name) for name in Photo.__slots__ if name != "photo_id"}
        if photo.photo_id is None:
            database["photos"].insert(values)
        else:
            database["photos"].update(photo.photo_id, values)


def _describe(database: Database, object_id: str, metadata: Mapping[str, str]) -> None:
    known = {name: metadata.get(name) or None for name in FIELDS}
    other = {name: value for name, value in metadata.items() if name not in FIELDS}
    row = {"object_id": object_id, **known, "other": json.dumps(other, ensure_ascii=False)}
    database["objects"].upsert(row, pk="object_id")


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
