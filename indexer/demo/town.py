"""Genres of towns and coasts."""

import numpy as np

from indexer.demo.scene import Scene, band, box, colours, mix, path
from indexer.demo.things import boat, house

NIGHT = "1a2a63 4f78b8 2a4a86 5a6fa5 1d2f57 f7dc7a f0913f 0a1024 f2f4ff"


def harbour(s: Scene) -> None:
    """Boats before a row of houses."""
    a, sea = s.aspect, s.between(0.42, 0.5)
    s.back(0, 1)
    for k in range(7):
        x = a * k / 7
        house(s, f"house {k}", x, sea + 0.01, a / 7.5, s.between(0.1, 0.2), (8, 6, 2, 5)[k % 4], (5, 4, 7)[k % 3])
    s.add("ground", s.below(sea), 0, 4, light=1.57, grain=1.1)
    for _ in range(14):
        x, y = s.between(0, a), s.between(sea + 0.03, 0.98)
        s.add("ripple", s.blob(x, y, 0.11, 0.008), 1, 8, grain=0.4)
    for k, sail in enumerate((5, 6, 8, 3)):
        near = k * 2 % 4
        boat(s, f"boat {k}", a * (0.16 + 0.23 * k), 0.62 + 0.09 * near, 0.2 + 0.035 * near, sail)


def night(s: Scene) -> None:
    """A town under the moon."""
    a, s.palette = s.aspect, colours(NIGHT)
    s.back(0, 1, flow=0.3)
    x, y = a * s.between(0.25, 0.8), s.between(0.2, 0.28)
    for r in (0.17, 0.13, 0.085):
        glow = mix(s.palette[1], s.palette[5], 1.15 - 5.5 * r)
        s.add("moon", s.blob(x, y, r, r, 0.01), glow, 1 if r > 0.1 else 8, flow=None, grain=0.7)
    for k in range(16):
        r = s.between(0.006, 0.014)
        s.add(f"star {k}", s.blob(s.between(0, a), s.between(0.02, 0.45), r, r), 5, 8, flow=None, grain=0.3)
    s.add("ground", s.ridge(0.68, 0.2, peaks=1.3), 2, 4, flow=0.2)
    for k in range(8):
        house(s, f"house {k}", a * k / 8 + s.between(0, 0.03), s.between(0.76, 0.86), 0.12, s.between(0.08, 0.17), 3, 7)
    s.add("ground", s.ridge(0.95, 0.06), 4, 7, flow=0.1)
    s.add("tree", band(path(a * 0.08, 0.3, a * 0.1, 0.5, a * 0.07, 0.8, a * 0.1, 1.05), 0.11), 7, 4, flow=1.5)


def street(s: Scene) -> None:
    """Facades and people before them."""
    a, x, k = s.aspect, -0.02, 0
    s.back(0, 1)
    while x < a:
        w = s.between(0.16, 0.26)
        _facade(s, k, x, s.between(0.12, 0.34), w)
        x, k = x + w, k + 1
    s.add("ground", s.below(0.86), 2, 4, light=1.57)
    for k in range(6):
        x = a * s.between(0.05, 0.95)
        coat = path(x, 0.8, x + 0.035, 0.93, x - 0.035, 0.93)
        s.add(f"walker {k}", coat, (5, 6, 7, 8)[k % 4], 7, flow=1.5, grain=0.4)
        s.add(f"walker {k}", s.blob(x, 0.79, 0.016, 0.018), (0.85, 0.65, 0.5), grain=0.25)


def _facade(s: Scene, k: int, x: float, top: float, w: float) -> None:
    part = f"facade {k}"
    s.add(part, box(x, top, x + w, 0.86), (5, 6, 8, 3, 2)[k % 5], flow=1.57, light=0.0)
    s.add(part, path(x, top, x + w / 2, top - 0.1, x + w, top), (4, 7, 5)[k % 3], flow=0.8, grain=0.5)
    for row in np.arange(top + 0.06, 0.68, 0.12):
        for column in (0.16, 0.6):
            pane = box(x + column * w, row, x + (column + 0.22) * w, row + 0.07)
            s.add(part, pane, 7, 0, flow=1.57, grain=0.35)
    s.add(part, box(x + 0.38 * w, 0.73, x + 0.62 * w, 0.86), 7, 4, flow=1.57, grain=0.4)


def beach(s: Scene) -> None:
    """Umbrellas on the sand."""
    a, sea = s.aspect, s.between(0.3, 0.38)
    s.back(0, 1)
    s.add("ground", s.below(sea), 0, 2, light=1.57)
    s.add("ground", s.ridge(0.56, 0.05, peaks=1), 8, 8, flow=0.1)
    s.add("ground", s.ridge(0.58, 0.05, peaks=1), (0.93, 0.82, 0.6), (0.85, 0.68, 0.45), flow=0.1, light=1.5)
    for k in range(7):
        _umbrella(s, k, a * (0.1 + 0.14 * k) + s.between(-0.04, 0.04), 0.68 + 0.08 * ((k * 3) % 4))
    boat(s, "boat", a * s.between(0.2, 0.8), sea + 0.03, 0.12, 6)


def _umbrella(s: Scene, k: int, x: float, y: float) -> None:
    part, r = f"umbrella {k}", 0.06 + 0.1 * (y - 0.5)
    s.add(part, s.blob(x + r, y + 1.1 * r, r, 0.2 * r), 2, 7, grain=0.4)
    s.add(part, box(x - 0.005, y - r, x + 0.005, y + 1.1 * r), 7, flow=1.57, grain=0.3)
    for j in range(5):
        one, two = x + (0.6 * j - 1.5) * r, x + (0.6 * j - 0.9) * r
        wedge = path(x, y - r, x + 0.7 * (one - x), y - 0.75 * r, one, y, two, y, x + 0.7 * (two - x), y - 0.75 * r)
        s.add(part, wedge, 8 if j % 2 else (5, 6, 4)[k % 3], flow=1.57, grain=0.4)


def lighthouse(s: Scene) -> None:
    """A lighthouse on a rock."""
    a, x = s.aspect, s.aspect * s.between(0.55, 0.75)
    s.back(0, 1, flow=0.2)
    s.add("beam", path(x, 0.2, -0.05, 0.02, -0.05, 0.26), 6, 1, flow=0.15, light=np.pi)
    for k, y in enumerate((0.58, 0.68, 0.78, 0.88)):
        s.add("ground", s.ridge(y, 0.05, peaks=3 + k), (2, 3, 0, 4)[k], (4, 7)[k % 2], flow=0.3, light=1.5)
        for _ in range(6):
            foam = s.blob(s.between(0, a), y + s.between(-0.04, 0.05), 0.07, 0.012, 0.15)
            s.add("foam", foam, 8, 1, flow=0.1, grain=0.5)
    s.add("rock", s.blob(x + 0.03, 0.92, 0.34, 0.24, 0.15), 7, 4, flow=0.9)
    for k in range(5):
        top, low, w = 0.26 + 0.09 * k, 0.35 + 0.09 * k, 0.05 + 0.008 * k
        storey = path(x - w, top, x + w, top, x + w + 0.008, low, x - w - 0.008, low)
        s.add("tower", storey, 8 if k % 2 else 5, flow=1.57, light=0.0, grain=0.6)
    s.add("tower", box(x - 0.04, 0.18, x + 0.04, 0.26), 6, 8, flow=1.57, grain=0.4)
    s.add("tower", path(x - 0.06, 0.18, x, 0.1, x + 0.06, 0.18), 7, grain=0.4)
