"""Draw curves and histograms as SVG that reads on a screen, by night, and on paper."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from cli.output.text import escaped

WIDTH, HEIGHT = 420, 300
LEFT, RIGHT, TOP, BOTTOM = 56, 14, 12, 44
MOST_POINTS = 400

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Axis:
    """A scale: its name, its ends, and its ticks with what is written at them."""

    name: str
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    scale: Callable[[float], float] = float  # values are clipped to the ends, then put through this

    def place(self, value: float) -> float:
        """Return where a value lies, 0 at the low end to 1 at the high one."""
        low, high, at = (self.scale(min(max(v, self.low), self.high)) for v in (self.low, self.high, value))
        return (at - low) / (high - low)


def probit(share: float) -> float:
    """Return the normal deviate of a share, the scale of a DET plot (Martin et al., Eurospeech 1997).

    By bisection of the error function.
    """
    low, high = -8.0, 8.0
    for _ in range(60):
        middle = (low + high) / 2
        if (1 + math.erf(middle / math.sqrt(2))) / 2 < share:
            low = middle
        else:
            high = middle
    return low


def plot(title: str, x: Axis, y: Axis, drawn: Iterable[str], legend: Sequence[tuple[str, str]]) -> str:
    """Return a figure with its axes; `drawn` is what lies between them, `legend` classes with their words."""
    grid = "".join(_tick_x(x, at, text) for at, text in x.ticks) + "".join(_tick_y(y, at, text) for at, text in y.ticks)
    keys = "".join(f'<span class="{kind}"><i></i>{escaped(said)}</span>' for kind, said in legend)
    middle = TOP + (HEIGHT - TOP - BOTTOM) / 2
    names = (
        f'<text class="name" x="{LEFT + (WIDTH - LEFT - RIGHT) / 2:.0f}" y="{HEIGHT - 6}">{escaped(x.name)}</text>'
        f'<text class="name" transform="translate(13 {middle:.0f}) rotate(-90)">{escaped(y.name)}</text>'
    )
    return (
        f'<figure class="plot"><figcaption>{escaped(title)}</figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escaped(title)}">'
        f"{grid}{names}{''.join(drawn)}</svg>"
        f'<p class="legend">{keys}</p></figure>\n'
    )


def _across(x: Axis, value: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * x.place(value)


def _down(y: Axis, value: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * y.place(value)


def _tick_x(x: Axis, at: float, text: str) -> str:
    place, foot = _across(x, at), HEIGHT - BOTTOM
    return (
        f'<line class="grid" x1="{place:.1f}" x2="{place:.1f}" y1="{TOP}" y2="{foot}"/>'
        f'<text class="tick" x="{place:.1f}" y="{foot + 15}" text-anchor="middle">{escaped(text)}</text>'
    )


def _tick_y(y: Axis, at: float, text: str) -> str:
    place = _down(y, at)
    return (
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{place:.1f}" y2="{place:.1f}"/>'
        f'<text class="tick" x="{LEFT - 6}" y="{place + 4:.1f}" text-anchor="end">{escaped(text)}</text>'
    )


def line(x: Axis, y: Axis, points: Sequence[Point], kind: str) -> str:
    """Return a line through points, thinned to what can be seen."""
    step = max(1, len(points) // MOST_POINTS)
    shown = [*points[::step], points[-1]] if step > 1 else points
    path = "L".join(f"{_across(x, at):.1f} {_down(y, value):.1f}" for at, value in shown)
    return f'<path class="line {kind}" d="M{path}"/>'


def dot(x: Axis, y: Axis, point: Point, kind: str) -> str:
    """Return a marked point."""
    return f'<circle class="dot {kind}" cx="{_across(x, point[0]):.1f}" cy="{_down(y, point[1]):.1f}" r="4"></circle>'


def marker(x: Axis, value: float, said: str) -> str:
    """Return a line across the plot at a value of x, with words."""
    place = _across(x, value)
    anchor, shift = ("end", -5) if place > WIDTH * 0.6 else ("start", 5)
    return (
        f'<line class="marker" x1="{place:.1f}" x2="{place:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
        f'<text class="said" x="{place + shift:.1f}" y="{TOP + 12}" text-anchor="{anchor}">{escaped(said)}</text>'
    )


def bars(x: Axis, y: Axis, heights: Sequence[float], kind: str, *, slot: int, slots: int) -> str:
    """Return the bars of one of several kinds side by side, over equal steps of x."""
    width = (WIDTH - LEFT - RIGHT) / len(heights)
    found = ""
    for number, height in enumerate(heights):
        if height > 0:
            top, left = _down(y, height), LEFT + width * (number + 0.08 + 0.84 * slot / slots)
            found += (
                f'<rect class="bar {kind}" x="{left:.1f}" y="{top:.1f}" width="{0.84 * width / slots:.1f}" '
                f'height="{HEIGHT - BOTTOM - top:.1f}"/>'
            )
    return found
