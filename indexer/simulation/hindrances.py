"""What glass, film, light and cheap cameras do to a photograph of a work, beyond what `rephotograph` does."""

from __future__ import annotations

import math

import numpy as np

from indexer.simulation.changes import jpeg
from retrieval.machine import import_cv2

cv2 = import_cv2()

LETTERS = "ABCDEFGHIKLMNOPRSTUVWXYZ0123456789.- "
LARGER = 3  # times that a label is drawn before it is laid on: its letters are soft

Pixels = np.ndarray  # (height, width, 3), in grey levels


def reflect_room(pixels: Pixels, room: Pixels, random: np.random.Generator) -> Pixels:
    """Lay reflections over a photograph, now and then: of a room, of lamps and creases in film, of a bright haze.

    Light is added, and what is behind it loses a part of its own: I = W T + R. `room` is another picture, uint8, of any
    size; float32 in [0, 255] comes back.
    """
    values = pixels.astype(np.float32)
    if random.random() < 0.35:
        values = _mirror(values, room, random)
    if random.random() < 0.3:
        for _ in range(random.integers(1, 5)):
            values = values + (_lamp if random.random() < 0.5 else _crease)(values, random)
    if random.random() < 0.25:
        values = _haze(values, random)
    return np.asarray(np.clip(values, 0, 255))


def stick_label(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """Stick a small label with a few lines of text on a work, most often near a side: a shelf mark, a price, a lot."""
    height, width = pixels.shape[:2]
    size = (int(random.uniform(0.06, 0.22) * width), int(random.uniform(0.05, 0.18) * height))
    if size[0] < 12 or size[1] < 10:
        return pixels
    across = random.uniform(*((0, 0.1), (0.9, 1), (0, 1))[random.choice(3, p=(0.33, 0.32, 0.35))])
    corner = np.array([across * (width - size[0]), random.random() * (height - size[1])])
    label = _label((LARGER * size[0], LARGER * size[1]), random)
    middle = LARGER * size[0] / 2, LARGER * size[1] / 2
    onto = cv2.getRotationMatrix2D(middle, random.normal(0, 4), 1 / LARGER)
    onto[:, 2] += corner + np.array(size) / 2 - middle
    laid = cv2.warpAffine(label.astype(np.float32), onto, (width, height), flags=cv2.INTER_AREA)
    share = cv2.warpAffine(np.ones(label.shape[:2], np.float32), onto, (width, height))[..., None]
    return np.asarray((pixels * (1 - share) + laid * share).round(), np.uint8)


def degrade(pixels: Pixels, random: np.random.Generator, *, much: float = 1.0) -> Pixels:
    """Lose what cameras and senders lose: pixels, sharpness, by movement too, and smoothness; uint8.

    `much`, up to 1, scales how often each happens.
    """
    values: Pixels = pixels.astype(np.float32)
    if random.random() < 0.5 * much:
        values = _fewer_pixels(values, random)
    if random.random() < 0.25 * much:
        values = cv2.filter2D(values, -1, _movement(random))
    if random.random() < 0.2 * much:
        values = cv2.GaussianBlur(values, (0, 0), random.uniform(0.5, 3.0))
    if random.random() < 0.2 * much:
        blurred = cv2.GaussianBlur(values, (0, 0), random.uniform(0.8, 2.0))
        values = values + random.uniform(0.3, 1.2) * (values - blurred)
    if random.random() < 0.4 * much:
        channels = 1 if random.random() < 0.5 else 3
        values = values + random.normal(0, random.uniform(1, 12), (*values.shape[:2], channels))
    for _ in range(2):
        if random.random() < 0.4 * much:
            values = jpeg(values, int(random.integers(25, 92)))
    if random.random() < 0.15 * much:
        values = 255 * (np.clip(values, 0, 255) / 255) ** math.exp(random.uniform(-0.5, 0.5))
    return np.asarray(np.clip(values, 0, 255).round(), np.uint8)


def bend(pixels: Pixels, random: np.random.Generator, *, most: float = 0.012) -> Pixels:
    """Bend a photograph as a canvas that is not flat does, or a lens: by up to that share of its shorter side."""
    height, width = pixels.shape[:2]
    share = random.choice([0.0, 0.003, 0.006, most]) * min(height, width)
    if share == 0:
        return pixels
    waves = random.normal(0, 0.6 * share, (4, 4, 2)).astype(np.float32)
    field = cv2.resize(waves, (width, height), interpolation=cv2.INTER_CUBIC)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    if random.random() < 0.4:
        across, down = 2 * columns / width - 1, 2 * rows / height - 1
        strength = 0.5 * random.uniform(-0.06, 0.06) * (across**2 + down**2 - 1)
        field = field + np.stack([strength * across * width / 2, strength * down * height / 2], axis=2)
    onto = (columns + field[..., 0]).astype(np.float32), (rows + field[..., 1]).astype(np.float32)
    return np.asarray(cv2.remap(pixels, *onto, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def _mirror(values: Pixels, room: Pixels, random: np.random.Generator) -> Pixels:
    """Add another picture, blurred, doubled by the two faces of the glass now and then, here more and there less."""
    height, width = values.shape[:2]
    seen = cv2.GaussianBlur(cv2.resize(room, (width, height)).astype(np.float32), (0, 0), random.uniform(1, 12))
    if random.random() < 0.4:
        shift = np.array([[1, 0, random.uniform(2, 8)], [0, 1, random.uniform(2, 8)]], np.float32)
        seen = 0.6 * seen + 0.4 * cv2.warpAffine(seen, shift, (width, height), borderMode=cv2.BORDER_REFLECT)
    patches = cv2.GaussianBlur(random.random((6, 6)).astype(np.float32), (0, 0), 1.0)
    share = cv2.resize(patches, (width, height), interpolation=cv2.INTER_CUBIC)
    share = np.clip((share - share.mean()) * random.uniform(1, 6) + 0.5, 0, 1)[..., None] * random.uniform(0.05, 0.4)
    return np.asarray(values * (1 - 0.4 * share) + seen * share)


def _lamp(values: Pixels, random: np.random.Generator) -> Pixels:
    height, width = values.shape[:2]
    light = np.zeros((height, width), np.float32)
    centre = int(random.random() * width), int(random.random() * height)
    axes = tuple(max(1, int(random.uniform(0.005, 0.15) * side)) for side in (width, height))
    cv2.ellipse(light, centre, axes, random.uniform(0, 180), 0, 360, random.uniform(30, 255), -1)
    return _soft(light, max(0.8, random.uniform(0.1, 0.8) * min(axes)), random)


def _crease(values: Pixels, random: np.random.Generator) -> Pixels:
    height, width = values.shape[:2]
    light = np.zeros((height, width), np.float32)
    points = random.random(2) * (width, height) + np.cumsum(random.normal(0, 0.15, (4, 2)) * (width, height), axis=0)
    thick = int(random.integers(1, 10))
    cv2.polylines(light, [points.astype(np.int32)], False, random.uniform(60, 255), thick)
    return _soft(light, random.uniform(0.6, 5.0), random)


def _soft(light: np.ndarray, sigma: float, random: np.random.Generator) -> Pixels:
    return np.asarray(cv2.GaussianBlur(light, (0, 0), sigma)[..., None] * random.uniform(0.9, 1.1, 3))


def _haze(values: Pixels, random: np.random.Generator) -> Pixels:
    height, width = values.shape[:2]
    share = cv2.resize(random.random((4, 4)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    share = np.clip(share, 0, 1)[..., None] * random.uniform(0.1, 0.5)
    return np.asarray(values * (1 - share) + share * random.uniform(60, 230) * random.uniform(0.9, 1.1, 3))


def _label(size: tuple[int, int], random: np.random.Generator) -> Pixels:
    """Return a label with text, uint8."""
    width, height = size
    ground = random.uniform(170, 250) * np.array([1, random.uniform(0.93, 1), random.uniform(0.75, 1)])
    ground = 255 - ground if random.random() < 0.2 else ground
    label = np.full((height, width, 3), ground.round().astype(np.uint8))
    lines = int(random.integers(1, 6))
    ink = (ground + (-1 if ground.mean() > 127 else 1) * random.uniform(100, 160)).tolist()
    for line in range(lines):
        text = "".join(random.choice(list(LETTERS), int(random.integers(2, 9))))
        scale = 0.9 * min(height / lines / 32, width / (18 * len(text)))
        at = (int(0.05 * width), int(height * (line + 0.75) / lines))
        cv2.putText(label, text, at, int(random.integers(0, 4)), scale, ink, max(1, int(1.5 * scale)), cv2.LINE_AA)
    if random.random() < 0.4:
        cv2.rectangle(label, (2, 2), (width - 3, height - 3), ink, 2)
    return label


def _fewer_pixels(values: Pixels, random: np.random.Generator) -> Pixels:
    height, width = values.shape[:2]
    scale = math.exp(random.uniform(math.log(0.2), 0))
    size = (max(100, int(width * scale)), max(100, int(height * scale)))
    way = (cv2.INTER_LINEAR, cv2.INTER_CUBIC)[random.integers(2)]
    smaller = cv2.resize(values, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(smaller, (width, height), interpolation=way))


def _movement(random: np.random.Generator) -> np.ndarray:
    """Return the kernel of a camera that moved."""
    side = int(random.integers(3, 13))
    kernel = np.zeros((side, side), np.float32)
    cv2.line(kernel, (0, side // 2), (side - 1, side // 2), 1, 1)
    turn = cv2.getRotationMatrix2D((side / 2 - 0.5, side / 2 - 0.5), random.uniform(0, 180), 1)
    kernel = cv2.warpAffine(kernel, turn, (side, side))
    return np.asarray(kernel / (kernel.sum() + 1e-6))
