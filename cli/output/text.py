"""Make text from outside fit to print and to show."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

NAMED = 3  # objects, files or folders in a line
_JOINERS = "\u200c\u200d"  # of letters, and of emoji


def plain(text: str) -> str:
    """Return text from outside, a file name say, as one printable line."""
    if text.isprintable():  # as most is, and a picture written as text must be quick
        return text
    return "".join(letter if _shows(letter) else "�" for letter in text.encode(errors="replace").decode())


def counted(number: int, one: str, many: str = "") -> str:
    """Return how many there are of something: `1 photograph`, `12 photographs`."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def some(names: Sequence[str]) -> str:
    """Return the first of some names from outside, and how many more there are: `a, b, c, and 4 more`."""
    more = f", and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(map(plain, names[:NAMED])) + more


def _shows(letter: str) -> bool:
    """Say whether a letter belongs in a line: those of every script, spaces of every width, and what joins emoji."""
    return letter.isprintable() or letter in _JOINERS or unicodedata.category(letter) == "Zs"
