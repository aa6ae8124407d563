"""Choose the triplets of a batch that are worth learning from.

A triplet is an anchor, another genuine photo of its object, and a negative: a forgery of that object, or any photo of
another. Anchors are thus genuine photos only. Miners look at distances and pass no gradient on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

Miner = Callable[[Tensor, Tensor, Tensor], "Triplets"]

MINERS = ("random", "batch-all", "batch-hard", "semi-hard")


@dataclass(frozen=True, slots=True, eq=False)
class Triplets:
    """Rows of a batch, int64 of shape (n,) each."""

    anchors: Tensor
    positives: Tensor
    negatives: Tensor

    def __len__(self) -> int:
        return len(self.anchors)


def relations(
    objects: Tensor, genuine: Tensor, same_work: Collection[tuple[int, int]] = frozenset()
) -> tuple[Tensor, Tensor]:
    """Return which photos of a batch are positive pairs and which negative ones, two masks, bool (n, n).

    `objects` holds the number of each photo's object, int64 (n,); `genuine`, bool (n,), is False for a forgery of it.
    Positive are two genuine photos of one object, negative a genuine photo and a forgery of one object, and any two
    photos of different objects. Two forgeries of one object are neither, as are photos of two objects that are known to
    be the same work, given as pairs of numbers, the smaller first.
    """
    same_object = objects[:, None] == objects
    positive = same_object & genuine[:, None] & genuine
    positive.fill_diagonal_(False)
    negative = ~same_object | (genuine[:, None] != genuine)
    present = set(objects.tolist()) if same_work else set()
    for one, other in same_work:
        if one in present and other in present:
            rows, columns = objects == one, objects == other
            negative &= ~((rows[:, None] & columns) | (columns[:, None] & rows))
    return positive, negative


def make_miner(name: str, *, generator: torch.Generator) -> Miner:
    """Return one of MINERS; it takes distances (n, n) and the masks of `relations` and returns Triplets.

    `generator`, on the CPU, draws the random ones. Negatives mined from the index come with the batch instead: see
    `nearest_wrong` and `batches`; any miner then chooses among the negatives of the batch.
    """
    miners: dict[str, Miner] = {
        "random": partial(random_triplets, generator=generator),
        "batch-all": batch_all,
        "batch-hard": batch_hard,
        "semi-hard": semi_hard,
    }
    assert miners.keys() == set(MINERS) and name in miners
    return miners[name]


def random_triplets(distance: Tensor, positive: Tensor, negative: Tensor, *, generator: torch.Generator) -> Triplets:
    """Return one triplet for each positive pair, with a negative drawn evenly from the anchor's.

    The draw is the same on every device.
    """
    anchors, positives = _pairs(positive, negative)
    draw = torch.rand(len(anchors), len(distance), generator=generator).to(distance.device)
    return Triplets(anchors, positives, draw.masked_fill(~negative[anchors], -1.0).argmax(1))


def batch_all(distance: Tensor, positive: Tensor, negative: Tensor) -> Triplets:
    """Return every triplet of the batch (Hermans et al. 2017).

    Soon most of them are easy and dilute the mean: divide the loss by its active share for the mean over the others.
    """
    anchors, positives = _pairs(positive, negative)
    pairs, negatives = negative[anchors].nonzero(as_tuple=True)
    return Triplets(anchors[pairs], positives[pairs], negatives)


def batch_hard(distance: Tensor, positive: Tensor, negative: Tensor) -> Triplets:
    """Return one triplet for each anchor: its farthest positive and its nearest negative (Hermans et al. 2017)."""
    anchors = (positive.any(1) & negative.any(1)).nonzero().flatten()
    known = distance.detach()[anchors]
    return Triplets(anchors, _farthest(known, positive[anchors]), _nearest(known, negative[anchors]))


def semi_hard(distance: Tensor, positive: Tensor, negative: Tensor) -> Triplets:
    """Return one triplet for each positive pair: the nearest negative that is farther than the positive.

    Where that is less than the margin farther, it is the hardest of the semi-hard negatives (Schroff et al. 2015);
    where it is more, none is semi-hard and the triplet costs nothing, so that the active share shows it. Where every
    negative is nearer than the positive, it is the farthest negative: the mildest that is too hard.
    """
    anchors, positives = _pairs(positive, negative)
    known, negatives = distance.detach()[anchors], negative[anchors]
    farther = negatives & (known > distance.detach()[anchors, positives][:, None])
    chosen = torch.where(farther.any(1), _nearest(known, farther), _farthest(known, negatives))
    return Triplets(anchors, positives, chosen)


def _pairs(positive: Tensor, negative: Tensor) -> tuple[Tensor, Tensor]:
    """Return the rows and columns of the positive pairs whose anchor has a negative."""
    anchors, positives = (positive & negative.any(1)[:, None]).nonzero(as_tuple=True)
    return anchors, positives


def _nearest(distance: Tensor, among: Tensor) -> Tensor:
    return distance.masked_fill(~among, math.inf).argmin(1)


def _farthest(distance: Tensor, among: Tensor) -> Tensor:
    return distance.masked_fill(~among, -math.inf).argmax(1)
