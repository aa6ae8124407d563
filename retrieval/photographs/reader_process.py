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
from multiprocessing.connection import Connection
from pathlib import Path

from retrieval.errors import UnreadableImage
from retrieval.photographs.features import Features
from retrieval.photographs.images import read_photograph
from retrieval.photographs.photograph import Photograph

Extract = Callable[[Photograph], Features | None]
TIME_LIMIT = 60.0  # seconds for one photograph
_CHILD = f"import sys; sys.path[:] = {{path!r}}; from {__name__} import serve; serve({{orders}}, {{answers}})"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be read, and how; `extract` finds its features."""

    path: Path
    short_side: int
    max_megapixels: float
    extract: Extract


@dataclass(frozen=True, slots=True)
class ReadPhotograph:
    """A photograph and its features."""

    photograph: Photograph
    features: Features | None


def read_here(order: Order) -> ReadPhotograph:
    """Read a photograph in this process; raises UnreadableImage."""
    photograph = read_photograph(order.path, short_side=order.short_side, max_megapixels=order.max_megapixels)
    return ReadPhotograph(photograph, order.extract(photograph))


@dataclass(slots=True)
class Reader:
    """Reads photographs in one child process for each thread that asks; a child that fails is replaced."""

    time_limit: float = TIME_LIMIT
    _own: threading.local = field(default_factory=threading.local)
    _children: list[_Child] = field(default_factory=list)

    def __call__(self, order: Order) -> ReadPhotograph:
        """Read a photograph; raises UnreadableImage, also where the child crashes or takes too long."""
        child: _Child | None = getattr(self._own, "child", None)
        if child is None or child.process.poll() is not None:
            child = self._own.child = _Child.started()
            self._children.append(child)
        try:
            child.orders.send(order)
            if not child.answers.poll(self.time_limit):
                raise UnreadableImage(f"reading it took longer than {self.time_limit:g} s")
            answer = child.answers.recv()
        except (EOFError, OSError) as error:
            self._give_up(child)
            raise UnreadableImage("damaged: it made its decoder crash") from error
        except BaseException:
            self._give_up(child)
            raise
        if isinstance(answer, UnreadableImage):
            raise answer
        assert isinstance(answer, ReadPhotograph)
        return answer

    def _give_up(self, child: _Child) -> None:
        child.stop()
        self._own.child = None
        with suppress(ValueError):
            self._children.remove(child)

    def close(self) -> None:
        """Stop all children."""
        for child in list(self._children):  # a thread may give its own up meanwhile
            child.stop()
        self._children.clear()


@contextmanager
def reading_apart(time_limit: float = TIME_LIMIT) -> Iterator[Reader]:
    """Give a reader whose children end with the block."""
    reader = Reader(time_limit)
    try:
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
    """Answer orders from one pipe on another until it closes; what is pressed at the terminal is for the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    incoming, outgoing = Connection(orders, writable=False), Connection(answers, readable=False)
    with suppress(EOFError, OSError):
        while True:
            order = incoming.recv()
            try:
                outgoing.send(read_here(order))
            except UnreadableImage as error:
                outgoing.send(error)
    os._exit(0)
