"""Vectors in a Milvus server, known by the content that they were made of."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np

from retrieval.catalogue.key_of_content import KEYS_END
from retrieval.catalogue.milvus_collection import KEY, STATUSES, VECTOR, connect, ensure
from retrieval.catalogue.milvus_failures import is_of_the_store, passes, store_away
from retrieval.catalogue.retrying import Outage, Patience
from retrieval.catalogue.store_address import StoreAddress
from retrieval.errors import ArtifactError

T = TypeVar("T")
PUT_AT_ONCE, PUT_BYTES = 1000, 4_000_000  # vectors in one call, and their bytes, of which a server takes 64 MB
GET_AT_ONCE = 1000
SEARCH_AT_ONCE = 256
PAGE, FULL_PAGE = 8192, 16384  # keys that a page is to have, and those that a server returns at most
LEAST_EF = 512  # of HNSW: candidates that a search looks at, at least
SETTLES = 10.0  # seconds, twice those by which Bounded may be late


@dataclass(frozen=True, slots=True, eq=False)
class StoredVector:
    """The vector of a content: a key of 60 bits, float32 of shape (dim,), and the statuses of the objects it shows."""

    key: int
    vector: np.ndarray
    statuses: tuple[str, ...] = ()


class MilvusVectors:
    """The vectors of one encoder in one collection, which is made where it is not there yet; for any thread.

    What this object wrote, and whatever was acknowledged before it was opened, is found by all that it is asked
    afterwards; what others write meanwhile, at most 5 s late. For that it reads at the consistency level Strong within
    10 s of opening, of connecting again and of its last write, which costs 0.2 to 0.4 s a call, and later at Bounded,
    which costs milliseconds.

    Each call of the server ends within `timeout` seconds. One that fails since the server is away, starts or is asked
    too much is made again for as long as `patience` says, the first ones, which connect, as `opening` says, on a new
    connection, and then ends in StoreAway; that it waits is logged as a warning, which Python writes on stderr. After
    StoreAway each call is made once until one succeeds: whoever judges many photographs waits once. The object goes on
    when the server is back. A server that was killed serves its collections again after half a minute or more.
    """

    def __init__(
        self,
        address: StoreAddress,
        *,
        dim: int,
        fingerprint: str,
        timeout: float = 10.0,
        patience: Patience | None = None,
        opening: Patience | None = None,
    ) -> None:
        """Connect at once; raises StoreAway, EncoderMismatch, and UnusableStore where it is somebody else's."""
        self.address = address
        self.dim = dim
        self.fingerprint = fingerprint
        self.patience = patience or Patience()
        self._timeout = timeout
        self._outage = Outage(self._say_that_it_waits)
        self._client: Any = None
        self._connecting = threading.Lock()
        self._fresh_until = 0.0
        self._patiently(self._connected, opening)

    def __enter__(self) -> MilvusVectors:
        return self

    def __exit__(self, *args: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection; the next call makes a new one."""
        self._leave(self._client)

    def put(self, contents: Sequence[StoredVector]) -> None:
        """Store vectors, each in place of the one of the same key; of one key given twice, the last is stored.

        In batches: those before a failure are stored, and putting all again loses and doubles nothing.
        """
        rows = list({content.key: content for content in contents}.values())
        at_once = max(1, min(PUT_AT_ONCE, PUT_BYTES // (4 * self.dim)))
        for start in range(0, len(rows), at_once):
            batch = [self._row(content) for content in rows[start : start + at_once]]
            self._write("upsert", data=batch)

    def remove(self, keys: Sequence[int]) -> None:
        """Remove the vectors of some keys; those that are not there are no mistake."""
        for some in _batches(keys, GET_AT_ONCE):
            self._write("delete", ids=some)

    def get(self, keys: Sequence[int]) -> dict[int, np.ndarray]:
        """Return the vectors of those keys that are there, float32 (dim,), bit for bit as they were put."""
        found = {}
        for some in _batches(keys, GET_AT_ONCE):
            for row in self._read("query", filter=f"{KEY} in {some}", output_fields=[KEY, VECTOR]):
                found[int(row[KEY])] = np.asarray(row[VECTOR], dtype=np.float32)
        return found

    def statuses(self, keys: Sequence[int]) -> dict[int, tuple[str, ...]]:
        """Return the statuses of the contents of those keys that are there."""
        found = {}
        for some in _batches(keys, GET_AT_ONCE):
            for row in self._read("query", filter=f"{KEY} in {some}", output_fields=[KEY, STATUSES]):
                found[int(row[KEY])] = tuple(row[STATUSES])
        return found

    def search(
        self, vectors: np.ndarray, k: int, statuses: Sequence[str] | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the inner products, float32 (n, k), and the keys, int64 (n, k), of the nearest to vectors (n, dim).

        The nearest come first; where there are fewer than k, and beyond the 16,384 that a server returns at most, the
        key is -1 and the product minus infinity. Where statuses are given, only contents that have one of them are
        looked at. The index is HNSW (M 16, efConstruction 200), which a search walks with ef = max(512, 2 k): a near
        one may be missed, and the products are the server's.
        """
        products = np.full((len(vectors), k), -np.inf, dtype=np.float32)
        keys = np.full((len(vectors), k), -1, dtype=np.int64)
        wanted = "" if statuses is None else f"array_contains_any({STATUSES}, {json.dumps(list(statuses))})"
        if statuses is None or len(statuses):
            for start in range(0, len(vectors), SEARCH_AT_ONCE):
                some = np.ascontiguousarray(vectors[start : start + SEARCH_AT_ONCE], dtype=np.float32)
                for row, hits in enumerate(self._nearest(some, min(k, FULL_PAGE), wanted), start):
                    products[row, : len(hits)] = [hit["distance"] for hit in hits]
                    keys[row, : len(hits)] = [hit["id"] for hit in hits]
        return products, keys

    def key_pages(self) -> Iterator[np.ndarray]:
        """Yield the keys of all, int64 in ascending order, some thousands at once.

        Page by page of the range of keys, which hashes fill evenly, and no iterator of the server: each page can be
        asked for again when the server was away in between.
        """
        pages = max(1, -(-self.count() // PAGE))
        bounds = [KEYS_END * page // pages for page in range(pages + 1)]
        for low, high in pairwise(bounds):
            yield from self._keys_between(low, high)

    def count(self) -> int:
        """Return how many vectors there are."""
        return int(self._read("query", filter="", output_fields=["count(*)"])[0]["count(*)"])

    def drop(self) -> None:
        """Remove the collection and all that it holds; the next call makes a new one, which is empty."""
        self._write("drop_collection")
        self.close()

    @property
    def _name(self) -> str:
        return self.address.collection

    def _row(self, content: StoredVector) -> dict[str, Any]:
        assert content.vector.shape == (self.dim,), f"a vector of shape {content.vector.shape}"
        assert 0 <= content.key < KEYS_END, f"a key that has not 60 bits: {content.key}"
        return {
            KEY: int(content.key),
            VECTOR: np.asarray(content.vector, dtype=np.float32),
            STATUSES: list(content.statuses),
        }

    def _nearest(self, vectors: np.ndarray, k: int, wanted: str) -> list[list[Any]]:
        """Return the hits of each of a few vectors, the nearest first."""
        parameters = {"metric_type": "IP", "params": {"ef": max(LEAST_EF, 2 * k)}}
        return self._read("search", data=list(vectors), filter=wanted, limit=k, search_params=parameters)

    def _keys_between(self, low: int, high: int) -> Iterator[np.ndarray]:
        span = f"{KEY} >= {low} and {KEY} < {high}"
        rows = self._read("query", filter=span, output_fields=[KEY], limit=FULL_PAGE)
        if len(rows) < FULL_PAGE:
            yield np.sort(np.array([row[KEY] for row in rows], dtype=np.int64))
        else:  # there may be more than a server returns
            middle = (low + high) // 2
            yield from self._keys_between(low, middle)
            yield from self._keys_between(middle, high)

    def _level(self) -> str:
        return "Strong" if time.monotonic() < self._fresh_until else "Bounded"

    def _read(self, method: str, **arguments: Any) -> Any:
        def read(seconds: float) -> Any:
            client = self._connected(seconds)  # first: a new connection reads at Strong
            return self._call(client, method, timeout=seconds, consistency_level=self._level(), **arguments)

        return self._patiently(read)

    def _write(self, method: str, **arguments: Any) -> None:
        try:
            self._patiently(lambda seconds: self._call(self._connected(seconds), method, timeout=seconds, **arguments))
        finally:
            self._fresh_until = time.monotonic() + SETTLES

    def _call(self, client: Any, method: str, **arguments: Any) -> Any:
        """Return what a method of the client returns; a connection that failed is not used again."""
        try:
            return getattr(client, method)(self._name, **arguments)
        except Exception:
            self._leave(client)
            raise

    def _patiently(self, act: Callable[[float], T], patience: Patience | None = None) -> T:
        """Return what an act that may take so many seconds returns, once the server can do it."""
        started, patience = time.monotonic(), patience or self.patience
        at_once = min(self._timeout, patience.total / 3)  # so that it is soon said that a server does not answer
        try:
            return patience.keep_asking(lambda left: act(min(at_once, left)), passes=passes, outage=self._outage)
        except ArtifactError:
            raise
        except Exception as error:
            if not is_of_the_store(error):
                raise
            since = self._outage.since(started)
            raise store_away(self.address, error, seconds=time.monotonic() - since) from error

    def _say_that_it_waits(self, left: float) -> None:
        """Log it: without a handler Python writes what it is warned of on stderr."""
        logging.getLogger(__name__).warning(
            "the store %s does not answer; waiting for it, %.0f s at most", self.address, left
        )

    def _connected(self, seconds: float) -> Any:
        with self._connecting:
            if self._client is None:
                client = connect(self.address, seconds=seconds)
                try:
                    ensure(client, self._name, dim=self.dim, fingerprint=self.fingerprint, seconds=seconds)
                except BaseException:
                    client.close()
                    raise
                self._client = client
                self._fresh_until = time.monotonic() + SETTLES
            return self._client

    def _leave(self, client: Any) -> None:
        """End a connection, unless another thread has ended it before."""
        with self._connecting:
            if client is not None and self._client is client:
                self._client = None
                client.close()


def _batches(keys: Sequence[int], size: int) -> Iterator[list[int]]:
    plain = [int(key) for key in keys]
    for start in range(0, len(plain), size):
        yield plain[start : start + size]
