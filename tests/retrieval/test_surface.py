"""The bend that no homography takes away: found where the whole is bent, not where a detail was moved."""

import numpy as np
import pytest

from retrieval.comparing.surface import SIDE, find_bend, unbent
from tests.pictures import painting

ALL = np.ones((SIDE, SIDE), bool)


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return np.asarray(painting(3, size=(SIDE, SIDE)))


def wave(pixels: float) -> np.ndarray:
    """Return a smooth field whose largest shift is so many pixels."""
    down, across = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    return (pixels * np.stack([np.sin(np.pi * down), np.cos(np.pi * across)], axis=2)).astype(np.float32)


def test_a_bend_is_found_and_taken_away(picture):
    bent = unbent(picture, wave(3.0))
    found = find_bend(picture, bent, ALL)
    inner = (slice(30, -30), slice(30, -30))
    before = np.linalg.norm(wave(3.0), axis=2)[inner].mean()
    left = np.linalg.norm(found + wave(3.0), axis=2)[inner].mean()  # the field that takes it back, nearly
    assert left < 0.4 * before
    again = np.abs(unbent(bent, found).astype(float) - picture)[inner].mean()
    assert again < 0.5 * np.abs(bent.astype(float) - picture)[inner].mean()


def test_the_same_picture_is_not_bent(picture):
    assert np.abs(find_bend(picture, picture, ALL)).max() < 0.3


def test_a_moved_detail_still_differs(picture):
    moved = picture.copy()
    moved[120:140, 124:144] = picture[120:140, 120:140]
    found = find_bend(picture, moved, ALL)
    assert np.abs(found[130, 134]).max() < 1.0  # of the 4 pixels that it was moved by


def test_nothing_is_said_of_what_is_not_seen(picture):
    assert np.abs(find_bend(picture, unbent(picture, wave(3.0)), ~ALL)).max() < 0.05


def test_another_side_is_bent_as_far_in_its_own_pixels():
    steps = np.tile(np.arange(2 * SIDE, dtype=np.float32), (2 * SIDE, 1))
    shift = np.zeros((SIDE, SIDE, 2), np.float32)
    shift[..., 0] = 2.0
    assert unbent(steps, shift)[100, 100] == pytest.approx(104.0)
