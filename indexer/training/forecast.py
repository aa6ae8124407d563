"""Measure a few pictures and steps, and tell what a whole training will take."""

from __future__ import annotations

import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from indexer.training.plan import TrainingPlan
from indexer.training.pool import frozen_part, kept_shape, make_pictures
from retrieval.encoder.network import EmbeddingNetwork
from retrieval.errors import ArtifactError

SAMPLED = 4  # photos on which the forecast is measured
SPARE = 1.2  # times what the pictures take that must be free on the disk


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a training will take, measured on a few pictures."""

    pictures: int
    megabytes: float  # on disk, while it runs
    memory: float  # megabytes
    seconds: float


def make_forecast(plan: TrainingPlan) -> Forecast:
    """Measure a few pictures and steps, and return what the whole will take; raises ArtifactError on a full disk."""
    rows, network, options = plan.rows, plan.start.network.to(plan.options.device), plan.options
    run = frozen_part(network, plan.start.preprocessing, plan.frozen, options.device)
    size = int(np.prod(kept_shape(run, plan.start.preprocessing))) * (2 if plan.frozen else 1)
    _check_disk(plan, len(rows) * size)
    few = [row for row in rows if row.photo < SAMPLED]
    start = time.monotonic()
    pictures = np.concatenate(list(make_pictures(plan.labelled.photos, few, plan.start.preprocessing)))
    kept = run(pictures)
    making = (time.monotonic() - start) / len(few)
    before = _memory_so_far()
    learning, saved = _learn_once(network, torch.from_numpy(kept).float().to(options.device), plan.frozen)
    photos = options.photos + (options.forgeries or 0 if plan.recipe.copies else 0)
    views, batch = len(plan.split.training) * photos, options.objects * photos
    memory = before + saved * batch
    seconds = len(rows) * making + options.epochs * (views + len(rows) / 5) * learning
    return Forecast(len(rows), len(rows) * size / 1e6, memory / 1e6, seconds)


def _check_disk(plan: TrainingPlan, needed: int) -> None:
    """Raise ArtifactError unless some bytes are free; the pictures of a run that was stopped are written over."""
    free = shutil.disk_usage(plan.work).free + _size(plan.work / "pool.npy")
    if needed * SPARE > free:
        raise ArtifactError(
            f"the pictures to learn from take {needed / 1e9:.1f} GB while it runs, and {free / 1e9:.1f} GB are free in "
            f"{plan.out}; free some, train elsewhere (--out), or ask for fewer --views and --copies"
        )


def _learn_once(network: EmbeddingNetwork, values: Tensor, frozen: int) -> tuple[float, float]:
    """Return the seconds that a step takes for each of some values (n, ...), and the bytes it keeps meanwhile."""
    values.requires_grad_(True)
    saved: dict[int, int] = {}  # bytes, by where they lie: some are saved twice

    def save(value: Tensor) -> Tensor:
        saved[value.data_ptr()] = value.nbytes
        return value

    start = time.monotonic()
    with torch.enable_grad(), saved_tensors_hooks(save, lambda value: value):
        network.requires_grad_(True)
        network.pooled(network.run(values, frozen)).sum().backward()
        network.zero_grad(set_to_none=True)
    return (time.monotonic() - start) / len(values), sum(saved.values()) / len(values)


def _memory_so_far() -> int:
    """Return the most bytes that this process has held in memory, 0 where that cannot be told."""
    if sys.platform == "win32":
        return 0
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0
