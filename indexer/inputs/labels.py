"""Read which photographs are genuine, which are forgeries, and of which object."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from indexer.inputs.metadata import choose_metadata, read_metadata
from indexer.inputs.names import composed
from indexer.inputs.photo_names import PhotosBeside
from indexer.inputs.scan import FoundFile, SkippedItem, scan_folder
from indexer.inputs.walk import walk_folder
from indexer.tables.table import Row, Wanted, read_table
from retrieval.errors import BadTable
from retrieval.photographs.kinds import SUFFIXES
from retrieval.statistics.metrics import tied_groups

COLUMNS = ("photo", "object_id", "label")
GROUP = "group"
WANTED = Wanted(
    (*COLUMNS, GROUP),
    (frozenset(COLUMNS),),
    "must have one column each of photo, object_id and label",
    "Name them in its first line: photo,object_id,label.",
)
GENUINE = ("1", "genuine", "authentic", "original", "echt", "authentique", "autentico", "auténtico")
FORGERY = ("0", "forgery", "forged", "fake", "copy", "fälschung", "faux", "falso")
LABELS = dict.fromkeys(GENUINE, True) | dict.fromkeys(FORGERY, False)
BEGINNINGS = {"genuine": True, "forgery": False, "forgeries": False}  # of the names in the folder of an object
SHOWN = 5  # problems that one message names


class BadLabels(BadTable):
    """Labels that cannot be used; the message names the first lines, files or objects that are wrong."""


@dataclass(frozen=True, slots=True)
class LabelledPhoto:
    """A photograph of an object, or of a forgery of it.

    Photographs of one `group` depend on each other, as crops of one photograph or frames of one film do.
    """

    path: Path
    object_id: str
    genuine: bool
    group: str = ""


@dataclass(frozen=True, slots=True)
class LabelledPhotos:
    """Labelled photographs; every object has a genuine one."""

    photos: tuple[LabelledPhoto, ...]
    skipped: tuple[SkippedItem, ...] = ()  # of a folder, as `artifact index` skips them
    notes: tuple[str, ...] = ()  # how the table was read

    @property
    def object_ids(self) -> tuple[str, ...]:
        """The ids of the objects, in the order in which they first appear."""
        return tuple(dict.fromkeys(photo.object_id for photo in self.photos))

    @property
    def genuine_count(self) -> int:
        """The number of genuine photographs."""
        return sum(photo.genuine for photo in self.photos)

    @property
    def forgery_count(self) -> int:
        """The number of photographs of forgeries."""
        return len(self.photos) - self.genuine_count

    @property
    def summary(self) -> str:
        """The counts in words, such as `12 objects, 30 genuine photographs, 10 forgeries`."""
        objects = _count(len(self.object_ids), "object", "objects")
        genuine = _count(self.genuine_count, "genuine photograph", "genuine photographs")
        return f"{objects}, {genuine}, {_count(self.forgery_count, 'forgery', 'forgeries')}"


def dependent_groups(photos: Iterable[tuple[Iterable[str], str]]) -> list[str]:
    """Return for each photograph, given the objects on it and its `group`, which of them depend on each other."""
    shown = {
        str(number): [*(f"object {object_id}" for object_id in objects), *([f"group {group}"] if group else [])]
        for number, (objects, group) in enumerate(photos)
    }
    return list(tied_groups(shown).values())


def read_labels(source: Path) -> LabelledPhotos:
    """Return the labelled photographs of a table or of a folder, whose layout is detected.

    A table is a CSV file `photo,object_id,label`: photographs relative to its folder, label 1 or `genuine`, 0 or
    `forgery` (of that object); a column `group` may name photographs that depend on each other. A folder holds
    `OBJECT/genuine*` and `OBJECT/forgery*`, files or folders; or it is one that `artifact index` takes, and all of it
    is genuine. Raises BadLabels, with all problems in one line. Whether the photographs can be decoded is not looked
    at.
    """
    if source.is_dir():
        return _from_folder(source)
    if not source.is_file():
        raise BadLabels(f"There is no {source}. Name a CSV file of labels, or a folder of photographs.")
    if source.suffix.lower() in SUFFIXES:
        raise BadLabels(f"{source} is one photograph. Name a CSV file of labels, or a folder of photographs.")
    return _from_table(source)


def _from_table(source: Path) -> LabelledPhotos:
    photos: dict[str, tuple[int, LabelledPhoto]] = {}
    problems: list[str] = []
    table = read_table(source, WANTED)
    beside = PhotosBeside(source.parent)
    for row in table.rows:
        found, wrong = _labelled(row, beside)
        problems += [f"line {row.line}: {problem}" for problem in wrong]
        for photo in found:
            first, known = photos.setdefault(os.path.normpath(photo.path), (row.line, photo))
            if known is not photo:
                problems.append(f"line {row.line}: {photo.path.name} {_repeated(known, photo)} in line {first}")
    return _checked(source, [photo for _, photo in photos.values()], problems, notes=table.notes)


def _labelled(row: Row, beside: PhotosBeside) -> tuple[list[LabelledPhoto], Sequence[str]]:
    """Return the photographs of a row, and what is wrong with it."""
    if row.problem is not None:
        return [], [row.problem]
    photo, object_id, label = (row[name] for name in COLUMNS)
    if not photo:
        return [], ["no photo"]
    if not object_id:
        return [], ["no object_id"]
    if label.casefold() not in LABELS:
        return [], [f"label {label!r} is neither 1 (genuine) nor 0 (forgery)"]
    paths, problems = beside.named(photo)
    genuine = LABELS[label.casefold()]
    return [LabelledPhoto(path, composed(object_id), genuine, row[GROUP]) for path in paths], problems


def _repeated(known: LabelledPhoto, photo: LabelledPhoto) -> str:
    if known.object_id != photo.object_id:
        return f"is given to {photo.object_id}, but to {known.object_id}"
    if known.genuine != photo.genuine:
        return f"is labelled {_word(photo.genuine)}, but {_word(known.genuine)}"
    return "stands already"


def _word(genuine: bool) -> str:
    return "genuine" if genuine else "forgery"


def _from_folder(source: Path) -> LabelledPhotos:
    choice = choose_metadata(source)
    table = read_metadata(choice, [path for path, _ in walk_folder(source).photographs] if choice.table else [])
    scan = scan_folder(source, named=table.named)
    if not scan.found:
        raise BadLabels(f"There is no photograph in {source}. Name the folder that holds them, or a CSV file.")
    if any(_is_label(_top(item)) for item in scan.found):
        raise BadLabels(
            f"{source} sorts its photographs by label, not by object. Make a folder for each object and put them into "
            "OBJECT/genuine and OBJECT/forgery, or write a CSV file photo,object_id,label."
        )
    labels = [_label(item) for item in scan.found]
    if all(label is None for label in labels):  # a catalogue
        labels = [True] * len(labels)
    photos = [
        LabelledPhoto(source / item.path, item.object_id, label)
        for item, label in zip(scan.found, labels, strict=True)
        if label is not None
    ]
    return _checked(source, photos, _unlabelled(scan.found, labels), (*scan.skipped, *table.skipped), table.notes)


def _top(item: FoundFile) -> str:
    parts = PurePosixPath(item.path).parts
    return parts[0] if len(parts) > 1 else PurePosixPath(item.path).stem


def _is_label(name: str) -> bool:
    """Say whether a name is a label and perhaps a number, so that it cannot name an object."""
    return re.sub(r"[\W\d_]+$", "", name.casefold()) in BEGINNINGS


def _label(item: FoundFile) -> bool | None:
    """Return whether the name of a file or folder in an object's folder begins with `genuine` or with `forgery`."""
    parts = PurePosixPath(item.path.casefold()).parts
    named = [genuine for name, genuine in BEGINNINGS.items() if len(parts) > 1 and parts[1].startswith(name)]
    return named[0] if named else None


def _unlabelled(found: Sequence[FoundFile], labels: Sequence[bool | None]) -> list[str]:
    return [
        f"{item.path} is neither OBJECT/genuine* nor OBJECT/forgery*, as other files are"
        for item, label in zip(found, labels, strict=True)
        if label is None
    ]


def _checked(
    source: Path,
    photos: Sequence[LabelledPhoto],
    problems: Sequence[str],
    skipped: tuple[SkippedItem, ...] = (),
    notes: tuple[str, ...] = (),
) -> LabelledPhotos:
    """Return the photographs, or raise BadLabels where there are problems, or objects without a genuine one."""
    genuine = {photo.object_id for photo in photos if photo.genuine}
    without = sorted({photo.object_id for photo in photos} - genuine)
    problems = problems or [f"object {object_id} has forgeries but no genuine photograph" for object_id in without]
    if problems:
        more = f"; and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        raise BadLabels(f"{source} cannot be used: {'; '.join(problems[:SHOWN])}{more}. Correct it and run again.")
    if not photos:
        raise BadLabels(f"{source} names no photograph. Give each its line: photo,object_id,label.")
    return LabelledPhotos(tuple(photos), skipped, notes)


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
