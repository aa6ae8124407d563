"""Find the objects nearest to a vector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from retrieval.catalogue.alarms import Alarms
from retrieval.catalogue.exemplars import OnlyOf
from retrieval.catalogue.rows import Photo
from retrieval.catalogue.vector_index import Vectors
from retrieval.finding.match import Match

ROUNDING = 1e-5  # more than single precision loses in the squared distance of two unit vectors


@dataclass(frozen=True, slots=True)
class Near:
    """Objects near to a vector, nearest first."""

    nearest: Sequence[Match]
    alarming: Sequence[Match]  # the nearest of those that raise an alarm, however many others are nearer


def nearest_objects(
    vectors: Vectors, photos: Mapping[int, Sequence[Photo]], vector: np.ndarray, *, k: int
) -> list[Match]:
    """Return the k objects nearest to a unit vector of shape (dim,), nearest first, equals by id.

    An index makes the shortlist; distances are then taken exactly, in double precision. `photos` holds the exemplars
    that are asked for, by the keys of their contents.
    """
    asked = min(2 * k * vectors.margin, len(vectors))
    while asked:
        (similarities,), (keys,) = vectors.nearest(vector[None], asked)
        best = _nearest_of_each(vectors, photos, vector, keys)
        edge = 2.0 - 2.0 * float(similarities[-1]) - ROUNDING  # what is not in the shortlist is no nearer, squared
        if asked == len(vectors) or (len(best) >= k and best[k - 1].distance ** 2 < edge):
            return best[:k]
        asked = min(2 * asked, len(vectors))
    return []


def _nearest_of_each(
    vectors: Vectors, photos: Mapping[int, Sequence[Photo]], vector: np.ndarray, keys: np.ndarray
) -> list[Match]:
    """Return the nearest of each object among the exemplars of some contents, nearest first, equals by id."""
    proposed = [photo for key in keys.tolist() for photo in photos.get(key, ())]
    known = vectors.exact({photo.sha256 for photo in proposed})
    distances = {sha256: exact_distance(vector, found) for sha256, found in known.items()}
    best: dict[str, Match] = {}
    for photo in proposed:
        distance = distances.get(photo.sha256)
        if distance is not None and (photo.object_id not in best or distance < best[photo.object_id].distance):
            best[photo.object_id] = Match(photo.object_id, photo.file, distance)
    return sorted(best.values(), key=lambda match: (match.distance, match.object_id))


def nearest_alarming(
    nearest: Sequence[Match],
    alarms: Alarms | None,
    photos: Mapping[int, Sequence[Photo]],
    vector: np.ndarray,
    *,
    k: int,
) -> list[Match]:
    """Return the k nearest of the objects that raise an alarm; where they are among the `nearest`, nothing is searched.

    `alarms` is None where there are none.
    """
    if alarms is None:
        return []
    known = [match for match in nearest if match.object_id in alarms.objects][:k]
    return known if len(known) == k else nearest_objects(alarms.vectors, OnlyOf(photos, alarms.objects), vector, k=k)


def exact_distance(one: np.ndarray, other: np.ndarray) -> float:
    """Return the Euclidean distance of two unit vectors in double precision, in [0, 2]."""
    return min(2.0, float(np.linalg.norm(one.astype(np.float64) - other.astype(np.float64))))
