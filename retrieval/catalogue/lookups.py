"""Find single rows of the catalogue."""

from __future__ import annotations

from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.rows import Photo


def photo_of(catalogue: Catalogue, photo_id: int) -> Photo | None:
    """Return the exemplar of an id; None where there is none."""
    sql = f"SELECT {', '.join(Photo.__slots__)} FROM photos WHERE photo_id = ?"
    return next((Photo(**row) for row in catalogue.db.query(sql, [photo_id])), None)
