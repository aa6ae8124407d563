"""Show the progress of long work on a terminal, and stay quiet elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@contextmanager
def progress(what: str, *, drawn: bool = True) -> Iterator[Callable[[int, int], None]]:
    """Give a function that takes (done, total) and draws a bar with rate and time left on stderr.

    Nothing is `drawn` where lines are said meanwhile: they would stand behind what is left of the bar.
    """
    if not drawn or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":  # which cannot go back in a line
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task, pace = bar.add_task(what, total=None, rate=""), Pace(time.monotonic())

        def show(done: int, total: int) -> None:
            if pace.begins_with(done, time.monotonic()):  # what was done before tells nothing of what is left
                bar.reset(task, completed=pace.before, total=total)
            bar.update(task, completed=done, total=total, rate=f"{pace.rate(done, time.monotonic()):.1f}/s")

        yield show


@dataclass(slots=True)
class Pace:
    """How quickly work is done: by what was done since it began, not by what an earlier run had done."""

    start: float  # of a clock, in seconds
    before: int = 0  # done when it began
    last: int | None = None

    def begins_with(self, done: int, now: float) -> bool:
        """Take down what is done; say whether this begins the work, or another part of it that counts anew."""
        begins = self.last is None or done < self.last
        if begins:
            self.start, self.before = (self.start if self.last is None else now), max(done - 1, 0)
        self.last = done
        return begins

    def rate(self, done: int, now: float) -> float:
        """Return how much is done in a second."""
        return (done - self.before) / max(now - self.start, 1e-9)
