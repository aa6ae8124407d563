"""Lay a probe over its exemplar at any size, band by band, so that a large picture needs little memory."""

from __future__ import annotations

import numpy as np
from PIL import Image

from retrieval.comparing.alignment import laid, local_fit, reduced_size, warped, whole_fit
from retrieval.machine import import_cv2
from retrieval.photographs.photograph import Photograph

FITTED_LONG_SIDE = 1000  # pixels, on which the colours are fitted
BAND = 512  # rows at a time
LONGEST = 32_000  # pixels of a side that OpenCV warps
_GREY = 128


def lay_over_large(
    exemplar: Photograph, probe: Photograph, homography: np.ndarray, *, size: tuple[int, int]
) -> np.ndarray:
    """Return the probe on the exemplar, uint8 (height, width, 3), `size` being (width, height) in the same proportions.

    As `lay_over` does: the colours of the probe are fitted, what it does not show is grey. The exemplar may be small.
    """
    cv2 = import_cv2()
    gain, shift = _colours(exemplar, probe, homography)
    picture, onto = _limited(*laid(exemplar, probe, homography, size))
    result = np.full((size[1], size[0], 3), _GREY, np.uint8)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    for top in range(0, size[1], BAND):
        height = min(BAND, size[1] - top)
        band = onto @ np.array([[1.0, 0.0, 0.0], [0.0, 1.0, top], [0.0, 0.0, 1.0]])
        here = (size[0], height)
        values = cv2.warpPerspective(picture, band, here, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        fitted = cv2.multiply(values, _rows(gain, size, top, height), dtype=cv2.CV_32F)
        cv2.add(fitted, _rows(shift, size, top, height), dst=fitted)
        np.clip(cv2.add(fitted, (0.5, 0.5, 0.5, 0.0), dst=fitted), 0.0, 255.0, out=fitted)
        seen = _seen(band, here, picture)
        np.copyto(result[top : top + height], fitted, where=seen[..., None], casting="unsafe")
    return result


def _limited(picture: np.ndarray, onto: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a picture no longer than can be warped, and the homography to its pixels."""
    height, width = picture.shape[:2]
    shrink = LONGEST / max(height, width)
    if shrink >= 1.0:
        return picture, onto
    cv2 = import_cv2()
    smaller = (max(1, int(width * shrink)), max(1, int(height * shrink)))
    scale = np.diag([smaller[0] / width, smaller[1] / height, 1.0])
    return np.asarray(cv2.resize(picture, smaller, interpolation=cv2.INTER_AREA)), scale @ onto


def _seen(onto: np.ndarray, size: tuple[int, int], picture: np.ndarray) -> np.ndarray:
    """Return which pixels of a result of `size` lie on the picture, bool (height, width)."""
    across, down = np.arange(size[0], dtype=np.float32), np.arange(size[1], dtype=np.float32)[:, None]
    x, y, depth = (row[0] * across + row[1] * down + row[2] for row in onto.astype(np.float32))
    right, bottom = (picture.shape[1] - 1) * depth, (picture.shape[0] - 1) * depth
    return np.asarray((depth > 0) & (x >= 0) & (y >= 0) & (x <= right) & (y <= bottom))


def _colours(exemplar: Photograph, probe: Photograph, homography: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return by what the probe's values are multiplied, place by place, and what is added: smooth float32 fields."""
    size = reduced_size(exemplar.image.size, FITTED_LONG_SIDE)
    target = np.asarray(exemplar.image.resize(size, Image.Resampling.LANCZOS), np.float32)
    picture, onto = _limited(*laid(exemplar, probe, homography, size))
    values, seen = warped(picture, onto, size)
    if not seen.any():
        return np.ones((1, 1, 3), np.float32), np.zeros((1, 1, 3), np.float32)
    gain, shift = whole_fit(target, values.astype(np.float32), seen)
    local_gain, mean, probe_mean = local_fit(target, (values * gain + shift).astype(np.float32), seen)
    fitted = (shift - probe_mean) * local_gain + mean  # where the whole fit would bring the value 0
    return np.asarray(gain * local_gain, np.float32), np.asarray(fitted, np.float32)


def _rows(field: np.ndarray, size: tuple[int, int], top: int, height: int) -> np.ndarray:
    """Return some rows of a field brought to a size, float32 (height, width, 3)."""
    cv2 = import_cv2()
    across, down = field.shape[1] / size[0], field.shape[0] / size[1]
    onto = np.array([[across, 0.0, (across - 1) / 2], [0.0, down, (top + 0.5) * down - 0.5]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(field, onto, (size[0], height), flags=flags, borderMode=cv2.BORDER_REPLICATE))
