"""Ask again, later and later, somebody who is away for a while."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to go on asking, and how the pauses between grow; all in seconds."""

    total: float = 120.0
    first: float = 0.2
    longest: float = 5.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random

    def keep_asking(self, ask: Callable[[float], T], *, passes: Callable[[Exception], bool]) -> T:
        """Return what `ask` returns; it is called with the seconds that are left, and again after what passes.

        Each pause is drawn between half of a length and all of it, so that many who wait do not come back at once, and
        the length doubles. What does not pass is raised at once, and what passes is raised when the time is over.
        """
        end = self.clock() + self.total
        length = self.first
        while True:
            try:
                return ask(end - self.clock())
            except Exception as error:
                pause = length * (0.5 + 0.5 * self.chance())
                if not passes(error) or self.clock() + pause >= end:
                    raise
            self.sleep(pause)
            length = min(2 * length, self.longest)
