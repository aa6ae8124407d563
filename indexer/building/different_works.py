"""How near different works lie to each other in a catalogue: what it looks like to a work that is not in it."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from indexer.building.neighbours import Neighbours, Works
from indexer.building.same_work import Pair, SameWork
from retrieval.catalogue.rows import Photo
from retrieval.statistics.calibration import rank_at

SAMPLE = 2000  # works; more would narrow a threshold little


@dataclass(frozen=True, slots=True)
class DifferentWorks:
    """The distance of each work to the nearest other one, and the pairs that were made sure of."""

    distances: np.ndarray  # float64 (works,), ascending; those after the sure ones may be of works held twice
    sure: tuple[Pair, ...]  # the nearest first


def different_works(neighbours: Neighbours, same: SameWork, *, rate: float) -> DifferentWorks:
    """Return how far a fixed sample of works, by their first exemplars, lie from the nearest other work.

    A work that several objects hold counts once: objects that share a picture, and those found to show one work. Only
    so many of the nearest pairs are registered as a threshold at `rate` hangs on.
    """
    works = Works(neighbours)
    sample = sampled_works(neighbours, works)
    queue = [in_order(found) for found in neighbours.nearest(sample, works.differ) if found is not None]
    heapq.heapify(queue)
    sure: dict[int, Pair] = {}
    while queue and len(sure) < rank_at(rate, len({works.of(photo) for photo in sample})):
        *_, pair = heapq.heappop(queue)
        number = works.of(pair.photo)
        if number in sure:  # by an exemplar of another object that holds it
            continue
        if works.differ(pair.photo, pair.other):
            if same.shown_by(pair) is None:
                sure[number] = pair
                continue
            works.join(number, works.of(pair.other))
        for again in neighbours.nearest([pair.photo], works.differ):
            if again is not None:
                heapq.heappush(queue, in_order(again))
    distances = {work: pair.distance for work, pair in sure.items()}
    for distance, _, found in sorted(queue, key=lambda item: item[:2]):
        distances.setdefault(works.of(found.photo), distance)
    return DifferentWorks(np.array([*distances.values()]), tuple(sure.values()))


def in_order(found: Pair) -> tuple[float, int, Pair]:
    """Return a pair so that pairs can be ordered: by distance, equals by the exemplar."""
    return found.distance, found.photo.photo_id or 0, found


def sampled_works(neighbours: Neighbours, works: Works) -> list[Photo]:
    """Return the first exemplar of each of a fixed sample of works, those whose contents have the least hashes."""

    def firsts() -> Iterator[Photo]:
        return (photo for photo in neighbours.by_hash() if works.first(photo) == photo)

    return list(islice(firsts(), SAMPLE))
