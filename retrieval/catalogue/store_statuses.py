"""Keep the statuses of objects beside the vectors of a store, and put them again where they changed.

The database itself notes the contents of which the statuses changed, in `status_changes`, whoever writes its tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from retrieval.catalogue.among import rows_among
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.key_of_content import hashes_of_key
from retrieval.catalogue.milvus_collection import STATUS_BYTES, STATUSES_AT_MOST
from retrieval.catalogue.status_words import ALARMS, understood

if TYPE_CHECKING:
    from retrieval.catalogue.milvus import MilvusVectors


def stored_form(text: str) -> str:
    """Return a status as a store has it: the beginning of one that is very long."""
    return text.encode(errors="replace")[:STATUS_BYTES].decode(errors="ignore")


def statuses_of(catalogue: Catalogue, keys: Iterable[int]) -> Mapping[int, tuple[str, ...]]:
    """Return the statuses of the objects that contents show, by their keys, of those that show one with a status.

    They are as they are written, those that raise an alarm first, and no more than a store keeps.
    """
    if catalogue.db.execute("SELECT 1 FROM objects WHERE status > '' LIMIT 1").fetchone() is None:
        return {}
    sql = """SELECT DISTINCT o.status FROM photos p JOIN objects o ON o.object_id = p.object_id
             WHERE p.sha256 >= ? AND p.sha256 < ? AND o.status > ''"""
    rows = ((key, catalogue.db.execute(sql, hashes_of_key(key)).fetchall()) for key in keys)
    return {key: _kept([text for (text,) in found]) for key, found in rows if found}


def _kept(texts: Sequence[str]) -> tuple[str, ...]:
    ordered = sorted(texts, key=lambda text: (understood(text.strip()).status not in ALARMS, text))
    return tuple(dict.fromkeys(map(stored_form, ordered)))[:STATUSES_AT_MOST]


def agree(catalogue: Catalogue, store: MilvusVectors, keys: Sequence[int]) -> bool:
    """Say whether a store has the statuses of some contents as the catalogue has them, but for those noted."""
    wanted, found = statuses_of(catalogue, keys), store.statuses(keys)
    differing = (key for key in keys if set(wanted.get(key, ())) != set(found.get(key, ())))
    noted = "SELECT 1 FROM status_changes WHERE sha256 >= ? AND sha256 < ?"
    return all(catalogue.db.execute(noted, hashes_of_key(key)).fetchone() for key in differing)


def not_put_yet(catalogue: Catalogue, hashes: Iterable[str]) -> list[str]:
    """Return those of some contents of which a store does not know the statuses as they now are."""
    sql = "SELECT sha256 FROM status_changes WHERE sha256 IN ({marks})"
    if not has_changes(catalogue):
        return []
    return [sha256 for (sha256,) in rows_among(catalogue.db, sql, hashes)]


def count_outdated(catalogue: Catalogue) -> int:
    """Return of how many contents at most a store may have statuses that they no longer have."""
    tables = ("status_changes", "left_behind")
    return sum(int(catalogue.db.execute(f"SELECT count(*) FROM {name}").fetchone()[0]) for name in tables)


def forget_changes(catalogue: Catalogue, keys: Iterable[int]) -> None:
    """Forget what was noted of contents that are put, in the transaction that names their segment."""
    if has_changes(catalogue):
        sql = "DELETE FROM status_changes WHERE sha256 >= ? AND sha256 < ?"
        catalogue.db.conn.executemany(sql, map(hashes_of_key, keys))


def has_changes(catalogue: Catalogue) -> bool:
    """Say whether anything is noted."""
    return catalogue.db.execute("SELECT 1 FROM status_changes LIMIT 1").fetchone() is not None
