"""Lay a registered probe over its exemplar, point on point, in the exemplar's colours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from retrieval.comparing.registration import project
from retrieval.machine import import_cv2
from retrieval.photographs.photograph import Photograph

SIDE = 520  # pixels of the square on which the two are compared
REFINED_BLUR = 1.5  # sigma, in pixels of a square of half that side, on which the registration is refined
REFINED_STEPS = 30
REFINED_MOST = 0.05  # of the side: a corner that moves farther is a failure of the refinement
FITTED_SIDE = 130  # pixels of the square on which colours are fitted
FITTED_SPREAD = 8.0  # sigma, in those pixels, of the surroundings to whose light and contrast a place is brought
FITTED_NOISE = 60.0  # grey levels squared: a smaller variance says nothing of the contrast
FITTED_GAIN = 2.0  # at most

REDUCED_FROM = 1.3  # pixels of the probe, along a side, to one of the result

_GREY = 128


@dataclass(frozen=True, slots=True, eq=False)
class AlignedPair:
    """An exemplar and the probe on it: squares of one side, whatever the proportions of the exemplar."""

    exemplar: np.ndarray  # uint8 (side, side, 3)
    probe: np.ndarray  # uint8 (side, side, 3), in its own colours
    seen: np.ndarray  # bool (side, side): the probe shows this
    homography: np.ndarray  # float64 (3, 3), refined: pixels of the upright exemplar -> pixels of the upright probe


def align(exemplar: Photograph, probe: Photograph, homography: np.ndarray) -> AlignedPair:
    """Warp the probe onto the exemplar by the homography of a registration, refined on the pixels."""
    size = (SIDE, SIDE)
    target = np.asarray(exemplar.image.resize(size, Image.Resampling.BICUBIC))
    picture, onto = laid(exemplar, probe, homography, size)
    onto = onto @ _refinement(target, picture, onto)
    values, seen = warped(picture, onto, size)
    full = _between(_size(picture), _full(probe)) @ onto @ _between(_full(exemplar), size)
    return AlignedPair(target, values, seen, full / full[2, 2])


def align_closely(exemplar: Photograph, probe: Photograph, homography: np.ndarray, *, side: int) -> AlignedPair:
    """Warp the probe onto the exemplar by a homography that was refined before, on a square of another side."""
    size = (side, side)
    target = np.asarray(exemplar.image.resize(size, Image.Resampling.BICUBIC))
    return AlignedPair(target, *warped(*laid(exemplar, probe, homography, size), size), homography)


def lay_over(
    exemplar: Photograph, probe: Photograph, homography: np.ndarray, *, long_side: int
) -> tuple[Image.Image, Image.Image]:
    """Return the exemplar, its long side at most that long, and the probe on it, for people to look at.

    The homography is taken as it is. The colours of the probe are fitted; what it does not show is grey.
    """
    size = reduced_size(exemplar.image.size, long_side)
    target = exemplar.image.resize(size, Image.Resampling.LANCZOS)
    values, seen = warped(*laid(exemplar, probe, homography, size), size)
    fitted = fit_colours(np.asarray(target), values, seen).round().astype(np.uint8)
    return target, Image.fromarray(np.where(seen[..., None], fitted, np.uint8(_GREY)))


def reduced_size(size: tuple[int, int], long_side: int) -> tuple[int, int]:
    """Return width and height in the same proportions, the long side at most that long."""
    scale = min(1.0, long_side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def laid(
    exemplar: Photograph, probe: Photograph, homography: np.ndarray, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the probe's pixels, and the homography from pixels of an exemplar of `size` to them, float64 (3, 3).

    Averaged where a pixel of an exemplar of that size stands for several.
    """
    picture = _reduced(probe, homography, _full(exemplar), size)
    return picture, _between(_full(probe), _size(picture)) @ homography @ _between(size, _full(exemplar))


def _full(photograph: Photograph) -> tuple[int, int]:
    return photograph.width, photograph.height


def _size(picture: np.ndarray) -> tuple[int, int]:
    return picture.shape[1], picture.shape[0]


def _between(one: tuple[int, int], other: tuple[int, int]) -> np.ndarray:
    """Return the map between the pixels of a picture in two sizes, float64 (3, 3); the first pixel's centre is at 0."""
    across, down = other[0] / one[0], other[1] / one[1]
    return np.array([[across, 0.0, (across - 1) / 2], [0.0, down, (down - 1) / 2], [0.0, 0.0, 1.0]])


def _reduced(probe: Photograph, homography: np.ndarray, exemplar: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """Return the probe's pixels, averaged where a pixel of the result, an exemplar of `size`, stands for several."""
    cv2 = import_cv2()
    picture = np.asarray(probe.image)
    right, bottom = exemplar
    quad = project(homography, np.array([(0.0, 0.0), (right, 0.0), (right, bottom), (0.0, bottom)]))
    assert quad is not None, "a registered exemplar lies before the camera"
    covered = cv2.contourArea(quad.astype(np.float32)) / (probe.width * probe.height)  # times the probe's picture
    shrink = (covered * picture.shape[0] * picture.shape[1] / (size[0] * size[1])) ** 0.5
    if shrink < REDUCED_FROM:
        return picture
    smaller = (max(1, round(picture.shape[1] / shrink)), max(1, round(picture.shape[0] / shrink)))
    return np.asarray(cv2.resize(picture, smaller, interpolation=cv2.INTER_AREA))


def warped(picture: np.ndarray, onto: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return a picture at each pixel of the result, its edge drawn on beyond it, and where there is no need to."""
    cv2 = import_cv2()
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    values = cv2.warpPerspective(picture, onto, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    covered = cv2.warpPerspective(np.full(picture.shape[:2], 255, np.uint8), onto, size, flags=flags)
    return values, covered > 250


def _refinement(target: np.ndarray, picture: np.ndarray, onto: np.ndarray) -> np.ndarray:
    """Return what a homography on the square of the target lacks, by the correlation of the pixels.

    Evangelidis and Psarakis 2008. The identity where it fails or would move a corner too far: float64 (3, 3).
    """
    cv2 = import_cv2()
    half = (SIDE // 2, SIDE // 2)
    grow = _between(half, (SIDE, SIDE))
    values, seen = warped(picture, onto @ grow, half)
    one, other = (
        cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), REFINED_BLUR)
        for image in (cv2.resize(target, half, interpolation=cv2.INTER_AREA), values)
    )
    stop = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, REFINED_STEPS, 1e-4)
    start, mask = np.eye(3, dtype=np.float32), seen.astype(np.uint8) * 255
    try:
        _, found = cv2.findTransformECC(one, other, start, cv2.MOTION_HOMOGRAPHY, stop, mask, 5)
    except cv2.error:  # no correlation to climb: too flat, or too little in common
        return np.eye(3)
    side = float(half[0])
    corners = np.array([(0.0, 0.0), (side, 0.0), (side, side), (0.0, side)])
    moved = project(found.astype(np.float64), corners)
    if moved is None or np.abs(moved - corners).max() > REFINED_MOST * side:
        return np.eye(3)
    return np.asarray(grow @ found.astype(np.float64) @ np.linalg.inv(grow))


def fit_colours(exemplar: np.ndarray, probe: np.ndarray, seen: np.ndarray, *, locally: bool = True) -> np.ndarray:
    """Bring the probe to the exemplar's mean and contrast in each channel, on the whole and then place by place.

    uint8 (height, width, 3) twice and bool (height, width) -> float32 (height, width, 3) in [0, 255]. The first
    takes cast and exposure away, the second uneven light and shadow.
    """
    cv2 = import_cv2()
    target, values = exemplar.astype(np.float32), probe.astype(np.float32)
    if not seen.any():
        return values
    gain, shift = whole_fit(target, values, seen)
    values = cv2.multiply(values, (*gain, 0.0))
    values = cv2.add(values, (*shift, 0.0))
    return np.asarray(np.clip(_fitted_locally(target, values, seen) if locally else values, 0.0, 255.0))


def whole_fit(target: np.ndarray, values: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return by what each channel is multiplied on the whole, and what is added to it: float64 (3,) each."""
    cv2 = import_cv2()
    mask = seen.astype(np.uint8)
    (mean, deviation), (probe_mean, probe_deviation) = (cv2.meanStdDev(image, mask=mask) for image in (target, values))
    gain = deviation / (probe_deviation + 1e-3)
    return gain.ravel(), (mean - probe_mean * gain).ravel()


def _fitted_locally(target: np.ndarray, values: np.ndarray, seen: np.ndarray) -> np.ndarray:
    cv2 = import_cv2()
    whole = (target.shape[1], target.shape[0])
    fields = local_fit(target, values, seen)
    gain, mean, probe_mean = (cv2.resize(m, whole, interpolation=cv2.INTER_LINEAR) for m in fields)
    return np.asarray((values - probe_mean) * gain + mean)


def local_fit(target: np.ndarray, values: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the gain that each place needs, the mean of the target there, and that of the values.

    float32 (height, width, 3) twice and bool (height, width) -> three smooth fields, float32 (side, side, 3).
    """
    cv2 = import_cv2()
    mask = seen.astype(np.float32)

    def spread(image: np.ndarray) -> np.ndarray:
        small = cv2.resize(image, (FITTED_SIDE, FITTED_SIDE), interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.GaussianBlur(small, (0, 0), FITTED_SPREAD))

    weight = np.maximum(spread(mask), 1e-3)[..., None]
    moments = [spread(image * mask[..., None]) / weight for image in (target, values, target**2, values**2)]
    mean, probe_mean = moments[:2]
    variance, probe_variance = (np.maximum(m - n**2, 0.0) for m, n in zip(moments[2:], moments[:2], strict=True))
    gain = np.sqrt((variance + FITTED_NOISE) / (probe_variance + FITTED_NOISE)).clip(1 / FITTED_GAIN, FITTED_GAIN)
    return gain, mean, probe_mean
