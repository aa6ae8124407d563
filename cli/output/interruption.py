"""Answer Ctrl-C, and a signal to end, with what is true of the command that it ends."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = ("SIGTERM", "SIGHUP")  # of a machine that goes down, and of a terminal that is closed


class Ended(KeyboardInterrupt):
    """A signal to end, answered as Ctrl-C is."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def listen() -> None:
    """Have signals to end answered, but those that are to be ignored, as under nohup."""
    for name in ENDING:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, _end)


def _end(number: int, frame: FrameType | None) -> None:
    raise Ended(number)


@contextmanager
def saying(what: str) -> Iterator[None]:
    """Have an interruption of this block say what becomes of what was done."""
    try:
        yield
    except KeyboardInterrupt as stopped:
        stopped.add_note(what)
        raise


GOES_ON = "what was done is kept, the same command goes on from there"


def line_of(stopped: KeyboardInterrupt) -> str:
    """Return what there is to say of an interruption."""
    notes = getattr(stopped, "__notes__", [])
    return f"interrupted; {notes[0]}" if notes else "interrupted before it was done"


def exit_code_of(stopped: KeyboardInterrupt) -> int:
    """Return 128 and the number of the signal, as shells do."""
    return 128 + (stopped.number if isinstance(stopped, Ended) else signal.SIGINT)
