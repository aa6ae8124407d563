"""Measure an encoder on labelled photographs of objects it was not trained on: verification and retrieval."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

from retrieval.errors import ArtifactError
from retrieval.statistics.metrics import (
    Estimate,
    RankedQuery,
    bootstrap_by_group,
    global_average_precision,
    recall_at_k,
)
from retrieval.statistics.verification import Curve, Pairs, Trials, with_width

NEAREST, RANDOM = 5, 5  # photos of other objects with which each genuine photo is compared
ROWS = 512  # photos whose distances to all others are in memory at once
CURVE_FIGURES: dict[str, Callable[[Curve], float]] = {
    "eer": lambda curve: curve.equal_error.rate,
    "auc": lambda curve: curve.auc,
}


class NothingToMeasure(ArtifactError):
    """Too few objects with two genuine photographs for figures with intervals."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Figures without intervals, for every epoch; NaN where nothing can be measured."""

    recall_at_1: float
    eer: float  # over all wrong pairs
    auc: float
    threshold: float  # distance at which false alarm and miss rate are equal

    @property
    def score(self) -> float:
        """What the best epoch is chosen by, higher is better: recall@1 - EER."""
        return self.recall_at_1 - self.eer


@dataclass(frozen=True, slots=True)
class EncoderFigures:
    """The figures of an encoder, each with its 95 % interval by object, and the counts behind the figures."""

    figures: dict[str, Estimate]
    threshold: float  # distance at which accuracy, precision, recall and F1 hold
    threshold_given: bool  # else the rates of these very photographs are equal at the threshold
    counts: dict[str, int]

    def as_dict(self) -> dict[str, dict[str, float]]:
        """Return each figure as value, low, high and n, for JSON."""
        return {name: asdict(estimate) for name, estimate in self.figures.items()}


@dataclass(frozen=True, slots=True)
class _Measurements:
    """What all figures are made from."""

    genuine: Pairs
    forgeries: Pairs
    others: Pairs
    queries: list[RankedQuery]  # the first answer alone
    ranks: np.ndarray  # int64 (n,), of the true object, 1 is right; 0 where none is known
    owners: np.ndarray  # int64 (n,), object number of each query

    @property
    def known(self) -> np.ndarray:
        return np.flatnonzero(self.ranks)

    @property
    def wrong(self) -> tuple[Pairs, ...]:
        return tuple(kind for kind in (self.forgeries, self.others) if len(kind.distances))


def summarise(vectors: np.ndarray, objects: Sequence | np.ndarray, genuine: Sequence | np.ndarray) -> Summary:
    """Return recall@1, EER and AUC without intervals, of the same pairs and queries as `evaluate`."""
    found = _measure(vectors, objects, genuine, 0)
    recall = float(np.mean(found.ranks[found.known] == 1)) if len(found.known) else math.nan
    if not len(found.genuine.distances) or not found.wrong:
        return Summary(recall, math.nan, math.nan, math.nan)
    curve = Trials.of(found.genuine, *found.wrong).whole()
    return Summary(recall, curve.equal_error.rate, curve.auc, curve.equal_error.threshold)


def evaluate_encoder(
    vectors: np.ndarray,
    objects: Sequence | np.ndarray,
    genuine: Sequence | np.ndarray,
    *,
    threshold: float | None = None,
    resamples: int = 500,
    seed: int = 0,
) -> EncoderFigures:
    """Return all figures of unit vectors, float32 (n, dim), with the object and the label of each, both (n,).

    Pairs: all genuine photos of an object with each other, and with its forgeries; and each genuine photo with its
    five nearest photos of other objects and five at random. `eer`, `auc`, and at the threshold `accuracy`,
    `precision`, `recall`, `f1` hold for genuine against wrong pairs, both kinds weighing the same; where there are
    forgeries they are half of the wrong pairs, and `eer_forgeries`, `auc_forgeries`, `eer_others`, `auc_others` tell
    the halves apart.

    Retrieval leaves one photo out: each genuine photo is looked for among all others, an object being as near as its
    nearest photo. A photo equally near to another object is not found. Photos that are the only genuine one of their
    object, and forgeries, are unknown works, which count for `gap` alone.

    Raises NothingToMeasure unless two objects have two genuine photographs.
    """
    if threshold is not None and math.isnan(threshold):
        raise ValueError("The threshold must be a number, not NaN.")
    found = _measure(vectors, objects, genuine, seed)
    _refuse_too_few(found)
    trials = Trials.of(found.genuine, *found.wrong)
    limit = trials.whole().equal_error.threshold if threshold is None else threshold
    estimate = partial(trials.estimate, resamples=resamples, seed=seed)
    figures = {
        "accuracy": estimate(lambda curve: curve.at(limit).accuracy),
        "precision": estimate(lambda curve: curve.at(limit).precision),
        "recall": estimate(lambda curve: curve.at(limit).recall),
        "f1": estimate(lambda curve: curve.at(limit).f1),
        **{name: estimate(figure) for name, figure in CURVE_FIGURES.items()},
        **_retrieval(found, resamples, seed),
    }
    if len(found.wrong) > 1:
        for suffix, wrong in (("forgeries", found.forgeries), ("others", found.others)):
            against = partial(Trials.of(found.genuine, wrong).estimate, resamples=resamples, seed=seed)
            figures |= {f"{name}_{suffix}": against(figure) for name, figure in CURVE_FIGURES.items()}
    return EncoderFigures(figures, limit, threshold is not None, _counts(found, genuine))


def _refuse_too_few(found: _Measurements) -> None:
    usable, all_objects = len(np.unique(found.genuine.owners)), len(np.unique(found.owners))
    if usable < 2:
        raise NothingToMeasure(
            f"Of {all_objects} objects to measure with, {usable} have two genuine photographs or more; two such "
            "objects are the least. Label more photographs, or hold back more objects."
        )


def _counts(found: _Measurements, genuine: Sequence | np.ndarray) -> dict[str, int]:
    n_genuine = int(np.count_nonzero(genuine))
    return {
        "objects": len(np.unique(found.owners)),
        "genuine_photos": n_genuine,
        "forgeries": len(genuine) - n_genuine,
        "genuine_pairs": len(found.genuine.distances),
        "forgery_pairs": len(found.forgeries.distances),
        "other_pairs": len(found.others.distances),
        "queries": len(found.known),
    }


def _retrieval(found: _Measurements, resamples: int, seed: int) -> dict[str, Estimate]:
    names = [f"{number:012}" for number in found.owners]
    of_known = [names[row] for row in found.known]
    estimate = partial(bootstrap_by_group, resamples=resamples, seed=seed)
    estimates = {
        "recall_at_1": estimate([found.queries[row] for row in found.known], of_known, recall_at_k),
        "map": estimate((1 / found.ranks[found.known]).tolist(), of_known, lambda values: float(np.mean(values))),
        "gap": estimate(found.queries, names, global_average_precision),
    }
    return {name: with_width(value) for name, value in estimates.items()}


def _measure(
    vectors: np.ndarray, objects: Sequence | np.ndarray, genuine: Sequence | np.ndarray, seed: int
) -> _Measurements:
    """Compare all photos with the genuine ones."""
    labels = np.asarray(genuine, bool)
    if vectors.ndim != 2 or not len(vectors) == len(objects) == len(labels) or not np.isfinite(vectors).all():
        raise ValueError(f"Expected finite vectors with an object and a label each, got {vectors.shape}.")
    if not labels.any():
        raise NothingToMeasure("There is no genuine photograph to measure with. Label one or more as genuine.")
    numbers = np.unique(np.asarray(objects), return_inverse=True)[1]
    order = np.lexsort((numbers, ~labels))  # genuine photos first, the photos of an object together
    values, numbers, n_genuine = vectors[order].astype(np.float64), numbers[order], int(labels.sum())
    random = _random_others(numbers, n_genuine, np.random.default_rng(seed))
    chunks = [slice(start, start + ROWS) for start in range(0, len(values), ROWS)]
    compared = [_compare(values, numbers, n_genuine, rows, random[rows]) for rows in chunks]
    pairs = {kind: _joined([part[kind] for part in compared]) for kind in ("genuine", "forgeries", "others")}
    own, other, rank = (np.concatenate([part[name] for part in compared]) for name in ("own", "other", "rank"))
    known = np.isfinite(own) & (np.arange(len(own)) < n_genuine)
    queries = [_query(*row) for row in zip(known.tolist(), rank.tolist(), own.tolist(), other.tolist(), strict=True)]
    return _Measurements(queries=queries, ranks=np.where(known, rank, 0), owners=numbers, **pairs)


def _random_others(numbers: np.ndarray, n_genuine: int, rng: np.random.Generator) -> np.ndarray:
    """Return, for each photo, RANDOM numbers of genuine photos of other objects, int64 (n, RANDOM)."""
    starts, ends = (np.searchsorted(numbers[:n_genuine], numbers, side=side) for side in ("left", "right"))
    own = (ends - starts)[:, None]
    drawn = (rng.random((len(numbers), RANDOM)) * (n_genuine - own)).astype(np.int64)
    return np.where(drawn < starts[:, None], drawn, np.minimum(drawn + own, n_genuine - 1))


def _compare(
    values: np.ndarray, numbers: np.ndarray, n_genuine: int, rows: slice, random: np.ndarray
) -> dict[str, Any]:
    """Return the pairs of some photos, and of each its distance to its own and to the nearest other object.

    `rank` is the rank of its own object; objects equally near go before it.
    """
    gallery, mine, place = numbers[:n_genuine], numbers[rows], np.arange(len(numbers))[rows]
    distances = _distances(values[rows], values[:n_genuine])
    same, column = mine[:, None] == gallery, np.arange(n_genuine)
    is_genuine = place < n_genuine
    to_own = np.where(same & (column != place[:, None]), distances, np.inf)
    to_others = np.where(same, np.inf, distances)
    by_object = np.minimum.reduceat(to_others, np.unique(gallery, return_index=True)[1], axis=1)
    nearest = np.partition(to_others, min(NEAREST, n_genuine) - 1, axis=1)[:, :NEAREST]
    chosen = np.hstack([nearest, np.take_along_axis(to_others, random, axis=1)])[is_genuine]
    own = to_own.min(axis=1)
    return {
        "genuine": _pairs(np.where(column > place[:, None], to_own, np.inf)[is_genuine], mine[is_genuine]),
        "forgeries": _pairs(to_own[~is_genuine], mine[~is_genuine]),
        "others": _pairs(chosen, mine[is_genuine]),
        "own": own,
        "other": by_object.min(axis=1),
        "rank": 1 + np.count_nonzero(by_object <= own[:, None], axis=1),
    }


def _distances(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    squared = (some**2).sum(axis=1)[:, None] + (others**2).sum(axis=1) - 2 * some @ others.T
    return np.sqrt(np.maximum(squared, 0))


def _pairs(distances: np.ndarray, owners: np.ndarray) -> Pairs:
    """Return the finite distances of a table (n, m), each with the owner of its row."""
    row, column = np.nonzero(np.isfinite(distances))
    return Pairs(distances[row, column], owners[row])


def _joined(parts: Sequence[Pairs]) -> Pairs:
    return Pairs(np.concatenate([part.distances for part in parts]), np.concatenate([part.owners for part in parts]))


def _query(known: bool, rank: int, own: float, other: float) -> RankedQuery:
    """Return the answer to a query; for the metrics it is enough to know whether it is the true object."""
    answer = ("own", own) if rank == 1 else ("other", other)
    ranking = (answer,) if math.isfinite(answer[1]) else ()
    return RankedQuery(frozenset(["own"] if known else []), ranking)
