"""Genres in the open country."""

import numpy as np

from indexer.demo.scene import Scene, band, box, moved, path, turned
from indexer.demo.things import house, tree


def hills(s: Scene) -> None:
    """Hills with houses, trees and a sun."""
    a = s.aspect
    s.back(0, 1)
    s.add("sun", s.blob(a * s.between(0.15, 0.85), s.between(0.14, 0.25), 0.085, 0.085, 0.01), 6, 5, flow=None)
    s.add("ground", s.ridge(0.55, 0.16, peaks=1.5), 2, 3, flow=0.2, light=1.5)
    s.add("ground", s.ridge(0.72, 0.14, peaks=1.2), 3, 4, flow=-0.3, light=1.5)
    for k in range(3):
        house(s, f"house {k}", a * (0.12 + 0.28 * k) + s.between(0, 0.08), 0.72 + 0.03 * k, 0.13, 0.09, 8, 5)
    s.add("ground", s.ridge(0.9, 0.1, peaks=1), 4, 7, flow=0.3, light=1.5)
    for k in range(4):
        tree(s, f"tree {k}", a * s.between(0.22 * k + 0.05, 0.22 * k + 0.2), s.between(0.82, 0.95), 0.27, 4)


def mountains(s: Scene) -> None:
    """Peaks, firs and a lake."""
    a, shore = s.aspect, s.between(0.56, 0.62)
    s.back(0, 1)
    s.add("ground", s.ridge(shore, 0.42, peaks=1.7, sharp=True), 8, 3, flow=1.0, light=1.4)
    s.add("ground", s.ridge(shore + 0.02, 0.22, peaks=3.2, sharp=True), 3, 4, flow=1.0, light=1.4)
    s.add("ground", s.below(shore), 1, 4, light=1.57)
    for _ in range(22):
        x, y = s.between(0, a), s.between(shore + 0.02, 0.99)
        s.add("ripple", s.blob(x, y, s.between(0.05, 0.2), 0.009), int(s.random.choice([0, 2, 8])), grain=0.5)
    for k in range(9):
        x, y, h = a * s.between(0, 1), shore + s.between(0, 0.05), s.between(0.1, 0.2)
        s.add(f"fir {k}", path(x, y - h, x + 0.28 * h, y, x - 0.28 * h, y), 4, 7, flow=1.1, grain=0.5)


def birches(s: Scene) -> None:
    """Trunks and a few leaves."""
    a = s.aspect
    s.back(1, 6, flow=0.5)
    s.add("ground", s.ridge(0.45, 0.15, peaks=3), 2, 3, flow=1.3)
    s.add("ground", s.ridge(0.8, 0.06), 3, 4, flow=0.1, light=1.5)
    for k in range(11):
        x, w = a * (k + 0.5) / 11 + s.between(-0.05, 0.05), s.between(0.022, 0.055)
        foot, lean = 0.78 + 3.2 * (w - 0.02), s.between(-0.05, 0.05)
        s.add(f"trunk {k}", box(x, -0.02, x + w, foot, lean=lean), 8, 2, flow=1.57, light=0.0, grain=0.6)
        for y in np.arange(s.between(0, 0.1), foot - 0.05, 0.1):
            left = x + lean * (1 - y / foot)
            s.add(f"trunk {k}", path(left, y, left + 0.7 * w, y + 0.01, left, y + 0.025), 7, 7, grain=0.3)
    for _ in range(26):
        leaf = s.blob(s.between(0, a), s.between(0, 0.28), 0.05, 0.035, 0.15)
        s.add("leaves", leaf, (5, 6)[int(s.random.integers(2))], 3, flow=0.8, grain=0.5)


def balloons(s: Scene) -> None:
    """Balloons over low hills."""
    a = s.aspect
    s.back(0, 1)
    for _ in range(7):
        x, y = s.between(0, a), s.between(0.05, 0.6)
        for dx in (-0.06, 0, 0.06):
            s.add("cloud", s.blob(x + dx, y - 0.02 * (dx == 0), 0.07, 0.04), 8, 1, flow=0.1)
    s.add("ground", s.ridge(0.92, 0.08), 3, 4, flow=0.2)
    for k, (x, y, r) in enumerate(((0.3, 0.36, 0.21), (0.74, 0.55, 0.15), (0.66, 0.17, 0.1), (0.12, 0.72, 0.07))):
        _balloon(s, k, a * x + s.between(-0.04, 0.04), y + s.between(-0.04, 0.04), r)


def _balloon(s: Scene, k: int, x: float, y: float, r: float) -> None:
    part = f"balloon {k}"
    s.add(part, box(x - 0.16 * r, y + 1.45 * r, x + 0.16 * r, y + 1.7 * r), 7, grain=0.4)
    for side in (-1, 1):
        rope = band(path(x + side * 0.4 * r, y + 0.9 * r, x + side * 0.15 * r, y + 1.5 * r), 0.006)
        s.add(part, rope, 7, grain=0.3)
    envelope = s.blob(x, y, r, r * 1.08, 0.0)
    envelope[:, 0] -= (envelope[:, 0] - x) * np.clip((envelope[:, 1] - y) / r, 0, 1) * 0.55
    for j, share in enumerate((1.0, 0.62, 0.24)):
        stripe = np.stack([x + (envelope[:, 0] - x) * share, envelope[:, 1]], 1)
        s.add(part, stripe, (5, 6, 4, 8)[(j + k) % 4], flow=1.57, light=0.0, grain=0.7)


def windmill(s: Scene) -> None:
    """A windmill behind rows of tulips."""
    a, x = s.aspect, s.aspect * s.between(0.35, 0.65)
    rows = (5, 4, 6, 3, 8)
    s.back(0, 1)
    for k in range(9):
        y = 0.62 + 0.045 * k
        s.add("ground", s.below(y), rows[k % 5], light=1.5, grain=0.7)
        for fx in np.arange(0.02, a, 0.05 + 0.008 * k):
            tulip = s.blob(fx + 0.01 * (k % 3), y + 0.016, 0.01 + 0.001 * k, 0.016)
            s.add("tulips", tulip, rows[(k + 2) % 5], flow=1.57, grain=0.3)
    s.add("mill", path(x - 0.08, 0.32, x + 0.08, 0.32, x + 0.13, 0.68, x - 0.13, 0.68), 7, 3, flow=1.57, light=np.pi)
    s.add("mill", path(x - 0.09, 0.33, x, 0.2, x + 0.09, 0.33), 5, grain=0.6)
    turn = s.between(0.2, 1.3)
    for angle in (turn + 1.571 * k for k in range(4)):
        sail = turned(path(0.03, -0.01, 0.32, -0.01, 0.32, 0.07, 0.06, 0.07), angle)
        s.add("mill", moved(sail, x, 0.3), 8, 6, flow=angle, grain=0.5)


def desert(s: Scene) -> None:
    """Pyramids and cacti."""
    a = s.aspect
    s.back(5, 6, flow=0.1)
    s.add("sun", s.blob(a * s.between(0.25, 0.75), 0.34, 0.16, 0.16, 0.0), 8, 6, flow=None)
    for x, y, w in ((0.2, 0.62, 0.3), (0.62, 0.64, 0.42)):
        x = a * x + s.between(-0.08, 0.08)
        s.add(f"pyramid {w}", path(x, y - w * 0.7, x + 0.15 * w, y, x - w * 0.6, y), 6, 3, flow=2.0, grain=0.7)
        s.add(f"pyramid {w}", path(x, y - w * 0.7, x + w * 0.6, y, x + 0.15 * w, y), 7, 4, flow=1.0, grain=0.7)
    s.add("ground", s.ridge(0.68, 0.07, peaks=1.4), 6, 3, flow=0.2, light=1.5)
    s.add("ground", s.ridge(0.88, 0.12, peaks=0.9), 3, 4, flow=-0.2, light=1.5)
    for k in range(3):
        x, h = a * (0.12 + 0.36 * k) + s.between(-0.05, 0.05), s.between(0.22, 0.36)
        y = 0.8 + 0.07 * (k % 2)
        trunk = path(x, y, x, y - h)
        left = path(x, y - 0.4 * h, x - 0.3 * h, y - 0.45 * h, x - 0.3 * h, y - 0.8 * h)
        right = path(x, y - 0.3 * h, x + 0.28 * h, y - 0.35 * h, x + 0.28 * h, y - 0.65 * h)
        green, dark = (0.16, 0.45, 0.27), (0.05, 0.2, 0.16)
        for arm in (trunk, left, right):
            s.add(f"cactus {k}", band(arm, 0.2 * h), green, dark, flow=1.57, light=0.0, grain=0.5)
