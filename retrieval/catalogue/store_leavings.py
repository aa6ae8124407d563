"""Take out of a store the vectors of contents that no segment holds any more, once the database says so."""

from __future__ import annotations

import json
from contextlib import suppress

import numpy as np

from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.segments import segments_of
from retrieval.catalogue.store import open_store, store_of
from retrieval.catalogue.vote_index import empty_index
from retrieval.catalogue.vote_lists import read_lists
from retrieval.errors import StoreAway

_SETTING = "gone_from_store"


def note_gone(catalogue: Catalogue, keys: np.ndarray) -> None:
    """Note keys, int64 (n,), that the store need not keep, in the transaction that takes them out of segments."""
    if noted := sorted({*_noted(catalogue), *keys.tolist()}):
        catalogue.db["settings"].upsert({"key": _SETTING, "value": json.dumps(noted)}, pk="key")


def remove_gone(catalogue: Catalogue) -> None:
    """Remove from the store what was noted and did not come back; where it is away, a later run does so."""
    noted, address = _noted(catalogue), store_of(catalogue)
    if not noted or address is None:
        return
    gone = np.setdiff1d(np.array(noted, np.int64), _held(catalogue))
    with suppress(StoreAway), open_store(catalogue, address, to_read=True) as store:
        store.remove(gone.tolist())
        with catalogue.db.atomic():
            catalogue.db.execute("DELETE FROM settings WHERE key = ?", [_SETTING])


def _noted(catalogue: Catalogue) -> list[int]:
    return json.loads(catalogue.setting(_SETTING) or "[]")


def _held(catalogue: Catalogue) -> np.ndarray:
    """Return the keys of all segments, int64 (n,)."""
    words = empty_index().nlist
    paths = [item.votes_path(catalogue.data) for item in segments_of(catalogue) or ()]
    found = [lists.keys for path in paths if (lists := read_lists(path, words=words)) is not None]
    return np.concatenate([np.empty(0, np.int64), *found])
