"""Measure a network on the objects held back, and find the pairs that it tells apart worst."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from indexer.metric_learning.encoder_figures import EncoderFigures, evaluate_encoder
from indexer.training.plan import TrainingPlan
from indexer.training.pool import PLAIN, PictureRow, make_pictures
from indexer.training.trainer import Trainer


@dataclass(frozen=True, slots=True, eq=False)
class HardPair:
    """Two pictures, uint8 (height, width, 3), their distance in [0, 2], and what they show."""

    one: np.ndarray
    other: np.ndarray
    distance: float
    said: str


def evaluate_held_back(trainer: Trainer, validation: np.ndarray, held_back: np.ndarray) -> EncoderFigures:
    """Evaluate the network as it is on rows held back, at the threshold that the validation rows set."""
    threshold = trainer.summary(validation, trainer.tower).threshold
    objects = [str(number) for number in trainer.objects[held_back]]
    return evaluate_encoder(trainer.tower.embed(held_back), objects, trainer.genuine[held_back], threshold=threshold)


def hardest_pairs(plan: TrainingPlan, trainer: Trainer, rows: np.ndarray, count: int = 4) -> list[HardPair]:
    """Return the genuine pairs that lie farthest apart and the wrong pairs that lie nearest, one an object."""
    objects, genuine = trainer.objects[rows], trainer.genuine[rows]
    vectors = trainer.tower.embed(rows)
    distance = np.sqrt(np.maximum(2.0 - 2.0 * vectors @ vectors.T, 0.0))
    plain = np.array([trainer.pool.rows[row].kind == PLAIN for row in rows]) & genuine
    same = objects[:, None] == objects[None, :]
    kinds = (
        ("two genuine pictures of", np.where(plain[:, None] & genuine[None, :] & same, distance, -np.inf)),
        ("genuine, and a forgery of", np.where(plain[:, None] & ~genuine[None, :] & same, -distance, -np.inf)),
        ("two different works,", np.where(plain[:, None] & plain[None, :] & ~same, -distance, -np.inf)),
    )
    return [
        _shown(plan, [trainer.pool.rows[rows[place]] for place in places], float(distance[places]), said)
        for said, hardness in kinds
        for places in _hardest(hardness, objects, count)
    ]


def _hardest(hardness: np.ndarray, objects: np.ndarray, count: int) -> Iterator[tuple[int, int]]:
    """Yield the places of the `count` hardest pairs in a table (n, n), -inf where there is none; no object twice."""
    shown: set[int] = set()
    for one in np.argsort(-hardness.max(axis=1), kind="stable").tolist():
        other = int(hardness[one].argmax())
        both = {int(objects[one]), int(objects[other])}
        if count and np.isfinite(hardness[one, other]) and shown.isdisjoint(both):
            shown, count = shown | both, count - 1
            yield one, other


def _shown(plan: TrainingPlan, pair: list[PictureRow], distance: float, said: str) -> HardPair:
    one, other = (next(make_pictures(plan.labelled.photos, [row], plan.start.preprocessing))[0] for row in pair)
    names = dict.fromkeys(plan.labelled.photos[row.photo].object_id for row in pair)
    return HardPair(one, other, distance, f"{said} {' and '.join(names)}")
