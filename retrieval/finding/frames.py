"""Find where pictures hang or are printed on a photograph, catalogued or not, by the outlines of frames and pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations

import numpy as np
from PIL import Image

from retrieval.comparing.registration import project
from retrieval.machine import import_cv2
from retrieval.photographs.features import Features
from retrieval.photographs.photograph import Photograph

SIDE = 480.0  # pixels: outlines are looked for on a picture of as many as a square of this side
SMALLEST, LARGEST = 0.03, 0.8  # of the photograph's area
SHORTEST = 0.12  # side, of the photograph's short side
FILLED = 0.85  # of the rectangle around an outline that it fills
EDGES = ((20, 60), (60, 150))  # grey levels between which Canny follows an edge
GROUND = (8.0, 16.0, 28.0)  # distance of a colour (CIELAB) from that of the wall
FEWEST_FEATURES = 15  # in it, to be a picture: not a door, a label, a shadow
FEWEST_AT_A_GLANCE = 3  # beside works; where there were fewer, a closer look found 13 at most, on 83 photographs
MARGIN = 1.1  # an outline is widened so much before it is said what lies outside
OVERLAP = 0.15  # of two pictures that lie beside each other, at most
PART = 0.45  # of a page that a picture on it takes, at most


def pictures_beside(
    photograph: Photograph,
    glance: Features,
    taken: Sequence[np.ndarray],
    *,
    closer: Callable[[], Features] | None = None,
    largest: float = LARGEST,
) -> list[np.ndarray]:
    """Return the pictures that lie beside the outlines `taken`: quadrangles, float64 (4, 2), clockwise, largest first.

    Points are pixels of the upright photograph in its full size, as in its features: those at a glance say whether to
    look for pictures, those that a `closer` look finds whether something is in them. `largest` is the share of its
    area that a picture may take. What has several pictures in it is a page or a screen, and no picture.
    """
    if np.count_nonzero(outside(taken, glance.points)) < FEWEST_AT_A_GLANCE:
        return []
    scale, picture = _reduced(photograph)
    area = picture.shape[0] * picture.shape[1]
    shortest = SHORTEST * min(picture.shape[:2])
    quads = sorted(
        (
            quad / scale
            for quad in _quads(picture)
            if SMALLEST * area <= _area(quad) <= largest * area and _shortest_side(quad) >= shortest
        ),
        key=_area,
        reverse=True,
    )
    if not any(_is_beside(quad, taken) for quad in quads):
        return []
    features = closer() if closer else glance
    quads = [quad for quad in quads if np.count_nonzero(_within(quad, features.points)) >= FEWEST_FEATURES]
    found: list[np.ndarray] = []
    for number, quad in enumerate(quads):
        if _is_beside(quad, (*taken, *found)) and not _has_several(quad, quads[number + 1 :]):
            found.append(quad)
    return found


def _is_beside(quad: np.ndarray, taken: Sequence[np.ndarray]) -> bool:
    """Say whether a quadrangle lies beside all others."""
    return all(overlap(quad, other) <= OVERLAP for other in taken)


def _has_several(quad: np.ndarray, smaller: Sequence[np.ndarray]) -> bool:
    """Say whether two pictures or more lie in a quadrangle, beside each other."""
    parts = [other for other in smaller if _area(other) <= PART * _area(quad)]
    within = [other for other in parts if overlap(quad, other) >= 1 - OVERLAP]
    return any(overlap(one, other) <= OVERLAP for one, other in combinations(within, 2))


def cut_out(photograph: Photograph, quad: np.ndarray) -> Image.Image:
    """Return what lies in a quadrangle, float (4, 2), clockwise from the top left, as a picture of its own."""
    cv2 = import_cv2()
    source = np.asarray(photograph.image)
    scale = np.array([source.shape[1] / photograph.width, source.shape[0] / photograph.height])
    corners = ((quad + 0.5) * scale - 0.5).astype(np.float32)
    sides = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    width, height = (max(2, round(float(max(sides[n], sides[n + 2])))) for n in (0, 1))
    target = np.array([(0, 0), (width - 1, 0), (width - 1, height - 1), (0, height - 1)], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, target)
    return Image.fromarray(cv2.warpPerspective(source, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE))


def corners_of(homography: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return where the corners of an exemplar of `size` lie on a photograph, as `cut_out` takes them."""
    found = project(homography, np.array([(0, 0), (size[0] - 1, 0), (size[0] - 1, size[1] - 1), (0, size[1] - 1)]))
    assert found is not None, "registered ones lie before the camera"
    return found


def bounds(polygon: np.ndarray, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the box (x, y, width, height) around a polygon on a photograph of `size`, in whole pixels."""
    left, top = (max(0, int(np.floor(value + 0.5))) for value in polygon.min(axis=0))
    right, bottom = (
        min(length, int(np.ceil(value + 0.5))) for length, value in zip(size, polygon.max(axis=0), strict=True)
    )
    return left, top, max(1, right - left), max(1, bottom - top)


def outside(polygons: Sequence[np.ndarray], points: np.ndarray) -> np.ndarray:
    """Return which points (n, 2) lie outside of all convex polygons, widened a little: bool (n,)."""
    found = np.ones(len(points), bool)
    for polygon in polygons:
        centre = polygon.mean(axis=0)
        found &= ~_within(centre + MARGIN * (polygon - centre), points)
    return found


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Return the share of the smaller of two convex polygons (n, 2) that lies in the larger, 0..1."""
    cv2 = import_cv2()
    smaller = min(_area(one), _area(other))
    common, _ = cv2.intersectConvexConvex(one.astype(np.float32), other.astype(np.float32))
    return float(common) / smaller if smaller > 0 else 1.0


def _reduced(photograph: Photograph) -> tuple[np.ndarray, np.ndarray]:
    """Return a small picture, uint8 (height, width, 3), and how many of its pixels are one of the photograph: (2,)."""
    cv2 = import_cv2()
    pixels = np.asarray(photograph.image)
    factor = min(1.0, SIDE / float(np.sqrt(pixels.shape[0] * pixels.shape[1])))
    size = (max(1, round(pixels.shape[1] * factor)), max(1, round(pixels.shape[0] * factor)))
    small = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
    return np.array([size[0] / photograph.width, size[1] / photograph.height]), small


def _quads(picture: np.ndarray) -> Iterator[np.ndarray]:
    """Yield what may be the outline of a frame or page: float64 (4, 2), clockwise from the top left."""
    cv2 = import_cv2()
    kernel = np.ones((3, 3), np.uint8)
    for mask in _masks(picture):
        contours, _ = cv2.findContours(cv2.dilate(mask, kernel), cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
        for contour in contours:
            _, _, width, height = cv2.boundingRect(contour)
            if width * height < SMALLEST * mask.size:
                continue
            hull = cv2.convexHull(contour)
            box = cv2.minAreaRect(hull)
            if cv2.contourArea(hull) < FILLED * box[1][0] * box[1][1]:
                continue
            corners = cv2.approxPolyDP(hull, 0.04 * cv2.arcLength(hull, True), True).reshape(-1, 2)
            yield _clockwise(corners if len(corners) == 4 else cv2.boxPoints(box))


def _masks(picture: np.ndarray) -> Iterator[np.ndarray]:
    """Yield edges, and what differs from the wall, as masks uint8 (height, width)."""
    cv2 = import_cv2()
    grey = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (3, 3), 0)
    for low, high in EDGES:
        yield cv2.Canny(grey, low, high)
    lab = cv2.cvtColor(picture.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB)
    rim = np.concatenate([lab[:4].reshape(-1, 3), lab[-4:].reshape(-1, 3), lab[:, :4].reshape(-1, 3)])
    away = lab - np.median(np.concatenate([rim, lab[:, -4:].reshape(-1, 3)]), axis=0)
    squares = cv2.transform(away * away, np.ones((1, 3), np.float32))
    kernel = np.ones((7, 7), np.uint8)
    for most in GROUND:
        yield cv2.morphologyEx((squares > most**2).astype(np.uint8), cv2.MORPH_OPEN, kernel)


def _clockwise(corners: np.ndarray) -> np.ndarray:
    """Return four corners clockwise, that nearest to the top left first."""
    points = np.asarray(corners, np.float64)
    angles = np.arctan2(*(points - points.mean(axis=0)).T[::-1])
    points = points[np.argsort(angles)]
    return np.roll(points, -int(points.sum(axis=1).argmin()), axis=0)


def _area(polygon: np.ndarray) -> float:
    cv2 = import_cv2()
    return float(cv2.contourArea(polygon.astype(np.float32)))


def _shortest_side(quad: np.ndarray) -> float:
    return float(np.linalg.norm(np.roll(quad, -1, axis=0) - quad, axis=1).min())


def _within(polygon: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return which points (n, 2) lie in a convex polygon or on its edge: bool (n,)."""
    sides = np.roll(polygon, -1, axis=0) - polygon
    away = points[:, None] - polygon[None]
    crossed = sides[:, 0] * away[:, :, 1] - sides[:, 1] * away[:, :, 0]  # of one sign for a point on one side of all
    return np.asarray((crossed >= 0).all(axis=1) | (crossed <= 0).all(axis=1))
