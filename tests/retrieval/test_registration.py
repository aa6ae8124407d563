"""Registration: known homographies are found again, other works are not registered, and why is said."""

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from retrieval.comparing.registration import (
    NEEDED,
    NotRegistered,
    Registration,
    find_registration,
    match_points,
    project,
)
from retrieval.photographs.descriptor_codes import CODES, LENGTH, encode_descriptors
from retrieval.photographs.features import Detail, Features, extract_features, features_of, features_of_probe
from retrieval.photographs.images import read_photograph
from tests.pictures import SIZE, VIEWS, both, corners_of, painting, turned, warped


def error(found: Registration, truth: np.ndarray, size: tuple[int, int], probe_size: tuple[int, int]) -> float:
    """Return how far the farthest corner falls from where it should, as a share of the probe's diagonal."""
    ours, right = project(found.homography, corners_of(size)), project(truth, corners_of(size))
    return float(np.abs(ours - right).max() / np.hypot(*probe_size))


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_known_homography_is_found_again(view, seed):
    truth, probe_size = VIEWS[view]
    image = painting(seed)
    found = both(image, warped(image, truth, probe_size))
    assert isinstance(found, Registration), found
    assert error(found, truth, SIZE, probe_size) < 0.01
    assert not found.mirrored
    assert found.homography.dtype == np.float64 and found.homography[2, 2] == 1.0
    assert found.matched.shape == (found.inliers, 4) and found.matched.dtype == np.float32
    assert found.inliers >= NEEDED and 0 <= found.residual < 0.01
    at = project(found.homography, found.matched[:, :2].astype(float))
    assert np.median(np.abs(at - found.matched[:, 2:])) < 0.01 * np.hypot(*probe_size)
    assert len(np.unique(found.matched[:, :2].round(), axis=0)) == found.inliers
    assert len(np.unique(found.matched[:, 2:].round(), axis=0)) == found.inliers


def test_overlaps_are_shares_of_each_picture():
    image = painting(3)
    whole = both(image, warped(image, turned(0, 0.5, (100, 100)), (520, 400)))
    assert whole.overlap_exemplar == pytest.approx(1.0, abs=0.01)
    assert whole.overlap_probe == pytest.approx(0.25, abs=0.01)
    half = both(image, image.crop((0, 0, 260, 400)))
    assert half.overlap_exemplar == pytest.approx(0.5, abs=0.02)
    assert half.overlap_probe == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("view", ["as it is", "on a wall", "aslant"])
def test_a_mirrored_photograph_is_registered_and_said_to_be_mirrored(view):
    truth, probe_size = VIEWS[view]
    image = painting(4)
    found = both(image, ImageOps.mirror(warped(image, truth, probe_size)))
    flip = np.array([[-1.0, 0, probe_size[0] - 1], [0, 1, 0], [0, 0, 1]])
    assert isinstance(found, Registration) and found.mirrored
    assert error(found, flip @ truth, SIZE, probe_size) < 0.01
    at = project(found.homography, found.matched[:, :2].astype(float))
    assert np.median(np.abs(at - found.matched[:, 2:])) < 0.01 * np.hypot(*probe_size)


def test_the_mirrored_photograph_is_tried_only_where_it_is_asked_for():
    whole = extract_features(painting(7), SIZE)
    assert find_registration(whole, whole.mirrored(), mirrored=True).mirrored
    assert isinstance(find_registration(whole, whole.mirrored(), mirrored=False), NotRegistered)
    assert not find_registration(whole, whole, mirrored=False).mirrored


def test_mirrored_features_are_those_of_the_mirrored_picture():
    """The reordered descriptors are those that SIFT gives for the mirrored picture."""
    image = painting(5)
    ours = extract_features(image, SIZE).mirrored()
    theirs = extract_features(ImageOps.mirror(image), SIZE)
    apart = np.linalg.norm(ours.points[:, None] - theirs.points[None], axis=2)
    likeness = ours.descriptors.astype(float) @ theirs.descriptors.astype(float).T / 512**2
    best = np.where(apart < 1.5, likeness, 0.0).max(axis=1)
    assert (best > 0).mean() > 0.9
    assert np.median(best[best > 0]) > 0.99
    assert np.array_equal(ours.mirrored().descriptors, extract_features(image, SIZE).descriptors)


def test_other_works_are_not_registered():
    features = [extract_features(painting(seed), SIZE) for seed in range(100, 125)]
    found = [find_registration(one, other) for one in features for other in features if one is not other]
    assert len(found) == 600
    assert all(isinstance(one, NotRegistered) for one in found)
    assert {one.reason.split(",")[-1].split()[-3] for one in found} == {str(NEEDED)} == {"10"}


@pytest.mark.parametrize("colour", [0, 128, 255])
def test_a_plain_sheet_is_not_registered_and_says_why(colour):
    sheet = Image.new("RGB", SIZE, (colour,) * 3)
    for pair in [(sheet, painting(1)), (painting(1), sheet), (sheet, sheet)]:
        found = both(*pair)
        assert isinstance(found, NotRegistered)
        assert found.reason == "only 0 matching points, 10 are needed"


def test_something_alike_in_one_place_only_is_not_registered():
    """The same stamp on two works, or a name plate, does not make them one."""
    stamp = painting(6).resize((100, 77))
    one, other = painting(7), painting(8)
    one.paste(stamp, (20, 30))
    for place in [(380, 300), (20, 30)]:
        pasted = other.copy()
        pasted.paste(stamp, place)
        found = both(one, pasted)
        assert isinstance(found, NotRegistered), (found.inliers, found.overlap_exemplar)
        assert "matching points" in found.reason


def test_points_are_in_full_size_pixels_of_the_upright_photograph(tmp_path):
    """Whatever the reduction and the orientation in the file, the homography holds for the whole upright photograph."""
    upright = painting(9).resize((1560, 1200), Image.Resampling.BICUBIC)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter to stand upright
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.jpg", exif=exif, quality=92)
    photograph = read_photograph(tmp_path / "turned.jpg", short_side=260)
    assert (photograph.width, photograph.height) == (1560, 1200) and photograph.image.width < 800
    for features in (features_of(photograph), features_of_probe(photograph)):
        assert features.size == (1560, 1200)
        assert (features.points.min(axis=0) > -1).all()
        assert (features.points.max(axis=0) > np.array([1400, 1080])).all()
        found = find_registration(extract_features(painting(9), SIZE), features)
        truth = np.array([[3.0, 0, 1.0], [0, 3.0, 1.0], [0, 0, 1]])
        assert isinstance(found, Registration)
        assert error(found, truth, SIZE, (1560, 1200)) < 0.003


def test_a_reduced_picture_has_the_points_of_the_whole():
    image = painting(10, (1040, 800))
    whole = extract_features(image, image.size)
    reduced = extract_features(image.reduce(2), image.size)
    found = find_registration(whole, reduced)
    assert error(found, np.eye(3), image.size, image.size) < 0.001


def test_features_everywhere_are_of_every_part_of_the_picture():
    """Of the strongest contrast, all would be of the text beside a work."""
    noise = np.random.default_rng(3).integers(0, 2, (100, 100), np.uint8) * 255
    image = Image.new("RGB", (800, 400), "white")
    image.paste(painting(4).resize((400, 400)), (0, 0))
    image.paste(Image.fromarray(noise).resize((400, 400), Image.Resampling.NEAREST), (400, 0))
    strongest, everywhere, all_of_them = (
        extract_features(image, image.size, detail=Detail(400, count, everywhere=flag))
        for count, flag in ((300, False), (300, True), (100_000, True))
    )
    share = [(features.points[:, 0] < 400).mean() for features in (strongest, everywhere)]
    assert share[0] < 0.1 and share[1] > 0.35
    assert len(everywhere) == 300 < len(all_of_them)
    rows = {tuple(point) for point in all_of_them.points.tolist()}
    assert all(tuple(point) in rows for point in everywhere.points.tolist())
    plain = extract_features(image, image.size, detail=Detail(400, 100_000))
    assert np.array_equal(plain.descriptors, all_of_them.descriptors)


def test_the_same_photographs_always_register_alike():
    image = painting(11)
    one, other = extract_features(image, SIZE), extract_features(warped(image, *VIEWS["aslant"]), (560, 480))
    first, again = find_registration(one, other), find_registration(one, other)
    assert np.array_equal(first.homography, again.homography) and np.array_equal(first.matched, again.matched)


def test_stored_features_come_back_next_to_as_they_were():
    features = extract_features(painting(12), (4000, 3000))
    stored = features.to_bytes()
    back = Features.from_bytes(stored)
    assert len(stored) == 12 + 26 * len(features) <= 12_000
    assert back.points.dtype == np.float32 and np.abs(back.points - features.points).max() < 4000 / 65_535
    assert back.descriptors.dtype == np.uint8 and back.descriptors.shape == features.descriptors.shape
    lost = np.linalg.norm(back.descriptors.astype(float) - features.descriptors, axis=1) / LENGTH
    apart = np.linalg.norm(np.roll(features.descriptors, 1, axis=0).astype(float) - features.descriptors, axis=1)
    assert np.median(lost) < 0.2 < 0.6 < np.median(apart) / LENGTH
    assert np.allclose(np.linalg.norm(back.descriptors.astype(float), axis=1), LENGTH, rtol=0.02)
    assert back.size == (4000, 3000)
    assert back.to_bytes()[: 12 + 4 * len(back)] == stored[: 12 + 4 * len(features)]  # of the points no more is lost
    empty = extract_features(Image.new("RGB", SIZE), SIZE)
    assert len(empty) == 0 and len(Features.from_bytes(empty.to_bytes())) == 0


def test_a_point_at_any_edge_is_stored():
    corners = np.array([(-0.5, -0.5), (99.5, 49.5), (0, 49)], np.float32)
    back = Features.from_bytes(Features(corners, np.full((3, 128), 45, np.uint8), (100, 50)).to_bytes())
    assert np.allclose(back.points, corners, atol=0.001)


def test_descriptors_are_coded_as_by_the_nearest_of_each_code_book():
    index = faiss.read_index(str(CODES))
    rotation, books = faiss.downcast_VectorTransform(index.chain.at(0)), faiss.downcast_index(index.index).pq
    descriptors = extract_features(painting(12), SIZE).descriptors[:30]
    turned = rotation.apply(descriptors.astype(np.float32)).reshape(30, books.M, books.dsub)
    centroids = faiss.vector_to_array(books.centroids).reshape(books.M, books.ksub, books.dsub)
    nearest = ((turned[:, :, None] - centroids[None]) ** 2).sum(axis=3).argmin(axis=2)
    assert np.array_equal(encode_descriptors(descriptors), nearest)


@pytest.mark.parametrize("damage", [b"", b"\0" * 12, b"\1" * 11])
def test_damaged_features_are_refused(damage):
    with pytest.raises(ValueError, match="damaged"):
        Features.from_bytes(damage)
    stored = extract_features(painting(12), SIZE).to_bytes()
    for cut in (stored[:-1], stored + b"\0"):
        with pytest.raises(ValueError, match="damaged"):
            Features.from_bytes(cut)


def test_matches_are_those_of_a_plain_loop():
    random = np.random.default_rng(13)
    one = random.integers(0, 120, (40, 128)).astype(np.uint8)
    noise = random.integers(-9, 10, (40, 128))
    other = np.clip(one[random.permutation(40)[:30]].astype(int) + noise[:30], 0, 255).astype(np.uint8)

    def unit_distance(a, b):
        return np.sqrt(2 * 512.0**2 - 2 * float(a.astype(float) @ b.astype(float)))

    # descriptors of one length, as RootSIFT's are
    one = np.round(one * (512 / np.linalg.norm(one, axis=1, keepdims=True))).astype(np.uint8)
    other = np.round(other * (512 / np.linalg.norm(other, axis=1, keepdims=True))).astype(np.uint8)
    wanted = []
    for i, a in enumerate(one):
        distances = [unit_distance(a, b) for b in other]
        j = int(np.argmin(distances))
        back = int(np.argmin([unit_distance(c, other[j]) for c in one]))
        if back == i and distances[j] < 0.8 * sorted(distances)[1]:
            wanted.append((i, j))
    assert len(wanted) > 20
    assert [tuple(pair) for pair in match_points(one, other).tolist()] == wanted


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 40),
    st.sampled_from(["one place", "a line", "a grid", "anywhere", "far outside"]),
)
def test_no_arrangement_of_points_is_an_error(seed, count, arrangement):
    random = np.random.default_rng(seed)
    descriptors = random.integers(0, 90, (count, 128)).astype(np.uint8)
    at = {
        "one place": np.full((count, 2), 7.0),
        "a line": np.repeat(np.arange(count, dtype=float)[:, None], 2, axis=1),
        "a grid": np.stack([np.arange(count) % 5 * 10.0, np.arange(count) // 5 * 10.0], axis=1),
        "anywhere": random.uniform(0, 300, (count, 2)),
        "far outside": random.uniform(-1e6, 1e6, (count, 2)),
    }[arrangement].astype(np.float32)
    elsewhere = random.uniform(0, 300, (count, 2)).astype(np.float32)
    for other in (at, elsewhere, at[:, ::-1].copy()):
        found = find_registration(Features(at, descriptors, (300, 300)), Features(other, descriptors, (300, 300)))
        if isinstance(found, Registration):
            assert np.isfinite(found.homography).all()
            assert 0 < found.overlap_exemplar <= 1 and 0 < found.overlap_probe <= 1
