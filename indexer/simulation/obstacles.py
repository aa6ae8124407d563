"""Put between camera and work what spoils a photograph: a plate with a caption, a visitor, a cord, glare, moire."""

from __future__ import annotations

import math
import string
from typing import Any

import numpy as np

from retrieval.machine import import_cv2

SIDE = 320.0  # lengths in pixels below are of a photograph with this long side
BLINDING = 90.0  # grey levels: where light adds more, what is under it is as good as hidden
DARK_AND_SKIN = ((40, 32, 30), (70, 52, 40), (28, 30, 36), (196, 152, 124), (120, 84, 66), (84, 90, 104), (150, 40, 44))

Box = tuple[float, float, float, float]  # left, top, right, bottom, in pixels
Laid = tuple[
    np.ndarray, np.ndarray
]  # the photograph, uint8 (height, width, 3), and what is hidden, bool (height, width)


def lay_plate(pixels: np.ndarray, work: Box, random: np.random.Generator) -> Laid:
    """Lay a plate with a line or two of text over the work, now and then one that lets it shine through."""
    height, width = pixels.shape[:2]
    room = np.array([work[2] - work[0], work[3] - work[1]])
    size = random.uniform((0.25, 0.06), (0.7, 0.16)) * room
    corner = (work[0], work[1]) + random.random(2) * (room - size)
    left, top = np.clip(corner, 0, (width, height)).astype(int).tolist()
    right, bottom = np.clip(corner + size, 0, (width, height)).astype(int).tolist()
    hidden = np.zeros((height, width), bool)
    if right - left < 12 or bottom - top < 5:
        return pixels, hidden
    hidden[top:bottom, left:right] = True
    plate = _plate((bottom - top, right - left), random)
    dense = 1.0 if random.random() < 0.7 else random.uniform(0.6, 0.95)
    laid = pixels.copy()
    laid[hidden] = (dense * plate + (1 - dense) * pixels[top:bottom, left:right]).reshape(-1, 3)
    return laid, hidden


def _plate(size: tuple[int, int], random: np.random.Generator) -> np.ndarray:
    """Return a plate with text, uint8 (height, width, 3)."""
    cv2 = import_cv2()
    ground = np.full(3, random.uniform(0, 255)) if random.random() < 0.6 else random.uniform(0, 255, 3)
    ink = ground - 130 if ground.mean() > 127 else ground + 130
    plate = np.full((*size, 3), np.clip(ground, 0, 255), np.uint8)
    lines, font = int(random.integers(1, 3)) if size[0] >= 18 else 1, int(random.integers(0, 8))
    for number in range(lines):
        text = _words(random)
        (across, down), _ = cv2.getTextSize(text, font, 1.0, 1)
        scale = min(0.9 * size[1] / across, 0.55 * size[0] / lines / down)
        at = (round((size[1] - scale * across) / 2), round(size[0] * (number + 0.5) / lines + scale * down / 2))
        cv2.putText(plate, text, at, font, scale, np.clip(ink, 0, 255).tolist(), 1, cv2.LINE_AA)
    return plate


def _words(random: np.random.Generator) -> str:
    lengths = random.integers(2, 10, int(random.integers(1, 4)))
    letters = list(string.ascii_lowercase)
    return " ".join("".join(random.choice(letters, length)).capitalize() for length in lengths)


def stand_before(pixels: np.ndarray, work: Box, random: np.random.Generator) -> Laid:
    """Let a head, a hand or a cord cover a little of the work; `work` is where it lies in the photograph."""
    cv2 = import_cv2()
    unit = max(pixels.shape[:2]) / SIDE
    shape = np.zeros(pixels.shape[:2], np.uint8)
    draw = (_draw_head, _draw_hand, _draw_cord)[int(random.integers(3))]
    draw(cv2, shape, work, random)
    cover = cv2.GaussianBlur(shape, (0, 0), random.uniform(0.5, 2.5) * unit).astype(np.float32)[..., None] / 255
    light = cv2.resize(
        random.normal(1, 0.12, (4, 4)).astype(np.float32), shape.shape[::-1], interpolation=cv2.INTER_CUBIC
    )
    colour = np.array(DARK_AND_SKIN[random.integers(len(DARK_AND_SKIN))]) * random.uniform(0.7, 1.2)
    over = light[..., None] * colour.astype(np.float32)
    return np.clip(pixels + cover * (over - pixels), 0, 255).astype(np.uint8), cover[..., 0] > 0.25


def _draw_head(cv2: Any, shape: np.ndarray, work: Box, random: np.random.Generator) -> None:
    """Draw head and shoulders of somebody who stands at the lower edge."""
    size = random.uniform(0.07, 0.14) * min(work[2] - work[0], work[3] - work[1])
    x = random.uniform(work[0], work[2])
    y = min(len(shape), work[3]) - random.uniform(-0.4, 0.9) * size
    tilt = random.uniform(-12, 12)
    cv2.ellipse(shape, (round(x), round(y)), (round(size), round(1.3 * size)), tilt, 0, 360, 255, -1)
    shoulders = (round(2.6 * size), round(2 * size))
    cv2.ellipse(shape, (round(x), round(y + 3 * size)), shoulders, tilt / 3, 0, 360, 255, -1)


def _draw_hand(cv2: Any, shape: np.ndarray, work: Box, random: np.random.Generator) -> None:
    """Draw a finger or a hand that reaches in from a side."""
    size = random.uniform(0.025, 0.055) * max(work[2] - work[0], work[3] - work[1])
    right = random.random() < 0.5
    x, y = (min(work[2], shape.shape[1]) if right else max(work[0], 0)), random.uniform(work[1], work[3])
    angle = random.uniform(-0.9, 0.9) + (math.pi if right else 0)
    for finger in range(int(random.integers(1, 5))):
        reach, turn = random.uniform(2, 4.5) * size, angle + random.normal(0, 0.15)
        tip = (round(x + reach * math.cos(turn)), round(y + 1.7 * finger * size + reach * math.sin(turn)))
        cv2.line(shape, (round(x), round(y + 1.7 * finger * size)), tip, 255, max(1, round(1.7 * size)), cv2.LINE_AA)


def _draw_cord(cv2: Any, shape: np.ndarray, work: Box, random: np.random.Generator) -> None:
    """Draw a cord that hangs before the work from side to side."""
    height, width = shape.shape
    across = np.linspace(0, 1, 40)
    ends, sag = random.uniform(0.6, 1.0, 2), random.uniform(0.02, 0.2)
    down = ends[0] + (ends[1] - ends[0]) * across + sag * 4 * across * (1 - across)
    points = np.stack([across * width, work[1] + down * (work[3] - work[1])], 1)
    thick = max(1, round(random.uniform(0.008, 0.03) * min(height, width)))
    cv2.polylines(shape, [np.round(points).astype(np.int32)], False, 255, thick, cv2.LINE_AA)


def reflect(pixels: np.ndarray, random: np.random.Generator) -> Laid:
    """Let lamps or a window be reflected: soft bright blobs and streaks that wash out what is under them."""
    cv2 = import_cv2()
    height, width = pixels.shape[:2]
    small = np.zeros((-(-height // 4), -(-width // 4)), np.float32)  # it is soft
    side = max(small.shape)
    for _ in range(int(random.integers(1, 4))):
        centre = (random.random(2) * small.shape[::-1]).astype(int).tolist()
        thin, long = sorted(random.uniform(0.01, 0.10, 2)) * np.array([1, random.choice([1, 3])])
        turn = random.uniform(0, 180)
        axes = (max(1, round(long * side)), max(1, round(thin * side)))
        blob = cv2.ellipse(np.zeros_like(small), centre, axes, turn, 0, 360, random.uniform(60, 260), -1)
        small = np.maximum(small, cv2.GaussianBlur(blob, (0, 0), max(0.8, random.uniform(0.2, 0.8) * thin * side)))
    light = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    tint = random.uniform((0.95, 0.92, 0.8), (1.05, 1.05, 1.05)).astype(np.float32)
    washed = pixels + light[..., None] * tint
    return np.clip(washed, 0, 255).astype(np.uint8), light > BLINDING


def interfere(pixels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return the photograph with moire: faint curved fringes, other ones in each channel."""
    height, width = pixels.shape[:2]
    unit = max(height, width) / SIDE
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    turn, wave = random.uniform(0, math.pi), 2 * math.pi / (random.uniform(3, 14) * unit)
    away = columns * np.float32(math.cos(turn)) + rows * np.float32(math.sin(turn))
    bend = random.uniform(-0.6, 0.6) / max(height, width)
    phase = np.float32(wave) * (away + np.float32(bend) * (rows - height / 2) * (columns - width / 2))
    strength, shift = random.uniform(0.02, 0.07), random.uniform(0, 1.5)
    fringes = np.stack([np.sin(phase + np.float32(shift * channel)) for channel in range(3)], 2)
    return np.clip(pixels * (1 + np.float32(strength) * fringes), 0, 255).astype(np.uint8)
