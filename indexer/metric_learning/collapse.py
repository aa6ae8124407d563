"""Notice a training that has collapsed, and stop it with advice."""

from __future__ import annotations

import math
from collections import deque

from retrieval.errors import Collapsed

STEPS = 100  # over which the means are taken
LEAST_SPREAD = 0.05  # mean distance between the photos of a batch
LEAST_OFFSET = 0.02  # mean distance of the triplet loss from the value where it sticks, as a share of that value
SHRUNKEN = 0.5  # a spread of less than this share of the widest seen


class CollapseMonitor:
    """Watches the mean distance within a batch and the triplet loss, each through its mean over the last steps."""

    def __init__(self, *, margin: float | None, steps: int = STEPS) -> None:
        """Take the margin of `losses.triplet_loss`: its value where all distances are equal, ln 2 without one."""
        self._stuck = math.log(2.0) if margin is None else margin
        self._step = 0
        self._widest = 0.0
        self._spreads: deque[float] = deque(maxlen=steps)
        self._offsets: deque[float] = deque(maxlen=steps)

    def update(self, *, spread: float, loss: float, triplet: float | None = None) -> None:
        """Take a step's mean distance between the photos of its batch, its loss, and its triplet loss if there is one.

        Raises Collapsed at once where one of the three is no number; and where, over the last `steps`, the distances
        were next to nothing, or the triplet loss stuck while the distances shrank. Stuck is a loss that each time is
        about the margin: a loss that passes the margin moves. A stuck loss alone is no collapse, as semi-hard triplets
        are chosen to lie about the margin.
        """
        self._step += 1
        if not all(map(math.isfinite, (spread, loss, triplet or 0.0))):
            raise Collapsed(
                f"The loss is no number at step {self._step} ({loss}). Lower the rate, or train in full precision."
            )
        self._widest = max(self._widest, spread)
        self._spreads.append(spread)
        if triplet is None or not self._stuck:  # with a margin of nothing, a loss of nothing is what is wanted
            self._offsets.append(math.inf)
        else:
            self._offsets.append(abs(triplet - self._stuck) / self._stuck)
        if len(self._spreads) == self._spreads.maxlen:
            self._judge(_mean(self._spreads), _mean(self._offsets))

    def _judge(self, spread: float, offset: float) -> None:
        advice = "Lower the rate, mine semi-hard triplets before batch-hard ones, or add the spread term."
        where = f"over the last {len(self._spreads)} steps, up to step {self._step}"
        if spread < LEAST_SPREAD:
            raise Collapsed(f"The embeddings collapsed: {where}, those of a batch lay {spread:.3f} apart. {advice}")
        if offset < LEAST_OFFSET and spread < SHRUNKEN * self._widest:
            raise Collapsed(
                f"The embeddings are collapsing: {where}, those of a batch lay {spread:.3f} apart, once "
                f"{self._widest:.3f}, and the triplet loss stuck at {self._stuck:.3f}. {advice}"
            )


def _mean(values: deque[float]) -> float:
    return sum(values) / len(values)
