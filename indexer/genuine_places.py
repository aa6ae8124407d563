"""Set the threshold of the local distance from genuine photographs: labelled ones, or simulated re-photographs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from indexer.labels import LabelledPhoto
from indexer.rephotograph import rephotograph
from retrieval.calibration import Threshold, authenticity_threshold
from retrieval.divergence import Divergence, diverge
from retrieval.encoder import Encoder, cpu_count
from retrieval.features import features_of, features_of_probe
from retrieval.images import Photograph, read_photograph
from retrieval.registration import Registration, register

OBJECTS = 200  # at most; more would narrow the threshold little
SIDE = 520  # pixels of the short side of the photographs
ANY = Threshold(math.inf, 0.0, 0)  # for an encoder that has none yet


def place_threshold(photos: Sequence[LabelledPhoto], encoder: Encoder, *, seed: int) -> Threshold:
    """Return the local distance above which a genuine photograph falls at most at the usual rate.

    One distance an object: between its first genuine photo and the second, or else a re-photograph of the first. What
    does not register is left out.
    """
    by_object: dict[str, list[LabelledPhoto]] = {}
    for photo in photos:
        if photo.genuine:
            by_object.setdefault(photo.object_id, []).append(photo)
    chosen = np.random.default_rng(seed).permutation(list(by_object))[:OBJECTS]
    measuring = replace(encoder, local_threshold=ANY)

    def measured(object_id: str) -> float | None:
        return local_distance(by_object[object_id], measuring, seed=seed)

    with ThreadPoolExecutor(cpu_count()) as threads:
        found = [distance for distance in threads.map(measured, chosen.tolist()) if distance is not None]
    return authenticity_threshold(np.array(found))


def local_distance(photos: Sequence[LabelledPhoto], encoder: Encoder, *, seed: int) -> float | None:
    """Return the local distance between two genuine photographs of an object; None where they do not register."""
    exemplar = read_photograph(photos[0].path, short_side=SIDE)
    probe = read_photograph(photos[1].path, short_side=SIDE) if len(photos) > 1 else again(exemplar, seed=seed)
    registration = register(features_of(exemplar), features_of_probe(probe))
    if not isinstance(registration, Registration):
        return None
    found = diverge(exemplar, probe, registration, encoder, global_distance=math.nan)
    return found.local_distance if isinstance(found, Divergence) else None


def again(photograph: Photograph, *, seed: int) -> Photograph:
    """Return a re-photograph of a photograph; the same for the same content and seed."""
    image = rephotograph(photograph.image, seed=int(photograph.sha256[:12], 16) ^ seed)
    return replace(photograph, image=image, width=image.width, height=image.height)
