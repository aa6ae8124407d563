"""Put contents into a store again where the statuses of what they show changed, once the database says so."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from retrieval.catalogue.among import do_among
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.key_of_content import content_key
from retrieval.catalogue.segment_contents import pages_of
from retrieval.catalogue.store import open_store, put_into, store_of
from retrieval.catalogue.store_statuses import has_changes
from retrieval.errors import StoreAway

if TYPE_CHECKING:
    from retrieval.catalogue.milvus import MilvusVectors


def put_statuses(catalogue: Catalogue) -> None:
    """Put again what was noted and is there, in steps; where the store is away, a later run goes on.

    Without a store nothing need be noted: whatever goes into one later is put with the statuses that it then has.
    """
    if not has_changes(catalogue):
        return
    address = store_of(catalogue)
    if address is None:
        with catalogue.db.atomic():
            catalogue.db.execute("DELETE FROM status_changes")
        return
    with suppress(StoreAway), open_store(catalogue, address, to_read=True) as store:
        for page in pages_of(catalogue, "status_changes"):
            _put_again(catalogue, store, [content_key(sha256) for sha256 in page])
            with catalogue.db.atomic():
                do_among(catalogue.db, "DELETE FROM status_changes WHERE sha256 IN ({marks})", page)


def _put_again(catalogue: Catalogue, store: MilvusVectors, keys: list[int]) -> None:
    """Put the vectors that a store has of some keys, as they are there, with the statuses that they now have."""
    if found := store.get(keys):
        put_into(catalogue, store, [(np.array(list(found), np.int64), np.stack(list(found.values())))])
