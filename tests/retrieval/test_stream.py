"""A stream of photographs: in order, in bounded memory, and not stopped by a bad one."""

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from retrieval.encoder.stream import BATCH, LOOK_AHEAD, embed_photographs
from retrieval.errors import UnreadableImage
from retrieval.machine import cpu_count
from retrieval.photographs.reader_process import Order, ReadPhotograph, read_here
from tests.conftest import DIM, picture, tiny_encoder, write_picture

SMALL = (12, 12)  # not reduced on the way to the 8 x 8 of the encoder


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stream")
    return [write_picture(folder / f"{number:03}.png", number, size=SMALL) for number in range(2 * LOOK_AHEAD + 5)]


def test_every_photograph_comes_in_order_with_its_own_vector(paths):
    def slow_at_first(order: Order) -> ReadPhotograph:
        time.sleep(0.02 if int(order.path.stem) % 7 == 0 else 0)
        return read_here(order)

    found = list(embed_photographs(paths, tiny_encoder(), read=slow_at_first))
    assert [item.path for item in found] == paths
    alone = tiny_encoder()
    for number, item in enumerate(found):
        assert item.photograph is not None and item.error is None
        assert item.vectors.tobytes() == alone.encode([picture(number, size=SMALL)]).tobytes()


def test_no_photographs_no_vectors():
    assert list(embed_photographs([], tiny_encoder())) == []


def test_bad_files_are_yielded_in_their_place_with_their_error(paths, tmp_path):
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"no photograph")
    mixed = [bad, *paths[:20], tmp_path / "gone.jpg", *paths[20:40], bad]
    found = list(embed_photographs(mixed, tiny_encoder()))
    assert [item.path for item in found] == mixed
    wrong = [position for position, item in enumerate(found) if item.error is not None]
    assert wrong == [0, 21, 42]
    for position in wrong:
        assert found[position].photograph is None and found[position].vectors.shape == (0, DIM)
        assert isinstance(found[position].error, UnreadableImage)
    good = [item for item in found if item.error is None]
    assert good[5].vectors.tobytes() == tiny_encoder().encode([picture(5, size=SMALL)]).tobytes()


def test_only_bad_files(tmp_path):
    found = list(embed_photographs([tmp_path / "gone.jpg"] * 3, tiny_encoder()))
    assert [item.vectors.shape for item in found] == [(0, DIM)] * 3


def test_several_views_of_each_stay_together(paths):
    def views(photograph):
        return [photograph.image] * (1 + int(photograph.path.stem) % 3)

    found = list(embed_photographs(paths[:40], tiny_encoder(), views=views))
    assert [len(item.vectors) for item in found] == [1 + number % 3 for number in range(40)]
    for number, item in enumerate(found):
        expected = tiny_encoder().encode([picture(number, size=SMALL)])
        assert np.array_equal(item.vectors, np.repeat(expected, len(item.vectors), axis=0))


def test_paths_are_taken_only_some_way_ahead(paths):
    taken = 0

    def source():
        nonlocal taken
        for path in paths:
            taken += 1
            yield path

    for done, _ in enumerate(embed_photographs(source(), tiny_encoder()), 1):
        assert taken <= done + LOOK_AHEAD + BATCH
    assert taken == len(paths)


def test_a_reader_that_stops_early_leaves_no_threads(paths):
    read: list[Path] = []

    def slowly(order: Order) -> ReadPhotograph:
        time.sleep(0.02)
        read.append(order.path)
        return read_here(order)

    found = embed_photographs(paths, tiny_encoder(), read=slowly)
    next(found)
    before = len(read)
    found.close()
    assert len(read) <= before + cpu_count()  # what was under way, and nothing that waited
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("decode")]


def test_a_mistake_of_ours_is_not_swallowed(paths):
    def views(photograph):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(embed_photographs(paths[:3], tiny_encoder(), views=views))


def test_the_limit_of_size_is_passed_on(paths):
    (item,) = embed_photographs(paths[:1], tiny_encoder(), max_megapixels=0.0001)
    assert item.error is not None and "megapixels" in str(item.error)
