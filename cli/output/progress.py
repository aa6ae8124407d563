"""Show the progress of long work on a terminal, and stay quiet elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress


class Showing:
    """Takes what is done, and shows it nowhere."""

    def __call__(self, done: int, total: int) -> None:
        """Take how much is done."""

    def turn_to(self, what: str) -> None:
        """Take what is done from now on, of which nobody knows how much there is."""


class _Bar(Showing):
    """Draws how much is done as a bar, with its rate and the time left."""

    def __init__(self, bar: Progress, what: str) -> None:
        self._bar, self._task = bar, bar.add_task(what, total=None, rate="")
        self._pace = Pace(time.monotonic())

    def __call__(self, done: int, total: int) -> None:
        if self._pace.begins_with(done, time.monotonic()):  # what was done before tells nothing of what is left
            self._bar.reset(self._task, completed=self._pace.before, total=total)
        rate = f"{self._pace.rate(done, time.monotonic()):.1f}/s"
        self._bar.update(self._task, completed=done, total=total, rate=rate)

    def turn_to(self, what: str) -> None:
        self._bar.remove_task(self._task)  # a total that is known cannot be taken back
        self._task = self._bar.add_task(what, total=None, rate="")


@contextmanager
def progress(what: str, *, drawn: bool = True) -> Iterator[Showing]:
    """Give what takes (done, total) and draws a bar with rate and time left on stderr.

    Nothing is `drawn` where lines are said meanwhile: they would stand behind what is left of the bar.
    """
    if not drawn or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":  # which cannot go back in a line
        yield Showing()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, Task, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Count(MofNCompleteColumn):
        """How much is done, where it is known of how much."""

        def render(self, task: Task) -> Text:
            return Text() if task.total is None else super().render(task)

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        Count(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield _Bar(bar, what)


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
