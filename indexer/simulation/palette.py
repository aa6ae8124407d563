"""Paint a picture in another palette: its regions change colour, each in another way."""

from __future__ import annotations

import math

import numpy as np

from retrieval.machine import import_cv2

cv2 = import_cv2()

SIDE = 24  # pixels of the picture that the regions are found in
NEARNESS = 30.0  # units of Lab that the whole way across the picture counts for
SOFTNESS = 14.0  # units of Lab over which one region passes into the next
CHROMA = (10.0, 28.0)  # units of Lab by which a region's colour moves, and its lightness at most
LIGHTNESS = 8.0


def repalette(pixels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return a picture, uint8 (height, width, 3), whose regions of colour move in different directions in Lab.

    Regions are near in colour and in place, so that neither exposure, white balance nor gamma explains the change.
    """
    lab = cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    height, width = lab.shape[:2]
    size = (max(1, width // 2), max(1, height // 2))
    centres = regions(features(cv2.resize(lab, (SIDE, SIDE), interpolation=cv2.INTER_AREA)), random)
    shifts = draw_shifts(len(centres), random)
    weights = belonging(features(cv2.resize(lab, size, interpolation=cv2.INTER_AREA)), centres)
    lab += cv2.resize((weights @ shifts).reshape(size[1], size[0], 3), (width, height))
    changed = cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)
    return np.asarray(np.clip(255 * changed, 0, 255).round().astype(np.uint8))


def features(lab: np.ndarray) -> np.ndarray:
    """Return colour and place of every pixel, float32 (pixels, 5)."""
    height, width = lab.shape[:2]
    rows, columns = np.mgrid[0 : NEARNESS : height * 1j, 0 : NEARNESS : width * 1j]
    return np.dstack([lab, rows, columns]).reshape(-1, 5).astype(np.float32)


def regions(found: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return the centres, float32 (4 to 7, 5), of regions of a picture, by a few rounds of k-means."""
    centres = found[random.choice(len(found), int(random.integers(4, 8)), replace=False)]
    for _ in range(4):
        nearest = ((found[:, None] - centres) ** 2).sum(2).argmin(1)
        centres = np.stack([found[nearest == n].mean(0) if (nearest == n).any() else c for n, c in enumerate(centres)])
    return np.asarray(centres, np.float32)


def belonging(found: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Return how far each pixel belongs to each region, float32 (pixels, regions), summing to 1."""
    away = (found**2).sum(1, keepdims=True) - 2 * found @ centres.T + (centres**2).sum(1)
    weights = np.exp((away.min(1, keepdims=True) - away) / (2 * SOFTNESS**2))
    return np.asarray(weights / weights.sum(1, keepdims=True))


def draw_shifts(count: int, random: np.random.Generator) -> np.ndarray:
    """Return the shift of each region in Lab, float32 (count, 3); neighbours in number go different ways."""
    angle = random.uniform(0, 2 * math.pi) + 2.4 * np.arange(count) + random.uniform(-0.5, 0.5, count)
    length = random.uniform(*CHROMA, count)
    lightness = random.uniform(-LIGHTNESS, LIGHTNESS, count)
    return np.stack([lightness, length * np.cos(angle), length * np.sin(angle)], 1).astype(np.float32)
