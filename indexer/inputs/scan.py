"""Find the photographs in a folder and say which object each belongs to."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from indexer.inputs.layout import Layout
from indexer.inputs.names import composed, without_suffix
from indexer.inputs.walk import LeftOut, Walk, walk_folder


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A photograph on disk: `path` is relative to the scanned folder, with slashes."""

    path: str
    object_id: str
    bytes: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class SkippedItem:
    """A file, or a line of a table, that could not be taken, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Scan:
    """What a folder holds."""

    found: tuple[FoundFile, ...]
    skipped: tuple[SkippedItem, ...]
    left_out: LeftOut = field(default_factory=dict)


def scan_folder(folder: Path, *, named: Mapping[str, str] | None = None, exclude: Collection[str] = ()) -> Scan:
    """Return the photographs below `folder`, as `artifact index` takes them for the first time."""
    return assign_objects(walk_folder(folder, exclude=exclude), named=named)


def assign_objects(
    walk: Walk,
    *,
    named: Mapping[str, str] | None = None,
    known: Collection[tuple[str, str]] = (),
    layout: Layout | None = None,
) -> Scan:
    """Return the photographs of a folder, each with its object id, ordered by path.

    `<file>` is an object named by the file's stem; everything below `<object>/` belongs to that object; unless a
    `layout` says otherwise, for the files that it fits. `named` maps a path (its accents composed) to the object that a
    table gives it. Where two files claim one id, the one in `known` (path, object_id), else the first by name, keeps
    it, and the other is skipped; a layout joins them.
    """
    by_layout = layout.object_ids([path for path, _ in walk.photographs]) if layout else {}
    found: list[FoundFile] = []
    skipped: list[SkippedItem] = []
    for path, item in walk.photographs:
        if isinstance(item, str):
            skipped.append(SkippedItem(path, item))
        else:
            object_id = (named or {}).get(composed(path)) or by_layout.get(path) or _object_id(path)
            found.append(FoundFile(path, object_id, item.st_size, item.st_mtime_ns))
    kept, claims = (found, []) if layout else _settle_claims(found, set(named or ()), set(known))
    return Scan(tuple(kept), tuple(sorted(skipped + claims, key=lambda item: item.path)), walk.left_out)


def _object_id(path: str) -> str:
    top, slash, _ = path.partition("/")
    return composed(top if slash else without_suffix(path))


def _top(path: str) -> str:
    top, slash, _ = path.partition("/")
    return top + slash


def _claimants(found: list[FoundFile], named: Collection[str]) -> dict[str, str]:
    """Return, by path, what makes the claim: the object's folder, a table, or the file itself.

    Where the table gives a photograph the id that it has anyway, it speaks for the whole of its folder.
    """
    tabled = {item.path for item in found if composed(item.path) in named}
    joined = {_top(item.path) for item in found if item.path in tabled and item.object_id == _object_id(item.path)}
    return {
        item.path: "the table" if item.path in tabled or _top(item.path) in joined else _top(item.path)
        for item in found
    }


def _settle_claims(
    found: list[FoundFile], named: Collection[str], known: Collection[tuple[str, str]]
) -> tuple[list[FoundFile], list[SkippedItem]]:
    """Give each id to one claimant, and say which others claimed it."""
    claimant = _claimants(found, named)
    owners: dict[str, str] = {}
    for item in sorted(found, key=lambda item: ((item.path, item.object_id) not in known, item.path)):
        owners.setdefault(item.object_id, claimant[item.path])
    kept = [item for item in found if claimant[item.path] == owners[item.object_id]]
    claims = [
        SkippedItem(item.path, f"claims the object id {item.object_id!r}, which {owners[item.object_id]} already has")
        for item in found
        if claimant[item.path] != owners[item.object_id]
    ]
    return kept, claims
