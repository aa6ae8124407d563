"""Draw the parts of the evidence: the map of local distances, and places enlarged."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter, ImageOps

from retrieval.comparing.overlays import Box
from retrieval.machine import import_cv2

VEIL = 0.66  # share of the scale's colour; the rest is the exemplar in grey


def colours(shares: np.ndarray) -> np.ndarray:
    """Return the colours of shares of the scale, from 0 to 1: float32 (..., 3), 0 to 255.

    Viridis (van der Walt and Smith 2015): lightness rises evenly, for the colour-blind too.
    """
    cv2 = import_cv2()
    levels = (255 * np.clip(shares, 0.0, 1.0)).round().astype(np.uint8)
    bgr = cv2.applyColorMap(levels.reshape(-1, 1), cv2.COLORMAP_VIRIDIS)
    return np.asarray(bgr.reshape(*levels.shape, 3)[..., ::-1], np.float32)


def ramp(steps: int) -> np.ndarray:
    """Return the colours of the scale over mid grey, uint8 (steps, 3)."""
    return (128 + VEIL * (colours(np.linspace(0.0, 1.0, steps)) - 128)).round().astype(np.uint8)


def scale_end(local: np.ndarray, threshold: float) -> float:
    """Return where the colour scale ends: above the largest local distance, and clearly above the threshold."""
    return float(max(1.02 * np.nanmax(local), 1.25 * threshold))


def spread_map(local: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return a map at the size (width, height) of a picture, float32 (height, width); NaN stays NaN."""
    known = ~np.isnan(local)
    layers = [Image.fromarray(layer.astype(np.float32)) for layer in (known, np.where(known, local, 0.0))]
    weights, sums = (np.asarray(layer.resize(size, Image.Resampling.BILINEAR)) for layer in layers)
    compared = np.asarray(layers[0].resize(size, Image.Resampling.NEAREST)) > 0.5
    return np.where(compared, sums / np.maximum(weights, 1e-6), np.float32(np.nan))


def draw_map(local: np.ndarray, exemplar: Image.Image, threshold: float) -> Image.Image:
    """Draw the local distances over the exemplar in grey; hatched where nothing was compared.

    What lies beyond the threshold has an outline, black with white inside.
    """
    values = spread_map(local, exemplar.size)
    under = np.asarray(ImageOps.autocontrast(exemplar.convert("L"), cutoff=1), np.float32)[..., None]
    picture = under + VEIL * (_coloured(values, scale_end(local, threshold)) - under)
    return Image.fromarray(_outlined(picture, values, threshold))


def map_layer(local: np.ndarray, size: tuple[int, int], threshold: float) -> Image.Image:
    """Draw the local distances by themselves, as `draw_map` does, to be laid over a picture of these proportions."""
    values = spread_map(local, size)
    layer = Image.fromarray(_outlined(_coloured(values, scale_end(local, threshold)), values, threshold))
    layer.putalpha(255)
    return layer


def _coloured(values: np.ndarray, end: float) -> np.ndarray:
    """Return the colour of each value on a scale that ends there, (height, width, 3); hatched where there is none."""
    across, down = np.meshgrid(np.arange(values.shape[1]), np.arange(values.shape[0]))
    hatch = np.where((across + down) % 12 < 4, 110.0, 225.0)[..., None]
    return np.where(np.isnan(values)[..., None], hatch, colours(np.nan_to_num(values) / end))


def _outlined(picture: np.ndarray, values: np.ndarray, threshold: float) -> np.ndarray:
    """Return a picture, uint8, with an outline around the values beyond a threshold."""
    black, white = _edges(np.nan_to_num(values) > threshold)
    picture[black], picture[white] = 0.0, 255.0
    return np.asarray(picture.round().clip(0, 255).astype(np.uint8))


def _edges(inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the outer and the inner side of the outline of a shape, two bool arrays of the same size."""
    shape = Image.fromarray(inside.astype(np.uint8) * 255)
    wider = np.asarray(shape.filter(ImageFilter.MaxFilter(5))) > 0
    narrower = np.asarray(shape.filter(ImageFilter.MinFilter(5))) > 0
    return wider & ~inside, inside & ~narrower


def fitted_picture(image: Image.Image, width: int, height: int) -> Image.Image:
    """Return a picture as large as fits, the proportions kept."""
    return ImageOps.contain(image, (width, height), Image.Resampling.LANCZOS)


def surroundings(box: Box, size: tuple[int, int]) -> Box:
    """Return a square around a box, within a picture of `size`: the box and as much again."""
    x, y, width, height = box
    side = min(max(2.0 * max(width, height), 0.22 * min(size)), min(size))
    left, top = (
        min(max(start + length / 2 - side / 2, 0), limit - side)
        for start, length, limit in ((x, width, size[0]), (y, height, size[1]))
    )
    return round(left), round(top), max(1, int(side)), max(1, int(side))


def enlarged_part(image: Image.Image, around: Box, size: tuple[int, int], side: int) -> Image.Image:
    """Return a part of a picture, given in pixels of a picture of `size`, as a square of `side` pixels."""
    x, y, width, height = around
    right, bottom = (x + width) / size[0] * image.width, (y + height) / size[1] * image.height
    corners = x / size[0] * image.width, y / size[1] * image.height, min(right, image.width), min(bottom, image.height)
    return image.resize((side, side), Image.Resampling.BICUBIC, box=corners)
