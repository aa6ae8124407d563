"""A photograph that shows little, as a picture in a room, is told by where its details lie."""

import numpy as np

from retrieval.judging.small import why_small
from retrieval.photographs.features import Features

ROOM = (1200, 900)


def features(left: float, top: float, width: float, height: float, count: int = 50) -> Features:
    points = np.random.default_rng(0).uniform((left, top), (left + width, top + height), (count, 2))
    return Features(points.astype(np.float32), np.zeros((count, 128), np.uint8), ROOM)


def test_details_in_a_small_part_of_a_large_photograph():
    said = why_small(features(500, 300, 180, 160), ROOM)
    assert said is not None and said.endswith("too small to be found: a photograph of it alone would help")
    assert 150 < int(said.split("some ")[1].split()[0]) < 180
    assert why_small(features(100, 100, 900, 700), ROOM) is None
    assert why_small(features(400, 300, 300, 300), ROOM) is None, "it is large enough to be found"


def test_a_small_photograph_that_is_filled_is_not_small_in_itself():
    assert why_small(features(0, 0, 150, 150), (160, 160)) is None


def test_a_few_details_elsewhere_do_not_hide_that_it_is_small():
    some = features(500, 300, 180, 160, count=200)
    points = np.vstack([some.points, [(5.0, 5.0), (1190.0, 890.0)]]).astype(np.float32)
    assert why_small(Features(points, np.zeros((202, 128), np.uint8), ROOM), ROOM) is not None


def test_without_details_nothing_is_said():
    assert why_small(features(500, 300, 180, 160, count=3), ROOM) is None
