"""Simulate altered copies of photographs of works of art, and say which part of each was altered."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image

from indexer.simulation.repainting import (
    DETAIL,
    another_hand,
    ground,
    match_colours,
    piece_of_donor,
    shifted_features,
    wander,
)
from indexer.simulation.signatures import draw, ink, scrawl
from indexer.simulation.spots import SCALE, Altered, Box, Task, around, blend, fill, find_place, lower_corner, outline
from retrieval.machine import import_cv2

cv2 = import_cv2()

KINDS = ("inserted", "removed", "moved", "repainted", "face", "signature")
INSIDE: Box = (0.05, 0.05, 0.90, 0.90)  # the border is left alone
VISIBLE = 10.0  # grey levels: what changes its area by less on average is hard to see side by side, by eye below 9
ATTEMPTS = 6  # places altered in turn until the change is visible
LINES = (0.03, 0.08)  # an inscription larger than each of these shares has a line more


@dataclass(frozen=True, slots=True, eq=False)
class Alteration:
    """An altered copy; `mask`, bool (height, width), is what was altered, and `area` its share of the picture."""

    kind: str
    area: float
    image: Image.Image
    mask: np.ndarray


def alter(
    picture: Image.Image,
    kind: str,
    *,
    area: float,
    donor: Image.Image,
    seed: int,
    face: Box | None = None,
    inside: Box = INSIDE,
) -> Alteration | None:
    """Return a copy of which about `area`, a share, was altered; None where that cannot be done visibly.

    What is altered lies inside a box; a face is altered as a whole, whatever the area asked for.
    """
    pixels = np.asarray(picture.convert("RGB"))
    random = np.random.default_rng([seed, KINDS.index(kind)])
    unit = max(picture.size) / SCALE
    task = Task(pixels, np.asarray(donor.convert("RGB")), area, face, inside, random, unit)
    for _ in range(ATTEMPTS):
        made = _MAKERS[kind](task)
        if made is None:
            continue
        altered, mask = np.clip(made[0], 0, 255).round().astype(np.uint8), made[1].astype(bool)
        if difference(pixels, altered, mask) >= VISIBLE:
            return Alteration(kind, float(mask.mean()), Image.fromarray(altered), mask)
    return None


def difference(one: np.ndarray, other: np.ndarray, mask: np.ndarray) -> float:
    """Return the mean absolute difference in the mask, in grey levels."""
    return float(cv2.absdiff(one, other)[mask].mean()) if mask.any() else 0.0


def insert(task: Task) -> Altered | None:
    """Paste a piece of the donor, its colours brought near those of the surroundings."""
    place = find_place(task, [outline(task)], detail=0.0)
    if place is None:
        return None
    mask = fill(place, task.pixels)
    window = around(mask, 12 * task.unit)
    piece = piece_of_donor(task, mask[window].shape)
    ring = task.pixels[window][mask[window] == 0]
    return blend(task, task.pixels, match_colours(piece, ring), mask, window), mask


def remove(task: Task) -> Altered | None:
    """Paint over what is there as if the ground went on."""
    place = find_place(task, [outline(task)], DETAIL, apart=True)
    if place is None:
        return None
    mask = fill(place, task.pixels)
    window = around(mask, 12 * task.unit)
    return blend(task, task.pixels, ground(task, mask, window), mask, window), mask


def move(task: Task) -> Altered | None:
    """Move a detail by half of its size to all of it, and paint over where it was."""
    shape = outline(task)
    angle, share = task.random.uniform(0, 2 * math.pi), task.random.uniform(0.5, 1.0)
    direction = np.array([math.cos(angle), math.sin(angle)], np.float32)
    moved = shape + share * float(np.ptp(shape @ direction)) * direction
    place = find_place(task, [shape, moved], DETAIL, apart=True)
    if place is None:
        return None
    old, new = (fill([points], task.pixels) for points in place)
    dx, dy = np.round(place[1][0] - place[0][0]).astype(int)
    window = around(old, 12 * task.unit)
    emptied = blend(task, task.pixels, ground(task, old, window), old, window)
    window = around(new, 12 * task.unit)
    shifted = np.roll(task.pixels, (dy, dx), axis=(0, 1))[window]
    return blend(task, emptied, shifted.astype(np.float32), new, window), old | new


def repaint(task: Task) -> Altered | None:
    """Draw a place again by another hand: the same subject, its contours a little off, its strokes others."""
    place = find_place(task, [outline(task)], DETAIL)
    if place is None:
        return None
    mask = fill(place, task.pixels)
    window = around(mask, 30 * task.unit)
    field = wander(task, mask[window].shape, smoothness=0.03 * SCALE) * np.float32(0.01 * SCALE * task.unit)
    return blend(task, task.pixels, another_hand(task, mask, window, field, 5 * task.unit), mask, window), mask


def change_face(task: Task) -> Altered | None:
    """Shift eyes, nose and mouth against each other, and paint the face again."""
    if task.face is None:
        return None
    height, width = task.pixels.shape[:2]
    x, y, across, down = np.array(task.face) * (width, height, width, height)
    angle = np.linspace(0, 2 * math.pi, 96, endpoint=False)
    ellipse = np.stack([x + across / 2 * (1 + np.cos(angle)), y + down / 2 * (1 + np.sin(angle))], 1)
    mask = fill([ellipse.astype(np.float32)], task.pixels)
    window = around(mask, 12 * task.unit)
    field = shifted_features(task, (x - window[1].start, y - window[0].start, across, down), mask[window].shape)
    coarse = 0.012 * math.sqrt(across * down)
    return blend(task, task.pixels, another_hand(task, mask, window, field, coarse), mask, window), mask


def sign(task: Task) -> Altered | None:
    """Write a signature, or where the area is large an inscription, into a lower corner."""
    lines = 1 + sum(task.area > share for share in LINES)
    strokes = [line + np.array([0, 1.3 * number]) for number in range(lines) for line in scrawl(task.random)]
    points = np.concatenate(strokes).astype(np.float32)
    points = np.concatenate([points - 0.06, points + 0.06])  # the strokes have a thickness
    hull = cv2.convexHull(points)[:, 0]
    height, width = task.pixels.shape[:2]
    scale = math.sqrt(task.area * width * height / cv2.contourArea(hull))
    corner = lower_corner(task, np.ptp(points, axis=0) * scale)
    if corner is None:
        return None
    offset = corner - points.min(0) * scale
    mask = fill([hull * scale + offset], task.pixels)
    window = around(mask, 4 * task.unit)
    shift = offset - (window[1].start, window[0].start)
    thickness = max(0.06 * scale, 1.6 * task.unit)
    cover = draw([stroke * scale + shift for stroke in strokes], mask[window].shape, thickness)
    under = task.pixels[window].astype(np.float32)
    altered = task.pixels.astype(np.float32)
    altered[window] = under + (ink(task, under, mask[window]) - under) * cover
    return altered, mask


_MAKERS: Mapping[str, Callable[[Task], Altered | None]] = {
    "inserted": insert,
    "removed": remove,
    "moved": move,
    "repainted": repaint,
    "face": change_face,
    "signature": sign,
}
