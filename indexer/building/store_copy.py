"""Copy vectors from one store to another, or between a store and the database, and make sure that they came."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.content_keys import content_keys, vectors_of, vectors_of_keys
from retrieval.catalogue.lookups import photos_of_content
from retrieval.catalogue.rows import Content
from retrieval.catalogue.segment_contents import pages_of
from retrieval.catalogue.store import FILES, known_address, open_store, put_into
from retrieval.errors import UnusableStore

if TYPE_CHECKING:
    from retrieval.catalogue.milvus import MilvusVectors

AT_ONCE = 4096  # vectors read in one step
Batch = tuple[np.ndarray, np.ndarray]  # keys, int64 (n,), and vectors, float32 (n, dim)


@dataclass(frozen=True, slots=True)
class Copied:
    """How many vectors were copied, and the checksum of them that both sides have."""

    vectors: int
    checksum: str


class _Side(Protocol):
    """One of the two between which is copied."""

    def count(self) -> int:
        """Return about how many vectors there are."""

    def batches(self) -> Iterator[Batch]:
        """Yield all vectors, some at a time."""

    def put(self, batch: Batch) -> Batch:
        """Keep vectors, and return those of them that belong here."""

    def get(self, keys: np.ndarray) -> Batch:
        """Return the vectors of those keys that are there."""


@dataclass(frozen=True, slots=True)
class _Database:
    catalogue: Catalogue

    def count(self) -> int:
        return self.catalogue.counts()[1]

    def batches(self) -> Iterator[Batch]:
        for page in pages_of(self.catalogue, "photos"):
            yield from vectors_of_keys(self.catalogue, content_keys(page))

    def put(self, batch: Batch) -> Batch:
        """Keep the vectors of exemplars that have none."""
        encoder = self.catalogue.encoder
        assert encoder is not None
        photos = [photos_of_content(self.catalogue, key) for key in batch[0].tolist()]
        known = vectors_of(self.catalogue, {found[0].sha256 for found in photos if found})
        lacking = [
            (Content(found[0].sha256, found[0].bytes, found[0].width, found[0].height), vector)
            for found, vector in zip(photos, batch[1], strict=True)
            if found and found[0].sha256 not in known
        ]
        self.catalogue.add_vectors(lacking, encoder.fingerprint)
        ours = np.array([bool(found) for found in photos], bool)
        return batch[0][ours], batch[1][ours]

    def get(self, keys: np.ndarray) -> Batch:
        shown = [key for key in keys.tolist() if photos_of_content(self.catalogue, key)]  # not what nothing shows now
        return _joined(vectors_of_keys(self.catalogue, np.array(shown, np.int64)))


@dataclass(frozen=True, slots=True)
class _Store:
    catalogue: Catalogue
    store: MilvusVectors

    def count(self) -> int:
        return self.store.count()

    def batches(self) -> Iterator[Batch]:
        for keys in self.store.key_pages():
            for start in range(0, len(keys), AT_ONCE):
                yield self.get(keys[start : start + AT_ONCE])

    def put(self, batch: Batch) -> Batch:
        put_into(self.catalogue, self.store, [batch])
        return batch

    def get(self, keys: np.ndarray) -> Batch:
        found = self.store.get(keys.tolist())
        there = [key for key in keys.tolist() if key in found]
        return _joined([(np.array(there, np.int64), np.stack([found[key] for key in there]))] if there else [])


def copy_vectors(
    catalogue: Catalogue,
    source: str,
    target: str,
    *,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Copied:
    """Copy the vectors of one store to another, each an address or `files`, which stands for the database.

    Into the database come the vectors that its exemplars lack. What came is read again and compared by its number and a
    checksum; raises UnusableStore where it differs, and StoreAway.
    """
    if source == target:
        raise UnusableStore(f"{source} cannot be copied into itself. Name two, such as files and milvus://host/name.")
    with ExitStack() as stores:
        one, other = (_side(catalogue, text, stores) for text in (source, target))
        sent, came, total = _Sum(), _Sum(), one.count()
        for batch in one.batches():
            taken = other.put(batch)
            sent.add(taken)
            on_progress(sent.count, total)
        for keys, _ in one.batches():
            came.add(other.get(keys))
    if (sent.count, sent.value) != (came.count, came.value):
        raise UnusableStore(
            f"Of {sent.count:,} vectors {came.count:,} came, or they differ: somebody else writes one of the two. What "
            "came stays; copy again."
        )
    return Copied(sent.count, f"{sent.value:016x}")


def _side(catalogue: Catalogue, text: str, stores: ExitStack) -> _Side:
    if text == FILES:
        return _Database(catalogue)
    return _Store(catalogue, stores.enter_context(open_store(catalogue, known_address(catalogue, text))))


def _joined(batches: Iterator[Batch] | list[Batch]) -> Batch:
    found = list(batches)
    if not found:
        return np.empty(0, np.int64), np.empty((0, 0), np.float32)
    return np.concatenate([keys for keys, _ in found]), np.concatenate([vectors for _, vectors in found])


class _Sum:
    """The number of some vectors, and a checksum in which their order does not count."""

    def __init__(self) -> None:
        self.count = 0
        self.value = 0

    def add(self, batch: Batch) -> None:
        """Count vectors."""
        for key, vector in zip(batch[0].tolist(), batch[1], strict=True):
            digest = hashlib.blake2b(vector.tobytes(), digest_size=8, key=key.to_bytes(8, "little")).digest()
            self.value = (self.value + int.from_bytes(digest, "little")) % 2**64
            self.count += 1
