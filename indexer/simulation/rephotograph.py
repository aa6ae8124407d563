"""Simulate another photograph of the same work: other light, angle, crop and camera, and what stands in the way."""

import math
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageOps

from indexer.simulation.camera import Point, change_tones, compress, defocus, light_and_grain
from indexer.simulation.obstacles import interfere, lay_plate, reflect, stand_before
from indexer.simulation.surroundings import hang
from retrieval.machine import import_cv2

VERSION = 1  # part of what is stored with distances measured on these simulations; raise it when the pictures change
LONGEST = 16_000  # pixels: cameras make none longer, and with a wall around it a JPEG could not hold a longer one

Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Conditions:
    """How far genuine photographs of one object differ from each other; by default, ordinary ones."""

    tilt: float = 2.0  # degrees, either way
    corner: float = 0.025  # each corner moves by up to this share of its side: the angle of view
    crop: Range = (-0.03, 0.04)  # share of the side cut off, or, below zero, of wall shown beside the work
    exposure: Range = (0.85, 1.15)
    gamma: Range = (0.88, 1.14)
    contrast: Range = (0.88, 1.12)
    cast: float = 0.06  # gain of red against blue, either way; half of it for green
    gradient: float = 0.14  # the light falls off by up to this share from one side to the other
    vignette: float = 0.10  # the corners are darker by up to this share
    blur: float = 0.002  # of the shorter side; half of the photographs are in focus
    noise: Range = (0.5, 4.0)  # standard deviation in grey levels
    quality: tuple[int, int] = (50, 92)  # of the JPEG
    mild: float = 0.0  # chance, for each of GROUPS by itself, that it is drawn as in ORDINARY
    room: float = 0.0  # chance, as all below, that the work fills but part of the photograph
    frame: float = 0.0  # that it has a frame
    coarse: float = 0.0  # that there are fewer pixels
    plate: float = 0.0  # that a plate with text lies over it
    visitor: float = 0.0  # that a head, a hand or a cord is before it
    glare: float = 0.0
    moire: float = 0.0


ORDINARY = Conditions()
DIFFICULT = Conditions(
    tilt=7.0, corner=0.07, crop=(-0.06, 0.14), exposure=(0.6, 1.35), gamma=(0.75, 1.3), contrast=(0.75, 1.2), cast=0.15,
    gradient=0.45, vignette=0.3, blur=0.008, noise=(0.5, 9.0), quality=(25, 92), mild=0.6,
    room=0.25, frame=0.25, coarse=0.25, plate=0.15, visitor=0.15, glare=0.2, moire=0.1,
)  # fmt: skip
VISITORS = replace(  # so that their distances are spread as those of 67 pairs of real photographs: the glare does it
    DIFFICULT, plate=0.0, visitor=0.0, moire=0.0, glare=0.1
)
GROUPS = (
    ("tilt", "corner"), ("crop",), ("exposure", "gamma", "contrast"), ("cast",), ("gradient", "vignette"), ("blur",),
    ("noise",), ("quality",),
)  # fmt: skip
THINGS = ("room", "frame", "plate", "visitor", "glare", "moire")
FILL = (0.55, 1.0)  # share of each side of the photograph that the work fills in a room
COARSE = (0.45, 0.9)  # side of a photograph of fewer pixels
BORDER = (0.02, 0.10)  # share of a side by which a frame is seen


@dataclass(frozen=True, slots=True)
class Shot:
    """What one photograph does to the picture, drawn from the conditions."""

    tilt: float
    corners: tuple[Point, ...]  # shifts of the four corners, as shares of the sides
    crops: tuple[float, float, float, float]  # left, top, right, bottom
    wall: tuple[int, int, int]
    gains: tuple[float, float, float]
    gamma: float
    contrast: float
    slope: Point  # change of the light across the width and the height
    vignette: float
    blur: float
    noise: float
    quality: int
    scale: float = 1.0  # pixels of the photograph for one of the picture's
    things: tuple[str, ...] = ()  # of THINGS: what is around and before the work


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedPhotograph:
    """A photograph, and where on it the work lies.

    `homography`, float64 (3, 3), maps pixels of the original to pixels of the photograph, their centres at whole
    numbers; `hidden`, bool as high and wide as the original, is what lies outside of the photograph or is covered.
    """

    image: Image.Image
    homography: np.ndarray
    hidden: np.ndarray


def rephotograph(image: Image.Image, *, seed: int) -> Image.Image:
    """Return another photograph of what the RGB image shows, about as large.

    The seed alone chooses the conditions (light, angle, camera): give every object its own.
    """
    random = np.random.default_rng(seed)
    return photograph(image, draw_shot(random, ORDINARY), random)


def photograph(image: Image.Image, shot: Shot, random: np.random.Generator) -> Image.Image:
    """Take the photograph that the shot describes, of a picture longer than LONGEST a smaller one."""
    small = ImageOps.contain(image, (LONGEST, LONGEST)) if max(image.size) > LONGEST else image
    return _take(small, shot, random)[0]


def photograph_with_geometry(image: Image.Image, shot: Shot, random: np.random.Generator) -> SimulatedPhotograph:
    """Take the same photograph, and say where on it the work lies and what of it is hidden."""
    cv2 = import_cv2()
    taken, to_work, covered = _take(image, shot, random)
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])  # from the centre of a pixel to its corner
    homography = np.linalg.inv(half) @ np.linalg.inv(to_work) @ half
    homography /= homography[2, 2]
    way = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    seen = cv2.warpPerspective((~covered).astype(np.uint8), homography, image.size, flags=way)
    return SimulatedPhotograph(taken, homography, seen == 0)


def _take(image: Image.Image, shot: Shot, random: np.random.Generator) -> tuple[Image.Image, np.ndarray, np.ndarray]:
    """Return the photograph, the matrix from its places to those of the picture, and what of it is covered."""
    image = image if image.mode == "RGB" else image.convert("RGB")
    size, to_work = view(image.size, shot)
    scene, to_scene = image, to_work
    if "room" in shot.things or "frame" in shot.things or shot.scale < 1:
        scene, hung = hang(
            image, shot.crops, scale=shot.scale, wall=shot.wall, framed="frame" in shot.things, random=random
        )
        to_scene = hung @ to_work
    to_scene = to_scene / to_scene[2, 2]
    coefficients = to_scene.ravel()[:8].tolist()
    seen = scene.transform(
        size, Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BILINEAR, fillcolor=shot.wall
    )
    seen, covered = _obstruct(seen, _box(to_work, image.size), shot, random)
    seen = change_tones(seen, gains=shot.gains, gamma=shot.gamma, contrast=shot.contrast)
    if "moire" in shot.things:
        seen = Image.fromarray(interfere(np.asarray(seen), random))
    seen = light_and_grain(seen, slope=shot.slope, vignette=shot.vignette, noise=shot.noise, random=random)
    return compress(seen, shot.quality), to_work, covered


def _obstruct(
    image: Image.Image, work: tuple[float, float, float, float], shot: Shot, random: np.random.Generator
) -> tuple[Image.Image, np.ndarray]:
    """Cover some of the view, and put it out of focus; return also what is hidden, bool (height, width)."""
    pixels, covered = np.asarray(image), np.zeros((image.height, image.width), bool)
    if "plate" in shot.things:
        pixels, hidden = lay_plate(pixels, work, random)
        covered |= hidden
    if "visitor" in shot.things:
        pixels, hidden = stand_before(pixels, work, random)
        covered |= hidden
    if "plate" in shot.things or "visitor" in shot.things:
        image = Image.fromarray(pixels)
    image = defocus(image, shot.blur)
    if "glare" in shot.things:
        pixels, hidden = reflect(np.asarray(image), random)
        image, covered = Image.fromarray(pixels), covered | hidden
    return image, covered


def draw_shot(random: np.random.Generator, conditions: Conditions) -> Shot:
    """Draw one shot; every value is uniform within the conditions."""
    c = _milder(conditions, random)
    exposure = random.uniform(*c.exposure)
    warmth, tint = random.uniform(-c.cast, c.cast), random.uniform(-c.cast, c.cast)
    wall = random.uniform(90, 235)
    slope, direction = random.uniform(0, c.gradient), random.uniform(0, 2 * math.pi)
    left, top, right, bottom = (float(x) for x in random.uniform(*c.crop, 4))
    shot = Shot(
        tilt=random.uniform(-c.tilt, c.tilt),
        corners=tuple((float(x), float(y)) for x, y in random.uniform(-c.corner, c.corner, (4, 2))),
        crops=(left, top, right, bottom),
        wall=(int(wall), int(wall * 0.98), int(wall * 0.94)),
        gains=(exposure * (1 + warmth), exposure * (1 + tint / 2), exposure * (1 - warmth)),
        gamma=random.uniform(*c.gamma),
        contrast=random.uniform(*c.contrast),
        slope=(slope * math.cos(direction), slope * math.sin(direction)),
        vignette=random.uniform(0, c.vignette),
        blur=max(0.0, random.uniform(-c.blur, c.blur)),
        noise=random.uniform(*c.noise),
        quality=int(random.integers(c.quality[0], c.quality[1] + 1)),
    )
    return _with_surroundings(shot, c, random)


def _happens(chance: float, random: np.random.Generator) -> bool:
    """Return whether it happens; what never does must not take a number from the ordinary photographs."""
    return chance > 0 and random.random() < chance


def _milder(conditions: Conditions, random: np.random.Generator) -> Conditions:
    """Make some groups of conditions ordinary, so that photographs are rarely difficult in every way."""
    names = [name for group in GROUPS if _happens(conditions.mild, random) for name in group]
    return replace(conditions, **{name: getattr(ORDINARY, name) for name in names})


def _with_surroundings(shot: Shot, c: Conditions, random: np.random.Generator) -> Shot:
    """Draw what is around and before the work."""
    things = tuple(name for name in THINGS if _happens(getattr(c, name), random))
    crops, scale = shot.crops, 1.0
    if "room" in things:
        wide, high = (1 / random.uniform(*FILL, 2) - 1).tolist()
        left, top = random.random(2).tolist()
        crops = (-wide * left, -high * top, -wide * (1 - left), -high * (1 - top))
        scale = 1 / math.sqrt((1 + wide) * (1 + high))  # as many pixels as the picture has
    elif "frame" in things:
        left, top, right, bottom = (np.minimum(crops, 0) - random.uniform(*BORDER, 4)).tolist()
        crops = (left, top, right, bottom)
    if _happens(c.coarse, random):
        scale *= random.uniform(*COARSE)
    return replace(shot, crops=crops, scale=scale, things=things)


def view(size: tuple[int, int], shot: Shot) -> tuple[tuple[int, int], np.ndarray]:
    """Return the size of the photograph, and the matrix, float64 (3, 3), from its places to those of the picture.

    Crop, tilt and the shifts of the corners are one perspective transform; places are in pixels from the corner.
    """
    width, height = size
    left, top, right, bottom = shot.crops
    corners = ((left, top), (1 - right, top), (1 - right, 1 - bottom), (left, 1 - bottom))
    quad = [
        _turn(((x + dx) * width, (y + dy) * height), (width / 2, height / 2), shot.tilt)
        for (x, y), (dx, dy) in zip(corners, shot.corners, strict=True)
    ]
    across, down = width * (1 - left - right) * shot.scale, height * (1 - top - bottom) * shot.scale
    size = (max(1, round(across)), max(1, round(down)))
    return size, np.append(_perspective(size, quad), 1.0).reshape(3, 3)


def _turn(point: Point, centre: Point, degrees: float) -> Point:
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    x, y = point[0] - centre[0], point[1] - centre[1]
    return centre[0] + cos * x - sin * y, centre[1] + sin * x + cos * y


def _perspective(size: tuple[int, int], quad: list[Point]) -> list[float]:
    """Return Pillow's eight coefficients that map the corners of the size to those of the quadrilateral."""
    (width, height), rows, values = size, [], []
    corners = ((0, 0), (width, 0), (width, height), (0, height))
    for (x, y), (u, v) in zip(corners, quad, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -x * u, -y * u], [0, 0, 0, x, y, 1, -x * v, -y * v]]
        values += [u, v]
    return [float(c) for c in np.linalg.solve(np.array(rows, np.float64), np.array(values, np.float64))]


def _box(to_work: np.ndarray, size: tuple[int, int]) -> tuple[float, float, float, float]:
    """Return the box around the work on the photograph: left, top, right, bottom."""
    width, height = size
    corners = np.array([(0, 0, 1), (width, 0, 1), (width, height, 1), (0, height, 1)], np.float64)
    x, y, depth = np.linalg.inv(to_work) @ corners.T
    return float((x / depth).min()), float((y / depth).min()), float((x / depth).max()), float((y / depth).max())
