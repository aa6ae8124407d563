"""The objects of a revision that raise an alarm, and their vectors alone: no crowd of others may hide them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import faiss
import numpy as np

from retrieval.catalogue.among import batches, rows_among
from retrieval.catalogue.content_keys import content_keys
from retrieval.catalogue.exemplars import Asked
from retrieval.catalogue.rows import Object
from retrieval.catalogue.store import StoredVectors
from retrieval.catalogue.store_statuses import count_outdated, not_put_yet, stored_form
from retrieval.catalogue.vector_index import Proposing, VectorIndex, Vectors, build_vectors

FEW = 2000  # contents whose vectors are held in memory and looked at one by one: 4 MB
TEXTS_AT_ONCE = 500  # statuses that a store is asked for in one search
BESIDE = 100  # more contents than are noted that a store may hold to have such a status, though they have it no longer
Search = Callable[[np.ndarray, int], tuple[np.ndarray, np.ndarray]]  # as an index searches


class Alarms:
    """The objects that are stolen, missing or known forgeries; their contents are looked up when first asked for."""

    def __init__(self, objects: Iterable[Object], asked: Asked, vectors: Vectors) -> None:
        self._statuses = {item.object_id: item.metadata.get("status", "") for item in objects}
        self._asked, self._all = asked, vectors

    @property
    def objects(self) -> Collection[str]:
        """The ids of the objects."""
        return self._statuses.keys()

    def __bool__(self) -> bool:
        return bool(self._statuses)

    @cached_property
    def keys(self) -> Collection[int]:
        """The keys of the contents that show one of the objects."""
        return frozenset(content_keys(self._hashes).tolist())

    @cached_property
    def vectors(self) -> Vectors:
        """The vectors of these contents alone."""
        return Vectors(tuple(self._parts()), self._all.exact)

    @cached_property
    def _hashes(self) -> Sequence[str]:
        sql = "SELECT DISTINCT sha256 FROM photos WHERE object_id IN ({marks})"
        found = self._asked.ask(lambda known: list(rows_among(known.db, sql, self._statuses)))
        return sorted({sha256 for (sha256,) in found})

    def _parts(self) -> Iterator[Proposing]:
        """Yield what proposes these contents; what a store does not have as it now is comes from the database."""
        parts, hashes = self._all.parts, self._hashes
        stored = [part for part in parts if isinstance(part, StoredVectors)]
        beside = BESIDE + self._asked.ask(count_outdated) if stored else 0
        for some in batches(sorted({stored_form(text) for text in self._statuses.values()}), TEXTS_AT_ONCE):
            count = len(hashes) + beside
            yield from (replace(part, count=count, statuses=tuple(some)) for part in stored)
        if stored:
            yield self._in_memory(self._asked.ask(lambda known: not_put_yet(known, hashes)))
        elif len(hashes) <= FEW:
            yield self._in_memory(hashes)
            return
        yield from (Chosen.of(part, content_keys(hashes)) for part in parts if isinstance(part, VectorIndex))

    def _in_memory(self, hashes: Sequence[str]) -> VectorIndex:
        known: Mapping[str, np.ndarray] = self._all.exact(hashes)
        names = sorted(known)
        vectors = np.stack([known[name] for name in names]) if names else np.empty((0, 1), np.float32)
        return VectorIndex(build_vectors(content_keys(names), vectors))


@dataclass(frozen=True, slots=True)
class Chosen:
    """An index of which only some contents are looked at."""

    whole: VectorIndex
    count: int
    among: Search

    @classmethod
    def of(cls, whole: VectorIndex, keys: np.ndarray) -> Chosen:
        """Return the part of an index that some keys, int64 (n,), are, as far as they are in it.

        An inverted file is searched in as many lists as ever. Of a graph all that is chosen is looked at:
        a walk through the others would hardly meet it.
        """
        if "IVF" in whole.kind:
            nprobe = whole.parameters.get("nprobe", 1)
            among = _search(whole.index, faiss.SearchParametersIVF, faiss.IDSelectorBatch(keys), nprobe=nprobe)
            return cls(whole, min(len(whole), len(keys)), among)
        names = faiss.vector_to_array(whole.index.id_map)
        rows = np.flatnonzero(np.isin(names, keys))
        by_rows = _search(_storage(whole.index), faiss.SearchParameters, faiss.IDSelectorBatch(rows))
        return cls(whole, len(rows), lambda vectors, count: _named(names, *by_rows(vectors, count)))

    @property
    def exact(self) -> bool:
        """Whether it proposes the very nearest."""
        return self.whole.exact

    def __len__(self) -> int:
        return self.count

    def search(self, vectors: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Return inner products, float32 (n, count), most first, and keys of contents, int64; -1: there are no more."""
        return self.among(np.ascontiguousarray(vectors, np.float32), count)


def _search(index: Any, parameters: Any, selector: Any, **more: int) -> Search:
    """Return what searches an index of FAISS for what a selector takes."""
    return lambda vectors, count: index.search(vectors, count, params=parameters(sel=selector, **more))


def _named(names: np.ndarray, similarities: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return similarities, np.where(rows < 0, -1, names[rows])


def _storage(index: Any) -> Any:
    """Return what holds the vectors of an index that knows their keys: the index itself, or what lies below a graph."""
    inner = faiss.downcast_index(index.index)
    return faiss.downcast_index(inner.storage) if isinstance(inner, faiss.IndexHNSW) else inner
