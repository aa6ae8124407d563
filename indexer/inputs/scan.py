"""Find the photographs in a folder and say which object each belongs to."""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from retrieval.photographs.kinds import SUFFIXES


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


def scan_folder(
    folder: Path, *, named: Mapping[str, str] | None = None, known: Collection[tuple[str, str]] = ()
) -> Scan:
    """Return the photographs below `folder`, each with its object id, ordered by path.

    `folder/<file>` is an object named by the file's stem; everything below `folder/<object>/` belongs to that object.
    `named` maps a path (its accents composed) to the object that a table gives it. Where two files claim one id, the
    one in `known` (path, object_id), else the first by name, keeps it, and the other is skipped.
    """
    found: list[FoundFile] = []
    skipped: list[SkippedItem] = []
    for path, item in photographs_below(folder):
        if isinstance(item, str):
            skipped.append(SkippedItem(path, item))
        else:
            object_id = (named or {}).get(composed(path)) or _object_id(path)
            found.append(FoundFile(path, object_id, item.st_size, item.st_mtime_ns))
    kept, claims = _settle_claims(found, set(named or ()), set(known))
    return Scan(tuple(kept), tuple(sorted(skipped + claims, key=lambda item: item.path)))


def photographs_below(folder: Path) -> Iterator[tuple[str, os.stat_result | str]]:
    """Yield (relative path, stat, or the reason why it cannot be read) for every photograph, ordered by path.

    Hidden files and other kinds of file are passed over; links are followed, each folder once.
    """
    seen: set[str] = set()
    stack = [folder]
    while stack:
        here = stack.pop()
        real = os.path.realpath(here)
        if real in seen:
            continue
        seen.add(real)
        try:
            entries = sorted(here.iterdir(), key=lambda entry: entry.name)
        except OSError as error:
            yield _relative(here, folder), f"cannot be opened: {error.strerror}"
            continue
        entries = [entry for entry in entries if not entry.name.startswith(".")]
        folders = {entry for entry in entries if _is_folder(entry)}
        stack.extend(entry for entry in reversed(entries) if entry in folders)
        for entry in entries:
            if entry.suffix.lower() in SUFFIXES and entry not in folders:
                yield _relative(entry, folder), _stat(entry, folder)


def _is_folder(path: Path) -> bool:
    """Say whether this is a folder; what may be one but cannot be looked at counts, so that it gets reported."""
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except FileNotFoundError:
        return False
    except OSError:
        return path.suffix.lower() not in SUFFIXES


def _stat(path: Path, folder: Path) -> os.stat_result | str:
    try:
        str(path.relative_to(folder)).encode()
        return path.stat()
    except UnicodeEncodeError:
        return "its name is not valid text; rename it"
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def _relative(path: Path, folder: Path) -> str:
    """Return the path in the folder, with bytes that are no text as \\xe9: no two files are told by one name."""
    return os.fsencode(path.relative_to(folder).as_posix()).decode(errors="backslashreplace")


def _object_id(path: str) -> str:
    parts = PurePosixPath(path).parts
    return composed(parts[0] if len(parts) > 1 else PurePosixPath(path).stem)


def composed(text: str) -> str:
    """Return a text with its accents composed, as disks and tables differ in that."""
    return unicodedata.normalize("NFC", text)


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
        item.path: "catalogue.csv" if item.path in tabled or _top(item.path) in joined else _top(item.path)
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
