"""Turn what the comparison network says of places, logits, into distances of places and of the whole."""

from __future__ import annotations

import numpy as np

from retrieval.comparing.evidence import Evidence
from retrieval.comparing.network import default_network
from retrieval.machine import import_cv2

SPREAD = 3  # places, across and down, over which the evidence is averaged
PEAKED = 2.0  # how near the combined distance is to that of the worst place; the network was trained with it
UNIT = 0.1  # distance for a logit


def logits_of(evidence: Evidence) -> np.ndarray:
    """Return how far each place contradicts the exemplar, float32 (rows, columns), NaN where nothing was compared.

    The comparison network's logits, the mean over the places around each.
    """
    logits = _spread(default_network()(evidence), evidence.inside)
    return np.where(evidence.inside, logits, np.float32(np.nan))


def whole_of(logits: np.ndarray) -> float:
    """Return the soft maximum of places: one that contradicts clearly weighs as much as many that do so a little."""
    compared = logits[np.isfinite(logits)].astype(np.float64)
    return float(np.logaddexp.reduce(PEAKED * compared) / PEAKED)


def distance_of(logits: np.ndarray | float) -> np.ndarray:
    """Return distances for logits: never below 0, and rising with the evidence (the softplus); NaN for NaN."""
    with np.errstate(invalid="ignore"):
        return np.asarray(UNIT * np.logaddexp(0.0, logits))


def logits_behind(distances: np.ndarray | float) -> np.ndarray:
    """Return the logits of distances, the other way round, float64; a distance of 0 gets a very low one, NaN is NaN."""
    scaled = np.maximum(np.asarray(distances, np.float64), 1e-12) / UNIT
    return np.asarray(scaled + np.log(-np.expm1(-scaled)))


def _spread(distances: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return the mean over the places around each that are inside."""
    cv2 = import_cv2()
    around = (SPREAD, SPREAD)
    weight = cv2.blur(inside.astype(np.float32), around)
    return np.asarray(cv2.blur(np.where(inside, distances, 0).astype(np.float32), around) / np.maximum(weight, 1e-6))
