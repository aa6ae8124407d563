"""Train a Siamese encoder: epochs over a pool of pictures, first the projection alone, then the last parts too.

Everything random is drawn from the seed and the number of the epoch, so that a run that was stopped goes on from its
checkpoint as if it had not been.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from indexer.metric_learning.batches import object_batches
from indexer.metric_learning.collapse import CollapseMonitor
from indexer.metric_learning.encoder_figures import Summary, summarise
from indexer.metric_learning.mining import Miner, make_miner
from indexer.metric_learning.nearest_wrong import SameWork, nearest_wrong
from indexer.metric_learning.objective import BatchCost, batch_cost
from indexer.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from indexer.training.history import EpochRecord
from indexer.training.options import SCHEDULE, TrainingOptions
from indexer.training.phases import HEAD, TOWER, Phase, make_optimizer, rate_share, trainable_groups, unfrozen_state
from indexer.training.pool import PLAIN, Pool, Progress
from indexer.training.sources import Source, head_source, pooled_source, tower_source
from retrieval.encoder.network import EmbeddingNetwork
from retrieval.encoder.preprocessing import Preprocessing

NEIGHBOURS = 8  # nearest wrong photos looked at for each
SAME_WITHIN = 1.0  # distance below which two objects are checked for being one work
CHECKS = 200  # pairs of objects an epoch that are checked for being one work


@dataclass(frozen=True, slots=True)
class EpochMeans:
    """What an epoch of learning cost, the means over its batches as in BatchCost."""

    loss: float
    active: float
    spread: float
    views: int  # pictures that went through the network


class Trainer:
    """Trains the last parts of a network on the rows of a pool; `run` yields a record for each epoch.

    A record is yielded before its checkpoint is written: whoever keeps the records has all that a resumed run builds
    on.
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
        self.pooled = pooled_source(network, pool, preprocessing, device=options.device, bf16=options.bf16)
        self.tower = tower_source(self.pooled, network)
        self.same = SameWork(self.objects, self.genuine, agree, within=SAME_WITHIN, checks=CHECKS)
        self.plain = np.array([row for row in training if pool.rows[row].kind == PLAIN and pool.rows[row].genuine])
        photos = Counter(self.objects[training][self.genuine[training]].tolist())  # genuine ones of each object
        self._rounds = max(1, round(float(np.median(list(photos.values()))) / options.photos))  # of an epoch
        self._steps = self._rounds * math.ceil(len(photos) / options.objects)  # of an epoch
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

        Its weights are interpolated with the weights it starts from, by `options.interpolate`: what was learned from
        simulated photographs then costs less of what was known of real ones (Wortsman et al. 2022, "Robust fine-tuning
        of zero-shot models"). `on_step` is told the step of the epoch and their number.
        """
        self._on_step = on_step
        start = self._state()
        phases = [(HEAD, self.options.head_epochs), (TOWER, self.options.epochs if self.options.unfreeze else 0)]
        resumed, done = self.resumed, 0
        if resumed is None:
            self.best, self.best_score = start, self.summary(self.validation, self.tower).score
        for name, epochs in phases:
            if epochs and (resumed is None or resumed.epoch < done + epochs):
                yield from self._run_phase(name, epochs, done, resumed)
                resumed = None
            done += epochs
        if resumed is not None:
            self._restore(resumed)
        share = self.options.interpolate
        mixed = {
            name: torch.lerp(value, self.best[name], share) if value.is_floating_point() else self.best[name]
            for name, value in start.items()
        }
        self.network.load_state_dict(mixed, strict=False)

    def summary(self, rows: np.ndarray, source: Source) -> Summary:
        """Return the figures of some rows by the network as it is."""
        return summarise(source.embed(rows), self.objects[rows], self.genuine[rows])

    def _run_phase(self, name: str, epochs: int, done: int, resumed: Checkpoint | None) -> Iterator[EpochRecord]:
        phase = self._make_phase(name, epochs, done)
        if resumed is not None:
            self._restore(resumed)
        if resumed is not None and resumed.epoch > done:
            phase.optimizer.load_state_dict(resumed.optimizer)
            phase.schedule.load_state_dict(resumed.schedule)
        else:
            self.network.load_state_dict(self.best, strict=False)  # a phase starts from the best so far
        for epoch in range(max(done, resumed.epoch if resumed else 0), done + epochs):
            yield self._run_epoch(phase, epoch)
            self._save(phase, epoch + 1)

    def _make_phase(self, name: str, epochs: int, done: int) -> Phase:
        options, steps = self.options, epochs * self._steps
        groups = trainable_groups(self.network, name, frozen=self.pool.frozen, rate=options.rate)
        source = self.tower if name == TOWER else head_source(self.pooled, self.network)
        optimizer = make_optimizer(options.optimizer, groups, rate=options.rate)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate_share(step, steps))
        return Phase(name, done, epochs, source, optimizer, schedule, CollapseMonitor(margin=options.margin))

    def _run_epoch(self, phase: Phase, epoch: int) -> EpochRecord:
        """Learn, measure on the validation objects, and keep the weights where they are the best."""
        start = time.monotonic()
        means = self._learn(phase, epoch)
        found = self.summary(self.validation, phase.source)
        best = found.score > self.best_score or self.options.keep == "last"
        if best:
            self.best_score, self.best = found.score, self._state()
        return EpochRecord(
            phase=phase.name,
            epoch=epoch + 1,
            loss=means.loss,
            active=means.active,
            rate=float(phase.schedule.get_last_lr()[-1]),
            spread=means.spread,
            recall_at_1=found.recall_at_1,
            eer=found.eer,
            auc=found.auc,
            seconds=time.monotonic() - start,
            views=means.views,
            best=best,
        )

    def _learn(self, phase: Phase, epoch: int) -> EpochMeans:
        """Go through the training objects as often as an epoch does, a step of the optimiser for each batch."""
        generator = torch.Generator().manual_seed(self.options.seed * 1_000_003 + epoch)
        scheduled = "semi-hard" if phase.progress(epoch) < 0.5 else "batch-hard"
        miner = make_miner(scheduled if self.options.miner == SCHEDULE else self.options.miner, generator=generator)
        neighbours = self._neighbours(phase.source) if self.options.index_mining else None
        totals, views, steps = np.zeros(3), 0, 0
        for round_ in range(self._rounds):
            for batch in self._batches(epoch * self._rounds + round_, neighbours):
                cost = self._cost(phase.source.vectors(batch), batch, miner)
                value = float(cost.value.detach())
                phase.monitor.update(spread=cost.spread, loss=value, triplet=cost.triplet)
                phase.step(cost.value)
                totals += (value, cost.active, cost.spread)
                views, steps = views + len(batch), steps + 1
                self._on_step(steps, self._steps)
        loss, active, spread = (totals / max(steps, 1)).tolist()
        return EpochMeans(loss, active, spread, views)

    def _cost(self, vectors: Tensor, batch: np.ndarray, miner: Miner) -> BatchCost:
        """Return what the rows of a batch cost, whose unit vectors are (n, dim)."""
        options = self.options
        return batch_cost(
            vectors,
            torch.from_numpy(self.objects[batch]).to(vectors.device),
            torch.from_numpy(self.genuine[batch]).to(vectors.device),
            miner=miner,
            losses=options.losses,
            margin=options.margin,
            apart=options.apart,
            spread=options.spread,
            same_work=self.same.confirmed,
        )

    def _batches(self, round_: int, neighbours: np.ndarray | None) -> Iterator[np.ndarray]:
        """Yield the rows of each batch of a round through the training objects, rounds counted over all epochs."""
        options, rows = self.options, self.training
        for batch in object_batches(
            self.objects[rows],
            self.genuine[rows],
            count=options.objects,
            photos=options.photos,
            forgeries=options.forgeries or 0,
            seed=options.seed,
            epoch=round_,
            neighbours=neighbours,
        ):
            yield rows[batch]

    def _neighbours(self, source: Source) -> np.ndarray:
        """Return, for each training row that is a plain photo, the nearest wrong ones: row numbers within training."""
        self.same.start_epoch()

        def same(row: int, other: int, distance: float) -> bool:
            return self.same(int(self.plain[row]), int(self.plain[other]), distance)

        vectors = source.embed(self.plain)
        found = nearest_wrong(vectors, self.objects[self.plain], self.genuine[self.plain], k=NEIGHBOURS, same=same)
        place = {int(row): position for position, row in enumerate(self.training)}
        places = np.array([place[int(row)] for row in self.plain])
        all_rows = np.full((len(self.training), NEIGHBOURS), -1, np.int64)
        all_rows[places] = np.where(found < 0, -1, places[found])
        return all_rows

    def _state(self) -> dict[str, Tensor]:
        return unfrozen_state(self.network, frozen=self.pool.frozen)

    def _save(self, phase: Phase, epoch: int) -> None:
        checkpoint = Checkpoint(
            epoch,
            self.best_score,
            self._state(),
            self.best,
            phase.optimizer.state_dict(),
            phase.schedule.state_dict(),
            self.same.outcomes,
        )
        save_checkpoint(self.checkpoint, checkpoint)

    def _restore(self, resumed: Checkpoint) -> None:
        self.network.load_state_dict(resumed.network, strict=False)
        self.best, self.best_score = resumed.best, resumed.best_score
        self.same.outcomes = resumed.same
