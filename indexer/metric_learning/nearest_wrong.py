"""Find the photos that the encoder confuses most, leaving out works that are catalogued twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from retrieval.catalogue.vector_index import build_vectors
from retrieval.comparing.registration import Registration, find_registration
from retrieval.photographs.features import Features

Agree = Callable[[int, int], bool]  # whether the photos in two rows show the same work
Same = Callable[[int, int, float], bool]  # whether to leave two rows at a distance out of the negatives


def agree_by_geometry(features_of: Callable[[int], Features]) -> Agree:
    """Return the check whether one photo can be laid over the other, straight or mirrored; features are given by row.

    It takes about 2 ms on one core. Finding the features takes some 40 ms a photo, unless they are kept.
    """
    return lambda one, other: isinstance(find_registration(features_of(one), features_of(other)), Registration)


class SameWork:
    """Remembers which objects are one work: two reproductions, editions, a double entry.

    Two objects with genuine photos nearer than `within` are checked once a run, on the first such photos met, and the
    outcome is kept, whatever it is; at most `checks` pairs of objects an epoch. A near pair beyond that number is left
    out of the negatives until it is checked: a hard negative less costs nothing, a false one spoils the training.
    """

    def __init__(self, objects: np.ndarray, genuine: np.ndarray, agree: Agree, *, within: float, checks: int) -> None:
        """Take the object number of each row, int64 (n,), which rows are no forgeries, bool (n,), and the check."""
        self._objects, self._genuine = objects.tolist(), genuine.tolist()
        self._agree, self._within, self._checks = agree, within, checks
        self._left = checks
        self._outcomes: dict[tuple[int, int], bool] = {}

    @property
    def confirmed(self) -> frozenset[tuple[int, int]]:
        """The pairs of objects that are one work, the smaller number first, as `mining.relations` asks."""
        return frozenset(pair for pair, same in self._outcomes.items() if same)

    @property
    def checked(self) -> int:
        """How many pairs of objects were checked so far."""
        return len(self._outcomes)

    @property
    def outcomes(self) -> list[tuple[int, int, bool]]:
        """The pairs of objects checked so far, and whether they are one work; may be set, to go on from there."""
        return [(one, other, same) for (one, other), same in self._outcomes.items()]

    @outcomes.setter
    def outcomes(self, outcomes: Iterable[tuple[int, int, bool]]) -> None:
        self._outcomes = {(one, other): same for one, other, same in outcomes}

    def start_epoch(self) -> None:
        """Allow the epoch's checks."""
        self._left = self._checks

    def __call__(self, row: int, other: int, distance: float) -> bool:
        """Say whether two rows at a distance are left out of the negatives, because they show one work or may."""
        one, two = self._objects[row], self._objects[other]
        if one == two:
            return False
        pair = (one, two) if one < two else (two, one)
        if pair in self._outcomes:
            return self._outcomes[pair]
        if distance >= self._within or not (self._genuine[row] and self._genuine[other]):
            return False
        if self._left == 0:
            return True
        self._left -= 1
        self._outcomes[pair] = self._agree(row, other)
        return self._outcomes[pair]


def nearest_wrong(vectors: np.ndarray, objects: np.ndarray, genuine: np.ndarray, *, k: int, same: Same) -> np.ndarray:
    """Return the rows of the k nearest wrong photos of each row, nearest first: int64 (n, k), -1 where there are fewer.

    `vectors` is float32 (n, d) of unit length, `objects` int64 (n,) and `genuine` bool (n,). Wrong are photos of other
    objects that `same` does not leave out, and photos of the same object where one is a forgery and the other not.
    The search is exact. The rows with the nearest wrong photos are asked about first, should `same` be bounded.
    """
    count = len(vectors)
    index = build_vectors(np.arange(count), vectors)
    found = np.full((count, k), -1, np.int64)
    rows, depth = np.arange(count), min(count, 2 * k + 1)
    while len(rows):
        similarity, near = index.search(vectors[rows], depth)
        distance = np.sqrt(np.maximum(2.0 - 2.0 * similarity, 0.0))
        wrong = (objects[near] != objects[rows, None]) | (genuine[near] != genuine[rows, None])
        for place in np.argsort(np.where(wrong, distance, np.inf).min(axis=1), kind="stable"):
            row, places = int(rows[place]), np.flatnonzero(wrong[place])
            found[row] = _first(row, near[place, places].tolist(), distance[place, places].tolist(), k, same)
        rows = rows[found[rows, -1] < 0] if depth < count else rows[:0]
        depth = min(count, 4 * depth)
    return found


def _first(row: int, near: list[int], distance: list[float], k: int, same: Same) -> list[int]:
    """Return the first k rows that are not left out, filled up with -1."""
    kept: list[int] = []
    for other, apart in zip(near, distance, strict=True):
        if len(kept) == k:
            break
        if not same(row, other, apart):
            kept.append(other)
    return kept + [-1] * (k - len(kept))
