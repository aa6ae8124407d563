"""Combine the two distances, and set their threshold, from genuine photographs: labelled ones, or simulated ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from indexer.inputs.labels import LabelledPhoto
from indexer.simulation.rephotograph import rephotograph
from retrieval.comparing.divergence import Divergence, combined_distance, diverge
from retrieval.comparing.registration import Registration, find_registration
from retrieval.encoder.encoder import Encoder
from retrieval.finding.nearest import exact_distance
from retrieval.machine import cpu_count
from retrieval.photographs.features import features_of, features_of_probe
from retrieval.photographs.images import read_photograph
from retrieval.photographs.photograph import Photograph
from retrieval.statistics.calibration import Threshold, authenticity_threshold

OBJECTS = 200  # at most; more would narrow the threshold little
SIDE = 520  # pixels of the short side of the photographs
ANY = Threshold(math.inf, 0.0, 0)  # for an encoder without a combined threshold
USUAL = 0.95  # share of the genuine pairs up to which a distance is usual
WEIGHT = 0.6  # of the usual global distance beside the usual local one; `python -m tests.bench.promises`


@dataclass(frozen=True, slots=True)
class Combination:
    """What the global distance counts beside the local one, and the threshold of the two together."""

    global_weight: float
    threshold: Threshold


def combination_of(photos: Sequence[LabelledPhoto], encoder: Encoder, *, seed: int) -> Combination:
    """Return how the distances are combined, and what a genuine photograph falls beyond at most at the usual rate.

    One pair an object: its first genuine photo and the second, or else a re-photograph of the first. What does not
    register is left out.
    """
    by_object: dict[str, list[LabelledPhoto]] = {}
    for photo in photos:
        if photo.genuine:
            by_object.setdefault(photo.object_id, []).append(photo)
    chosen = np.random.default_rng(seed).permutation(list(by_object))[:OBJECTS]
    measuring = replace(encoder, combined_threshold=ANY)

    def measured(object_id: str) -> tuple[float, float] | None:
        return distances_of(by_object[object_id], measuring, seed=seed)

    with ThreadPoolExecutor(cpu_count()) as threads:
        found = [pair for pair in threads.map(measured, chosen.tolist()) if pair is not None]
    return combine(np.array(found).reshape(-1, 2))


def combine(genuine: np.ndarray) -> Combination:
    """Return the combination that the global and local distances of genuine pairs, (n, 2), ask for.

    Each distance counts by how it compares with its usual value.
    """
    weight = 0.0
    if len(genuine):
        usual = np.quantile(genuine, USUAL, axis=0)
        weight = round(WEIGHT * float(max(usual[1], 0.0) / usual[0]), 3) if usual[0] > 0 else 0.0
    combined = [combined_distance(whole, local, weight) for whole, local in genuine.tolist()]
    return Combination(weight, authenticity_threshold(np.array(combined)))


def distances_of(photos: Sequence[LabelledPhoto], encoder: Encoder, *, seed: int) -> tuple[float, float] | None:
    """Return global and local distance of two genuine photographs of an object; None where they do not register."""
    exemplar = read_photograph(photos[0].path, short_side=SIDE)
    probe = read_photograph(photos[1].path, short_side=SIDE) if len(photos) > 1 else again(exemplar, seed=seed)
    registration = find_registration(features_of(exemplar), features_of_probe(probe))
    if not isinstance(registration, Registration):
        return None
    whole = exact_distance(*encoder.encode([exemplar.image, probe.image]))
    found = diverge(exemplar, probe, registration, encoder, global_distance=whole)
    return (whole, found.local_distance) if isinstance(found, Divergence) else None


def again(photograph: Photograph, *, seed: int) -> Photograph:
    """Return a re-photograph of a photograph; the same for the same content and seed."""
    image = rephotograph(photograph.image, seed=int(photograph.sha256[:12], 16) ^ seed)
    return replace(photograph, image=image, width=image.width, height=image.height)
