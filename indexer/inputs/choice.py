"""Choose the table of a folder of photographs, and never pass one over without a word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from indexer.tables.columns import seen
from indexer.tables.table import SUFFIXES, Table, Wanted, read_table
from indexer.tables.workbook import OTHERS
from retrieval.errors import BadTable

NAME = "catalogue.csv"
FEW = 5  # text files beyond which they are notes on photographs
NONE = "none"  # in place of a table: there shall be none
OURS = (  # columns of labels, queries, lots and verdicts: those are no catalogues
    {"photo", "object_id", "label"},
    {"photo", "catalogue_ids"},
    {"photo", "claim"},
    {"photo", "outcome"},
)


@dataclass(frozen=True, slots=True)
class Choice:
    """The table of a folder, by its name there, what there is to say of it, and the table that is gone."""

    name: str = ""
    table: Table | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    gone: str = ""


def choose_table(folder: Path, wanted: Wanted, *, asked: str | None = None, kept: str = "") -> Choice:
    """Return the table asked for, else that of the last time, else `catalogue.csv`, else the only one that serves.

    Raises BadTable where the table cannot be used, and where there are several and none is asked for.
    """
    asked = None if asked is None else _place(folder, asked)
    name = kept if asked is None else asked
    there = _tables(folder)
    if name == NONE:
        warnings = [f"{other} is not read, as --table none says; --table {quote(other)} reads it" for other in there]
        return Choice(NONE, warnings=tuple(warnings))
    if asked and not (folder / asked).is_file():
        raise BadTable(f"There is no table {folder / asked}. There are: {seen(there)}.")
    if name and (folder / name).is_file():
        return _chosen(folder, name, there, wanted)
    own = [other for other in there if other.casefold() == NAME]
    if own:
        return _chosen(folder, own[0], there, wanted)
    found = _only(folder, there, wanted)
    if not name:
        return found
    if found.table is None:
        return Choice(gone=name, warnings=found.warnings)
    return Choice(found.name, found.table, (f"{name} is gone", *found.notes), found.warnings)


def _place(folder: Path, asked: str) -> str:
    """Return how a table is named in the folder, whether it was named from there or from the current directory."""
    file = Path(asked)
    if asked in ("", NONE) or (folder / file).is_file() or not file.is_file():
        return asked
    file = file.resolve()
    return file.name if file.parent == folder.resolve() else str(file)


def _tables(folder: Path) -> list[str]:
    """Return the names of what may be tables, at the top of a folder."""
    try:
        names = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith((".", "~$")))
    except OSError:
        return []
    suffixes = (*SUFFIXES, *OTHERS)
    found = [name for name in names if name.lower().endswith(suffixes) and (folder / name).exists()]
    notes = [name for name in found if _may_be_notes(name)]
    return [name for name in found if name not in notes] if len(notes) > FEW else found


def _may_be_notes(name: str) -> bool:
    return name.lower().endswith(".txt")


def _chosen(folder: Path, name: str, there: Sequence[str], wanted: Wanted) -> Choice:
    table = read_table(folder / name, wanted)
    others = [other for other in there if other != name and not _may_be_notes(other)]
    warnings = [f"{other} is not read, but {name}; --table {quote(other)} reads it" for other in others]
    return Choice(name, table, table.notes, tuple(warnings))


def _only(folder: Path, there: Sequence[str], wanted: Wanted) -> Choice:
    """Return the one table of a folder that serves; raises BadTable where several do."""
    usable: dict[str, Table] = {}
    unusable: dict[str, str] = {}
    for name in there:
        try:
            table = read_table(folder / name, wanted)
            if _may_be_notes(name) and len(table.columns.header) == 1:
                continue
            if any(columns <= set(table.columns.header) for columns in OURS):
                unusable[name] = f"{name} is not read: its columns are none of a catalogue"
            else:
                usable[name] = table
        except BadTable as error:
            if not _may_be_notes(name):
                unusable[name] = f"{name} is not read: {error}"
    if len(usable) > 1:
        first = quote(next(iter(usable)))
        raise BadTable(
            f"{folder} holds several tables: {seen(list(usable))}. Name one, as in --table {first}, or --table none."
        )
    for name, table in usable.items():
        return Choice(
            name, table, (f"{name} is read for what is known of the objects", *table.notes), tuple(unusable.values())
        )
    return Choice(warnings=tuple(unusable.values()))
