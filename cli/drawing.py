"""Draw the parts of the evidence: the map of local distances, places enlarged, matched points that lie far apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter, ImageOps

if TYPE_CHECKING:
    from retrieval.divergence import Box, Divergence

# Viridis (van der Walt and Smith 2015) in ten equal steps: lightness rises evenly, for the colour-blind too.
VIRIDIS = np.array(
    [list(bytes.fromhex(stop)) for stop in (
        "440154", "482475", "414487", "355f8d", "2a788e", "21918c", "22a884", "44bf70", "7ad151", "bddf26", "fde725",
    )],
    np.float32,
)  # fmt: skip
VEIL = 0.72  # share of the scale's colour; the rest is the exemplar in grey
LINES = 60


def colours(shares: np.ndarray) -> np.ndarray:
    """Return the colours of shares of the scale, from 0 to 1: float32 (..., 3), 0 to 255."""
    at = np.linspace(0.0, 1.0, len(VIRIDIS))
    return np.stack([np.interp(shares, at, channel) for channel in VIRIDIS.T], axis=-1).astype(np.float32)


def scale_end(divergence: Divergence, threshold: float | None) -> float:
    """Return where the colour scale ends: above the largest local distance, and clearly above the threshold."""
    known = divergence.map[~np.isnan(divergence.map)]
    return float(max([1.02 * known.max(initial=0.0), 1.25 * (threshold or 0.0)])) or 1.0


def spread(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return a map at the size (width, height) of a picture, float32 (height, width); what is NaN stays so."""
    known = ~np.isnan(values)
    layers = [Image.fromarray(layer.astype(np.float32)) for layer in (known, np.where(known, values, 0.0))]
    weights, sums = (np.asarray(layer.resize(size, Image.Resampling.BILINEAR)) for layer in layers)
    compared = np.asarray(layers[0].resize(size, Image.Resampling.NEAREST)) > 0.5
    return np.where(compared, sums / np.maximum(weights, 1e-6), np.float32(np.nan))


def draw_map(divergence: Divergence, threshold: float | None, size: tuple[int, int]) -> Image.Image:
    """Draw the local distances over the exemplar in grey; hatched where nothing was compared.

    What lies beyond the threshold has an outline, black with white inside.
    """
    local = spread(divergence.map, size)
    grey = ImageOps.autocontrast(divergence.exemplar.convert("L").resize(size), cutoff=1)
    under = np.asarray(grey, np.float32)[..., None]
    across, down = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    hatch = np.where((across + down) % 12 < 4, 110.0, 225.0)[..., None]
    compared = ~np.isnan(local)[..., None]
    colour = colours(np.nan_to_num(local) / scale_end(divergence, threshold))
    picture = under + VEIL * (np.where(compared, colour, hatch) - under)
    if threshold is not None:
        black, white = _outline(np.nan_to_num(local) > threshold)
        picture = np.where(black[..., None], 0.0, np.where(white[..., None], 255.0, picture))
    return Image.fromarray(picture.round().clip(0, 255).astype(np.uint8))


def _outline(inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the outer and the inner side of the outline of a shape, two bool arrays like it."""
    shape = Image.fromarray(inside.astype(np.uint8) * 255)
    wider, narrower = (np.asarray(shape.filter(change)) > 0 for change in (_WIDER, _NARROWER))
    return wider & ~inside, inside & ~narrower


_WIDER, _NARROWER = ImageFilter.MaxFilter(5), ImageFilter.MinFilter(5)


def fitted(image: Image.Image, width: int, height: int) -> Image.Image:
    """Return a picture as large as fits, its own proportions kept."""
    return ImageOps.contain(image, (width, height), Image.Resampling.LANCZOS)


def surroundings(box: Box, size: tuple[int, int]) -> Box:
    """Return a square around a box, within a picture of that size: the box and as much again."""
    x, y, width, height = box
    side = min(max(1.7 * max(width, height), 0.16 * min(size)), min(size))
    left, top = (
        min(max(start + length / 2 - side / 2, 0), limit - side)
        for start, length, limit in ((x, width, size[0]), (y, height, size[1]))
    )
    return round(left), round(top), max(1, int(side)), max(1, int(side))


def enlarged(image: Image.Image, around: Box, size: tuple[int, int], side: int) -> Image.Image:
    """Return a part of a picture, given in pixels of a picture of `size`, as a square of `side` pixels."""
    x, y, width, height = around
    across, down = image.width / size[0], image.height / size[1]
    corners = (x * across, y * down, (x + width) * across, (y + height) * down)
    return image.resize((side, side), Image.Resampling.BICUBIC, box=corners)


def chosen(points: np.ndarray, count: int = LINES) -> np.ndarray:
    """Return the rows of at most `count` points (n, 2) that lie far apart: each the farthest from those before."""
    if len(points) <= count:
        return np.arange(len(points))
    rows, nearest = [0], np.full(len(points), np.inf)
    while len(rows) < count:
        nearest = np.minimum(nearest, np.linalg.norm(points - points[rows[-1]], axis=1))
        rows.append(int(nearest.argmax()))
    return np.array(rows)
