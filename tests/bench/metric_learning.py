"""Our losses and miners beside pytorch-metric-learning: the same network, weights, batches, optimiser and steps.

The losses are the same function, but for two things. Two forgeries of one object are neither positive nor negative to
us; the library knows labels only, so each forgery has one of its own, and they are negatives: of all methods only the
contrastive loss takes a pair without a genuine photo, and so is off by little. And the library has no miner that takes
one semi-hard negative for each positive pair: it takes all within the margin, and leaves out pairs that have none.
Steps run on one thread: where others use the machine too, several would be timed waiting for each other, not working.
The column `apart` says how far the losses of the very first batch are from each other, in shares of the library's.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from pytorch_metric_learning import losses as library_losses
from pytorch_metric_learning import miners as library_miners
from pytorch_metric_learning.distances import DotProductSimilarity, LpDistance
from pytorch_metric_learning.reducers import DoNothingReducer, MeanReducer
from torch import Tensor

from indexer.inputs.labels import LabelledPhoto
from indexer.metric_learning.batches import object_batches
from indexer.metric_learning.encoder_figures import Summary, summarise
from indexer.metric_learning.losses import (
    contrastive_loss,
    distances,
    multi_similarity_loss,
    supervised_contrastive_loss,
    triplet_loss,
)
from indexer.metric_learning.mining import Miner, batch_all, batch_hard, relations, semi_hard
from indexer.training.pool import Pool, Recipe, fill_pool, plan_rows
from indexer.training.start import Start, open_start
from retrieval.encoder.network import EmbeddingNetwork
from retrieval.statistics.metrics import bootstrap_by_group, clopper_pearson
from tests.bench import report, shared_data

MARGIN, APART = 0.3, 1.0  # of the triplets, and how far a wrong pair should lie, in distance
TEMPERATURE, SLACK = 0.1, 0.1  # of the supervised-contrastive and the multi-similarity loss
DIM = 256
RATE = 3e-4
TRAINING = 0.7  # share of the objects
AT_ONCE = 64  # pictures embedded at once
WARM_UP = 2  # steps of each run that are not timed
RECIPE = Recipe(views=3, copies=2, kinds=("redrawn", "oil", "palette", "moved"), seed=0)
BATCH = {"count": 16, "photos": 3, "forgeries": 2}  # objects, and of each its genuine photos and its forgeries
COLUMNS = (
    "method",
    "apart",
    "loss ms",
    "theirs ms",
    "loss ratio",
    "step ms",
    "their step",
    "step ratio",
    "recall@1",
    "theirs",
    "difference, 95 %",
    "EER",
    "their EER",
)
KEYS = ("loss_ms", "step_ms")


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """What the photos of a batch show, (n,) each."""

    objects: Tensor  # int64
    genuine: Tensor  # bool
    theirs: Tensor  # int64, the object of a genuine photo, and for each forgery a number of its own


Cost = Callable[[Tensor, Labels], Tensor]


def our_contrastive(vectors: Tensor, labels: Labels) -> Tensor:
    """Return the mean over all pairs, of unit vectors (n, d), as all of these: 0-dim."""
    distance, (positive, negative) = distances(vectors), relations(labels.objects, labels.genuine)
    either = positive | negative
    return contrastive_loss(distance.masked_select(either), positive.masked_select(either), margin=APART).value


def our_triplets(miner: Miner, *, over_active: bool = False) -> Cost:
    """Return the cost of the triplets of a miner: the mean over all, or over those that still push."""

    def cost(vectors: Tensor, labels: Labels) -> Tensor:
        distance = distances(vectors)
        found = miner(distance, *relations(labels.objects, labels.genuine))
        near, far = distance[found.anchors, found.positives], distance[found.anchors, found.negatives]
        loss = triplet_loss(near, far, margin=MARGIN)
        return loss.value / loss.active.clamp(min=1e-9) if over_active else loss.value

    return cost


def our_multi_similarity(vectors: Tensor, labels: Labels) -> Tensor:
    """Return the mean over the anchors."""
    return multi_similarity_loss(vectors, *relations(labels.objects, labels.genuine), slack=SLACK).value


def our_supervised_contrastive(vectors: Tensor, labels: Labels) -> Tensor:
    """Return the mean over the anchors."""
    masks = relations(labels.objects, labels.genuine)
    return supervised_contrastive_loss(vectors, *masks, temperature=TEMPERATURE).value


class Squared(library_losses.ContrastiveLoss):
    """The library's contrastive loss with half the square of each term, as in the paper; its own is not squared."""

    def get_per_pair_loss(self, pair_dists: Tensor, pos_or_neg: str) -> Tensor:
        """Return the terms of the positive or of the negative pairs, (n,)."""
        return super().get_per_pair_loss(pair_dists, pos_or_neg).square() / 2


def their_contrastive() -> Cost:
    """Return the mean over all pairs, which the library would take over either kind by itself."""
    loss = Squared(neg_margin=APART, distance=LpDistance(normalize_embeddings=False), reducer=DoNothingReducer())

    def cost(vectors: Tensor, labels: Labels) -> Tensor:
        found = loss(vectors, labels.theirs)
        return torch.cat([found["pos_loss"]["losses"], found["neg_loss"]["losses"]]).mean()

    return cost


def their_triplets(kind: str) -> Cost:
    """Return the cost of triplets: batch-all by its own default, the mean over the active ones."""
    distance = LpDistance(normalize_embeddings=False)
    reducer = {} if kind == "batch-all" else {"reducer": MeanReducer()}
    loss = library_losses.TripletMarginLoss(margin=MARGIN, distance=distance, **reducer)
    miners = {
        "batch-all": lambda vectors, labels: None,
        "batch-hard": library_miners.BatchHardMiner(distance=distance),
        "semi-hard": library_miners.TripletMarginMiner(MARGIN, type_of_triplets="semihard", distance=distance),
    }
    return lambda vectors, labels: loss(vectors, labels.theirs, miners[kind](vectors, labels.theirs))


def their_multi_similarity() -> Cost:
    """Return the mean over the anchors: the library divides by all photos, forgeries too."""
    similarity = DotProductSimilarity(normalize_embeddings=False)
    miner = library_miners.MultiSimilarityMiner(epsilon=SLACK, distance=similarity)
    loss = library_losses.MultiSimilarityLoss(alpha=2, beta=50, base=0.5, distance=similarity)

    def cost(vectors: Tensor, labels: Labels) -> Tensor:
        mined = miner(vectors, labels.theirs)
        return loss(vectors, labels.theirs, mined) * (len(vectors) / labels.genuine.sum())

    return cost


def their_supervised_contrastive() -> Cost:
    """Return the mean over the anchors, which is the library's own."""
    loss = library_losses.SupConLoss(temperature=TEMPERATURE, distance=DotProductSimilarity(normalize_embeddings=False))
    return lambda vectors, labels: loss(vectors, labels.theirs)


METHODS: dict[str, tuple[Cost, Cost]] = {
    "contrastive, all pairs": (our_contrastive, their_contrastive()),
    "triplet, batch-hard": (our_triplets(batch_hard), their_triplets("batch-hard")),
    "triplet, semi-hard": (our_triplets(semi_hard), their_triplets("semi-hard")),
    "triplet, batch-all": (our_triplets(batch_all, over_active=True), their_triplets("batch-all")),
    "multi-similarity": (our_multi_similarity, their_multi_similarity()),
    "supervised-contrastive": (our_supervised_contrastive, their_supervised_contrastive()),
}


class Side:
    """One of the two: a network of its own, its optimiser, and what its steps took, in milliseconds."""

    def __init__(self, network: EmbeddingNetwork, cost: Cost) -> None:
        """Take a copy of a network, whose last part and projection are trained."""
        self.network, self.cost = copy.deepcopy(network), cost
        self.frozen = len(network.parts()) - 1
        self.network.requires_grad_(False)
        trained = [self.network.parts()[-1].requires_grad_(True), self.network.project.requires_grad_(True)]
        parameters = [parameter for part in trained for parameter in part.parameters()]
        self.optimizer = torch.optim.AdamW(parameters, lr=RATE, weight_decay=0.01)
        self.losses: list[float] = []
        self.times: dict[str, list[float]] = {key: [] for key in KEYS}

    def embed(self, values: Tensor) -> Tensor:
        """Return the unit vectors of frozen features, (n, channels, rows, columns) -> (n, DIM)."""
        return self.network.embed(self.network.pooled(self.network.run(values, self.frozen)))

    def step(self, values: Tensor, labels: Labels) -> None:
        """Learn from a batch; what is timed as the loss goes from the vectors to their gradient."""
        start = time.perf_counter()
        vectors = self.embed(values)
        given = vectors.detach().requires_grad_()
        before = time.perf_counter()
        loss = self.cost(given, labels)
        loss.backward()
        after = time.perf_counter()
        self.optimizer.zero_grad(set_to_none=True)
        vectors.backward(given.grad)
        self.optimizer.step()
        end = time.perf_counter()
        for key, seconds in zip(KEYS, (after - before, end - start), strict=True):
            self.times[key].append(1000 * seconds)
        self.losses.append(loss.item())


@dataclass(slots=True)
class Comparison:
    """What a method gave over all seeds; each pair is ours and theirs."""

    apart: list[float] = field(default_factory=list)
    times: dict[str, tuple[list[float], list[float]]] = field(default_factory=lambda: {key: ([], []) for key in KEYS})
    summaries: list[tuple[Summary, Summary]] = field(default_factory=list)
    differences: list[float] = field(default_factory=list)  # a query: found by ours less found by theirs
    owners: list[str] = field(default_factory=list)  # the object of each query

    def row(self, method: str) -> list:
        """Return the figures: medians over steps, means over seeds."""
        found: list = [method, f"{max(self.apart):.1e}"]
        for ours, theirs in self.times.values():
            ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
            found += [statistics.median(ours), statistics.median(theirs), ratio_of(ratios)]
        recalls = [statistics.fmean(pair[side].recall_at_1 for pair in self.summaries) for side in (0, 1)]
        errors = [statistics.fmean(pair[side].eer for pair in self.summaries) for side in (0, 1)]
        return [*found, *recalls, difference_of(self.differences, self.owners), *errors]


def ratio_of(ratios: Sequence[float]) -> str:
    """Return the median ratio of the steps, with its 95 % interval by bootstrap over them."""
    found = bootstrap_by_group(ratios, [str(step) for step in range(len(ratios))], statistics.median)
    return f"{found.value:.2f} [{found.low:.2f}, {found.high:.2f}]"


def difference_of(differences: Sequence[float], owners: Sequence[str]) -> str:
    """Return the mean difference of the queries, with its 95 % interval by bootstrap over their objects."""
    found = bootstrap_by_group(differences, owners, lambda values: float(np.mean(values)))
    low, high = found.low, found.high
    if not any(differences):  # resampling has no width; the exact interval of as many objects has
        high = clopper_pearson(0, found.n)[1]
        low = -high
    return f"{found.value:+.3f} [{low:+.3f}, {high:+.3f}]"


def choose_photos(count: int) -> list[LabelledPhoto]:
    """Return reproductions of different paintings, drawn evenly; those known to have a second one are left out."""
    folder = shared_data("reproductions")
    twice = set((folder / "pairs.csv").read_text(encoding="utf-8").replace("\n", ",").split(","))
    paths = [path for path in sorted((folder / "images").glob("*.jpg")) if path.name not in twice]
    chosen = np.random.default_rng(0).permutation(len(paths))[:count]
    return [LabelledPhoto(paths[index], paths[index].stem, True) for index in chosen]


def make_pool(start: Start, count: int, folder: Path) -> Pool:
    """Return the pictures of `count` objects, as the frozen part of the network sees them."""
    photos = choose_photos(count)
    numbers = {photo.object_id: number for number, photo in enumerate(photos)}
    return fill_pool(
        photos,
        plan_rows(photos, numbers, RECIPE),
        start.network,
        start.preprocessing,
        frozen=len(start.network.parts()) - 1,
        folder=folder,
        device="cpu",
        on_progress=lambda done, total: None,
    )


def split_rows(pool: Pool, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of the training and of the validation objects, int64."""
    objects = pool.objects
    order = np.random.default_rng(seed).permutation(objects.max() + 1)
    training = np.isin(objects, order[: round(TRAINING * len(order))])
    return np.flatnonzero(training), np.flatnonzero(~training)


def values_of(pool: Pool, rows: np.ndarray) -> Tensor:
    """Return kept features, float32 (n, channels, rows, columns)."""
    return torch.from_numpy(pool.features[rows]).float().contiguous(memory_format=torch.channels_last)


def batches(pool: Pool, training: np.ndarray, epochs: int, seed: int) -> Iterator[tuple[Tensor, Labels]]:
    """Yield the features and labels of each batch of all epochs."""
    objects, genuine = pool.objects, pool.genuine
    for epoch in range(epochs):
        for batch in object_batches(objects[training], genuine[training], seed=seed, epoch=epoch, **BATCH):
            rows = training[batch]
            own = np.where(genuine[rows], objects[rows], len(objects) + rows)
            labels = Labels(*(torch.from_numpy(values[rows]) for values in (objects, genuine)), torch.from_numpy(own))
            yield values_of(pool, rows), labels


@torch.inference_mode()
def vectors_of(side: Side, pool: Pool, rows: np.ndarray) -> np.ndarray:
    """Return the unit vectors of some rows, float32 (n, DIM)."""
    chunks = [rows[start : start + AT_ONCE] for start in range(0, len(rows), AT_ONCE)]
    return np.concatenate([side.embed(values_of(pool, chunk)).numpy() for chunk in chunks])


def hits(vectors: np.ndarray, objects: np.ndarray) -> np.ndarray:
    """Say of each genuine photo whether its nearest other is of its object, bool (n,), as `summarise` counts it."""
    values = vectors.astype(np.float64)
    distance = -(values @ values.T)
    np.fill_diagonal(distance, np.inf)
    same = objects[:, None] == objects
    own, other = (np.where(mask, distance, np.inf).min(axis=1) for mask in (same, ~same))
    return own < other


def train_both(found: Comparison, network: EmbeddingNetwork, method: str, pool: Pool, epochs: int, seed: int) -> None:
    """Train with ours and theirs step by step, now the one first and now the other, and add what came of it."""
    training, validation = split_rows(pool, seed)
    sides = [Side(network, cost) for cost in METHODS[method]]
    for number, (values, labels) in enumerate(batches(pool, training, epochs, seed)):
        for side in sides if number % 2 else sides[::-1]:
            side.step(values, labels)
    ours, theirs = sides
    found.apart.append(abs(ours.losses[0] - theirs.losses[0]) / theirs.losses[0])
    for key, lists in found.times.items():
        for times, side in zip(lists, sides, strict=True):
            times += side.times[key][WARM_UP:]
    measure_both(found, ours, theirs, pool, validation)


def measure_both(found: Comparison, ours: Side, theirs: Side, pool: Pool, rows: np.ndarray) -> None:
    """Add the figures of both on the objects held back."""
    objects, genuine = pool.objects[rows], pool.genuine[rows]
    vectors = [vectors_of(side, pool, rows) for side in (ours, theirs)]
    one, other = (summarise(value, objects, genuine) for value in vectors)
    right, also = (hits(value[genuine], objects[genuine]).astype(float) for value in vectors)
    found.summaries.append((one, other))
    found.differences += (right - also).tolist()
    found.owners += [str(number) for number in objects[genuine]]


def fresh_network(start: Start, seed: int) -> EmbeddingNetwork:
    """Return the network that a seed starts with: its projection is drawn."""
    torch.manual_seed(seed)
    start.network.add_projection(DIM)
    return start.network.eval()


def untrained(start: Start, pool: Pool, seeds: int) -> dict[str, float]:
    """Return the mean figures before any step."""
    found = []
    for seed in range(seeds):
        rows = split_rows(pool, seed)[1]
        vectors = vectors_of(Side(fresh_network(start, seed), our_contrastive), pool, rows)
        found.append(summarise(vectors, pool.objects[rows], pool.genuine[rows]))
    names = ("recall_at_1", "eer")
    return {name: round(statistics.fmean(getattr(one, name) for one in found), 3) for name in names}


def main() -> None:
    """Print what a step takes and what came out, ours and theirs, and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=300)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=3, help="of the projection, the split and the batches")
    given = parser.parse_args()
    start = open_start("default")
    start.network.eval()
    results = {method: Comparison() for method in METHODS}
    with tempfile.TemporaryDirectory() as folder:
        pool = make_pool(start, given.objects, Path(folder))
        torch.set_num_threads(1)
        before = untrained(start, pool, given.seeds)
        for seed in range(given.seeds):
            network = fresh_network(start, seed)
            for method, found in results.items():
                train_both(found, network, method, pool, given.epochs, seed)
    some = next(iter(results.values()))
    report(
        "metric_learning",
        COLUMNS,
        [found.row(method) for method, found in results.items()],
        objects={"all": given.objects, "held back, over all seeds": len(set(some.owners))},
        seeds=given.seeds,
        steps_timed=len(some.times["step_ms"][0]),
        untrained=before,
        command=f"python -m tests.bench.metric_learning --objects {given.objects} --epochs {given.epochs} "
        f"--seeds {given.seeds}",
    )


if __name__ == "__main__":
    main()
