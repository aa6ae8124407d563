"""Lay rows out under columns as they come, and hold only the first of them: these say how wide the columns are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice, zip_longest
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from cli.output.text import plain

MEASURED = 1000  # rows


@dataclass(slots=True)
class _Column:
    """A column, which is told how wide it came to be when its head is drawn."""

    name: str
    justify: Any  # "left" or "right"
    width: int = 1

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        self.width = max(1, options.max_width)
        yield self.name

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement.get(console, options, self.name)


def print_rows(console: Console, columns: Mapping[str, str], rows: Iterable[Iterable[str]]) -> None:
    """Print rows under columns (name -> "left" or "right"); a cell that is too wide takes several lines.

    A table with more rows than are measured is as wide as the terminal: a wider cell may be among them.
    """
    cells = ([plain(cell) for cell in row] for row in rows)
    measured, following = list(islice(cells, MEASURED)), list(islice(cells, 1))
    found = [_Column(name, justify) for name, justify in columns.items()]
    _settle_widths(console, found, measured, fills=bool(following))
    with console.capture() as head:
        console.print(_empty_table(found, settled=True))
    *lines, last = head.get().splitlines(keepends=True)
    console.file.writelines(lines)
    for row in chain(measured, following, cells):
        console.file.writelines(f" {line} \n" for line in _lines(console, found, row))
    console.file.write(last)
    console.file.flush()  # what is said next may go to stderr


def _settle_widths(console: Console, columns: Sequence[_Column], rows: Sequence[Sequence[str]], *, fills: bool) -> None:
    """Give the columns the widths that a table of these rows has: that of the widest cells."""
    table = _empty_table(columns)
    table.expand = fills
    widest = [max((row[number] for row in rows), key=cell_len, default="") for number in range(len(columns))]
    table.add_row(*map(Text, widest))
    console.render_lines(table)


def _empty_table(columns: Sequence[_Column], *, settled: bool = False) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        width = column.width if settled else None
        table.add_column(column, justify=column.justify, overflow="fold", width=width)
    return table


def _lines(console: Console, columns: Sequence[_Column], row: Sequence[str]) -> Iterator[str]:
    """Yield the lines of one row."""
    folded = [_folded(console, cell, column) for cell, column in zip(row, columns, strict=True)]
    empty = [" " * column.width for column in columns]
    for parts in zip_longest(*folded):
        yield "   ".join(blank if part is None else part for part, blank in zip(parts, empty, strict=True))


def _folded(console: Console, cell: str, column: _Column) -> list[str]:
    """Return a cell in lines of the width of its column, broken between words where that can be."""
    parts = [cell.rstrip()]
    if cell_len(cell) > column.width:
        parts = [line.plain.rstrip() for line in Text(cell).wrap(console, column.width, overflow="fold")]
    return [_padded(part, column, column.width - cell_len(part)) for part in parts]


def _padded(part: str, column: _Column, spare: int) -> str:
    return " " * spare + part if column.justify == "right" else part + " " * spare
