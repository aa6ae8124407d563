"""What `artifact move` does."""

from __future__ import annotations

from pathlib import Path

import typer

from cli.output.text import counted, plain
from indexer.building.move import move_folder


def run_move(old: Path, new: Path, data: Path) -> bool:
    """Let the catalogue know where a folder is now, and say what is there; return whether all of it is."""
    moved = move_folder(old, new, data)
    photos, are = counted(moved.photos, "photograph"), "is" if moved.there == 1 else "are"
    typer.echo(f"{moved.there} of {photos} {are} in {plain(str(new))}; revision {moved.revision}")
    missing = moved.photos - moved.there
    if missing:
        typer.echo(
            f"{missing} {'is' if missing == 1 else 'are'} not there, or of another size; `artifact check` names them",
            err=True,
        )
    return not missing
