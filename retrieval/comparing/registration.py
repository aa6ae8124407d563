"""Find out whether and how a probe lies over an exemplar: one homography that many local features agree on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from retrieval.machine import import_cv2
from retrieval.photographs.descriptor_codes import LENGTH
from retrieval.photographs.features import Features

RATIO = 0.8  # a match is this much nearer than the next best (Lowe 2004)
DIAGONAL = 640.0  # both photographs are brought to this diagonal, in pixels, for the fit
TOLERANCE = 4.0  # of the fit, in those pixels
NEEDED = 10  # matched points that agree; of other works at most 7 did, on some 10,000 pairs
NEEDED_SHARE = 0.2  # of the points matched by their looks alone
NEEDED_SPREAD = 0.05  # of the exemplar's seen area, inside the hull of the matched points
SMALLEST_OVERLAP = 0.02  # of the exemplar, and of the probe
NEEDED_OVERLAP = 0.4  # of one of them: the work is on the probe, or the probe is a detail of the work
STRETCH = 3.0  # of the most enlarged side over the least enlarged
SMALLEST_TURN = 0.3  # sine of the sharpest corner


@dataclass(frozen=True, slots=True, eq=False)
class Registration:
    """How the exemplar lies on the probe."""

    homography: np.ndarray  # float64 (3, 3): pixels of the upright exemplar -> pixels of the upright probe
    inliers: int  # matched points that agree with it, each place counted once
    matched: np.ndarray  # float32 (inliers, 4): x and y on the exemplar, x and y on the probe
    overlap_exemplar: float  # share of the exemplar's area that is on the probe, 0..1
    overlap_probe: float  # share of the probe's area that the exemplar covers, 0..1
    residual: float  # median error of the matched points on the exemplar, as a share of its diagonal
    mirrored: bool  # the probe shows the work mirrored


@dataclass(frozen=True, slots=True)
class NotRegistered:
    """Why the two could not be laid over each other, as a part of a sentence for people."""

    reason: str


def find_registration(exemplar: Features, probe: Features, *, mirrored: bool = True) -> Registration | NotRegistered:
    """Lay the exemplar over the probe; where that fails, over the mirrored probe, if that is to be tried."""
    straight = _found_registration(exemplar, probe)
    if isinstance(straight, Registration) or not mirrored:
        return straight
    turned = _found_registration(exemplar, probe.mirrored())
    return _turned_back(turned, probe.size[0]) if isinstance(turned, Registration) else straight


def _found_registration(exemplar: Features, probe: Features) -> Registration | NotRegistered:
    pairs = match_points(exemplar.descriptors, probe.descriptors)
    if len(pairs) < NEEDED:
        return _too_few(len(pairs))
    points, images = exemplar.points[pairs[:, 0]], probe.points[pairs[:, 1]]
    homography, inliers = _fit(points, images, exemplar.size, probe.size)
    points, images = _distinct(points[inliers], images[inliers])
    if len(points) < NEEDED:
        return _too_few(len(points))
    if len(points) < NEEDED_SHARE * len(pairs):
        return NotRegistered(f"only {len(points)} of {len(pairs)} matching points agree")
    return _checked(homography, points, images, exemplar.size, probe.size)


def _too_few(count: int) -> NotRegistered:
    return NotRegistered(f"only {count} matching point{'' if count == 1 else 's'}, {NEEDED} are needed")


def match_points(exemplar: np.ndarray, probe: np.ndarray) -> np.ndarray:
    """Return the rows of descriptors, uint8 (n, 128) and (m, 128), that match one to one: int64 of shape (pairs, 2).

    Each is the other's nearest, and clearly nearer to the exemplar's than the next best.
    """
    if min(len(exemplar), len(probe)) < 2:
        return np.empty((0, 2), np.int64)
    cv2 = import_cv2()  # on the one thread that it is asked from: numpy's threads get in each other's way here
    one, other = exemplar.astype(np.float32), probe.astype(np.float32)  # whole numbers: exact, whatever the order
    products = cv2.gemm(one, other, 1.0, None, 0.0, flags=cv2.GEMM_2_T)
    best = products.argmax(axis=1)
    rows = np.flatnonzero(products.argmax(axis=0)[best] == np.arange(len(best)))
    mutual = products[rows]
    nearest = mutual[np.arange(len(rows)), best[rows]]
    mutual[np.arange(len(rows)), best[rows]] = -1.0
    whole = 2.0 * LENGTH**2
    clear = np.maximum(whole - 2.0 * nearest, 0.0) < RATIO**2 * (whole - 2.0 * mutual.max(axis=1, initial=-1.0))
    return np.stack([rows[clear], best[rows[clear]]], axis=1)


def _fit(
    points: np.ndarray, images: np.ndarray, size: tuple[int, int], probe_size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the homography that takes most points (n, 2) to their images, and which ones, bool (n,)."""
    cv2 = import_cv2()
    shrink, shrink_probe = DIAGONAL / np.hypot(*size), DIAGONAL / np.hypot(*probe_size)
    found, inliers = cv2.findHomography(
        points * shrink, images * shrink_probe, cv2.USAC_MAGSAC, TOLERANCE, maxIters=2000, confidence=0.999
    )
    if found is None:
        return np.eye(3), np.zeros(len(points), bool)
    homography = np.diag([1 / shrink_probe, 1 / shrink_probe, 1.0]) @ found @ np.diag([shrink, shrink, 1.0])
    return homography / homography[2, 2], inliers.ravel() > 0


def _distinct(points: np.ndarray, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the pairs of places, each place once: a point that SIFT gave two directions is one point."""
    _, first = np.unique(points.round(), axis=0, return_index=True)
    _, second = np.unique(images[first].round(), axis=0, return_index=True)
    kept = np.sort(first[second])
    return points[kept], images[kept]


def _checked(
    homography: np.ndarray, points: np.ndarray, images: np.ndarray, size: tuple[int, int], probe_size: tuple[int, int]
) -> Registration | NotRegistered:
    """Return the registration, unless it shows the exemplar as no camera would."""
    cv2 = import_cv2()
    quad = project(homography, _corners(size))
    if quad is None or not _is_plausible(quad, size):
        return NotRegistered(f"the {len(points)} matching points do not show it as a camera would")
    overlap_exemplar, overlap_probe = _seen_share(homography, quad, _corners(probe_size), size, probe_size)
    overlaps = overlap_exemplar, overlap_probe
    if min(overlaps) < SMALLEST_OVERLAP or max(overlaps) < NEEDED_OVERLAP:
        return NotRegistered(f"the {len(points)} matching points show too small a part of it")
    spread = cv2.contourArea(cv2.convexHull(points)) / (size[0] * size[1])
    if spread < NEEDED_SPREAD * overlap_exemplar:
        return NotRegistered(f"the {len(points)} matching points lie all in one place")
    residual = float(np.median(_errors(homography, points, images))) / float(np.hypot(*size))
    matched = np.hstack([points, images]).astype(np.float32)
    return Registration(homography, len(points), matched, overlap_exemplar, overlap_probe, residual, mirrored=False)


def _corners(size: tuple[int, int]) -> np.ndarray:
    """Return the outline of a picture, clockwise from the top left: float64 (4, 2), half a pixel around the centres."""
    right, bottom = size[0] - 0.5, size[1] - 0.5
    return np.array([(-0.5, -0.5), (right, -0.5), (right, bottom), (-0.5, bottom)])


def project(homography: np.ndarray, points: np.ndarray) -> np.ndarray | None:
    """Return where points (n, 2) fall, float64 (n, 2); None where some would lie behind the camera."""
    lifted = np.hstack([points, np.ones((len(points), 1))]) @ homography.T
    return lifted[:, :2] / lifted[:, 2:] if lifted[:, 2].min() > 1e-9 else None


def outline(homography: np.ndarray, size: tuple[int, int], probe_size: tuple[int, int]) -> np.ndarray:
    """Return where an exemplar of `size` lies on the probe, as far as it does: a convex polygon, float64 (n, 2)."""
    cv2 = import_cv2()
    quad = project(homography, _corners(size))
    assert quad is not None, "registered ones lie before the camera"
    _, polygon = cv2.intersectConvexConvex(quad.astype(np.float32), _corners(probe_size).astype(np.float32))
    return np.empty((0, 2)) if polygon is None else polygon.reshape(-1, 2).astype(np.float64)


def _is_plausible(quad: np.ndarray, size: tuple[int, int]) -> bool:
    """Say whether the corners of a picture of `size`, clockwise, still are: convex, unmirrored, not drawn out."""
    sides = np.roll(quad, -1, axis=0) - quad
    lengths = np.maximum(np.linalg.norm(sides, axis=1), 1e-9)
    following, next_lengths = np.roll(sides, -1, axis=0), np.roll(lengths, -1)
    turns = sides[:, 0] * following[:, 1] - sides[:, 1] * following[:, 0]
    if (turns / (lengths * next_lengths)).min() < SMALLEST_TURN:
        return False
    scales = lengths / np.array([size[0], size[1], size[0], size[1]])
    return bool(scales.max() <= STRETCH * scales.min())


def _seen_share(
    homography: np.ndarray, quad: np.ndarray, frame: np.ndarray, size: tuple[int, int], probe_size: tuple[int, int]
) -> tuple[float, float]:
    """Return the shares of the exemplar and of the probe that show the same."""
    cv2 = import_cv2()
    area, polygon = cv2.intersectConvexConvex(quad.astype(np.float32), frame.astype(np.float32))
    if polygon is None or area <= 0.0:
        return 0.0, 0.0
    seen = project(np.linalg.inv(homography), polygon.reshape(-1, 2).astype(np.float64))
    assert seen is not None, "what lies on the probe is before the camera"
    shares = cv2.contourArea(seen.astype(np.float32)) / (size[0] * size[1]), area / (probe_size[0] * probe_size[1])
    return min(1.0, shares[0]), min(1.0, shares[1])


def _errors(homography: np.ndarray, points: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Return how far on the exemplar each point is from where its image says it should be, in its pixels: (n,)."""
    back = project(np.linalg.inv(homography), images)
    return np.full(1, np.inf) if back is None else np.linalg.norm(back - points, axis=1)


def _turned_back(found: Registration, width: int) -> Registration:
    """Return a registration on the mirrored probe as one on the probe itself, `width` pixels wide."""
    flip = np.array([[-1.0, 0.0, width - 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    matched = found.matched.copy()
    matched[:, 2] = width - 1.0 - matched[:, 2]
    return replace(found, homography=flip @ found.homography, matched=matched, mirrored=True)
