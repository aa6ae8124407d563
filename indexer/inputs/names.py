"""Make names of files comparable, and tell a name from its suffix."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath

from retrieval.photographs.kinds import SUFFIXES

OF_DOWNLOADS = (".mpo", ".php", ".aspx", ".ashx", ".dat", ".bin", ".img")  # which photographs come with, too


def composed(text: str) -> str:
    """Return a text with its accents composed, as disks and tables differ in that."""
    return unicodedata.normalize("NFC", text)


def without_suffix(path: str) -> str:
    """Return the path of a photograph without the suffix; `1960.5` has none, `1960.5.jpg_large` has."""
    suffix = PurePosixPath(path).suffix.lower()
    is_one = suffix.startswith((*SUFFIXES, *OF_DOWNLOADS))
    return path[: -len(suffix)] if suffix and is_one else path
