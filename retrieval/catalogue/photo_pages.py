"""Go through the exemplars of a catalogue page by page, or take some of them by chance."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.rows import Photo

AT_ONCE = 4096  # exemplars
_COLUMNS = ", ".join(Photo.__slots__)


def photo_pages(catalogue: Catalogue, *, size: int = AT_ONCE) -> Iterator[list[Photo]]:
    """Yield all exemplars, ordered by object, folder and path; between two pages nothing is being read."""
    sql = f"""SELECT {_COLUMNS} FROM photos WHERE (object_id, folder, path) > (?, ?, ?)
              ORDER BY object_id, folder, path LIMIT ?"""
    last = ("", "", "")
    while page := [Photo(**row) for row in catalogue.db.query(sql, [*last, size])]:
        yield page
        last = (page[-1].object_id, page[-1].folder, page[-1].path)


def some_photos(catalogue: Catalogue, count: int, *, chance: Random) -> list[Photo]:
    """Return some exemplars taken by chance, all where there are no more, in the order of their ids."""
    sql = "SELECT (SELECT min(photo_id) FROM photos), (SELECT max(photo_id) FROM photos), (SELECT count(*) FROM photos)"
    first, last, there = catalogue.db.execute(sql).fetchone()
    few = there <= count
    places = [(first or 0, there)] if few else [(place, 1) for place in chance.sample(range(first, last + 1), count)]
    sql = f"SELECT {_COLUMNS} FROM photos WHERE photo_id >= ? ORDER BY photo_id LIMIT ?"
    found = [Photo(**row) for place in sorted(places) for row in catalogue.db.query(sql, place)]
    return list({photo.photo_id: photo for photo in found}.values())
