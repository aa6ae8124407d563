"""What several parts of a comparison ask of pixels: their grey, and how steep the grey is."""

from __future__ import annotations

import numpy as np

from retrieval.machine import import_cv2


def grey_of(picture: np.ndarray) -> np.ndarray:
    """Return the grey levels of a picture in RGB, float32 (height, width) within [0, 255]."""
    cv2 = import_cv2()
    return np.asarray(cv2.cvtColor(np.clip(picture, 0, 255).astype(np.float32), cv2.COLOR_RGB2GRAY))


def squared_steps(grey: np.ndarray) -> np.ndarray:
    """Return the squared step of grey from pixel to pixel, float32 (height, width)."""
    cv2 = import_cv2()
    across, down = (cv2.Sobel(grey, cv2.CV_32F, *order, scale=1 / 8) for order in ((1, 0), (0, 1)))
    return np.asarray(across**2 + down**2)
