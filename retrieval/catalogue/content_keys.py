"""The keys of many contents, and their exact vectors by hash or by key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from retrieval.catalogue.among import rows_among
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.key_of_content import content_key, hashes_of_key

AT_ONCE = 4096  # vectors read in one step


def content_keys(hashes: Sequence[str]) -> np.ndarray:
    """Return the keys of some contents, int64 (n,)."""
    return np.array([content_key(sha256) for sha256 in hashes], np.int64)


def vectors_of(catalogue: Catalogue, hashes: Iterable[str]) -> Mapping[str, np.ndarray]:
    """Return the exact vectors, float32 (dim,), of the contents that have one of the catalogue's encoder."""
    encoder = catalogue.encoder
    if encoder is None:
        return {}
    sql = "SELECT sha256, vector FROM vectors WHERE sha256 IN ({marks}) AND fingerprint = ? AND length(vector) = ?"
    rows = rows_among(catalogue.db, sql, hashes, encoder.fingerprint, 4 * encoder.dim)
    return {sha256: np.frombuffer(blob, "<f4") for sha256, blob in rows}


def vectors_of_keys(catalogue: Catalogue, keys: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield keys, int64 (n,), in their order, and the vectors of their contents, float32 (n, dim), some at a time."""
    encoder = catalogue.encoder
    assert encoder is not None
    sql = """SELECT vector FROM vectors
             WHERE sha256 >= ? AND sha256 < ? AND fingerprint = ? AND length(vector) = ?"""
    known = encoder.fingerprint, 4 * encoder.dim
    for start in range(0, len(keys), AT_ONCE):
        some = [
            (key, blob)
            for key in keys[start : start + AT_ONCE].tolist()
            for (blob,) in catalogue.db.execute(sql, [*hashes_of_key(key), *known])
        ]
        joined = b"".join(blob for _, blob in some)
        yield np.array([key for key, _ in some], np.int64), np.frombuffer(joined, "<f4").reshape(-1, encoder.dim)
