"""What the catalogue looks like to works that are not in it: each object in turn is taken for one."""

from __future__ import annotations

import heapq
from collections.abc import Collection
from functools import partial

import numpy as np

from indexer.building.different_works import in_order, sampled_works
from indexer.building.neighbours import Neighbours, Works
from indexer.building.same_work import SameWork
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.rows import Photo
from retrieval.statistics.calibration import allowed_beyond, smallest_rate

NEXT = 10  # nearest other objects tried for each object


def unknown_distances(catalogue: Catalogue, neighbours: Neighbours, *, rate: float) -> np.ndarray:
    """Return the distances of works that are not in a catalogue to the nearest that is: float64 (n // 2,), ascending.

    Each of n objects (a fixed sample) is taken for such a work, by its first exemplar. Two objects that are each
    other's nearest give one distance, not two, and so the values count as n // 2: the smallest are of such pairs. A
    catalogue may hold one work twice, which no unknown work is like: an object that registers to the other is passed
    over for the next one. Only as many of the nearest pairs are registered as a threshold at `rate` hangs on.
    """
    works = Works(neighbours)
    nearest = neighbours.nearest(sampled_works(neighbours, works), works.differ)
    queue = [in_order(found) for found in nearest if found is not None]
    heapq.heapify(queue)
    count = len(queue) // 2
    needed = 1 + (allowed_beyond(count, rate) if count and smallest_rate(count) <= rate else 0)
    settled: dict[frozenset[str], float] = {}
    tried: dict[str, set[int]] = {}
    same = SameWork(catalogue)
    while queue and len(settled) < needed:
        *_, pair = heapq.heappop(queue)
        if same.shown_by(pair) is None:
            settled.setdefault(pair.objects, pair.distance)
            continue
        passed = tried.setdefault(pair.photo.object_id, set())
        passed.add(works.of(pair.other))
        if len(passed) < NEXT:
            (again,) = neighbours.nearest([pair.photo], partial(_differ, works, passed))
            if again is not None:
                heapq.heappush(queue, in_order(again))
    rest = {pair.objects: pair.distance for *_, pair in queue}
    return np.sort(list({**rest, **settled}.values()))[:count]


def _differ(works: Works, passed: Collection[int], one: Photo, other: Photo) -> bool:
    """Say whether two exemplars are of different works, and the other one of none that was passed over."""
    return works.differ(one, other) and works.of(other) not in passed
