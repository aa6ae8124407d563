"""Find places in a picture for an alteration, and lay what was painted into them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from retrieval.machine import import_cv2

cv2 = import_cv2()

Box = tuple[float, float, float, float]  # x, y, width, height as shares of the picture's width and height
Altered = tuple[np.ndarray, np.ndarray]  # pixels, float32 (height, width, 3), and mask, uint8 (height, width), 0 or 1
Window = tuple[slice, slice]  # rows, columns
PLACES = 20  # places looked at for one with something in it
SCALE = 640.0  # lengths in pixels below are of a picture with this long side
EDGE = 1.5  # pixels: softness of the outline


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What to alter: `pixels` and `donor` are uint8 (height, width, 3), `unit` is the length of SCALE's pixel."""

    pixels: np.ndarray
    donor: np.ndarray
    area: float
    face: Box | None
    inside: Box
    random: np.random.Generator
    unit: float


def outline(task: Task) -> np.ndarray:
    """Draw a smooth irregular outline about the origin, float32 (96, 2), of area 1; wider on a wide picture."""
    height, width = task.pixels.shape[:2]
    stretch = math.sqrt((width / height) ** task.random.uniform(0, 1) * math.exp(task.random.normal(0, 0.2)))
    angle = np.linspace(0, 2 * math.pi, 96, endpoint=False)
    radius = np.ones_like(angle)
    for waves in range(2, 6):
        radius += task.random.uniform(-0.3, 0.3) / waves * np.cos(waves * angle + task.random.uniform(0, 2 * math.pi))
    points = np.stack([np.cos(angle) * radius * stretch, np.sin(angle) * radius / stretch], 1).astype(np.float32)
    return np.asarray(points / math.sqrt(cv2.contourArea(points)))


def joint_area(outlines: list[np.ndarray]) -> float:
    """Return the area that the outlines cover together."""
    points = np.concatenate(outlines)
    scale, size = 50.0, np.ceil(np.ptp(points, axis=0) * 50).astype(int) + 1
    canvas = np.zeros((size[1], size[0]), np.uint8)
    return float(fill([(shape - points.min(0)) * scale for shape in outlines], canvas).sum()) / scale**2


def find_place(task: Task, outlines: list[np.ndarray], detail: float, apart: bool = False) -> list[np.ndarray] | None:
    """Return the outlines in pixels, at the asked area together, where the first has detail; None if nowhere.

    The place is one of PLACES at random, or, `apart`, the one that stands out most from a calm outline.
    """
    height, width = task.pixels.shape[:2]
    scale = math.sqrt(task.area * width * height / joint_area(outlines))
    points = np.concatenate(outlines) * scale
    box = np.array(task.inside) * (width, height, width, height)
    low, high = box[:2] - points.min(0), box[:2] + box[2:] - points.max(0)
    if (low > high).any():
        return None
    found = []
    for centre in low + (high - low) * task.random.uniform(0, 1, (PLACES, 2, 2)).mean(2):  # rather in the middle
        place = [outline * scale + np.round(centre).astype(np.float32) for outline in outlines]
        within, along = contrasts(task.pixels, place[0])
        if within >= detail:
            found.append((within - along, place))
            if not apart:
                break
    return max(found, key=lambda pair: pair[0])[1] if found else None


def contrasts(pixels: np.ndarray, points: np.ndarray) -> tuple[float, float]:
    """Return the standard deviation of the grey levels in the box around an outline, and along the outline."""
    columns, rows = np.clip(np.round(points), 0, np.array(pixels.shape[1::-1]) - 1).astype(int).T
    box = pixels[rows.min() : rows.max() + 1 : 2, columns.min() : columns.max() + 1 : 2]
    return float(box.mean(2).std()), float(pixels[rows, columns].mean(1).std())


def fill(outlines: list[np.ndarray], like: np.ndarray) -> np.ndarray:
    """Return a mask, uint8 0 or 1, as high and wide as `like`, of what lies in any of the outlines."""
    mask = np.zeros(like.shape[:2], np.uint8)
    for points in outlines:
        cv2.fillPoly(mask, [np.round(points).astype(np.int32)], 1)
    return mask


def around(mask: np.ndarray, margin: float) -> Window:
    """Return the box around the mask, wider by the margin in pixels where the picture goes on."""
    x, y, width, height = cv2.boundingRect(mask)
    by = math.ceil(margin)
    return slice(max(0, y - by), y + height + by), slice(max(0, x - by), x + width + by)


def lower_corner(task: Task, size: np.ndarray) -> np.ndarray | None:
    """Return where a writing of this width and height begins, x and y in pixels, in a lower corner."""
    height, width = task.pixels.shape[:2]
    box = np.array(task.inside) * (width, height, width, height)
    room = box[2:] - size
    if (room < 0).any():
        return None
    aside, above = task.random.uniform(0, 0.12, 2) * (width, height)  # from the corner
    across = min(aside, room[0])
    left = across if task.random.random() < 0.5 else room[0] - across
    return np.asarray((box[0] + left, box[1] + max(0.0, room[1] - above)), np.float32)


def blend(task: Task, under: np.ndarray, over: np.ndarray, mask: np.ndarray, window: Window) -> np.ndarray:
    """Lay `over`, as large as the window, on the picture where the mask is, with a soft edge."""
    alpha = cv2.GaussianBlur(mask[window].astype(np.float32), (0, 0), EDGE * task.unit)[..., None]
    result = under.astype(np.float32)
    result[window] += (over - result[window]) * alpha
    return result
