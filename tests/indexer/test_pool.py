"""The pictures a training learns from: planned by the seed, made once, and an interrupted run goes on with the same."""

import errno
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="needs the extra train")

from indexer.inputs.labels import LabelledPhoto  # noqa: E402
from indexer.simulation.copies import make_copy  # noqa: E402
from indexer.simulation.rephotograph import DIFFICULT, draw_shot, photograph  # noqa: E402
from indexer.training import pool as pool_module  # noqa: E402
from indexer.training.pool import (  # noqa: E402
    PLAIN,
    REPHOTOGRAPH,
    WORKING_SIDE,
    PictureRow,
    Pool,
    Recipe,
    fill_pool,
    frozen_part,
    kept_shape,
    make_picture,
    make_pictures,
    plan_rows,
    read_small,
    reserve,
)
from retrieval.encoder.network import EmbeddingNetwork  # noqa: E402
from retrieval.encoder.preprocessing import Preprocessing  # noqa: E402
from retrieval.errors import ArtifactError  # noqa: E402
from tests.pictures import painting  # noqa: E402

SHAPE = Preprocessing(64, 64, (0.5,) * 3, (0.5,) * 3)
SMALL = (130, 100)
KINDS = ("removed", "redrawn", "oil")
RECIPE = Recipe(views=2, copies=3, kinds=KINDS, seed=5)
NUMBERS = {"a": 4, "b": 7, "c": 1}
LABELS = [("a", True), ("a", True), ("a", False), ("b", True), ("b", False), ("c", True)]


@pytest.fixture(scope="module")
def network() -> EmbeddingNetwork:
    torch.manual_seed(0)
    return EmbeddingNetwork("tf_efficientnet_lite0", projection=16).eval()


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[LabelledPhoto]:
    """Two genuine photos and a forgery of a, one and one of b, one genuine photo of c."""
    folder = tmp_path_factory.mktemp("photos")
    for number in range(len(LABELS)):
        painting(number, SMALL).save(folder / f"{number}.png")
    return [LabelledPhoto(folder / f"{number}.png", *label) for number, label in enumerate(LABELS)]


@pytest.fixture(scope="module")
def whole(photos, network, tmp_path_factory) -> dict[int, Pool]:
    """Pools that were made without an interruption, by the number of frozen parts."""
    return {frozen: fill(photos, network, tmp_path_factory.mktemp("whole"), frozen=frozen) for frozen in (0, 1)}


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Save after every two photos, which are made two at a time."""
    monkeypatch.setattr(pool_module, "CHUNK", 2)
    monkeypatch.setattr(pool_module, "SAVE_EVERY", 1)


class Stopped(Exception):
    """An interruption."""


class Steps:
    """Notes the progress, and interrupts where it is told to."""

    def __init__(self, stop: int | None = None) -> None:
        self.seen: list[tuple[int, int]] = []
        self.stop = stop

    def __call__(self, done: int, total: int) -> None:
        self.seen.append((done, total))
        if self.stop is not None and done >= self.stop:
            raise Stopped


def fill(photos, network, folder: Path, *, frozen=1, recipe=RECIPE, steps=None, preprocessing=SHAPE) -> Pool:
    folder.mkdir(exist_ok=True)
    rows = plan_rows(photos, NUMBERS, recipe)
    options = {"frozen": frozen, "folder": folder, "device": "cpu", "on_progress": steps or Steps()}
    return fill_pool(photos, rows, network, preprocessing, **options)


# -- rows


def test_each_photo_gives_itself_its_views_and_copies_only_if_it_is_genuine(photos):
    rows = plan_rows(photos, NUMBERS, RECIPE)
    assert [row.photo for row in rows] == sorted(row.photo for row in rows)
    for index, (object_id, genuine) in enumerate(LABELS):
        own = [row for row in rows if row.photo == index]
        kinds = [row.kind for row in own]
        assert kinds[:3] == [PLAIN, REPHOTOGRAPH, REPHOTOGRAPH]
        assert len(kinds) == (6 if genuine else 3) and set(kinds[3:]) <= set(KINDS)
        assert {row.object for row in own} == {NUMBERS[object_id]}
        assert [row.genuine for row in own] == [genuine and kind in (PLAIN, REPHOTOGRAPH) for kind in kinds]
    assert len({row.seed for row in rows}) == len(rows)
    assert {row.kind for row in rows} == {PLAIN, REPHOTOGRAPH, *KINDS}


def test_rows_repeat_and_another_seed_gives_others(photos):
    rows = plan_rows(photos, NUMBERS, RECIPE)
    assert plan_rows(photos, NUMBERS, RECIPE) == rows
    other = plan_rows(photos, NUMBERS, replace(RECIPE, seed=6))
    assert {row.seed for row in other}.isdisjoint(row.seed for row in rows)
    assert plan_rows(photos[:3], NUMBERS, RECIPE) == tuple(row for row in rows if row.photo < 3)


@pytest.mark.parametrize(
    ("recipe", "kinds"),
    [
        (Recipe(0, 0, KINDS, 0), {PLAIN}),
        (Recipe(1, 0, KINDS, 0), {PLAIN, REPHOTOGRAPH}),
        (Recipe(0, 2, (), 0), {PLAIN}),
        (Recipe(0, 2, ("oil",), 0), {PLAIN, "oil"}),
    ],
)
def test_what_is_not_asked_for_is_not_planned(photos, recipe, kinds):
    rows = plan_rows(photos, NUMBERS, recipe)
    assert {row.kind for row in rows} == kinds
    assert [row.photo for row in rows if row.kind == PLAIN] == list(range(len(photos)))


def test_a_pool_tells_the_objects_and_which_rows_are_genuine(photos):
    rows = plan_rows(photos, NUMBERS, RECIPE)
    pool = Pool(rows, np.zeros((len(rows), 1)), 0)
    assert pool.objects.dtype == np.int64 and pool.objects.tolist() == [row.object for row in rows]
    assert pool.genuine.dtype == bool and pool.genuine.tolist() == [row.genuine for row in rows]
    assert 0 < pool.genuine.sum() < len(rows)


# -- pictures


def never() -> Image.Image:
    raise AssertionError("nothing is inserted")


def test_a_row_is_the_photo_a_photograph_of_it_or_a_photograph_of_a_copy():
    image, donor = painting(1, SMALL), painting(2, SMALL)

    def taken(of: Image.Image, seed: int) -> bytes:
        random = np.random.default_rng(seed)
        return photograph(of, draw_shot(random, DIFFICULT), random).tobytes()

    assert make_picture(image, PictureRow(0, 0, True, PLAIN, 3), never).tobytes() == image.tobytes()
    assert (
        make_picture(image, PictureRow(0, 0, True, REPHOTOGRAPH, 3), never).tobytes()
        == taken(image, 3)
        != taken(image, 4)
    )
    for kind in KINDS:
        copy = make_copy(image, kind, seed=3, donor=donor)
        assert make_picture(image, PictureRow(0, 0, False, kind, 3), lambda: donor).tobytes() == taken(copy.image, 3)


def test_where_a_kind_of_copy_cannot_be_made_another_is():
    image = painting(1, SMALL)
    assert make_copy(image, "face", seed=3, donor=image) is None
    redrawn = make_picture(image, PictureRow(0, 0, False, "redrawn", 3), lambda: image)
    assert make_picture(image, PictureRow(0, 0, False, "face", 3), lambda: image).tobytes() == redrawn.tobytes()


@pytest.mark.parametrize("colour", ["black", "white"])
def test_a_copy_of_an_empty_picture_is_another_picture(colour):
    empty, donor = Image.new("RGB", SMALL, colour), painting(2, (60, 90))
    seeds = [seed for seed in range(8) if make_copy(empty, "redrawn", seed=seed, donor=donor) is None]
    made = [pool_module.some_copy(empty, "redrawn", seed=seed, donor=donor) for seed in seeds]
    assert made
    for copy in made:
        assert copy.image.tobytes() == donor.resize(SMALL).tobytes() and copy.mask.all()
        assert copy.mask.shape == (empty.height, empty.width)


def test_pictures_come_in_the_order_of_the_rows_some_photos_at_a_time(photos):
    rows = plan_rows(photos, NUMBERS, RECIPE)
    chunks = list(make_pictures(photos, rows, SHAPE))
    pictures = np.concatenate(chunks)
    assert len(chunks) == 1 and pictures.shape == (len(rows), 64, 64, 3) and pictures.dtype == np.uint8
    side = round(WORKING_SIDE * 64)
    for number, row in enumerate(rows):
        if row.kind == PLAIN:
            image = Image.open(photos[row.photo].path)
            image.thumbnail((side, side))
            assert np.array_equal(pictures[number], SHAPE.fitted(image))
        else:
            assert not np.array_equal(pictures[number], pictures[number - 1])


def test_the_size_of_the_chunks_changes_nothing(photos, often):
    rows = plan_rows(photos, NUMBERS, RECIPE)
    chunks = list(make_pictures(photos, rows, SHAPE))
    assert [len(chunk) for chunk in chunks] == [12, 9, 9]
    pool_module.CHUNK = 16
    assert np.array_equal(np.concatenate(chunks), np.concatenate(list(make_pictures(photos, rows, SHAPE))))


def test_photos_are_read_small_and_never_enlarged(tmp_path):
    painting(1, (400, 200)).save(tmp_path / "wide.png")
    painting(1, (20, 70)).save(tmp_path / "small.png")
    wide, small = read_small(tmp_path / "wide.png", 90), read_small(tmp_path / "small.png", 90)
    assert wide.size == (90, 45) and wide.mode == "RGB" and small.size == (20, 70)


@pytest.mark.parametrize("content", [b"", b"no photograph", None])
@pytest.mark.parametrize("stopped", [False, True])
def test_a_photo_that_cannot_be_read_is_named_in_one_line(photos, network, tmp_path, often, content, stopped):
    broken = tmp_path / "broken.jpg"
    if content is not None:
        broken.write_bytes(content)
    with_it = [*photos[:4], LabelledPhoto(broken, "c", True)]
    options = {"frozen": 0, "recipe": replace(RECIPE, copies=0)}  # so that it is no donor
    if stopped:
        with pytest.raises(Stopped):
            fill(with_it, network, tmp_path / "pool", steps=Steps(stop=12), **options)
    steps = Steps()
    with pytest.raises(ArtifactError) as found:
        fill(with_it, network, tmp_path / "pool", steps=steps, **options)
    said = str(found.value)
    assert str(broken) in said and "\n" not in said and "take it out of the labels" in said
    assert steps.seen == ([(6, 15)] if stopped else [(0, 15), (6, 15)]) + [(12, 15)]
    assert json.loads((tmp_path / "pool/pool.json").read_text())["done"] == 12  # what was made before is kept


def test_a_donor_that_cannot_be_read_is_named_too(photos, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no photograph")
    given = [*photos[:3], LabelledPhoto(broken, "c", True)]
    row = PictureRow(0, 0, False, "oil", 1)  # the fourth photo is the donor of the first
    with pytest.raises(ArtifactError, match=r"broken\.jpg"):
        list(make_pictures(given, [row], SHAPE))


# -- what is kept


def test_with_nothing_frozen_the_pixels_are_kept(photos, network, tmp_path):
    pool = fill(photos, network, tmp_path, frozen=0)
    assert pool.features.dtype == np.uint8 and pool.features.shape == (len(pool.rows), 3, 64, 64) and pool.frozen == 0
    pictures = np.concatenate(list(make_pictures(photos, pool.rows, SHAPE)))
    assert np.array_equal(pool.features, pictures.transpose(0, 3, 1, 2))
    assert np.array_equal(np.load(tmp_path / "pool.npy"), pool.features)


def test_what_the_frozen_parts_make_of_the_pictures_is_kept(photos, network, tmp_path):
    pool = fill(photos, network, tmp_path, frozen=2)
    pictures = np.concatenate(list(make_pictures(photos, pool.rows, SHAPE)))
    with torch.no_grad():
        wanted = network.run(torch.from_numpy(SHAPE.scaled(pictures)), 0, 2).numpy()
    assert pool.features.dtype == np.float16 and pool.features.shape == wanted.shape and pool.frozen == 2
    np.testing.assert_allclose(pool.features.astype(np.float32), wanted, atol=2e-3 * np.abs(wanted).max())


def test_a_picture_gives_the_same_numbers_alone_and_among_others(network):
    pictures = np.stack([SHAPE.fitted(painting(seed)) for seed in range(5)])
    run = frozen_part(network, SHAPE, 2, "cpu")
    alone = np.concatenate([run(pictures[row : row + 1]) for row in range(5)])
    assert np.array_equal(run(pictures), alone) and alone.dtype == np.float16
    assert len(np.unique(alone.reshape(5, -1), axis=0)) == 5


def test_torch_and_openvino_agree_on_the_frozen_parts(network):
    pictures = np.stack([SHAPE.fitted(painting(seed)) for seed in range(3)])
    ours = frozen_part(network, SHAPE, 3, "cpu")(pictures)
    theirs = frozen_part(network, SHAPE, 3, "cpu:0")(pictures)  # another name of the CPU goes through torch
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype == np.float16
    apart = np.abs(ours.astype(np.float32) - theirs.astype(np.float32)).max()
    assert 0 <= apart < 2e-3 * np.abs(theirs).max()


@pytest.mark.parametrize(("frozen", "shape"), [(0, (3, 48, 64)), (1, (32, 24, 32))])
def test_the_shape_of_what_is_kept_is_known_before(network, frozen, shape):
    wide = replace(SHAPE, height=48)
    assert kept_shape(frozen_part(network, wide, frozen, "cpu"), wide) == shape


def test_the_steps_go_from_nothing_to_all(photos, network, tmp_path, often):
    steps = Steps()
    fill(photos, network, tmp_path, frozen=0, steps=steps)
    assert steps.seen == [(0, 30), (12, 30), (21, 30), (30, 30)]
    steps = Steps()
    fill(photos, network, tmp_path, frozen=0, steps=steps)
    assert steps.seen == [(30, 30)]  # it is all there


# -- interruptions


@pytest.mark.parametrize(("stop", "kept", "frozen"), [(0, 0, 0), (12, 0, 0), (21, 12, 0), (21, 12, 1), (30, 21, 0)])
def test_an_interrupted_run_goes_on_to_the_same_numbers(photos, network, tmp_path, often, whole, stop, kept, frozen):
    with pytest.raises(Stopped):  # after a chunk was made, before it was written down
        fill(photos, network, tmp_path, frozen=frozen, steps=Steps(stop=stop))
    steps = Steps()
    pool = fill(photos, network, tmp_path, frozen=frozen, steps=steps)
    assert steps.seen[0] == (kept, 30) and steps.seen[-1] == (30, 30)
    assert pool.features.tobytes() == whole[frozen].features.tobytes()


def test_rows_made_before_are_not_made_again(photos, network, tmp_path, often, monkeypatch):
    with pytest.raises(Stopped):
        fill(photos, network, tmp_path, frozen=0, steps=Steps(stop=21))
    asked: list[int] = []
    real = pool_module.make_picture

    def noted(image, row, donor):
        asked.append(row.photo)
        return real(image, row, donor)

    monkeypatch.setattr(pool_module, "make_picture", noted)
    fill(photos, network, tmp_path, frozen=0)
    assert set(asked) == {2, 3, 4, 5} and len(asked) == 18


def test_a_run_that_dies_writing_down_how_far_it_is_goes_on(photos, network, tmp_path, often, whole, monkeypatch):
    real = Path.write_text

    def half(path: Path, text: str, **options) -> int:
        if '"done": 21' not in text:
            return real(path, text, **options)
        real(path, text[: len(text) // 2], **options)
        raise Stopped

    with monkeypatch.context() as patched, pytest.raises(Stopped):
        patched.setattr(Path, "write_text", half)
        fill(photos, network, tmp_path, frozen=0)
    steps = Steps()
    pool = fill(photos, network, tmp_path, frozen=0, steps=steps)
    assert steps.seen[0] == (12, 30)
    assert pool.features.tobytes() == whole[0].features.tobytes()


@pytest.mark.parametrize(
    "change",
    [
        {"recipe": replace(RECIPE, seed=6)},
        {"recipe": replace(RECIPE, copies=1)},
        {"frozen": 1},
        {"preprocessing": replace(SHAPE, interpolation="bilinear")},
    ],
    ids=["seed", "copies", "frozen", "preprocessing"],
)
def test_another_plan_starts_anew(photos, network, tmp_path, often, change):
    fill(photos[:2], network, tmp_path / "pool", frozen=0)
    steps, options = Steps(), {"frozen": 0} | change
    pool = fill(photos[:2], network, tmp_path / "pool", steps=steps, **options)
    assert steps.seen[0][0] == 0 and steps.seen[-1] == (len(pool.rows),) * 2
    whole = fill(photos[:2], network, tmp_path / "whole", **options)
    assert pool.features.shape == whole.features.shape and pool.features.tobytes() == whole.features.tobytes()


def test_another_plan_that_is_interrupted_leaves_nothing_of_the_first(photos, network, tmp_path, often, whole):
    fill(photos, network, tmp_path, frozen=0)
    with pytest.raises(Stopped):
        fill(photos, network, tmp_path, frozen=0, recipe=replace(RECIPE, seed=6), steps=Steps(stop=12))
    steps = Steps()
    pool = fill(photos, network, tmp_path, frozen=0, steps=steps)
    assert steps.seen[0] == (0, 30)
    assert pool.features.tobytes() == whole[0].features.tobytes()


# -- the disk


def test_a_reserved_file_keeps_its_content_and_has_no_holes(tmp_path):
    path = tmp_path / "holes"
    with path.open("wb") as file:
        file.write(b"begin")
        file.truncate(1 << 20)
    reserve(path)
    assert path.stat().st_size == 1 << 20 and path.read_bytes() == b"begin".ljust(1 << 20, b"\0")
    assert path.stat().st_blocks * 512 >= 1 << 20


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="needs posix_fallocate")
def test_a_full_disk_is_an_error_before_anything_is_made(photos, network, tmp_path, whole, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    steps = Steps()
    with monkeypatch.context() as patched, pytest.raises(OSError, match="No space left on device") as found:
        patched.setattr(os, "posix_fallocate", full)
        fill(photos, network, tmp_path, frozen=0, steps=steps)
    assert found.value.errno == errno.ENOSPC and found.value.filename == str(tmp_path / "pool.npy")
    assert steps.seen == [] and not (tmp_path / "pool.json").exists()
    pool = fill(photos, network, tmp_path, frozen=0, steps=steps)
    assert steps.seen[0] == (0, 30)
    assert pool.features.tobytes() == whole[0].features.tobytes()
