"""What the distance place by place learns from: a genuine probe and a copy that lie on the exemplar, and where."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch", reason="needs the extra train")

from indexer.simulation.rephotograph import DIFFICULT, Conditions, SimulatedPhotograph
from indexer.training import local_triples as aligned_module
from indexer.training.local_triples import (
    CONDITIONS,
    SEEN,
    SLIPS,
    TOUCHED,
    Triple,
    laid_over,
    make_triple,
    places,
    slip,
    triple_makers,
)
from indexer.training.pool import WORKING_SIDE, read_small
from retrieval.comparing.divergence import PLACES_ACROSS
from retrieval.encoder.preprocessing import Preprocessing
from retrieval.errors import ArtifactError
from tests.pictures import painting

SIDE = 132  # four pixels to a place
SHAPE = Preprocessing(SIDE, SIDE, (0.5,) * 3, (0.5,) * 3)
GRID = (PLACES_ACROSS, PLACES_ACROSS)
SIZE = (180, 140)
CALM = Conditions(0, 0, (0, 0), (1, 1), (1, 1), (1, 1), 0, 0, 0, 0, (0, 0), (95, 95))
WALL = (140, 140, 140)


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    for number in range(5):
        painting(number, SIZE).save(tmp_path / f"{number}.png")
    return [tmp_path / f"{number}.png" for number in range(5)]


@pytest.fixture
def exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Registration slips by nothing."""
    monkeypatch.setattr(aligned_module, "slip", lambda exemplar, random: np.eye(3))


def donor() -> Image.Image:
    return painting(90, SIZE)


def triple(path: Path, kind: str = "inserted", seed: int = 0) -> Triple:
    return make_triple(path, kind, donor, SHAPE, seed=seed)


def apart(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the mean difference of each place, in grey levels."""
    difference = np.abs(one.astype(np.float32) - other.astype(np.float32)).mean(axis=2)
    return cv2.resize(difference, GRID, interpolation=cv2.INTER_AREA)


def shift(one: np.ndarray, other: np.ndarray) -> float:
    """Return by how many pixels a picture lies beside another, by its gradients."""
    grey = [cv2.GaussianBlur(image.astype(np.float32).mean(axis=2), (0, 0), 2) for image in (one, other)]
    slopes = np.stack([slope.ravel() for slope in np.gradient(grey[0])], axis=1)
    return float(np.hypot(*np.linalg.lstsq(slopes, (grey[0] - grey[1]).ravel(), rcond=None)[0]))


# -- places


@pytest.mark.parametrize("share", [TOUCHED, 0.5, SEEN])
def test_a_place_counts_from_more_than_a_share_of_it(share):
    mask = np.zeros((330, 330), bool)  # ten pixels to a place
    least = int(share * 100)
    for place, count in enumerate((0, least - 1, least, least + 1, 100)):
        filled = np.zeros(100, bool)
        filled[:count] = True
        mask[:10, 10 * place : 10 * place + 10] = filled.reshape(10, 10)
    found = places(mask, share)
    assert found.shape == GRID and found.dtype == bool
    assert found[0, :5].tolist() == [False, False, False, True, True] and found.sum() == 2


def test_masks_of_any_proportions_cover_the_same_places():
    for size in [(100, 300), (33, 33), (264, 132)]:
        mask = np.zeros(size, bool)
        mask[: size[0] // 3] = True
        found = places(mask, 0.5)
        assert found[:11].all() and not found[12:].any()


# -- slips


def test_a_registration_slips_a_little_at_the_corners():
    blank = np.zeros((200, 400, 3), np.uint8)
    corners = np.array([(0, 0, 1), (400, 0, 1), (400, 200, 1), (0, 200, 1)], float)
    moved = []
    for seed in range(300):
        homography = slip(blank, np.random.default_rng(seed))
        assert np.array_equal(homography, slip(blank, np.random.default_rng(seed)))
        there = corners @ homography.T
        moved.append((there / there[:, 2:] - corners)[:, :2] / (400, 200))
    spread = np.sqrt((np.array(SLIPS) ** 2).mean())  # of the three, each as often
    assert np.std(moved, axis=(0, 1)) == pytest.approx([spread, spread], rel=0.15)
    assert np.abs(np.mean(moved, axis=(0, 1))).max() < 0.1 * spread


def test_the_conditions_are_difficult_but_the_work_is_large():
    assert CONDITIONS.room < DIFFICULT.room and CONDITIONS.glare == DIFFICULT.glare > 0


# -- a photograph over the exemplar


@pytest.mark.parametrize("size", [(185, 140), (185, 60), (60, 185), (70, 70), (500, 400)])
def test_a_calm_photograph_lies_on_the_exemplar_to_the_pixel(exactly, monkeypatch, size):
    monkeypatch.setattr(aligned_module, "CONDITIONS", CALM)
    image = painting(1, size)
    exemplar = np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BICUBIC))
    found, shown = laid_over(image, image, exemplar, np.random.default_rng(0))
    assert found.shape == exemplar.shape and found.dtype == np.uint8 and shown.all()
    assert shift(exemplar, found) < 0.08
    assert apart(exemplar, found).mean() < 0.45 * np.abs(exemplar - exemplar.mean()).mean()


def test_a_difficult_photograph_lies_on_the_exemplar_too(exactly):
    image = painting(2, SIZE)
    exemplar = SHAPE.fitted(image)
    other = apart(exemplar, SHAPE.fitted(painting(3, SIZE))).mean()
    shifts, differences, shares = [], [], []
    for seed in range(12):
        found, shown = laid_over(image, image, exemplar, np.random.default_rng(seed))
        shifts.append(shift(exemplar, found))
        differences.append(apart(exemplar, found)[shown].mean())
        shares.append(shown.mean())
    assert max(shifts) < 0.2 and max(differences) < 0.5 * other and np.median(differences) < 0.35 * other
    assert np.median(shares) > 0.7 and min(shares) < 1


def test_it_lies_beside_the_exemplar_by_what_a_registration_slips(monkeypatch):
    monkeypatch.setattr(aligned_module, "CONDITIONS", CALM)
    image = painting(1, SIZE)
    exemplar = SHAPE.fitted(image)
    for off in (0.0, 0.5, 1.0):
        monkeypatch.setattr(aligned_module, "slip", lambda *_, x=off: np.array([[1, 0, x], [0, 1, 0], [0, 0, 1.0]]))
        found, _ = laid_over(image, image, exemplar, np.random.default_rng(0))
        assert shift(exemplar, found) == pytest.approx(off, abs=0.15)


def test_what_is_hidden_is_not_shown_and_not_different(exactly, monkeypatch):
    image, hidden = painting(1, SIZE), np.zeros((SIZE[1], SIZE[0]), bool)
    hidden[:, : SIZE[0] // 2] = True
    covered = np.asarray(image).copy()
    covered[hidden] = (250, 0, 0)
    taken = SimulatedPhotograph(Image.fromarray(covered), np.eye(3), hidden)
    monkeypatch.setattr(aligned_module, "photograph_with_geometry", lambda *_: taken)
    exemplar = SHAPE.fitted(image)
    found, shown = laid_over(image, image, exemplar, np.random.default_rng(0))
    half = SIDE // 2
    assert np.array_equal(found[:, :half], exemplar[:, :half])
    assert not np.array_equal(found[:, half + 2 :], exemplar[:, half + 2 :])
    assert not shown[:, : PLACES_ACROSS // 2].any() and shown[:, PLACES_ACROSS // 2 + 1 :].all()
    assert apart(exemplar, found)[shown].mean() < 3.5  # red is no part of the colours that are fitted


def test_where_all_is_hidden_nothing_is_shown(monkeypatch):
    image = painting(1, SIZE)
    taken = SimulatedPhotograph(Image.new("RGB", SIZE, WALL), np.eye(3), np.ones((SIZE[1], SIZE[0]), bool))
    monkeypatch.setattr(aligned_module, "photograph_with_geometry", lambda *_: taken)
    exemplar = SHAPE.fitted(image)
    found, shown = laid_over(image, image, exemplar, np.random.default_rng(0))
    assert np.array_equal(found, exemplar) and not shown.any()


# -- triples


def test_a_triple_repeats_and_another_seed_gives_another(paths):
    once, again, other = (triple(paths[0], seed=seed) for seed in (3, 3, 4))
    for name in ("exemplar", "genuine", "copy"):
        assert getattr(once, name).shape == (SIDE, SIDE, 3) and getattr(once, name).dtype == np.uint8
        assert np.array_equal(getattr(once, name), getattr(again, name))
    for mask, same in zip((*once.shown, once.altered), (*again.shown, again.altered), strict=True):
        assert mask.shape == GRID and mask.dtype == bool and np.array_equal(mask, same)
    assert np.array_equal(once.exemplar, other.exemplar)
    assert not np.array_equal(once.genuine, other.genuine) and not np.array_equal(once.copy, other.copy)
    assert not np.array_equal(once.altered, other.altered)


def test_the_exemplar_is_the_photo_as_the_network_takes_it(paths):
    small = read_small(paths[1], round(WORKING_SIDE * SIDE))
    assert np.array_equal(triple(paths[1]).exemplar, SHAPE.fitted(small))


def test_the_probe_and_the_copy_are_two_photographs(paths):
    made = [triple(paths[0], "signature", seed=seed) for seed in range(4)]
    for one in made:
        elsewhere = ~one.altered & one.shown[0] & one.shown[1]
        assert apart(one.genuine, one.copy)[elsewhere].mean() > 1
    assert any(not np.array_equal(*one.shown) for one in made)


def test_it_says_what_either_photograph_shows(paths, exactly, monkeypatch):
    size = read_small(paths[0], round(WORKING_SIDE * SIDE)).size
    hidden = np.zeros((2, size[1], size[0]), bool)
    hidden[0, : size[1] // 2] = True
    hidden[1, :, : size[0] // 2] = True
    covered = iter(hidden)

    def taken(work: Image.Image, *_: object) -> SimulatedPhotograph:
        return SimulatedPhotograph(work, np.eye(3), next(covered))

    monkeypatch.setattr(aligned_module, "photograph_with_geometry", taken)
    genuine, copy = triple(paths[0]).shown
    rows, columns = np.mgrid[:PLACES_ACROSS, :PLACES_ACROSS] > PLACES_ACROSS // 2
    assert np.array_equal(genuine, rows) and np.array_equal(copy, columns)


@pytest.mark.parametrize("kind", ["inserted", "removed"])
def test_a_copy_differs_where_it_was_altered(paths, exactly, monkeypatch, kind):
    monkeypatch.setattr(aligned_module, "CONDITIONS", CALM)
    for seed, path in enumerate(paths):
        found = triple(path, kind, seed=seed)
        assert not found.all_over and 0 < found.altered.sum() < 0.35 * PLACES_ACROSS**2
        near = cv2.dilate(found.altered.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        copied, genuine = apart(found.exemplar, found.copy), apart(found.exemplar, found.genuine)
        assert copied[found.altered].mean() > 2.5 * copied[~near].mean()
        assert copied[found.altered].mean() > 2.5 * genuine[found.altered].mean()


@pytest.mark.parametrize(("kind", "all_over"), [("oil", True), ("redrawn", True), ("face", True), ("moved", False)])
def test_a_copy_of_the_whole_is_altered_all_over(paths, kind, all_over):
    found = triple(paths[2], kind)  # nothing says where a face is: it is redrawn
    assert found.all_over is all_over
    assert all_over or found.altered.any()


def test_an_empty_photo_makes_a_triple_too(tmp_path):
    Image.new("RGB", SIZE, "black").save(tmp_path / "black.png")
    for seed in range(4):
        found = triple(tmp_path / "black.png", "removed", seed=seed)
        assert found.altered.any() and found.shown[1].any() and not found.exemplar.any()


# -- an epoch


def made_by(monkeypatch, paths, *, seed: int, epoch: int) -> list[tuple[Path, str, int, bytes]]:
    """Return what an epoch asks for: each photo, its kind, its seed, and the pixels of its donor."""
    asked = []

    def noted(path, kind, donor, preprocessing, *, seed):
        assert preprocessing == SHAPE
        asked.append((path, kind, seed, donor().tobytes()))

    monkeypatch.setattr(aligned_module, "make_triple", noted)
    for make in triple_makers(paths, ("oil", "removed", "moved"), SHAPE, seed=seed, epoch=epoch):
        make()
    return asked


def test_an_epoch_takes_every_photo_once_in_an_order_of_its_own(paths, monkeypatch):
    first, again, later, other = (
        made_by(monkeypatch, paths, seed=seed, epoch=epoch) for seed, epoch in ((1, 0), (1, 0), (1, 1), (2, 0))
    )
    assert first == again
    orders = [[path for path, *_ in asked] for asked in (first, later, other)]
    assert all(sorted(order) == paths for order in orders)
    assert orders[0] != orders[1] and orders[0] != orders[2]
    assert len({seed for asked in (first, later, other) for _, _, seed, _ in asked}) == 15
    kinds = {kind for epoch in range(4) for _, kind, *_ in made_by(monkeypatch, paths, seed=1, epoch=epoch)}
    assert kinds == {"oil", "removed", "moved"}


def test_the_donor_is_another_photo(paths, monkeypatch):
    own = {path: read_small(path, round(WORKING_SIDE * SIDE)).tobytes() for path in paths}
    for epoch in range(4):
        for path, _, _, given in made_by(monkeypatch, paths, seed=0, epoch=epoch):
            assert given in own.values() and given != own[path]


def test_a_maker_makes_its_triple(paths):
    makers = triple_makers(paths, ("oil",), SHAPE, seed=1, epoch=0)
    assert len(makers) == len(paths)
    found, again = makers[0](), triple_makers(paths, ("oil",), SHAPE, seed=1, epoch=0)[0]()
    assert found.all_over and np.array_equal(found.copy, again.copy)


def test_a_photo_is_read_when_it_is_its_turn_and_named_if_it_cannot_be(paths):
    makers = triple_makers(paths, ("oil",), SHAPE, seed=1, epoch=0)
    paths[3].unlink()
    with pytest.raises(ArtifactError, match=r"3\.png: cannot be opened"):
        for make in makers:
            make()
