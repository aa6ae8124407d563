"""Find some rows of the catalogue, without reading all."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.database import LARGEST
from retrieval.catalogue.key_of_content import hashes_of_key
from retrieval.catalogue.rows import Object, Photo
from retrieval.catalogue.statuses import Statuses


def photo_of(catalogue: Catalogue, photo_id: int) -> Photo | None:
    """Return the exemplar of an id; None where there is none."""
    if photo_id > LARGEST:
        return None
    sql = f"SELECT {', '.join(Photo.__slots__)} FROM photos WHERE photo_id = ?"
    return next((Photo(**row) for row in catalogue.db.query(sql, [photo_id])), None)


def photos_of_content(catalogue: Catalogue, key: int) -> list[Photo]:
    """Return the exemplars that have the content of a key, ordered by object, folder and path."""
    sql = f"""SELECT {", ".join(Photo.__slots__)} FROM photos WHERE sha256 >= ? AND sha256 < ?
              ORDER BY object_id, folder, path"""
    return [Photo(**row) for row in catalogue.db.query(sql, hashes_of_key(key))]


def exemplar_of(catalogue: Catalogue, object_id: str, file: str | None) -> Photo | None:
    """Return the exemplar of an object that lies in a file; None where there is none now."""
    return next((photo for photo in catalogue.photos(object_id) if file and photo.file == Path(file)), None)


def exemplars_named(catalogue: Catalogue, names: Collection[str]) -> list[Path]:
    """Return the files of exemplars that have one of some names, case folded, in whatever folder."""
    rows = catalogue.db.execute("SELECT folder, path FROM photos")
    return [Path(folder) / path for folder, path in rows if path.rpartition("/")[2].casefold() in names]


def objects_of(catalogue: Catalogue, object_ids: Iterable[str]) -> list[Object]:
    """Return the objects of some ids in their order; raises UnknownObject."""
    return [catalogue.object(object_id) for object_id in object_ids]


def has_object(catalogue: Catalogue, object_id: str) -> bool:
    """Say whether there is an object of an id, without looking for ids that are like it."""
    return catalogue.db.execute("SELECT 1 FROM objects WHERE object_id = ?", [object_id]).fetchone() is not None


def alarming_objects(catalogue: Catalogue) -> list[Object]:
    """Return the objects that are stolen, missing or known forgeries; of others, not even the status is read."""
    statuses = Statuses.of(catalogue)
    ids = (object_id for status in statuses.alarming for object_id in statuses.ids(status))
    return objects_of(catalogue, sorted(ids))


def count_skipped(catalogue: Catalogue, *, gone: Collection[str] = ()) -> int:
    """Return how many files the last index of each folder left out, of folders that are gone none."""
    rows = catalogue.db.execute("SELECT folder, count(*) FROM skipped GROUP BY folder")
    return sum(count for folder, count in rows if folder not in gone)
