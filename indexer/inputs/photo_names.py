"""Find the photographs that a cell of a table means, however their files are named there."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from indexer.inputs.names import composed, without_suffix
from indexer.inputs.walk import walk_folder
from indexer.tables.columns import QUOTES
from indexer.tables.table import BLANK

ADDRESS = re.compile(r"(?:[a-z][a-z0-9+]+://|www\.|data:|blob:)", re.IGNORECASE)
SEPARATORS = (r"[\n\r\v\x1c-\x1f;|]", r",")
# of masters, which tables name in place of what lies there
OF_MASTERS = frozenset([".raw", ".cr2", ".nef", ".dng", ".psd", ".jp2", ".jxl", ".pdf"])


@dataclass(frozen=True, slots=True)
class NamedPhotos:
    """The photographs that a cell names, and what is wrong with the names that lead to none."""

    paths: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


class PhotoNames:
    """Finds photographs among those below a folder by what tables call them.

    A name is sought as it stands, then without regard to case, backslashes and accents composed or not, then by its
    end, for a path of another machine, then without its suffix, then without zeros at its beginning. What fits two
    photographs is neither.
    """

    def __init__(self, below: Callable[[], Iterable[str]]) -> None:
        """`below` lists the photographs, relative to the folder, with slashes; it is asked once, when it must be."""
        self._below = below

    def named(self, cell: str) -> NamedPhotos:
        """Return what a cell names: one photograph, or several between semicolons, bars, commas or line ends."""
        return self._split(cell, SEPARATORS)

    def _split(self, cell: str, separators: tuple[str, ...]) -> NamedPhotos:
        name = cell.strip(BLANK).strip(QUOTES).strip(BLANK)
        if not name:
            return NamedPhotos()
        separator = next((sign for sign in separators if re.search(sign, name)), None)
        is_one_address = is_address(name) and name.count("://") == 1 and len(name.split()) == 1
        if separator is None or is_one_address:
            return self._one(name)
        if whole := self._as_it_stands(name):
            return NamedPhotos((whole,))
        parts = [self._split(part, separators[separators.index(separator) + 1 :]) for part in re.split(separator, name)]
        problems = [problem for part in parts for problem in part.problems]
        if problems and separator == SEPARATORS[-1] and (whole_name := self._one(name)).paths:
            return whole_name  # a comma in the name of a file
        if all(part.problems and not part.paths for part in parts) and not any(
            map(is_address, re.split(separator, name))
        ):
            return NamedPhotos(problems=(no_photo(name),))
        return NamedPhotos(tuple(dict.fromkeys(path for part in parts for path in part.paths)), tuple(problems))

    def _as_it_stands(self, name: str) -> str | None:
        exact, plain, *_ = _keys(name)
        same = self._by_key.get(plain, []) if exact not in self._exact else [self._exact[exact]]
        return same[0] if len(same) == 1 else None

    def _one(self, name: str) -> NamedPhotos:
        exact, *others = dict.fromkeys(_keys(name))
        if found := self._exact.get(exact):
            return NamedPhotos((found,))
        if is_address(name):
            return NamedPhotos(problems=(f"{name} is an address, not a file",))
        several = next((known for key in others if (known := self._by_key.get(key)) and self._may_be(name, known)), [])
        if len(several) == 1:
            return NamedPhotos((several[0],))
        problem = f"{name} may be {' or '.join(several[:3])}" if several else no_photo(name)
        return NamedPhotos(problems=(problem,))

    def _may_be(self, name: str, found: list[str]) -> bool:
        """Say whether no folder speaks against it: one that is there, but does not hold what is named in it."""
        parent = _plain(str(PurePosixPath(as_path(name)).parent.name))
        return parent not in self._folders or any(parent in _folders_of(path)[-1:] for path in found)

    @cached_property
    def _folders(self) -> set[str]:
        return {folder for path in self._paths for folder in _folders_of(path)}

    @cached_property
    def _paths(self) -> list[str]:
        return list(self._below())

    @cached_property
    def _exact(self) -> dict[str, str]:
        return {next(iter(_keys(path))): path for path in self._paths}

    @cached_property
    def _by_key(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path in self._paths:
            for key in dict.fromkeys(_keys(path)):
                found.setdefault(key, []).append(path)
        return found


class PhotosBeside:
    """Finds the photographs that a table names beside itself, or in folders below, looked through if need be."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._names = PhotoNames(lambda: [path for path, _ in walk_folder(folder).photographs])

    def named(self, cell: str) -> tuple[list[Path], tuple[str, ...]]:
        """Return the files that a cell names, one or several, and what is wrong with names that lead to none."""
        if (whole := on_disk(self.folder, cell.strip()) or on_disk(self.folder, cell.strip(BLANK))) is not None:
            return [whole], ()
        found = self._names.named(cell)
        return [self.folder / path for path in found.paths], found.problems


def on_disk(folder: Path, name: str) -> Path | None:
    """Return the file of a name relative to a folder, whatever the case, the slashes and the accents; None: none."""
    if not name or is_file(folder / name):
        return folder / name if name else None
    here = folder
    for part in PurePosixPath(as_path(name)).parts:
        try:
            is_there = (here / part).exists()
            same = [part] if is_there else _names_in(here, here.stat().st_mtime_ns).get(_plain(part), [])
        except (OSError, ValueError):
            return None
        if len(same) != 1:
            return None
        here = here / same[0]
    return here if is_file(here) else None


@lru_cache(maxsize=1000)  # else a list of thousands of names in another case looks through their folder for each
def _names_in(folder: Path, modified_ns: int) -> Mapping[str, list[str]]:
    """Return the names in a folder, which changed last at that time, by what they are without regard to case."""
    found: dict[str, list[str]] = {}
    for item in folder.iterdir():
        found.setdefault(_plain(item.name), []).append(item.name)
    return found


def is_file(path: Path) -> bool:
    """Return whether there is a file of this name, whatever the name."""
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name too long, a folder that may not be entered, a zero in the name
        return False


def no_photo(name: str) -> str:
    """Return what is said of a name that leads to no photograph."""
    return f"there is no photo {name}"


def is_address(name: str) -> bool:
    """Say whether a name is an address in the web."""
    return ADDRESS.match(name) is not None and not name.lower().startswith("file:")


def as_path(name: str) -> str:
    """Return a name with slashes, without the `file:` of an address; `:folder:file` is of an old Macintosh."""
    if name.lower().startswith("file:"):
        parts = urlsplit(name)
        name = unquote(f"//{parts.netloc}{parts.path}" if parts.netloc else parts.path)
    path = name.replace("\\", "/")
    return path.replace(":", "/").lstrip("/") if ":" in path and "/" not in path else path


def _keys(name: str) -> Iterator[str]:
    """Yield the keys under which a photograph is kept and a name is sought, the surest first."""
    path = str(PurePosixPath(as_path(name)))
    yield f"= {composed(path)}"
    plain = _plain(path)
    yield f"/ {plain}"
    *folders, last = [part for part in plain.split("/") if part not in ("", "..")] or [""]
    stem = _stem(last)
    for kind, text in (("<", last), (".", stem), ("0", stem.lstrip("0"))):
        for start in range(len(folders) + 1) if text else ():
            yield f"{kind} {'/'.join([*folders[start:], text])}"


def _folders_of(path: str) -> list[str]:
    return _plain(path).split("/")[:-1]


def _plain(path: str) -> str:
    return composed(unicodedata.normalize("NFKC", path).casefold())


def _stem(name: str) -> str:
    """Return a name without the suffix of a picture; `1960.5` has none."""
    suffix = PurePosixPath(name).suffix
    return name.removesuffix(suffix) if suffix in OF_MASTERS else without_suffix(name)
