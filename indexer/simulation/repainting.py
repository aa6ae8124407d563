"""Paint a place again: as if the ground went on, by another hand, or with a piece of another picture."""

from __future__ import annotations

import math

import numpy as np

from indexer.simulation.spots import Box, Task, Window
from retrieval.machine import import_cv2

cv2 = import_cv2()

DETAIL = 12.0  # grey levels, standard deviation: a place with less is empty


def ground(task: Task, mask: np.ndarray, window: Window) -> np.ndarray:
    """Continue the surroundings of the mask across the window, float32, with the grain of a place nearby."""
    part, hole = task.pixels[window], mask[window]
    height, width = hole.shape
    share = min(1.0, 80 / max(height, width))  # inpainting is slow, and the rest is grain
    size = (max(8, round(width * share)), max(8, round(height * share)))
    small = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    hole = cv2.dilate(cv2.resize(hole, size, interpolation=cv2.INTER_NEAREST), np.ones((3, 3), np.uint8))
    filled = cv2.inpaint(small, hole, 4, cv2.INPAINT_TELEA)
    smooth = cv2.resize(filled, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    return np.asarray(smooth + grain(task, window, (height, width)))


def grain(task: Task, window: Window, shape: tuple[int, int]) -> np.ndarray:
    """Return the fine structure of one of the calmer places beside the window, float32 (height, width, 3)."""
    height, width = shape
    here, room = (window[0].start, window[1].start), np.array(task.pixels.shape[:2]) - shape
    found = []
    for angle, share in task.random.uniform((0, 0.4), (2 * math.pi, 0.9), (8, 2)):
        away = share * np.array([height * math.sin(angle), width * math.cos(angle)])
        top, left = np.clip(here + away, 0, room).astype(int)
        piece = task.pixels[top : top + height, left : left + width].astype(np.float32)
        fine = piece - cv2.GaussianBlur(piece, (0, 0), 3 * task.unit)
        found.append((float(np.median(np.abs(fine[::3, ::3]))), fine))
    usual, fine = sorted(found, key=lambda pair: pair[0])[1]
    fade = np.outer(np.hanning(height), np.hanning(width))[..., None]
    spectrum = np.fft.rfft2(np.clip(fine, -3 * usual, 3 * usual) * fade / math.sqrt((fade**2).mean()), axes=(0, 1))
    chance = np.fft.rfft2(task.random.standard_normal(shape))[..., None]  # as fine and as strong, without contours
    return np.asarray(np.fft.irfft2(spectrum * chance / np.abs(chance), s=shape, axes=(0, 1)), np.float32)


def piece_of_donor(task: Task, shape: tuple[int, int]) -> np.ndarray:
    """Return a piece of the donor's middle with detail, float32 (height, width, 3), at the picture's scale or larger.

    Where no piece of eight has detail it is the one with the most.
    """
    height, width = shape
    high, wide = task.donor.shape[:2]
    factor = max(max(task.pixels.shape[:2]) / max(high, wide), (height + 1) / high, (width + 1) / wide)
    across, down = width / factor, height / factor
    best, most = task.donor, -1.0
    for x, y in task.random.uniform(0, 1, (8, 2, 2)).mean(2) * (wide - across, high - down):
        piece = task.donor[int(y) : int(y + down) + 1, int(x) : int(x + across) + 1]
        detail = float(piece[::2, ::2].mean(2).std())
        if detail > most:
            best, most = piece, detail
        if most >= 2 * DETAIL:
            break
    return np.asarray(cv2.resize(best, (width, height), interpolation=cv2.INTER_AREA), np.float32)


def match_colours(piece: np.ndarray, ring: np.ndarray) -> np.ndarray:
    """Bring the mean colour of the piece most of the way to the ring's, and its contrast nearer."""
    mean, spread = piece.mean((0, 1)), float(piece.std()) + 1.0
    gain = min(max(float(ring.std()) / spread, 0.5), 1.5)
    return np.asarray((piece - mean) * gain + 0.15 * mean + 0.85 * ring.mean(0), np.float32)


def wander(task: Task, shape: tuple[int, int], smoothness: float) -> np.ndarray:
    """Return a smooth random field of shifts, float32 (height, width, 2), whose length is 1, root mean square."""
    step = smoothness * task.unit
    cells = [math.ceil(length / step) + 5 for length in shape]
    coarse = cv2.GaussianBlur(task.random.standard_normal((*cells, 2), dtype=np.float32), (0, 0), 1.0)
    size = (round(cells[1] * step), round(cells[0] * step))
    off = round(2 * step)
    field = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)[off : off + shape[0], off : off + shape[1]]
    return np.asarray(field / math.sqrt(float((field**2).sum(2).mean())))


def shifted_features(task: Task, face: Box, shape: tuple[int, int]) -> np.ndarray:
    """Return shifts, float32 (height, width, 2): each eye, the nose and the mouth goes 6 to 10 % of the face away."""
    x, y, across, down = face  # here in pixels
    size = math.sqrt(across * down)
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    field = np.zeros((*shape, 2), np.float32)
    start = task.random.uniform(0, 2 * math.pi)
    for number, (u, v) in enumerate(((0.32, 0.42), (0.68, 0.42), (0.5, 0.6), (0.5, 0.78))):
        away = ((columns - x - u * across) ** 2 + (rows - y - v * down) ** 2) / (0.16 * size) ** 2
        angle = start + number * math.pi * task.random.uniform(0.5, 1.0)  # neighbours go different ways
        length = task.random.uniform(0.06, 0.10) * size
        field += np.exp(-away / 2)[..., None] * np.array([math.cos(angle), math.sin(angle)], np.float32) * length
    return field


def another_hand(task: Task, mask: np.ndarray, window: Window, field: np.ndarray, coarse: float) -> np.ndarray:
    """Draw the window again, float32: contours shifted by the field, colours a little off, other strokes.

    What is finer than `coarse`, in pixels, is lost.
    """
    part, height, width = task.pixels[window], *mask[window].shape
    inner = cv2.GaussianBlur(mask[window].astype(np.float32), (0, 0), 4 * task.unit)  # contours meet at the edge
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    shifts = field * inner[..., None]
    drawn = cv2.remap(
        part, columns + shifts[..., 0], rows + shifts[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    drawn = cv2.medianBlur(drawn, 2 * max(1, round(coarse / 2)) + 1).astype(np.float32)
    drawn += 0.7 * (drawn - cv2.GaussianBlur(drawn, (0, 0), 1.5 * task.unit))  # painted, not out of focus
    mean = drawn[mask[window] > 0].mean(0)
    gain, tint = task.random.uniform(-0.1, 0.1), task.random.uniform(-6, 6, 3)
    strength = (3 + 0.05 * float(part.std())) * (0.3 + drawn.mean(2, keepdims=True) / 255)
    tone = gain * (drawn - mean) + tint + strength * strokes_of_brush(task, (height, width))
    return np.asarray(drawn + inner[..., None] * tone)


def strokes_of_brush(task: Task, shape: tuple[int, int]) -> np.ndarray:
    """Return the texture of brush strokes in two directions, float32 (height, width, 1), standard deviation 1."""
    side = wander(task, shape, smoothness=25)[..., 0]
    share = np.clip(side + 0.5, 0, 1)
    angle = task.random.uniform(0, math.pi)
    noise = share * hatching(task, shape, angle) + (1 - share) * hatching(task, shape, angle + 1)
    return np.asarray((noise / max(float(noise.std()), 1e-6))[..., None])


def hatching(task: Task, shape: tuple[int, int], angle: float) -> np.ndarray:
    """Return noise drawn out in one direction, float32 (height, width)."""
    reach = max(3, round(5 * task.unit))
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    dx, dy = round(reach * math.cos(angle)), round(reach * math.sin(angle))
    cv2.line(kernel, (reach - dx, reach - dy), (reach + dx, reach + dy), 1.0)
    kernel = cv2.GaussianBlur(kernel, (0, 0), task.unit)
    return np.asarray(cv2.filter2D(task.random.standard_normal(shape, dtype=np.float32), -1, kernel))
