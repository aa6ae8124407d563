"""What the catalogue looks like to works that are not in it: each object in turn is taken for one."""

from __future__ import annotations

import heapq
from collections.abc import Mapping

import numpy as np

from indexer.building.same_work import Pair, SameWork, work_numbers
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.rows import Photo
from retrieval.finding.nearest import exact_distance
from retrieval.statistics.calibration import allowed_beyond, smallest_rate

SAMPLE = 2000  # objects; more would narrow the threshold little
NEXT = 10  # nearest other objects tried for each object


def unknown_distances(
    catalogue: Catalogue,
    ids: np.ndarray,
    vectors: np.ndarray,
    photos: Mapping[int, Photo],
    *,
    rate: float,
) -> np.ndarray:
    """Return the distances of works that are not in a catalogue to the nearest that is: float64 (n // 2,), ascending.

    Each of n objects (a fixed sample) is taken for such a work, by its first exemplar. Two objects that are each
    other's nearest give one distance, not two, and so the values count as n // 2: the smallest are of such pairs. A
    catalogue may hold one work twice, which no unknown work is like: an object that registers to the other is passed
    over for the next one. Only as many of the nearest pairs are registered as a threshold at `rate` hangs on.
    """
    waiting = [found for found in _neighbours(ids, vectors, photos) if len(found)]
    queue = [(found[0].distance, number, 0) for number, found in enumerate(waiting)]
    heapq.heapify(queue)
    count = len(waiting) // 2
    needed = 1 + (allowed_beyond(count, rate) if count and smallest_rate(count) <= rate else 0)
    settled: dict[frozenset[str], float] = {}
    same = SameWork(catalogue)
    while queue and len(settled) < needed:
        _, number, rank = heapq.heappop(queue)
        found = waiting[number][rank]
        if same.shown_by(found) is None:
            settled.setdefault(found.objects, found.distance)
        elif rank + 1 < len(waiting[number]):
            heapq.heappush(queue, (waiting[number][rank + 1].distance, number, rank + 1))
    rest = {waiting[number][rank].objects: distance for distance, number, rank in queue}
    return np.sort(list({**rest, **settled}.values()))[:count]


def _neighbours(ids: np.ndarray, vectors: np.ndarray, photos: Mapping[int, Photo]) -> list[list[Pair]]:
    """Return the nearest other objects of each object, nearest first."""
    rows = [photos[int(photo_id)] for photo_id in ids]
    numbers = work_numbers(rows)
    _, firsts = np.unique(numbers, return_index=True)
    found = []
    for row in sorted(firsts.tolist(), key=lambda first: rows[first].sha256)[:SAMPLE]:
        similarity = vectors @ vectors[row]
        nearest: dict[int, int] = {}
        for other in np.argsort(-similarity, kind="stable"):
            if numbers[other] != numbers[row]:
                nearest.setdefault(int(numbers[other]), int(other))
            if len(nearest) == NEXT:
                break
        found.append([Pair(exact_distance(vectors[row], vectors[at]), rows[row], rows[at]) for at in nearest.values()])
    return found
