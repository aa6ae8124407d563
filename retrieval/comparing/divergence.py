"""Measure, place by place, how far a registered probe lies from the genuine exemplar."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image

from retrieval.comparing.alignment import AlignedPair, align, fit_colours
from retrieval.comparing.overlays import Box, Overlay, find_overlays
from retrieval.comparing.registration import Registration
from retrieval.encoder.encoder import Encoder
from retrieval.machine import import_cv2
from retrieval.photographs.photograph import Photograph

PLACES_ACROSS = 33  # and down: the map's rows and columns, each about 8 pixels of the network's input
SPREAD = 3  # places, across and down, over which a local distance is averaged
BORDER = 4  # places along each edge, 12 % of the side, where frames, crops and shadows fall
BORDER_WEIGHT = 0.75  # of a difference in the border
USUAL_MEDIAN = 0.45  # of 67 pairs of genuine photographs
COVERED = 0.99  # share of a place that must be there to be seen
FEWEST_PIXELS = 160  # of the probe across the whole work; with fewer, blur differs from place to place like paint
LEAST_COMPARED = 0.1  # share of the exemplar from which a comparison says something
MOST_PLACES = 12


@dataclass(frozen=True, slots=True)
class Place:
    """A place where the two differ beyond the threshold, or most: its box, and the largest local distance in it."""

    box: Box
    distance: float


@dataclass(frozen=True, slots=True, eq=False)
class Divergence:
    """The comparison of a probe with an exemplar, place by place, on the exemplar's frame."""

    global_distance: float
    local_distance: float  # the largest local distance of the map
    combined_distance: float  # of the global and the local distance
    limit: float  # the local distance beyond which the combined distance is beyond its threshold
    median: float  # of the distances before the median was taken away: how much the two differ on the whole
    map: np.ndarray  # float32 (rows, columns) over the whole exemplar, NaN where nothing was compared
    compared: float  # share of the exemplar's area, 0..1
    hidden: float  # share of the exemplar's detail that overlays hide, 0..1
    places: tuple[Place, ...]  # worst first: the places beyond the threshold, or else the worst
    overlays: tuple[Overlay, ...]
    homography: np.ndarray  # float64 (3, 3), refined: pixels of the upright exemplar -> pixels of the upright probe


@dataclass(frozen=True, slots=True)
class NotCompared:
    """Why there is no comparison place by place, as a part of a sentence for people."""

    reason: str


@dataclass(frozen=True, slots=True)
class NoExemplar(NotCompared):
    """Why there is nothing to compare with: the exemplar is away, and no sound working picture of it is kept."""


def diverge(
    exemplar: Photograph,
    probe: Photograph,
    registration: Registration,
    encoder: Encoder,
    *,
    global_distance: float,
    threshold: float | None = None,
) -> Divergence | NotCompared:
    """Compare a probe with the exemplar that it is registered to, leaving out what lies over the picture.

    `threshold` of the combined distance says which places are beyond; by default the encoder's threshold is taken.
    """
    threshold = _threshold(encoder, threshold)
    if (refusal := why_not(probe, registration, encoder, threshold)) is not None:
        return refusal
    assert threshold is not None
    size = (exemplar.width, exemplar.height)
    aligned = align(exemplar, probe, registration.homography)
    whole = fit_colours(aligned.exemplar, aligned.probe, aligned.seen, locally=False)
    overlays, hidden = find_overlays(aligned, whole, size)
    shown = aligned.seen & ~hidden
    local, median = local_distances(aligned, shown, encoder)
    compared = float(shown.mean())
    if compared < LEAST_COMPARED or np.isnan(local).all():
        return NotCompared(f"only {compared:.0%} of the exemplar is to be seen on the photograph")
    local_distance = float(np.nanmax(local))
    limit = local_limit(threshold, encoder.global_weight * global_distance)
    return Divergence(
        global_distance=global_distance,
        local_distance=local_distance,
        combined_distance=combined_distance(global_distance, local_distance, encoder.global_weight),
        limit=limit,
        median=median,
        map=local,
        compared=compared,
        hidden=_share_of_detail(aligned.exemplar, hidden),
        places=_places(local, limit, size),
        overlays=tuple(overlays),
        homography=aligned.homography,
    )


def why_not(
    probe: Photograph, registration: Registration, encoder: Encoder, threshold: float | None = None
) -> NotCompared | None:
    """Return why a registered probe cannot be compared, whatever the exemplar looks like; None where it can be."""
    if encoder.stages is None or encoder.combined_threshold is None:
        return NotCompared("this encoder has no local distance")
    if _threshold(encoder, threshold) is None:
        return NotCompared("this encoder was trained on too few objects for a threshold of the combined distance")
    shown_pixels = registration.overlap_probe * probe.width * probe.height
    across = (shown_pixels / registration.overlap_exemplar) ** 0.5
    if across < FEWEST_PIXELS:
        return NotCompared(f"it is only some {across:.0f} pixels across on the photograph, {FEWEST_PIXELS} are needed")
    return None


def _threshold(encoder: Encoder, threshold: float | None) -> float | None:
    """Return a threshold of the combined distance, by default the encoder's."""
    known = encoder.combined_threshold
    return threshold if threshold is not None or known is None else known.value


def combined_distance(global_distance: float, local_distance: float, weight: float) -> float:
    """Return both distances as one: the length of (weight * global, local), which rises with either.

    Small alterations show in the local one alone, works painted all over again in the global one.
    """
    return math.hypot(weight * global_distance, max(local_distance, 0.0))


def local_limit(threshold: float, weighted: float) -> float:
    """Return the local distance at which the combined one reaches a threshold; 0 where the global one suffices."""
    return math.sqrt(max(threshold**2 - weighted**2, 0.0))


def local_distances(aligned: AlignedPair, shown: np.ndarray, encoder: Encoder) -> tuple[np.ndarray, float]:
    """Return how much more each place differs than the pair does on the whole, and how much the whole differs.

    The places are float32 (rows, columns), NaN where nothing was compared.
    At each place, the Euclidean distance of the unit features of exemplar and probe, at a few stages of the one
    network; less its median over the picture, which light, sharpness and compression shift; the mean of the stages.
    A median higher than light, sharpness and compression can make it is of a picture painted all over again: then a
    usual median is taken away.
    `shown` is bool (side, side).
    """
    assert encoder.stages is not None
    cv2 = import_cv2()
    fitted = fit_colours(aligned.exemplar, aligned.probe, shown)
    fitted = np.where(shown[..., None], fitted, aligned.exemplar)  # nothing differs where nothing is compared
    pictures = np.stack([_prepared(image, encoder) for image in (aligned.exemplar, fitted)])
    share = cv2.resize(shown.astype(np.float32), (PLACES_ACROSS, PLACES_ACROSS), interpolation=cv2.INTER_AREA)
    inside = cv2.erode((share > COVERED).astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=0) > 0
    if not inside.any():
        return np.full(inside.shape, np.nan, np.float32), float("nan")
    distances = np.stack([_spread(_resized(_distances(*stage)), inside) for stage in encoder.stages(pictures)])
    median = float(np.median(distances[:, inside], axis=1).mean())
    more = distances.mean(axis=0) - (median if median <= encoder.most_median else USUAL_MEDIAN)
    return np.where(inside, more * _weights(), np.float32(np.nan)).astype(np.float32), median


def _prepared(image: np.ndarray, encoder: Encoder) -> np.ndarray:
    """Return a picture as the network takes it, averaged first: float32 (3, height, width)."""
    cv2, shape = import_cv2(), encoder.preprocessing
    small = cv2.resize(image.astype(np.float32), (shape.width, shape.height), interpolation=cv2.INTER_AREA)
    return shape(Image.fromarray(small.round().astype(np.uint8)))


def _distances(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the distance of the unit features at each place, (channels, rows, columns) twice -> (rows, columns)."""
    products = (one * other).sum(axis=0)
    lengths = np.sqrt((one**2).sum(axis=0) * (other**2).sum(axis=0))
    return np.sqrt(np.maximum(2.0 - 2.0 * products / np.maximum(lengths, 1e-12), 0.0))


def _resized(distances: np.ndarray) -> np.ndarray:
    cv2 = import_cv2()
    way = cv2.INTER_AREA if len(distances) > PLACES_ACROSS else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(distances, (PLACES_ACROSS, PLACES_ACROSS), interpolation=way))


def _spread(distances: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return the mean over the places around each that are inside."""
    cv2 = import_cv2()
    around = (SPREAD, SPREAD)
    weight = cv2.blur(inside.astype(np.float32), around)
    return np.asarray(cv2.blur(np.where(inside, distances, 0).astype(np.float32), around) / np.maximum(weight, 1e-6))


@cache
def _weights() -> np.ndarray:
    """Return what each place counts, float32 (rows, columns)."""
    weights = np.full((PLACES_ACROSS, PLACES_ACROSS), BORDER_WEIGHT, np.float32)
    weights[BORDER:-BORDER, BORDER:-BORDER] = 1.0
    return weights


def _share_of_detail(exemplar: np.ndarray, hidden: np.ndarray) -> float:
    """Return the share of the exemplar's contrast, over its whole area, that lies under what hides it."""
    if not hidden.any():
        return 0.0
    grey = exemplar.astype(np.float32).mean(axis=2)
    detail = np.abs(np.gradient(grey)).sum(axis=0) + 1e-3
    return float(detail[hidden].sum() / detail.sum())


def _places(local: np.ndarray, limit: float, size: tuple[int, int]) -> tuple[Place, ...]:
    """Return the connected places beyond the limit, worst first, or the worst one."""
    cv2 = import_cv2()
    values = np.nan_to_num(local, nan=-np.inf)
    shown = (values >= min(limit, values.max())).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(shown, connectivity=8)
    across, down = size[0] / PLACES_ACROSS, size[1] / PLACES_ACROSS
    found = []
    for label in range(1, count):
        x, y, width, height = stats[label, :4].tolist()
        left, top, right, bottom = x * across, y * down, (x + width) * across, (y + height) * down
        box = (round(left), round(top), max(1, round(right - left)), max(1, round(bottom - top)))
        found.append(Place(box, float(values[labels == label].max())))
    return tuple(sorted(found, key=lambda place: -place.distance)[:MOST_PLACES])
