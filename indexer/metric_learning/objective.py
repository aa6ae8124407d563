"""Put together what a batch costs: triplets are mined, losses added up, embeddings spread."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from indexer.metric_learning.losses import (
    Loss,
    contrastive_loss,
    distances,
    koleo_loss,
    mean_distance,
    multi_similarity_loss,
    supervised_contrastive_loss,
    triplet_loss,
)
from indexer.metric_learning.mining import Miner, relations


@dataclass(frozen=True, slots=True, eq=False)
class BatchCost:
    """What a batch costs, and what is known of its embeddings by the way."""

    value: Tensor  # 0-dim, to be made small
    active: float  # share of the terms of the first loss that still push, 0 to 1
    spread: float  # mean distance between different photographs, [0, 2]
    triplet: float | None  # value of the triplet loss alone, None where it is not among the losses


def batch_cost(
    vectors: Tensor,
    objects: Tensor,
    genuine: Tensor,
    *,
    miner: Miner,
    losses: Sequence[str],
    margin: float,
    apart: float,
    spread: float,
    same_work: Collection[tuple[int, int]] = frozenset(),
) -> BatchCost:
    """Return the sum of the losses named, and of the spread term with a weight of `spread`.

    `vectors` is (n, d) of unit length; `objects`, int64 (n,), and `genuine`, bool (n,), are as in `mining.relations`,
    and so is `same_work`. `margin` is the margin of the triplets, `apart` the margin of the contrastive loss.
    """
    distance = distances(vectors)
    positive, negative = relations(objects, genuine, same_work)
    triplets = miner(distance, positive, negative)
    near = distance[triplets.anchors, triplets.positives]
    far = distance[triplets.anchors, triplets.negatives]

    def loss(name: str) -> Loss:
        if name == "triplet":
            return triplet_loss(near, far, margin=margin)
        if name == "contrastive":
            labels = torch.cat([torch.ones_like(near), torch.zeros_like(far)])
            return contrastive_loss(torch.cat([near, far]), labels, margin=apart)
        if name == "supervised-contrastive":
            return supervised_contrastive_loss(vectors, positive, negative)
        assert name == "multi-similarity"
        return multi_similarity_loss(vectors, positive, negative)

    found = {name: loss(name) for name in losses}
    value = torch.stack([found[name].value for name in losses]).sum()
    if spread:
        value = value + spread * koleo_loss(vectors, negative).value
    return BatchCost(
        value,
        active=float(found[losses[0]].active),
        spread=float(mean_distance(distance.detach())),
        triplet=float(found["triplet"].value.detach()) if "triplet" in found else None,
    )
