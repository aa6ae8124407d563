"""Tell colour charts, grey cards and rulers, which are laid beside a work to be photographed, from pictures."""

from __future__ import annotations

import numpy as np
from PIL import Image

from retrieval.machine import import_cv2

SIDE = 240  # pixels of the short side on which patches are looked for
EVEN = 7.0  # grey levels between neighbours in a patch, at most
PATCH = (0.004, 0.2)  # of the area
FILLED = 0.75  # of its rectangle, by a patch
ALIKE = 2.0  # times as large as the usual patch, or as small, at most
FEWEST, COVERED = 6, 0.25  # patches, and what they cover of the area
CARD, NEUTRAL = 0.7, 8.0  # of the area that is one even grey; CIELAB chroma of a grey
LONG, PERIODIC = 3.0, 0.5  # sides of a ruler to each other; correlation of its marks with those a step further


def is_chart(picture: Image.Image) -> bool:
    """Say whether what was cut out of a photograph is a chart of colours or greys, a grey card or a ruler."""
    cv2 = import_cv2()
    pixels = np.asarray(picture.convert("RGB"))
    factor = min(1.0, SIDE / min(pixels.shape[:2]))
    size = (max(1, round(pixels.shape[1] * factor)), max(1, round(pixels.shape[0] * factor)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return _has_patches(small) or _is_marked_in_steps(pixels)


def _has_patches(pixels: np.ndarray) -> bool:
    """Say whether even rectangles of one size, or a single grey one, make up a picture, uint8 (height, width, 3)."""
    cv2 = import_cv2()
    kernel = np.ones((3, 3), np.uint8)
    smooth = cv2.medianBlur(pixels, 3)
    steps = (cv2.dilate(smooth, kernel) - cv2.erode(smooth, kernel)).max(axis=2)
    count, labels, found, _ = cv2.connectedComponentsWithStats((steps < EVEN).astype(np.uint8), connectivity=4)
    areas = found[:, cv2.CC_STAT_AREA] / steps.size
    areas[0] = 0.0  # what is not even
    largest = int(areas.argmax())
    if count > 1 and areas[largest] > CARD:
        red, green, blue = smooth[labels == largest].mean(axis=0)
        return max(red, green, blue) - min(red, green, blue) < NEUTRAL and 60 < green < 200
    boxes = found[:, cv2.CC_STAT_WIDTH] * found[:, cv2.CC_STAT_HEIGHT] / steps.size
    patches = areas[(areas >= PATCH[0]) & (areas <= PATCH[1]) & (areas >= FILLED * boxes)]
    if len(patches) < FEWEST:
        return False
    usual = float(np.median(patches))
    alike = patches[(patches <= ALIKE * usual) & (patches >= usual / ALIKE)]
    return len(alike) >= FEWEST and float(alike.sum()) >= COVERED


def _is_marked_in_steps(pixels: np.ndarray) -> bool:
    """Say whether a long picture repeats itself along its length, as the marks of a ruler do."""
    if pixels.shape[0] > pixels.shape[1]:
        pixels = pixels.swapaxes(0, 1)
    if pixels.shape[1] < LONG * pixels.shape[0]:
        return False
    edges = np.abs(np.diff(pixels.astype(np.float32).mean(axis=2), axis=1)).mean(axis=0)
    edges -= edges.mean()
    power = np.abs(np.fft.rfft(edges, 2 * len(edges))) ** 2
    same = np.fft.irfft(power)[: len(edges)] / np.arange(len(edges), 0, -1)
    again = same[: len(edges) // 3] / max(float(same[0]), 1e-6)
    risen = again - np.minimum.accumulate(again)  # between two marks there is none
    return bool(((again >= PERIODIC) & (risen >= PERIODIC)).any())
