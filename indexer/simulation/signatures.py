"""Write by hand what looks like a signature or an inscription."""

from __future__ import annotations

import math

import numpy as np

from indexer.simulation.spots import Task
from retrieval.machine import import_cv2

cv2 = import_cv2()


def scrawl(random: np.random.Generator) -> list[np.ndarray]:
    """Return the strokes of a name, each (n, 2), x and y in heights of a line: an initial, loops and a flourish."""
    letters = int(random.integers(6, 10))
    time = np.linspace(0, letters, 24 * letters)
    knots = np.arange(letters + 1)
    tall = np.where(random.random(letters + 1) < 0.3, 0.42, 0.18) * random.uniform(0.8, 1.2, letters + 1)
    tall[0] = 0.5
    up = np.interp(time, knots, tall)
    lean = np.interp(time, knots, random.uniform(0.1, 0.3, letters + 1))
    turn = 2 * math.pi * time + np.interp(time, knots, random.uniform(-0.8, 0.8, letters + 1))
    x = 0.42 * time + lean * np.sin(turn) + 0.35 * up * np.cos(turn)
    y = 0.5 - up * np.cos(turn) + 0.12 - up * 0.6
    name = np.stack([x, y], 1)
    end = float(x.max())
    sweep = np.linspace(0, 1, 30)
    flourish = np.stack([0.3 + (end - 0.3) * sweep, 1.0 - 0.25 * sweep + 0.06 * np.sin(9 * sweep)], 1)
    return [name, flourish] if random.random() < 0.5 else [name]


def draw(strokes: list[np.ndarray], shape: tuple[int, int], thickness: float) -> np.ndarray:
    """Draw strokes, in pixels, four times as large and shrink them; return the cover, float32 (height, width, 1)."""
    canvas = np.zeros((4 * shape[0], 4 * shape[1]), np.uint8)
    lines = [np.round(4 * stroke).astype(np.int32) for stroke in strokes]
    cv2.polylines(canvas, lines, False, 255, max(4, round(4 * thickness)), cv2.LINE_AA)
    small = cv2.resize(canvas, (shape[1], shape[0]), interpolation=cv2.INTER_AREA)
    return np.asarray(small[..., None] / 255, np.float32)


def ink(task: Task, under: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return a dark colour on a light ground, a light one on a dark ground, with a little texture; float32."""
    light = float(under[mask > 0].mean())
    level = max(15.0, 0.35 * light) if light > 105 else min(220.0, light + 100)
    colour = level + task.random.uniform(-20, 20, 3)
    return np.asarray(colour + 6 * task.random.standard_normal((*mask.shape, 1)), np.float32)
