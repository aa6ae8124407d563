"""Train the distance place by place: glare, light and blur go down, differences of drawing stay up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from indexer.training.local_triples import Triple, triple_makers
from retrieval.comparing.divergence import PLACES_ACROSS, SPREAD, USUAL_MEDIAN
from retrieval.encoder.encoder import MOST_MEDIAN
from retrieval.encoder.network import EmbeddingNetwork
from retrieval.encoder.preprocessing import Preprocessing
from retrieval.machine import cpu_count

BATCH = 8  # triples
MARGIN = 0.25  # by which an altered place must differ more than any genuine one
HARDEST = 6  # genuine places of a pair that are pushed down
NEIGHBOUR = 3  # places: how far a wrong place lies from the right one
NEIGHBOUR_MARGIN = 0.2
MOMENTUM = 0.9


@dataclass(frozen=True, slots=True)
class LocalOptions:
    """How to train the heads."""

    epochs: int = 4
    photos: int = 1000  # of each epoch
    rate: float = 0.02
    seed: int = 0
    device: str = "cpu"


@dataclass(frozen=True, slots=True)
class LocalRecord:
    """An epoch of the heads."""

    epoch: int
    loss: float
    active: float  # share of the pairs in which a genuine place differs more than an altered one, less the margin


def train_local(
    network: EmbeddingNetwork,
    preprocessing: Preprocessing,
    paths: Sequence[Path],
    kinds: Sequence[str],
    options: LocalOptions,
    *,
    on_step: Callable[[int, int], None],
) -> Iterator[LocalRecord]:
    """Train fresh heads on a network whose tower stays as it is, on photos of genuine works; a record an epoch."""
    network.requires_grad_(False)
    heads = network.add_local().to(options.device)
    optimizer = torch.optim.SGD(heads.parameters(), lr=options.rate, momentum=MOMENTUM, nesterov=True)
    steps = options.epochs * -(-min(options.photos, len(paths)) // BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    done = 0
    for epoch in range(options.epochs):
        totals = np.zeros(2)
        makers = triple_makers(paths, kinds, preprocessing, seed=options.seed, epoch=epoch)[: options.photos]
        batches = list(range(0, len(makers), BATCH))
        for triples in in_advance(makers):
            loss, active = local_loss(network, preprocessing, triples, options.device)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            totals += (float(loss.detach()), active)
            done += 1
            on_step(done, steps)
        yield LocalRecord(epoch + 1, *(totals / len(batches)).tolist())


def in_advance(makers: Sequence[Callable[[], Triple]]) -> Iterator[list[Triple]]:
    """Yield batches of triples, the next batch made while one is learned from."""
    with ThreadPoolExecutor(cpu_count()) as threads:
        waiting = [threads.submit(maker) for maker in makers[: 2 * BATCH]]
        for start in range(0, len(makers), BATCH):
            batch = [future.result() for future in waiting[:BATCH]]
            following = makers[start + 2 * BATCH : start + 3 * BATCH]
            waiting = waiting[BATCH:] + [threads.submit(maker) for maker in following]
            yield batch


def local_loss(
    network: EmbeddingNetwork, preprocessing: Preprocessing, triples: Sequence[Triple], device: str
) -> tuple[Tensor, float]:
    """Return the loss of some triples, and the share of the hinges in it that still push.

    A triplet with mined patches: the anchor is a place of the exemplar, the positive the same place of the genuine
    probe where it differs most, the negative an altered place of the copy; and the genuine probe's own place against
    the nearest of its neighbours.
    """
    count = len(triples)
    pictures = [t.exemplar for t in triples] + [t.genuine for t in triples] + [t.copy for t in triples]
    prepared = torch.from_numpy(preprocessing.scaled(np.stack(pictures))).to(device)
    with torch.no_grad():
        stages = network.stages(prepared.contiguous(memory_format=torch.channels_last))[0]
    maps = [functional.normalize(stage, dim=1) for stage in network.compared(stages)]
    exemplars, genuine, copies = ([stage[k * count : (k + 1) * count] for stage in maps] for k in range(3))
    shown = [torch.from_numpy(np.stack([t.shown[k] for t in triples])).to(device) for k in range(2)]
    altered = torch.from_numpy(np.stack([t.altered for t in triples])).to(device) & shown[1]
    calm, strange = place_distances(exemplars, genuine), place_distances(exemplars, copies)
    hinges = []
    for k in range(count):
        if not shown[0][k].any() or not altered[k].any():
            continue
        all_over = triples[k].all_over
        usual = less_median(calm[k], shown[0][k], all_over)[shown[0][k]]
        highest = usual.topk(min(HARDEST, len(usual))).values
        wanted = less_median(strange[k], shown[1][k], all_over)[altered[k]]
        wanted = wanted.topk(-(-len(wanted) // 2)).values
        hinges.append((highest[:, None] - wanted[None, :] + MARGIN).clamp(min=0.0).mean())
    aside = neighbour_hinge(exemplars, genuine)
    assert hinges or aside.requires_grad
    value = torch.stack(hinges).mean() if hinges else aside * 0.0
    active = float(np.mean([float(hinge.detach()) > 0 for hinge in hinges])) if hinges else 0.0
    return value + aside, active


def place_distances(one: Sequence[Tensor], other: Sequence[Tensor]) -> Tensor:
    """Return the distance at each place, the mean of the stages: (n, PLACES_ACROSS, PLACES_ACROSS).

    The stages are unit features, (n, channels, rows, columns); as in `divergence.local_distances`, but for the median.
    """
    found = []
    for a, b in zip(one, other, strict=True):
        distance = ((a - b).square().sum(dim=1, keepdim=True) + 1e-8).sqrt()
        size = (PLACES_ACROSS, PLACES_ACROSS)
        if distance.shape[-1] > PLACES_ACROSS:
            distance = functional.interpolate(distance, size, mode="area")
        else:
            distance = functional.interpolate(distance, size, mode="bilinear")
        found.append(functional.avg_pool2d(distance, SPREAD, stride=1, padding=SPREAD // 2, count_include_pad=False))
    return torch.stack(found).mean(dim=0)[:, 0]


def less_median(distance: Tensor, shown: Tensor, all_over: bool) -> Tensor:
    """Return how much more each place differs than the picture does, (rows, columns)."""
    median = distance[shown].median()
    return distance - USUAL_MEDIAN if all_over or float(median.detach()) > MOST_MEDIAN else distance - median


def neighbour_hinge(exemplars: Sequence[Tensor], genuine: Sequence[Tensor]) -> Tensor:
    """Ask that every place is nearer to its own place on the genuine probe than to the nearest of four around it."""
    costs = []
    for a, b in zip(exemplars, genuine, strict=True):
        away = max(1, round(NEIGHBOUR * a.shape[-1] / PLACES_ACROSS))
        own = ((a - b).square().sum(dim=1) + 1e-8).sqrt()
        shifts = ((away, 0), (-away, 0), (0, away), (0, -away))
        wrong = torch.stack([((a - b.roll(by, (2, 3))).square().sum(1) + 1e-8).sqrt() for by in shifts]).amin(0)
        inner = (slice(None), slice(away, -away), slice(away, -away))
        costs.append((own - wrong + NEIGHBOUR_MARGIN).clamp(min=0.0)[inner].mean())
    return torch.stack(costs).mean()
