"""Name one picture of a file of several, as people do: `file.tif#2`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class NumberedPicture:
    """A picture of a file, by its number from 1."""

    path: Path
    number: int

    def __str__(self) -> str:
        return f"{self.path}#{self.number}"


def picture_in(file: Path, number: int | None) -> Path | NumberedPicture:
    """Return a file, or one picture of it where its number is told."""
    return file if number is None else NumberedPicture(file, number)


def named(name: Path) -> Path | NumberedPicture:
    """Return what a name stands for: a file of that very name, else a numbered picture of one, else the name."""
    stem, mark, number = name.name.rpartition("#")
    file = name.with_name(stem) if stem else name
    if not mark or not (number.isascii() and number.isdigit()) or name.exists() or not file.is_file():
        return name
    return NumberedPicture(file, int(number))
