"""Simulate copies of works of art: altered in one place, or made again as a whole by somebody else."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image

from indexer.simulation import alterations
from indexer.simulation.alterations import INSIDE, alter
from indexer.simulation.palette import repalette
from indexer.simulation.renderings import oil, redraw, resurface
from indexer.simulation.spots import SCALE, Box, Task
from indexer.simulation.strokes import paint_over

LOCAL = alterations.KINDS
WHOLE: Mapping[str, Callable[[Task], np.ndarray]] = {
    "strokes": lambda task: paint_over(task.pixels, task.random),
    "oil": oil,
    "redrawn": redraw,
    "palette": lambda task: repalette(task.pixels, task.random),
    "smoothed": resurface,
}
KINDS = (*LOCAL, *WHOLE)
AREA = (0.01, 0.12)  # shares of the picture that a local alteration changes
VISIBLE = 3.0  # grey levels: a whole copy that differs by less on average is none


@dataclass(frozen=True, slots=True, eq=False)
class Copy:
    """A simulated copy; `mask`, bool (height, width), is what was altered: the whole picture if it was made again."""

    kind: str
    image: Image.Image
    mask: np.ndarray


def make_copy(
    picture: Image.Image,
    kind: str,
    *,
    seed: int,
    donor: Image.Image,
    area: float | None = None,
    face: Box | None = None,
) -> Copy | None:
    """Return a copy of one of KINDS, the same for the same seed; None where it cannot be made visibly.

    `area` is the share of the picture that a local kind alters, by default drawn from 1 to 12 %, the logarithm evenly;
    `donor` gives what is inserted. The kind `face` needs to know where one is, in shares of the picture.
    """
    random = np.random.default_rng([seed, 100 + KINDS.index(kind)])
    if kind in LOCAL:
        share = area if area is not None else math.exp(random.uniform(math.log(AREA[0]), math.log(AREA[1])))
        made = alter(picture, kind, area=share, donor=donor, seed=seed, face=face)
        return None if made is None else Copy(kind, made.image, made.mask)
    pixels = np.asarray(picture.convert("RGB"))
    task = Task(pixels, pixels, 1.0, None, INSIDE, random, max(picture.size) / SCALE)
    altered = WHOLE[kind](task)
    everything = np.ones(pixels.shape[:2], bool)
    visible = alterations.difference(pixels, altered, everything) >= VISIBLE
    return Copy(kind, Image.fromarray(altered), everything) if visible else None
