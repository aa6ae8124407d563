"""Write what one index run changes into the tables of photographs and objects."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from sqlite_utils import Database

from retrieval.catalogue.rows import FIELDS, Changes, Photo


def write_changes(database: Database, changes: Changes) -> None:
    """Write the changes of one run, in the transaction that is open; an object without a photograph goes."""
    database.execute("PRAGMA defer_foreign_keys = ON")
    for photo_id in changes.gone:
        database.execute("DELETE FROM photos WHERE photo_id = ?", [photo_id])
    _put(database, changes.put)
    for object_id, metadata in changes.metadata.items():
        _describe(database, object_id, metadata)
    database.execute("DELETE FROM objects WHERE object_id NOT IN (SELECT object_id FROM photos)")


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
