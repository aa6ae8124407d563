"""Find the margins of an exemplar: paper or cloth around the work that a photograph of the work does not show."""

from __future__ import annotations

import numpy as np

from retrieval.machine import import_cv2

SIDE = 132  # pixels of the square in which margins are looked for
THINNEST, THICKEST = 2, 0.4  # pixels, and share of the side
EVEN = 14  # grey levels, in any channel, from the colour of the edge
SPECKS = 0.02  # share of a row that may be farther from the colour
BUSY = 0.05  # share of a part of the edge, on the probe, that is not of one grey; less is a margin too, and is compared
PARTS, FOREIGN = 12, 0.75  # parts of an edge, and the share of them that must be busy: a figure on a margin stays seen


def find_margins(exemplar: np.ndarray, probe: np.ndarray) -> np.ndarray:
    """Return where along the edges the exemplar is of one colour and the probe is not: bool (side, side).

    Both are uint8 (side, side, 3).
    """
    cv2 = import_cv2()
    small, other = (cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for image in (exemplar, probe))
    grey = cv2.cvtColor(other, cv2.COLOR_RGB2GRAY)
    mask = np.zeros((SIDE, SIDE), bool)
    for turns in range(4):  # each edge in turn on top
        thickness = _thickness(np.rot90(small, turns), np.rot90(grey, turns))
        np.rot90(mask, turns)[:thickness] = True
    side = len(exemplar)
    return np.asarray(cv2.resize(mask.astype(np.uint8), (side, side), interpolation=cv2.INTER_NEAREST) > 0)


def _thickness(exemplar: np.ndarray, grey: np.ndarray) -> int:
    """Return how many rows from the top are margin, the edge of the work with it; 0 where there is none."""
    rows = exemplar.astype(np.float32)
    colour = np.median(rows[0], axis=0)
    even = (np.abs(rows - colour).max(axis=2) > EVEN).mean(axis=1) < SPECKS
    thickness = int(np.argmin(even)) if not even.all() else 0
    if not THINNEST <= thickness < THICKEST * SIDE:
        return 0
    shown = grey[:thickness].astype(np.float32)
    away = (np.abs(shown - np.median(shown)) > EVEN).reshape(thickness, PARTS, -1).mean(axis=(0, 2))
    return thickness + 1 if (away > BUSY).mean() >= FOREIGN else 0
