"""Compare a folder with the catalogue: what is new, changed, moved, gone, and what needs no work."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from indexer.scan import Found, Skipped
from retrieval.catalogue import Changes, Content, Photo
from retrieval.errors import UnreadableImage
from retrieval.images import sha256_of

SETTLED_NS = 2_000_000_000


@dataclass(slots=True)
class Plan:
    """What is known of each photograph in the folder: its content where that is encoded, else work to do."""

    contents: dict[str, Content] = field(default_factory=dict)  # by path: need not be encoded
    to_encode: list[Found] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Difference:
    """What a run changes, with the names of files for the report."""

    changes: Changes
    touched: tuple[Photo, ...]
    added: tuple[str, ...]
    moved: tuple[str, ...]
    changed: tuple[str, ...]
    gone: tuple[str, ...]


def plan_encoding(
    folder: Path, found: Sequence[Found], rows: Mapping[str, Photo], encoded: Mapping[str, Content]
) -> Plan:
    """Sort the photographs into those whose content has a vector and those to be encoded.

    `rows` are the catalogue's photos of this folder by path, `encoded` the contents with a vector by sha256. A file is
    hashed here only where its size is that of an encoded content; the others are hashed as they are decoded.
    """
    plan = Plan()
    sizes = {content.bytes for content in encoded.values()}
    for item in found:
        row = rows.get(item.path)
        try:
            if row is not None and (row.bytes, row.modified_ns) == (item.bytes, item.modified_ns):
                sha256 = row.sha256
            else:
                sha256 = sha256_of(folder / item.path) if item.bytes in sizes else ""
        except UnreadableImage as error:
            plan.skipped.append(Skipped(item.path, str(error)))
            continue
        if sha256 in encoded:
            plan.contents[item.path] = encoded[sha256]
        else:
            plan.to_encode.append(item)
    return plan


def compare(
    folder: str,
    found: Sequence[Found],
    contents: Mapping[str, Content],
    catalogued: Sequence[Photo],
    *,
    unread: Sequence[str],
    prune: bool,
) -> tuple[Difference, list[Skipped]]:
    """Return what differs between the folder and the catalogue, and the files whose object another folder has.

    `contents` holds what could be read, by path; `unread` names files and folders that could not: they are not gone.
    """
    here = {photo.path: photo for photo in catalogued if photo.folder == folder}
    on_disk = {item.path for item in found}
    missing = [photo for photo in here.values() if photo.path not in on_disk and not _below(photo.path, unread)]
    lost = missing + [photo for photo in catalogued if photo.folder != folder and not photo.file.exists()]
    by_content: dict[str, list[Photo]] = {}
    for photo in lost:
        by_content.setdefault(photo.sha256, []).append(photo)
    lost_ids = {photo.photo_id for photo in lost}
    foreign = {
        photo.object_id: photo for photo in catalogued if photo.folder != folder and photo.photo_id not in lost_ids
    }

    put: list[Photo] = []
    touched: list[Photo] = []
    names: dict[str, list[str]] = {"added": [], "moved": [], "changed": []}
    skipped: list[Skipped] = []
    for item in found:
        if item.path not in contents:
            continue
        if item.object_id in foreign:
            reason = f"claims the object id {item.object_id!r}, catalogued from {foreign[item.object_id].file}"
            skipped.append(Skipped(item.path, reason))
            continue
        new = _photo(folder, item, contents[item.path])
        old = here.get(item.path)
        if old is None and by_content.get(new.sha256):
            old = by_content[new.sha256].pop()
            names["moved"].append(item.path)
        elif old is None:
            names["added"].append(item.path)
        elif old.sha256 != new.sha256:
            names["changed"].append(item.path)
        new = replace(new, photo_id=old.photo_id if old else None)
        if old is None or replace(new, modified_ns=old.modified_ns) != old:
            put.append(new)
        elif new != old:
            touched.append(new)
    taken = {photo.photo_id for photo in put}
    gone = [photo for photo in missing if photo.photo_id not in taken]
    removed = [photo.photo_id for photo in gone if photo.photo_id is not None] if prune else []
    difference = Difference(
        changes=Changes(put=put, gone=removed),
        touched=tuple(touched),
        added=tuple(names["added"]),
        moved=tuple(names["moved"]),
        changed=tuple(names["changed"]),
        gone=tuple(photo.path for photo in gone),
    )
    return difference, skipped


def _below(path: str, unread: Sequence[str]) -> bool:
    return any(name in (".", path) or path.startswith(f"{name}/") for name in unread)


def _photo(folder: str, item: Found, content: Content) -> Photo:
    """Return the row of a file; one written just now is not trusted by its time stamp next time."""
    settled = time.time_ns() - item.modified_ns > SETTLED_NS
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
