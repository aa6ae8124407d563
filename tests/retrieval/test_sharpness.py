"""One sharpness for two pictures: the sharper one gets the blur of the other, and nothing else changes."""

import cv2
import numpy as np
import pytest

from retrieval.comparing.sharpness import BLURS, blur_of, equally_sharp
from tests.pictures import painting

SIDE = 264
ALL = np.ones((SIDE, SIDE), bool)


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    texture = np.random.default_rng(0).normal(0, 12, (SIDE, SIDE, 1))
    return np.clip(np.asarray(painting(5, size=(SIDE, SIDE)), np.float32) + texture, 0, 255).astype(np.float32)


@pytest.mark.parametrize("sigma", [1.0, 2.0])
def test_the_sharper_one_is_blurred_as_the_other_is(picture, sigma):
    blurred = cv2.GaussianBlur(picture, (0, 0), sigma)
    for swapped in (False, True):
        one, other = (blurred, picture) if swapped else (picture, blurred)
        found = equally_sharp(one, other, ALL)
        left = np.abs(found.exemplar - found.probe).mean()
        assert left < 0.35 * np.abs(picture - blurred).mean()
        level = found.probe_blurred if swapped else found.exemplar_blurred
        assert blur_of(level) == pytest.approx(sigma, rel=0.3)
        assert (found.exemplar_blurred if swapped else found.probe_blurred).max() == 0.0


def test_equally_sharp_pictures_stay_as_they_are(picture):
    found = equally_sharp(picture, picture, ALL)
    assert np.array_equal(found.exemplar, picture) and np.array_equal(found.probe, picture)


def test_blur_is_told_place_by_place(picture):
    half = picture.copy()
    half[:, SIDE // 2 :] = cv2.GaussianBlur(picture, (0, 0), 2.0)[:, SIDE // 2 :]
    levels = equally_sharp(picture, half, ALL).exemplar_blurred
    assert levels[:, :6].max() < 1.0 and levels[:, -6:].min() > 3.0


def test_a_smooth_place_on_a_sharp_picture_is_no_blur(picture):
    painted_over = picture.copy()
    painted_over[100:130, 100:130] = painted_over[100:130, 100:130].mean(axis=(0, 1))
    found = equally_sharp(picture, painted_over, ALL)
    assert blur_of(found.exemplar_blurred) == 0.0 and blur_of(found.exemplar_blurred[12:17, 12:17]) < 1.0


def test_blur_of_levels():
    assert blur_of(np.array([1.0, 1.0])) == BLURS[0] and blur_of(np.array([])) == 0.0
    assert blur_of(np.array([1.5])) == pytest.approx((BLURS[0] + BLURS[1]) / 2)
