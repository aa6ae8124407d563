"""Say what an index run would do with a folder, without decoding a photograph or writing anything."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from indexer.building.difference import Difference, compare_folder, objects_taken, plan_encoding
from indexer.building.metadata_difference import MetadataDifference, compare_metadata
from indexer.building.reading import Asked, Reading, read_folder
from indexer.building.understood import Understood, understand
from indexer.inputs.metadata import describe_objects
from indexer.inputs.scan import FoundFile, SkippedItem
from indexer.inputs.walk import LeftOut
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.database import DATABASE, is_up_to_date
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
        catalogued = catalogue.photos() if catalogue else []
        scan = reading.scan(catalogued)
        rows = {photo.path: photo for photo in catalogued if photo.folder == str(reading.folder)}
        plan = plan_encoding(reading.folder, scan.found, rows, _encoded(catalogue))
        unread = [item.path for item in (*scan.skipped, *plan.skipped)]
        contents = plan.contents | {item.path: _unknown(item) for item in plan.to_encode}
        difference, claims = compare_folder(
            str(reading.folder), scan.found, contents, catalogued, unread=unread, prune=False, scanned_ns=scanned_ns
        )
        taken = objects_taken(scan.found, contents, claims, rows)
        known = _metadata(catalogue, reading, scan.found, taken, difference)
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


def _opened(data: Path) -> AbstractContextManager[Catalogue | None]:
    return Catalogue.reading(data) if (data / DATABASE).is_file() else nullcontext()


def _encoded(catalogue: Catalogue | None) -> dict[str, Content]:
    encoder = catalogue.encoder if catalogue else None
    return catalogue.encoded(encoder.fingerprint, encoder.dim) if catalogue and encoder else {}


def _unknown(item: FoundFile) -> Content:
    """Return what stands for the content of a file that is not hashed: like no other."""
    return Content(f"not hashed: {item.path}", item.bytes, 0, 0)


def _metadata(
    catalogue: Catalogue | None,
    reading: Reading,
    found: tuple[FoundFile, ...],
    taken: set[str],
    difference: Difference,
) -> MetadataDifference:
    if catalogue is None:
        described, bad_rows = describe_objects(reading.table, found)
        return MetadataDifference(described, tuple(bad_rows), ())
    return compare_metadata(catalogue, reading.table, found, taken, difference.changes.put)
