"""Train a Siamese encoder: epochs over a pool of pictures, first the projection alone, then the last parts too.

Everything random is drawn from the seed and the number of the epoch, so that a run that was stopped goes on from its
checkpoint as if it had not been.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from indexer.metric_learning.batches import object_batches
from indexer.metric_learning.collapse import CollapseMonitor
from indexer.metric_learning.encoder_figures import Summary, summarise
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
from indexer.metric_learning.mining import make_miner, relations
from indexer.metric_learning.nearest_wrong import SameWork, nearest_wrong
from indexer.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from indexer.training.history import EpochRecord
from indexer.training.options import SCHEDULE, TrainingOptions
from indexer.training.pool import PLAIN, Pool, Progress
from retrieval.encoder.network import EmbeddingNetwork
from retrieval.encoder.preprocessing import Preprocessing

HEAD, TOWER = "head", "tower"
NEIGHBOURS = 8  # nearest wrong photos looked at for each
WARM_UP = 0.1  # share of a phase's steps over which the rate rises
FADE = 0.7  # of its rate that each part gets beneath the next
LONGEST_GRADIENT = 1.0  # its norm; a longer one, of an unlucky batch, is cut to this
EMBEDDED_AT_ONCE = 64
SAME_WITHIN = 1.0  # distance below which two objects are checked for being one work
CHECKS = 200  # of that kind an epoch


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """What an epoch reads and how it becomes unit vectors."""

    values: np.ndarray  # (n_rows, ...)
    vectors_of: Callable[[Tensor], Tensor]


class Trainer:
    """Trains the last parts of a network on the rows of a pool; `run` yields a record for each epoch.

    A record is yielded before its checkpoint is written: whoever keeps them has all that a resumed run builds on.
    """

    def __init__(
        self,
        network: EmbeddingNetwork,
        preprocessing: Preprocessing,
        pool: Pool,
        *,
        training: np.ndarray,
        validation: np.ndarray,
        options: TrainingOptions,
        agree: Callable[[int, int], bool],
        checkpoint: Path,
    ) -> None:
        """Take the pool's row numbers, int64, of either set, and whether the photos of two rows show one work."""
        self.network = network.to(options.device).eval()  # batch norms keep the statistics that they came with
        self.preprocessing, self.pool, self.options = preprocessing, pool, options
        self.training, self.validation = training, validation
        self.objects, self.genuine = pool.objects, pool.genuine
        self.same = SameWork(self.objects, self.genuine, agree, within=SAME_WITHIN, checks=CHECKS)
        self.plain = np.array([row for row in training if pool.rows[row].kind == PLAIN and pool.rows[row].genuine])
        self._trained_objects = Counter(self.objects[training][self.genuine[training]].tolist())
        self._on_step: Progress = lambda done, total: None
        self.checkpoint = checkpoint
        self.best: dict[str, Tensor] = {}
        self.best_score = -math.inf
        self.resumed = load_checkpoint(checkpoint)

    @property
    def epochs_done(self) -> int:
        """The number of epochs that a run which was stopped has behind it."""
        return self.resumed.epoch if self.resumed else 0

    def run(self, on_step: Progress) -> Iterator[EpochRecord]:
        """Train phase by phase from the last checkpoint on, and leave the best network in place.

        Its weights are interpolated with those it starts from, where that is asked for: what was learned from simulated
        photographs then costs less of what was known of real ones (Wortsman et al. 2022, "Robust fine-tuning of
        zero-shot models"). `on_step` is told the step of the epoch and their number.
        """
        self._on_step = on_step
        start = self._state()
        phases = [(HEAD, self.options.head_epochs), (TOWER, self.options.epochs if self.options.unfreeze else 0)]
        resumed, number = self.resumed, 0
        if resumed is None:
            self.best = start
            self.best_score = self.summary(self.validation, self.tower_source()).score
        for phase, epochs in phases:
            if not epochs:
                continue
            if resumed is None or resumed.epoch < number + epochs:
                yield from self._phase(phase, epochs, number, resumed)
                resumed = None
            number += epochs
        if resumed is not None:
            self._restore(resumed)
        share = self.options.interpolate
        mixed = {
            name: torch.lerp(value, self.best[name], share) if value.is_floating_point() else self.best[name]
            for name, value in start.items()
        }
        self.network.load_state_dict(mixed, strict=False)

    def _phase(self, phase: str, epochs: int, number: int, resumed: Checkpoint | None) -> Iterator[EpochRecord]:
        parameters = self._trainable(phase)
        source = self._source(phase)
        rounds = self._rounds()
        steps = epochs * self._steps()
        optimizer = self._optimizer(parameters)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate_share(step, steps))
        if resumed is not None:
            self._restore(resumed)
        if resumed is not None and resumed.epoch > number:
            optimizer.load_state_dict(resumed.optimizer)
            schedule.load_state_dict(resumed.schedule)
        else:
            self.network.load_state_dict(self.best, strict=False)  # a phase starts from the best so far
        monitor = CollapseMonitor(margin=self.options.margin)
        for epoch in range(max(number, resumed.epoch if resumed else 0), number + epochs):
            start = time.monotonic()
            progress = (epoch - number) / epochs
            loss, active, spread, views = self._epoch(source, optimizer, schedule, monitor, epoch, rounds, progress)
            found = self.summary(self.validation, source)
            best = found.score > self.best_score or self.options.keep == "last"
            if best:
                self.best_score, self.best = found.score, self._state()
            yield EpochRecord(
                phase=phase,
                epoch=epoch + 1,
                loss=loss,
                active=active,
                rate=float(schedule.get_last_lr()[-1]),
                spread=spread,
                recall_at_1=found.recall_at_1,
                eer=found.eer,
                auc=found.auc,
                seconds=time.monotonic() - start,
                views=views,
                best=best,
            )
            save_checkpoint(
                self.checkpoint,
                Checkpoint(
                    epoch + 1,
                    self.best_score,
                    self._state(),
                    self.best,
                    optimizer.state_dict(),
                    schedule.state_dict(),
                    self.same.outcomes,
                ),
            )

    def _epoch(
        self,
        source: Source,
        optimizer: torch.optim.Optimizer,
        schedule: torch.optim.lr_scheduler.LRScheduler,
        monitor: CollapseMonitor,
        epoch: int,
        rounds: int,
        progress: float,
    ) -> tuple[float, float, float, int]:
        generator = torch.Generator().manual_seed(self.options.seed * 1_000_003 + epoch)
        name = self.options.miner if self.options.miner != SCHEDULE else "semi-hard" if progress < 0.5 else "batch-hard"
        miner = make_miner(name, generator=generator)
        neighbours = self._neighbours(source) if self.options.index_mining else None
        trained = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        totals, views, steps = np.zeros(3), 0, 0
        for round_ in range(rounds):
            for batch in self._batches(epoch * rounds + round_, neighbours):
                with self._autocast():
                    vectors = source.vectors_of(self._tensor(source.values[batch]))
                loss, spread, triplet = self._loss(vectors, batch, miner)
                optimizer.zero_grad(set_to_none=True)
                loss.value.backward()
                value = float(loss.value.detach())
                monitor.update(spread=spread, loss=value, triplet=triplet)
                torch.nn.utils.clip_grad_norm_(trained, LONGEST_GRADIENT)
                optimizer.step()
                schedule.step()
                totals += (value, float(loss.active), spread)
                views, steps = views + len(batch), steps + 1
                self._on_step(steps, self._steps())
        loss_, active, spread = (totals / max(steps, 1)).tolist()
        return loss_, active, spread, views

    def _loss(self, vectors: Tensor, batch: np.ndarray, miner: Callable) -> tuple[Loss, float, float | None]:
        """Return the loss of a batch, the mean distance of its pictures, and what its triplets cost, if they do."""
        options = self.options
        objects = torch.from_numpy(self.objects[batch]).to(vectors.device)
        genuine = torch.from_numpy(self.genuine[batch]).to(vectors.device)
        distance = distances(vectors)
        positive, negative = relations(objects, genuine, self.same.confirmed)
        triplets = miner(distance, positive, negative)
        near = distance[triplets.anchors, triplets.positives]
        far = distance[triplets.anchors, triplets.negatives]
        found = []
        for name in options.losses:
            if name == "triplet":
                found.append(triplet_loss(near, far, margin=options.margin))
            elif name == "contrastive":
                labels = torch.cat([torch.ones_like(near), torch.zeros_like(far)])
                found.append(contrastive_loss(torch.cat([near, far]), labels, margin=options.apart))
            elif name == "supervised-contrastive":
                found.append(supervised_contrastive_loss(vectors, positive, negative))
            else:
                found.append(multi_similarity_loss(vectors, positive, negative))
        value = torch.stack([loss.value for loss in found]).sum()
        if options.spread:
            value = value + options.spread * koleo_loss(vectors, negative).value
        triplet = float(found[options.losses.index("triplet")].value.detach()) if "triplet" in options.losses else None
        return Loss(value, found[0].active), float(mean_distance(distance.detach())), triplet

    def _batches(self, epoch: int, neighbours: np.ndarray | None) -> Iterator[np.ndarray]:
        options, rows = self.options, self.training
        for batch in object_batches(
            self.objects[rows],
            self.genuine[rows],
            count=options.objects,
            photos=options.photos,
            forgeries=options.forgeries or 0,
            seed=options.seed,
            epoch=epoch,
            neighbours=neighbours,
        ):
            yield rows[batch]

    def _neighbours(self, source: Source) -> np.ndarray:
        """Return, for each training row that is a plain photo, the nearest wrong ones: row numbers within training."""
        self.same.start_epoch()
        vectors = self.embed(self.plain, source)

        def same(row: int, other: int, distance: float) -> bool:
            return self.same(int(self.plain[row]), int(self.plain[other]), distance)

        found = nearest_wrong(vectors, self.objects[self.plain], self.genuine[self.plain], k=NEIGHBOURS, same=same)
        place = {int(row): position for position, row in enumerate(self.training)}
        places = np.array([place[int(row)] for row in self.plain])
        all_rows = np.full((len(self.training), NEIGHBOURS), -1, np.int64)
        all_rows[places] = np.where(found < 0, -1, places[found])
        return all_rows

    def _steps(self) -> int:
        """Return the number of batches in an epoch."""
        return self._rounds() * math.ceil(len(self._trained_objects) / self.options.objects)

    def _rounds(self) -> int:
        """Return how often an epoch goes through the objects: about once through their pictures."""
        return max(1, round(float(np.median(list(self._trained_objects.values()))) / self.options.photos))

    def summary(self, rows: np.ndarray, source: Source) -> Summary:
        """Return the figures of some rows by the network as it is."""
        return summarise(self.embed(rows, source), self.objects[rows], self.genuine[rows])

    @torch.inference_mode()
    def embed(self, rows: np.ndarray, source: Source) -> np.ndarray:
        """Return the unit vectors of some rows, float32 (n, dim)."""
        found = []
        for start in range(0, len(rows), EMBEDDED_AT_ONCE):
            with self._autocast():
                found.append(source.vectors_of(self._tensor(source.values[rows[start : start + EMBEDDED_AT_ONCE]])))
        return torch.cat(found).float().cpu().numpy()

    def tower_source(self) -> Source:
        """Return the pool as it is, to go through all the parts that are not frozen."""
        network, frozen = self.network, self.pool.frozen

        def vectors_of(values: Tensor) -> Tensor:
            return network.embed(network.pooled(network.run(values, frozen)))

        return Source(self.pool.features, vectors_of)

    def _source(self, phase: str) -> Source:
        """Return what a phase reads: while only the projection is trained, the pooled features are made once."""
        if phase == TOWER:
            return self.tower_source()
        pooled = self.embed(np.arange(len(self.pool.rows)), self.pooled_source())
        return Source(pooled, self.network.embed)

    def pooled_source(self) -> Source:
        """Return the pool, to go through all the parts that are not frozen but the projection."""
        network, frozen = self.network, self.pool.frozen
        return Source(self.pool.features, lambda values: network.pooled(network.run(values, frozen)))

    def _tensor(self, values: np.ndarray) -> Tensor:
        if values.dtype == np.uint8:
            values = self.preprocessing.scaled(values.transpose(0, 2, 3, 1))
        tensor = torch.from_numpy(np.ascontiguousarray(values)).to(self.options.device).float()
        return tensor.contiguous(memory_format=torch.channels_last) if tensor.dim() == 4 else tensor

    def _autocast(self) -> AbstractContextManager:
        return torch.autocast(self.options.device, torch.bfloat16, enabled=self.options.bf16)

    def _trainable(self, phase: str) -> list[dict]:
        """Return the parameters that a phase trains, with their rates: the deeper, the lower."""
        self.network.requires_grad_(False)
        trained = [self.network.project]
        if phase == TOWER:
            trained += self.network.parts()[self.pool.frozen :][::-1]
        groups = []
        for depth, part in enumerate(trained):
            parameters = list(part.requires_grad_(True).parameters())
            groups.append({"params": parameters, "lr": self.options.rate * FADE**depth})
        return [group for group in groups if group["params"]]

    def _optimizer(self, parameters: list[dict]) -> torch.optim.Optimizer:
        if self.options.optimizer == "adamw":
            return torch.optim.AdamW(parameters, lr=self.options.rate, weight_decay=0.01)
        return torch.optim.SGD(parameters, lr=self.options.rate, momentum=0.9, nesterov=True, weight_decay=1e-4)

    def _state(self) -> dict[str, Tensor]:
        """Return copies of what is trained."""
        frozen = {name for number in range(self.pool.frozen) for name in self._names(number)}
        return {
            name: value.detach().cpu().clone()
            for name, value in self.network.state_dict().items()
            if name not in frozen
        }

    def _names(self, part: int) -> list[str]:
        values = {id(value) for value in self.network.parts()[part].state_dict(keep_vars=True).values()}
        return [name for name, value in self.network.state_dict(keep_vars=True).items() if id(value) in values]

    def _restore(self, resumed: Checkpoint) -> None:
        self.network.load_state_dict(resumed.network, strict=False)
        self.best, self.best_score = resumed.best, resumed.best_score
        self.same.outcomes = resumed.same


def rate_share(step: int, steps: int) -> float:
    """Return the share of the rate at a step: a linear warm-up, then half a cosine down to nothing."""
    warm = max(1, round(WARM_UP * steps))
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1.0 + math.cos(math.pi * min(1.0, (step - warm) / max(1, steps - warm))))
