"""Reflections, lost pixels, bent canvases, labels: the picture stays the same work, and the same seed does the same."""

import numpy as np
import pytest

from indexer.simulation.hindrances import bend, degrade, reflect_room, stick_label
from tests.pictures import painting

PICTURE = np.asarray(painting(1))
ROOM = np.asarray(painting(8, size=(200, 150)))


def reflected(random: np.random.Generator) -> np.ndarray:
    return reflect_room(PICTURE, ROOM, random)


MAKERS = {
    "reflected": reflected,
    "degraded": lambda random: degrade(PICTURE, random),
    "bent": lambda random: bend(PICTURE, random),
    "labelled": lambda random: stick_label(PICTURE, random),
}


@pytest.mark.parametrize("name", MAKERS)
def test_it_stays_a_picture_of_the_work_and_repeats(name):
    made = [MAKERS[name](np.random.default_rng(seed)) for seed in range(12)]
    again = MAKERS[name](np.random.default_rng(0))
    assert np.array_equal(made[0], again)
    likeness = [np.corrcoef(PICTURE.ravel(), picture.ravel())[0, 1] for picture in made]
    assert all(picture.shape == PICTURE.shape and picture.min() >= 0 and picture.max() <= 255 for picture in made)
    changed = [not np.array_equal(PICTURE, picture) for picture in made]
    assert min(likeness) > 0.4 and sum(changed) > 4


def test_a_reflection_adds_light_where_it_is():
    dark = np.full((100, 120, 3), 20, np.uint8)
    brighter = [reflect_room(dark, ROOM, np.random.default_rng(seed)).mean() - 20 for seed in range(20)]
    assert min(brighter) > -4 and max(brighter) > 10


def test_a_label_covers_a_small_part_and_what_is_too_small_has_none():
    for seed in range(10):
        away = np.abs(stick_label(PICTURE, np.random.default_rng(seed)).astype(float) - PICTURE).max(axis=2) > 8
        assert 0.001 < away.mean() < 0.05
    tiny = PICTURE[:60, :80]
    assert np.array_equal(stick_label(tiny, np.random.default_rng(0)), tiny)


def test_a_bend_moves_no_place_far():
    columns = np.tile(np.arange(400, dtype=np.float32)[None, :, None], (300, 1, 3))
    moved = [np.abs(bend(columns, np.random.default_rng(seed)) - columns).max() for seed in range(20)]
    assert 0 < max(moved) < 0.06 * 300
