"""Lay out curves and histograms as SVG, which reads on a screen, by night, and on paper."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist

MOST_POINTS = 400

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Area:
    """The area of a chart in pixels, and the sides of the plot within the area."""

    width: int = 420
    height: int = 300
    left: int = 56
    right: int = 406
    top: int = 12
    bottom: int = 256


AREA = Area()
INSIDE, TALL = AREA.right - AREA.left, AREA.bottom - AREA.top


def probit(share: float) -> float:
    """Return the normal deviate of a share, the scale of a DET plot (Martin et al., Eurospeech 1997)."""
    return NormalDist().inv_cdf(share)


def span(values: Sequence[float]) -> tuple[float, float]:
    """Return the ends of an axis around some values, with room; not below 0, and not above 1 for shares."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    room = 0.08 * (high - low) or 0.1 * abs(high) or 0.1
    return max(low - room, min(low, 0.0)), min(high + room, 1.0) if high <= 1 and low < 1 else high + room


def round_values(low: float, high: float, count: int) -> list[float]:
    """Return about `count` round values within an axis, 1, 2 or 5 times a power of ten apart."""
    power = 10.0 ** math.floor(math.log10((high - low) / count))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor * count >= (high - low) * 0.999)
    return [step * number for number in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


@dataclass(frozen=True, slots=True)
class Axis:
    """A scale: its name, its ends, and its ticks, each a value with the text beside the tick."""

    name: str
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    scale: Callable[[float], float] = float  # of values that are clipped to the ends

    def place(self, value: float) -> float:
        """Return where a value lies, 0 at the low end to 1 at the high one."""
        low, high, at = (self.scale(min(max(v, self.low), self.high)) for v in (self.low, self.high, value))
        return (at - low) / (high - low)


@dataclass(frozen=True, slots=True)
class Mark:
    """What is drawn between the axes, in pixels from the top left; the template knows the shapes."""

    shape: str
    kind: str
    x: float = 0.0
    y: float = 0.0
    width: float = 0.0
    height: float = 0.0
    path: str = ""
    said: str = ""

    @property
    def is_far_right(self) -> bool:
        """Whether words have more room on the left."""
        return self.x > 0.6 * AREA.width


@dataclass(frozen=True, slots=True)
class Plane:
    """Two axes, and what can be drawn between them."""

    x: Axis
    y: Axis

    def across(self, value: float) -> float:
        """Return how far from the left a value of x lies."""
        return AREA.left + INSIDE * self.x.place(value)

    def down(self, value: float) -> float:
        """Return how far from the top a value of y lies."""
        return AREA.bottom - TALL * self.y.place(value)

    def line(self, points: Sequence[Point], kind: str) -> Mark:
        """Return a line through points, thinned to what can be seen."""
        step = max(1, len(points) // MOST_POINTS)
        shown = [*points[::step], points[-1]] if step > 1 else points
        path = "L".join(f"{self.across(at):.1f} {self.down(value):.1f}" for at, value in shown)
        return Mark("line", kind, path=f"M{path}")

    def dot(self, point: Point, kind: str, *, radius: float = 4) -> Mark:
        """Return a marked point."""
        return Mark("dot", kind, self.across(point[0]), self.down(point[1]), radius)

    def marker(self, value: float, said: str, kind: str = "marker") -> Mark:
        """Return a line across the plot at a value of x, with words."""
        return Mark("marker", kind, self.across(value), said=said)

    def bars(self, heights: Sequence[float], kind: str, *, slot: int, slots: int) -> Iterator[Mark]:
        """Yield the bars of one of several kinds side by side, over equal steps of x."""
        width = INSIDE / len(heights)
        for number, height in enumerate(heights):
            if height > 0:
                left, top = AREA.left + width * (number + 0.08 + 0.84 * slot / slots), self.down(height)
                yield Mark("bar", kind, left, top, 0.84 * width / slots, AREA.bottom - top)


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart: its title, its axes, what is drawn between them, and kinds with their words."""

    title: str
    plane: Plane
    marks: Sequence[Mark]
    legend: Sequence[tuple[str, str]]
    note: str = ""  # beside the title
    said: str = ""  # in place of the title, for readers who do not see the chart

    @property
    def ticks_across(self) -> list[tuple[float, str]]:
        """The ticks of x, each by how far from the left the tick lies."""
        return [(self.plane.across(at), text) for at, text in self.plane.x.ticks]

    @property
    def ticks_down(self) -> list[tuple[float, str]]:
        """The ticks of y, each by how far from the top the tick lies."""
        return [(self.plane.down(at), text) for at, text in self.plane.y.ticks]
