"""Pairs to learn the comparison from: exemplar and photograph, genuine or of a copy, under the same hindrances.

Half of them are simulated. The other half are real genuine photographs: beside each lies its exemplar, or, as beside
the photograph of a copy, another picture: an **altered exemplar**. Both have the light, the glass and the blur of the
one photograph, so that what tells them apart is the alteration and not the hand of the simulator.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from indexer.simulation.changes import change, change_nothing
from indexer.simulation.copies import make_copy
from indexer.simulation.hindrances import bend, degrade, reflect_room, stick_label
from indexer.simulation.rephotograph import DIFFICULT, draw_shot, photograph_with_geometry
from retrieval.comparing.alignment import align, fit_colours
from retrieval.comparing.evidence import PLACES_ACROSS, Evidence, evidence_of
from retrieval.comparing.overlays import find_overlays
from retrieval.comparing.surface import SIDE
from retrieval.machine import import_cv2
from retrieval.photographs.images import read_photograph
from retrieval.photographs.photograph import Photograph

cv2 = import_cv2()

SIMULATED = "simulated"
GENUINE = "genuine"
CHANGED = "changed"  # in a plain way, by `change`
LOCAL = ("removed", "moved", "repainted", "signature")
WHOLE = ("oil", "redrawn", "smoothed")  # not `palette`: a cast of the light is the same to a photograph
COPIES = 0.55  # share of the pairs
KINDS = (0.35, 0.8)  # shares of the copies up to which they are changed, and altered in one place
AREA = (0.006, 0.12)  # share of the picture that is altered, the logarithm evenly
CONDITIONS = replace(DIFFICULT, room=0.0, plate=0.08, visitor=0.06, glare=0.12, frame=0.2)
LARGEST, SMALLEST = 560, 400  # pixels of the short side of a simulated work
LABELLED = 0.1  # share of the photographs with a label stuck on
SLIP = 0.004  # of the side: deviation of the corners of a registration that is a little off
LEAST_SHOWN = 0.15  # of the exemplar
SEEN_FROM = 1.5  # sigma in pixels of SIDE: what is altered must be seen through so much blur


@dataclass(frozen=True, slots=True, eq=False)
class RealPair:
    """A genuine photograph registered to its exemplar."""

    exemplar: Path
    photo: Path
    homography: np.ndarray  # float64 (3, 3): pixels of the upright exemplar -> of the upright photograph
    source: str


@dataclass(frozen=True, slots=True, eq=False)
class TrainingPair:
    """A pair as the network sees it, and what of it was altered."""

    evidence: Evidence
    altered: np.ndarray  # float32 (rows, columns): share of each place
    visible: np.ndarray  # float32 (rows, columns): mean difference that the alteration makes there, in grey levels
    kind: str
    source: str


def simulated_pair(works: Sequence[Path], random: np.random.Generator) -> TrainingPair | None:
    """Return a work, degraded or not, beside a simulated photograph of it or of a copy; None if none came."""
    picture, donor = _sized(read_small(_one_of(works, random))), read_small(_one_of(works, random))
    shown, alteration, kind = picture, None, GENUINE
    if random.random() < COPIES:
        if (alteration := altered(picture, donor, random)) is None:
            return None
        shown, _, kind = alteration
    elif random.random() < 0.4:
        shown = Image.fromarray(change_nothing(np.asarray(picture), random))
    taken = photograph_with_geometry(shown, draw_shot(random, CONDITIONS), random)
    pixels = _labelled(bend(np.asarray(taken.image), random), random)
    pixels = reflect_room(pixels, np.asarray(read_small(_one_of(works, random))), random)
    pixels = degrade(pixels, random)
    exemplar = np.asarray(picture)
    if random.random() < 0.3:
        exemplar = degrade(exemplar, random, much=0.7)
    homography = _slipped(taken.homography, picture.size, random, SLIP * min(pixels.shape[:2]))
    return _paired(exemplar, pixels, homography, picture, alteration, kind, SIMULATED)


def real_pair(pair: RealPair, works: Sequence[Path], random: np.random.Generator) -> TrainingPair | None:
    """Return a real photograph, a little degraded or not, beside its exemplar or an altered one; None if none came."""
    exemplar, photo = (read_photograph(path, short_side=SIDE) for path in (pair.exemplar, pair.photo))
    shown, alteration, kind = exemplar.image, None, GENUINE
    if random.random() < COPIES:
        if (alteration := altered(exemplar.image, read_small(_one_of(works, random)), random)) is None:
            return None
        shown, _, kind = alteration
    elif random.random() < 0.4:
        shown = Image.fromarray(change_nothing(np.asarray(shown), random))
    beside, pixels = np.asarray(shown), _labelled(np.asarray(photo.image), random)
    if random.random() < 0.25:
        beside = degrade(beside, random, much=0.6)
    if random.random() < 0.5:
        pixels = degrade(pixels, random, much=0.4)
    if random.random() < 0.1:
        pixels = reflect_room(pixels, np.asarray(read_small(_one_of(works, random))), random).round().astype(np.uint8)
    if random.random() < 0.3:
        pixels = bend(pixels, random, most=0.006)
    homography = _scale(photo, reduced=True) @ pair.homography @ _scale(exemplar, reduced=False)
    return _paired(beside, pixels, homography, exemplar.image, alteration, kind, pair.source)


def altered(
    picture: Image.Image, donor: Image.Image, random: np.random.Generator
) -> tuple[Image.Image, np.ndarray, str] | None:
    """Return a copy of a picture, what of it differs, bool (height, width), and its kind; None where nothing shows."""
    kind = random.random()
    if kind < KINDS[0]:
        pixels, other = np.asarray(picture), np.asarray(donor)
        if (first := change(pixels, other, random)) is None:
            return None
        second = change(first[0], other, random) if random.random() < 0.3 else None
        done, mask = first if second is None else (second[0], first[1] | second[1])
        return Image.fromarray(done), mask, CHANGED
    local = kind < KINDS[1]
    name = str(random.choice(LOCAL if local else WHOLE))
    area = math.exp(random.uniform(*np.log(AREA))) if local else None
    made = make_copy(picture, name, seed=int(random.integers(2**31)), donor=donor, area=area)
    return None if made is None else (made.image, made.mask, name)


def read_small(path: Path) -> Image.Image:
    """Return a picture, its short side at most LARGEST pixels."""
    with Image.open(path) as file:
        picture = file.convert("RGB")
    return _resized(picture, LARGEST) if min(picture.size) > LARGEST else picture


def _labelled(pixels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return stick_label(pixels, random) if random.random() < LABELLED else pixels


def _sized(picture: Image.Image) -> Image.Image:
    return _resized(picture, SMALLEST) if min(picture.size) < SMALLEST else picture


def _resized(picture: Image.Image, side: int) -> Image.Image:
    scale = side / min(picture.size)
    return picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.LANCZOS)


def _one_of(works: Sequence[Path], random: np.random.Generator) -> Path:
    return works[int(random.integers(len(works)))]


def _paired(
    exemplar: np.ndarray,
    pixels: np.ndarray,
    homography: np.ndarray,
    original: Image.Image,
    alteration: tuple[Image.Image, np.ndarray, str] | None,
    kind: str,
    source: str,
) -> TrainingPair | None:
    """Return what the network sees of a pair, laid over each other as the program does."""
    one, other = _photograph(exemplar), _photograph(pixels)
    aligned = align(one, other, homography)
    whole = fit_colours(aligned.exemplar, aligned.probe, aligned.seen, locally=False)
    _, hidden = find_overlays(aligned, whole, (one.width, one.height))
    shown = aligned.seen & ~hidden
    if shown.mean() < LEAST_SHOWN:
        return None
    share, visible = _truth(original, alteration)
    return TrainingPair(evidence_of(aligned, shown), share, visible, kind, source)


def _truth(
    original: Image.Image, alteration: tuple[Image.Image, np.ndarray, str] | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the share of each place that was altered, and how much can be seen of it."""
    if alteration is None:
        nothing = np.zeros((PLACES_ACROSS, PLACES_ACROSS), np.float32)
        return nothing, nothing
    copy, mask, _ = alteration
    before, after = (
        cv2.GaussianBlur(np.asarray(image.resize((SIDE, SIDE)), np.float32), (0, 0), SEEN_FROM)
        for image in (original, copy)
    )
    places = (PLACES_ACROSS, PLACES_ACROSS)
    share, visible = (
        cv2.resize(values, places, interpolation=cv2.INTER_AREA)
        for values in (mask.astype(np.float32), np.abs(after - before).mean(axis=2))
    )
    return share, visible


def _photograph(pixels: np.ndarray) -> Photograph:
    image = Image.fromarray(pixels)
    return Photograph(Path(), "", image.width, image.height, image)


def _slipped(
    homography: np.ndarray, size: tuple[int, int], random: np.random.Generator, deviation: float
) -> np.ndarray:
    """Return a homography that misses each corner of a picture of `size` by some pixels."""
    corners = np.array([(0, 0), (size[0], 0), size, (0, size[1])], np.float32)
    found = cv2.perspectiveTransform(corners[None], homography)[0]
    onto = (found + random.normal(0, deviation, (4, 2))).astype(np.float32)
    return np.asarray(cv2.getPerspectiveTransform(corners, onto), np.float64)


def _scale(photograph: Photograph, *, reduced: bool) -> np.ndarray:
    """Return the map from the full size of a photograph to its reduced one, or back."""
    across, down = photograph.image.width / photograph.width, photograph.image.height / photograph.height
    return np.diag([across, down, 1.0] if reduced else [1 / across, 1 / down, 1.0])
