"""Write the encoder that a training made, with its card and its figures, and put it in its place."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass

from indexer.measuring.combination import Combination, combination_of
from indexer.metric_learning.encoder_figures import EncoderFigures
from indexer.training.export import export_encoder
from indexer.training.held_back import HardPair
from indexer.training.history import EpochRecord
from indexer.training.model_card import model_card
from indexer.training.plan import TrainingPlan
from retrieval.encoder.encoder import DESCRIPTION, load_encoder

KEPT = ("plan.json", "split.json", "history.jsonl", "tensorboard")  # in the folder of the work, when it is done


@dataclass(frozen=True, slots=True, eq=False)
class TrainingResult:
    """What came out of a training: figures of the objects held back, before and after."""

    history: list[EpochRecord]
    baseline: dict[str, dict[str, float]]  # of the validation objects, before
    before: EncoderFigures
    after: EncoderFigures
    tested: bool  # on objects of the test; else on the validation objects
    combination: Combination | None
    hardest: list[HardPair]


def write_encoder(plan: TrainingPlan) -> Combination | None:
    """Write the encoder's own files, with how its two distances are combined, and the threshold.

    Returns that combination, None for a network whose places are not compared.
    """
    network, partial = plan.start.network, plan.work / "encoder"
    export_encoder(network.cpu(), partial, preprocessing=plan.start.preprocessing)
    found = None
    if network.has_stages:
        held_back = {*plan.split.validation, *plan.split.test}
        photos = [photo for photo in plan.labelled.photos if photo.object_id in held_back]
        encoder = load_encoder(str(partial))
        found = combination_of(photos, encoder, seed=plan.options.seed)
        if found.threshold.value is None:  # better a threshold from objects that were trained on too than none
            found = combination_of(plan.labelled.photos, encoder, seed=plan.options.seed)
        description = json.loads((partial / DESCRIPTION).read_text(encoding="utf-8"))
        description |= {"global_weight": found.global_weight, "combined_threshold": asdict(found.threshold)}
        (partial / DESCRIPTION).write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
    return found


def publish_encoder(plan: TrainingPlan, result: TrainingResult, extra: dict[str, bytes]) -> None:
    """Put the encoder in its place, with its card, its figures and other files; what only the run needed goes."""
    partial = plan.work / "encoder"
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
        "combination": asdict(result.combination) if result.combination else None,
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
