"""Genres without a horizon, painted from edge to edge."""

from itertools import pairwise

from indexer.demo.scene import Scene, band, box, moved, path
from indexer.demo.things import flower


def blocks(s: Scene) -> None:
    """Rectangles between bars."""
    s.back(8, 1)
    a, xs, ys = s.aspect, [0.0], [0.0]
    while xs[-1] < a:
        xs.append(xs[-1] + s.between(0.13, 0.38))
    while ys[-1] < 1:
        ys.append(ys[-1] + s.between(0.13, 0.34))
    for i, (left, right) in enumerate(pairwise(xs)):
        for j, (top, low) in enumerate(pairwise(ys)):
            colour = int(s.random.choice([8, 8, 5, 6, 0, 4, 1, 3]))
            s.add(f"block {i}.{j}", box(left, top, right, low), colour, colour, flow=1.57 * ((i + j) % 2))
    for x in xs[1:]:
        s.add("ground", box(x - 0.012, -0.01, x + 0.012, 1.01), 7, flow=1.57, grain=0.5)
    for y in ys[1:]:
        s.add("ground", box(-0.01, y - 0.012, a + 0.01, y + 0.012), 7, grain=0.5)


def circles(s: Scene) -> None:
    """Rings in a grid."""
    a = s.aspect
    s.back(7, 4, flow=None)
    rows, columns = 3, max(2, round(3 * a))
    for i in range(rows):
        for j in range(columns):
            x, y, side = a * (j + 0.5) / columns, (i + 0.5) / rows, min(a / columns, 1 / rows)
            tile = box(x - a / columns / 2, y - 0.5 / rows, x + a / columns / 2, y + 0.5 / rows)
            s.add("ground", tile, int(s.random.integers(0, 9)), flow=1.57 * ((i + j) % 2))
            for r in (0.48, 0.36, 0.24, 0.12):
                r *= side * s.between(0.85, 1.02)
                s.add(f"circle {i}.{j}", s.blob(x, y, r, r, 0.03), int(s.random.integers(0, 9)), flow=None, grain=0.6)


def sunflower(s: Scene) -> None:
    """Sunflowers that fill the picture."""
    a = s.aspect
    s.back(0, 3, flow=0.9)
    for x, y, r in ((0.3, 0.36, 0.3), (0.74, 0.62, 0.28), (0.78, 0.18, 0.17), (0.22, 0.82, 0.16)):
        x, y = a * x + s.between(-0.04, 0.04), y + s.between(-0.04, 0.04)
        s.add(f"stem {x:.2f}", band(path(x, y, x + 0.03, y + 0.4, x - 0.02, 1.1), 0.035), 4, flow=1.57, grain=0.6)
        for side in (-1, 1):
            leaf = s.blob(x + side * 0.12, min(y + r + 0.1, 0.95), 0.12, 0.05, 0.08)
            s.add(f"stem {x:.2f}", leaf, 3, 4, flow=side * 0.4, grain=0.7)
        flower(s, f"flower {x:.2f}", x, y, r, colour=6, heart=7, petals=15)


def lilies(s: Scene) -> None:
    """Water lilies."""
    a = s.aspect
    s.back(2, 4)
    for _ in range(26):
        x, y = s.between(0, a), s.between(0, 1)
        s.add("ground", s.blob(x, y, s.between(0.06, 0.2), 0.02), int(s.random.choice([0, 1, 3, 4])), grain=0.8)
    for k in range(13):
        y = 0.06 + 0.07 * k + s.between(-0.02, 0.02)
        x, r = s.between(0.05, a - 0.05), 0.05 + 0.09 * y
        s.add(f"lily {k}", s.blob(x, y, 1.5 * r, 0.6 * r), 3, 4, flow=None, light=1.2, grain=0.7)
        if k % 2 == 0:
            for j in (-1.0, -0.5, 0.5, 1.0, 0.0):
                half = 0.5 * j
                petal = path(0, 0, half - 0.2, -0.5, 0.9 * j, abs(half) - 1.1, half + 0.2, -0.5) * r
                s.add(f"lily {k}", moved(petal, x, y), 8 if k % 4 else 6, 5, flow=1.57 + half, light=1.57, grain=0.4)


def bird(s: Scene) -> None:
    """A bird on a branch."""
    a, x, y = s.aspect, s.aspect * s.between(0.4, 0.58), s.between(0.42, 0.5)
    s.back(8, 1, flow=0.4)
    branch = path(-0.05, 0.86, a * 0.35, 0.74, a * 0.7, 0.76, a + 0.05, 0.6)
    s.add("branch", band(branch, 0.045), 7, 3, flow=-0.2, grain=0.6)
    for k in range(9):
        lx, side = a * (k + 0.5) / 9, 1 if k % 2 else -1
        ly = 0.77 + 0.07 * side - 0.06 * k / 9
        s.add(f"leaf {k}", s.blob(lx, ly, 0.075, 0.03, 0.1), 3, 4, flow=0.5 * side, grain=0.5)
        s.add(f"blossom {k}", s.blob(lx + 0.05, ly - 0.1 * side, 0.035, 0.035, 0.2), 5, 8, flow=None, grain=0.4)
    _plumage(s, x, y)
    for dx in (-0.03, 0.04):
        s.add("bird", box(x + dx, y + 0.24, x + dx + 0.012, 0.76), 7, flow=1.57, grain=0.3)


def _plumage(s: Scene, x: float, y: float) -> None:
    s.add("bird", path(x + 0.12, y + 0.1, x + 0.46, y + 0.2, x + 0.43, y + 0.27, x + 0.1, y + 0.22), 4, 7, flow=0.3)
    s.add("bird", s.blob(x, y + 0.1, 0.23, 0.17, 0.02), 5, 6, flow=0.7, light=1.2)
    s.add("bird", s.blob(x - 0.17, y - 0.06, 0.12, 0.11, 0.01), 6, 5, flow=None, grain=0.7)
    s.add("bird", path(x - 0.27, y - 0.08, x - 0.38, y - 0.03, x - 0.27, y - 0.02), 7, grain=0.4)
    s.add("bird", s.blob(x - 0.2, y - 0.08, 0.02, 0.02, 0.0), 8, 8, grain=0.2)
    s.add("bird", s.blob(x - 0.203, y - 0.08, 0.011, 0.011, 0.0), (0.05, 0.05, 0.05), grain=0.2)
    for k, colour in enumerate((4, 0, 3)):
        wing = s.blob(x + 0.08 + 0.04 * k, y + 0.07 + 0.04 * k, 0.15 - 0.02 * k, 0.06, 0.03)
        s.add("bird", wing, colour, 7, flow=0.4, grain=0.6)
