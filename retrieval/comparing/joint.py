"""Compare several photographs of one thing with its exemplar as one: what is on the work is on each of them.

A reflection moves from view to view, paint does not (Li and Brown, ICCV 2013): at each place the middle one of the
photographs counts, of two their mean. The least of them loses copies that each photograph alone shows, wherever one of
them is spoiled there (`python -m tests.bench.together`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from retrieval.comparing.logits import distance_of, logits_behind, whole_of

AS_WELL = 1.25  # times the finest detail that a photograph resolves at a place, to have a say there beside the finest


@dataclass(frozen=True, slots=True, eq=False)
class Joint:
    """The comparison of several photographs with one exemplar."""

    combined_distance: float  # of all places: the one that decides
    local_distance: float  # the largest of the map
    compared: float  # share of the places that one of the photographs shows, 0..1
    map: np.ndarray  # float32 (rows, columns) over the whole exemplar, NaN where no photograph was compared


def joined(maps: Sequence[np.ndarray], resolved: Sequence[np.ndarray]) -> Joint:
    """Return the comparison of photographs by their maps, and by the detail that each resolves, place by place.

    A photograph that is much blurred or small says nothing where another one is sharp: missing detail is no evidence.
    """
    logits, detail = logits_behind(np.stack(maps)), np.stack(resolved)
    shown = ~np.isnan(logits)
    finest = np.where(shown, detail, np.inf).min(axis=0)
    counts = shown & (detail <= AS_WELL * finest)
    inside = counts.any(axis=0)
    middle = np.full(inside.shape, np.nan)
    middle[inside] = np.nanmedian(np.where(counts, logits, np.nan)[:, inside], axis=0)
    found = distance_of(middle).astype(np.float32)
    return Joint(float(distance_of(whole_of(middle))), float(np.nanmax(found)), float(inside.mean()), found)
