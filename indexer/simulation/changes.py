"""Change one small place of a picture in some plain way: another colour, a piece moved, bent, turned, painted out.

Beside the alterations, which imitate what painters and forgers do, these are what a comparison must not miss either.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from retrieval.machine import import_cv2

cv2 = import_cv2()

AREA = (0.002, 0.04)  # share of the picture, the logarithm evenly
VISIBLE = 10.0  # grey levels: what changes its place by less on average is hard to see
ATTEMPTS = 6
SMALLEST = 30  # pixels


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What is to be changed: all pixels, float32 (height, width, 3), and where, uint8 (height, width)."""

    pixels: np.ndarray
    mask: np.ndarray
    donor: np.ndarray  # uint8 (height, width, 3), another picture
    random: np.random.Generator

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.mask.shape[1], self.mask.shape[0]

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, width and height of the place."""
        left, top, width, height = cv2.boundingRect(self.mask)
        return left, top, width, height

    @property
    def centre(self) -> tuple[float, float]:
        """The centre of the box."""
        left, top, width, height = self.box
        return left + width / 2, top + height / 2


def change(pixels: np.ndarray, donor: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray] | None:
    """Return a picture, uint8 (height, width, 3), changed in one place, and where, bool; None where nothing shows.

    `donor` is another picture, of any size.
    """
    height, width = pixels.shape[:2]
    values, other = pixels.astype(np.float32), cv2.resize(donor, (width, height))
    for _ in range(ATTEMPTS):
        mask = blob(pixels.shape[:2], math.exp(random.uniform(*np.log(AREA))), random)
        if mask.sum() < SMALLEST:
            continue
        way = list(WAYS.values())[random.integers(len(WAYS))]
        changed = laid_in(values, way(Task(values, mask, other, random)), mask, random)
        if np.abs(changed - values)[mask > 0].mean() >= VISIBLE:
            return changed.round().astype(np.uint8), mask > 0
    return None


def change_nothing(pixels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return a picture, uint8, of which a place was cut out and laid in again, hardly different: no alteration.

    What learns from changed places must not learn their seams.
    """
    mask = blob(pixels.shape[:2], math.exp(random.uniform(*np.log((0.004, 0.1)))), random)
    values = pixels.astype(np.float32)
    if random.random() < 0.5:
        again = cv2.GaussianBlur(values, (0, 0), random.uniform(0.3, 0.8))
    else:
        again = jpeg(pixels, int(random.integers(40, 90)))
    again = again * random.uniform(0.97, 1.03) + random.uniform(-3, 3)
    return np.asarray(laid_in(values, again, mask, random).round(), np.uint8)


def blob(shape: tuple[int, int], share: float, random: np.random.Generator) -> np.ndarray:
    """Return a place of some shape that takes about a share of the picture: uint8 (height, width)."""
    height, width = shape
    corners = int(random.integers(5, 11))
    angles = np.sort(random.uniform(0, 2 * np.pi, corners))
    axes = np.array([math.exp(random.uniform(-0.6, 0.6)), 1.0])
    radii = random.uniform(0.6, 1.3, corners)[:, None] * math.sqrt(share * height * width / np.pi)
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1) * radii * axes / math.sqrt(axes.prod())
    turn = random.uniform(0, np.pi)
    cos, sin = math.cos(turn), math.sin(turn)
    centre = random.uniform(0.06, 0.94, 2) * (width, height)
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(points @ np.array([[cos, -sin], [sin, cos]]) + centre).astype(np.int32)], 1)
    return mask


def laid_in(values: np.ndarray, changed: np.ndarray, mask: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return the picture with its place changed, the edge more or less soft: float32 within [0, 255]."""
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), random.uniform(0.6, 3.0))[..., None]
    return np.asarray(np.clip(values * (1 - soft) + changed * soft, 0, 255))


def jpeg(pixels: np.ndarray, quality: int) -> np.ndarray:
    """Return pixels in [0, 255] as they come back from a JPEG: float32."""
    _, coded = cv2.imencode(".jpg", np.clip(pixels, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.float32)


def _colour(task: Task) -> np.ndarray:
    hsv = cv2.cvtColor(task.pixels.astype(np.uint8), cv2.COLOR_RGB2HSV).astype(np.float32)
    hsv[..., 0] = (hsv[..., 0] + task.random.uniform(20, 160)) % 180
    hsv[..., 1] = np.clip(hsv[..., 1] * task.random.uniform(0.8, 1.6) + task.random.uniform(0, 50), 0, 255)
    return np.asarray(cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB), np.float32)


def _tone(task: Task) -> np.ndarray:
    mean = task.pixels[task.mask > 0].mean(axis=0)
    shift = task.random.choice([-1, 1]) * task.random.uniform(25, 80)
    return np.asarray(np.clip((task.pixels - mean) * task.random.uniform(0.5, 1.5) + mean + shift, 0, 255))


def _flat(task: Task) -> np.ndarray:
    colours = task.pixels.reshape(-1, 3)
    return np.asarray(colours[task.random.integers(len(colours))] + task.random.normal(0, 3, task.pixels.shape))


def _cloned(task: Task) -> np.ndarray:
    shift = task.random.uniform(-0.4, 0.4, 2) * task.size
    return _warped(task, np.array([[1, 0, shift[0]], [0, 1, shift[1]]]))


def _scaled(task: Task) -> np.ndarray:
    factor = math.exp(task.random.choice([-1, 1]) * task.random.uniform(0.2, 0.5))
    return _warped(task, cv2.getRotationMatrix2D(task.centre, task.random.uniform(-40, 40), factor))


def _mirrored(task: Task) -> np.ndarray:
    x, y = task.centre
    across = task.random.random() < 0.5
    return _warped(task, np.array([[-1, 0, 2 * x], [0, 1, 0]] if across else [[1, 0, 0], [0, -1, 2 * y]]))


def _warped(task: Task, matrix: np.ndarray) -> np.ndarray:
    border = cv2.BORDER_REFLECT
    return np.asarray(cv2.warpAffine(task.pixels, matrix.astype(np.float32), task.size, borderMode=border))


def _bent(task: Task) -> np.ndarray:
    width, height = task.size
    waves = task.random.normal(0, 0.25 * max(task.box[2:]), (5, 5, 2)).astype(np.float32)
    field = cv2.resize(waves, (width, height), interpolation=cv2.INTER_CUBIC)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    across, down = columns + field[..., 0], rows + field[..., 1]
    return np.asarray(cv2.remap(task.pixels, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT))


def _painted_out(task: Task) -> np.ndarray:
    left, top, width, height = task.box
    rows, columns = slice(max(0, top - 20), top + height + 20), slice(max(0, left - 20), left + width + 20)
    whole = cv2.dilate(task.mask[rows, columns], np.ones((5, 5), np.uint8))
    changed = task.pixels.copy()
    around = np.ascontiguousarray(task.pixels[rows, columns]).astype(np.uint8)
    changed[rows, columns] = cv2.inpaint(around, whole, 4, cv2.INPAINT_TELEA)
    return np.asarray(changed + task.random.normal(0, task.random.uniform(0, 4), (*task.mask.shape, 1)))


def _pasted(task: Task) -> np.ndarray:
    shift = task.random.integers(task.size[1]), task.random.integers(task.size[0])
    piece = np.roll(task.donor, shift, axis=(0, 1)).astype(np.float32)
    if task.random.random() < 0.5:
        inside = task.mask > 0
        piece = piece - piece[inside].mean(axis=0) + task.pixels[inside].mean(axis=0)
    return piece


WAYS: Mapping[str, Callable[[Task], np.ndarray]] = {
    "coloured": _colour,
    "toned": _tone,
    "flat": _flat,
    "cloned": _cloned,
    "scaled": _scaled,
    "mirrored": _mirrored,
    "bent": _bent,
    "painted out": _painted_out,
    "pasted": _pasted,
}
