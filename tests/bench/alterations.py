"""Simulate altered copies of photographs of works of art, and say which part of each was altered."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image

from retrieval.features import import_cv2

cv2 = import_cv2()

KINDS = ("inserted", "removed", "moved", "repainted", "face", "signature")

Box = tuple[float, float, float, float]  # x, y, width, height as shares of the picture's width and height

FACES: Mapping[str, Box] = {  # in shared/data/museum/catalogue, by file stem; found by eye, each changes visibly
    "013": (0.525, 0.13, 0.125, 0.16),
    "014": (0.36, 0.48, 0.18, 0.155),
    "020": (0.25, 0.15, 0.50, 0.70),
    "022": (0.36, 0.22, 0.28, 0.33),
    "046": (0.415, 0.17, 0.17, 0.20),
    "065": (0.61, 0.30, 0.13, 0.24),
    "079": (0.43, 0.30, 0.25, 0.24),
    "081": (0.47, 0.45, 0.28, 0.42),
    "083": (0.20, 0.22, 0.40, 0.38),
    "096": (0.375, 0.195, 0.21, 0.20),
    "106": (0.39, 0.25, 0.22, 0.27),
    "108": (0.705, 0.26, 0.14, 0.175),
    "116": (0.36, 0.33, 0.38, 0.44),
    "122": (0.10, 0.22, 0.52, 0.55),
    "123": (0.41, 0.05, 0.19, 0.50),
    "134": (0.42, 0.21, 0.15, 0.19),
    "138": (0.37, 0.65, 0.20, 0.24),
    "183": (0.37, 0.35, 0.21, 0.23),
    "186": (0.45, 0.35, 0.21, 0.22),
    "216": (0.54, 0.12, 0.15, 0.135),
    "220": (0.40, 0.37, 0.22, 0.46),
    "228": (0.375, 0.365, 0.15, 0.14),
    "233": (0.16, 0.45, 0.62, 0.40),
    "260": (0.43, 0.31, 0.15, 0.21),
    "277": (0.37, 0.16, 0.22, 0.28),
}

INSIDE: Box = (0.05, 0.05, 0.90, 0.90)  # the border is left alone
VISIBLE = 10.0  # grey levels: what changes its area by less on average is hard to see side by side, by eye below 9
DETAIL = 12.0  # grey levels, standard deviation: a place with less is empty
ATTEMPTS = 6  # places altered in turn until the change is visible
PLACES = 20  # places looked at for one with something in it
SCALE = 640.0  # lengths in pixels below are of a picture with this long side
EDGE = 1.5  # pixels: softness of the outline
LINES = (0.03, 0.08)  # an inscription larger than each of these shares has a line more


@dataclass(frozen=True, slots=True, eq=False)
class Alteration:
    """An altered copy; `mask`, bool (height, width), is what was altered, and `area` its share of the picture."""

    kind: str
    area: float
    image: Image.Image
    mask: np.ndarray


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


Altered = tuple[np.ndarray, np.ndarray]  # pixels, float32 (height, width, 3), and mask, uint8 (height, width), 0 or 1
Window = tuple[slice, slice]  # rows, columns


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


def blend(task: Task, under: np.ndarray, over: np.ndarray, mask: np.ndarray, window: Window) -> np.ndarray:
    """Lay `over`, as large as the window, on the picture where the mask is, with a soft edge."""
    alpha = cv2.GaussianBlur(mask[window].astype(np.float32), (0, 0), EDGE * task.unit)[..., None]
    result = under.astype(np.float32)
    result[window] += (over - result[window]) * alpha
    return result


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


def scrawl(random: np.random.Generator) -> list[np.ndarray]:
    """Return the strokes of a name, each (n, 2), x and y in heights of a line: an initial, loops and a flourish."""
    letters = int(random.integers(6, 10))
    time = np.linspace(0, letters, 24 * letters)
    knots = np.arange(letters + 1)
    tall = np.where(random.random(letters + 1) < 0.3, 0.42, 0.18) * random.uniform(0.8, 1.2, letters + 1)
    tall[0] = 0.5
    up = np.interp(time, knots, tall)
    lean = np.interp(time, knots, random.uniform(0.1, 0.3, letters + 1))
    turn = 2 * math.pi * time + np.interp(time, knots, random.uniform(-0.8, 0.8, letters + 1))
    x = 0.42 * time + lean * np.sin(turn) + 0.35 * up * np.cos(turn)
    y = 0.5 - up * np.cos(turn) + 0.12 - up * 0.6
    name = np.stack([x, y], 1)
    end = float(x.max())
    sweep = np.linspace(0, 1, 30)
    flourish = np.stack([0.3 + (end - 0.3) * sweep, 1.0 - 0.25 * sweep + 0.06 * np.sin(9 * sweep)], 1)
    return [name, flourish] if random.random() < 0.5 else [name]


def draw(strokes: list[np.ndarray], shape: tuple[int, int], thickness: float) -> np.ndarray:
    """Draw strokes, in pixels, four times as large and shrink them; return the cover, float32 (height, width, 1)."""
    canvas = np.zeros((4 * shape[0], 4 * shape[1]), np.uint8)
    lines = [np.round(4 * stroke).astype(np.int32) for stroke in strokes]
    cv2.polylines(canvas, lines, False, 255, max(4, round(4 * thickness)), cv2.LINE_AA)
    small = cv2.resize(canvas, (shape[1], shape[0]), interpolation=cv2.INTER_AREA)
    return np.asarray(small[..., None] / 255, np.float32)


def ink(task: Task, under: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return a dark colour on a light ground, a light one on a dark ground, with a little texture; float32."""
    light = float(under[mask > 0].mean())
    level = max(15.0, 0.35 * light) if light > 105 else min(220.0, light + 100)
    colour = level + task.random.uniform(-20, 20, 3)
    return np.asarray(colour + 6 * task.random.standard_normal((*mask.shape, 1)), np.float32)
