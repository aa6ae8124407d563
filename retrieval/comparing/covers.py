"""Find plain things that lie over the picture on a probe, or were painted over it: a blank label, a hand, a patch.

A photograph cannot say which: what is under them is left out of the comparison, and their presence is told.
"""

from __future__ import annotations

import numpy as np

from retrieval.comparing.alignment import AlignedPair
from retrieval.comparing.pixels import squared_steps
from retrieval.machine import import_cv2

SIDE = 264  # pixels of the square in which they are looked for
AROUND = 5  # pixels across, in which plainness is told
PLAIN = 3.0  # grey levels in any channel: deviation of what is plain
AWAY = 30.0  # grey levels in any channel, from what the exemplar has there
SMALLEST = 0.006  # share of the picture; `python -m tests.bench.sources`
STEEP = 10.0  # grey levels a pixel, of three quarters of the edge: glare and shadow end more softly
DRAWN = 12.0  # grey levels: deviation of what the exemplar has there, or else nothing is hidden
NEAR_EDGE = 3  # pixels: what touches the edge of the picture is a frame, or the photograph's end
RING, WIDENED = 9, 5  # pixels across: where the edge lies, and by what is left out around it


def find_covers(aligned: AlignedPair, fitted: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """Return where plain things lie that the exemplar does not have: bool, as high and wide as the pair.

    `fitted` is the probe, float32, its colours fitted on the whole only; `shown`, bool, is what can be compared.
    """
    cv2 = import_cv2()
    size = (SIDE, SIDE)
    exemplar, probe, fitted, seen = (
        cv2.resize(one.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        for one in (aligned.exemplar, aligned.probe, fitted, shown)
    )
    away = cv2.blur(np.abs(fitted - exemplar).max(axis=2), (AROUND, AROUND))
    plain = ((_deviation(probe) < PLAIN) & (away > AWAY) & (seen > 0.98)).astype(np.uint8)
    plain = cv2.morphologyEx(plain, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(plain, connectivity=4)
    steep, drawing = _steepness(probe), cv2.cvtColor(exemplar, cv2.COLOR_RGB2GRAY)
    found = np.zeros(size, np.uint8)
    for label in range(1, count):
        left, top, width, height, area = stats[label].tolist()
        inner = min(left, top, SIDE - left - width, SIDE - top - height) > NEAR_EDGE
        part = labels == label
        if inner and area >= SMALLEST * SIDE**2 and drawing[part].std() > DRAWN and _has_an_edge(part, steep):
            found |= cv2.dilate(part.astype(np.uint8), np.ones((WIDENED, WIDENED), np.uint8))
    height, width = shown.shape
    return np.asarray(cv2.resize(found, (width, height), interpolation=cv2.INTER_NEAREST) > 0)


def _has_an_edge(part: np.ndarray, steep: np.ndarray) -> bool:
    """Say whether a part ends as a thing does, and not as light does."""
    cv2 = import_cv2()
    mask = part.astype(np.uint8)
    ring = cv2.dilate(mask, np.ones((RING, RING), np.uint8)) > cv2.dilate(mask, np.ones((3, 3), np.uint8))
    return bool(np.quantile(steep[ring], 0.25) > STEEP)


def _deviation(picture: np.ndarray) -> np.ndarray:
    """Return how much the most varied channel varies around each pixel: float32 (height, width)."""
    cv2 = import_cv2()
    mean = cv2.blur(picture, (AROUND, AROUND))
    variance = cv2.blur(picture * picture, (AROUND, AROUND)) - mean * mean
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)).max(axis=2))


def _steepness(picture: np.ndarray) -> np.ndarray:
    """Return the largest step of grey within two pixels of each: float32 (height, width)."""
    cv2 = import_cv2()
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.dilate(np.sqrt(squared_steps(grey)), np.ones((AROUND, AROUND), np.uint8)))
