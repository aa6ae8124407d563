"""How well a threshold tells genuine pairs from wrong ones: rates, accuracy, F1, AUC, each with its interval.

The positive class is `genuine`, as in the labels: 1 genuine, 0 forgery. A pair passes if its distance is within the
threshold. A wrong pair is one of a genuine photo and a forgery of its object, or a photo of another object.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from retrieval.statistics.metrics import EqualError, Estimate, bootstrap_by_group, clopper_pearson

ROUNDING = 1e-12  # of a rate


@dataclass(frozen=True, slots=True)
class Confusion:
    """What a threshold does: numbers of pairs, or shares of each kind if both kinds shall weigh the same."""

    genuine_passed: float
    genuine_flagged: float
    wrong_passed: float
    wrong_flagged: float

    @property
    def accuracy(self) -> float:
        """The share of all pairs that are genuine and pass, or wrong and are flagged."""
        right = self.genuine_passed + self.wrong_flagged
        return right / (right + self.genuine_flagged + self.wrong_passed)

    @property
    def precision(self) -> float:
        """The share of genuine pairs among those that pass; 0 where none passes."""
        passed = self.genuine_passed + self.wrong_passed
        return self.genuine_passed / passed if passed else 0.0

    @property
    def recall(self) -> float:
        """The share of the genuine pairs that pass: 1 - false alarm rate."""
        return self.genuine_passed / (self.genuine_passed + self.genuine_flagged)

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        return 2 * self.genuine_passed / (2 * self.genuine_passed + self.wrong_passed + self.genuine_flagged)


@dataclass(frozen=True, slots=True)
class Curve:
    """False alarm and miss rate at each threshold, all of shape (n,): (1, 0) falls and rises to (0, 1)."""

    thresholds: np.ndarray  # distances, ascending; the first two are equal
    false_alarm: np.ndarray
    miss: np.ndarray

    @property
    def auc(self) -> float:
        """The area under the ROC: the chance that a genuine pair is nearer than a wrong one, ties counting half.

        Hanley and McNeil, Radiology 1982; here the sum of trapezia under (miss rate, recall).
        """
        recall = 1 - self.false_alarm
        return float(np.sum(np.diff(self.miss) * (recall[1:] + recall[:-1])) / 2)

    @property
    def equal_error(self) -> EqualError:
        """Where both rates are equal, on straight lines between the thresholds, as `metrics.equal_error_rate`."""
        gap = self.false_alarm - self.miss  # falls from 1 to -1
        after = int(np.argmax(gap <= 0))
        place = after - gap[after] / (gap[after] - gap[after - 1])
        at = np.arange(len(gap))
        return EqualError(float(np.interp(place, at, self.miss)), float(np.interp(place, at, self.thresholds)))

    def miss_at(self, false_alarm: float) -> float:
        """Return the smallest miss rate at which the false alarm rate is no higher than this."""
        return float(self.miss[int(np.argmax(self.false_alarm <= false_alarm + ROUNDING))])

    def false_alarm_at(self, miss: float) -> float:
        """Return the smallest false alarm rate at which the miss rate is no higher than this."""
        return float(self.false_alarm[int(np.flatnonzero(self.miss <= miss + ROUNDING)[-1])])

    def at(self, threshold: float) -> Confusion:
        """Return the shares of either kind that pass and that are flagged: both kinds weigh the same."""
        row = int(np.searchsorted(self.thresholds[1:], threshold, side="right"))
        false_alarm, miss = float(self.false_alarm[row]), float(self.miss[row])
        return Confusion(1 - false_alarm, false_alarm, miss, 1 - miss)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of one kind: their distances, float of shape (n,), and the number of the object each belongs to."""

    distances: np.ndarray
    owners: np.ndarray  # int64 (n,), 0 or more


@dataclass(frozen=True, slots=True)
class Trials:
    """Genuine pairs, and wrong pairs of one kind or several, that can be counted again for each resample.

    Each kind of wrong pairs has the same weight, whatever the number of its pairs.
    """

    kinds: tuple[Pairs, ...]  # the genuine ones first
    thresholds: np.ndarray  # each distance that occurs once, ascending
    steps: tuple[np.ndarray, ...]  # for each kind, where its distances stand among the thresholds, int64 (n,)

    @classmethod
    def of(cls, genuine: Pairs, *wrong: Pairs) -> Trials:
        """Return the trials of these kinds; raises ValueError where a kind has no pairs or distances not finite."""
        kinds = (genuine, *wrong)
        if not wrong or any(not len(kind.distances) or not np.isfinite(kind.distances).all() for kind in kinds):
            raise ValueError("Expected finite distances, one or more, of genuine pairs and of each kind of wrong ones.")
        thresholds, steps = np.unique(np.concatenate([kind.distances for kind in kinds]), return_inverse=True)
        ends = np.cumsum([len(kind.distances) for kind in kinds])
        return cls(kinds, thresholds, tuple(np.split(steps, ends[:-1])))

    def curve(self, times: np.ndarray) -> Curve:
        """Return the rates with each object counted `times[number]` times, int64 (n_objects,).

        Raises ValueError where no pair of a kind is left.
        """
        passed = [self._passed(kind, steps, times) for kind, steps in zip(self.kinds, self.steps, strict=True)]
        thresholds = np.append(self.thresholds[0], self.thresholds)
        return Curve(thresholds, 1 - passed[0], np.mean(passed[1:], axis=0))

    def _passed(self, pairs: Pairs, steps: np.ndarray, times: np.ndarray) -> np.ndarray:
        """Return the share of some pairs within each threshold, from 0 below the first."""
        counts = np.bincount(steps, weights=times[pairs.owners], minlength=len(self.thresholds))
        reached = np.append(0.0, np.cumsum(counts))
        if not reached[-1]:
            raise ValueError("No pair of this kind is left.")
        return reached / reached[-1]

    @property
    def owners(self) -> np.ndarray:
        """The numbers of the objects that have any pair, ascending."""
        return np.unique(np.concatenate([kind.owners for kind in self.kinds]))

    @property
    def n_objects(self) -> int:
        """The number of objects behind the kind of pair that has the fewest."""
        return min(len(np.unique(kind.owners)) for kind in self.kinds)

    def whole(self) -> Curve:
        """Return the rates with each object counted once."""
        return self.curve(np.ones(int(self.owners[-1]) + 1, np.int64))

    def estimate(self, figure: Callable[[Curve], float], *, resamples: int = 500, seed: int = 0) -> Estimate:
        """Return a figure of the curve with its 95 % interval by bootstrap over objects.

        A wrong pair goes with the object of the photo that was compared; the objects it is compared with stay. `n` is
        the number of objects behind the rarest kind of pair. Raises ValueError with fewer than two objects.
        """
        owners = self.owners.tolist()
        length = owners[-1] + 1

        def statistic(numbers: Sequence[int]) -> float:
            return figure(self.curve(np.bincount(numbers, minlength=length)))

        names = [f"{number:012}" for number in owners]
        found = bootstrap_by_group(owners, names, statistic, resamples=resamples, seed=seed)
        return with_width(replace(found, n=self.n_objects))


def with_width(estimate: Estimate) -> Estimate:
    """Return an estimate whose objects all agree with the exact interval of as many objects instead of none.

    Where every object is right, resampling them gives no width; for a share, Clopper and Pearson's interval does.
    """
    if estimate.low < estimate.high:
        return estimate
    low, high = clopper_pearson(round(estimate.value * estimate.n), estimate.n)
    return replace(estimate, low=min(low, estimate.value), high=max(high, estimate.value))


def confusion(
    genuine: Sequence[float] | np.ndarray, wrong: Sequence[float] | np.ndarray, threshold: float
) -> Confusion:
    """Return the numbers of genuine and wrong distances, shapes (n,) and (m,), that pass and that are flagged."""
    near, far = np.asarray(genuine, float), np.asarray(wrong, float)
    if math.isnan(threshold) or not len(near) or not np.isfinite(np.concatenate([near, far])).all():
        raise ValueError("Expected a threshold, finite distances, and one genuine pair or more.")
    passed, missed = int(np.count_nonzero(near <= threshold)), int(np.count_nonzero(far <= threshold))
    return Confusion(passed, len(near) - passed, missed, len(far) - missed)
