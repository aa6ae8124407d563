"""Ask again, later and later, somebody who is away for a while."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class Outage:
    """Since when somebody is away, for all threads that ask."""

    on_wait: Callable[[float], None] = lambda left: None  # told once an outage how many seconds it is waited for
    _since: float | None = None  # None: the last answer came
    _said: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def since(self, asked: float) -> float:
        """Return when it began: with the first question, asked at some time, that failed after an answer."""
        with self._lock:
            self._since = asked if self._since is None else min(asked, self._since)
            return self._since

    def wait(self, left: float) -> None:
        """Tell that somebody waits, unless this was told."""
        with self._lock:
            said, self._said = self._said, True
        if not said:
            self.on_wait(left)

    def is_over(self) -> None:
        """Note that an answer came."""
        with self._lock:
            self._since, self._said = None, False


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to go on asking, and how the pauses between grow; all in seconds."""

    total: float = 120.0
    first: float = 0.2
    longest: float = 5.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random

    def keep_asking(
        self, ask: Callable[[float], T], *, passes: Callable[[Exception], bool], outage: Outage | None = None
    ) -> T:
        """Return what `ask` returns; it is called with the seconds that are left, and again after what passes.

        Each pause is drawn between half of a length and all of it, so that many who wait do not come back at once, and
        the length doubles. What does not pass is raised at once, and what passes is raised when the time is over. The
        time counts from the beginning of an outage that is known already: once it is over, each asks once until an
        answer comes.
        """
        outage = outage or Outage()
        asked = self.clock()
        end, length = asked + self.total, self.first
        while True:
            try:
                found = ask(end - asked)
            except Exception as error:
                if not passes(error):
                    raise
                end = outage.since(asked) + self.total
                pause = length * (0.5 + 0.5 * self.chance())
                if self.clock() + pause >= end:
                    raise
                outage.wait(self.total)
            else:
                outage.is_over()
                return found
            self.sleep(pause)
            length, asked = min(2 * length, self.longest), self.clock()
