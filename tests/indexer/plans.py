"""A small training to be planned and run: its works, its plan, and a trainer whose vectors are known."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from pathlib import Path

import numpy as np
import torch

from indexer.inputs.labels import LabelledPhoto, LabelledPhotos
from indexer.metric_learning.encoder_figures import summarise
from indexer.training.options import TrainingOptions
from indexer.training.plan import TrainingPlan
from indexer.training.pool import PictureRow, Pool, Recipe
from indexer.training.split import Split
from indexer.training.start import Start
from retrieval.encoder.network import EmbeddingNetwork
from retrieval.encoder.preprocessing import Preprocessing
from tests.conftest import unit
from tests.pictures import painting

SHAPE = Preprocessing(64, 48, (0.5,) * 3, (0.5,) * 3)
OBJECTS = tuple(f"K-{number:02}" for number in range(12))
SPLIT = Split(OBJECTS[:6], OBJECTS[6:9], OBJECTS[9:])
RECIPE = Recipe(views=1, copies=2, kinds=("oil", "moved"), seed=0)


@cache
def tower() -> EmbeddingNetwork:
    torch.manual_seed(0)
    return EmbeddingNetwork("tf_efficientnet_lite0").eval()


def labelled_paintings(folder: Path) -> LabelledPhotos:
    """Paint a genuine photograph of each of twelve objects, another of the first, and a forgery of the second."""
    photos = [LabelledPhoto(folder / f"{name}.png", name, True) for name in OBJECTS]
    photos += [LabelledPhoto(folder / "more.png", "K-00", True), LabelledPhoto(folder / "forged.png", "K-01", False)]
    for number, photo in enumerate(photos):
        painting(number, (130, 100)).save(photo.path)
    return LabelledPhotos(tuple(photos))


def small_plan(labelled: LabelledPhotos, out: Path) -> TrainingPlan:
    """Return a plan of one epoch of each kind."""
    return TrainingPlan(
        labelled=labelled,
        split=SPLIT,
        start=Start("start", deepcopy(tower()), SHAPE),
        recipe=RECIPE,
        options=TrainingOptions(unfreeze=99, head_epochs=1, epochs=1, objects=6, seed=3),
        dim=8,
        out=out,
        command="artifact train",
    )


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class Known:
    """A trainer whose vectors are given."""

    def __init__(self, rows: tuple[PictureRow, ...], vectors: np.ndarray) -> None:
        self.pool = Pool(rows, vectors, 0)
        self.objects, self.genuine = self.pool.objects, self.pool.genuine
        self.options = TrainingOptions()
        self.network = deepcopy(tower())

    @property
    def tower(self) -> Known:
        return self

    pooled = tower

    def embed(self, rows: np.ndarray) -> np.ndarray:
        return self.pool.features[rows]

    def summary(self, rows: np.ndarray, source: Known):
        return summarise(source.embed(rows), self.objects[rows], self.genuine[rows])


def known_trainer(plan: TrainingPlan) -> Known:
    """Return a trainer whose vectors lie near those of their object."""
    random = np.random.default_rng(5)
    centres = random.normal(0, 1, (len(OBJECTS), 6))
    return Known(plan.rows, unit(np.stack([centres[row.object] + random.normal(0, 0.8, 6) for row in plan.rows])))
