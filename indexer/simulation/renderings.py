"""Render a whole picture again: in oil, drawn again by hand, or with another surface."""

from __future__ import annotations

import math

import numpy as np

from indexer.simulation.repainting import another_hand, strokes_of_brush, wander
from indexer.simulation.spots import SCALE, Task
from retrieval.machine import import_cv2

cv2 = import_cv2()

WARP = (0.005, 0.015)  # shares of the long side by which a drawing by hand is off, root mean square


def oil(task: Task) -> np.ndarray:
    """Return the picture in flat touches of paint, uint8 (height, width, 3): contours stay, texture becomes another's.

    The filter is that of Kuwahara et al., Processing of RI-angiocardiographic images, 1976.
    """
    radius = max(1, round(task.random.uniform(3.0, 6.0) * task.unit))
    flat = kuwahara(task.pixels, radius)
    flat += task.random.uniform(0.3, 0.8) * (flat - cv2.GaussianBlur(flat, (0, 0), 3 * task.unit))
    strength = task.random.uniform(2.5, 6.0) * strokes_of_brush(task, flat.shape[:2])
    return _finished(flat + strength + task.random.uniform(-4, 4, 3).astype(np.float32))


def kuwahara(pixels: np.ndarray, radius: int) -> np.ndarray:
    """Return for each pixel the mean of the calmest of the four squares it is a corner of, float32."""
    height, width = pixels.shape[:2]
    side, around = radius + 1, cv2.copyMakeBorder(pixels, *[radius] * 4, cv2.BORDER_REFLECT)
    grey = cv2.cvtColor(around, cv2.COLOR_RGB2GRAY).astype(np.float32)
    means = cv2.boxFilter(around, cv2.CV_32F, (side, side), anchor=(0, 0))
    mean = cv2.boxFilter(grey, -1, (side, side), anchor=(0, 0))
    unrest = cv2.sqrBoxFilter(grey, cv2.CV_32F, (side, side), anchor=(0, 0)) - mean**2
    corners = [(slice(y, y + height), slice(x, x + width)) for y in (0, radius) for x in (0, radius)]
    best, least = means[corners[0]].copy(), unrest[corners[0]].copy()
    for corner in corners[1:]:
        calmer = unrest[corner] < least
        np.copyto(best, means[corner], where=calmer[..., None])
        np.minimum(least, unrest[corner], out=least)
    return np.asarray(best)


def redraw(task: Task) -> np.ndarray:
    """Return the picture drawn again by another hand, uint8: every contour a little off, other strokes."""
    shape = task.pixels.shape[:2]
    length = task.random.uniform(*WARP) * max(shape)
    field = wander(task, shape, smoothness=task.random.uniform(0.05, 0.14) * SCALE) * np.float32(length)
    field *= within(shape, 0.06)[..., None]
    everywhere = (slice(0, shape[0]), slice(0, shape[1]))
    coarse = task.random.uniform(3.0, 7.0) * task.unit
    return _finished(another_hand(task, np.ones(shape, np.uint8), everywhere, field, coarse))


def within(shape: tuple[int, int], margin: float) -> np.ndarray:
    """Return a weight, float32 (height, width), that rises from 0 at the border to 1 at a share of the sides."""
    down, across = (1 - np.abs(np.linspace(-1, 1, length, dtype=np.float32)) for length in shape)
    return np.asarray(np.minimum(np.minimum(down[:, None], across) / np.float32(2 * margin), 1))


def resurface(task: Task) -> np.ndarray:
    """Return the picture with its texture lost, and mostly another invented: a canvas, or cracks of age; uint8."""
    reach, tones = task.random.uniform(6.0, 10.0) * task.unit, task.random.uniform(45, 80)
    smooth = cv2.medianBlur(task.pixels, 2 * max(1, round(reach / 4)) + 1)
    for _ in range(2):
        smooth = cv2.bilateralFilter(smooth, 2 * max(1, round(reach / 2)) + 1, tones, reach)
    smooth = smooth.astype(np.float32)
    smooth += 0.8 * (smooth - cv2.GaussianBlur(smooth, (0, 0), 2 * task.unit))  # flat, not out of focus
    texture = task.random.random()
    if texture < 0.35:
        smooth *= 1 + weave(task)
    elif texture < 0.7:
        smooth *= 1 - cracks(task)
    return _finished(smooth)


def weave(task: Task) -> np.ndarray:
    """Return the light and shade of a canvas, float32 (height, width, 1), about 0."""
    height, width = task.pixels.shape[:2]
    thread = max(2.2, task.random.uniform(4.5, 8.0) * task.unit)  # pixels
    drift = 0.5 * wander(task, (height, width), smoothness=40)
    rows, columns = np.mgrid[:height, :width].astype(np.float32) * np.float32(math.pi / thread) + drift.transpose(
        2, 0, 1
    )
    threads = np.sin(rows) ** 2 * (np.sin(columns) > 0) + np.sin(columns) ** 2 * (np.sin(columns) <= 0)
    rough = 0.3 * task.random.standard_normal((height, width), dtype=np.float32)
    return np.asarray(task.random.uniform(0.05, 0.12) * (threads - threads.mean() + rough)[..., None], np.float32)


def cracks(task: Task) -> np.ndarray:
    """Return how dark the craquelure of an old painting is, float32 (height, width, 1), 0 where there is none."""
    height, width = task.pixels.shape[:2]
    flake = task.random.uniform(14, 34) * task.unit  # pixels
    places = np.ones((height, width), np.uint8)
    count = max(4, round(height * width / flake**2))
    places[task.random.integers(0, height, count), task.random.integers(0, width, count)] = 0
    labels = cv2.distanceTransformWithLabels(places, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)[1]
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    drift = wander(task, (height, width), smoothness=12) * np.float32(3 * task.unit)
    bent = cv2.remap(labels.astype(np.float32), columns + drift[..., 0], rows + drift[..., 1], cv2.INTER_NEAREST)
    edges = (bent != np.roll(bent, 1, 0)) | (bent != np.roll(bent, 1, 1))
    line = cv2.GaussianBlur(edges.astype(np.float32), (0, 0), max(0.4, 0.6 * task.unit))
    open_here = np.clip(0.7 + 0.5 * wander(task, (height, width), smoothness=60)[..., 0], 0, 1)
    return np.asarray((task.random.uniform(0.2, 0.5) * line * open_here)[..., None], np.float32)


def _finished(pixels: np.ndarray) -> np.ndarray:
    return np.asarray(np.clip(pixels, 0, 255).round().astype(np.uint8))
