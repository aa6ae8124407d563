"""How to install what only some commands need."""

from __future__ import annotations

DISTRIBUTION = "artifact-verdict"  # `artifact` in the package index is a stranger's project


def how_to_install(extra: str) -> str:
    """Return the commands that install an extra of pyproject.toml, for a clone and for everybody else."""
    return f"`pip install '{DISTRIBUTION}[{extra}]'`, or `pip install -e '.[{extra}]'` in a clone"
