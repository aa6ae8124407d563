"""Read photographs with what they truly show, to be evaluated against a catalogue."""

from __future__ import annotations

import os
from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from indexer.inputs.csv_rows import BadLabels, read_rows
from indexer.inputs.labels import COLUMNS, LABELS, is_file, read_labels
from indexer.inputs.names import composed
from indexer.inputs.walk import is_passed_over
from retrieval.catalogue.rows import Photo
from retrieval.photographs.kinds import SUFFIXES

MUSEUM, PAIRS = ("photo", "catalogue_ids"), ("a", "b")
NONE = "none"
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Query:
    """A photograph and the catalogued objects on it; a photograph of a copy shows none."""

    path: Path
    objects: frozenset[str]  # genuine ones; empty: an unknown work, or a copy
    copy_of: str | None = None
    group: str = ""  # photographs of one group depend on each other


def read_queries(source: Path, exemplars: Mapping[str, Sequence[Photo]]) -> list[Query]:
    """Return the photographs that a CSV file names, with their truth, in one of three forms.

    `photo,catalogue_ids`: ids separated by spaces, or `none` for an unknown work. `a,b`: two photographs of one work,
    of which b is an exemplar of the catalogue; each is asked for where the other is one. `photo,object_id,label`: 1 or
    `genuine`, 0 or `forgery`; without an object_id, or with one of no catalogued object, an unknown work. `source` may
    also be a folder as `artifact train` takes it. Photographs lie beside the file, or in one folder beside it. A
    number stands for the one id that is the same number, as 7 for 007. Raises BadLabels, with all problems in one line.
    """
    if source.is_dir():
        return _from_folder(source, exemplars)
    if not source.is_file() or source.suffix.lower() in SUFFIXES:
        raise BadLabels(f"There is no table {source}. Name a CSV file of photographs with what they show.")
    header, rows = read_rows(source)
    forms = {COLUMNS: _labelled, MUSEUM: _shown, PAIRS: _pair}
    read = next((reader for columns, reader in forms.items() if set(columns) <= set(header)), None)
    if read is None:
        raise BadLabels(
            f"{source} must have the columns photo,catalogue_ids or photo,object_id,label or a,b, named in line 1."
        )
    files, ids = _Files(source), _Ids(exemplars)
    queries: dict[Path, Query] = {}
    problems: list[str] = []
    for line, row in rows:
        if isinstance(row, str):
            problems.append(f"line {line}: {row}")
            continue
        try:
            for query in read(row, files, ids):
                known = queries.get(query.path)
                if known is not None and read is not _pair:
                    raise BadLabels(f"{query.path.name} stands already above")
                shown = query.objects | (known.objects if known else frozenset())
                queries[query.path] = replace(query, objects=shown)
        except BadLabels as problem:
            problems.append(f"line {line}: {problem}")
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


def _labelled(row: Mapping[str, str], files: _Files, ids: _Ids) -> Iterator[Query]:
    label = row.get("label", "").casefold()
    if label not in LABELS:
        raise BadLabels(f"label {label!r} is neither 1 (genuine) nor 0 (forgery)")
    object_id = composed(row.get("object_id", ""))
    yield _query(files.named(row.get("photo", "")), object_id, LABELS[label], row.get("group", ""), ids.known)


def _shown(row: Mapping[str, str], files: _Files, ids: _Ids) -> Iterator[Query]:
    named = [] if row.get("catalogue_ids", "").casefold() == NONE else row.get("catalogue_ids", "").split()
    if not named and row.get("catalogue_ids", "").casefold() != NONE:
        raise BadLabels(f"no catalogue_ids; an unknown work is {NONE!r}")
    shown = frozenset(ids.named(name) for name in named)
    yield Query(files.named(row.get("photo", "")), shown, group=row.get("group", ""))


def _pair(row: Mapping[str, str], files: _Files, ids: _Ids) -> Iterator[Query]:
    one, other = (files.named(row.get(name, "")) for name in PAIRS)
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
        below = [
            Path(entry.path) for entry in os.scandir(self.folder) if entry.is_dir() and not is_passed_over(entry.name)
        ]
        self.places = [self.folder, *sorted(below, key=lambda folder: (folder.name != source.stem, folder.name))]

    def named(self, name: str) -> Path:
        """Return the file of that name, beside the table or in a folder beside it; raises BadLabels."""
        if not name:
            raise BadLabels("no photo")
        found = next((place / name for place in self.places if is_file(place / name)), None)
        if found is None:
            raise BadLabels(f"there is no photo {name}")
        return found


class _Ids:
    """Finds the objects that a file names."""

    def __init__(self, exemplars: Mapping[str, Sequence[Photo]]) -> None:
        self.known = exemplars.keys()
        self.numbers: dict[int, list[str]] = {}
        for object_id in exemplars:
            if object_id.isdecimal():
                self.numbers.setdefault(int(object_id), []).append(object_id)
        self.files = {photo.file.resolve(): photo.object_id for photos in exemplars.values() for photo in photos}

    def named(self, name: str) -> str:
        """Return the object of that id; raises BadLabels."""
        name = composed(name)
        if name in self.known:
            return name
        same = self.numbers.get(int(name), []) if name.isdecimal() else []
        if len(same) != 1:
            raise BadLabels(f"object {name} is not in the catalogue")
        return same[0]

    def of_exemplar(self, path: Path) -> str | None:
        """Return the object that a file is an exemplar of."""
        return self.files.get(path.resolve())
