"""A painting repeats exactly, and another hand keeps its layout."""

import numpy as np
import pytest
from PIL import Image

from indexer.demo.composition import GENRES, alter, compose
from indexer.demo.hands import SCHOOLS, another_hand, hand_of
from indexer.demo.painter import paint


def layout(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("L").resize((16, 16), Image.Resampling.BOX), np.float32).ravel()


def alike(one: Image.Image, other: Image.Image) -> float:
    return float(np.corrcoef(layout(one), layout(other))[0, 1])


def test_painting_repeats_exactly() -> None:
    assert paint(compose(3), hand_of(3, school=3)).tobytes() == paint(compose(3), hand_of(3, school=3)).tobytes()


@pytest.mark.parametrize("seed", [0, 4, 10])
def test_another_hand_changes_the_pixels_and_keeps_the_layout(seed: int) -> None:
    hand = hand_of(seed, school=seed % len(SCHOOLS))
    original = paint(compose(seed), hand)
    copy = paint(alter(compose(seed), seed=1), another_hand(hand, seed=1))
    elsewhere = paint(compose(seed + 1), hand)
    assert copy.size == original.size and copy.mode == "RGB"
    assert np.abs(np.asarray(copy, int) - np.asarray(original, int)).mean() > 5
    assert alike(original, copy) > 0.8
    assert alike(original, copy) > alike(original, elsewhere) + 0.2


def test_forty_compositions_differ() -> None:
    works = [compose(seed) for seed in range(40)]
    assert len({work.title for work in works}) == 40 == 2 * len(GENRES)
    assert {w.size[0] > w.size[1] for w in works} == {True, False}
    assert all(600 <= max(work.size) <= 900 for work in works)


def test_alter_moves_one_element_and_leaves_one_out() -> None:
    work = compose(0)
    changed = alter(work, seed=5)
    parts, left = {s.part for s in work.shapes}, {s.part for s in changed.shapes}
    assert len(parts - left) == 1 and left < parts
    kept = [s for s in work.shapes if s.part in left]
    moved = {a.part for a, b in zip(kept, changed.shapes, strict=True) if not np.array_equal(a.points, b.points)}
    assert len(moved) == 1 and "ground" not in moved
