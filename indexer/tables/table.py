"""Read a table of any kind: find its header, understand its columns, and give its rows, each with its line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from indexer.tables.columns import Columns, seen, tidy, understood
from indexer.tables.delimited import DELIMITERS, Record, declared, records
from indexer.tables.text import Decoded, decode
from indexer.tables.workbook import ENDINGS, OTHERS, sheets
from retrieval.errors import BadTable

SUFFIXES = (".csv", ".tsv", ".tab", ".txt", *ENDINGS)  # of what may be a table
BLANK = "\0\ufeff\u200b \t\r\n\v\u00a0\u202f"  # what may stand around a name and is no part of it
LOOKED_AT = 30  # records among which the header is


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a table is read for: fields, and the sets of them of which one must be there."""

    fields: tuple[str, ...]
    needed: tuple[frozenset[str], ...]
    lacking: str  # what to say of a table without: `has no column of photographs`
    example: str  # a line that would work
    mapping: Mapping[str, str] = field(default_factory=dict)  # the column of a field, as --map gives it


@dataclass(frozen=True, slots=True)
class Row:
    """A row by field, or by the name of the column where that is no field; `problem` says why it cannot be used."""

    line: int
    cells: Mapping[str, str] = field(default_factory=dict)
    problem: str | None = None

    def __getitem__(self, name: str) -> str:
        """Return a cell without the blanks around it; empty where there is none."""
        return self.cells.get(name, "").strip(BLANK)


@dataclass(frozen=True, slots=True)
class Table:
    """A table that was read, with what there is to say of how."""

    path: Path
    columns: Columns
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Header:
    """A record that may be the header: where it stands, and how well it serves."""

    line: int
    columns: Columns
    score: tuple[bool, int, int]
    delimiter: str = ""


def read_table(path: Path, wanted: Wanted) -> Table:
    """Return a table of text or the first sheet of a workbook that has the columns needed.

    Blank lines and titles before the header are passed over; an empty row is no row. Raises BadTable, with the header
    that was seen and a line that would work.
    """
    if path.suffix.lower() in OTHERS:
        raise BadTable(f"{path} is of an unsupported kind of spreadsheet; save it as .xlsx or as CSV UTF-8.")
    if path.suffix.lower() in ENDINGS:
        return _of_workbook(path, wanted)
    decoded = text_of(path)
    return _of_text(path, decoded, wanted)


def text_of(path: Path) -> Decoded:
    """Return the text of a file; raises BadTable where it cannot be read or its encoding cannot be told."""
    try:
        return decode(path.read_bytes(), str(path))
    except OSError as error:
        raise BadTable(f"{path} cannot be read: {error.strerror}.") from error


def _of_text(path: Path, decoded: Decoded, wanted: Wanted) -> Table:
    delimiter, skip = declared(decoded.text)
    headers = [
        found
        for candidate in ([delimiter] if delimiter else DELIMITERS)
        if (found := _header(records(decoded.text, candidate, skip=skip), wanted, candidate)) is not None
    ]
    header = _checked(path, max(headers, key=lambda found: found.score, default=None), wanted)
    notes = [f"read as {decoded.guessed}; save it as CSV UTF-8 if accents look wrong"] if decoded.guessed else []
    if decoded.spoilt:
        notes.append(f"accents were spoilt before, as in {decoded.spoilt!r}; export it again as UTF-8")
    rows = _rows(records(decoded.text, header.delimiter, skip=skip), header)
    return Table(path, header.columns, tuple(rows), (*notes, *_about(header)))


def _of_workbook(path: Path, wanted: Wanted) -> Table:
    """Return the first sheet that has what is needed."""
    filled = [(name, found, header) for name, found in sheets(path) if (header := _header(found, wanted))]
    usable = [sheet for sheet in filled if sheet[2].score[0]]
    if not filled:
        _checked(path, None, wanted)
    name, found, header = (usable or filled)[0]
    _checked(path, header, wanted)
    others = [other for other, _, _ in filled if other != name]
    notes = [f"the sheet {name!r} is read, not {seen(others)}"] if others else []
    return Table(path, header.columns, tuple(_rows(found, header)), (*notes, *_about(header)))


def _header(found: Iterable[Record], wanted: Wanted, delimiter: str = "") -> _Header | None:
    """Return the record among the first that says most as a header; where none has what is needed, the first."""
    best: _Header | None = None
    for line, cells in islice(found, LOOKED_AT):
        if isinstance(cells, str):
            continue
        columns = understood(cells, wanted.fields, wanted.mapping)
        fields = set(columns.fields.values())
        met = any(needed <= fields for needed in wanted.needed)
        candidate = _Header(line, columns, (met, len(fields) if met else 0, len(cells)), delimiter)
        if best is None or (candidate.score[:2] if best.score[0] else candidate.score) > best.score:
            best = candidate
    return best


def _checked(path: Path, header: _Header | None, wanted: Wanted) -> _Header:
    """Return a header that can be used; raises BadTable with what was seen in its place."""
    if header is None:
        raise BadTable(f"{path} is empty. {wanted.example}")
    if header.columns.problem:
        there = seen(header.columns.header)
        way_out = "rename or remove one" + (", or say with --map which counts" if "--map" in wanted.example else "")
        raise BadTable(f"{path} {header.columns.problem}; {way_out}. Line {header.line} has {there}.")
    if not header.score[0]:
        there = seen(header.columns.header)
        raise BadTable(f"{path} {wanted.lacking}; line {header.line} has {there}. {wanted.example}")
    return header


def _about(header: _Header) -> tuple[str, ...]:
    columns = header.columns
    notes = []
    if columns.renamed:
        notes.append(", ".join(columns.renamed))
        if columns.others:
            notes.append(f"kept as they are: {seen(columns.others)}")
    if header.line > 1:
        notes.append(f"the columns are named in line {header.line}")
    return tuple(notes)


def _rows(found: Iterable[Record], header: _Header) -> Iterator[Row]:
    names = header.columns.header
    for line, cells in found:
        if line <= header.line:
            continue
        if isinstance(cells, str):
            yield Row(line, problem=cells)
        elif any(cell.strip() for cell in cells[len(names) :]):
            yield Row(line, problem=f"{len(cells)} cells under {len(names)} columns")
        elif not all(
            tidy(cell) in ("", name) for cell, name in zip(cells, names, strict=False)
        ):  # else the header again, as on each page of a report
            yield Row(line, header.columns.row(cells))
