"""Find what may be screened at the desk: photographs in allowed folders, and none elsewhere that a link leads to."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from indexer.inputs.lots import Lot, read_lots
from retrieval.errors import ArtifactError

MOST_OFFERED = 400  # folders
DEEPEST = 4  # folders below one that is allowed


class OutsideAllowed(ArtifactError):
    """A photograph or a link leads out of the folders that are allowed."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A folder that may be chosen: `value` is what a form sends, `shown` what a person reads."""

    value: str
    shown: str


def offers(allowed: Sequence[Path]) -> list[Offer]:
    """Return the folders that may be chosen: those that are allowed, and those below them, the first few hundred."""
    found: list[Offer] = []
    for number, root in enumerate(allowed):
        for below in _below(root):
            if len(found) >= MOST_OFFERED:
                return found
            shown = f"{root.name or root}/{below}" if below else str(root.name or root)
            found.append(Offer(f"{number}/{below}", shown))
    return found


def chosen(allowed: Sequence[Path], value: str) -> Path:
    """Return the folder that a form sends the value of, links followed; raises ArtifactError for any other."""
    number, _, below = value.partition("/")
    if not (number.isascii() and number.isdigit() and len(number) < 10 and int(number) < len(allowed)):
        raise ArtifactError("Choose one of the folders that are offered.")
    root = allowed[int(number)]
    try:
        folder = Path(os.path.realpath(root / below))
        is_folder = folder.is_dir()
    except (OSError, ValueError) as error:  # a zero in a name, a name too long
        raise ArtifactError("Choose one of the folders that are offered.") from error
    if not is_inside(folder, [root]):
        raise OutsideAllowed("This folder is not one of those that are allowed: `--allow DIR` allows one.")
    if not is_folder:
        raise ArtifactError("This folder is not there any more. Choose another.")
    return folder


def count_lots(source: Path, beside: Path | None, allowed: Sequence[Path], exclude: Sequence[str]) -> int:
    """Return how many photographs a source names; raises ArtifactError where one lies outside what is allowed.

    It may be slow, and a table may make its reader crash: to be run in a child.
    """
    _refuse_links(beside or source, allowed)
    count = 0
    try:
        for lot in read_lots(source, beside=beside, exclude=exclude):
            count += 1
            if lot.problem is None and not is_inside(Path(os.path.realpath(lot.path)), allowed):
                raise OutsideAllowed(_refusal(lot, beside or source))
    except (ValueError, OSError) as error:  # a name that no file can have
        raise ArtifactError(f"A name in {source.name} can be none of a file: {error}.") from error
    except OutsideAllowed:
        raise
    except ArtifactError as error:  # of the table: its place is nobody's business
        raise ArtifactError(str(error).replace(str(source), source.name)) from error
    if not count:
        raise ArtifactError(f"No photograph was found in {source.name}.")
    return count


def is_inside(path: Path, allowed: Sequence[Path]) -> bool:
    """Say whether a path, all links followed, lies in one of some folders."""
    return any(path.is_relative_to(folder) for folder in allowed)


def _refusal(lot: Lot, folder: Path) -> str:
    """Return what there is to say of a photograph that may not be read."""
    name = os.path.relpath(lot.path, folder)
    where = f"Line {lot.line} names {name}, which" if lot.line is not None else f"{name}"
    return f"{where} lies outside of the folders that are allowed. Nothing was screened."


def _refuse_links(folder: Path, allowed: Sequence[Path]) -> None:
    """Raise OutsideAllowed for the first link below a folder that leads out of what is allowed."""
    seen: set[str] = set()
    for here, folders, files in os.walk(folder, followlinks=True):  # links that lead on inside are followed, once
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted([*folders, *files]):
            path = Path(here, name)
            if path.is_symlink() and not name.startswith(".") and not is_inside(Path(os.path.realpath(path)), allowed):
                said = os.path.relpath(path, folder)
                raise OutsideAllowed(
                    f"{said} is a link that leads out of the folders that are allowed. Nothing was screened."
                )
        folders[:] = [name for name in folders if _is_new(os.path.realpath(Path(here, name)), seen)]


def _is_new(path: str, seen: set[str]) -> bool:
    """Say whether a path was not seen yet, and note it."""
    is_new = path not in seen
    seen.add(path)
    return is_new


def _below(root: Path) -> Iterator[str]:
    """Yield the folders below one, itself first as an empty name; none that a link leads to, none that is hidden."""
    for here, folders, _ in os.walk(root):
        below = os.path.relpath(here, root).replace(os.sep, "/")
        below = "" if below == "." else below
        yield below
        too_deep = below.count("/") + 1 >= DEEPEST and below
        folders[:] = [] if too_deep else sorted(name for name in folders if _is_offered(Path(here, name)))


def _is_offered(folder: Path) -> bool:
    """Say whether a folder can be chosen from a list: its name is shown, and comes back as it was sent."""
    return folder.name.isprintable() and not folder.name.startswith(".") and not folder.is_symlink()
