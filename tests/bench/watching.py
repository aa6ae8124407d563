"""Run a command as a whole, and watch the memory of all its processes while its journal fills."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

EVERY = 1.0  # seconds between two looks
MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Watched:
    """How a command went: its exit status, what it wrote to stderr, and the memory seen after so many records.

    The memory is the sum of the resident memory of its processes, in MB, so what they share counts for each.
    """

    status: int
    said: str
    seconds: float
    curve: tuple[tuple[int, float], ...]

    @property
    def peak(self) -> float:
        """The most memory seen, in MB."""
        return max(memory for _, memory in self.curve)


def watch(*arguments: str, journal: Path) -> Watched:
    """Run `artifact` with these arguments; `journal` is where it puts a record for each photograph."""
    start, curve, records = time.perf_counter(), list[tuple[int, float]](), 0
    command = [sys.executable, "-m", "cli.main", *arguments]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None, "asked for"
        while True:
            records = _records(journal) or records
            curve.append((records, sum(map(_resident, tree_of(process.pid))) / MEGABYTE))
            try:
                _, said = process.communicate(timeout=EVERY)
            except subprocess.TimeoutExpired:
                continue
            return Watched(process.returncode, said, time.perf_counter() - start, tuple(curve))


def tree_of(process: int) -> Iterator[int]:
    """Yield a process and all that it started, as far as they still run."""
    yield process
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            numbers = children.read_text(encoding="ascii").split()
        except OSError:
            continue
        for number in numbers:
            yield from tree_of(int(number))


def _resident(process: int) -> int:
    """Return the resident memory of a process, in bytes; 0 where it has ended."""
    try:
        pages = Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _records(journal: Path) -> int | None:
    """Return how many records a journal has; None where it is not there yet, or not any more."""
    with (
        suppress(sqlite3.Error),
        closing(sqlite3.connect(f"{journal.absolute().as_uri()}?mode=ro", uri=True)) as database,
    ):
        return int(database.execute("SELECT count(*) FROM records").fetchone()[0])
    return None


def thinned(curve: Sequence[tuple[int, float]], most: int = 40) -> list[tuple[int, int]]:
    """Return a curve with no more points than that, its memory in whole MB."""
    step = max(1, -(-len(curve) // most))
    return [(count, round(memory)) for count, memory in curve[::step]]
