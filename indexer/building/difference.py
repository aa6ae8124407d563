"""Compare a folder with the catalogue: what is new, changed, moved, gone, and what needs no work."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from indexer.building.other_folders import OtherFolders
from indexer.inputs.scan import FoundFile, SkippedItem
from retrieval.catalogue.contents import EncodedContents
from retrieval.catalogue.folder_photos import in_order
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
    new: list[str] = field(default_factory=list)  # paths of which the catalogue does not say the same
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
    folder: Path, found: Sequence[FoundFile], rows: Mapping[str, Photo], encoded: EncodedContents
) -> EncodingPlan:
    """Sort the photographs into those whose content has a vector and those to be encoded.

    `rows` are the catalogue's photos of this folder by path. A file is hashed here only where an encoded content has
    its size; the others are hashed as they are decoded. What is as its row says is not looked up one by one.
    """
    plan = EncodingPlan()
    doubtful = encoded.not_as_in(str(folder))
    new: list[FoundFile] = []
    for item in found:
        row = rows.get(item.path)
        if row is not None and _is_as_before(item, row) and item.path not in doubtful:
            plan.contents[item.path] = Content(row.sha256, row.bytes, row.width, row.height)
        else:
            new.append(item)
    hashes = _hashes(folder, new, rows, encoded, plan.skipped)
    known = encoded.among(filter(None, hashes.values()))
    for item in new:
        plan.new.append(item.path)
        if (content := known.get(hashes.get(item.path, ""))) is not None:
            plan.contents[item.path] = content
        elif item.path in hashes:
            plan.to_encode.append(item)
    return plan


def _is_as_before(item: FoundFile, row: Photo) -> bool:
    return row.bytes == item.bytes and row.modified_ns == item.modified_ns


def _hashes(
    folder: Path,
    new: Sequence[FoundFile],
    rows: Mapping[str, Photo],
    encoded: EncodedContents,
    skipped: list[SkippedItem],
) -> dict[str, str]:
    """Return the hash of each file, by path, as its row says it or by its content; "" where that cannot be encoded."""
    said = {item.path: row.sha256 for item in new if (row := rows.get(item.path)) and _is_as_before(item, row)}
    sizes = encoded.sizes(item.bytes for item in new if item.path not in said)
    hashes: dict[str, str] = {}
    for item in new:
        try:
            is_asked = item.path not in said and item.bytes in sizes
            hashes[item.path] = sha256_of(folder / item.path) if is_asked else said.get(item.path, "")
        except UnreadableImage as error:
            skipped.append(SkippedItem(item.path, str(error)))
    return hashes


def compare_folder(
    others: OtherFolders,
    found: Sequence[FoundFile],
    contents: Mapping[str, Content],
    rows: Mapping[str, Photo],
    *,
    unread: Sequence[str],
    prune: bool,
    scanned_ns: int,
) -> tuple[Difference, list[SkippedItem]]:
    """Return what differs between a folder and the catalogue, and the files whose object another folder has.

    `contents` holds what could be read, `rows` what is catalogued from this folder, by path; `unread` names files and
    folders that could not be read: they are not gone. The time stamp of a file written just before `scanned_ns`, when
    the scan began, is not kept.
    """
    adopted = others.adopted(contents, rows)
    arriving = {photo.photo_id for photo in adopted.values()}
    here = {**adopted, **rows} if adopted else rows
    missing = _missing(found, adopted, rows, unread)
    skipped = others.claims(found, contents, rows, arriving)
    refused = {item.path for item in skipped}
    taken = [item for item in found if item.path in contents and item.path not in refused]
    lost = others.lost((contents[item.path].sha256 for item in taken if item.path not in here), arriving)
    photos = _changed_photos(others.folder, taken, contents, rows, scanned_ns)
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
            item.path for item in taken if (old := here.get(item.path)) and old.object_id != item.object_id
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


def _missing(
    found: Sequence[FoundFile], adopted: Mapping[str, Photo], rows: Mapping[str, Photo], unread: Sequence[str]
) -> list[Photo]:
    """Return the photos of a folder that are not on disk, those adopted first, unless they could not be read."""
    on_disk = {item.path for item in found}
    own = [photo for path, photo in rows.items() if path not in on_disk]
    away = [photo for path, photo in adopted.items() if path not in on_disk]
    return [photo for photo in (*away, *sorted(own, key=in_order)) if not _below(photo.path, unread)]


def _changed_photos(
    folder: str,
    taken: Sequence[FoundFile],
    contents: Mapping[str, Content],
    rows: Mapping[str, Photo],
    scanned_ns: int,
) -> Iterator[Photo]:
    """Yield the rows of files as they are now, but for those that are catalogued just so."""
    for item in taken:
        content, row = contents[item.path], rows.get(item.path)
        if row is None or not _is_just_so(row, item, content) or not _is_settled(item, scanned_ns):
            yield _photo(folder, item, content, scanned_ns)


def _is_just_so(row: Photo, item: FoundFile, content: Content) -> bool:
    return (
        row.modified_ns == item.modified_ns
        and row.object_id == item.object_id
        and row.sha256 == content.sha256
        and (row.bytes, row.width, row.height) == (content.bytes, content.width, content.height)
        and row.role == "exemplar"
    )


def _is_settled(item: FoundFile, scanned_ns: int) -> bool:
    """Say whether a file was written so long before the scan that its time stamp can be trusted next time."""
    return scanned_ns - item.modified_ns > SETTLED_NS


def _put(
    photos: Iterable[Photo],
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
    return Photo(
        object_id=item.object_id,
        folder=folder,
        path=item.path,
        sha256=content.sha256,
        bytes=content.bytes,
        modified_ns=item.modified_ns if _is_settled(item, scanned_ns) else 0,
        width=content.width,
        height=content.height,
    )
