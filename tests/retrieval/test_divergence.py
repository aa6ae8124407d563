"""The comparison place by place: genuine photographs lie within the threshold, altered ones beyond it, and where."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from indexer.simulation.alterations import alter
from indexer.simulation.rephotograph import rephotograph
from retrieval.comparing.divergence import (
    BORDER,
    BORDER_WEIGHT,
    LEAST_COMPARED,
    MOST_PLACES,
    PLACES_ACROSS,
    USUAL_MEDIAN,
    Divergence,
    NotCompared,
    _places,
    _weights,
    combined_distance,
    diverge,
    local_limit,
)
from retrieval.comparing.overlays import PLATE
from retrieval.comparing.registration import Registration
from retrieval.encoder import encoder as encoder_module
from retrieval.encoder.encoder import DEFAULT_FOLDER, Encoder, load_encoder, read_description
from retrieval.statistics.calibration import Threshold
from tests.conftest import tiny_encoder
from tests.pictures import DARK, LIGHT, PLACES, SIZE, both, painting, photograph, turned, with_plate


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder(parallel=2)


def lying(homography: np.ndarray) -> Registration:
    return Registration(homography, 20, np.zeros((20, 4), np.float32), 1.0, 1.0, 0.001, mirrored=False)


def compared(
    exemplar: Image.Image,
    probe: Image.Image,
    encoder: Encoder,
    registration: Registration | None = None,
    *,
    global_distance: float = 0.3,
    threshold: float | None = None,
) -> Divergence:
    registration = registration or both(exemplar, probe)
    found = diverge(
        photograph(exemplar),
        photograph(probe),
        registration,
        encoder,
        global_distance=global_distance,
        threshold=threshold,
    )
    assert isinstance(found, Divergence), found
    weighted = encoder.global_weight * global_distance
    assert found.global_distance == global_distance
    assert found.combined_distance == np.hypot(weighted, max(found.local_distance, 0.0))
    limit = encoder.combined_threshold.value if threshold is None else threshold
    assert np.hypot(weighted, found.limit) == pytest.approx(max(limit, weighted))
    beyond = [place.distance >= found.limit for place in found.places]
    assert all(beyond) or beyond == [False]
    return found


@pytest.mark.parametrize("seed", range(3))
def test_a_genuine_photograph_lies_within_the_threshold(encoder, seed):
    found = compared(painting(seed), rephotograph(painting(seed), seed=seed), encoder)
    assert found.combined_distance < 0.5 * encoder.combined_threshold.value
    assert found.local_distance < 0.5 * found.limit
    assert found.global_distance == 0.3 and found.hidden == 0 and found.overlays == ()
    assert (
        len(found.places) == 1 and found.places[0].distance == found.local_distance
    )  # the worst is shown all the same
    assert 0.85 < found.compared <= 1.0


@pytest.mark.parametrize("kind", ["inserted", "removed"])
@pytest.mark.parametrize("seed", range(2))
def test_an_altered_copy_lies_beyond_the_threshold_where_it_was_altered(encoder, seed, kind):
    made = alter(painting(seed), kind, area=0.05, donor=painting(seed + 50), seed=seed)
    found = compared(painting(seed), rephotograph(made.image, seed=seed), encoder)
    assert found.combined_distance > 1.2 * encoder.combined_threshold.value
    assert found.local_distance > 1.2 * found.limit
    x, y, width, height = found.places[0].box
    assert made.mask[y : y + height, x : x + width].mean() > 0.3
    assert made.mask[y : y + height, x : x + width].sum() > 0.5 * made.mask.sum()
    rows, columns = np.unravel_index(np.nanargmax(found.map), found.map.shape)
    at = ((rows + 0.5) / PLACES_ACROSS * SIZE[1], (columns + 0.5) / PLACES_ACROSS * SIZE[0])
    near = made.mask[round(at[0]) - 15 : round(at[0]) + 16, round(at[1]) - 15 : round(at[1]) + 16]
    assert near.any()


def test_an_alteration_is_found_on_a_mirrored_photograph_too(encoder):
    made = alter(painting(4), "removed", area=0.05, donor=painting(54), seed=4)
    mirror = Image.Transpose.FLIP_LEFT_RIGHT
    found = [
        compared(painting(4), rephotograph(image, seed=4).transpose(mirror), encoder)
        for image in (painting(4), made.image)
    ]
    assert found[0].combined_distance < 0.5 * encoder.combined_threshold.value
    assert found[1].combined_distance > encoder.combined_threshold.value
    x, y, width, height = found[1].places[0].box
    assert made.mask[y : y + height, x : x + width].mean() > 0.3


@pytest.mark.parametrize(("place", "colours"), [("below", LIGHT), ("in the middle", DARK)])
def test_a_plate_is_left_out(encoder, place, colours):
    covered, truth = with_plate(painting(2), PLACES[place], colours)
    found = compared(painting(2), rephotograph(covered, seed=2), encoder)
    assert [overlay.kind for overlay in found.overlays] == [PLATE]
    assert found.combined_distance < 0.5 * encoder.combined_threshold.value
    assert 0.5 * truth.mean() < found.hidden < 3 * truth.mean()
    middle = (PLACES[place][1] * PLACES_ACROSS // SIZE[1], PLACES[place][0] * PLACES_ACROSS // SIZE[0])
    assert np.isnan(found.map[middle])


def test_what_is_altered_beside_a_plate_is_found_all_the_same(encoder):
    made = alter(painting(3), "removed", area=0.05, donor=painting(53), seed=3)
    covered, plate = with_plate(made.image, PLACES["in a corner"])
    assert not (plate & made.mask).any()
    found = compared(painting(3), rephotograph(covered, seed=3), encoder)
    x, y, width, height = found.places[0].box
    assert found.overlays and found.local_distance > found.limit
    assert found.combined_distance > encoder.combined_threshold.value
    assert made.mask[y : y + height, x : x + width].mean() > 0.3


def test_the_map_covers_the_exemplar_and_is_empty_where_the_probe_shows_nothing(encoder):
    half = painting(5).crop((0, 0, 260, 400))
    found = compared(painting(5), half, encoder, lying(np.eye(3)))
    assert found.map.shape == (PLACES_ACROSS, PLACES_ACROSS) and found.map.dtype == np.float32
    assert np.isnan(found.map[:, PLACES_ACROSS // 2 :]).all()
    assert np.isfinite(found.map[2:-2, 2 : PLACES_ACROSS // 2 - 2]).all()
    assert abs(found.compared - 0.5) < 0.01
    assert found.local_distance == np.nanmax(found.map) < 0.1  # the very same pixels
    assert found.homography.shape == (3, 3) and np.allclose(found.homography, np.eye(3), atol=0.05)


def test_another_picture_in_its_place_differs_everywhere(encoder):
    found = compared(painting(5), painting(6), encoder, lying(np.eye(3)))
    assert found.combined_distance > 1.2 * encoder.combined_threshold.value
    assert np.nanmean(found.map > found.limit) > 0.5 * found.compared


def test_the_very_same_photograph_does_not_differ(encoder):
    found = compared(painting(6), painting(6), encoder, lying(np.eye(3)))
    assert found.local_distance < 0.02


@pytest.mark.parametrize("size", [(170, 170), (130, 1040)])
def test_small_and_drawn_out_works_are_compared(encoder, size):
    image = painting(7, size)
    other = image.copy()
    box = (size[0] // 3, size[1] // 3, size[0] // 2, 2 * size[1] // 3)
    other.paste((250, 20, 200), box)
    same, changed = (compared(image, probe, encoder, lying(np.eye(3))) for probe in (image, other))
    assert same.local_distance < 0.15  # enlarged in two ways
    assert changed.local_distance > changed.limit
    assert changed.combined_distance > encoder.combined_threshold.value
    x, y, width, height = changed.places[0].box
    assert 0 <= x < box[2] and 0 <= y < box[3] and x + width > box[0] and y + height > box[1]
    assert x + width <= size[0] and y + height <= size[1]


@pytest.mark.parametrize(
    ("homography", "percent"),
    [(turned(0, 1, (-370, -280)), range(10)), (turned(0, 1, (3000, 0)), [0])],  # 8.65 % of it
)
def test_too_little_seen_is_not_compared(encoder, homography, percent):
    probe = painting(8).crop((370, 280, 520, 400))
    registration = replace(lying(homography), overlap_exemplar=150 * 120 / (520 * 400))
    found = diverge(photograph(painting(8)), photograph(probe), registration, encoder, global_distance=0.3)
    assert isinstance(found, NotCompared) and LEAST_COMPARED == 0.1
    assert found.reason in [f"only {share}% of the exemplar is to be seen on the photograph" for share in percent]


def test_an_encoder_without_stages_compares_nothing(encoder):
    for lacking in (
        tiny_encoder(),
        replace(encoder, stages=None),
        replace(encoder, combined_threshold=None),
    ):
        pair = photograph(painting(9)), photograph(painting(9))
        for threshold in (None, 0.4):
            found = diverge(*pair, lying(np.eye(3)), lacking, global_distance=0.3, threshold=threshold)
            assert found == NotCompared("this encoder has no local distance")


def test_plain_pictures_are_no_error(encoder):
    grey, white = Image.new("RGB", SIZE, (128,) * 3), Image.new("RGB", SIZE, "white")
    for pair in ((grey, grey), (grey, white), (white, grey), (painting(1), grey), (grey, painting(1))):
        found = compared(*pair, encoder, lying(np.eye(3)))
        assert np.isfinite(found.local_distance) and found.places


# -- both distances as one

distances = st.floats(0, 2)
weights = st.floats(0, 1)


@given(distances, distances, weights)
def test_the_combined_distance_is_the_length_of_both(whole, local, weight):
    found = combined_distance(whole, local, weight)
    assert found == pytest.approx(((weight * whole) ** 2 + local**2) ** 0.5)
    assert max(local, weight * whole) <= found <= local + weight * whole + 1e-12
    assert combined_distance(whole, local, 0.0) == local
    assert combined_distance(whole, -local, weight) == combined_distance(whole, 0.0, weight) == weight * whole


@given(distances, distances, distances, weights)
def test_the_combined_distance_rises_with_either(one, other, fixed, weight):
    near, far = sorted((one, other))
    assert combined_distance(near, fixed, weight) <= combined_distance(far, fixed, weight)
    assert combined_distance(fixed, near, weight) <= combined_distance(fixed, far, weight)


@given(distances, st.floats(0.01, 2), weights)
def test_at_the_limit_of_the_local_distance_the_combined_one_reaches_its_threshold(whole, threshold, weight):
    limit = local_limit(threshold, weight * whole)
    assert combined_distance(whole, limit, weight) == pytest.approx(max(threshold, weight * whole))
    assert combined_distance(whole, limit + 1e-3, weight) > threshold
    if weight * whole >= threshold:
        assert limit == 0.0
    elif limit > 1e-3:
        assert combined_distance(whole, limit - 1e-3, weight) < threshold


def test_a_larger_global_distance_leaves_less_to_the_local_one(encoder):
    made = alter(painting(0), "inserted", area=0.05, donor=painting(50), seed=0)
    probe, threshold = rephotograph(made.image, seed=0), encoder.combined_threshold.value
    near, far, beyond = (compared(painting(0), probe, encoder, global_distance=whole) for whole in (0.2, 1.2, 2.0))
    assert np.array_equal(near.map, far.map, equal_nan=True) and near.local_distance == beyond.local_distance
    assert threshold > near.limit > far.limit > beyond.limit == 0.0
    assert threshold < near.combined_distance < far.combined_distance < beyond.combined_distance


def test_places_are_those_beyond_the_limit_of_the_threshold_that_is_given(encoder):
    made = alter(painting(0), "inserted", area=0.05, donor=painting(50), seed=0)
    probe = rephotograph(made.image, seed=0)
    usual, strict, lax = (compared(painting(0), probe, encoder, threshold=value) for value in (None, 0.13, 2.0))
    assert usual.limit == local_limit(encoder.combined_threshold.value, encoder.global_weight * 0.3)
    assert strict.limit < usual.limit < usual.local_distance < lax.limit
    assert strict.combined_distance == usual.combined_distance == lax.combined_distance
    assert len(strict.places) > len(usual.places) and len(lax.places) == 1
    for found in (usual, strict):
        assert found.places == _places(found.map, found.limit, SIZE) and found.places[-1].distance >= found.limit
    assert lax.places[0].distance == lax.local_distance


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


def test_the_border_counts_less_all_around():
    weights = _weights()
    assert (weights[BORDER:-BORDER, BORDER:-BORDER] == 1).all()
    assert (weights == BORDER_WEIGHT).sum() == PLACES_ACROSS**2 - (PLACES_ACROSS - 2 * BORDER) ** 2


def test_without_a_threshold_nothing_is_compared_place_by_place(encoder):
    photos = photograph(painting(1)), photograph(rephotograph(painting(1), seed=1))
    for threshold, reason in ((None, "no local distance"), (Threshold(None, 0.05, 4), "too few objects")):
        lacking = replace(encoder, combined_threshold=threshold)
        found = diverge(*photos, lying(np.eye(3)), lacking, global_distance=0.3)
        assert isinstance(found, NotCompared) and reason in found.reason
    found = diverge(*photos, lying(np.eye(3)), lacking, global_distance=0.3, threshold=0.4)  # another's, calibrated
    assert isinstance(found, Divergence)


def test_a_picture_painted_all_over_again_is_measured_from_a_usual_median(encoder):
    probe = rephotograph(painting(1), seed=1)
    usual = compared(painting(1), probe, encoder)
    strict = compared(painting(1), probe, replace(encoder, most_median=0.0))
    apart = ((strict.map - usual.map) / _weights())[np.isfinite(usual.map)]
    assert apart == pytest.approx(usual.median - USUAL_MEDIAN, abs=1e-6)
    assert 0.0 < usual.median == strict.median < USUAL_MEDIAN


# -- stages


def pictures(encoder: Encoder, count: int = 3) -> np.ndarray:
    return np.stack([encoder.preprocessing(painting(seed)) for seed in range(count)])


def assert_near(found: list[np.ndarray], wanted: list[np.ndarray], most: float) -> None:
    assert len(found) == len(wanted) == 3
    for one, other in zip(found, wanted, strict=True):
        assert one.shape == other.shape and one.dtype == other.dtype == np.float32
        assert np.linalg.norm(one - other) <= most * np.linalg.norm(other)


def test_stages_are_what_the_network_sees_at_three_scales(encoder):
    given = pictures(encoder)
    stages = encoder.stages(given)
    assert [stage.shape for stage in stages] == [(3, 24, 65, 65), (3, 48, 33, 33), (3, 88, 17, 17)]
    for position in (0, 2):
        alone = encoder.stages(given[position : position + 1])
        assert all(np.array_equal(one[0], stage[position]) for one, stage in zip(alone, stages, strict=True))
    changed = given.copy()
    changed[1, :, 100:160, 100:160] = 0
    for before, after in zip(stages, encoder.stages(changed), strict=True):
        apart = np.abs(before - after).max(axis=1)
        assert not apart[[0, 2]].any() and apart[1].max() > 0.1


def test_the_number_of_streams_changes_nothing(encoder):
    probe = rephotograph(painting(1), seed=1)
    one, other = (compared(painting(1), probe, load_encoder(parallel=count)) for count in (1, 3))
    assert np.array_equal(one.map, other.map, equal_nan=True) and one.places == other.places


def test_one_encoder_is_asked_from_several_threads(encoder):
    given = [pictures(encoder, 1) + shift for shift in np.linspace(-0.3, 0.3, 8, dtype=np.float32)]
    stages = [encoder.stages(one) for one in given]
    vectors = [encoder.encode_prepared(one) for one in given]
    with ThreadPoolExecutor(8) as pool:
        again, encoded = pool.map(encoder.stages, given), pool.map(encoder.encode_prepared, given)
        for one, other in zip(stages, again, strict=True):
            assert all(np.array_equal(*pair) for pair in zip(one, other, strict=True))
        assert all(np.array_equal(*pair) for pair in zip(vectors, encoded, strict=True))


def test_stages_of_torch_are_those_of_openvino(encoder):
    pytest.importorskip("timm")
    engine = encoder_module._torch(DEFAULT_FOLDER, read_description(DEFAULT_FOLDER), "fp32", "cpu")
    assert_near(engine.stages(pictures(encoder)), encoder.stages(pictures(encoder)), 1e-3)


def test_bf16_differs_a_little(encoder):
    quick = load_encoder(precision="bf16")
    assert_near(quick.stages(pictures(encoder)), encoder.stages(pictures(encoder)), 0.08)
    probe = rephotograph(painting(2), seed=2)
    one, other = (compared(painting(2), probe, each).local_distance for each in (encoder, quick))
    assert one == pytest.approx(other, abs=0.05)


def test_a_description_without_a_threshold_or_a_weight_is_an_encoder_without_one(tmp_path, monkeypatch):
    described = read_description(DEFAULT_FOLDER)
    monkeypatch.setattr(encoder_module, "read_description", lambda folder: described)
    whole = load_encoder()
    assert whole.stages is not None and whole.combined_threshold == Threshold(**described.pop("combined_threshold"))
    assert 0.0 < whole.global_weight == described.pop("global_weight") < 1.0
    lacking = load_encoder()
    assert lacking.stages is not None and lacking.combined_threshold is None and lacking.global_weight == 0.0
    assert lacking.fingerprint == whole.fingerprint


@pytest.mark.parametrize(("side", "enough"), [(150, False), (175, True)])
def test_a_work_that_is_small_on_the_photograph_is_not_compared(encoder, side, enough):
    probe = painting(3).resize((round(side * 1.14), round(side / 1.14)), Image.Resampling.LANCZOS)
    registration = lying(np.diag([probe.width / SIZE[0], probe.height / SIZE[1], 1.0]))
    found = diverge(photograph(painting(3)), photograph(probe), registration, encoder, global_distance=0.3)
    assert isinstance(found, Divergence) is enough
    assert enough or "pixels across" in found.reason
