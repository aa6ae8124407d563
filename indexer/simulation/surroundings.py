"""Hang a work on a wall, framed or not, to be photographed there."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from retrieval.machine import import_cv2

SLACK = 0.08  # share of each side drawn beyond what a straight photograph would show
COARSE = 8  # the wall is drawn this much smaller: light and shadow on it are soft
WOODS = ((178, 142, 78), (92, 60, 36), (52, 36, 28), (226, 222, 214), (30, 30, 32), (142, 104, 66), (168, 166, 162))

Colour = tuple[int, int, int]


def hang(
    image: Image.Image,
    crops: tuple[float, float, float, float],
    *,
    scale: float,
    wall: Colour,
    framed: bool,
    random: np.random.Generator,
) -> tuple[Image.Image, np.ndarray]:
    """Return the work on its wall, and the matrix, float64 (3, 3), from places on the work to places on the wall.

    The work is reduced by `scale`; `crops` are the shares of its sides cut off (left, top, right, bottom), below zero
    where there is wall. Places are in pixels from the upper left corner.
    """
    size = (max(1, round(scale * image.width)), max(1, round(scale * image.height)))
    sides = (size[0], size[1], size[0], size[1])
    left, top, right, bottom = (round((max(0.0, -c) + SLACK) * side) for c, side in zip(crops, sides, strict=True))
    whole = (left + size[0] + right, top + size[1] + bottom)
    box = (left, top, left + size[0], top + size[1])
    mouldings = _mouldings(min(size), random) if framed else []
    scene = _wall(whole, box, sum(width for width, _ in mouldings), wall, random)
    _draw_frame(scene, box, mouldings, random)
    scene.paste(image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0), box)
    across, down = size[0] / image.width, size[1] / image.height
    return scene, np.array([[across, 0, left], [0, down, top], [0, 0, 1]], np.float64)


def _wall(
    size: tuple[int, int], box: tuple[int, int, int, int], frame: int, colour: Colour, random: np.random.Generator
) -> Image.Image:
    """Draw a wall in uneven light with the shadow of what hangs on it."""
    cv2 = import_cv2()
    width, height = (-(-length // COARSE) + 1 for length in size)
    light = np.ones((height, width), np.float32)
    away, below = (round(share * min(size)) for share in random.uniform((-0.03, 0.0), (0.03, 0.04)))
    left, top = box[0] - frame + away, box[1] - frame + below
    right, bottom = box[2] + frame + away, box[3] + frame + below
    corners = [(max(0, left // COARSE), max(0, top // COARSE)), (right // COARSE, bottom // COARSE)]
    cv2.rectangle(light, *corners, 1 - random.uniform(0.1, 0.45), -1)
    light = cv2.GaussianBlur(light, (0, 0), random.uniform(0.4, 1.5))
    uneven = random.normal(1, 0.03, (4, 4)).astype(np.float32)
    light *= cv2.resize(uneven, (width, height), interpolation=cv2.INTER_CUBIC)
    picture = np.clip(light[..., None] * np.array(colour, np.float32), 0, 255).astype(np.uint8)
    return Image.fromarray(cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR))


def _mouldings(short_side: int, random: np.random.Generator) -> list[tuple[int, np.ndarray]]:
    """Draw the profile of a frame from the work outwards: widths in pixels and colours; a mat may come first."""
    wood = np.array(WOODS[random.integers(len(WOODS))]) + random.normal(0, 10, 3)
    width, count = random.uniform(0.03, 0.11) * short_side, int(random.integers(1, 5))
    shares = random.dirichlet(np.full(count, 2.0))
    profile = [(max(1, round(width * share)), wood * random.uniform(0.6, 1.25)) for share in shares]
    if random.random() < 0.3:
        mat = random.uniform(0.02, 0.10) * short_side
        profile.insert(0, (max(1, round(mat)), random.uniform(195, 245) * np.array([1, 0.98, 0.94])))
    return profile


def _draw_frame(
    scene: Image.Image,
    box: tuple[int, int, int, int],
    mouldings: list[tuple[int, np.ndarray]],
    random: np.random.Generator,
) -> None:
    """Draw mitred mouldings around a box, each side in its own light."""
    draw, outer = ImageDraw.Draw(scene), sum(width for width, _ in mouldings)
    for width, colour in reversed(mouldings):
        left, top, right, bottom = box[0] - outer, box[1] - outer, box[2] + outer, box[3] + outer
        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        inward = [(left + width, top + width), (right - width, top + width)]
        inward += [(right - width, bottom - width), (left + width, bottom - width)]
        for one, other in ((0, 1), (1, 2), (2, 3), (3, 0)):
            red, green, blue = np.clip(colour * random.uniform(0.75, 1.15), 0, 255).astype(int).tolist()
            side = [corners[one], corners[other], inward[other], inward[one]]
            draw.polygon(side, fill=(red, green, blue))
        outer -= width
