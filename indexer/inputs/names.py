"""Make names of files comparable, and tell a name from its suffix."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath

from retrieval.photographs.kinds import SUFFIXES

OF_DOWNLOADS = {".php", ".aspx", ".ashx", ".dat", ".bin", ".img"}  # which photographs come with, too


def composed(text: str) -> str:
    """Return a text with its accents composed, as disks and tables differ in that."""
    return unicodedata.normalize("NFC", text)


def without_suffix(path: str) -> str:
    """Return the path of a photograph without the suffix; `1960.5` has none, `1960.5.jpg_large` has."""
    suffix = PurePosixPath(path).suffix
    begins = re.match(r"\.[a-z0-9]+", suffix.lower())
    is_one = begins is not None and begins[0] in SUFFIXES | OF_DOWNLOADS
    return path[: -len(suffix)] if is_one else path
