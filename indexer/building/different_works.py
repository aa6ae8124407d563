"""How near different works lie to each other in a catalogue: what it looks like to a work that is not in it."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from indexer.building.same_work import Pair, SameWork, work_numbers
from retrieval.catalogue.rows import Photo
from retrieval.finding.nearest import exact_distance, nearest_others
from retrieval.statistics.calibration import rank_at

SAMPLE = 2000  # works; more would narrow a threshold little


@dataclass(frozen=True, slots=True)
class DifferentWorks:
    """The distance of each work to the nearest other one, and the pairs that were made sure of."""

    distances: np.ndarray  # float64 (works,), ascending; those after the sure ones may be of works held twice
    sure: tuple[Pair, ...]  # the nearest first


def different_works(
    ids: np.ndarray, vectors: np.ndarray, photos: Mapping[int, Photo], same: SameWork, *, rate: float
) -> DifferentWorks:
    """Return how far a fixed sample of works, by their first exemplars, lie from the nearest other work.

    `vectors` are float32 (n, dim). A work that several objects hold counts once: objects that share a picture, and
    those found to show one work. Only so many of the nearest pairs are registered as a threshold at `rate` hangs on.
    """
    rows = [photos[int(photo_id)] for photo_id in ids]
    works = work_numbers(rows)
    sample = sampled_works(rows, works)
    queue = with_nearest(vectors, works, sample)
    heapq.heapify(queue)
    sure: dict[int, Pair] = {}
    while queue and len(sure) < rank_at(rate, len(np.unique(works[sample]))):
        distance, row, other = heapq.heappop(queue)
        pair = Pair(distance, rows[row], rows[other])
        if works[row] in sure:  # by an exemplar of another object that holds it
            continue
        if works[row] != works[other]:
            if same.shown_by(pair) is None:
                sure[int(works[row])] = pair
                continue
            works[works == works[row]] = works[other]
        for found in with_nearest(vectors, works, [row]):
            heapq.heappush(queue, found)
    distances = {work: pair.distance for work, pair in sure.items()}
    for distance, row, _ in sorted(queue):
        distances.setdefault(int(works[row]), distance)
    return DifferentWorks(np.array([*distances.values()]), tuple(sure.values()))


def sampled_works(photos: Sequence[Photo], works: np.ndarray) -> list[int]:
    """Return the row of the first exemplar of each of a fixed sample of works, whatever the order of the rows."""
    _, firsts = np.unique(works, return_index=True)
    return sorted(firsts.tolist(), key=lambda row: photos[row].sha256)[:SAMPLE]


def with_nearest(vectors: np.ndarray, works: np.ndarray, rows: Sequence[int]) -> list[tuple[float, int, int]]:
    """Return the distance from each exemplar to the nearest of another work, with both rows; none where it is alone."""
    others = nearest_others(vectors, works, rows).tolist()
    pairs = [(row, other) for row, other in zip(rows, others, strict=True) if row != other]
    return [(exact_distance(vectors[row], vectors[other]), row, other) for row, other in pairs]
