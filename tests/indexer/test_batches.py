"""Which photos come together in a batch."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.metric_learning.batches import object_batches
from indexer.metric_learning.nearest_wrong import nearest_wrong
from tests.conftest import unit

# object 4 has five genuine photos and three forgeries, 8 one and none, 2 two and one, 6 forgeries only
OBJECTS = np.array([4, 8, 4, 2, 4, 4, 2, 4, 2, 4, 4, 4, 6, 6])
GENUINE = np.array([1, 1, 1, 1, 1, 0, 0, 1, 1, 0, 1, 0, 0, 0], bool)


def epoch_of(objects=OBJECTS, genuine=GENUINE, *, count=2, photos=3, forgeries=2, seed=0, epoch=0, neighbours=None):
    shape = {"count": count, "photos": photos, "forgeries": forgeries}
    return list(object_batches(objects, genuine, **shape, seed=seed, epoch=epoch, neighbours=neighbours))


@settings(max_examples=60, deadline=None)
@given(
    labels=st.lists(st.tuples(st.integers(0, 12), st.booleans()), max_size=60),
    count=st.integers(2, 6),
    photos=st.integers(1, 4),
    forgeries=st.integers(0, 3),
    near=st.booleans(),
    seed=st.integers(0, 99),
)
def test_each_object_comes_once_with_as_many_photos_as_it_may(labels, count, photos, forgeries, near, seed):
    objects = np.array([number for number, _ in labels], np.int64)
    genuine = np.array([true for _, true in labels], bool)
    neighbours = np.random.default_rng(seed).integers(-1, len(labels), (len(labels), 2)) if near else None
    batches = epoch_of(
        objects, genuine, count=count, photos=photos, forgeries=forgeries, seed=seed, neighbours=neighbours
    )
    seen: list[int] = []
    for rows in batches:
        assert rows.dtype == np.int64 and len(set(rows.tolist())) == len(rows)
        members = set(objects[rows].tolist())
        assert len(members) <= count
        seen += members
        for number in members:
            own = objects == number
            assert (own & genuine)[rows].sum() == min(photos, (own & genuine).sum())
            assert (own & ~genuine)[rows].sum() == min(forgeries, (own & ~genuine).sum())
    assert sorted(seen) == sorted(set(objects[genuine].tolist()))
    sizes = [len(set(objects[rows].tolist())) for rows in batches]
    assert not sizes or max(sizes) - min(sizes) <= 1


def test_an_epoch_repeats_and_the_next_is_another():
    def rows(**options) -> list[list[int]]:
        objects = np.repeat(np.arange(20), 4)
        return [batch.tolist() for batch in epoch_of(objects, np.ones(80, bool), count=5, photos=2, **options)]

    assert rows(seed=3, epoch=1) == rows(seed=3, epoch=1)
    assert rows(seed=3, epoch=1) != rows(seed=3, epoch=2)
    assert rows(seed=3, epoch=1) != rows(seed=4, epoch=1)


def test_every_photo_is_drawn_in_time():
    drawn = {row for epoch in range(30) for batch in epoch_of(photos=1, forgeries=1, epoch=epoch) for row in batch}
    assert drawn == set(np.flatnonzero(OBJECTS != 6).tolist())


def test_the_numbers_of_the_objects_do_not_matter_but_their_order():
    plain = epoch_of(count=2, photos=2)
    renamed = epoch_of(OBJECTS * 1000 + 7, count=2, photos=2)
    assert [rows.tolist() for rows in plain] == [rows.tolist() for rows in renamed]


def test_objects_that_are_confused_come_together():
    """Ten groups of four objects, each of which has the others of its group for neighbours."""
    objects = np.repeat(np.arange(40), 2)
    rows = np.arange(80)
    neighbours = np.stack([(rows // 8) * 8 + (rows + 2 * step) % 8 for step in (1, 2, 3)], axis=1)
    for epoch in range(5):
        batches = epoch_of(objects, np.ones(80, bool), count=4, neighbours=neighbours, epoch=epoch)
        assert all(len(set((objects[rows] // 4).tolist())) == 1 for rows in batches)


@pytest.mark.parametrize("k", [1, 3])
def test_most_meet_their_nearest_wrong_object(k):
    vectors = unit(np.random.default_rng(0).standard_normal((400, 16)))
    objects, genuine = np.arange(400), np.ones(400, bool)
    neighbours = nearest_wrong(vectors, objects, genuine, k=k, same=lambda *_: False)

    def share(near) -> float:
        batches = epoch_of(objects, genuine, count=16, photos=1, neighbours=near)
        return sum(int(neighbours[row, 0]) in set(rows.tolist()) for rows in batches for row in rows.tolist()) / 400

    assert share(None) < 0.1
    assert share(neighbours) > 0.55
