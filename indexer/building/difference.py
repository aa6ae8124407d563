"""Compare a folder with the catalogue: what is new, changed, moved, gone, and what needs no work."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from indexer.inputs.scan import FoundFile, SkippedItem
from retrieval.catalogue.rows import Changes, Content, Photo
from retrieval.errors import UnreadableImage
from retrieval.photographs.files import sha256_of

SETTLED_NS = 2_000_000_000


@dataclass(slots=True)
class EncodingPlan:
    """What is known of each photograph in the folder: its content where the content is encoded, else work to do."""

    contents: dict[str, Content] = field(default_factory=dict)  # by path: need not be encoded
    to_encode: list[FoundFile] = field(default_factory=list)
    skipped: list[SkippedItem] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)  # of those encoded, what shows nothing
    of_several: list[str] = field(default_factory=list)  # which picture was taken of each file of several


@dataclass(frozen=True, slots=True)
class Difference:
    """What a run changes, with the names of files for the report."""

    changes: Changes
    touched: tuple[Photo, ...]
    added: tuple[str, ...]
    moved: tuple[str, ...]
    changed: tuple[str, ...]
    gone: tuple[str, ...]
    reassigned: tuple[str, ...] = ()  # the same file, given to another object


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


def objects_taken(
    found: Sequence[FoundFile],
    contents: Mapping[str, Content],
    claims: Sequence[SkippedItem],
    rows: Mapping[str, Photo],
) -> set[str]:
    """Return the objects that this folder gives to the catalogue, by what was read now or in an earlier run."""
    refused = {item.path for item in claims}
    return {
        item.object_id
        for item in found
        if item.path not in refused
        and (item.path in contents or (item.path in rows and rows[item.path].object_id == item.object_id))
    }


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
