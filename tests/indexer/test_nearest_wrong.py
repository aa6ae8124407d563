"""The nearest wrong photos against plain numpy, and the guard against works that are catalogued twice."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from indexer.metric_learning.nearest_wrong import SameWork, agree_by_geometry, nearest_wrong
from indexer.simulation.rephotograph import rephotograph
from retrieval.photographs.features import extract_features
from tests.conftest import unit
from tests.pictures import painting


def never(row: int, other: int, distance: float) -> bool:
    return False


def plain(vectors, objects, genuine, k: int, leave_out=frozenset()) -> list[list[int]]:
    """Look at every pair of rows, in double precision."""
    wide, found = vectors.astype(np.float64), []
    for row in range(len(vectors)):
        away = np.linalg.norm(wide - wide[row], axis=1)
        wrong = [
            other
            for other in range(len(vectors))
            if (objects[other] != objects[row] or genuine[other] != genuine[row])
            and frozenset((objects[row], objects[other])) not in leave_out
        ]
        nearest = sorted(wrong, key=away.__getitem__)[:k]
        found.append(nearest + [-1] * (k - len(nearest)))
    return found


@settings(max_examples=60, deadline=None)
@given(count=st.integers(1, 60), works=st.integers(1, 12), k=st.integers(1, 9), seed=st.integers(0, 10**6))
def test_the_nearest_wrong_are_those_of_numpy(count, works, k, seed):
    random = np.random.default_rng(seed)
    vectors = unit(random.standard_normal((count, 5)))
    objects, genuine = random.integers(0, works, count), random.random(count) < 0.8
    found = nearest_wrong(vectors, objects, genuine, k=k, same=never)
    assert found.dtype == np.int64 and found.shape == (count, k)
    assert found.tolist() == plain(vectors, objects, genuine, k)


def test_a_crowd_of_one_work_does_not_hide_the_wrong_ones():
    random = np.random.default_rng(1)
    crowd = unit(np.ones(6) + 0.01 * random.standard_normal((200, 6)))
    vectors = np.concatenate([crowd, unit(random.standard_normal((3, 6)))])
    objects = np.array([0] * 150 + [1] * 50 + [2, 3, 4])
    genuine = np.ones(203, bool)
    found = nearest_wrong(vectors, objects, genuine, k=2, same=lambda row, other, _: objects[row] + objects[other] == 1)
    assert found.tolist() == plain(vectors, objects, genuine, 2, {frozenset((0, 1))})


class Asked:
    """A check that knows the answers and notes what it was asked."""

    def __init__(self, *works: tuple[int, int]) -> None:
        self.works, self.asked = set(works), []

    def __call__(self, row: int, other: int) -> bool:
        self.asked.append((row, other))
        return (row, other) in self.works or (other, row) in self.works


def test_near_pairs_are_checked_once_and_both_outcomes_are_kept():
    agree = Asked((0, 1))
    same = SameWork(np.array([9, 4, 7, 7]), np.ones(4, bool), agree, within=0.5, checks=10)
    for _ in range(3):
        same.start_epoch()
        assert same(0, 1, 0.2) and same(1, 0, 0.4) and same(1, 0, 1.9)  # one work, wherever its photos lie
        assert not same(0, 2, 0.1) and not same(3, 0, 0.1)  # another photo of an object that was checked
        assert not same(1, 2, 0.5) and not same(2, 3, 0.0)  # far ones, and photos of one object
    assert agree.asked == [(0, 1), (0, 2)] and same.checked == 2
    assert same.confirmed == {(4, 9)}


def test_forgeries_are_not_checked():
    agree = Asked((0, 1), (1, 2))
    same = SameWork(np.array([0, 1, 2]), np.array([True, False, True]), agree, within=0.5, checks=10)
    assert not same(0, 1, 0.1) and not same(1, 2, 0.1)
    assert agree.asked == []


def test_what_is_beyond_the_bound_is_left_out_until_it_is_checked():
    agree = Asked()
    same = SameWork(np.arange(4), np.ones(4, bool), agree, within=0.5, checks=1)
    assert not same(0, 1, 0.1)
    assert same(0, 2, 0.1) and same(0, 2, 0.1) and not same(0, 1, 0.1) and not same(0, 2, 0.9)
    assert same.confirmed == frozenset()
    same.start_epoch()
    assert not same(0, 2, 0.1) and same(0, 3, 0.1)
    assert agree.asked == [(0, 1), (0, 2)]


def test_a_work_that_is_catalogued_twice_is_no_negative_and_the_nearest_are_checked_first():
    random = np.random.default_rng(2)
    vectors = unit(random.standard_normal((40, 6)))
    vectors[31] = unit(vectors[30] + 0.01 * random.standard_normal(6))
    vectors[21] = unit(vectors[20] + 0.05 * random.standard_normal(6))
    objects, genuine = np.arange(40), np.ones(40, bool)
    agree = Asked((30, 31))
    same = SameWork(objects, genuine, agree, within=0.5, checks=2)
    found = nearest_wrong(vectors, objects, genuine, k=3, same=same)
    assert {tuple(sorted(pair)) for pair in agree.asked} == {(20, 21), (30, 31)}
    assert 31 not in found[30] and 30 not in found[31] and found[20, 0] == 21
    assert found[30].tolist() == plain(vectors, objects, genuine, 3, {frozenset((30, 31))})[30]


def test_geometry_confirms_another_photograph_of_a_work_and_no_other_work():
    works = [painting(seed) for seed in range(2)]
    photos = [*works, rephotograph(works[0], seed=1), works[0].transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
    features = [extract_features(photo, photo.size) for photo in photos]
    agree = agree_by_geometry(features.__getitem__)
    assert agree(0, 2) and agree(2, 0) and agree(0, 3)
    assert not agree(0, 1) and not agree(1, 2)


@pytest.mark.parametrize("k", [1, 4])
def test_a_row_without_wrong_photos_has_none(k):
    vectors = unit(np.random.default_rng(0).standard_normal((5, 3)))
    assert (nearest_wrong(vectors, np.zeros(5, np.int64), np.ones(5, bool), k=k, same=never) == -1).all()
