"""Put the encoder that a training made in its place, with its card and its figures."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

from indexer.metric_learning.encoder_figures import EncoderFigures
from indexer.training.held_back import HardPair
from indexer.training.history import EpochRecord
from indexer.training.model_card import model_card
from indexer.training.plan import ENCODER, TrainingPlan
from retrieval.encoder.encoder import DESCRIPTION

KEPT = ("plan.json", "split.json", "history.jsonl", "tensorboard")  # in the folder of the work, when it is done


@dataclass(frozen=True, slots=True, eq=False)
class TrainingResult:
    """What came out of a training: figures of the objects held back, before and after."""

    history: list[EpochRecord]
    baseline: dict[str, dict[str, float]]  # of the validation objects, before
    before: EncoderFigures
    after: EncoderFigures
    tested: bool  # on objects of the test; else on the validation objects
    hardest: list[HardPair]


def publish_encoder(plan: TrainingPlan, result: TrainingResult, extra: dict[str, bytes]) -> None:
    """Put the encoder in its place, with its card, its figures and other files; what only the run needed goes."""
    partial = plan.work / ENCODER
    before, after = result.before.as_dict(), result.after.as_dict()
    card = model_card(
        plan.out.name,
        about=plan.about,
        command=plan.command,
        history=result.history,
        before=before,
        after=after,
        tested=result.tested,
    )
    metrics = {
        "before": before,
        "after": after,
        "threshold": result.after.threshold,
        "counts": result.after.counts,
        "held_back": "test" if result.tested else "validation",
    }
    files = {"README.md": card.encode(), "metrics.json": (json.dumps(metrics, indent=1) + "\n").encode(), **extra}
    for name, content in files.items():
        (partial / name).write_bytes(content)
    names = sorted((file.name for file in partial.iterdir()), key=lambda name: name == DESCRIPTION)
    for name in names:  # the description last: with it, the folder is an encoder
        os.replace(partial / name, plan.out / name)
    partial.rmdir()
    for file in plan.work.iterdir():
        if file.name not in KEPT:
            file.unlink()
