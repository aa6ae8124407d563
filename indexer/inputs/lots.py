"""Read which photographs are to be screened: a folder, a list of files, or a CSV file of lots."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from indexer.inputs.csv_rows import BadLabels, read_rows
from indexer.inputs.names import composed
from indexer.inputs.walk import LeftOut, walk_folder
from retrieval.errors import ArtifactError
from retrieval.photographs.kinds import SUFFIXES

PHOTO, CLAIM = "photo", "claim"
OFFER = ("house", "sale", "lot")  # columns that together tell one offer, and all its photographs, from another


class BadLots(ArtifactError):
    """A source of photographs that cannot be used."""


@dataclass(frozen=True, slots=True)
class Lot:
    """A photograph to be screened, with what a CSV file says of it; `problem` says why it cannot even be opened."""

    path: Path
    columns: Mapping[str, str] | None = None  # as they are, empty ones left out; None: not from a CSV file
    problem: str | None = None

    @property
    def key(self) -> str:
        """What tells this input from every other one of its source."""
        return str(self.path) + (json.dumps(self.columns, sort_keys=True) if self.columns else "")

    @property
    def claim(self) -> str | None:
        """The object that the photograph is said to show, as the table writes it."""
        return (self.columns or {}).get(CLAIM)


def read_lots(
    source: Path, *, exclude: Collection[str] = (), on_left_out: Callable[[LeftOut], None] = lambda left_out: None
) -> Iterator[Lot]:
    """Yield the photographs of a source, in its order.

    A folder is searched through, but for what `exclude` names, and it is told how much is left out of it; a CSV file
    has a column `photo`, perhaps one `claim` and any others; any other text file names a photograph a line. Files are
    named relative to the folder of the table. Raises BadLots.
    """
    if source.is_dir():
        return _below(source, exclude, on_left_out)
    if not source.is_file():
        raise BadLots(f"There is no folder or file {source}. Name the folder that holds the photographs.")
    if source.suffix.lower() in SUFFIXES:
        raise BadLots(f"{source} is one photograph. `artifact query {source}` judges it.")
    return _rows(source) if source.suffix.lower() in (".csv", ".tsv") else _lines(source)


def _below(folder: Path, exclude: Collection[str], on_left_out: Callable[[LeftOut], None]) -> Iterator[Lot]:
    walk = walk_folder(folder, exclude=exclude)
    on_left_out(walk.left_out)
    for name, item in walk.photographs:
        yield Lot(folder / name, problem=item if isinstance(item, str) else None)


def _rows(source: Path) -> Iterator[Lot]:
    try:
        header, rows = read_rows(source)
    except BadLabels as error:
        raise BadLots(str(error)) from error
    if header.count(PHOTO) != 1:
        raise BadLots(f"{source} must have one column `{PHOTO}`, named in line 1.")
    return _of_rows(source, rows)


def _of_rows(source: Path, rows: Iterator[tuple[int, dict[str, str] | str]]) -> Iterator[Lot]:
    for line, row in rows:
        where = f"{source.name} line {line}"
        if isinstance(row, str):
            yield Lot(source.parent / where, problem=row)
            continue
        columns = {name: value for name, value in row.items() if name and value and name != PHOTO}
        photo = row.get(PHOTO, "")
        if not photo:
            yield Lot(source.parent / where, columns, f"{where} names no photo")
        else:
            yield Lot(_located(source, photo), columns)


def _lines(source: Path) -> Iterator[Lot]:
    try:
        lines = source.read_bytes().decode("utf-8-sig").splitlines()
    except OSError as error:
        raise BadLots(f"{source} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadLots(f"{source} is no list of photographs: it is not UTF-8 text (byte {error.start})") from error
    return (Lot(_located(source, line.strip())) for line in lines if line.strip() and not line.startswith("#"))


def _located(source: Path, name: str) -> Path:
    """Return the file that a table names; a name that no file can have leads to no file."""
    return Path(os.path.normpath(source.parent / name.replace("\0", "\ufffd")))


class Claims:
    """Finds the object that a claim means."""

    def __init__(self, accessions: Mapping[str, str]) -> None:
        """`accessions` holds the accession number, "" where none is known, of every object id."""
        self._known = accessions.keys()
        self._by_text: dict[str, list[str]] = {}
        for object_id, accession in accessions.items():
            for text in {object_id.casefold(), accession.casefold(), object_id.casefold().lstrip("0")} - {""}:
                self._by_text.setdefault(text, []).append(object_id)

    def object_id(self, claim: str) -> str:
        """Return the object whose id or accession number a claim is; raises BadLots where there is none, or several."""
        name = composed(claim)
        if name in self._known:
            return name
        meant = self._by_text.get(name.casefold()) or self._by_text.get(name.casefold().lstrip("0"), [])
        if len(meant) == 1:
            return meant[0]
        why = f"is that of {', '.join(sorted(meant)[:3])}" if meant else "is not in the catalogue"
        raise BadLots(f"object {claim} {why}")
