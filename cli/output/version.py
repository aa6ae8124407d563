"""Say which version of the program this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from retrieval.extras import DISTRIBUTION


def program_version() -> str:
    """Return the version of the program; `unknown` where it runs from a folder and is not installed."""
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "unknown"
