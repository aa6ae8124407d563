"""Keep the state of a training so that a run that was killed goes on: safetensors for numbers, JSON for the rest."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from retrieval.errors import ArtifactError

SCHEMA = "artifact-checkpoint/1"


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """What a training is after some epochs."""

    epoch: int  # epochs done, over all phases
    best_score: float
    network: dict[str, Tensor]  # the trained parts
    best: dict[str, Tensor]  # the trained parts at the best epoch
    optimizer: dict[str, Any]  # state dict
    schedule: dict[str, Any]  # state dict
    same: list[tuple[int, int, bool]]  # pairs of objects, and whether they turned out to be one work


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write `path`, JSON, and the safetensors file that it names; either both are there whole, or the files of before.

    Raises OSError or ArtifactError where a file cannot be written.
    """
    tensors = {f"network.{name}": value for name, value in checkpoint.network.items()}
    tensors |= {f"best.{name}": value for name, value in checkpoint.best.items()}
    state = checkpoint.optimizer["state"]
    scalars: dict[str, dict[str, float]] = {}
    for parameter, values in state.items():
        for name, value in values.items():
            if isinstance(value, Tensor):
                tensors[f"optimizer.{parameter}.{name}"] = value.detach().cpu().contiguous()
            elif value is not None:
                scalars.setdefault(str(parameter), {})[name] = value
    numbers = path.with_name(f"{path.stem}-{checkpoint.epoch}.safetensors")
    partial = numbers.with_suffix(".new")
    try:
        save_file({name: value.contiguous() for name, value in tensors.items()}, partial)
        os.replace(partial, numbers)
        described = {
            "schema": SCHEMA,
            "epoch": checkpoint.epoch,
            "best_score": checkpoint.best_score,
            "numbers": numbers.name,
            "groups": checkpoint.optimizer["param_groups"],
            "scalars": scalars,
            "schedule": {k: v for k, v in checkpoint.schedule.items() if k != "lr_lambdas"},
            "same": checkpoint.same,
        }
        partial.write_text(json.dumps(described), encoding="utf-8")
        os.replace(partial, path)
    except SafetensorError as error:  # on a full disk, where others raise OSError
        raise ArtifactError(f"{numbers} cannot be written; is the disk full? ({error})") from error
    finally:
        partial.unlink(missing_ok=True)
    for old in path.parent.glob(f"{path.stem}-*.safetensors"):
        if old != numbers:
            old.unlink()


def load_checkpoint(path: Path) -> Checkpoint | None:
    """Return the checkpoint that was saved last, None where none was saved."""
    if not path.exists():
        return None
    described = json.loads(path.read_text(encoding="utf-8"))
    assert described["schema"] == SCHEMA
    tensors = load_file(path.with_name(described["numbers"]))
    parts: dict[str, dict[str, Tensor]] = {"network": {}, "best": {}, "optimizer": {}}
    for name, value in tensors.items():
        kind, _, rest = name.partition(".")
        parts[kind][rest] = value
    state: dict[int, dict[str, Any]] = {int(k): dict(v) for k, v in described["scalars"].items()}
    for name, value in parts["optimizer"].items():
        parameter, _, what = name.partition(".")
        state.setdefault(int(parameter), {})[what] = value
    return Checkpoint(
        described["epoch"],
        described["best_score"],
        parts["network"],
        parts["best"],
        {"state": state, "param_groups": described["groups"]},
        described["schedule"] | {"lr_lambdas": [None] * len(described["groups"])},
        [(one, other, same) for one, other, same in described["same"]],
    )
