"""Say what an index run would do with a folder, without decoding a photograph or writing anything."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlite_utils import Database

from indexer.building.difference import Difference, compare_folder, objects_taken, plan_encoding
from indexer.building.metadata_difference import compare_metadata
from indexer.building.other_folders import OtherFolders
from indexer.building.reading import Asked, read_folder
from indexer.building.understood import Understood, understand
from indexer.inputs.scan import FoundFile, SkippedItem
from indexer.inputs.walk import LeftOut
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.contents import EncodedContents
from retrieval.catalogue.database import DATABASE, is_up_to_date
from retrieval.catalogue.folder_photos import photos_in
from retrieval.catalogue.migrations import MIGRATIONS
from retrieval.catalogue.rows import Content
from retrieval.errors import CatalogueBusy


@dataclass(frozen=True, slots=True)
class Preview:
    """What an index run would do, as far as can be told without decoding; files are named relative to the folder."""

    understood: Understood
    to_encode: int
    difference: Difference
    excluded: tuple[str, ...]  # of those that are gone: there perhaps, but left out now
    skipped: tuple[SkippedItem, ...]
    left_out: LeftOut
    table_notes: tuple[str, ...]
    warnings: tuple[str, ...]


def preview_catalogue(folder: Path, data: Path, asked: Asked) -> Preview:
    """Return what `build_catalogue` would do; raises ArtifactError where it would refuse to begin.

    Raises CatalogueBusy for a catalogue of an earlier version, which cannot be opened without a change.
    """
    scanned_ns = time.time_ns()
    if (data / DATABASE).is_file() and not is_up_to_date(data):
        raise CatalogueBusy(
            f"The catalogue in {data} is of an earlier version, and --dry-run changes nothing. "
            "`artifact status` brings it up to date."
        )
    reading = read_folder(folder, data, asked)
    with _opened(data) as catalogue:
        others = OtherFolders(catalogue, str(reading.folder))
        rows = {photo.path: photo for photo in photos_in(catalogue, others.folder)}
        scan = reading.scan(rows)
        plan = plan_encoding(reading.folder, scan.found, rows, EncodedContents.of(catalogue))
        unread = [item.path for item in (*scan.skipped, *plan.skipped)]
        contents = plan.contents | {item.path: _unknown(item) for item in plan.to_encode}
        difference, claims = compare_folder(
            others, scan.found, contents, rows, unread=unread, prune=False, scanned_ns=scanned_ns
        )
        taken = objects_taken(scan.found, contents, claims, rows)
        known = compare_metadata(catalogue, reading.table, scan.found, taken, difference.changes.put)
    return Preview(
        understood=understand(reading, scan),
        to_encode=len(plan.to_encode),
        difference=difference,
        excluded=reading.excluded(difference.gone),
        skipped=(*scan.skipped, *plan.skipped, *claims, *known.bad_rows),
        left_out=scan.left_out,
        table_notes=reading.table.notes,
        warnings=(*reading.table.warnings, *known.kept),
    )


@contextmanager
def _opened(data: Path) -> Iterator[Catalogue]:
    """Open the catalogue to read it; where there is none, an empty one that is in memory only."""
    if (data / DATABASE).is_file():
        with Catalogue.reading(data) as catalogue:
            yield catalogue
        return
    with closing(sqlite3.connect(":memory:")) as connection:
        database = Database(connection, execute_plugins=False)
        MIGRATIONS.apply(database)
        yield Catalogue(database, data)


def _unknown(item: FoundFile) -> Content:
    """Return what stands for the content of a file that is not hashed: like no other."""
    return Content(f"not hashed: {item.path}", item.bytes, 0, 0)
