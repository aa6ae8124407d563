"""Choose the first projection in closed form: what differs between photographs of one work counts less."""

from __future__ import annotations

import numpy as np

SHRINKAGE = 0.3  # share of the mean variance within objects added to each: small samples know few directions well
FLAT = 1e-9  # share of the largest spread between objects: less is none; n objects span n directions at most


def discriminative_whitening(
    features: np.ndarray,
    objects: np.ndarray,
    dim: int,
    *,
    shrinkage: float = SHRINKAGE,
    each_photograph: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the weight, float32 (dim, size), and bias (dim,), of the projection that separates objects best.

    `features` is float (n, size) and `objects` (n,) says whose they are. The scatter within objects is whitened, and
    the `dim` directions in which the means of the objects then differ most are kept, each divided by the root of its
    standard deviation: linear discriminant analysis, as learned whitening of Mikolajczyk and Matas (2007) and
    Radenovic, Tolias and Chum (2018), with the spread between objects evened out half way. The means of few objects
    span few directions: by `each_photograph`, the directions in which the
    photographs differ most are kept instead.
    """
    _, numbers, counts = np.unique(objects, return_inverse=True, return_counts=True)
    centred = features.astype(np.float64)
    mean = centred.mean(axis=0)
    centred -= mean
    sums = np.zeros((len(counts), centred.shape[1]))
    np.add.at(sums, numbers, centred)
    means = sums / counts[:, None]
    within = centred - means[numbers]
    scatter = within.T @ within / max(len(within) - len(counts), 1)
    usual = np.trace(scatter) / len(scatter) or 1.0  # no object may have been seen twice
    scatter += shrinkage * usual * np.eye(len(scatter))
    values, vectors = np.linalg.eigh(scatter)
    white = vectors / np.sqrt(values) @ vectors.T
    between = (centred if each_photograph else means) @ white
    spread, directions = np.linalg.eigh(between.T @ between / len(between))
    order = np.argsort(-spread)[:dim]
    spread = np.where(spread > FLAT * spread.max(), spread, np.inf)  # nothing is seen in directions without any
    weight = (white @ directions[:, order] / spread[order] ** 0.25).T
    weight /= np.sqrt(np.mean((centred @ weight.T) ** 2) * dim)  # projections about as long as the unit vectors
    return weight.astype(np.float32), (-weight @ mean).astype(np.float32)
