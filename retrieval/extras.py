"""How the program is installed: its version, and how to install what only some commands need."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

DISTRIBUTION = "artifact-verdict"  # `artifact` in the package index is a stranger's project


def how_to_install(extra: str) -> str:
    """Return the commands that install an extra of pyproject.toml, for a clone and for everybody else."""
    return f"`pip install '{DISTRIBUTION}[{extra}]'`, or `pip install -e '.[{extra}]'` in a clone"


def program_version() -> str:
    """Return the version of the program; `unknown` where it runs from a folder and is not installed."""
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "unknown"
