"""Make what the distance place by place is trained on: an exemplar, and a genuine probe and a copy laid over it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from indexer.simulation.rephotograph import DIFFICULT, draw_shot, photograph_with_geometry
from indexer.training.pool import WORKING_SIDE, read_small, some_copy
from retrieval.comparing.alignment import fit_colours
from retrieval.comparing.divergence import PLACES_ACROSS
from retrieval.encoder.preprocessing import Preprocessing
from retrieval.machine import import_cv2

SLIPS = (0.001, 0.002, 0.005)  # share of the side by which a registration is off at the corners; one is drawn
TOUCHED = 0.3  # share of a place that was altered, from which on the place counts as altered
SEEN = 0.99  # share of a place that is there to be compared
CONDITIONS = replace(DIFFICULT, room=0.1)  # the fewer pixels a work has, the less there is to compare


@dataclass(frozen=True, slots=True, eq=False)
class Triple:
    """An exemplar, a genuine probe and a copy on it, as the network takes them, and which places tell something.

    Pictures are uint8 (height, width, 3); masks are bool (PLACES_ACROSS, PLACES_ACROSS).
    """

    exemplar: np.ndarray
    genuine: np.ndarray
    copy: np.ndarray
    shown: tuple[np.ndarray, np.ndarray]  # of the genuine probe and of the copy
    altered: np.ndarray  # on the copy

    @property
    def all_over(self) -> bool:
        """Whether the copy was made again as a whole."""
        return bool(self.altered.all())


def make_triple(
    path: Path, kind: str, donor: Callable[[], Image.Image], preprocessing: Preprocessing, *, seed: int
) -> Triple:
    """Return a photo, and a re-photograph of it and of a copy of a kind, both laid over it as a probe would be."""
    random = np.random.default_rng(seed)
    image = read_small(path, round(WORKING_SIDE * max(preprocessing.width, preprocessing.height)))
    copy = some_copy(image, kind, seed=seed, donor=donor())
    exemplar = preprocessing.fitted(image)
    genuine, shown = laid_over(image, image, exemplar, random)
    copied, copy_shown = laid_over(copy.image, image, exemplar, random)
    return Triple(exemplar, genuine, copied, (shown, copy_shown), places(copy.mask, TOUCHED))


def laid_over(
    work: Image.Image, original: Image.Image, exemplar: np.ndarray, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Photograph a work and lay the photograph over the exemplar, colours fitted; return it and the places shown."""
    cv2 = import_cv2()
    taken = photograph_with_geometry(work, draw_shot(random, CONDITIONS), random)
    height, width = exemplar.shape[:2]
    across, down = original.width / width, original.height / height
    grown = np.array([[across, 0.0, (across - 1) / 2], [0.0, down, (down - 1) / 2], [0.0, 0.0, 1.0]])
    onto = taken.homography @ grown @ slip(exemplar, random)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    border = cv2.BORDER_REPLICATE
    probe = cv2.warpPerspective(np.asarray(taken.image), onto, (width, height), flags=flags, borderMode=border)
    hidden = cv2.resize(taken.hidden.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA) > 0
    fitted = np.where(hidden[..., None], exemplar, fit_colours(exemplar, probe, ~hidden))
    return fitted.round().astype(np.uint8), places(~hidden, SEEN)


def slip(exemplar: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return what a registration gets wrong, float64 (3, 3) on the pixels of the exemplar."""
    cv2 = import_cv2()
    height, width = exemplar.shape[:2]
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    moved = corners + random.normal(0, random.choice(SLIPS), (4, 2)).astype(np.float32) * (width, height)
    return np.asarray(cv2.getPerspectiveTransform(corners, moved.astype(np.float32)))


def places(mask: np.ndarray, share: float) -> np.ndarray:
    """Return the places of the map that a mask covers by more than a share."""
    cv2 = import_cv2()
    size = (PLACES_ACROSS, PLACES_ACROSS)
    return np.asarray(cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) > share)


def triple_makers(
    paths: Sequence[Path], kinds: Sequence[str], preprocessing: Preprocessing, *, seed: int, epoch: int
) -> list[Callable[[], Triple]]:
    """Return a function for each photo, in an order of the epoch's own, that makes its triple."""
    random = np.random.default_rng([seed, epoch])
    side = round(WORKING_SIDE * max(preprocessing.width, preprocessing.height))

    def maker(path: Path, kind: str, other: Path, own: int) -> Callable[[], Triple]:
        return lambda: make_triple(path, kind, lambda: read_small(other, side), preprocessing, seed=own)

    order = random.permutation(len(paths)).tolist()
    drawn = random.choice(kinds, len(order)).tolist()
    return [
        maker(paths[index], kind, paths[order[place - 1]], int(random.integers(2**31)))
        for place, (index, kind) in enumerate(zip(order, drawn, strict=True))
    ]
