"""Read photographs in processes of their own: one that crashes its decoder, or never ends, takes down nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Protocol, TypeVar, cast

from retrieval.errors import ArtifactError, UnreadableImage
from retrieval.machine import import_cv2
from retrieval.photographs.features import Features
from retrieval.photographs.images import read_photograph
from retrieval.photographs.pages import pictures_in
from retrieval.photographs.photograph import Photograph
from retrieval.photographs.pictures import Pictures

T = TypeVar("T")
Extract = Callable[[Photograph], Features | None]
TIME_LIMIT = 60.0  # seconds for one photograph
PATIENT = 600.0  # seconds, where somebody waits for that very one: a gigapixel scan takes minutes
_CHILD = f"import sys; sys.path[:] = {{path!r}}; from {__name__} import serve; serve({{orders}}, {{answers}})"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be read, and how; `extract` finds its features."""

    path: Path
    short_side: int
    max_megapixels: float
    extract: Extract
    picture: int | None = None  # of a file of several; None: the first that shows something


@dataclass(frozen=True, slots=True)
class ReadPhotograph:
    """A photograph and its features."""

    photograph: Photograph
    features: Features | None


def read_here(order: Order) -> ReadPhotograph:
    """Read a photograph in this process; raises UnreadableImage."""
    photograph = read_photograph(
        order.path, short_side=order.short_side, max_megapixels=order.max_megapixels, picture=order.picture
    )
    return ReadPhotograph(photograph, order.extract(photograph))


class Running(Protocol):
    """Runs what reads a photograph, here or elsewhere."""

    def __call__(self, read: Callable[[], T]) -> T:
        """Return what a function returns; raises UnreadableImage."""


def run_here(read: Callable[[], T]) -> T:
    """Return what a function returns, run in this process."""
    return read()


@dataclass(slots=True)
class Reader:
    """Reads photographs in as many child processes as threads ask at once; a child that fails is replaced."""

    time_limit: float = TIME_LIMIT
    _children: list[_Child] = field(default_factory=list)
    _idle: list[_Child] = field(default_factory=list)  # lists are changed by one step each, whatever thread does it

    def __call__(self, order: Order) -> ReadPhotograph:
        """Read a photograph; raises UnreadableImage, also where the child crashes or takes too long."""
        return self.run(partial(read_here, order))

    def count(self, path: Path) -> Pictures:
        """Count the pictures of a file; raises UnreadableImage as reading does."""
        return self.run(partial(pictures_in, path))

    def run(self, read: Callable[[], T]) -> T:
        """Return what a function returns in a child; raises UnreadableImage as reading does, and its ArtifactError."""
        child = self._child()
        try:
            child.orders.send(read)
            if not child.answers.poll(self.time_limit):
                raise UnreadableImage(f"reading it took longer than {self.time_limit:g} s")
            answer = child.answers.recv()
        except (EOFError, OSError) as error:
            self._give_up(child)
            raise UnreadableImage("damaged: it made its decoder crash") from error
        except BaseException:
            self._give_up(child)
            raise
        self._idle.append(child)
        if isinstance(answer, ArtifactError):
            raise answer
        return cast(T, answer)

    def get_ready(self, count: int) -> None:
        """Start children before they are needed."""
        self._idle.extend(self._started() for _ in range(count))

    def _child(self) -> _Child:
        """Return a child that is idle, or a new one."""
        while True:
            try:
                child = self._idle.pop()
            except IndexError:
                return self._started()
            if child.process.poll() is None:
                return child

    def _started(self) -> _Child:
        child = _Child.started()
        self._children.append(child)
        return child

    def _give_up(self, child: _Child) -> None:
        child.stop()
        with suppress(ValueError):
            self._children.remove(child)

    def close(self) -> None:
        """Stop all children."""
        for child in list(self._children):  # a thread may give its own up meanwhile
            child.stop()
        self._children.clear()
        self._idle.clear()


@contextmanager
def reading_apart(time_limit: float = TIME_LIMIT, *, ahead: int = 0) -> Iterator[Reader]:
    """Give a reader whose children end with the block; so many of them get ready at once."""
    reader = Reader(time_limit)
    try:
        reader.get_ready(ahead)
        yield reader
    finally:
        reader.close()


@dataclass(slots=True, eq=False)
class _Child:
    """A process that reads, and the pipes to it and from it."""

    process: subprocess.Popen
    orders: Connection
    answers: Connection
    _ending: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def started(cls) -> _Child:
        theirs, orders = os.pipe()
        answers, their_answers = os.pipe()
        code = _CHILD.format(path=sys.path, orders=theirs, answers=their_answers)
        process = subprocess.Popen(  # its messages go nowhere: a codec's remarks are of no use at the terminal
            [sys.executable, "-c", code], pass_fds=[theirs, their_answers], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(theirs)
        os.close(their_answers)
        return cls(process, Connection(orders, readable=False), Connection(answers, writable=False))

    def stop(self) -> None:
        with self._ending:  # the thread that it reads for may be stopping it too
            self.process.kill()
            self.process.wait()
            self.orders.close()
            self.answers.close()


def serve(orders: int, answers: int) -> None:
    """Answer orders from one pipe on another until it closes; what ends all processes of a terminal is for the parent.

    A child that ended before its parent would make a photograph look damaged.
    """
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):  # Windows has not all
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    incoming, outgoing = Connection(orders, writable=False), Connection(answers, readable=False)
    import_cv2()  # while the first order is not there yet
    with suppress(EOFError, OSError):
        while True:
            read = incoming.recv()
            try:
                outgoing.send(read())
            except ArtifactError as error:
                outgoing.send(error)
    os._exit(0)
