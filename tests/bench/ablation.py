"""What each choice of the training is worth: losses, miners, simulated copies, on the same pictures and steps.

All variants start from the same network and learn from one pool of pictures of works drawn from the recipe's training
objects (`python -m tests.bench.recipe`); the last epoch is taken, better or worse than the start. The figures are those
of the recipe's test objects, by artists that nobody trained on, and of the museum's queries by embeddings alone.
`head` trains the projection alone, `tower` the last two parts of the tower too.
"""

from __future__ import annotations

import argparse
import copy
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from indexer.inputs.labels import LabelledPhotos, read_labels
from indexer.metric_learning.encoder_figures import EncoderFigures
from indexer.training.export import export_encoder
from indexer.training.held_back import evaluate_held_back
from indexer.training.options import TrainingOptions
from indexer.training.plan import TrainingPlan, rows_showing
from indexer.training.pool import Pool, Recipe, fill_pool
from indexer.training.run import agreement, project_by_whitening
from indexer.training.split import Split, read_split
from indexer.training.start import Start, open_start
from indexer.training.trainer import Trainer
from retrieval.encoder.encoder import load_encoder
from retrieval.machine import cpu_count
from retrieval.statistics.metrics import Estimate
from tests.bench import report
from tests.bench.encoders import WAYS, Figures, cell, museum_figures
from tests.bench.recipe import KINDS

COLUMNS = (
    "variant",
    "recall@1",
    "EER",
    "EER, copies",
    "AUC, copies",
    "museum recall@1",
    "museum GAP",
)
WHITENED, RANDOM, NONE = "whitened", "random", "none"  # projections to start from
WAY = "one embedding"  # of each query of the museum
HEAD = {"head_epochs": 6, "epochs": 0, "unfreeze": 0, "keep": "last"}
TOWER = {"head_epochs": 0, "epochs": 2, "unfreeze": 2, "keep": "last"}
ALONE = {"spread": 0.0, "index_mining": False}


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to train."""

    name: str
    options: dict[str, Any]
    projection: str = WHITENED  # to start from


def variants(budget: dict) -> list[Variant]:
    """Return what is compared with a budget of epochs."""

    def one(name: str, *losses: str, miner: str = "random", projection: str = WHITENED, **more: Any) -> Variant:
        return Variant(name, {**budget, **ALONE, "losses": losses, "miner": miner, **more}, projection)

    mined = {"index_mining": True}
    both = partial(one, miner="schedule", **mined)
    two = ("triplet", "contrastive")
    none = {"head_epochs": 0, "epochs": 0}
    return [
        Variant("zero-shot", {**budget, **none}, NONE),
        Variant("whitening in closed form", {**budget, **none}),
        one("contrastive, random pairs", "contrastive"),
        one("triplet, random", "triplet"),
        one("triplet, semi-hard", "triplet", miner="semi-hard"),
        one("triplet, batch-hard", "triplet", miner="batch-hard"),
        one("triplet, semi-hard then hard", "triplet", miner="schedule"),
        one("triplet, the same, index-mined", "triplet", miner="schedule", **mined),
        both("triplet + contrastive, the same", *two),
        both("with the spread term", *two, spread=0.05),
        both("the same, simulated copies as negatives", *two, spread=0.05, forgeries=2),
        both("the same, from a random projection", *two, spread=0.05, projection=RANDOM),
        one("supervised-contrastive", "supervised-contrastive", **mined),
        one("multi-similarity", "multi-similarity", **mined),
    ]


def plan_of(labelled: LabelledPhotos, split: Split, start: Start, out: Path, *, dim: int) -> TrainingPlan:
    """Return the plan of which every variant changes the options."""
    recipe = Recipe(views=5, copies=3, kinds=KINDS, seed=0)
    options = TrainingOptions(unfreeze=2)
    return TrainingPlan(labelled, split, start, recipe, options, dim, None, out, "")


def some_objects(labelled: LabelledPhotos, split: Split, count: int) -> tuple[LabelledPhotos, Split]:
    """Return the labels and the split with no more than so many training objects."""
    drawn = np.random.default_rng(0).permutation(len(split.training))[:count]
    split = replace(split, training=tuple(sorted(split.training[index] for index in drawn)))
    kept = {object_id for ids in split.parts.values() for object_id in ids}
    return LabelledPhotos(tuple(photo for photo in labelled.photos if photo.object_id in kept)), split


def make_pool(plan: TrainingPlan, folder: Path) -> Pool:
    """Return the pool of a plan, in a folder where an interrupted run goes on."""
    folder.mkdir(parents=True, exist_ok=True)

    def told(done: int, total: int) -> None:
        print(f"\r{done:,} of {total:,} pictures", end="" if done < total else "\n", flush=True)

    network = plan.start.network.eval()
    return fill_pool(
        plan.labelled.photos, plan.rows, network, plan.start.preprocessing,
        frozen=plan.frozen, folder=folder, device="cpu", on_progress=told,
    )  # fmt: skip


def pooled(plan: TrainingPlan, pool: Pool) -> Pool:
    """Return the pool behind the pooling, for those who train the projection alone."""
    network = plan.start.network.eval()
    found = []
    with torch.inference_mode():
        for start in range(0, len(pool.rows), 64):
            values = torch.from_numpy(pool.features[start : start + 64]).float()
            found.append(network.pooled(network.run(values, pool.frozen)).numpy())
    return Pool(pool.rows, np.concatenate(found), len(network.parts()))


def train(plan: TrainingPlan, pool: Pool, variant: Variant, scratch: Path) -> tuple[Trainer, EncoderFigures]:
    """Train a variant; return it with its figures on the test objects."""
    torch.manual_seed(0)
    plan = replace(plan, options=replace(plan.options, **variant.options))
    training, validation, test = (rows_showing(plan, pool, ids) for ids in plan.split.parts.values())
    network = copy.deepcopy(plan.start.network).eval()
    trainer = Trainer(
        network, plan.start.preprocessing, pool, training=training, validation=validation, options=plan.options,
        agree=agreement(plan, pool), checkpoint=scratch / "checkpoint.json",
    )  # fmt: skip
    if variant.projection == WHITENED:
        project_by_whitening(trainer, training, plan.dim)
    elif variant.projection == RANDOM:
        network.add_projection(plan.dim)
    for _ in trainer.run(lambda done, total: None):
        pass
    return trainer, evaluate_held_back(trainer, validation, test)


def museum_of(trainer: Trainer, folder: Path) -> Figures:
    """Return the museum's figures of a network, by way of an encoder folder."""
    export_encoder(copy.deepcopy(trainer.network).cpu(), folder, preprocessing=trainer.preprocessing)
    return museum_figures(load_encoder(str(folder), parallel=cpu_count()), {WAY: WAYS[WAY]})


def row_of(name: str, figures: dict[str, Estimate], museum: Figures) -> list:
    """Return a row of the table."""
    told = [cell(figures[key]) for key in ("recall_at_1", "eer_others", "eer_forgeries", "auc_forgeries")]
    return [name, *told, *(cell(museum[f"{WAY}: {what}"]) for what in ("recall@1", "GAP"))]


def rows(plan: TrainingPlan, pool: Pool, chosen: list[Variant]) -> Iterator[list]:
    """Train all variants, and yield a row for each."""
    for variant in chosen:
        with tempfile.TemporaryDirectory() as scratch:
            trainer, found = train(plan, pool, variant, Path(scratch))
            yield row_of(variant.name, found.figures, museum_of(trainer, Path(scratch) / "encoder"))


def main() -> None:
    """Print the table of a budget."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("budget", choices=("head", "tower"))
    parser.add_argument("--recipe", type=Path, default=Path("build/recipe"), help="labels.csv and split.json")
    parser.add_argument("--encoder", default="build/imagenet", help="to start from")
    parser.add_argument("--objects", type=int, default=400, help="to train on")
    parser.add_argument("--dim", type=int, default=256)
    given = parser.parse_args()
    labelled = read_labels(given.recipe / "labels.csv")
    labelled, split = some_objects(labelled, read_split(given.recipe / "split.json", labelled), given.objects)
    folder = Path("build") / "ablation"
    plan = plan_of(labelled, split, open_start(given.encoder), folder, dim=given.dim)
    pool = make_pool(plan, folder)
    chosen = variants(HEAD if given.budget == "head" else TOWER)
    if given.budget == "head":
        pool = pooled(plan, pool)
    found = []
    for row in rows(plan, pool, chosen):
        print(*row, sep="  ", flush=True)
        found.append(row)
    command = f"python -m tests.bench.ablation {given.budget} --objects {given.objects} --dim {given.dim}"
    report(f"ablation-{given.budget}", COLUMNS, found, command=command)


if __name__ == "__main__":
    main()
