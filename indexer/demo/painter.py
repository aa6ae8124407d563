"""Paint clearly synthetic pictures, stroke by stroke, from a seed."""

import numpy as np
from PIL import Image, ImageDraw

from indexer.demo.composition import Composition
from indexer.demo.hands import Hand
from indexer.demo.scene import Colour, Shape

SCALE = 2  # strokes are drawn this much larger and reduced, which smooths their edges
STATIONS = np.array([0.0, 0.3, 0.7, 1.0])  # where along a stroke its outline has corners
PROFILES = {
    "taper": np.array([0.45, 1.0, 0.9, 0.3]),
    "round": np.array([0.55, 1.0, 1.0, 0.55]),
    "square": np.array([1.0, 1.0, 1.0, 1.0]),
}


def paint(composition: Composition, hand: Hand) -> Image.Image:
    """Paint the composition by this hand: RGB, of the composition's size, the same at every call."""
    random = np.random.default_rng([hand.seed, 13])
    width, height = composition.size
    canvas = Image.new("RGB", (width * SCALE, height * SCALE), _rgb(hand.ground))
    draw = ImageDraw.Draw(canvas)
    for shape in composition.shapes:
        _paint_shape(draw, shape, hand, random, composition)
    _sign(canvas, draw, hand)
    return _varnish(canvas.reduce(SCALE), hand, random)


def _paint_shape(
    draw: ImageDraw.ImageDraw, shape: Shape, hand: Hand, random: np.random.Generator, composition: Composition
) -> None:
    scale = composition.size[1] * SCALE
    outline = [tuple(p) for p in (shape.points * scale).tolist()]
    if hand.bare == 0 or shape.grain < 0.6:
        draw.polygon(outline, fill=_rgb(np.array(shape.colour) * 0.45 + np.array(shape.shade) * 0.45))
    centres, angles, lengths = _place(shape, hand, random, composition.aspect)
    if len(centres):
        corners, streaks = _stroke_outlines(centres, angles, lengths, shape, hand, random)
        paints = _colours(centres, shape, hand, random)
        thin = max(1, round(scale * hand.width * shape.grain / 7))
        _draw_strokes(draw, corners * scale, streaks * scale, paints, thin=thin)
    if hand.outline and shape.part != "ground":
        draw.line([*outline, outline[0]], fill=(38, 30, 34), width=round(hand.outline * scale), joint="curve")


def _place(
    shape: Shape, hand: Hand, random: np.random.Generator, aspect: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Choose where strokes lie: centres (n, 2), angles (n,) and lengths (n,), inside the shape's outline."""
    inside, low, cell = _mask(shape.points, aspect)
    length, width = hand.length * shape.grain, hand.width * shape.grain
    ys, xs = np.nonzero(inside)
    if len(xs) == 0:
        return np.empty((0, 2)), np.empty(0), np.empty(0)
    count = int(hand.coverage * (1 - hand.bare) * len(xs) * cell * cell / (length * width * 0.8)) + 2
    pick = random.integers(0, len(xs), min(count, 6000))
    centres = low + (np.stack([xs[pick], ys[pick]], 1) + random.random((len(pick), 2))) * cell
    angles = _directions(centres, shape, hand) + random.normal(0, hand.turn, len(pick))
    lengths = length * random.uniform(0.7, 1.2, len(pick))
    for _ in range(3):  # a stroke that would leave its shape is made shorter
        lengths = np.where(_stays(centres, angles, lengths, inside, low, cell), lengths, lengths * 0.6)
    return centres, angles, lengths


def _mask(points: np.ndarray, aspect: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Return which cells of a grid the outline encloses, the grid's corner, and the side of a cell."""
    low = np.clip(points.min(0), 0, None)
    high = np.minimum(points.max(0), [aspect, 1.0])
    cell = max(float((high - low).max()), 1e-3) / 160
    columns, rows = np.maximum(np.ceil((high - low) / cell).astype(int), 1)
    mask = Image.new("1", (int(columns), int(rows)))
    ImageDraw.Draw(mask).polygon([tuple(p) for p in ((points - low) / cell).tolist()], fill=1)
    return np.asarray(mask), low, cell


def _directions(centres: np.ndarray, shape: Shape, hand: Hand) -> np.ndarray:
    """Return the angle of the shape's direction field at each place."""
    if hand.lean is not None:
        return np.full(len(centres), hand.lean)
    x, y = centres[:, 0], centres[:, 1]
    wave = 0.35 * np.sin(7 * x + hand.seed) * np.cos(6 * y + hand.seed) * (1 + 3 * hand.bend)
    if shape.flow is None:  # around the middle
        middle = shape.points.mean(0)
        return np.arctan2(y - middle[1], x - middle[0]) + np.pi / 2 + wave / 2
    return shape.flow + wave


def _stays(
    centres: np.ndarray, angles: np.ndarray, lengths: np.ndarray, inside: np.ndarray, low: np.ndarray, cell: float
) -> np.ndarray:
    """Tell for each stroke whether both its ends lie within the outline."""
    reach = np.stack([np.cos(angles), np.sin(angles)], 1) * lengths[:, None] / 2
    kept = np.ones(len(centres), bool)
    for ends in (centres + reach, centres - reach):
        column, row = np.floor((ends - low) / cell).astype(int).T
        within = (column >= 0) & (row >= 0) & (column < inside.shape[1]) & (row < inside.shape[0])
        kept &= within & inside[row.clip(0, inside.shape[0] - 1), column.clip(0, inside.shape[1] - 1)]
    return kept


def _stroke_outlines(
    centres: np.ndarray,
    angles: np.ndarray,
    lengths: np.ndarray,
    shape: Shape,
    hand: Hand,
    random: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Return each stroke's outline (n, 8, 2) and the middle lines of its streaks (n, bristles, 4, 2)."""
    along = np.stack([np.cos(angles), np.sin(angles)], 1)[:, None]
    across = np.stack([-np.sin(angles), np.cos(angles)], 1)[:, None]
    bend = random.normal(0, hand.bend, len(centres))[:, None, None] * lengths[:, None, None]
    t = STATIONS[None, :, None]
    spine = centres[:, None] + along * (t - 0.5) * lengths[:, None, None] + across * bend * (t - t * t)
    half = hand.width * shape.grain / 2 * random.uniform(0.75, 1.2, len(centres))[:, None, None]
    side = across * half * PROFILES[hand.profile][None, :, None]
    outline = np.concatenate([spine + side, (spine - side)[:, ::-1]], 1)
    offsets = random.uniform(-0.65, 0.65, (len(centres), hand.bristles, 1, 1))
    return outline, spine[:, None] + side[:, None] * offsets


def _colours(centres: np.ndarray, shape: Shape, hand: Hand, random: np.random.Generator) -> np.ndarray:
    """Return a colour for each stroke: from colour to shade across the shape, with the hand's jitter."""
    axis = np.array([np.cos(shape.light), np.sin(shape.light)])
    span = shape.points @ axis
    t = (centres @ axis - span.min()) / max(float(np.ptp(span)), 1e-6)
    t = np.clip(t + random.normal(0, 0.12, len(t)), 0, 1)[:, None]
    mixed = np.array(shape.colour) * (1 - t) + np.array(shape.shade) * t
    mixed = mixed + random.normal(0, hand.value, (len(t), 1)) + random.normal(0, hand.hue, (len(t), 3))
    return (np.clip(mixed, 0, 1) * 255).astype(int)


def _draw_strokes(
    draw: ImageDraw.ImageDraw, outlines: np.ndarray, streaks: np.ndarray, paints: np.ndarray, *, thin: int
) -> None:
    """Draw each stroke and over it its streaks, lighter and darker by turns."""
    flat = outlines.reshape(len(outlines), -1).tolist()
    lines = streaks.reshape(*streaks.shape[:2], 8).tolist()
    for outline, bristles, (red, green, blue) in zip(flat, lines, paints.tolist(), strict=True):
        draw.polygon(outline, fill=(red, green, blue))
        for number, streak in enumerate(bristles):
            shift = -22 if number % 2 else 20
            draw.line(streak, fill=(red + shift, green + shift, blue + shift), width=thin)


def _sign(canvas: Image.Image, draw: ImageDraw.ImageDraw, hand: Hand) -> None:
    """Draw a squiggle like a signature into a lower corner; it belongs to the hand."""
    random = np.random.default_rng([hand.seed, 14])
    width, height = canvas.size
    t = np.linspace(0, 1, 40)
    loops, size = random.uniform(3, 6), random.uniform(0.09, 0.14)
    x = t * size + 0.012 * np.sin(t * loops * 7 + random.uniform(0, 6))
    y = 0.012 * np.sin(t * loops * 6.3) * (1.3 - t) + 0.004 * np.sin(t * 40)
    left = 0.04 if random.random() < 0.3 else width / height - size - 0.05
    points = np.stack([x + left, y + 0.955], 1) * height
    place = (*points.min(0).astype(int).tolist(), *points.max(0).astype(int).tolist())
    dark_below = np.asarray(canvas.crop(place).convert("L")).mean() < 110
    ink = (240, 230, 205) if dark_below else (45, 30, 28)
    draw.line(points.reshape(-1).tolist(), fill=ink, width=round(0.0032 * height), joint="curve")


def _varnish(picture: Image.Image, hand: Hand, random: np.random.Generator) -> Image.Image:
    """Let thick paint catch the light from the upper left, and the weave of the canvas show."""
    pixels = np.asarray(picture).astype(np.float32)
    height, width = pixels.shape[:2]
    grey = pixels @ np.array([0.3, 0.5, 0.2], np.float32)
    slope = np.zeros((height, width), np.float32)
    slope[1:, 1:] = grey[1:, 1:] - grey[:-1, :-1]
    shine = np.clip(slope * (0.5 * hand.relief), -24, 24)
    rows, columns = np.arange(height)[:, None], np.arange(width)[None]
    threads = np.sin(rows * 1.9) * np.cos(columns * 1.9) + 0.6 * random.standard_normal((height, width), np.float32)
    pixels += (shine + threads.astype(np.float32) * (90 * hand.weave))[..., None]
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _rgb(colour: Colour | np.ndarray) -> tuple[int, int, int]:
    red, green, blue = (round(255 * min(max(float(c), 0), 1)) for c in colour)
    return red, green, blue
