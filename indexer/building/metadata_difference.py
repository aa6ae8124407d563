"""Compare what a table says with what the catalogue knows of its objects, and lose no status in silence."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from indexer.inputs.choice import NONE
from indexer.inputs.metadata import Metadata, describe_objects
from indexer.inputs.scan import FoundFile, SkippedItem
from retrieval.catalogue.among import batches, rows_among
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.changes import metadata_of
from retrieval.catalogue.rows import Photo
from retrieval.catalogue.standing import ENTRY_FIELDS, FORGERY_OF

KEPT = ("status", FORGERY_OF, *ENTRY_FIELDS)


@dataclass(frozen=True, slots=True)
class MetadataDifference:
    """The metadata of objects that differs from the catalogue's, the rows that fit nothing, the statuses kept."""

    metadata: Mapping[str, Mapping[str, str]]
    bad_rows: tuple[SkippedItem, ...]
    kept: tuple[str, ...]


def compare_metadata(
    catalogue: Catalogue, table: Metadata, found: Sequence[FoundFile], taken: Collection[str], put: Sequence[Photo]
) -> MetadataDifference:
    """Return what a table changes of the objects `taken`; `put` are the photographs that are new, or of another object.

    A status goes only where the row of its object has an empty cell for it, or where there shall be no table: that of
    an object that the table no longer speaks of, or whose photographs now are another object's, is kept.
    """
    inherited = _inherited(catalogue, put)
    is_empty = table.name != NONE and not table.rows and not table.skipped
    described, bad_rows = ({}, list[SkippedItem]()) if is_empty else describe_objects(table, found)
    wanted: dict[str, Mapping[str, str]] = {}
    kept: list[str] = []
    for some in batches(sorted(inherited.keys() & taken if is_empty else taken)):
        known = metadata_of(catalogue.db, some)
        for object_id in some:
            old = known.get(object_id, {})
            new: Mapping[str, str] = old if is_empty else described.get(object_id, {})
            before = old if "status" in old else inherited.get(object_id, {})
            silent = table.name != NONE and not (table.has_status and (is_empty or object_id in described))
            if "status" in before and "status" not in new and silent:
                new = {**new, **{name: before[name] for name in KEPT if name in before}}
                kept.append(_stays(object_id, before["status"]))
            if new != old:
                wanted[object_id] = new
    return MetadataDifference(wanted, tuple(bad_rows), tuple(kept))


def _stays(object_id: str, status: str) -> str:
    return (
        f"{object_id} stays {status!r}, as the table no longer says; "
        "an empty cell under `status` in its row takes it away"
    )


def _inherited(catalogue: Catalogue, put: Sequence[Photo]) -> dict[str, Mapping[str, str]]:
    """Return, by the object that photographs now belong to, what was known of the one that they belonged to."""
    sql = "SELECT photo_id, object_id FROM photos WHERE photo_id IN ({marks})"
    moving = (photo.photo_id for photo in put if photo.photo_id is not None)
    before = dict(rows_among(catalogue.db, sql, moving))
    moved = [(photo.object_id, before[photo.photo_id]) for photo in put if photo.photo_id in before]
    moved = [(new, old) for new, old in moved if new != old]
    known = metadata_of(catalogue.db, [old for _, old in moved])
    return {new: known[old] for new, old in moved if "status" in known.get(old, {})}
