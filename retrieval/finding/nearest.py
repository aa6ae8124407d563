"""Find the objects nearest to a vector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from retrieval.catalogue.rows import Photo
from retrieval.finding.match import Match

AT_ONCE = 512  # vectors whose neighbours are looked for in one step
ROUNDING = 1e-5  # more than single precision loses in the squared distance of two unit vectors


def nearest_objects(index: Any, photos: Mapping[int, Photo], vector: np.ndarray, *, k: int) -> list[Match]:
    """Return the k objects nearest to a unit vector of shape (dim,), nearest first, equals by id.

    FAISS makes the shortlist; distances are then taken exactly, in double precision. `photos` holds the exemplars that
    are asked for, by their ids in the index.
    """
    exemplars = min(2 * k, index.ntotal)
    while exemplars:
        (similarities,), (ids,) = index.search(vector[None], exemplars)
        best = _nearest_of_each(index, photos, vector, ids)
        edge = 2.0 - 2.0 * float(similarities[-1]) - ROUNDING  # what is not in the shortlist is no nearer, squared
        if exemplars == index.ntotal or (len(best) >= k and best[k - 1].distance ** 2 < edge):
            return best[:k]
        exemplars = min(2 * exemplars, index.ntotal)
    return []


def _nearest_of_each(index: Any, photos: Mapping[int, Photo], vector: np.ndarray, ids: np.ndarray) -> list[Match]:
    """Return the nearest of each object among some exemplars, nearest first, equals by id."""
    best: dict[str, Match] = {}
    for photo_id in map(int, ids):
        photo = photos.get(photo_id)
        if photo is None:
            continue
        distance = exact_distance(vector, index.reconstruct(photo_id))
        if photo.object_id not in best or distance < best[photo.object_id].distance:
            best[photo.object_id] = Match(photo.object_id, photo.file, distance)
    return sorted(best.values(), key=lambda match: (match.distance, match.object_id))


def exact_distance(one: np.ndarray, other: np.ndarray) -> float:
    """Return the Euclidean distance of two unit vectors in double precision, in [0, 2]."""
    return min(2.0, float(np.linalg.norm(one.astype(np.float64) - other.astype(np.float64))))


def nearest_others(vectors: np.ndarray, owners: np.ndarray, rows: Sequence[int]) -> np.ndarray:
    """Return, for some rows of unit vectors (n, dim), the row of the nearest vector of another owner: int64 (rows,).

    `owners` are numbers, int64 (n,). Where there is no other owner it is the row itself.
    """
    found = np.array(rows, np.int64)
    for start in range(0, len(found), AT_ONCE):
        some = found[start : start + AT_ONCE]
        similarity = vectors[some] @ vectors.T
        similarity[owners[some][:, None] == owners[None]] = -np.inf
        best = similarity.argmax(axis=1)
        found[start : start + AT_ONCE] = np.where(owners[best] == owners[some], some, best)
    return found
