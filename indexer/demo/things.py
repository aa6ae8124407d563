"""Things that stand in more than one genre."""

import numpy as np

from indexer.demo.scene import Scene, box, mix, moved, path, turned

PETAL = path(0.25, -0.07, 0.6, -0.2, 0.95, -0.1, 1.05, 0, 0.95, 0.1, 0.6, 0.2, 0.25, 0.07)


def tree(s: Scene, part: str, x: float, y: float, size: float, colour: int) -> None:
    """A trunk and a crown."""
    s.add(part, box(x - 0.06 * size, y - 0.5 * size, x + 0.06 * size, y), 7, flow=1.57, grain=0.5)
    for dx, dy, r in ((-0.2, -0.6, 0.26), (0.22, -0.65, 0.26), (0, -0.9, 0.3)):
        crown = s.blob(x + dx * size, y + dy * size, r * size, r * size, 0.1)
        s.add(part, crown, colour, flow=None, light=1.0, grain=0.7)


def house(s: Scene, part: str, x: float, y: float, w: float, h: float, wall: int, roof: int) -> None:
    """A gabled house with a door and windows."""
    s.add(part, box(x, y - h, x + w, y), wall, flow=1.57, light=0.0, grain=0.6)
    s.add(part, path(x - 0.1 * w, y - h, x + 0.5 * w, y - 1.6 * h, x + 1.1 * w, y - h), roof, flow=1.0, grain=0.5)
    s.add(part, box(x + 0.4 * w, y - 0.5 * h, x + 0.62 * w, y), 7, flow=1.57, grain=0.3)
    for k in (0.12, 0.72):
        s.add(part, box(x + k * w, y - 0.75 * h, x + (k + 0.17) * w, y - 0.45 * h), 6, grain=0.3)


def boat(s: Scene, part: str, x: float, y: float, size: float, sail: int) -> None:
    """A sailing boat."""
    left, right, deck, keel = x - 0.5 * size, x + 0.55 * size, y - 0.12 * size, y + 0.1 * size
    s.add(part, path(left, deck, right, deck, x + 0.35 * size, keel, x - 0.35 * size, keel), 7, grain=0.5)
    s.add(part, box(x - 0.015 * size, y - 1.2 * size, x + 0.015 * size, y - 0.1 * size), 7, flow=1.57, grain=0.3)
    fore, aft, low = x + 0.04 * size, x - 0.04 * size, y - 0.2 * size
    s.add(part, path(fore, y - 1.15 * size, x + 0.5 * size, low, fore, low), sail, flow=1.1, grain=0.6)
    s.add(part, path(aft, y - size, x - 0.4 * size, low, aft, low), 8, sail, flow=2.0, grain=0.6)


def flower(s: Scene, part: str, x: float, y: float, r: float, *, colour: int, heart: int, petals: int) -> None:
    """A daisy seen from the front."""
    turn = s.between(0, 1)
    for k in range(petals):
        angle = turn + 2 * np.pi * k / petals
        shade = mix(s.palette[colour], s.palette[5], 0.45 if k % 2 else 0.15)
        petal = moved(turned(PETAL * r, angle), x, y)
        s.add(part, petal, colour, shade, flow=angle, light=angle + np.pi, grain=0.55)
    s.add(part, s.blob(x, y, 0.34 * r, 0.34 * r), heart, 7, flow=None, grain=0.4)
