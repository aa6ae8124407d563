"""The comparison place by place: genuine photographs lie within the threshold, altered ones beyond it, and where."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from indexer.simulation.alterations import alter
from indexer.simulation.rephotograph import rephotograph
from retrieval.comparing.divergence import (
    COARSEST,
    LEAST_COMPARED,
    MOST_PLACES,
    PLACES_ACROSS,
    Divergence,
    NotCompared,
    TooBlurred,
    _places,
    diverge,
    local_limit,
    shipped_threshold,
)
from retrieval.comparing.evidence import is_monochrome
from retrieval.comparing.logits import PEAKED
from retrieval.comparing.overlays import PLATE
from retrieval.comparing.registration import Registration
from tests.pictures import DARK, LIGHT, PLACES, SIZE, both, painting, photograph, turned, with_plate


def lying(homography: np.ndarray) -> Registration:
    return Registration(homography, 20, np.zeros((20, 4), np.float32), 1.0, 1.0, 0.001, mirrored=False)


def compared(
    exemplar: Image.Image,
    probe: Image.Image,
    registration: Registration | None = None,
    *,
    threshold: float | None = None,
) -> Divergence:
    registration = registration or both(exemplar, probe)
    found = diverge(photograph(exemplar), photograph(probe), registration, global_distance=0.3, threshold=threshold)
    assert isinstance(found, Divergence), found
    limit = shipped_threshold() if threshold is None else threshold
    assert found.global_distance == 0.3 and found.local_distance == np.nanmax(found.map) <= found.combined_distance
    assert (found.combined_distance >= limit) == (found.local_distance >= found.limit)
    beyond = [place.distance >= found.limit for place in found.places]
    assert all(beyond) or beyond == [False]
    return found


@pytest.mark.parametrize("seed", range(3))
def test_a_genuine_photograph_lies_within_the_threshold(seed):
    found = compared(painting(seed), rephotograph(painting(seed), seed=seed))
    assert found.combined_distance < 0.5 * shipped_threshold()
    assert found.hidden == 0 and found.overlays == ()
    assert (
        len(found.places) == 1 and found.places[0].distance == found.local_distance
    )  # the worst is shown all the same
    assert 0.85 < found.compared <= 1.0


@pytest.mark.parametrize("kind", ["inserted", "removed"])
@pytest.mark.parametrize("seed", range(2))
def test_an_altered_copy_lies_beyond_the_threshold_where_it_was_altered(seed, kind):
    made = alter(painting(seed), kind, area=0.05, donor=painting(seed + 50), seed=seed)
    found = compared(painting(seed), rephotograph(made.image, seed=seed))
    assert found.combined_distance > 1.2 * shipped_threshold()
    x, y, width, height = found.places[0].box
    assert made.mask[y : y + height, x : x + width].mean() > 0.3
    assert made.mask[y : y + height, x : x + width].sum() > 0.2 * made.mask.sum()
    rows, columns = np.unravel_index(np.nanargmax(found.map), found.map.shape)
    at = ((rows + 0.5) / PLACES_ACROSS * SIZE[1], (columns + 0.5) / PLACES_ACROSS * SIZE[0])
    near = made.mask[round(at[0]) - 15 : round(at[0]) + 16, round(at[1]) - 15 : round(at[1]) + 16]
    assert near.any()


def test_an_alteration_is_found_on_a_mirrored_photograph_too():
    made = alter(painting(4), "removed", area=0.05, donor=painting(54), seed=4)
    mirror = Image.Transpose.FLIP_LEFT_RIGHT
    found = [
        compared(painting(4), rephotograph(image, seed=4).transpose(mirror)) for image in (painting(4), made.image)
    ]
    assert found[0].combined_distance < 0.7 * shipped_threshold() < shipped_threshold() < found[1].combined_distance
    x, y, width, height = found[1].places[0].box
    assert made.mask[y : y + height, x : x + width].mean() > 0.3


@pytest.mark.parametrize(("place", "colours"), [("below", LIGHT), ("in the middle", DARK)])
def test_a_plate_is_left_out(place, colours):
    covered, truth = with_plate(painting(2), PLACES[place], colours)
    found = compared(painting(2), rephotograph(covered, seed=2))
    assert [overlay.kind for overlay in found.overlays] == [PLATE]
    assert found.combined_distance < 0.5 * shipped_threshold()
    assert 0.5 * truth.mean() < found.hidden < 3 * truth.mean()
    middle = (PLACES[place][1] * PLACES_ACROSS // SIZE[1], PLACES[place][0] * PLACES_ACROSS // SIZE[0])
    assert np.isnan(found.map[middle])


def test_what_is_altered_beside_a_plate_is_found_all_the_same():
    made = alter(painting(3), "removed", area=0.05, donor=painting(53), seed=3)
    covered, plate = with_plate(made.image, PLACES["in a corner"])
    assert not (plate & made.mask).any()
    found = compared(painting(3), rephotograph(covered, seed=3))
    x, y, width, height = found.places[0].box
    assert found.overlays and found.local_distance > found.limit
    assert found.combined_distance > shipped_threshold()
    assert made.mask[y : y + height, x : x + width].mean() > 0.3


def test_the_map_covers_the_exemplar_and_is_empty_where_the_probe_shows_nothing():
    half = painting(5).crop((0, 0, 260, 400))
    found = compared(painting(5), half, lying(np.eye(3)))
    assert found.map.shape == (PLACES_ACROSS, PLACES_ACROSS) and found.map.dtype == np.float32
    assert np.isnan(found.map[:, PLACES_ACROSS // 2 :]).all()
    assert np.isfinite(found.map[2:-2, 2 : PLACES_ACROSS // 2 - 2]).all()
    assert abs(found.compared - 0.5) < 0.01
    assert found.local_distance == np.nanmax(found.map) < 0.1  # the very same pixels
    assert found.homography.shape == (3, 3) and np.allclose(found.homography, np.eye(3), atol=0.05)


def test_another_picture_in_its_place_differs_everywhere():
    found = compared(painting(5), painting(6), lying(np.eye(3)))
    assert found.combined_distance > shipped_threshold()
    assert np.nanmean(found.map > found.limit) > 0.5 * found.compared


def test_the_very_same_photograph_does_not_differ():
    found = compared(painting(6), painting(6), lying(np.eye(3)))
    assert found.local_distance < 0.02


@pytest.mark.parametrize("size", [(170, 170), (130, 1040)])
def test_small_and_drawn_out_works_are_compared(size):
    image = painting(7, size)
    other = image.copy()
    box = (size[0] // 3, size[1] // 3, size[0] // 2, 2 * size[1] // 3)
    other.paste(painting(50, (box[2] - box[0], box[3] - box[1])), box)
    same, changed = (compared(image, probe, lying(np.eye(3))) for probe in (image, other))
    assert same.local_distance < 0.15  # enlarged in two ways
    assert changed.local_distance > changed.limit
    assert changed.combined_distance > shipped_threshold()
    x, y, width, height = changed.places[0].box
    assert 0 <= x < box[2] and 0 <= y < box[3] and x + width > box[0] and y + height > box[1]
    assert x + width <= size[0] and y + height <= size[1]


@pytest.mark.parametrize(
    ("homography", "percent"),
    [(turned(0, 1, (-370, -280)), range(10)), (turned(0, 1, (3000, 0)), [0])],  # 8.65 % of it
)
def test_too_little_seen_is_not_compared(homography, percent):
    probe = painting(8).crop((370, 280, 520, 400))
    registration = replace(lying(homography), overlap_exemplar=150 * 120 / (520 * 400))
    found = diverge(photograph(painting(8)), photograph(probe), registration, global_distance=0.3)
    assert isinstance(found, NotCompared) and LEAST_COMPARED == 0.1
    assert found.reason in [f"only {share}% of the exemplar is to be seen on the photograph" for share in percent]


def test_plain_pictures_are_no_error():
    grey, white = Image.new("RGB", SIZE, (128,) * 3), Image.new("RGB", SIZE, "white")
    for pair in ((grey, grey), (grey, white), (white, grey)):
        found = compared(*pair, lying(np.eye(3)))
        assert np.isfinite(found.local_distance) and found.places
    for pair in ((painting(1), grey), (grey, painting(1))):  # which nothing would register
        found = diverge(*map(photograph, pair), lying(np.eye(3)), global_distance=0.3)
        assert isinstance(found, NotCompared) or np.isfinite(found.combined_distance)


# -- all places as one


def test_the_combined_distance_is_that_of_the_soft_maximum_of_all_places():
    found = compared(painting(0), rephotograph(painting(0), seed=0))
    logits = np.log(np.expm1(10 * found.map[np.isfinite(found.map)].astype(float)))
    whole = np.log(np.exp(PEAKED * logits).sum()) / PEAKED
    assert found.combined_distance == pytest.approx(np.log1p(np.exp(whole)) / 10, rel=1e-3)


distances = st.floats(0.01, 2)


@given(distances, distances, distances)
def test_some_place_is_at_the_limit_just_where_the_pair_is_at_the_threshold(threshold, local, more):
    combined = local + more
    limit = local_limit(threshold, local, combined)
    assert limit >= 0.0
    assert (limit <= local) == (combined >= threshold) or limit == pytest.approx(local)
    assert local_limit(combined, local, combined) == pytest.approx(local)
    assert local_limit(threshold + 0.1, local, combined) > limit


def test_places_are_those_beyond_the_limit_of_the_threshold_that_is_given():
    made = alter(painting(0), "inserted", area=0.05, donor=painting(50), seed=0)
    probe = rephotograph(made.image, seed=0)
    usual, strict, lax = (compared(painting(0), probe, threshold=value) for value in (None, 0.2, 4.0))
    assert usual.limit == local_limit(shipped_threshold(), usual.local_distance, usual.combined_distance)
    assert strict.limit < usual.limit < usual.local_distance < lax.limit
    assert strict.combined_distance == usual.combined_distance == lax.combined_distance
    assert (strict.map >= strict.limit).sum() > (usual.map >= usual.limit).sum() and len(lax.places) == 1
    for found in (usual, strict):
        assert found.places == _places(found.map, found.limit, SIZE) and found.places[-1].distance >= found.limit
    assert lax.places[0].distance == lax.local_distance


# -- what can be seen


def test_what_is_too_blurred_to_show_anything_is_not_compared_and_detail_is_said():
    sharp = painting(2)
    found = [
        diverge(photograph(sharp), photograph(probe), lying(np.eye(3)), global_distance=0.3)
        for probe in (sharp, sharp.filter(ImageFilter.GaussianBlur(2)), sharp.filter(ImageFilter.GaussianBlur(12)))
    ]
    assert isinstance(found[0], Divergence) and isinstance(found[1], Divergence)
    assert 0.01 < found[0].detail < found[1].detail < COARSEST
    assert isinstance(found[2], TooBlurred) and found[2].reason.startswith("too blurred: differences under ")


def test_a_photograph_of_few_pixels_is_genuine_all_the_same():
    few = painting(4).resize((208, 160), Image.Resampling.LANCZOS)
    found = compared(painting(4), few, lying(np.diag([0.4, 0.4, 1.0])))
    assert found.combined_distance < shipped_threshold()


@pytest.mark.parametrize("tint", [(1.0, 1.0, 1.0), (1.0, 0.85, 0.65)])
@pytest.mark.parametrize("which", ["exemplar", "probe"])
def test_black_and_white_and_sepia_are_no_difference_and_what_is_drawn_otherwise_is(tint, which):
    work = painting(1)
    made = alter(work, "inserted", area=0.06, donor=painting(51), seed=1)

    def toned(image: Image.Image) -> Image.Image:
        grey = np.asarray(image.convert("L"), np.float32)[..., None] * np.array(tint)
        return Image.fromarray(grey.round().astype(np.uint8))

    for shown, beyond in ((work, False), (made.image, True)):
        pair = {"exemplar": work, "probe": rephotograph(shown, seed=1)}
        pair[which] = toned(pair[which])
        found = compared(pair["exemplar"], pair["probe"], both(work, rephotograph(shown, seed=1)))
        assert (found.combined_distance > shipped_threshold()) == beyond


def test_what_is_monochrome():
    colours = np.random.default_rng(0).integers(0, 256, (900, 3))
    grey = np.repeat(colours[:, :1], 3, axis=1)
    assert not is_monochrome(colours) and is_monochrome(grey) and is_monochrome((grey * [1.0, 0.8, 0.6]).astype(int))
    few = np.where(np.arange(900)[:, None] % 10 == 0, colours, grey)  # a red seal on an ink drawing
    assert not is_monochrome(few) and not is_monochrome(grey[:9])


# -- places


def test_places_are_connected_sorted_and_inside_the_exemplar():
    size, local = (1000, 700), np.full((PLACES_ACROSS, PLACES_ACROSS), 0.1, np.float32)
    local[3:5, 4:7] = 0.5
    local[5, 7] = 0.6  # touches the first by a corner
    local[20, 30] = 0.9
    local[32, 0] = 0.45
    local[10] = np.nan
    found = _places(local, 0.4, size)
    assert [place.distance for place in found] == pytest.approx([0.9, 0.6, 0.45])
    across, down = size[0] / PLACES_ACROSS, size[1] / PLACES_ACROSS
    boxes = [(30, 20, 31, 21), (4, 3, 8, 6), (0, 32, 1, 33)]
    for place, (left, top, right, bottom) in zip(found, boxes, strict=True):
        x, y, width, height = place.box
        wanted = (left * across, top * down, right * across, bottom * down)
        assert (x, y, x + width, y + height) == pytest.approx(wanted, abs=1)
        assert x >= 0 and y >= 0 and x + width <= size[0] and y + height <= size[1]


@pytest.mark.parametrize("limit", [0.95, np.inf])
def test_without_a_place_beyond_the_limit_the_worst_is_shown(limit):
    local = np.linspace(0.1, 0.9, PLACES_ACROSS**2, dtype=np.float32).reshape(PLACES_ACROSS, PLACES_ACROSS)
    (place,) = _places(local, limit, SIZE)
    assert place.distance == pytest.approx(0.9)
    assert place.box == (504, 388, 16, 12)


def test_only_the_worst_of_many_places_are_shown():
    local = np.zeros((PLACES_ACROSS, PLACES_ACROSS), np.float32)
    local[::2, ::2] = np.random.default_rng(1).uniform(0.5, 1.5, (17, 17))
    found = _places(local, 0.5, SIZE)
    wanted = np.sort(local.ravel())[::-1][:MOST_PLACES]
    assert [place.distance for place in found] == wanted.tolist()


def test_threads_beside_each_other_compare_the_same():
    probe = rephotograph(painting(1), seed=1)
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: compared(painting(1), probe), range(6)))
    assert all(np.array_equal(one.map, found[0].map, equal_nan=True) for one in found)


@pytest.mark.parametrize(("side", "enough"), [(150, False), (175, True)])
def test_a_work_that_is_small_on_the_photograph_is_not_compared(side, enough):
    probe = painting(3).resize((round(side * 1.14), round(side / 1.14)), Image.Resampling.LANCZOS)
    registration = lying(np.diag([probe.width / SIZE[0], probe.height / SIZE[1], 1.0]))
    found = diverge(photograph(painting(3)), photograph(probe), registration, global_distance=0.3)
    assert isinstance(found, Divergence) is enough
    assert enough or "pixels across" in found.reason
