"""Read `catalogue.csv`: what is known of each object, and which photographs are its own."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from indexer.inputs.names import composed
from indexer.inputs.scan import FoundFile, SkippedItem
from retrieval.errors import BadMetadata

NAME = "catalogue.csv"
KEYS = ("object_id", "photo")


@dataclass(frozen=True, slots=True)
class MetadataRow:
    """A row: it names an object, or one photograph of it, or both, which gives the photograph to the object."""

    line: int
    object_id: str
    photo: str
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a `catalogue.csv` that can be used, and the lines that cannot."""

    rows: tuple[MetadataRow, ...] = ()
    skipped: tuple[SkippedItem, ...] = ()

    @property
    def named(self) -> dict[str, str]:
        """The object id that the table gives to each photograph; the accents of its path are composed."""
        return {row.photo: row.object_id for row in self.rows if row.photo and row.object_id}


def read_table(folder: Path) -> Table:
    """Return the `catalogue.csv` of a folder, empty where there is none; raises BadMetadata when it is no table."""
    path = folder / NAME
    if not path.exists():
        return Table()
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise BadMetadata(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadMetadata(f"{path} is not UTF-8 text (byte {error.start}); save it as CSV UTF-8") from error
    return _parse(text, path)


def _parse(text: str, path: Path) -> Table:
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    rows: list[MetadataRow] = []
    skipped: list[SkippedItem] = []
    try:
        header = [name.strip() for name in next(reader, [])]
        if not set(KEYS) & set(header):
            raise BadMetadata(f"{path} has no column object_id or photo; its first line must name the columns")
        for name in set(filter(None, header)):
            if header.count(name) > 1:
                raise BadMetadata(f"{path} has two columns named {name}; rename one of them")
        for row in _rows(reader, header):
            (rows if isinstance(row, MetadataRow) else skipped).append(row)  # type: ignore[arg-type]
    except csv.Error as error:
        raise BadMetadata(f"{path} line {reader.line_num}: {error}") from error
    return _without_repeats(rows, skipped)


def _rows(reader: Iterator[list[str]], header: list[str]) -> Iterator[MetadataRow | SkippedItem]:
    line = reader.line_num + 1  # type: ignore[attr-defined]
    for cells in reader:
        start, line = line, reader.line_num + 1  # type: ignore[attr-defined]
        if not any(cells):
            continue
        if len(cells) > len(header):
            yield _bad(start, f"{len(cells)} cells under {len(header)} columns")
            continue
        values = dict(zip(header, cells, strict=False))
        object_id, photo = (composed(values.pop(key, "").strip()) for key in KEYS)
        if not object_id and not photo:
            yield _bad(start, "names neither an object_id nor a photo")
            continue
        metadata = {name: value for name, value in values.items() if name and value}
        yield MetadataRow(start, object_id, str(PurePosixPath(photo)) if photo else "", metadata)


def _bad(line: int, reason: str) -> SkippedItem:
    return SkippedItem(f"{NAME} line {line}", reason)


def _without_repeats(rows: list[MetadataRow], skipped: list[SkippedItem]) -> Table:
    lines: dict[tuple[str, str], int] = {}
    given: dict[str, MetadataRow] = {}
    kept: list[MetadataRow] = []
    for row in rows:
        first = lines.setdefault((row.object_id, row.photo), row.line)
        giver = given.setdefault(row.photo, row) if row.photo and row.object_id else row
        if first != row.line:
            skipped.append(_bad(row.line, f"names {row.object_id or row.photo} again, after line {first}"))
        elif giver.object_id != row.object_id:
            reason = f"gives {row.photo} to {row.object_id}, but line {giver.line} to {giver.object_id}"
            skipped.append(_bad(row.line, reason))
        else:
            kept.append(row)
    return Table(tuple(kept), tuple(skipped))


def describe_objects(table: Table, found: Collection[FoundFile]) -> tuple[dict[str, dict[str, str]], list[SkippedItem]]:
    """Return the metadata of each object in the folder, and the rows that fit nothing there.

    Several rows of one object are joined; where they differ, the first says what holds and the others are named.
    """
    owner = {composed(item.path): item.object_id for item in found}
    objects = set(owner.values())
    described: dict[str, dict[str, str]] = {}
    bad = list(table.skipped)
    for row in table.rows:
        object_id = owner.get(row.photo, "") if row.photo else row.object_id
        if object_id not in objects or not object_id:
            what = f"photo {row.photo}" if row.photo else f"object {row.object_id}"
            bad.append(_bad(row.line, f"there is no {what} in this folder"))
            continue
        known = described.setdefault(object_id, {})
        clashes = [name for name, value in row.metadata.items() if known.get(name, value) != value]
        if clashes:
            bad.append(_bad(row.line, f"{object_id} already has another {', '.join(clashes)}"))
        described[object_id] = dict(row.metadata) | known
    return described, bad
