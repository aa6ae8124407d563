"""Say which objects are looked for among what was seen, and what makes a search for one a new search."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from retrieval.catalogue.among import rows_among
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.lookups import alarming_objects
from retrieval.catalogue.standing import Register
from retrieval.judging.edition import Edition


def wanted_objects(catalogue: Catalogue) -> dict[str, str]:
    """Return every stolen or missing object, with what makes a search for it a new one: its status, its exemplars."""
    register = Register.of(alarming_objects(catalogue))
    contents: dict[str, list[str]] = {object_id: [] for object_id in filter(register.is_wanted, register.standings)}
    sql = "SELECT object_id, sha256 FROM photos WHERE object_id IN ({marks})"
    for object_id, sha256 in rows_among(catalogue.db, sql, contents):
        contents[object_id].append(sha256)
    return {
        object_id: f"{register.standing(object_id).status} {_hash_of(hashes)}"
        for object_id, hashes in contents.items()
        if hashes
    }


def wanted_since(edition: Edition, wanted: Iterable[str]) -> list[str]:
    """Return the objects that are stolen or missing, and were not when an edition was opened."""
    return [object_id for object_id in wanted if not edition.register.is_wanted(object_id)]


def _hash_of(hashes: Iterable[str]) -> str:
    return hashlib.sha256(" ".join(sorted(set(hashes))).encode()).hexdigest()
