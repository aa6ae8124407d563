"""A simulated photograph is repeatable, moderate, and works at any size."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from indexer.rephotograph import ORDINARY, draw_shot, rephotograph


@pytest.fixture
def picture() -> Image.Image:
    image = Image.new("RGB", (160, 120), (90, 130, 170))
    draw = ImageDraw.Draw(image)
    draw.ellipse((30, 20, 90, 80), fill=(220, 180, 60))
    draw.rectangle((90, 70, 150, 115), fill=(60, 90, 40))
    return image


def small(image: Image.Image) -> np.ndarray:
    return np.asarray(image.resize((16, 12), Image.Resampling.BOX), np.float32)


def test_same_seed_gives_the_same_pixels_and_another_seed_others(picture: Image.Image) -> None:
    once, again, other = (rephotograph(picture, seed=s) for s in (3, 3, 4))
    assert once.size == again.size and once.tobytes() == again.tobytes()
    assert once.tobytes() != other.tobytes()


def test_the_input_is_left_as_it_was(picture: Image.Image) -> None:
    before = picture.tobytes()
    rephotograph(picture, seed=1)
    assert picture.tobytes() == before


@pytest.mark.parametrize("size", [(16, 16), (17, 300), (5000, 1), (1, 5000), (1, 1), (640, 200)])
def test_any_size_is_photographed_at_about_its_size(size: tuple[int, int]) -> None:
    for seed in range(3):
        photo = rephotograph(Image.new("RGB", size, (120, 80, 40)), seed=seed)
        assert photo.mode == "RGB"
        assert all(abs(got - asked) <= 1 + 0.1 * asked for got, asked in zip(photo.size, size, strict=True))


@pytest.mark.parametrize("mode", ["L", "RGBA"])
def test_other_modes_become_rgb(mode: str) -> None:
    assert rephotograph(Image.new(mode, (40, 30)), seed=0).mode == "RGB"


def test_a_photograph_stays_close_to_the_picture_without_being_it(picture: Image.Image) -> None:
    for seed in range(40):
        difference = np.abs(small(picture) - small(rephotograph(picture, seed=seed))).mean()
        assert 0.5 < difference < 45


def test_drawn_shots_stay_within_the_conditions() -> None:
    for seed in range(200):
        shot = draw_shot(np.random.default_rng(seed), ORDINARY)
        assert abs(shot.tilt) <= ORDINARY.tilt
        assert all(abs(c) <= ORDINARY.corner for corner in shot.corners for c in corner)
        assert all(ORDINARY.crop[0] <= c <= ORDINARY.crop[1] for c in shot.crops)
        assert ORDINARY.quality[0] <= shot.quality <= ORDINARY.quality[1]
        assert 0 <= shot.blur <= ORDINARY.blur
