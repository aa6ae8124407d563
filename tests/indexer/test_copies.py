"""A simulated copy is repeatable, recognisable, altered where it says, and nothing that a camera does."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from indexer.simulation.alterations import alter
from indexer.simulation.copies import AREA, KINDS, LOCAL, VISIBLE, WHOLE, make_copy
from indexer.simulation.palette import belonging, repalette
from indexer.simulation.rephotograph import rephotograph
from tests.pictures import painting

FACE = (0.3, 0.2, 0.3, 0.4)
SIZE = (200, 150)
PICTURE, DONOR = painting(1, SIZE), painting(2, SIZE)


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image, np.float32)


def layout(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("L").resize((12, 9), Image.Resampling.BOX), np.float32).ravel()


@pytest.mark.parametrize("kind", KINDS)
def test_same_seed_gives_the_same_copy_and_another_seed_another(kind: str) -> None:
    once, again, other = (make_copy(PICTURE, kind, seed=s, donor=DONOR, face=FACE) for s in (5, 5, 6))
    assert once and again and other and once.kind == kind
    assert once.image.tobytes() == again.image.tobytes() and (once.mask == again.mask).all()
    assert once.image.tobytes() != other.image.tobytes()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(200, 150), (91, 160), (161, 161)])
def test_a_copy_is_as_large_as_the_picture_and_leaves_it_alone(kind: str, size: tuple[int, int]) -> None:
    picture = painting(3, size)
    before = picture.tobytes()
    made = make_copy(picture, kind, seed=2, donor=DONOR, face=FACE)
    assert made and made.image.mode == "RGB" and made.image.size == size
    assert made.mask.dtype == bool and made.mask.shape == size[::-1]
    assert picture.tobytes() == before


@pytest.mark.parametrize("kind", WHOLE)
def test_a_copy_of_the_whole_changes_all_of_it_and_stays_recognisable(kind: str) -> None:
    for seed in range(4):
        made = make_copy(PICTURE, kind, seed=seed, donor=DONOR)
        assert made and made.mask.all()
        assert VISIBLE <= np.abs(pixels(made.image) - pixels(PICTURE)).mean() < 40
        alike = np.corrcoef(layout(PICTURE), layout(made.image))[0, 1]
        assert alike > 0.9 > np.corrcoef(layout(PICTURE), layout(DONOR))[0, 1]


@pytest.mark.parametrize("kind", WHOLE)
def test_an_empty_picture_gives_no_copy_or_one_that_can_be_seen(kind: str) -> None:
    empty = Image.new("RGB", SIZE, (128, 128, 128))
    made = [make_copy(empty, kind, seed=seed, donor=DONOR) for seed in range(6)]
    assert all(np.abs(pixels(one.image) - 128).mean() >= VISIBLE for one in made if one)
    assert kind != "smoothed" or None in made


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize("size", [(40, 30), (16, 16), (300, 20), (5, 200), (1, 1)])
def test_small_and_narrow_pictures_are_copied_or_left(kind: str, size: tuple[int, int]) -> None:
    made = make_copy(painting(4, (320, 260)).resize(size), kind, seed=1, donor=DONOR)
    assert made is None or made.image.size == size


def test_local_kinds_are_the_alterations_of_the_same_seed() -> None:
    for kind in LOCAL:
        made = make_copy(PICTURE, kind, seed=3, donor=DONOR, area=0.05, face=FACE)
        expected = alter(PICTURE, kind, seed=3, donor=DONOR, area=0.05, face=FACE)
        assert made and expected
        assert made.image.tobytes() == expected.image.tobytes() and (made.mask == expected.mask).all()


def test_areas_are_drawn_between_the_limits_with_an_even_logarithm() -> None:
    made = [make_copy(PICTURE, "inserted", seed=seed, donor=DONOR) for seed in range(60)]
    areas = np.array([one.mask.mean() for one in made if one])
    assert len(areas) > 50
    assert areas.min() > 0.8 * AREA[0] and areas.max() < 1.2 * AREA[1]
    middle = np.sqrt(AREA[0] * AREA[1])
    assert 0.3 < (areas < middle).mean() < 0.7


def test_without_a_known_face_there_is_no_other_face() -> None:
    assert make_copy(PICTURE, "face", seed=1, donor=DONOR) is None


def unexplained(picture: Image.Image, other: Image.Image) -> float:
    """Return what is left of the other's colours when a cubic of each channel of the picture is fitted to them."""
    one, two = (pixels(image.resize((64, 48), Image.Resampling.BOX)).reshape(-1, 3) / 255 for image in (picture, other))
    left = []
    for channel in range(3):
        powers = np.stack([one[:, channel] ** n for n in range(4)], 1)
        fitted = powers @ np.linalg.lstsq(powers, two[:, channel], rcond=None)[0]
        left.append(float(np.square(fitted - two[:, channel]).mean()))
    return 255 * float(np.sqrt(np.mean(left)))


def test_no_camera_explains_another_palette() -> None:
    graded = Image.fromarray((255 * (pixels(PICTURE) / 255) ** 1.2 * (0.9, 1, 0.8)).astype(np.uint8))
    assert unexplained(PICTURE, graded) < 2
    for seed in range(8):
        changed = Image.fromarray(repalette(np.asarray(PICTURE), np.random.default_rng(seed)))
        assert unexplained(PICTURE, changed) > 8


def test_regions_share_every_pixel_and_the_nearest_has_the_most() -> None:
    random = np.random.default_rng(0)
    found, centres = random.uniform(0, 80, (50, 5)).astype(np.float32), random.uniform(0, 80, (4, 5)).astype(np.float32)
    weights = belonging(found, centres)
    nearest = [min(range(4), key=lambda n, point=point: ((point - centres[n]) ** 2).sum()) for point in found]
    assert weights.sum(1) == pytest.approx(1, abs=1e-5)
    assert weights.argmax(1).tolist() == nearest


def test_a_drawing_again_moves_contours_more_than_another_photograph_of_the_same_size() -> None:
    dots = np.full((150, 200, 3), 220, np.uint8)
    for y in range(20, 140, 20):
        for x in range(20, 190, 20):
            dots[y - 2 : y + 3, x - 2 : x + 3] = 20
    made = make_copy(Image.fromarray(dots), "redrawn", seed=4, donor=DONOR)
    assert made
    dark, moved = pixels(made.image.convert("L")) < 120, []
    for y in range(20, 140, 20):
        for x in range(20, 190, 20):
            rows, columns = np.nonzero(dark[y - 9 : y + 10, x - 9 : x + 10])
            if len(rows):
                moved.append(np.hypot(rows.mean() - 9, columns.mean() - 9))
    assert len(moved) > 30 and 0.3 < float(np.mean(moved)) < 6  # 0.5 to 1.5 % of 200 pixels, none at the border


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**9), kind=st.sampled_from(KINDS))
def test_any_copy_can_be_photographed_again(seed: int, kind: str) -> None:
    made = make_copy(PICTURE, kind, seed=seed, donor=DONOR, face=FACE)
    assert made is None or rephotograph(made.image, seed=seed).mode == "RGB"
