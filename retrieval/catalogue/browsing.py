"""Go through the objects of a catalogue page by page, all or those of a status."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.near_ids import LAST
from retrieval.catalogue.status_words import Status, understood


@dataclass(frozen=True, slots=True)
class StatusCount:
    """How many objects have a status, and how the status is written."""

    status: Status | None  # None: what is written means none that is known
    texts: tuple[str, ...]
    count: int


def status_counts(catalogue: Catalogue) -> list[StatusCount]:
    """Return the statuses that objects have, the loudest first."""
    found: dict[Status | None, list[tuple[str, int]]] = {}
    sql = "SELECT status, count(*) FROM objects WHERE status > '' GROUP BY status ORDER BY status"
    for text, count in catalogue.db.execute(sql):
        found.setdefault(understood(text).status, []).append((text, count))
    counts = [
        StatusCount(status, tuple(text for text, _ in rows), sum(count for _, count in rows))
        for status, rows in found.items()
    ]
    order = [*Status, None]
    return sorted(counts, key=lambda item: order.index(item.status))


def ids_after(catalogue: Catalogue, after: str = "", *, limit: int, statuses: Sequence[str] | None = None) -> list[str]:
    """Return the ids that come after one, in order; `statuses` leaves only objects with one of these, as written."""
    where, values = _of(statuses)
    sql = f"SELECT object_id FROM objects WHERE object_id > ?{where} ORDER BY object_id LIMIT ?"
    return [object_id for (object_id,) in catalogue.db.execute(sql, [after, *values, limit])]


def ids_beginning(catalogue: Catalogue, start: str, *, limit: int) -> list[str]:
    """Return the first ids that begin with a text, in order."""
    sql = "SELECT object_id FROM objects WHERE object_id BETWEEN ? AND ? ORDER BY object_id LIMIT ?"
    return [object_id for (object_id,) in catalogue.db.execute(sql, [start, start + LAST, limit])]


def ids_before(catalogue: Catalogue, before: str, *, limit: int, statuses: Sequence[str] | None = None) -> list[str]:
    """Return the ids that come just before one, in order."""
    where, values = _of(statuses)
    sql = f"SELECT object_id FROM objects WHERE object_id < ?{where} ORDER BY object_id DESC LIMIT ?"
    return [object_id for (object_id,) in catalogue.db.execute(sql, [before, *values, limit])][::-1]


def _of(statuses: Sequence[str] | None) -> tuple[str, Sequence[str]]:
    if statuses is None:
        return "", ()
    return f" AND status IN ({', '.join('?' * len(statuses))})", statuses


def first_photos(catalogue: Catalogue, object_ids: Iterable[str]) -> dict[str, int]:
    """Return the first exemplar of some objects, by its id."""
    sql = "SELECT photo_id FROM photos WHERE object_id = ? ORDER BY folder, path LIMIT 1"
    rows = {object_id: catalogue.db.execute(sql, [object_id]).fetchone() for object_id in object_ids}
    return {object_id: row[0] for object_id, row in rows.items() if row}
