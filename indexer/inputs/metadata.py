"""Read the table of a folder: what is known of each object, and which photographs are its own."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from indexer.inputs.choice import Choice, choose_table
from indexer.inputs.names import composed
from indexer.inputs.object_names import ObjectNames
from indexer.inputs.photo_names import PhotoNames, no_photo
from indexer.inputs.scan import FoundFile, SkippedItem
from indexer.inputs.status_columns import alarm_columns, alarms_elsewhere, status_of
from indexer.tables.table import Row, Table, Wanted
from retrieval.catalogue.rows import FIELDS
from retrieval.catalogue.standing import ENTRY_FIELDS, FORGERY_OF
from retrieval.catalogue.status_words import ALARMS, understood

RECORD = "record_number"  # names an object where nothing better does
KEYS = ("object_id", "photo")
TABLE_FIELDS = (*KEYS, *FIELDS, FORGERY_OF, *ENTRY_FIELDS, RECORD)  # what --map may name


@dataclass(frozen=True, slots=True)
class MetadataRow:
    """A row: it names an object, or photographs of it, or both, which gives the photographs to the object."""

    line: int
    object_id: str
    photos: tuple[str, ...]  # relative to the folder, their accents composed
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Metadata:
    """The rows of a table that can be used, the lines that cannot, and what there is to say of it."""

    name: str = ""  # of the file; `none` where there shall be none
    rows: tuple[MetadataRow, ...] = ()
    skipped: tuple[SkippedItem, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    has_status: bool = False  # an empty cell then says that an object has none
    gone: str = ""  # the table of the last time, which is not there

    @property
    def named(self) -> dict[str, str]:
        """The object id that the table gives to each photograph; the accents of its path are composed."""
        return {photo: row.object_id for row in self.rows if row.object_id for photo in row.photos}


def choose_metadata(
    folder: Path, *, asked: str | None = None, kept: str = "", mapping: Mapping[str, str] | None = None
) -> Choice:
    """Return the table of a folder: the one `asked` for, else the one `kept` from the last time, else what is there.

    `mapping` names the column of a field. Raises BadTable where it cannot be used, and where there are several.
    """
    example = (
        "Name the columns in its first line, as in `object_id,title,status`, or say which: --map object_id=COLUMN."
    )
    ways = tuple(frozenset([name]) for name in (*KEYS, "accession", RECORD))
    wanted = Wanted(TABLE_FIELDS, ways, "has no column of objects or photographs", example, mapping or {})
    return choose_table(folder, wanted, asked=asked, kept=kept)


def read_metadata(choice: Choice, photographs: Iterable[str]) -> Metadata:
    """Return what the table of a folder says, given the photographs there."""
    if choice.table is not None:
        return _understood(choice, choice.table, PhotoNames(lambda: photographs))
    warnings = list(choice.warnings)
    if choice.gone:
        warnings.append(f"{choice.gone} is gone: what it said stays as it was; --table none forgets it")
    return Metadata(choice.name, notes=choice.notes, warnings=tuple(warnings), gone=choice.gone)


def _understood(choice: Choice, table: Table, names: PhotoNames) -> Metadata:
    alarms = alarm_columns(table.columns)
    rows: list[MetadataRow] = []
    skipped: list[SkippedItem] = []
    for row in table.rows:
        where = f"{choice.name} line {row.line}"
        if row.problem is not None:
            skipped.append(SkippedItem(where, row.problem))
            continue
        found = names.named(row["photo"])
        skipped += [SkippedItem(where, _in_this_folder(problem)) for problem in found.problems]
        object_id = _object_id(row, table)
        if object_id or found.paths:
            photos = tuple(composed(path) for path in found.paths)
            rows.append(MetadataRow(row.line, object_id, photos, _metadata(row, table, alarms)))
        elif not found.problems:
            skipped.append(SkippedItem(where, "names neither an object_id nor a photo"))
    has_status = "status" in table.columns.fields.values() or bool(alarms)
    warnings = (*choice.warnings, *alarms_elsewhere(choice.name, table))
    kept, clashing = _without_clashes(choice.name, rows)
    return Metadata(choice.name, tuple(kept), (*skipped, *clashing), choice.notes, warnings, has_status)


def _in_this_folder(problem: str) -> str:
    return f"{problem} in this folder" if problem.startswith(no_photo("")) else problem


def _object_id(row: Row, table: Table) -> str:
    """Return what names the object: its id, else its accession number, else the number of its record."""
    fields = table.columns.fields.values()
    key = next((name for name in ("object_id", "accession", RECORD) if name in fields), "")
    return composed(row[key])


def _metadata(row: Row, table: Table, alarms: Sequence[str]) -> dict[str, str]:
    """Return what a row says of its object, empty cells left out; alarms of columns of their own are its status."""
    own = {field: table.columns.header[place] for place, field in table.columns.fields.items()}
    values = {
        own.get(name, name) if name == RECORD else name: value
        for name, value in row.cells.items()
        if name not in KEYS and row[name]
    }
    status = status_of(row, alarms)
    return values | ({"status": status} if status else {})


def _without_clashes(name: str, rows: list[MetadataRow]) -> tuple[list[MetadataRow], list[SkippedItem]]:
    """Give each photograph to the object that the first row gives it to, and say which rows give it to another."""
    given: dict[str, MetadataRow] = {}
    kept: list[MetadataRow] = []
    skipped: list[SkippedItem] = []
    for row in rows:
        clashing = {
            photo: given[photo]
            for photo in row.photos
            if row.object_id and given.setdefault(photo, row).object_id != row.object_id
        }
        for photo, giver in clashing.items():
            reason = f"gives {photo} to {row.object_id}, but line {giver.line} to {giver.object_id}"
            skipped.append(SkippedItem(f"{name} line {row.line}", reason))
        kept.append(replace(row, photos=tuple(photo for photo in row.photos if photo not in clashing)))
    return kept, skipped


def describe_objects(
    table: Metadata, found: Collection[FoundFile]
) -> tuple[dict[str, dict[str, str]], list[SkippedItem]]:
    """Return the metadata of each object in the folder, and the rows that fit nothing there.

    Several rows of one object are joined; where they differ, the first says what holds and the others are named, but
    of two statuses the one that raises an alarm holds.
    """
    owner = {composed(item.path): item.object_id for item in found}
    names = ObjectNames(dict.fromkeys(owner.values(), ""))
    described: dict[str, dict[str, str]] = {}
    bad = list(table.skipped)
    for row in table.rows:
        objects, problem = _objects(row, owner, names)
        if problem:
            bad.append(SkippedItem(f"{table.name} line {row.line}", problem))
        for object_id in objects:
            known = described.setdefault(object_id, {})
            clashes = [name for name, value in row.metadata.items() if known.get(name, value) != value]
            if clashes:
                reason = f"{object_id} already has another {', '.join(clashes)}"
                bad.append(SkippedItem(f"{table.name} line {row.line}", reason))
            louder = (
                {"status": row.metadata["status"]} if "status" in clashes and _is_louder(row.metadata, known) else {}
            )
            described[object_id] = dict(row.metadata) | known | louder
    return described, bad


def _objects(row: MetadataRow, owner: Mapping[str, str], names: ObjectNames) -> tuple[list[str], str]:
    """Return the objects that a row describes, or why it describes none."""
    owners = list(dict.fromkeys(owner[photo] for photo in row.photos if photo in owner))
    if owners:
        return owners, ""
    for name in filter(None, (row.object_id, row.metadata.get("accession", ""))):
        meant = names.meant(name)
        if len(meant) > 1:
            return [], f"{name} may be {' or '.join(meant[:3])}"
        if meant:
            return meant, ""
    what = f"object {row.object_id}" if row.object_id else f"photo {row.photos[0]}"
    return [], f"there is no {what} in this folder"


def _is_louder(new: Mapping[str, str], known: Mapping[str, str]) -> bool:
    return understood(new["status"]).status in ALARMS and understood(known["status"]).status not in ALARMS
