"""Measure, place by place, how far a registered probe lies from the genuine exemplar."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

Box = tuple[int, int, int, int]  # x, y, width, height in pixels of the upright exemplar


@dataclass(frozen=True, slots=True)
class Place:
    """A place where the two differ most: its box, and the largest local distance in it."""

    box: Box
    distance: float


@dataclass(frozen=True, slots=True)
class Overlay:
    """Something laid over the picture (a plate, a caption, glare): left out of the comparison."""

    kind: str  # "plate" or "glare"
    box: Box
    share: float  # of the exemplar's area, 0..1


@dataclass(frozen=True, slots=True)
class Divergence:
    """The comparison of a probe with an exemplar, on the exemplar's frame.

    `map` is float32 (rows, columns) over the whole exemplar: the local distance at each place, in [0, 2], NaN where
    nothing could be compared. `exemplar` and `probe` are RGB of one size; the probe is warped onto the exemplar and its
    colours are fitted to it.
    """

    global_distance: float
    local_distance: float
    map: np.ndarray
    places: tuple[Place, ...]  # worst first
    overlays: tuple[Overlay, ...]
    exemplar: Image.Image
    probe: Image.Image
