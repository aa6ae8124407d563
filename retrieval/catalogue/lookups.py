"""Find some rows of the catalogue, without reading all."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from retrieval.catalogue.among import rows_among
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.database import LARGEST
from retrieval.catalogue.rows import Object, Photo
from retrieval.catalogue.status_words import ALARMS, understood


def photo_of(catalogue: Catalogue, photo_id: int) -> Photo | None:
    """Return the exemplar of an id; None where there is none."""
    if photo_id > LARGEST:
        return None
    sql = f"SELECT {', '.join(Photo.__slots__)} FROM photos WHERE photo_id = ?"
    return next((Photo(**row) for row in catalogue.db.query(sql, [photo_id])), None)


def exemplar_of(catalogue: Catalogue, object_id: str, file: str | None) -> Photo | None:
    """Return the exemplar of an object that lies in a file; None where there is none now."""
    return next((photo for photo in catalogue.photos(object_id) if file and photo.file == Path(file)), None)


def objects_of(catalogue: Catalogue, object_ids: Iterable[str]) -> list[Object]:
    """Return the objects of some ids in their order; raises UnknownObject."""
    return [catalogue.object(object_id) for object_id in object_ids]


def has_object(catalogue: Catalogue, object_id: str) -> bool:
    """Say whether there is an object of an id, without looking for ids that are like it."""
    return catalogue.db.execute("SELECT 1 FROM objects WHERE object_id = ?", [object_id]).fetchone() is not None


def said_statuses(catalogue: Catalogue) -> list[str]:
    """Return the statuses that objects have, as they are written, each once."""
    sql = """WITH RECURSIVE said(status) AS (  -- each status once, by leaps through the index
                 SELECT min(status) FROM objects WHERE status > ''
                 UNION ALL SELECT (SELECT min(status) FROM objects WHERE status > said.status) FROM said
                           WHERE said.status IS NOT NULL)
             SELECT status FROM said WHERE status IS NOT NULL"""
    return [status for (status,) in catalogue.db.execute(sql)]


def count_saying(catalogue: Catalogue, status: str) -> int:
    """Return how many objects have a status that is written so."""
    return int(catalogue.db.execute("SELECT count(*) FROM objects WHERE status = ?", [status]).fetchone()[0])


def first_saying(catalogue: Catalogue, statuses: Iterable[str], limit: int) -> list[tuple[str, str]]:
    """Return the first objects that have some statuses, as they are written, and which, by their ids."""
    sql = "SELECT object_id, status FROM objects WHERE status IN ({marks}) ORDER BY object_id LIMIT ?"
    return sorted(rows_among(catalogue.db, sql, statuses, limit))[:limit]


def alarming_objects(catalogue: Catalogue) -> list[Object]:
    """Return the objects that are stolen, missing or known forgeries; of others, not even the status is read."""
    alarming = [text for text in said_statuses(catalogue) if understood(text).status in ALARMS]
    ids = rows_among(catalogue.db, "SELECT object_id FROM objects WHERE status IN ({marks})", alarming)
    return list(catalogue.objects([object_id for (object_id,) in ids]))
