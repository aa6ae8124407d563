"""Losses on unit embeddings: pull the genuine photos of an object together, push copies and other objects away.

They take distances or vectors, and which pairs of a batch are positive and which negative (`mining.relations`).
Products of vectors are taken in double precision and the rest in single, so autocast and TF32 change nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

SAME = 1e-6  # vectors nearer than this are taken as equal: distance 0, gradient 0
NEAREST = 1e-3  # added to a distance before its logarithm is taken, so that its gradient stays below 1 / NEAREST


@dataclass(frozen=True, slots=True, eq=False)
class Loss:
    """What a batch costs."""

    value: Tensor  # 0-dim, the mean over all terms; 0, with a gradient of 0, where there are none
    active: Tensor  # 0-dim, the share of the terms that still push, 0..1; `value / active` is their mean


def distances(vectors: Tensor, others: Tensor | None = None) -> Tensor:
    """Return the Euclidean distances of vectors (n, d) to others (m, d), or to each other: (n, m), float32 or better.

    Exact for near vectors too. Where two are equal the gradient is 0, as their direction is not known.
    """
    one = vectors.double()
    other = one if others is None else others.double()
    squared = one.square().sum(1)[:, None] + other.square().sum(1) - 2.0 * one @ other.T
    equal = squared <= SAME**2  # not for NaN, which is passed on
    return _rounded(squared.masked_fill(equal, 1.0).sqrt().masked_fill(equal, 0.0), vectors)


def mean_distance(distance: Tensor) -> Tensor:
    """Return the mean distance between different photos of a batch, 0-dim, from their distances (n, n)."""
    count = len(distance)
    return (distance.sum() - distance.diagonal().sum()) / max(count * (count - 1), 1)


def contrastive_loss(distance: Tensor, genuine: Tensor, *, margin: float) -> Loss:
    """Draw genuine pairs to distance 0 and the others beyond the margin (Hadsell, Chopra and LeCun 2006).

    `distance` is (n,), `genuine` (n,): 1 or True for a positive pair, 0 or False for a negative one. A pair costs half
    the square of the distance, or of what it lacks to the margin.
    """
    full = _full(distance)
    return _loss(0.5 * torch.where(genuine.bool(), full, (margin - full).clamp(min=0.0)).square())


def triplet_loss(positive: Tensor, negative: Tensor, *, margin: float | None) -> Loss:
    """Ask that each anchor is nearer to its positive than to its negative by the margin (Schroff et al. 2015).

    `positive` and `negative` are the distances of anchors to them, (n,). Without a margin the softplus of the
    difference is taken, which asks for ever more (Hermans et al. 2017); active are then the triplets in wrong order.
    """
    excess = _full(positive) - _full(negative)
    if margin is None:
        return _loss(functional.softplus(excess), excess >= 0.0)
    return _loss((excess + margin).clamp(min=0.0))


def koleo_loss(vectors: Tensor, apart: Tensor) -> Loss:
    """Spread vectors (n, d): minus the mean log distance of each to its nearest (Sablayrolles et al. 2019).

    `apart`, bool (n, n), says which pairs are to be spread: in the paper all but the diagonal; give the negative pairs,
    and photos of one object are not driven apart. Rows without any are left out.
    """
    nearest = distances(vectors).masked_fill(~apart, math.inf).amin(1)[apart.any(1)]
    terms = -(nearest + NEAREST).log()
    return _loss(terms, torch.ones_like(terms))


def supervised_contrastive_loss(
    vectors: Tensor, positive: Tensor, negative: Tensor, *, temperature: float = 0.1
) -> Loss:
    """Tell each positive of an anchor from all other photos, as in a classification (Khosla et al. 2020, L_out).

    `vectors` is (n, d), the masks bool (n, n). Pairs that are neither positive nor negative are left out, and so are
    rows without a positive.
    """
    anchors = positive.any(1)
    scores = (_similarities(vectors) / temperature)[anchors]
    wanted, seen = positive[anchors], (positive | negative)[anchors]
    logs = scores - scores.masked_fill(~seen, -math.inf).logsumexp(1, keepdim=True)
    terms = -(logs * wanted).sum(1) / wanted.sum(1)
    return _loss(terms, torch.ones_like(terms))


def multi_similarity_loss(
    vectors: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    alpha: float = 2.0,
    beta: float = 50.0,
    base: float = 0.5,
    slack: float = 0.1,
) -> Loss:
    """Weigh each pair by how hard it is by itself and among the others (Wang et al. 2019, with its choice of pairs).

    `vectors` is (n, d), the masks bool (n, n). An anchor keeps the positives that are less similar than its
    most similar negative, give or take the slack, and the other way round. The terms are the anchors that have both
    positives and negatives; active are the anchors that keep a pair. `base` is 0.5 as in the authors' code, not 1.
    """
    anchors = positive.any(1) & negative.any(1)
    similarity, positive, negative = _similarities(vectors)[anchors], positive[anchors], negative[anchors]
    known = similarity.detach()
    hardest = known.masked_fill(~negative, -math.inf).amax(1, keepdim=True)
    farthest = known.masked_fill(~positive, math.inf).amin(1, keepdim=True)
    near, far = negative & ~(known + slack <= farthest), positive & ~(known - slack >= hardest)  # NaN is kept
    terms = (
        _log_one_and(alpha * (base - similarity), far) / alpha + _log_one_and(beta * (similarity - base), near) / beta
    )
    return _loss(terms, (near | far).any(1))


def _log_one_and(exponents: Tensor, kept: Tensor) -> Tensor:
    """Return log(1 + the sum of the exponentials where `kept`), (n, m) -> (n,)."""
    one = exponents.new_zeros(len(exponents), 1)
    return torch.cat([one, exponents.masked_fill(~kept, -math.inf)], 1).logsumexp(1)


def _loss(terms: Tensor, active: Tensor | None = None) -> Loss:
    pushing = terms > 0.0 if active is None else active
    count = max(len(terms), 1)
    return Loss(terms.sum() / count, pushing.detach().sum() / count)


def _similarities(vectors: Tensor) -> Tensor:
    return _rounded(vectors.double() @ vectors.double().T, vectors)


def _full(values: Tensor) -> Tensor:
    return values if values.dtype == torch.float64 else values.float()


def _rounded(values: Tensor, given: Tensor) -> Tensor:
    """Return double precision as single, unless `given` is double precision itself."""
    return values if given.dtype == torch.float64 else values.float()
