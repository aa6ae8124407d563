"""What the catalogue looks like to works that are not in it: each object in turn is taken for one."""

from __future__ import annotations

import heapq
from collections.abc import Mapping

import numpy as np

from indexer.building.different_works import sampled_works, with_nearest
from indexer.building.same_work import Pair, SameWork, work_numbers
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.rows import Photo
from retrieval.statistics.calibration import allowed_beyond, smallest_rate

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
    rows = [photos[int(photo_id)] for photo_id in ids]
    works = work_numbers(rows)
    queue = with_nearest(vectors, works, sampled_works(rows, works))
    heapq.heapify(queue)
    count = len(queue) // 2
    needed = 1 + (allowed_beyond(count, rate) if count and smallest_rate(count) <= rate else 0)
    settled: dict[frozenset[str], float] = {}
    tried: dict[int, set[int]] = {}
    same = SameWork(catalogue)
    while queue and len(settled) < needed:
        distance, row, other = heapq.heappop(queue)
        pair = Pair(distance, rows[row], rows[other])
        if same.shown_by(pair) is None:
            settled.setdefault(pair.objects, distance)
            continue
        passed = tried.setdefault(row, set())
        passed.add(int(works[other]))
        if len(passed) < NEXT:
            others = np.where(np.isin(works, list(passed)), works[row], works)
            for found in with_nearest(vectors, others, [row]):
                heapq.heappush(queue, found)
    rest = {Pair(distance, rows[row], rows[other]).objects: distance for distance, row, other in queue}
    return np.sort(list({**rest, **settled}.values()))[:count]
