"""Look up exemplars by the folders that were indexed: those of one, and what others have in common with it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from retrieval.catalogue.among import rows_among
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.distinct import distinct
from retrieval.catalogue.rows import Photo

COLUMNS = ", ".join(Photo.__slots__)


def photo_folders(catalogue: Catalogue) -> list[str]:
    """Return the folders that exemplars lie in, in order."""
    return list(distinct(catalogue.db, "photos", "folder"))


def photos_in(catalogue: Catalogue, folder: str, *, limit: int = -1) -> list[Photo]:
    """Return the exemplars of a folder, or the first of them, ordered by path."""
    sql = f"SELECT {COLUMNS} FROM photos WHERE folder = ? ORDER BY path LIMIT ?"
    return [Photo(*row) for row in catalogue.db.execute(sql, [folder, limit])]


def has_more_photos(catalogue: Catalogue, folder: str, count: int) -> bool:
    """Say whether a folder has more exemplars than so many, without counting on."""
    sql = "SELECT 1 FROM photos WHERE folder = ? LIMIT 1 OFFSET ?"
    return catalogue.db.execute(sql, [folder, count]).fetchone() is not None


def photos_below(catalogue: Catalogue, folder: str, below: str) -> list[Photo]:
    """Return the exemplars of a folder that lie below another one in it, named relative to it."""
    sql = f"SELECT {COLUMNS} FROM photos WHERE folder = ? AND path > ? AND path < ?"
    return [Photo(*row) for row in catalogue.db.execute(sql, [folder, f"{below}/", f"{below}0"])]  # 0 is next to /


def photos_inside(catalogue: Catalogue, folder: str, *, without: Collection[int | None]) -> dict[str, Photo]:
    """Return the exemplars of other folders whose files lie in a folder, by their path in it, `without` some ids.

    Where two have the same file, it is the last by object and folder.
    """
    here = Path(folder)
    found: list[tuple[Photo, str]] = []
    for other in map(Path, photo_folders(catalogue)):
        if other == here:
            continue
        if here.is_relative_to(other):
            between = here.relative_to(other).as_posix()
            below = photos_below(catalogue, str(other), between)
            found += [(photo, photo.path[len(between) + 1 :]) for photo in below]
        elif other.is_relative_to(here):
            between = other.relative_to(here).as_posix()
            found += [(photo, f"{between}/{photo.path}") for photo in photos_in(catalogue, str(other))]
    found.sort(key=lambda item: in_order(item[0]))
    return {path: photo for photo, path in found if photo.photo_id not in without}


def photos_elsewhere(catalogue: Catalogue, folder: str, sha256s: Iterable[str]) -> list[Photo]:
    """Return the exemplars of other folders that have some contents, ordered by object, folder and path."""
    sql = f"SELECT {COLUMNS} FROM photos WHERE sha256 IN ({{marks}}) AND folder <> ?"
    return sorted((Photo(*row) for row in rows_among(catalogue.db, sql, sha256s, folder)), key=in_order)


def photos_of_shared_objects(catalogue: Catalogue, folder: str, object_ids: Iterable[str]) -> list[Photo]:
    """Return the exemplars that other folders have of some objects and of those of a folder, in the same order."""
    shared = f"""SELECT {COLUMNS} FROM photos
                 WHERE object_id IN (SELECT object_id FROM photos WHERE folder = ?) AND folder <> ?"""
    of_some = f"SELECT {COLUMNS} FROM photos WHERE object_id IN ({{marks}}) AND folder <> ?"
    rows = [*catalogue.db.execute(shared, [folder, folder]), *rows_among(catalogue.db, of_some, object_ids, folder)]
    found = {photo.photo_id: photo for photo in (Photo(*row) for row in rows)}
    return sorted(found.values(), key=in_order)


def in_order(photo: Photo) -> tuple[str, str, str]:
    """Return what exemplars are ordered by."""
    return photo.object_id, photo.folder, photo.path
