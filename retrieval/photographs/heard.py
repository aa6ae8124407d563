"""Hear what decoders written in C say on stderr, and tell nowhere else, and keep it off the terminal."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_one_at_a_time = threading.Lock()  # there is one stderr in a process
_STDERR, _MOST = 2, 1 << 16  # bytes of what was said that are read


@contextmanager
def heard() -> Iterator[Callable[[], str]]:
    """Give a function that returns what was said on the process's stderr in this block so far.

    A decoder that is called by another thread at the same time may be heard as well.
    """
    with _one_at_a_time:
        ear, before = _new_file(), _duplicate(_STDERR)
        os.dup2(ear, _STDERR)
        try:
            yield lambda: os.pread(ear, _MOST, 0).decode(errors="replace")
        finally:
            if before is None:
                os.close(_STDERR)
            else:
                os.dup2(before, _STDERR)
                os.close(before)
            os.close(ear)


def _new_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("heard")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _duplicate(number: int) -> int | None:
    try:
        return os.dup(number)
    except OSError:  # closed
        return None
