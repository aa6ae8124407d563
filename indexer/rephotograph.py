"""Simulate another photograph of the same work: other light, angle, crop and camera."""

import io
import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

VERSION = 1  # part of what is stored with distances measured on these simulations; raise it when the pictures change

BAND = 64  # rows worked on at once

Range = tuple[float, float]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Conditions:
    """How far ordinary genuine photographs of one object differ from each other."""

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


ORDINARY = Conditions()


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


def rephotograph(image: Image.Image, *, seed: int) -> Image.Image:
    """Return another photograph of what the RGB image shows, about as large.

    The seed alone chooses the conditions (light, angle, camera): give every object its own.
    """
    random = np.random.default_rng(seed)
    return photograph(image, draw_shot(random, ORDINARY), random)


def photograph(image: Image.Image, shot: Shot, random: np.random.Generator) -> Image.Image:
    """Take the photograph that the shot describes."""
    image = change_view(image if image.mode == "RGB" else image.convert("RGB"), shot)
    image = defocus(image, shot.blur)
    image = change_tones(image, shot)
    image = light_and_grain(image, shot, random)
    return compress(image, shot.quality)


def draw_shot(random: np.random.Generator, conditions: Conditions) -> Shot:
    """Draw one shot; every value is uniform within the conditions."""
    c = conditions
    exposure = random.uniform(*c.exposure)
    warmth, tint = random.uniform(-c.cast, c.cast), random.uniform(-c.cast, c.cast)
    wall = random.uniform(90, 235)
    slope, direction = random.uniform(0, c.gradient), random.uniform(0, 2 * math.pi)
    left, top, right, bottom = (float(x) for x in random.uniform(*c.crop, 4))
    return Shot(
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


def change_view(image: Image.Image, shot: Shot) -> Image.Image:
    """Crop, tilt and shift the corners in one perspective transform; what lies outside is wall."""
    width, height = image.size
    left, top, right, bottom = shot.crops
    frame = ((left, top), (1 - right, top), (1 - right, 1 - bottom), (left, 1 - bottom))
    quad = [
        _turn(((x + dx) * width, (y + dy) * height), (width / 2, height / 2), shot.tilt)
        for (x, y), (dx, dy) in zip(frame, shot.corners, strict=True)
    ]
    size = (max(1, round(width * (1 - left - right))), max(1, round(height * (1 - top - bottom))))
    coefficients = _perspective(size, quad)
    return image.transform(
        size, Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BILINEAR, fillcolor=shot.wall
    )


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


def defocus(image: Image.Image, share: float) -> Image.Image:
    """Blur by a share of the shorter side."""
    radius = share * min(image.size)
    return image.filter(ImageFilter.BoxBlur(radius)) if radius > 0.05 else image


def change_tones(image: Image.Image, shot: Shot) -> Image.Image:
    """Apply exposure, colour cast, gamma and contrast through one table per channel."""
    grey = np.arange(256) / 255
    curve = (np.clip(grey, 0, 1) ** shot.gamma - 0.5) * shot.contrast + 0.5
    tables = [np.clip(255 * gain * curve, 0, 255).round().astype(int) for gain in shot.gains]
    return image.point(np.concatenate(tables).tolist())


def light_and_grain(image: Image.Image, shot: Shot, random: np.random.Generator) -> Image.Image:
    """Multiply by uneven light and add the noise of the sensor."""
    width, height = image.size
    x = np.linspace(-1, 1, width, dtype=np.float32)
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    across = np.repeat(shot.slope[0] / 2 * x - shot.vignette / 2 * x * x, 3)
    down = 1 + shot.slope[1] / 2 * y - shot.vignette / 2 * y * y
    grain = random.standard_normal((BAND, width, 1), dtype=np.float32) * np.float32(shot.noise)
    pixels = np.array(image).reshape(height, 3 * width)
    for top in range(0, height, BAND):  # bands stay in the processor's cache: half the time of the whole at once
        rows = slice(top, min(top + BAND, height))
        band = pixels[rows] * (across + down[rows])
        band.reshape(-1, width, 3)[:] += np.roll(grain, int(random.integers(width)), axis=1)[: len(band)]
        pixels[rows] = np.clip(band, 0, 255, out=band)
    return Image.fromarray(pixels.reshape(height, width, 3))


def compress(image: Image.Image, quality: int) -> Image.Image:
    """Pass the picture through JPEG."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    compressed = Image.open(buffer)
    compressed.load()
    return compressed
