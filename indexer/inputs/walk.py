"""Walk through a folder: its photographs, and all that is passed over, every file accounted for once."""

from __future__ import annotations

import os
import re
import stat
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from indexer.inputs.exclusions import IGNORE_FILE, Exclusions, read_exclusions
from indexer.inputs.system_files import system_name
from retrieval.errors import UnreadableImage
from retrieval.photographs.files import open_regular
from retrieval.photographs.kinds import HEAD, SUFFIXES, kind_of
from retrieval.photographs.pdf import declares_pictures

PDF = ".pdf"
NO_PHOTOGRAPHS = frozenset([  # whatever they hold: unfinished downloads, backups, the thumbnails of films
    ".part", ".partial", ".crdownload", ".download", ".opdownload", ".filepart", ".tmp", ".temp",
    ".bak", ".backup", ".old", ".orig", ".thm",
])  # fmt: skip


class Why(StrEnum):
    """Why a walk passes over a file or a folder."""

    OTHER_KIND = "other kind"
    HIDDEN = "hidden"
    SYSTEM = "system"
    EXCLUDED = "excluded"
    LINKED = "linked"  # a folder that was walked through by another name


FOLDER = "folder"  # one counts as one, whatever it holds
LeftOut = Mapping[tuple[Why, str], int]  # how many of each: a suffix, the name of a system's file, FOLDER, else ""


@dataclass(frozen=True, slots=True)
class Walk:
    """What a folder holds: path and stat of each photograph, or why it cannot be read; what is left out, and by what.

    Paths are relative to the folder, with slashes.
    """

    photographs: tuple[tuple[str, os.stat_result | str], ...]
    left_out: LeftOut
    exclusions: Exclusions


def walk_folder(folder: Path, *, exclude: Collection[str] = (), tables: Collection[str] = ()) -> Walk:
    """Return the photographs below `folder`, ordered by folder and name, and how much is left out.

    A photograph is told by its suffix, a file of another suffix by its first bytes. Left out are hidden files, what
    systems keep, and what `exclude` and `.artifactignore` name; `tables` are read elsewhere and count as nothing.
    Links are followed, each folder once. Raises ArtifactError where a pattern cannot be used.
    """
    sorting = _Sorting(folder, read_exclusions(folder, exclude), frozenset(tables))
    seen: set[str] = set()
    stack = [folder]
    while stack:
        here = stack.pop()
        real = os.path.realpath(here)
        if real in seen:
            sorting.left_out[Why.LINKED, ""] += 1
            continue
        seen.add(real)
        try:
            entries = sorted(here.iterdir(), key=lambda entry: entry.name)
        except OSError as error:
            sorting.photographs.append((_relative(here, folder), f"cannot be opened: {error.strerror}"))
            continue
        stack.extend(reversed([entry for entry in entries if sorting.is_to_be_entered(entry)]))
    return Walk(tuple(sorting.photographs), dict(sorting.left_out), sorting.exclusions)


@dataclass(slots=True)
class _Sorting:
    """Sorts what is met into photographs, folders to be entered, and what is left out."""

    folder: Path
    exclusions: Exclusions
    tables: frozenset[str]
    photographs: list[tuple[str, os.stat_result | str]] = field(default_factory=list)
    left_out: Counter[tuple[Why, str]] = field(default_factory=Counter)

    def is_to_be_entered(self, entry: Path) -> bool:
        """Take a file in, or count it out; return whether this is a folder that is not left out."""
        path = _relative(entry, self.folder)
        if entry.name == IGNORE_FILE or path in self.tables:
            return False
        why = _left_out_by_name(entry.name)
        is_folder = (why is None or why[0] is Why.HIDDEN) and _is_folder(entry)
        if why is None and self.exclusions.covers(path, is_folder=is_folder):
            why = Why.EXCLUDED, ""
        if why is None and is_folder:
            return True
        if why is None and _is_photograph(entry):
            self.photographs.append((path, _stat(entry, self.folder)))
            return False
        why = (why[0], FOLDER) if why and is_folder else why
        self.left_out[why or (Why.OTHER_KIND, _suffix(entry))] += 1
        return False


def is_left_out(path: str, exclusions: Exclusions) -> bool:
    """Say whether a relative path is passed over by its name, that of a folder on its way, or a pattern."""
    return exclusions.covers(path) or any(is_passed_over(part) for part in path.split("/"))


def is_passed_over(name: str) -> bool:
    """Say whether a file or folder of this name is passed over, whoever asks: hidden, or kept by a system."""
    return _left_out_by_name(name) is not None


def _left_out_by_name(name: str) -> tuple[Why, str] | None:
    if (known := system_name(name)) is not None:
        return Why.SYSTEM, known
    return (Why.HIDDEN, "") if name.startswith(".") else None


def _is_folder(path: Path) -> bool:
    """Say whether this is a folder; what may be one but cannot be looked at counts, so that it gets reported."""
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except FileNotFoundError:
        return False
    except OSError:
        return path.suffix.lower() not in SUFFIXES


def _is_photograph(path: Path) -> bool:
    """Say whether a file has the suffix of a photograph, or else begins like one; of a PDF, whether it has pictures."""
    suffix = path.suffix.lower()
    if suffix in NO_PHOTOGRAPHS or (suffix in SUFFIXES and suffix != PDF):
        return suffix in SUFFIXES
    try:
        status = path.stat()
        return _holds_one(path, status.st_size, status.st_mtime_ns)
    except (OSError, UnreadableImage):
        return suffix == PDF  # meant as pictures, so that it gets reported


@lru_cache(maxsize=100_000)  # a watched folder is looked through again and again, perhaps over a network
def _holds_one(path: Path, size: int, modified_ns: int) -> bool:
    """Say whether a file, of this size and age, begins like a photograph, or is a PDF with pictures by its suffix."""
    with open_regular(path) as file:
        if path.suffix.lower() == PDF:
            return declares_pictures(file)
        head = file.read(HEAD)
    kind = kind_of(head)
    is_text = kind == "BMP" and head[6:10] != bytes(4)  # two letters begin a BMP, and many a word
    return kind not in (None, "PDF") and not is_text  # of a PDF, the suffix says whether it is meant as pictures


def _suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    return suffix if re.fullmatch(r"\.\w{1,12}", suffix) else ""


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
