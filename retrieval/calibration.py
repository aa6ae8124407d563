"""Thresholds with the counts behind them; until photographs are labelled, from the catalogue itself."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

FALSE_MATCH_RATE = 0.05
FALSE_ALARM_RATE = 0.05


@dataclass(frozen=True, slots=True)
class Threshold:
    """A distance, the rate of errors it was set for, and the number of objects behind it.

    `value` is None where there are too few objects for that rate.
    """

    value: float | None
    rate: float
    count: int

    @property
    def needed(self) -> int:
        """The number of objects from which a threshold at this rate can be set."""
        return math.ceil(round(1.0 / self.rate, 9)) - 1


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Match: nearer than this, an object is found. Authenticity: farther than this, its photograph diverges."""

    match: Threshold
    authenticity: Threshold


def match_threshold(nearest_other: np.ndarray, *, rate: float = FALSE_MATCH_RATE) -> Threshold:
    """Return the distance below which an unknown work falls at most at `rate`.

    `nearest_other` holds, for each object, the distance of one of its exemplars to the nearest other object: what this
    catalogue looks like to a work that is not in it. The threshold is the floor(rate * (n + 1))-th smallest, the
    distribution-free bound of conformal prediction (Vovk, Gammerman and Shafer 2005).
    """
    rank = _rank(nearest_other, rate)
    value = float(np.sort(nearest_other)[rank - 1]) if rank else None
    return Threshold(value, rate, len(nearest_other))


def authenticity_threshold(genuine: np.ndarray, *, rate: float = FALSE_ALARM_RATE) -> Threshold:
    """Return the distance above which a genuine photograph falls at most at `rate`.

    `genuine` holds one distance an object between its exemplar and another photograph of it. The same bound, from
    above: the floor(rate * (n + 1))-th largest.
    """
    rank = _rank(genuine, rate)
    value = float(np.sort(genuine)[-rank]) if rank else None
    return Threshold(value, rate, len(genuine))


def _rank(distances: np.ndarray, rate: float) -> int:
    """Return how many of n exchangeable cases may err at `rate`; 0 when n is too small to say."""
    return math.floor(round(rate * (len(distances) + 1), 9))
