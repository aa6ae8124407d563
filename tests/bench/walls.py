"""Hang several works side by side on one wall, framed or not, and photograph them together, their places known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageFilter

from indexer.simulation.rephotograph import VISITORS, draw_shot, photograph_with_geometry
from indexer.simulation.surroundings import hang
from retrieval.comparing.registration import project

PIXELS = 1600 * 1200  # of a photograph that comes in
STRAIGHT = replace(VISITORS, tilt=4.0, corner=0.04, crop=(-0.02, 0.0), room=0.0, frame=0.0)  # every work stays on it
SIDE = (340.0, 500.0)  # of the square with the area of a work, in pixels
LONGEST = 800
BESIDE = 0.16  # share of each side of a work that is wall beside it, besides what `hang` adds
FRAMED = 0.7  # chance of a frame
FEATHER = 6  # pixels over which the wall around one work becomes that around the next


@dataclass(frozen=True, slots=True, eq=False)
class Wall:
    """A photograph of several works: the outline of each, float64 (4, 2) in pixels, clockwise from its top left."""

    image: Image.Image
    outlines: tuple[np.ndarray, ...]


def wall_of(pictures: Sequence[Image.Image], random: np.random.Generator) -> Wall:
    """Return a photograph of PIXELS pixels of the pictures, from left to right."""
    light = random.uniform(110, 235)
    colour = (int(light), int(0.98 * light), int(0.94 * light))
    hung = [_hung(picture, colour, random) for picture in pictures]
    height = max(scene.height for scene, _ in hung)
    canvas = Image.new("RGB", (sum(scene.width for scene, _ in hung), height), colour)
    left, outlines = 0, []
    for scene, corners in hung:
        top = int(random.integers(0, height - scene.height + 1))
        canvas.paste(scene, (left, top), _fading(scene.size))
        outlines.append(corners + np.array([left, top]))
        left += scene.width
    return photographed(canvas, outlines, random)


def photographed(scene: Image.Image, outlines: Sequence[np.ndarray], random: np.random.Generator) -> Wall:
    """Return a photograph of PIXELS pixels of a scene, and where the outlines on it come to lie."""
    taken = photograph_with_geometry(scene, draw_shot(random, STRAIGHT), random)
    image = incoming(taken.image)
    scale = np.array(image.size) / np.array(taken.image.size)
    seen = [project(taken.homography, outline) for outline in outlines]
    return Wall(image, tuple((points + 0.5) * scale - 0.5 for points in seen if points is not None))


def incoming(picture: Image.Image) -> Image.Image:
    """Return a picture enlarged or reduced to PIXELS pixels."""
    factor = (PIXELS / (picture.width * picture.height)) ** 0.5
    size = (max(1, round(factor * picture.width)), max(1, round(factor * picture.height)))
    return picture.resize(size, Image.Resampling.BICUBIC)


def _hung(
    picture: Image.Image, colour: tuple[int, int, int], random: np.random.Generator
) -> tuple[Image.Image, np.ndarray]:
    """Return a work with the wall around it, and its corners there, in pixels."""
    area = picture.width * picture.height
    scale = min(random.uniform(*SIDE) / area**0.5, LONGEST / max(picture.size))
    framed = bool(random.random() < FRAMED)
    scene, matrix = hang(picture, (-BESIDE,) * 4, scale=scale, wall=colour, framed=framed, random=random)
    width, height = picture.size
    corners = project(matrix, np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64))
    assert corners is not None, "hung straight"
    return scene, corners - 0.5


def _fading(size: tuple[int, int]) -> Image.Image:
    """Return a mask that shows all but the rim of a scene, so that there is no seam between two."""
    mask = Image.new("L", size, 0)
    mask.paste(255, (2 * FEATHER, 2 * FEATHER, size[0] - 2 * FEATHER, size[1] - 2 * FEATHER))
    return mask.filter(ImageFilter.GaussianBlur(FEATHER / 2))
