"""Run a whole training: pictures, epochs, evaluation on held-back objects, an encoder folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import torch

from indexer.metric_learning.nearest_wrong import agree_by_geometry
from indexer.metric_learning.whitening import discriminative_whitening
from indexer.training import history
from indexer.training.export import export_encoder
from indexer.training.held_back import evaluate_held_back, hardest_pairs
from indexer.training.history import EpochRecord
from indexer.training.plan import ENCODER, TrainingPlan, rows_showing
from indexer.training.pool import Pool, Progress, fill_pool
from indexer.training.publish import TrainingResult
from indexer.training.trainer import Trainer
from retrieval.photographs.features import Features, features_of
from retrieval.photographs.images import read_photograph

FEATURES_SIDE = 260  # pixels of the photographs between which one work is recognised


@dataclass(frozen=True, slots=True, eq=False)
class Listeners:
    """Who is told of a training while it runs."""

    pictures: Progress
    steps: Progress  # of an epoch
    epoch: Callable[[EpochRecord], None]


def run_training(plan: TrainingPlan, listeners: Listeners) -> TrainingResult:
    """Train, evaluate on the objects held back, and write the encoder folder; goes on where a run was stopped."""
    pool = make_pool(plan, on_progress=listeners.pictures)
    training, validation, test = (rows_showing(plan, pool, ids) for ids in plan.split.parts.values())
    trainer = Trainer(
        plan.start.network,
        plan.start.preprocessing,
        pool,
        training=training,
        validation=validation,
        options=plan.options,
        agree=agreement(plan, pool),
        checkpoint=plan.work / "checkpoint.json",
    )
    held_back = test if len(test) else validation
    before = evaluate_held_back(trainer, validation, held_back)
    baseline = asdict(trainer.summary(validation, trainer.tower))
    if trainer.network.projection != plan.dim:
        project_by_whitening(trainer, training, plan.dim)
    records = train_epochs(plan, trainer, listeners)
    after = evaluate_held_back(trainer, validation, held_back)
    hardest = hardest_pairs(plan, trainer, held_back)
    network = plan.start.network.cpu()
    export_encoder(network, plan.work / ENCODER, preprocessing=plan.start.preprocessing)
    return TrainingResult(
        history=records,
        baseline={name: {"value": value} for name, value in baseline.items()},
        before=before,
        after=after,
        tested=bool(len(test)),
        hardest=hardest,
    )


def make_pool(plan: TrainingPlan, *, on_progress: Progress) -> Pool:
    """Make the pictures of a plan, and what the frozen parts make of the pictures."""
    return fill_pool(
        plan.labelled.photos,
        plan.rows,
        plan.start.network.to(plan.options.device),
        plan.start.preprocessing,
        frozen=plan.frozen,
        folder=plan.work,
        device=plan.options.device,
        on_progress=on_progress,
    )


def agreement(plan: TrainingPlan, pool: Pool) -> Callable[[int, int], bool]:
    """Return the check whether the photos behind two rows show the same work, by registration."""
    known: dict[int, Features] = {}

    def features(row: int) -> Features:
        photo = pool.rows[row].photo
        if photo not in known:
            path = plan.labelled.photos[photo].path
            known[photo] = features_of(read_photograph(path, short_side=FEATURES_SIDE))
        return known[photo]

    return agree_by_geometry(features)


def project_by_whitening(trainer: Trainer, rows: np.ndarray, dim: int) -> None:
    """Give the network a projection that is good already, in closed form, from the genuine pictures of some rows."""
    genuine = rows[trainer.genuine[rows]]
    pooled = trainer.pooled.embed(genuine)
    objects, size = trainer.objects[genuine], min(dim, pooled.shape[1])
    few = len(np.unique(objects)) <= size  # their means alone would leave all but a few numbers at nothing
    weight, bias = discriminative_whitening(pooled, objects, size, each_photograph=few)
    project = trainer.network.add_projection(len(weight)).to(trainer.options.device)
    with torch.no_grad():
        project.weight.copy_(torch.from_numpy(weight))
        project.bias.copy_(torch.from_numpy(bias))


def train_epochs(plan: TrainingPlan, trainer: Trainer, listeners: Listeners) -> list[EpochRecord]:
    """Train, and return the records of all epochs, those before a stop too; each is kept in the folder at once."""
    log = plan.work / "history.jsonl"
    history.truncate(log, trainer.epochs_done)
    writer = history.tensorboard_writer(plan.work / "tensorboard", after=trainer.epochs_done)
    for record in trainer.run(listeners.steps):
        history.append(log, record)
        history.log(writer, record)
        listeners.epoch(record)
    return history.read(log)
