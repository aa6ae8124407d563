"""What each phase of a training changes, and how fast: first the projection alone, then the last parts too."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from indexer.metric_learning.collapse import CollapseMonitor
from indexer.training.sources import Source
from retrieval.encoder.network import EmbeddingNetwork

HEAD, TOWER = "head", "tower"
WARM_UP = 0.1  # share of a phase's steps over which the rate rises
FADE = 0.7  # share of the rate of a part that the part beneath it gets
LONGEST_GRADIENT = 1.0  # norm; a longer gradient, of an unlucky batch, is cut to this


@dataclass(frozen=True, slots=True, eq=False)
class Phase:
    """Some epochs that change the same parts of a network."""

    name: str  # HEAD or TOWER
    done: int  # epochs of the training before it
    epochs: int
    source: Source
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    monitor: CollapseMonitor

    def progress(self, epoch: int) -> float:
        """Return the share of the phase that lies before an epoch of the training, 0 to 1."""
        return (epoch - self.done) / self.epochs

    def step(self, value: Tensor) -> None:
        """Change the parts so that the cost of a batch, 0-dim, becomes less."""
        self.optimizer.zero_grad(set_to_none=True)
        value.backward()
        changed = [parameter for group in self.optimizer.param_groups for parameter in group["params"]]
        torch.nn.utils.clip_grad_norm_(changed, LONGEST_GRADIENT)
        self.optimizer.step()
        self.schedule.step()


def trainable_groups(network: EmbeddingNetwork, phase: str, *, frozen: int, rate: float) -> list[dict]:
    """Return the parameters that a phase trains, with their rates, the deeper the lower; no others keep a gradient."""
    network.requires_grad_(False)
    trained = [network.project]
    if phase == TOWER:
        trained += network.parts()[frozen:][::-1]
    groups = []
    for depth, part in enumerate(trained):
        parameters = list(part.requires_grad_(True).parameters())
        groups.append({"params": parameters, "lr": rate * FADE**depth})
    return [group for group in groups if group["params"]]


def make_optimizer(name: str, groups: list[dict], *, rate: float) -> torch.optim.Optimizer:
    """Return what takes the steps, "sgd" or "adamw"."""
    if name == "adamw":
        return torch.optim.AdamW(groups, lr=rate, weight_decay=0.01)
    return torch.optim.SGD(groups, lr=rate, momentum=0.9, nesterov=True, weight_decay=1e-4)


def rate_share(step: int, steps: int) -> float:
    """Return the share of the rate at a step: a linear warm-up, then half a cosine down to nothing."""
    warm = max(1, round(WARM_UP * steps))
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1.0 + math.cos(math.pi * min(1.0, (step - warm) / max(1, steps - warm))))


def unfrozen_state(network: EmbeddingNetwork, *, frozen: int) -> dict[str, Tensor]:
    """Return copies, on the CPU, of all of the network's state but that of its first `frozen` parts."""
    state = network.state_dict(keep_vars=True)
    kept = {id(value) for part in network.parts()[:frozen] for value in part.state_dict(keep_vars=True).values()}
    return {name: value.detach().cpu().clone() for name, value in state.items() if id(value) not in kept}
