"""Read photographs with what they truly show, to be evaluated against a catalogue."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from indexer.inputs.labels import COLUMNS, GROUP, LABELS, BadLabels, read_labels
from indexer.inputs.names import composed
from indexer.inputs.object_names import ObjectNames
from indexer.inputs.photo_names import PhotosBeside, is_file
from indexer.inputs.walk import is_passed_over
from indexer.tables.table import Row, Wanted, read_table
from retrieval.catalogue.rows import Photo
from retrieval.photographs.kinds import SUFFIXES

MUSEUM, PAIRS = ("photo", "catalogue_ids"), ("a", "b")
WANTED = Wanted(
    (*COLUMNS, GROUP, *MUSEUM, *PAIRS),
    (frozenset(COLUMNS), frozenset(MUSEUM), frozenset(PAIRS)),
    "must have the columns photo,catalogue_ids or photo,object_id,label or a,b",
    "Name them in its first line: photo,catalogue_ids.",
)
NONE = "none"
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Query:
    """A photograph and the catalogued objects on it; a photograph of a copy shows none."""

    path: Path
    objects: frozenset[str]  # genuine ones; empty: an unknown work, or a copy
    copy_of: str | None = None
    group: str = ""  # photographs of one group depend on each other


def check_source(source: Path) -> None:
    """Raise BadLabels for what can be no source of photographs with their truth."""
    if not source.is_dir() and (not source.is_file() or source.suffix.lower() in SUFFIXES):
        raise BadLabels(f"There is no table {source}. Name a CSV file of photographs with what they show.")


def read_queries(
    source: Path,
    exemplars: Mapping[str, Sequence[Photo]],
    *,
    on_note: Callable[[str], None] = lambda note: None,
) -> list[Query]:
    """Return the photographs that a CSV file names, with their truth, in one of three forms.

    `photo,catalogue_ids`: ids separated by spaces, or `none` for an unknown work. `a,b`: two photographs of one work,
    of which b is an exemplar of the catalogue; each is asked for where the other is one. `photo,object_id,label`: 1 or
    `genuine`, 0 or `forgery`; without an object_id, or with one of no catalogued object, an unknown work. `source` may
    also be a folder as `artifact train` takes it. Photographs lie beside the file, or in one folder beside it. A
    number stands for the one id that is the same number, as 7 for 007. Raises BadLabels, with all problems in one line.
    """
    if source.is_dir():
        return _from_folder(source, exemplars)
    check_source(source)
    table = read_table(source, WANTED)
    for note in table.notes:
        on_note(f"{source.name}: {note}")
    forms = {COLUMNS: _labelled, MUSEUM: _shown, PAIRS: _pair}
    fields = set(table.columns.fields.values())
    read = next(reader for columns, reader in forms.items() if set(columns) <= fields)
    files, ids = _Files(source), _Ids(exemplars)
    queries: dict[Path, Query] = {}
    problems: list[str] = []
    for row in table.rows:
        if row.problem is not None:
            problems.append(f"line {row.line}: {row.problem}")
            continue
        try:
            for query in read(row, files, ids):
                known = queries.get(query.path)
                if known is not None and read is not _pair:
                    raise BadLabels(f"{query.path.name} stands already above")
                shown = query.objects | (known.objects if known else frozenset())
                queries[query.path] = replace(query, objects=shown)
        except BadLabels as problem:
            problems.append(f"line {row.line}: {problem}")
    _refuse(source, problems, queries.values())
    return list(queries.values())


def _refuse(source: Path, problems: Sequence[str], found: Collection[Query]) -> None:
    if problems:
        more = f"; and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        raise BadLabels(f"{source} cannot be used: {'; '.join(problems[:SHOWN])}{more}. Correct it and run again.")
    if not any(query.objects for query in found):
        raise BadLabels(f"{source} names no genuine photograph of an object of the catalogue.")


def _from_folder(source: Path, exemplars: Mapping[str, Sequence[Photo]]) -> list[Query]:
    photos = read_labels(source).photos
    found = [_query(photo.path, photo.object_id, photo.genuine, photo.group, exemplars) for photo in photos]
    _refuse(source, [], found)
    return found


def _query(path: Path, object_id: str, genuine: bool, group: str, known: Container[str]) -> Query:
    """Return a labelled photograph; one of an object that is not in the catalogue shows an unknown work."""
    if object_id not in known:
        return Query(path, frozenset(), group=group)
    return Query(path, frozenset({object_id} if genuine else ()), None if genuine else object_id, group)


def _labelled(row: Row, files: _Files, ids: _Ids) -> Iterator[Query]:
    label = row["label"].casefold()
    if label not in LABELS:
        raise BadLabels(f"label {label!r} is neither 1 (genuine) nor 0 (forgery)")
    object_id = composed(row["object_id"])
    yield _query(files.named(row["photo"]), object_id, LABELS[label], row["group"], ids.known)


def _shown(row: Row, files: _Files, ids: _Ids) -> Iterator[Query]:
    text = row["catalogue_ids"]
    if not text:
        raise BadLabels(f"no catalogue_ids; an unknown work is {NONE!r}")
    whole = ids.names.meant(text)
    named = [] if text.casefold() == NONE else whole if len(whole) == 1 else re.split(r"[\s;|,]+", text)
    shown = frozenset(ids.named(name) for name in named if name)
    yield Query(files.named(row["photo"]), shown, group=row["group"])


def _pair(row: Row, files: _Files, ids: _Ids) -> Iterator[Query]:
    one, other = (files.named(row[name]) for name in PAIRS)
    asked = [
        Query(photo, frozenset({object_id}), group=f"{one.name} {other.name}")
        for photo, exemplar in ((one, other), (other, one))
        if (object_id := ids.of_exemplar(exemplar)) is not None
    ]
    if not asked:
        raise BadLabels(f"neither {one.name} nor {other.name} is an exemplar; index the folder that holds them")
    yield from asked


class _Files:
    """Finds the photographs that a file names."""

    def __init__(self, source: Path) -> None:
        self.folder = source.parent
        self.beside = PhotosBeside(self.folder)
        below = [
            Path(entry.path) for entry in os.scandir(self.folder) if entry.is_dir() and not is_passed_over(entry.name)
        ]
        self.places = [self.folder, *sorted(below, key=lambda folder: (folder.name != source.stem, folder.name))]

    def named(self, name: str) -> Path:
        """Return the file of that name, beside the table or in a folder beside it; raises BadLabels."""
        if not name:
            raise BadLabels("no photo")
        found = next((place / name for place in self.places if is_file(place / name)), None)
        if found is not None:
            return found
        paths, problems = self.beside.named(name)
        if len(paths) != 1 or problems:
            raise BadLabels("; ".join(problems) or f"{name} names several photographs")
        return paths[0]


class _Ids:
    """Finds the objects that a file names."""

    def __init__(self, exemplars: Mapping[str, Sequence[Photo]]) -> None:
        self.known = exemplars.keys()
        self.names = ObjectNames(dict.fromkeys(exemplars, ""))
        self.files = {photo.file.resolve(): photo.object_id for photos in exemplars.values() for photo in photos}

    def named(self, name: str) -> str:
        """Return the object of that id; raises BadLabels."""
        meant = self.names.meant(name)
        if len(meant) != 1:
            raise BadLabels(f"object {name} {'may be ' + ' or '.join(meant) if meant else 'is not in the catalogue'}")
        return meant[0]

    def of_exemplar(self, path: Path) -> str | None:
        """Return the object that a file is an exemplar of."""
        return self.files.get(path.resolve())
