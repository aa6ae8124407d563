"""Lay a probe on the exemplar where no homography does: a lens that bends, a canvas that is not flat."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from retrieval.comparing.pixels import squared_steps
from retrieval.machine import import_cv2

SIDE = 264  # pixels of the square on which the bend is found
MOST = 0.03  # of the side: a place that seems to have moved farther was moved, not bent
COARSE = 66  # pixels of the square on which it is smooth
SMOOTH = 6.5  # sigma, in those pixels: a tenth of the side, more than a detail that somebody moved
ROUNDS = 3  # in which places that the surroundings contradict lose their say
AGREEING = 0.7  # pixels of SIDE from what the surroundings say
TEXTURE = 200.0  # squared steps of grey a pixel: a place with less says less of where it is
UNLIKE = 15.0  # grey levels: a place that still differs by more says less
DOUBT = 2e-2  # weight of not being bent at all
_EVEN, _NOISE, _CONTRAST = 10.0, 30.0, 48.0  # of the pictures made alike: sigma, grey levels squared, grey levels


def find_bend(exemplar: np.ndarray, probe: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Return how far on the probe each place lies from where it is on the exemplar, float32 (SIDE, SIDE, 2), in pixels.

    uint8 (SIDE, SIDE, 3) twice, and where the probe shows it, bool. Optical flow (Kroeger, Timofte, Dai and Van Gool
    2016), of which only what most of a place's surroundings say is kept: a moved detail still differs afterwards.
    """
    cv2 = import_cv2()
    one, other = _made_alike(exemplar), _made_alike(probe)
    flow = _flow_of().calc(one, other, None)
    rows, columns = _grid(SIDE)
    moved = cv2.remap(other, columns + flow[..., 0], rows + flow[..., 1], cv2.INTER_LINEAR)
    unlike, shown, flow = _coarse(cv2.absdiff(one, moved)), _coarse(seen), _coarse(flow)
    weight = np.minimum(_coarse(squared_steps(one)) / TEXTURE, 1.0) * shown / (1.0 + (unlike / UNLIKE) ** 2)
    weight = np.where(np.linalg.norm(flow, axis=2) < MOST * SIDE, weight, 0.0).astype(np.float32)
    smooth = np.zeros_like(flow)
    for _ in range(ROUNDS):
        total = cv2.GaussianBlur(weight, (0, 0), SMOOTH) + DOUBT
        smooth = cv2.GaussianBlur(flow * weight[..., None], (0, 0), SMOOTH) / total[..., None]
        weight = weight / (1.0 + (np.linalg.norm(flow - smooth, axis=2) / AGREEING) ** 2)
    return np.asarray(cv2.resize(smooth, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR))


def unbent(picture: np.ndarray, bend: np.ndarray) -> np.ndarray:
    """Return a picture on the exemplar's places; it is square, of any side, and of any channels."""
    cv2 = import_cv2()
    side = len(picture)
    if side != len(bend):
        bend = cv2.resize(bend, (side, side), interpolation=cv2.INTER_LINEAR) * (side / len(bend))
    rows, columns = _grid(side)
    across, down = columns + bend[..., 0], rows + bend[..., 1]
    return np.asarray(cv2.remap(picture, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def _made_alike(picture: np.ndarray) -> np.ndarray:
    """Return the drawing of a picture without its light: uint8, grey, of even brightness and contrast."""
    cv2 = import_cv2()
    smooth = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), 1.0)
    grey = cv2.cvtColor(smooth, cv2.COLOR_RGB2GRAY)
    mean = cv2.GaussianBlur(grey, (0, 0), _EVEN)
    variance = np.maximum(cv2.GaussianBlur(grey * grey, (0, 0), _EVEN) - mean * mean, 0.0)
    even = (grey - mean) / np.sqrt(variance + _NOISE)
    return np.clip(even * _CONTRAST + 128.0, 0, 255).astype(np.uint8)


def _coarse(values: np.ndarray) -> np.ndarray:
    cv2 = import_cv2()
    return np.asarray(cv2.resize(values.astype(np.float32), (COARSE, COARSE), interpolation=cv2.INTER_AREA))


def _flow_of() -> Any:
    """Return the optical flow; it keeps what it works with, so that each thread needs one of its own."""
    cv2 = import_cv2()
    flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    flow.setFinestScale(2)
    return flow


@cache
def _grid(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the row and the column of each pixel, float32 (side, side) twice."""
    rows, columns = np.mgrid[0:side, 0:side].astype(np.float32)
    return rows, columns
