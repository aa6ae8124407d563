"""Photographs are read in processes of their own, which may crash or hang."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest

from retrieval.encoder.stream import no_features
from retrieval.errors import UnreadableImage
from retrieval.photographs.features import features_of
from retrieval.photographs.photograph import Photograph
from retrieval.photographs.reader_process import Order, Reader, read_here, reading_apart
from tests.conftest import write_picture


def crash(photograph: Photograph) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def hang(photograph: Photograph) -> None:
    time.sleep(60)


@pytest.fixture
def photo(tmp_path) -> Path:
    return write_picture(tmp_path / "photo.jpg", 1, size=(900, 700))


def order(path: Path, extract=no_features) -> Order:
    return Order(path, 260, 500.0, extract)


def children(reader: Reader) -> list[int]:
    return [child.process.pid for child in reader._children]


def test_what_is_read_apart_is_what_is_read_here(photo):
    here = read_here(order(photo, features_of))
    with reading_apart() as read:
        apart = read(order(photo, features_of))
        assert children(read) and os.getpid() not in children(read)
    assert (apart.photograph.sha256, apart.photograph.width) == (here.photograph.sha256, 900)
    assert np.array_equal(np.asarray(apart.photograph.image), np.asarray(here.photograph.image))
    assert np.array_equal(apart.features.descriptors, here.features.descriptors)


def test_an_unreadable_photograph_is_said_in_the_same_words(tmp_path):
    (tmp_path / "bad.jpg").write_bytes(b"\xff\xd8\xff nothing")
    with pytest.raises(UnreadableImage) as here:
        read_here(order(tmp_path / "bad.jpg"))
    with reading_apart() as read, pytest.raises(UnreadableImage) as apart:
        read(order(tmp_path / "bad.jpg"))
    assert str(apart.value) == str(here.value)


def test_a_crash_takes_nothing_else_down(photo):
    with reading_apart() as read:
        first = (read(order(photo)), children(read))[1]
        with pytest.raises(UnreadableImage, match="it made its decoder crash"):
            read(order(photo, crash))
        assert read(order(photo)).photograph.width == 900
        assert children(read) != first and len(children(read)) == 1


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_what_ends_all_processes_of_a_terminal_makes_no_photograph_look_damaged(photo, name):
    with reading_apart(30.0) as reader:
        reader(order(photo))
        (child,) = children(reader)
        os.kill(child, getattr(signal, name))
        reader(order(photo))
        assert children(reader) == [child]


def test_what_takes_too_long_is_given_up(photo):
    with reading_apart(0.5) as read:
        start = time.monotonic()
        with pytest.raises(UnreadableImage, match=r"took longer than 0\.5 s"):
            read(order(photo, hang))
        assert time.monotonic() - start < 10
    with reading_apart(30) as read:
        assert read(order(photo)).photograph.width == 900


def test_each_thread_has_a_child_and_none_is_left_behind(photo):
    with reading_apart() as read:
        with ThreadPoolExecutor(2) as pool:
            assert len(list(pool.map(lambda _: read(order(photo, features_of)), range(8)))) == 8
        pids = children(read)
        assert 1 <= len(pids) <= 2
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


class Slow:
    """A pipe that takes its time to close, and notes how many close it at once."""

    def __init__(self, pipe: Connection) -> None:
        self.pipe, self.at_once, self.most = pipe, 0, 0

    def close(self) -> None:
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        time.sleep(0.05)
        self.pipe.close()
        self.at_once -= 1


def test_a_child_may_be_stopped_by_its_own_thread_and_by_the_end_of_all_at_once(photo):
    """Each would close a pipe that the other has closed already."""
    with reading_apart() as reader:
        reader(order(photo))
        (child,) = reader._children
        slow = child.orders = Slow(child.orders)
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(lambda _: child.stop(), range(3)))
        assert slow.most == 1 and child.process.poll() is not None


def test_a_child_ends_when_its_parent_is_gone(photo):
    with reading_apart() as read:
        read(order(photo))
        (child,) = read._children
        child.orders.close()
        assert child.process.wait(timeout=10) == 0
