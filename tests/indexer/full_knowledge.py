"""What an index run does, reckoned with every row of the catalogue at hand: what its lookups must come to."""

import json
import os
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from indexer.building.difference import SETTLED_NS, Difference, EncodingPlan
from indexer.building.metadata_difference import KEPT, MetadataDifference
from indexer.inputs.choice import NONE
from indexer.inputs.metadata import Metadata, describe_objects
from indexer.inputs.scan import FoundFile, SkippedItem
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.rows import FIELDS, Changes, Content, Photo
from retrieval.errors import UnreadableImage
from retrieval.photographs.files import sha256_of


def plan_encoding(
    folder: Path, found: Sequence[FoundFile], rows: Mapping[str, Photo], encoded: Mapping[str, Content]
) -> EncodingPlan:
    """Sort the photographs into those whose content has a vector and those to be encoded.

    `rows` are the catalogue's photos of this folder by path, `encoded` the contents with a vector by sha256. A file is
    hashed here only where an encoded content has its size; the others are hashed as they are decoded.
    """
    plan = EncodingPlan()
    sizes = {content.bytes for content in encoded.values()}
    for item in found:
        row = rows.get(item.path)
        try:
            if row is not None and (row.bytes, row.modified_ns) == (item.bytes, item.modified_ns):
                sha256 = row.sha256
            else:
                sha256 = sha256_of(folder / item.path) if item.bytes in sizes else ""
        except UnreadableImage as error:
            plan.skipped.append(SkippedItem(item.path, str(error)))
            continue
        if sha256 in encoded:
            plan.contents[item.path] = encoded[sha256]
        else:
            plan.to_encode.append(item)
    return plan


def compare_folder(
    folder: str,
    found: Sequence[FoundFile],
    contents: Mapping[str, Content],
    catalogued: Sequence[Photo],
    *,
    unread: Sequence[str],
    prune: bool,
    scanned_ns: int,
) -> tuple[Difference, list[SkippedItem]]:
    """Return what differs between the folder and the catalogue, and the files whose object another folder has.

    `contents` holds what could be read, by path; `unread` names files and folders that could not: they are not gone.
    The time stamp of a file written just before `scanned_ns`, when the scan began, is not kept.
    """
    adopted = _adopted(folder, contents, catalogued)
    here = adopted | {photo.path: photo for photo in catalogued if photo.folder == folder}
    arriving = {photo.photo_id for photo in adopted.values()}
    others = [photo for photo in catalogued if photo.folder != folder and photo.photo_id not in arriving]
    on_disk = {item.path for item in found}
    missing = [photo for photo in here.values() if photo.path not in on_disk and not _below(photo.path, unread)]
    lost = [photo for photo in others if _is_lost(photo)]
    skipped = _claims(folder, found, contents, others, lost)
    refused = {item.path for item in skipped}
    taken = [item for item in found if item.path in contents and item.path not in refused]
    photos = [_photo(folder, item, contents[item.path], scanned_ns) for item in taken]
    put, touched, names = _put(photos, here, arriving, missing + lost)
    used = {photo.photo_id for photo in put}
    gone = [photo for photo in missing if photo.photo_id not in used]
    removed = [photo.photo_id for photo in gone if photo.photo_id is not None] if prune else []
    put += [photo for photo in adopted.values() if photo.photo_id not in used.union(removed)]
    difference = Difference(
        changes=Changes(put=put, gone=removed),
        touched=tuple(touched),
        added=tuple(names["added"]),
        moved=tuple(names["moved"]),
        changed=tuple(names["changed"]),
        gone=tuple(photo.path for photo in gone),
        reassigned=tuple(
            item.path for item in taken if item.path in here and here[item.path].object_id != item.object_id
        ),
    )
    return difference, skipped


def _adopted(folder: str, contents: Mapping[str, Content], catalogued: Sequence[Photo]) -> dict[str, Photo]:
    """Return, by path, the photos of other folders that have become this one: gone, with half of their photos here."""
    here = {photo.path for photo in catalogued if photo.folder == folder}
    counts = Counter(photo.folder for photo in catalogued if photo.folder != folder)
    same = Counter(
        photo.folder
        for photo in catalogued
        if photo.path in contents and contents[photo.path].sha256 == photo.sha256 and photo.folder != folder
    )
    moved = {name for name, count in same.items() if 2 * count >= counts[name] and not os.path.lexists(name)}
    return {
        photo.path: replace(photo, folder=folder)
        for photo in catalogued
        if photo.folder in moved and photo.path not in here
    }


def _is_lost(photo: Photo) -> bool:
    try:
        photo.file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def _claims(
    folder: str,
    found: Sequence[FoundFile],
    contents: Mapping[str, Content],
    others: Sequence[Photo],
    lost: Sequence[Photo],
) -> list[SkippedItem]:
    """Name the files that are catalogued from another folder, or whose object is, unless it came here from there."""
    present = {content.sha256 for content in contents.values()}
    lost_ids = {photo.photo_id for photo in lost}
    came = {photo.object_id for photo in lost if photo.sha256 in present}
    foreign = {p.object_id: p for p in others if p.photo_id not in lost_ids or p.object_id not in came}
    files = {photo.file: photo for photo in others}
    skipped: list[SkippedItem] = []
    for item in found:
        if (photo := files.get(Path(folder) / item.path)) is not None:
            reason = f"is catalogued already, as {photo.object_id!r} from {photo.folder}"
            skipped.append(SkippedItem(item.path, reason))
        elif (photo := foreign.get(item.object_id)) is not None and item.path in contents:
            reason = f"claims the object id {item.object_id!r}, catalogued from {photo.file}"
            skipped.append(SkippedItem(item.path, reason))
    return skipped


def _put(
    photos: Sequence[Photo],
    here: Mapping[str, Photo],
    arriving: Collection[int | None],
    lost: Sequence[Photo],
) -> tuple[list[Photo], list[Photo], dict[str, list[str]]]:
    """Return the rows to be written, the rows of which only the time changed, and the names of files for the report."""
    by_content: dict[str, list[Photo]] = {}
    for gone in lost:
        by_content.setdefault(gone.sha256, []).append(gone)
    put: list[Photo] = []
    touched: list[Photo] = []
    names: dict[str, list[str]] = {"added": [], "moved": [], "changed": []}
    for photo in photos:
        old = here.get(photo.path)
        if old is None:
            kind = "moved" if by_content.get(photo.sha256) else "added"
            names[kind].append(photo.path)
            old = by_content[photo.sha256].pop() if kind == "moved" else None
        elif old.sha256 != photo.sha256:
            names["changed"].append(photo.path)
        elif old.photo_id in arriving:
            names["moved"].append(photo.path)
        new = replace(photo, photo_id=old.photo_id if old else None)
        if old is None or old.photo_id in arriving or replace(new, modified_ns=old.modified_ns) != old:
            put.append(new)
        elif new != old:
            touched.append(new)
    return put, touched, names


def _below(path: str, unread: Sequence[str]) -> bool:
    return any(name in (".", path) or path.startswith(f"{name}/") for name in unread)


def _photo(folder: str, item: FoundFile, content: Content, scanned_ns: int) -> Photo:
    """Return the row of a file; one written just before the scan is not trusted by its time stamp next time."""
    settled = scanned_ns - item.modified_ns > SETTLED_NS
    return Photo(
        object_id=item.object_id,
        folder=folder,
        path=item.path,
        sha256=content.sha256,
        bytes=content.bytes,
        modified_ns=item.modified_ns if settled else 0,
        width=content.width,
        height=content.height,
    )


def compare_metadata(
    catalogue: Catalogue, table: Metadata, found: Sequence[FoundFile], taken: Collection[str], put: Sequence[Photo]
) -> MetadataDifference:
    """Return what a table changes of the objects `taken`; `put` are the photographs that are new, or of another object.

    A status goes only where the row of its object has an empty cell for it, or where there shall be no table: that of
    an object that the table no longer speaks of, or whose photographs now are another object's, is kept.
    """
    known = {item.object_id: dict(item.metadata) for item in catalogue.objects()}
    inherited = _inherited(catalogue, known, put)
    if table.name != NONE and not table.rows and not table.skipped:
        described, bad_rows = {key: dict(known.get(key, {})) for key in taken}, list[SkippedItem]()
    else:
        described, bad_rows = describe_objects(table, found)
    wanted: dict[str, dict[str, str]] = {}
    kept: list[str] = []
    for object_id in sorted(taken):
        old = known.get(object_id, {})
        new = described.get(object_id, {})
        before = old if "status" in old else inherited.get(object_id, {})
        silent = table.name != NONE and not (table.has_status and object_id in described)
        if "status" in before and "status" not in new and silent:
            new = new | {name: before[name] for name in KEPT if name in before}
            kept.append(object_id)
        if new != old:
            wanted[object_id] = new
    return MetadataDifference(wanted, tuple(bad_rows), tuple(kept))


def _inherited(
    catalogue: Catalogue, known: Mapping[str, Mapping[str, str]], put: Sequence[Photo]
) -> dict[str, Mapping[str, str]]:
    """Return, by the object that photographs now belong to, what was known of the one that they belonged to."""
    before = {photo.photo_id: photo.object_id for photo in catalogue.photos()}
    moved = [(photo.object_id, before[photo.photo_id]) for photo in put if photo.photo_id in before]
    return {new: known[old] for new, old in moved if new != old and "status" in known.get(old, {})}


def write_changes(database: Any, changes: Changes, revision: int) -> None:
    """Write the changes of one run, in the transaction that is open; an object without a photograph goes.

    What changes in the metadata of objects that were there is noted under the revision, also a status that goes.
    """
    before = {row["object_id"]: _metadata(row) for row in database.query("SELECT * FROM objects")}
    database.execute("PRAGMA defer_foreign_keys = ON")
    for photo_id in changes.gone:
        database.execute("DELETE FROM photos WHERE photo_id = ?", [photo_id])
    _put_rows(database, changes.put)
    for object_id, metadata in changes.metadata.items():
        _describe(database, object_id, metadata)
    database.execute("DELETE FROM objects WHERE object_id NOT IN (SELECT object_id FROM photos)")
    after = {row["object_id"]: _metadata(row) for row in database.query("SELECT * FROM objects")}
    _note(database, revision, before, after)


def _note(database: Any, revision: int, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
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


def _put_rows(database: Any, photos: Sequence[Photo]) -> None:
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


def _describe(database: Any, object_id: str, metadata: Mapping[str, str]) -> None:
    known = {name: metadata.get(name) or None for name in FIELDS}
    other = {name: value for name, value in metadata.items() if name not in FIELDS}
    row = {"object_id": object_id, **known, "other": json.dumps(other, ensure_ascii=False)}
    database["objects"].upsert(row, pk="object_id")
