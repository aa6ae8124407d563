"""A simulated photograph is repeatable, moderate, works at any size, and knows where on it the work lies."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from indexer.simulation.rephotograph import (
    DIFFICULT,
    FILL,
    LONGEST,
    ORDINARY,
    THINGS,
    VERSION,
    Conditions,
    Shot,
    SimulatedPhotograph,
    draw_shot,
    photograph,
    photograph_with_geometry,
    rephotograph,
)
from tests.pictures import painting


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


# -- what catalogues rest on


def test_ordinary_photographs_are_still_those_of_this_version(picture: Image.Image) -> None:
    """Stored thresholds rest on them: who changes these figures raises VERSION."""
    assert VERSION == 1
    random = np.random.default_rng(3)
    shot = draw_shot(random, ORDINARY)
    assert (shot.tilt, shot.noise, shot.quality) == (-0.43508723801735183, 1.5989510071201787, 51)
    assert random.random() == 0.5851629398909081  # nothing more was drawn
    assert shot.things == () and shot.scale == 1
    photo = rephotograph(picture, seed=3)
    assert photo.size == (156, 125)
    blocks = np.asarray(photo.resize((4, 3), Image.Resampling.BOX), np.float32).mean(2)
    expected = [[113.0, 121.3, 115.3, 111.3], [116.7, 131.3, 108.7, 103.3], [114.0, 116.3, 80.3, 78.0]]
    assert blocks == pytest.approx(np.array(expected), abs=0.7)  # decoders of JPEG differ a little


# -- difficult photographs

PAINTING = painting(3, (200, 150))


def shoot(
    seed: int, conditions: Conditions = DIFFICULT, image: Image.Image = PAINTING
) -> tuple[Shot, SimulatedPhotograph]:
    random = np.random.default_rng(seed)
    shot = draw_shot(random, conditions)
    return shot, photograph_with_geometry(image, shot, random)


def only(**changes: float) -> Conditions:
    """Return a straight, even photograph of conditions with nothing but these."""
    straight = Conditions(
        tilt=0.0, corner=0.0, crop=(0.0, 0.0), exposure=(1, 1), gamma=(1, 1), contrast=(1, 1), cast=0.0, gradient=0.0,
        vignette=0.0, blur=0.0, noise=(0.0, 0.0), quality=(95, 95),
    )  # fmt: skip
    return replace(straight, **changes)


def laid_back(taken: SimulatedPhotograph, size: tuple[int, int]) -> np.ndarray:
    """Return the photograph on the original's grid."""
    way = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpPerspective(np.asarray(taken.image, np.float32), taken.homography, size, flags=way)


def test_same_seed_gives_the_same_difficult_photograph() -> None:
    for seed in range(12):
        (_, once), (_, again) = shoot(seed), shoot(seed)
        assert once.image.tobytes() == again.image.tobytes()
        assert (once.homography == again.homography).all() and (once.hidden == again.hidden).all()


def test_geometry_is_said_of_the_photograph_that_is_taken_without_it() -> None:
    for seed in range(6):
        random = np.random.default_rng(seed)
        plain = photograph(PAINTING, draw_shot(random, DIFFICULT), random)
        assert plain.tobytes() == shoot(seed)[1].image.tobytes()


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_what_is_not_hidden_lies_where_the_homography_says(seed: int) -> None:
    """The photograph, laid back on the original, agrees with it, and less so a few pixels beside."""
    _, taken = shoot(seed, replace(DIFFICULT, glare=0.0, moire=0.0, blur=0.002, coarse=0.0, quality=(80, 92)))
    seen = cv2.erode((~taken.hidden).astype(np.uint8), np.ones((7, 7), np.uint8), borderValue=0) > 0
    if seen.sum() < 4000:
        return
    back, original = (cv2.cvtColor(p, cv2.COLOR_RGB2GRAY) for p in (laid_back(taken, (200, 150)), np.float32(PAINTING)))
    back, original = (p - cv2.GaussianBlur(p, (0, 0), 6) for p in (back, original))  # contours, not light
    here = np.corrcoef(back[seen], original[seen])[0, 1]
    beside = [np.corrcoef(back[seen], np.roll(original, by, axis)[seen])[0, 1] for by in (-3, 3) for axis in (0, 1)]
    assert here > max(beside)


@pytest.mark.parametrize("thing", ["room", "frame", "coarse", "moire"])
def test_dots_are_found_where_the_homography_takes_them_to_a_fraction_of_a_pixel(thing: str) -> None:
    dots = [(x, y) for x in range(60, 400, 70) for y in range(50, 300, 60)]
    board = np.full((320, 420, 3), 235, np.uint8)
    for x, y in dots:
        board[y - 3 : y + 4, x - 3 : x + 4] = 15
    tilted = only(tilt=6.0, corner=0.06, **{thing: 1.0})
    for seed in range(6):
        _, taken = shoot(seed, tilted, Image.fromarray(board))
        dark = np.clip(160 - np.float32(taken.image).mean(2), 0, None)
        errors = []
        for dot in dots:
            x, y, depth = taken.homography @ (*dot, 1)
            left, top = round(x / depth) - 6, round(y / depth) - 6
            patch = dark[max(top, 0) : top + 13, max(left, 0) : left + 13]
            if min(left, top) < 0 or patch.shape != (13, 13) or not patch.any():
                continue
            rows, columns = np.mgrid[top : top + 13, left : left + 13]
            found = (columns * patch).sum() / patch.sum(), (rows * patch).sum() / patch.sum()
            errors.append(np.subtract(found, (x / depth, y / depth)))
        assert len(errors) > 15
        assert np.hypot(*np.mean(errors, 0)) < 0.15 and np.hypot(*np.transpose(errors)).mean() < 0.3


def test_a_straight_photograph_has_the_identity_and_hides_nothing() -> None:
    _, taken = shoot(1, only())
    assert taken.homography == pytest.approx(np.eye(3), abs=1e-9)
    assert not taken.hidden.any() and taken.image.size == PAINTING.size


def test_what_is_cut_off_is_hidden() -> None:
    _, taken = shoot(1, only(crop=(0.1, 0.1)))
    expected = np.ones((150, 200), bool)
    expected[15:135, 20:180] = False
    assert taken.image.size == (160, 120)
    assert (taken.hidden == expected).all()
    assert taken.homography @ (20, 15, 1) == pytest.approx([0, 0, 1], abs=1e-9)


@pytest.mark.parametrize("thing", ["plate", "visitor", "glare"])
def test_what_lies_before_the_work_is_said_to_hide_it_and_nothing_else_is_changed(thing: str) -> None:
    shares, free = [], np.float32(shoot(0, only())[1].image)
    for seed in range(20):
        _, taken = shoot(seed, only(**{thing: 1.0}))
        assert taken.homography == pytest.approx(np.eye(3), abs=1e-9)
        changed = np.abs(np.float32(taken.image) - free).mean(2)
        beyond = cv2.dilate(taken.hidden.astype(np.uint8), np.ones((35, 35), np.uint8)) == 0
        if thing != "glare":  # which washes out softly
            assert changed[beyond].mean() < 0.5
        if taken.hidden.any():
            assert changed[taken.hidden].mean() > 10 + changed[beyond].mean()
        shares.append(taken.hidden.mean())
    assert 0.005 < np.mean(shares) < 0.2 and max(shares) < 0.5


def test_in_a_room_the_work_fills_part_of_the_photograph() -> None:
    for seed in range(30):
        shot, taken = shoot(seed, only(room=1.0, frame=0.5))
        assert "room" in shot.things and taken.hidden.mean() < 0.01
        low, high = taken.homography @ (0, 0, 1), taken.homography @ (199, 149, 1)
        wide, high = (high - low)[:2] / taken.image.size
        assert FILL[0] - 0.02 <= wide <= FILL[1] and FILL[0] - 0.02 <= high <= FILL[1]
        assert taken.image.width * taken.image.height == pytest.approx(200 * 150, rel=0.05)


def test_a_frame_is_around_the_work_and_not_on_it() -> None:
    soft = Image.fromarray(cv2.GaussianBlur(np.asarray(PAINTING), (0, 0), 2))
    _, taken = shoot(2, only(frame=1.0), soft)
    inside = np.abs(laid_back(taken, (200, 150)) - np.float32(soft))[3:-3, 3:-3].mean()
    assert taken.image.width > 204 and taken.image.height > 153 and not taken.hidden.any()
    assert inside < 6


def test_moire_and_fewer_pixels_hide_nothing() -> None:
    _, fringed = shoot(1, only(moire=1.0))
    assert not fringed.hidden.any()
    assert np.abs(np.float32(fringed.image) - np.float32(PAINTING)).mean() > 1
    shot, small = shoot(1, only(coarse=1.0))
    assert small.image.width == round(200 * shot.scale) < 181 and not small.hidden.any()


def test_every_thing_happens_as_often_as_said_and_many_photographs_are_mild() -> None:
    shots = [draw_shot(np.random.default_rng(seed), DIFFICULT) for seed in range(1500)]
    for name in THINGS:
        share = np.mean([name in shot.things for shot in shots])
        assert share == pytest.approx(getattr(DIFFICULT, name), abs=0.04)
    assert np.mean([not shot.things for shot in shots]) > 0.25
    ordinary = np.mean([abs(shot.tilt) <= ORDINARY.tilt for shot in shots])
    assert ordinary == pytest.approx(DIFFICULT.mild + (1 - DIFFICULT.mild) * 2 / 7, abs=0.05)


@pytest.mark.parametrize("size", [(16, 16), (17, 300), (600, 1), (1, 600), (1, 1)])
def test_any_size_is_photographed_under_difficult_conditions(size: tuple[int, int]) -> None:
    always = replace(DIFFICULT, room=1, frame=1, plate=1, visitor=1, glare=1, moire=1, coarse=0.5)
    for seed in range(4):
        _, taken = shoot(seed, always, Image.new("RGB", size, (120, 80, 40)))
        assert taken.hidden.shape == size[::-1] and taken.image.mode == "RGB"


def test_a_picture_longer_than_any_camera_makes_is_photographed_smaller():
    taken = rephotograph(Image.new("RGB", (70_000, 40), "red"), seed=1)
    assert taken.width < 1.1 * LONGEST
