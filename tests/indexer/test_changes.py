"""Small plain changes: each shows where it says, and nowhere else; a change of nothing does not show."""

import cv2
import numpy as np
import pytest

from indexer.simulation import changes
from indexer.simulation.changes import VISIBLE, WAYS, change, change_nothing
from tests.pictures import painting

PICTURE = np.asarray(painting(1))
DONOR = np.asarray(painting(2, size=(300, 200)))


def away(other: np.ndarray) -> np.ndarray:
    return np.abs(other.astype(float) - PICTURE).mean(axis=2)


@pytest.mark.parametrize("way", WAYS)
def test_each_way_changes_its_place_visibly_and_no_other(way, monkeypatch):
    monkeypatch.setattr(changes, "WAYS", {way: WAYS[way]})
    made = [change(PICTURE, DONOR, np.random.default_rng(seed)) for seed in range(4)]
    shown = [found for found in made if found is not None]
    assert len(shown) >= 2
    for changed, mask in shown:
        assert changed.dtype == np.uint8 and changed.shape == PICTURE.shape and mask.shape == PICTURE.shape[:2]
        assert away(changed)[mask].mean() >= VISIBLE - 0.5
        near = cv2.dilate(mask.astype(np.uint8), np.ones((31, 31), np.uint8)) > 0
        assert away(changed)[~near].max() <= 1.0


def test_the_same_seed_changes_the_same():
    one, other = (change(PICTURE, DONOR, np.random.default_rng(5)) for _ in range(2))
    assert one is not None and other is not None
    assert np.array_equal(one[0], other[0]) and np.array_equal(one[1], other[1])


def test_a_flat_picture_that_cannot_be_changed_visibly_gives_none(monkeypatch):
    monkeypatch.setattr(changes, "WAYS", {"cloned": WAYS["cloned"]})
    assert change(np.full((60, 80, 3), 128, np.uint8), DONOR, np.random.default_rng(0)) is None


def test_changing_nothing_changes_less_than_can_be_seen():
    differences = [away(change_nothing(PICTURE, np.random.default_rng(seed))).mean() for seed in range(5)]
    assert 0.0 < max(differences) < 1.5
