"""Genres under a roof."""

import numpy as np

from indexer.demo.scene import Colour, Scene, band, box, mix, moved, path
from indexer.demo.things import flower


def still_life(s: Scene) -> None:
    """A vase of flowers and fruit on a table."""
    a, table = s.aspect, s.between(0.6, 0.66)
    s.back(2, 4, flow=0.8)
    s.add("ground", path(0, 0, a * 0.3, 0, a * 0.16, table, 0, table + 0.05), 5, 7, flow=1.4, light=0.0)
    s.add("ground", s.below(table), 8, 1, light=1.57, grain=1.2)
    x = a * s.between(0.35, 0.6)
    for k in range(6):
        place = x + s.between(-0.2, 0.2), s.between(0.14, 0.36)
        flower(s, f"bloom {k}", *place, 0.095, colour=(5, 6, 8)[k % 3], heart=3, petals=8)
    left = path(-0.08, 0.76, -0.14, 0.58, -0.05, 0.44, -0.05, 0.36)
    vase = np.concatenate([left, (left * [-1, 1])[::-1]])
    s.add("vase", moved(vase, x, 0), 0, 7, flow=1.57, light=0.0, grain=0.7)
    for k in range(6):
        x, y, r = a * (0.12 + 0.15 * k) + s.between(-0.03, 0.03), s.between(0.76, 0.86), s.between(0.06, 0.085)
        s.add(f"fruit {k}", s.blob(x + 0.02, y + 0.8 * r, 1.2 * r, 0.3 * r), 2, 4, grain=0.5)
        s.add(f"fruit {k}", s.blob(x, y, r, r, 0.03), 6 if k % 2 else 5, flow=None, light=0.8, grain=0.6)


def portrait(s: Scene) -> None:
    """Head and shoulders."""
    x = s.aspect * s.between(0.44, 0.56)
    skin, w = mix((0.93, 0.73, 0.58), s.palette[2], s.between(0, 0.35)), s.between(0.15, 0.18)
    s.back(2, 4, flow=None)
    s.add("hair", s.blob(x, 0.36, w * 1.35, 0.27, 0.06), 7, 4, flow=1.5)
    coat = path(-0.1, 0.64, 0.1, 0.64, 0.3, 0.74, 0.4, 1.03, -0.4, 1.03, -0.3, 0.74)
    s.add("coat", moved(coat, x, 0), 5, 7, flow=1.2, light=0.3)
    neck = path(-0.07, 0.52, 0.07, 0.52, 0.09, 0.67, 0, 0.76, -0.09, 0.67)
    s.add("coat", moved(neck, x, 0), skin, flow=1.57, grain=0.6)
    _face(s, x, w, skin)
    if s.random.random() < 0.6:
        s.add("hat", s.blob(x, 0.2, w * 1.8, 0.045, 0.02), 6, 3, grain=0.6)
        s.add("hat", s.blob(x, 0.135, w * 0.95, 0.1, 0.05), 6, 3, flow=0.3, grain=0.7)
    scarf = path(-0.15, 0.66, -0.05, 0.73, 0.07, 0.72, 0.16, 0.65)
    s.add("scarf", band(moved(scarf, x, 0), 0.05), 6, 3, flow=0.2, grain=0.6)


def _face(s: Scene, x: float, w: float, skin: Colour) -> None:
    s.add("face", s.blob(x, 0.38, w, 0.215, 0.015), skin, mix(skin, s.palette[5], 0.4), flow=1.4, light=0.1, grain=0.6)
    s.add("face", s.blob(x, 0.22, w, 0.085, 0.05), 7, 4, flow=0.2, grain=0.5)
    for side in (-1, 1):
        eye, cheek = x + side * w * 0.43, x + side * w * 0.62
        s.add("face", s.blob(eye, 0.365, 0.034, 0.016, 0.02), 8, 8, grain=0.25)
        s.add("face", s.blob(eye, 0.366, 0.015, 0.016, 0.02), 7, 4, grain=0.2)
        s.add("face", box(eye - 0.04, 0.318, eye + 0.04, 0.332), 7, grain=0.3)
        s.add("face", s.blob(cheek, 0.45, 0.035, 0.025), mix(skin, s.palette[5], 0.45), flow=None, grain=0.4)
    s.add("face", path(x, 0.37, x + 0.028, 0.455, x - 0.012, 0.46), mix(skin, s.palette[7], 0.35), flow=1.4, grain=0.3)
    s.add("face", s.blob(x, 0.515, 0.05, 0.016, 0.04), 5, 7, grain=0.3)


def cat(s: Scene) -> None:
    """A sitting cat."""
    a, x = s.aspect, s.aspect * s.between(0.42, 0.58)
    fur = s.palette[int(s.random.choice([6, 7, 3]))]
    dark, pale = mix(fur, s.palette[7], 0.5), mix(fur, s.palette[8], 0.5)
    s.back(1, 2, flow=0.7)
    for k in np.arange(0.05, a, 0.14):
        s.add("ground", box(k, -0.02, k + 0.05, 0.7), 2, 0, flow=1.57, grain=0.7)
    s.add("cushion", s.blob(x, 0.86, 0.42, 0.13, 0.04), 5, 7, light=1.5)
    tail = path(x + 0.2, 0.8, x + 0.36, 0.74, x + 0.38, 0.55, x + 0.31, 0.45)
    s.add("tail", band(tail, 0.065), fur, dark, flow=1.2)
    s.add("cat", s.blob(x, 0.66, 0.23, 0.23, 0.03), fur, dark, flow=1.4, light=0.5)
    for side in (-1, 1):
        ear = path(x + side * 0.05, 0.25, x + side * 0.16, 0.1, x + side * 0.17, 0.32)
        s.add("cat", ear, fur, 5, flow=1.5, grain=0.5)
        s.add("cat", s.blob(x + side * 0.08, 0.85, 0.06, 0.05), pale, flow=1.5, grain=0.5)
    _muzzle(s, x, fur)


def _muzzle(s: Scene, x: float, fur: Colour) -> None:
    light, dark = mix(fur, s.palette[8], 0.15), mix(fur, s.palette[7], 0.35)
    s.add("cat", s.blob(x, 0.34, 0.18, 0.15, 0.02), light, dark, flow=None, light=1.2, grain=0.7)
    for side in (-1, 1):
        s.add("cat", s.blob(x + side * 0.075, 0.32, 0.036, 0.028, 0.01), (0.75, 0.85, 0.3), grain=0.3)
        s.add("cat", s.blob(x + side * 0.075, 0.32, 0.01, 0.026, 0.01), (0.05, 0.05, 0.05), flow=1.57, grain=0.2)
        for dy in (-0.02, 0.01, 0.04):
            whisker = path(x + side * 0.05, 0.4, x + side * 0.24, 0.39 + dy, x + side * 0.24, 0.394 + dy)
            s.add("cat", whisker, 8, 8, grain=0.2)
    s.add("cat", path(x - 0.02, 0.375, x + 0.02, 0.375, x, 0.4), 5, 5, grain=0.3)


def window(s: Scene) -> None:
    """A chair beside a window."""
    a, x = s.aspect, s.aspect * s.between(0.3, 0.42)
    s.back(5, 7, flow=1.3)
    for left in np.arange(0.06, a, 0.16):
        for y in np.arange(0.08, 0.75, 0.16):
            s.add("paper", s.blob(left, y, 0.025, 0.035, 0.1), 6, 5, flow=None, grain=0.4)
    s.add("window", box(x - 0.27, 0.06, x + 0.27, 0.62), 8, 1, flow=1.57, grain=0.7)
    s.add("window", box(x - 0.24, 0.09, x + 0.24, 0.59), 1, 8, light=1.57)
    s.add("window", s.blob(x - 0.1, 0.55, 0.16, 0.1), 3, 4, flow=0.4, grain=0.6)
    s.add("window", s.blob(x + 0.14, 0.54, 0.11, 0.16), 4, 3, flow=1.2, grain=0.6)
    s.add("window", box(x - 0.012, 0.07, x + 0.012, 0.61), 8, grain=0.4)
    s.add("window", box(x - 0.25, 0.31, x + 0.25, 0.334), 8, grain=0.4)
    s.add("ground", s.below(0.76), 2, 4)
    for k in range(8):
        far, near = a * k / 8, a * (k - 2) / 5
        s.add("ground", path(far, 0.76, far + 0.01, 0.76, near, 1.02, near - 0.02, 1.02), 4, grain=0.4)
    _chair(s, min(x + 0.52, a - 0.2))


def _chair(s: Scene, x: float) -> None:
    s.add("chair", box(x - 0.12, 0.4, x + 0.12, 0.64), 6, 3, flow=1.57)
    s.add("chair", path(x - 0.14, 0.66, x + 0.14, 0.66, x + 0.1, 0.74, x - 0.19, 0.74), 6, 3, grain=0.7)
    for dx, low in ((-0.18, 0.95), (0.09, 0.95), (-0.13, 0.86), (0.12, 0.86)):
        s.add("chair", box(x + dx, 0.72, x + dx + 0.022, low), 7, flow=1.57, grain=0.4)
