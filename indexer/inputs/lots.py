"""Read which photographs are to be screened: a folder, a list of files, or a CSV file of lots."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote

from indexer.inputs.object_names import ObjectNames
from indexer.inputs.photo_names import PhotosBeside, is_address, no_photo, on_disk
from indexer.inputs.walk import LeftOut, walk_folder
from indexer.tables.table import BLANK, Table, Wanted, read_table, text_of
from indexer.tables.table import SUFFIXES as TABLES_AND_LISTS
from retrieval.errors import BadTable
from retrieval.photographs.kinds import SUFFIXES

PHOTO, CLAIM = "photo", "claim"
FIELDS = (PHOTO, "lot", "sale", "house", CLAIM, "maker", "url", "title")  # what --map may name
WANTED = Wanted(
    FIELDS,
    (frozenset([PHOTO]),),
    "has no column of photographs",
    "Name it `photo` in the first line, as in `photo,lot,claim`, or say which it is: --map photo=COLUMN.",
)
TABLES = tuple(suffix for suffix in TABLES_AND_LISTS if suffix != ".txt")
SALE = ("house", "sale")  # columns that together tell one sale from another
OFFER = (*SALE, "lot")  # columns that together tell one offer, and all its photographs, from another


class BadLots(BadTable):
    """A source of photographs that cannot be used."""


@dataclass(frozen=True, slots=True)
class Lot:
    """A photograph to be screened, with what a CSV file says of it; `problem` says why it cannot even be opened."""

    path: Path
    columns: Mapping[str, str] | None = None  # as they are, empty ones left out; None: not from a CSV file
    problem: str | None = None
    picture: int | None = None  # of a file of several
    pictures: int = 1  # that the file has
    folder: str | None = None  # below the folder that is screened
    line: int | None = None  # of the table or list

    @property
    def thing(self) -> str | None:
        """What all photographs of one thing have in common: their offer in a table, or their folder; None: nothing."""
        offer = [(self.columns or {}).get(name, "") for name in OFFER]
        return json.dumps(offer) if offer[-1] else self.folder

    @property
    def key(self) -> str:
        """What tells this input from every other one of its source."""
        page = "" if self.picture is None else f"#{self.picture}"
        return str(self.path) + page + (json.dumps(self.columns, sort_keys=True) if self.columns else "")

    @property
    def claim(self) -> str | None:
        """The object that the photograph is said to show, as the table writes it."""
        return (self.columns or {}).get(CLAIM)


def read_lots(
    source: Path,
    *,
    beside: Path | None = None,
    exclude: Collection[str] = (),
    mapping: Mapping[str, str] | None = None,
    on_left_out: Callable[[LeftOut], None] = lambda left_out: None,
    on_note: Callable[[str], None] = lambda note: None,
) -> Iterator[Lot]:
    """Yield the photographs of a source, in its order.

    A folder is searched through, but for what `exclude` names, and it is told how much is left out of it; a table has
    a column of photographs, perhaps one `claim` and any others; any other text file names a photograph a line. Files
    are named relative to `beside`, else to the folder of the table. `mapping` names the column of a field. Raises
    BadTable.
    """
    if source.is_dir():
        return _below(source, exclude, on_left_out)
    if not source.is_file():
        raise BadLots(f"There is no folder or file {source}. Name the folder that holds the photographs.")
    if source.suffix.lower() in SUFFIXES:
        raise BadLots(f"{source} is one photograph. `artifact query {quote(str(source))}` judges it.")
    table = _table(source, mapping or {})
    if table is None:
        return _lines(beside or source.parent, _list_text(source))
    for note in (*table.notes, *([] if table.rows else ["there is no row below its columns"])):
        on_note(f"{source.name}: {note}")
    return _rows(source.name, beside or source.parent, table)


def _table(source: Path, mapping: Mapping[str, str]) -> Table | None:
    """Return the table that a file holds; None for a list, which any file may be that has no suffix of a table."""
    wanted = replace(WANTED, mapping=mapping)
    if source.suffix.lower() in TABLES:
        return read_table(source, wanted)
    try:
        table = read_table(source, wanted)
    except BadTable:
        return None
    return table if len(table.columns.header) > 1 or table.columns.header[0].casefold() == PHOTO else None


def _list_text(source: Path) -> str:
    try:
        return text_of(source).text
    except BadTable as error:
        raise BadLots(f"{source} is no list of photographs. {error}") from error


def _below(folder: Path, exclude: Collection[str], on_left_out: Callable[[LeftOut], None]) -> Iterator[Lot]:
    walk = walk_folder(folder, exclude=exclude)
    on_left_out(walk.left_out)
    for name, item in walk.photographs:
        below = name.rpartition("/")[0] or None
        yield Lot(folder / name, problem=item if isinstance(item, str) else None, folder=below)


def _rows(name: str, folder: Path, table: Table) -> Iterator[Lot]:
    """Yield the photographs of a table of a name, whose files are named relative to a folder."""
    beside = PhotosBeside(folder)
    for row in table.rows:
        where = f"{name} line {row.line}"
        columns = {name: text for name, cell in row.cells.items() if name != PHOTO and (text := cell.strip())}
        if row.problem is not None:
            yield Lot(folder / where, problem=row.problem)
        elif not row[PHOTO]:
            yield Lot(folder / where, columns, f"{where} names no photo")
        else:
            paths, problems = beside.named(row.cells[PHOTO])
            yield from (Lot(_tidy(path), columns, line=row.line) for path in paths)
            if not paths and problems[0].startswith(no_photo("")):  # as reading will say
                yield Lot(_located(folder, row.cells[PHOTO].strip()), columns, line=row.line)
            else:
                yield from (Lot(folder / where, columns, f"{where}: {problem}") for problem in problems)


def _lines(folder: Path, text: str) -> Iterator[Lot]:
    """Yield the photographs of a list; a line that begins with `# ` is a comment, `#12.jpg` a photograph."""
    for number, line in enumerate(text.splitlines(), 1):
        name = line.strip(BLANK)
        if not name or name.startswith("# ") or not name.strip("#"):
            continue
        found = on_disk(folder, name)
        address = f"{name} is an address, not a file" if found is None and is_address(name) else None
        path = _tidy(found) if found is not None else _located(folder, name)
        yield Lot(path, problem=address, line=number)


def _located(folder: Path, name: str) -> Path:
    """Return the file that a table names relative to a folder; a name that no file can have leads to no file."""
    return _tidy(folder / name.replace("\0", "\ufffd"))


def _tidy(path: Path) -> Path:
    return Path(os.path.normpath(path))


class Claims:
    """Finds the object that a claim means."""

    def __init__(self, accessions: Mapping[str, str]) -> None:
        """`accessions` holds the accession number, "" where none is known, of every object id."""
        self._names = ObjectNames(accessions)

    def object_id(self, claim: str) -> str:
        """Return the object whose id or accession number a claim is; raises BadLots where there is none, or several."""
        meant = self._names.meant(claim)
        if len(meant) == 1:
            return meant[0]
        why = f"is that of {', '.join(sorted(meant)[:3])}" if meant else "is not in the catalogue"
        raise BadLots(f"object {claim} {why}")
