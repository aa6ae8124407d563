"""Measure, place by place, how far a registered probe lies from the genuine exemplar."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from retrieval.comparing.alignment import AlignedPair, align, fit_colours
from retrieval.comparing.closely import TIMES, TooSmall, closer_logits, why_not_closely
from retrieval.comparing.covers import find_covers
from retrieval.comparing.evidence import PLACES_ACROSS, evidence_of
from retrieval.comparing.logits import distance_of, logits_behind, logits_of, whole_of
from retrieval.comparing.network import default_description
from retrieval.comparing.overlays import COVER, Box, Overlay, find_overlays, listed
from retrieval.comparing.positions import position
from retrieval.comparing.registration import Registration
from retrieval.comparing.surface import SIDE as COMPARED_SIDE
from retrieval.machine import import_cv2
from retrieval.photographs.photograph import Photograph

RESOLVED = 4.0  # pixels, or sigmas of blur, that a difference must be across to be seen
LEAST_BLUR = 1.0  # sigma: of the network's own pixels
COARSEST = 0.05  # share of the side: where only larger differences could be seen, nothing is said
FEWEST_PIXELS = 160  # of the probe across the whole work; with fewer, blur differs from place to place like paint
LEAST_COMPARED = 0.1  # share of the exemplar from which a comparison says something
MOST_PLACES = 12


@dataclass(frozen=True, slots=True)
class Place:
    """A place where the two differ beyond the threshold, or most: its box, and the largest local distance in it."""

    box: Box
    distance: float
    where: str = ""  # in the picture, in words


@dataclass(frozen=True, slots=True, eq=False)
class Divergence:
    """The comparison of a probe with an exemplar, place by place, on the exemplar's frame."""

    global_distance: float
    local_distance: float  # the largest local distance of the map
    combined_distance: float  # of all places: the one that decides
    limit: float  # local distance of the places that carry the combined distance beyond its threshold
    detail: float  # share of the exemplar's side: smaller differences could not be seen
    map: np.ndarray  # float32 (rows, columns) over the whole exemplar, NaN where nothing was compared
    compared: float  # share of the exemplar's area, 0..1
    hidden: float  # share of the exemplar's detail that overlays hide, 0..1
    places: tuple[Place, ...]  # worst first: the places beyond the threshold, or else the worst
    overlays: tuple[Overlay, ...]
    homography: np.ndarray  # float64 (3, 3), refined: pixels of the upright exemplar -> pixels of the upright probe
    resolved: np.ndarray  # float32, as the map: as `detail`, at each place
    pixels: float = math.inf  # of the probe across the whole work
    closely: bool | TooSmall = False  # whether it was looked at in parts too, or why it was not, where that was asked


@dataclass(frozen=True, slots=True)
class NotCompared:
    """Why there is no comparison place by place, as a part of a sentence for people."""

    reason: str


@dataclass(frozen=True, slots=True)
class TooBlurred(NotCompared):
    """Why a photograph says nothing of the work, not even as a whole: no detail of it is left."""


@dataclass(frozen=True, slots=True)
class NoExemplar(NotCompared):
    """Why there is nothing to compare with: the exemplar is away, and no sound working picture of it is kept."""


def diverge(
    exemplar: Photograph,
    probe: Photograph,
    registration: Registration,
    *,
    global_distance: float,
    threshold: float | None = None,
    closely: bool = False,
) -> Divergence | NotCompared:
    """Compare a probe with the exemplar that it is registered to, leaving out what lies over the picture.

    `closely` looks again in parts, at the resolution that both have. `threshold` of the combined distance says which
    places are beyond; by default the network's own is taken.
    """
    if (refusal := why_not(probe, registration)) is not None:
        return refusal
    size = (exemplar.width, exemplar.height)
    aligned = align(exemplar, probe, registration.homography)
    overlays, hidden = _laid_over(aligned, size)
    evidence = evidence_of(aligned, aligned.seen & ~hidden)
    compared = float(evidence.shown.mean())
    if compared < LEAST_COMPARED or not evidence.inside.any():
        return NotCompared(f"only {compared:.0%} of the exemplar is to be seen on the photograph")
    pixels = across(probe, registration)
    in_parts = closely and (why_not_closely(exemplar, pixels) or True)
    sharpest = LEAST_BLUR / TIMES if in_parts is True else LEAST_BLUR
    detail = float(_resolved(np.array(evidence.blur), pixels, sharpest))
    if detail > COARSEST:
        return TooBlurred(f"too blurred: differences under {detail:.0%} of its width could not be seen")
    logits = logits_of(evidence)
    logits = closer_logits(exemplar, probe, aligned, hidden, logits) if in_parts is True else logits
    local, combined = distance_of(logits).astype(np.float32), float(distance_of(whole_of(logits)))
    local_distance = float(np.nanmax(local))
    limit = local_limit(shipped_threshold() if threshold is None else threshold, local_distance, combined)
    return Divergence(
        global_distance=global_distance,
        local_distance=local_distance,
        combined_distance=combined,
        limit=limit,
        detail=detail,
        map=local,
        compared=compared,
        hidden=_share_of_detail(aligned.exemplar, hidden),
        places=_places(local, limit, size),
        overlays=tuple(overlays),
        homography=aligned.homography,
        resolved=_resolved(evidence.blurred, pixels, sharpest).astype(np.float32),
        pixels=pixels,
        closely=in_parts,
    )


def _laid_over(aligned: AlignedPair, size: tuple[int, int]) -> tuple[list[Overlay], np.ndarray]:
    """Return what lies over the picture on the probe, and where: bool, as high and wide as the pair."""
    whole = fit_colours(aligned.exemplar, aligned.probe, aligned.seen, locally=False)
    overlays, hidden = find_overlays(aligned, whole, size)
    covers = find_covers(aligned, whole, aligned.seen & ~hidden)
    return [*overlays, *listed(COVER, covers, size)], hidden | covers


def shipped_threshold() -> float:
    """Return the threshold of the combined distance that comes with the program."""
    value = default_description().threshold.value
    assert value is not None, "it comes with one"
    return value


def why_not(probe: Photograph, registration: Registration) -> NotCompared | None:
    """Return why a registered probe cannot be compared, whatever the exemplar looks like; None where it can be."""
    if (pixels := across(probe, registration)) < FEWEST_PIXELS:
        return NotCompared(f"it is only some {pixels:.0f} pixels across on the photograph, {FEWEST_PIXELS} are needed")
    return None


def across(probe: Photograph, registration: Registration) -> float:
    """Return how many pixels of the probe lie across the whole work."""
    shown = registration.overlap_probe * probe.width * probe.height
    return float((shown / registration.overlap_exemplar) ** 0.5)


def local_limit(threshold: float, local_distance: float, combined_distance: float) -> float:
    """Return the local distance from which on a place is one of those that carry a pair beyond a threshold.

    As much below the largest local distance as the threshold is below the combined distance, in logits; so some place
    is at the limit or beyond just where the pair is at the threshold or beyond.
    """
    below = logits_behind(combined_distance) - logits_behind(threshold)
    return float(distance_of(logits_behind(local_distance) - below))


def _resolved(blur: np.ndarray, pixels: float, sharpest: float) -> np.ndarray:
    """Return as shares of the side what smaller differences could not be seen, by the sigmas of blur and the pixels."""
    return np.asarray(np.maximum(RESOLVED / pixels, RESOLVED * np.maximum(blur, sharpest) / COMPARED_SIDE))


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
        found.append(Place(box, float(values[labels == label].max()), position(box, size)))
    return tuple(sorted(found, key=lambda place: -place.distance)[:MOST_PLACES])
