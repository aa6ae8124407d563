"""Measure how far other photographs of the same work lie from its exemplar, on simulated ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from heapq import nsmallest
from pathlib import Path

import numpy as np
from PIL import Image

from indexer.simulation.rephotograph import VERSION, rephotograph
from retrieval.catalogue.among import batches
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.contents import measured_among
from retrieval.catalogue.rows import Photo
from retrieval.encoder.encoder import Encoder
from retrieval.encoder.stream import EmbeddedPhotograph, Views, embed_photographs, whole
from retrieval.finding.nearest import exact_distance
from retrieval.photographs.photograph import Photograph

OBJECTS = 100  # whose re-photographs are simulated; more would cost time and narrow the threshold little


def with_rephotograph(photograph: Photograph) -> Sequence[Image.Image]:
    """Return a photograph and another one of the same work, the same for the same content."""
    seed = int(photograph.sha256[:12], 16)
    return [photograph.image, rephotograph(photograph.image, seed=seed)]


def sampled_views(photos: int) -> Views:
    """Return the views to encode while `photos` photographs go by, so that about OBJECTS are re-photographed.

    A content is in the sample or not by its hash, whatever the order and whatever else there is. What is returned can
    be sent to another process.
    """
    share = min(1.0, OBJECTS / max(photos, 1))
    return partial(_views_of_share, share)


def _views_of_share(share: float, photo: Photograph) -> Sequence[Image.Image]:
    return with_rephotograph(photo) if _rank(photo.sha256) < share else whole(photo)


def measured(embedded: Iterable[EmbeddedPhotograph]) -> dict[str, float]:
    """Return the distance between the two views of each photograph that has them, by sha256."""
    return {
        item.photograph.sha256: exact_distance(item.vectors[0], item.vectors[1])
        for item in embedded
        if item.photograph is not None and len(item.vectors) == 2
    }


def complete_sample(
    catalogue: Catalogue, encoder: Encoder, exemplars: Mapping[str, Path], *, max_megapixels: float
) -> None:
    """Measure the re-photographs still missing from the sample; `exemplars` names a file for each content."""
    sample = nsmallest(OBJECTS, exemplars, key=_rank)
    known = measured_among(catalogue, sample, encoder.fingerprint, VERSION)
    missing = [exemplars[sha256] for sha256 in sample if sha256 not in known]
    if missing:
        missing = missing[: _lacking(catalogue, encoder, exemplars)]
    embedded = embed_photographs(missing, encoder, views=with_rephotograph, max_megapixels=max_megapixels)
    catalogue.add_rephotographs(measured(embedded), encoder.fingerprint, VERSION)


def _lacking(catalogue: Catalogue, encoder: Encoder, exemplars: Iterable[str]) -> int:
    """Return how many re-photographs there are less than OBJECTS; they are counted until there are enough."""
    lacking = OBJECTS
    for some in batches(exemplars):
        lacking -= len(measured_among(catalogue, some, encoder.fingerprint, VERSION))
        if lacking <= 0:
            return 0
    return lacking


def genuine_distances(catalogue: Catalogue, photos: Iterable[Photo]) -> np.ndarray:
    """Return one measured distance for each object that has one, float64 of shape (n,)."""
    encoder = catalogue.encoder
    known = catalogue.rephotographs(encoder.fingerprint, VERSION) if encoder else {}
    by_object: dict[str, float] = {}
    for photo in photos:
        if photo.sha256 in known:
            by_object.setdefault(photo.object_id, known[photo.sha256])
    return np.array(list(by_object.values()))


def _rank(sha256: str) -> float:
    return int(sha256[:8], 16) / 2**32
