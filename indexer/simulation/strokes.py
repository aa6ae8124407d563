"""Paint a picture all over again with other brush strokes, coarse ones first and finer ones where they are needed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from retrieval.machine import import_cv2

cv2 = import_cv2()

WIDTHS = (0.026, 0.014, 0.0075)  # of the brushes, as shares of the long side
NEEDED = (0.0, 8.0, 12.0)  # grey levels: a brush paints where what is there differs by as much
REACH = 0.7  # widths from one point of a path to the next


@dataclass(frozen=True, slots=True)
class Brushwork:
    """How a copyist leads the brush."""

    size: float  # of the brushes, against WIDTHS
    length: float  # of a stroke, in widths
    lean: float | None  # one direction for all strokes, in radians; None follows the contours
    turn: float  # radians by which a stroke leaves its direction
    value: float  # grey levels by which strokes differ in lightness
    hue: float  # grey levels by which they differ in each channel
    streaks: float  # grey levels by which the bristles of a brush differ
    care: float  # share of what the brushes missed that is touched up at last


def draw_brushwork(random: np.random.Generator) -> Brushwork:
    """Draw how somebody paints."""
    lean = random.uniform(0, math.pi) if random.random() < 0.25 else None
    size, length, turn = (random.uniform(*ends) for ends in ((0.8, 1.25), (2.5, 5.0), (0.1, 0.4)))
    value, hue, streaks = (random.uniform(*ends) for ends in ((3, 9), (2, 6), (3, 8)))
    return Brushwork(size, length, lean, turn, value, hue, streaks, random.uniform(0.1, 0.6))


def paint_over(pixels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return a picture, uint8 (height, width, 3), painted again in layers of curved strokes.

    After Hertzmann, Painterly Rendering with Curved Brush Strokes of Multiple Sizes, SIGGRAPH 1998; the strokes of one
    brush are led all at once.
    """
    brushwork, long_side = draw_brushwork(random), max(pixels.shape[:2])
    canvas = cv2.blur(pixels, (2 * round(WIDTHS[0] * long_side) + 1,) * 2).astype(np.float32)
    for share, needed in zip(WIDTHS, NEEDED, strict=True):
        width = max(1.6, share * brushwork.size * long_side)
        model = cv2.GaussianBlur(pixels, (0, 0), 0.3 * width).astype(np.float32)
        starts = begin(canvas, model, width, needed, random)
        if len(starts):
            lay(canvas, model, starts, width, brushwork, random)
    canvas += brushwork.care * (cv2.medianBlur(pixels, 3) - canvas)
    return np.asarray(np.clip(cv2.GaussianBlur(canvas, (0, 0), 0.5), 0, 255).round().astype(np.uint8))


def begin(
    canvas: np.ndarray, model: np.ndarray, width: float, needed: float, random: np.random.Generator
) -> np.ndarray:
    """Return where strokes begin, complex64 (n,), x + iy in pixels, in the order of painting."""
    height, across = model.shape[:2]
    step = 1.35 * width
    rows, columns = np.mgrid[0 : height / step, 0 : across / step]
    x, y = (random.random((2, rows.size)) + np.stack([columns.ravel(), rows.ravel()])) * step
    starts = random.permutation((x + 1j * y).astype(np.complex64))
    error = cv2.blur(np.abs(grey(canvas) - grey(model)), (3, 3))
    return np.asarray(starts[at(error, starts) >= needed])


def lay(
    canvas: np.ndarray,
    model: np.ndarray,
    starts: np.ndarray,
    width: float,
    brushwork: Brushwork,
    random: np.random.Generator,
) -> None:
    """Paint one stroke from each start on the canvas; both pictures are float32 (height, width, 3)."""
    paths, ends = lead(grey(canvas), grey(model), starts, width, brushwork, random)
    coarse = max(1, int(width / 2.5))  # the outline of a broad stroke need not be sharp
    height, across = model.shape[:2]
    bristles, lanes = cover(paths / coarse, ends, width / coarse, (-(-height // coarse), -(-across // coarse)))
    bristles = np.repeat(np.repeat(bristles, coarse, 0), coarse, 1)[:height, :across]
    paint = at(model, starts) + brushwork.value * random.standard_normal((len(starts), 1), np.float32)
    paint += brushwork.hue * random.standard_normal((len(starts), 3), np.float32)
    streaked = paint[:, None] + brushwork.streaks * random.standard_normal((len(starts), lanes, 1), np.float32)
    painted = np.flatnonzero(bristles >= 0)
    canvas.reshape(-1, 3)[painted] = streaked.reshape(-1, 3)[bristles.ravel()[painted]]


def lead(
    canvas: np.ndarray,
    model: np.ndarray,
    starts: np.ndarray,
    width: float,
    brushwork: Brushwork,
    random: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the points of each path, complex64 (n, points), and how many of them are painted, int (n,).

    A path ends where its tone would be farther from the model's than what is on the canvas; both are grey, float32.
    """
    field, tones = directions(model, width, brushwork.lean), at(model, starts)
    turn = np.exp(1j * random.normal(0, brushwork.turn, len(starts))).astype(np.complex64)
    heading = np.where(random.random(len(starts)) < 0.5, turn, -turn) * at(field, starts / 2)
    paths, ends = [starts], np.full(len(starts), max(3, round(brushwork.length / REACH)))
    for number in range(1, int(ends.max(initial=3))):
        here = paths[-1] + heading * np.float32(REACH * width)
        paths.append(here)
        there = at(model, here)
        worse = np.abs(there - tones) > np.abs(there - at(canvas, here)) + 4
        ends = np.where(worse, np.minimum(ends, max(2, number)), ends)
        onward = turn * at(field, here / 2)
        heading = np.where((onward * heading.conj()).real < 0, -onward, onward)
    return np.stack(paths, 1), ends


def directions(model: np.ndarray, width: float, lean: float | None) -> np.ndarray:
    """Return the directions of strokes, complex64 (height, width) of half the size: along the contours nearby."""
    height, across = model.shape
    half = cv2.resize(model, (-(-across // 2), -(-height // 2)), interpolation=cv2.INTER_AREA)
    if lean is not None:
        return np.full(half.shape, np.exp(1j * lean), np.complex64)
    dx, dy = cv2.Sobel(half, -1, 1, 0), cv2.Sobel(half, -1, 0, 1)
    even, odd = (cv2.GaussianBlur(part, (0, 0), width / 2) for part in (dx**2 - dy**2, 2 * dx * dy))
    return np.asarray(1j * np.exp(0.5j * np.arctan2(odd, even + 1e-3)), np.complex64)


def cover(paths: np.ndarray, ends: np.ndarray, width: float, size: tuple[int, int]) -> tuple[np.ndarray, int]:
    """Return which bristle covers each place, int (height, width), -1 where none does, and the bristles of a stroke.

    Bristles are counted through all strokes; a later stroke covers an earlier one.
    """
    fine, lanes = max(1, math.ceil(REACH * width / 0.8)), max(2, math.ceil(width / 0.8))
    steps = np.diff(paths, axis=1)
    share = (np.arange(fine) / fine).astype(np.float32)
    along = (paths[:, :-1, None] + steps[..., None] * share).reshape(len(paths), -1)
    sides = np.repeat(1j * steps / np.maximum(np.abs(steps), 1e-6), fine, axis=1)
    run = np.arange(along.shape[1], dtype=np.float32) / ((ends[:, None] - 1) * fine).astype(np.float32)
    half = np.where(run < 1, np.sqrt(np.clip(3.2 * (1 - run) * (run + 0.3), 0, 1)), -1) * np.float32(width / 2)
    offsets = np.linspace(-0.5, 0.5, lanes, dtype=np.float32) * np.float32(width)
    points = along[..., None] + sides[..., None] * offsets
    bristles = np.arange(len(paths), dtype=np.int32)[:, None, None] * lanes + np.arange(lanes, dtype=np.int32)
    kept = (np.abs(offsets) <= half[..., None]) & (points.real >= 0) & (points.imag >= 0)
    kept &= (points.real < size[1]) & (points.imag < size[0])
    points = points[kept]
    covered = np.full(size, -1, np.int32)
    covered[points.imag.astype(np.int32), points.real.astype(np.int32)] = np.broadcast_to(bristles, kept.shape)[kept]
    return covered, lanes


def grey(picture: np.ndarray) -> np.ndarray:
    """Return the tones of a picture, float32 (height, width)."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))


def at(picture: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return the pixels of the picture at points; points beside it take the pixel at its border."""
    height, width = picture.shape[:2]
    rows = np.clip(points.imag.astype(np.int32), 0, height - 1)
    return np.asarray(picture[rows, np.clip(points.real.astype(np.int32), 0, width - 1)])
