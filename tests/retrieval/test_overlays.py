"""What lies over the picture is found, name plates and glare; what belongs to it, or was painted in, is not."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from indexer.simulation.alterations import alter
from indexer.simulation.rephotograph import rephotograph
from retrieval.comparing.alignment import align, fit_colours
from retrieval.comparing.overlays import GLARE, PLATE, Overlay, find_overlays
from retrieval.comparing.registration import Registration
from tests.pictures import DARK, LIGHT, PLACES, SIZE, both, painting, photograph, with_plate


def found_on(
    exemplar: Image.Image, probe: Image.Image, homography: np.ndarray | None = None
) -> tuple[list[Overlay], np.ndarray]:
    """Return the overlays, and where they are on the exemplar: bool (height, width)."""
    if homography is None:
        registration = both(exemplar, probe)
        assert isinstance(registration, Registration), registration
        homography = registration.homography
    aligned = align(photograph(exemplar), photograph(probe), homography)
    fitted = fit_colours(aligned.exemplar, aligned.probe, aligned.seen, locally=False)
    overlays, mask = find_overlays(aligned, fitted, exemplar.size)
    assert mask.any() == bool(overlays)
    assert mask.mean() == pytest.approx(sum(overlay.share for overlay in overlays), abs=0.02)
    return overlays, np.asarray(Image.fromarray(mask).resize(exemplar.size))


def lit(image: Image.Image, place: tuple[int, int], *, radius: float = 30.0, strength: float = 320.0) -> Image.Image:
    """Return a photograph with the reflection of a lamp on it."""
    y, x = np.mgrid[: image.height, : image.width]
    light = strength * np.exp(-((x - place[0]) ** 2 + (y - place[1]) ** 2) / (2 * radius**2))
    return Image.fromarray(np.clip(np.asarray(image) + light[..., None], 0, 255).astype(np.uint8))


def assert_one(kind: str, overlays: list[Overlay], mask: np.ndarray, truth: np.ndarray) -> None:
    """Check that one overlay was found, that it and its box cover it, and little else."""
    assert [overlay.kind for overlay in overlays] == [kind]
    (x, y, width, height), share = overlays[0].box, overlays[0].share
    inside = np.zeros_like(mask)
    inside[y : y + height, x : x + width] = True
    assert inside.sum() == width * height  # the box lies in the picture
    assert mask[truth].mean() > 0.9 and inside[truth].mean() > 0.9
    assert (mask & ~inside).sum() < 0.02 * mask.sum()
    assert share == pytest.approx(mask.mean(), abs=0.002)
    assert truth.mean() * 0.9 < share < truth.mean() + 0.025


@pytest.mark.parametrize(
    ("place", "colours", "turn"),
    [
        ("below", LIGHT, 0.0),
        ("below", DARK, 4.0),
        ("in a corner", LIGHT, 4.0),
        ("in a corner", DARK, 0.0),
        ("in the middle", LIGHT, 0.0),
        ("in the middle", DARK, -3.0),
    ],
)
def test_a_name_plate_is_found(place, colours, turn):
    image = painting(2 if turn else 0)
    covered, truth = with_plate(image, PLACES[place], colours, turn=turn)
    assert_one(PLATE, *found_on(image, rephotograph(covered, seed=int(10 + turn))), truth)


def test_the_share_and_the_box_are_of_the_exemplar_whatever_its_size():
    small = painting(3)
    covered, truth = with_plate(small, PLACES["below"])
    large = small.resize((1040, 1200), Image.Resampling.BICUBIC)
    overlays, mask = found_on(large, rephotograph(covered, seed=3))
    wide = np.asarray(Image.fromarray(truth).resize(large.size))
    assert_one(PLATE, overlays, mask, wide)
    assert overlays[0].box[1] > 800


def test_several_are_listed_apart():
    image = painting(4)
    covered, low = with_plate(image, PLACES["below"])
    covered, high = with_plate(covered, PLACES["in a corner"], DARK)
    overlays, mask = found_on(image, lit(rephotograph(covered, seed=4), (430, 180)))
    assert [overlay.kind for overlay in overlays] == [PLATE, PLATE, GLARE]
    assert mask[low].mean() > 0.8 and mask[high].mean() > 0.8 and mask[170:190, 420:440].all()


@pytest.mark.parametrize("seed", range(3))
def test_on_a_genuine_photograph_nothing_is_found(seed):
    image = painting(seed)
    assert found_on(image, rephotograph(image, seed=500 + seed))[0] == []


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("kind", "area"), [("signature", 0.02), ("signature", 0.05), ("inserted", 0.05)])
def test_what_was_painted_in_is_no_overlay(kind, area, seed):
    image = painting(seed)
    made = alter(image, kind, area=area, donor=painting(seed + 50), seed=seed)
    assert made is not None
    assert found_on(image, rephotograph(made.image, seed=seed))[0] == []


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_a_plate_without_letters_hides_nothing(colours):
    """Only what can be told from paint is left out: a plain patch of colour may be paint."""
    image = painting(5)
    covered, _ = with_plate(image, PLACES["below"], (colours[0], colours[0]))
    assert found_on(image, rephotograph(covered, seed=5))[0] == []


def test_a_plate_that_the_exemplar_has_too_is_a_part_of_it():
    for seed, colours in ((6, LIGHT), (7, DARK)):
        framed, _ = with_plate(painting(seed), PLACES["below"], colours)
        assert found_on(framed, rephotograph(framed, seed=seed))[0] == []


# -- glare


@pytest.mark.parametrize(("seed", "place"), [(0, (150, 120)), (1, (380, 300)), (2, (150, 120))])
def test_a_burnt_out_light_is_found(seed, place):
    image = painting(seed)
    dark = np.full((*reversed(SIZE), 3), 40, np.uint8)
    probe = rephotograph(image, seed=seed)
    spot = np.asarray(lit(Image.fromarray(dark), place)).min(axis=2) > 254  # burnt whatever was there
    overlays, mask = found_on(image, lit(probe, place))
    assert [overlay.kind for overlay in overlays] == [GLARE]
    assert mask[spot].mean() > 0.9 and 0.02 < overlays[0].share < 0.08


def test_glare_on_the_exemplar_is_found_too():
    image = painting(3)
    overlays, mask = found_on(lit(image, (200, 200)), rephotograph(image, seed=3))
    assert [overlay.kind for overlay in overlays] == [GLARE] and mask[190:210, 190:210].all()


@pytest.mark.parametrize("seed", [0, 4, 7])  # each of these was taken for glare once
def test_white_paint_is_no_glare(seed):
    image = painting(seed)
    altered = image.copy()
    altered.paste((255, 255, 255), (200, 150, 300, 250))
    assert found_on(image, rephotograph(altered, seed=seed))[0] == []


def test_what_is_gone_from_white_paper_is_no_glare():
    """The paper is burnt out in the photograph, but that is no light that hides something."""
    random, emptied = np.random.default_rng(1), Image.new("RGB", SIZE, (250, 248, 244))
    draw = ImageDraw.Draw(emptied)
    for x, y in random.uniform((0, 0), SIZE, (60, 2)):
        if not (170 < x < 300 and 130 < y < 260):
            corners = random.normal((x, y), 18, (4, 2))
            draw.polygon([tuple(corner) for corner in corners], tuple(random.integers(10, 90, 3).tolist()))
    whole = emptied.copy()
    ImageDraw.Draw(whole).ellipse((190, 150, 280, 240), (60, 40, 50))
    burnt = emptied.point([min(255, round(1.05 * grey)) for grey in range(256)] * 3)
    assert found_on(whole, burnt)[0] == []


@pytest.mark.parametrize(("exemplar", "probe"), [(0, 0), (0, 255), (255, 0), (255, 255)])
@pytest.mark.filterwarnings("error")
def test_flat_pictures_are_no_error(exemplar, probe):
    one, other = (Image.new("RGB", SIZE, (grey,) * 3) for grey in (exemplar, probe))
    assert found_on(one, other, np.eye(3))[0] == []
    other.paste((0, 200, 0), (100, 100, 300, 140))
    for pair in ((one, other), (other, one), (painting(1), one), (one, painting(1))):
        found_on(*pair, np.eye(3))
