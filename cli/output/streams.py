"""Make the standard streams fit for wherever they lead: another encoding, a full disk, a reader that has gone."""

from __future__ import annotations

import codecs
import io
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from retrieval.errors import ArtifactError

STDOUT = Path("-")  # the name of a file that is none
UNPRINTABLE = "backslashreplace"  # a letter that an encoding has not is shown by its number, and lost nowhere


class CannotPrint(ArtifactError):
    """Standard output takes nothing more: its disk is full, or it is closed."""


class Results(io.TextIOWrapper):
    """Standard output; raises CannotPrint, or BrokenPipeError where the reader has seen enough."""

    def write(self, text: str) -> int:
        """Write a text."""
        with _in_words():
            return super().write(text)

    def flush(self) -> None:
        """Write what was kept back."""
        with _in_words():
            super().flush()


class Remarks(io.TextIOWrapper):
    """Standard error, which stops no work where nobody can read it."""

    def write(self, text: str) -> int:
        """Write a text, if that can be."""
        with suppress(OSError):
            super().write(text)
        return len(text)

    def flush(self) -> None:
        """Write what was kept back, if that can be."""
        with suppress(OSError):
            super().flush()


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise CannotPrint(f"standard output cannot be written: {error.strerror}") from error


def fit_streams() -> None:
    """Replace standard output and standard error, and open those of the three that are closed."""
    for number in range(3):
        _fill(number)
    sys.stdin = sys.stdin or open(0, closefd=False)  # noqa: SIM115
    sys.stdout = _fitted(sys.stdout, 1, Results)
    sys.stderr = _fitted(sys.stderr, _apart(), Remarks)


def _apart() -> int:
    """Return another number of standard error; what decoders write under the usual one is read by nobody."""
    ours = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    return ours


def _fill(number: int) -> None:
    """Open a stream that is closed: else what is opened next takes its number, and decoders chatter into that file."""
    try:
        os.fstat(number)
    except OSError:
        os.open(os.devnull, os.O_RDONLY if number == 1 else os.O_RDWR)  # what is printed must not seem to be
        os.set_inheritable(number, True)


def _fitted(stream: Any, number: int, kind: type[io.TextIOWrapper]) -> io.TextIOWrapper:
    if stream is None:
        return kind(os.fdopen(number, "wb"), encoding="utf-8", errors=UNPRINTABLE)
    encoding, by_line = stream.encoding, stream.line_buffering
    if codecs.lookup(encoding).name == "ascii":  # as Python and click hold it: a machine of which no language is known
        encoding = "utf-8"
    buffer = stream.detach() if number == 1 else os.fdopen(number, "wb")
    return kind(buffer, encoding=encoding, errors=UNPRINTABLE, line_buffering=by_line)


def print_pieces(pieces: Iterable[str], *, data: bool) -> None:
    """Print a text as it comes; `data`, such as CSV or a page, in UTF-8 in whatever encoding words are printed."""
    if data and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors=UNPRINTABLE)
    for piece in pieces:
        sys.stdout.write(piece)
        sys.stdout.flush()
