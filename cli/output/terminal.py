"""Say things on the terminal: tables, colours, sentences broken into lines."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence

import typer

from cli.output.text import plain
from retrieval.outcome import UNREADABLE, Outcome

COLOURS = {
    str(Outcome.CONSISTENT): "green",
    str(Outcome.DIVERGENT): "red",
    str(Outcome.NO_MATCH): "blue",
    str(Outcome.INCONCLUSIVE): "yellow",
    UNREADABLE: "magenta",
}
SHOWN = 20  # notices of a kind


def list_notices(what: str, lines: Sequence[str], *, where: str = "") -> None:
    """Say on stderr how many there are of something, name the first, and say where the others are listed."""
    if not lines:
        return
    typer.echo(f"{len(lines)} {what}:", err=True)
    for line in lines[:SHOWN]:
        typer.echo(f"  {plain(line)}", err=True)
    if len(lines) > SHOWN:
        typer.echo(f"  ... and {len(lines) - SHOWN} more{where}", err=True)


def print_table(columns: Mapping[str, str], rows: Iterable[Iterable[str]]) -> None:
    """Print rows under columns (name -> "left" or "right") as wide as the terminal, or 80 characters."""
    from rich.console import Console

    from cli.output.table import print_rows

    colour = wants_colour()
    console = Console(highlight=False, width=_width(), force_terminal=colour, no_color=not colour)
    print_rows(console, columns, rows)


def wants_colour() -> bool:
    """Say whether to print in colour: as NO_COLOR, FORCE_COLOR and TERM ask, else where there is a terminal."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def _width() -> int:
    """Return the width of the terminal; 80 where there is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 80


def echo_wrapped(reason: str) -> None:
    """Print a sentence, indented, in lines as wide as the terminal."""
    typer.echo(textwrap.fill(plain(reason), _width(), initial_indent="  ", subsequent_indent="    "))


def styled(outcome: str, *, colour: bool) -> str:
    """Return an outcome, in its colour where that is wanted."""
    return typer.style(outcome, fg=COLOURS[outcome], bold=True) if colour else outcome


def alarming(line: str) -> str:
    """Return the line of an alert, in red; what prints it leaves colours out where none are wanted."""
    return typer.style(plain(line), fg="red", bold=True)
