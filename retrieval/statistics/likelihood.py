"""How much more a distance speaks for a genuine photograph than for one of a copy: likelihood ratios, and their cost.

The ratio is p(distance | genuine photograph of the object) / p(distance | photograph of a copy of it).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FOLDS = 10
FEWEST = 10  # objects of either kind; with fewer a ratio says nothing
RIDGE = 0.1  # of the squared slope, in units of one object's log loss
STEPS = 100
ALIKE = 1e-9  # spread of distances that are all the same
SCALE = (  # ENFSI guideline for evaluative reporting in forensic science, 2015: from this ratio on
    (1e6, "extremely strong"), (1e4, "very strong"), (1e3, "strong"), (1e2, "moderately strong"), (10.0, "moderate"),
    (2.0, "weak"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LikelihoodRatio:
    """log10 of the ratio as a falling line over the distance, no farther from 0 than the counts can carry."""

    intercept: float
    slope: float  # 0 or less
    genuine: int  # objects behind it
    copies: int
    cllr: float  # of ratios for objects that the line was not fitted on; 0 is perfect, 1 says nothing
    cllr_min: float  # what the best monotone ratios of the same distances cost

    def __call__(self, distance: float) -> float:
        """Return the ratio for one distance: at most copies + 1, at least 1 / (genuine + 1)."""
        return float(10.0 ** _bounded(self.intercept + self.slope * distance, self.genuine, self.copies))


def words(ratio: float) -> str:
    """Return what a ratio is worth on the verbal scale."""
    strength = next((name for least, name in SCALE if max(ratio, 1.0 / ratio) >= least), "")
    if not strength:
        return "no support for either"
    side = "a genuine photograph of it" if ratio > 1.0 else "a photograph of a copy of it"
    return f"{strength} support for {side}"


def fit_ratio(
    genuine: np.ndarray, genuine_objects: Sequence[str], copies: np.ndarray, copy_objects: Sequence[str]
) -> LikelihoodRatio | None:
    """Return the ratio fitted to distances, (n,) and (m,), each with its object; None where there are too few objects.

    Logistic regression, both kinds weighing the same and every object within its kind (Morrison, Australian Journal of
    Forensic Sciences 2013), the slope drawn a little towards 0 (Morrison and Poh, Science and Justice 2018). The ratio
    cannot exceed what the counts can carry (Vergeer et al., Science and Justice 2016). Its cost is taken by ten-fold
    cross-validation over objects.
    """
    kinds = (genuine_objects, copy_objects)
    counts = [len(set(objects)) for objects in kinds]
    if min(counts) < FEWEST:
        return None
    distances = np.concatenate([genuine, copies])
    labels = np.repeat([1.0, 0.0], [len(genuine), len(copies)])
    weights = np.concatenate([object_weights(objects) for objects in kinds])
    objects = np.array([*genuine_objects, *copy_objects])
    names = np.unique(objects)
    fold_of = dict(zip(names.tolist(), np.random.default_rng(0).permutation(len(names)) % FOLDS, strict=True))
    folds = np.array([fold_of[name] for name in objects])
    unseen = np.empty(len(distances))
    for fold in np.unique(folds):
        inside = folds != fold
        intercept, slope = _fit(distances[inside], labels[inside], weights[inside])
        unseen[~inside] = _bounded(intercept + slope * distances[~inside], *counts)
    intercept, slope = _fit(distances, labels, weights)
    return LikelihoodRatio(
        intercept=intercept,
        slope=slope,
        genuine=counts[0],
        copies=counts[1],
        cllr=cllr(unseen, labels, weights),
        cllr_min=cllr_min(-distances, labels, weights),
    )


def object_weights(objects: Sequence[str]) -> np.ndarray:
    """Return weights, float64 (n,), whose sum is the number of objects: every object the same, whatever its photos."""
    _, rows, counts = np.unique(np.asarray(objects), return_inverse=True, return_counts=True)
    return np.asarray(1.0 / counts[rows])


def _fit(distances: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Return intercept and slope of log10 of the ratio, by Newton's method; a slope above 0 is none."""
    balanced = _balanced(labels, weights) * weights.sum()
    centre = float(np.average(distances, weights=balanced))
    spread = math.sqrt(float(np.average((distances - centre) ** 2, weights=balanced)))
    if spread < ALIKE:
        return 0.0, 0.0
    design = np.stack([np.ones(len(distances)), (distances - centre) / spread], axis=1)
    penalty = np.diag([0.0, RIDGE])
    found = np.zeros(2)
    for _ in range(STEPS):
        chance = 1.0 / (1.0 + np.exp(-(design @ found)))
        gradient = design.T @ (balanced * (chance - labels)) + penalty @ found
        curvature = (design * (balanced * chance * (1.0 - chance))[:, None]).T @ design + penalty
        step = np.linalg.solve(curvature, gradient)
        found = found - step * min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-12))
        if float(np.abs(step).max()) < 1e-10:
            break
    slope = min(float(found[1]), 0.0) / spread
    intercept = float(found[0]) - slope * centre if slope else 0.0
    return intercept / math.log(10.0), slope / math.log(10.0)


def _bounded(log_ratio: np.ndarray | float, genuine: int, copies: int) -> np.ndarray:
    return np.clip(log_ratio, -math.log10(genuine + 1), math.log10(copies + 1))


def _balanced(labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return weights of sum 1, half of it for each kind."""
    totals = np.where(labels > 0, weights[labels > 0].sum(), weights[labels == 0].sum())
    return np.asarray(weights / totals / 2.0)


def cllr(log_ratios: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> float:
    """Return the log-likelihood-ratio cost in bits (Brummer and du Preez, Computer Speech and Language 2006).

    `log_ratios` are log10, labels 1 for genuine and 0 for copies, all of shape (n,). 0 is perfect; ratios of 1 cost 1.
    """
    signed = np.where(labels > 0, -1.0, 1.0) * log_ratios * math.log(10.0)
    return float(np.sum(_balanced(labels, weights) * np.logaddexp(0.0, signed)) / math.log(2.0))


def cllr_min(scores: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> float:
    """Return the cost of the best ratios that rise with the scores, (n,): found by pooling adjacent violators.

    What of the cost the order of the scores is to blame for; the rest is calibration.
    """
    chance = isotonic(scores, labels, _balanced(labels, weights))
    with np.errstate(divide="ignore"):
        log_ratios = np.log10(chance) - np.log10(1.0 - chance)
    return cllr(log_ratios, labels, weights)


def isotonic(scores: np.ndarray, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the means of `values`, (n,), that never fall as the scores rise and fit best by weighted squares.

    Pooling adjacent violators (Ayer et al., Annals of Mathematical Statistics 1955); equal scores get equal means.
    """
    _, ranks = np.unique(scores, return_inverse=True)
    totals, sums = np.bincount(ranks, weights), np.bincount(ranks, weights * values)
    blocks: list[tuple[float, float, int]] = []  # weight, sum, ranks in it
    for total, amount in zip(totals.tolist(), sums.tolist(), strict=True):
        block = (total, amount, 1)
        while blocks and blocks[-1][1] * block[0] >= block[1] * blocks[-1][0]:
            last = blocks.pop()
            block = (last[0] + block[0], last[1] + block[1], last[2] + block[2])
        blocks.append(block)
    means = np.repeat([amount / total for total, amount, _ in blocks], [count for *_, count in blocks])
    return np.asarray(np.clip(means, 0.0, 1.0)[ranks])
