"""Painted pictures, and photographs of them, for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from retrieval.comparing.registration import NotRegistered, Registration, find_registration
from retrieval.photographs.features import PROBE, extract_features
from retrieval.photographs.photograph import Photograph
from tests.conftest import aged

WALL = (196, 188, 174)
LEFT, MIDDLE, RIGHT = (60, 120, 380, 330), (560, 300, 380, 330), (1060, 90, 380, 330)


PLACES = {"below": (260, 360), "in a corner": (130, 60), "in the middle": (300, 200)}
LIGHT, DARK = ((243, 241, 236), (20, 20, 20)), ((25, 24, 22), (235, 232, 225))  # ground and letters


SIZE = (520, 400)


def painting(seed: int, size: tuple[int, int] = SIZE) -> Image.Image:
    """Return a picture of many overlapping shapes, another one for each seed."""
    random = np.random.default_rng(seed)
    image = Image.new("RGB", size, tuple(random.integers(60, 200, 3).tolist()))
    draw = ImageDraw.Draw(image)
    for _ in range(220):
        x, y = random.uniform(0, size[0]), random.uniform(0, size[1])
        corners = [(x + dx, y + dy) for dx, dy in random.normal(0, min(size) / 14, (random.integers(3, 7), 2))]
        draw.polygon(corners, fill=tuple(random.integers(0, 256, 3).tolist()))
    return image


def forged() -> Image.Image:
    """Return a copy of painting 4 of which a part was painted anew."""
    copy = painting(4)
    copy.paste(painting(40).crop((60, 60, 160, 150)), (60, 60))
    return copy


def write_paintings(folder: Path, count: int) -> None:
    """Write the first paintings into a new folder, as 00.png and so on."""
    folder.mkdir()
    for number in range(count):
        painting(number).save(folder / f"{number:02}.png")
        aged(folder / f"{number:02}.png")


def warped(image: Image.Image, homography: np.ndarray, size: tuple[int, int], wall=(140, 136, 130)) -> Image.Image:
    """Return what a camera sees whose homography takes pixels of the picture to pixels of the photograph."""
    back = np.linalg.inv(homography)
    centre = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])  # Pillow counts from the corner of the first pixel
    back = centre @ back @ np.linalg.inv(centre)
    coefficients = (back / back[2, 2]).ravel()[:8].tolist()
    return image.transform(size, Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BICUBIC, fillcolor=wall)


def corners_of(size: tuple[int, int]) -> np.ndarray:
    return np.array([(0, 0), (size[0] - 1, 0), (size[0] - 1, size[1] - 1), (0, size[1] - 1)], float)


def both(exemplar: Image.Image, probe: Image.Image) -> Registration | NotRegistered:
    return find_registration(
        extract_features(exemplar, exemplar.size), extract_features(probe, probe.size, detail=PROBE)
    )


def turned(degrees: float, scale: float, shift: tuple[float, float], tilt=(0.0, 0.0)) -> np.ndarray:
    angle = np.radians(degrees)
    return np.array(
        [
            [scale * np.cos(angle), -scale * np.sin(angle), shift[0]],
            [scale * np.sin(angle), scale * np.cos(angle), shift[1]],
            [tilt[0], tilt[1], 1.0],
        ]
    )


VIEWS = {
    "as it is": (turned(0, 1, (0, 0)), SIZE),
    "on a wall": (turned(0, 0.5, (150, 90)), (600, 450)),
    "aslant": (turned(4, 0.8, (60, 20), (2e-4, -1e-4)), (560, 480)),
    "turned a quarter": (turned(90, 1, (399, 0)), (400, 520)),
    "upside down": (turned(180, 0.9, (500, 390)), SIZE),
    "a detail": (turned(-3, 1.8, (-180, -150)), (500, 500)),
    "squashed": (np.diag([0.5, 0.9, 1.0]), (260, 360)),
}


def with_plate(
    image: Image.Image, place: tuple[int, int], colours=LIGHT, *, turn: float = 0.0, size=(200, 30)
) -> tuple[Image.Image, np.ndarray]:
    """Return a picture with a name plate over it, centred at a place, and where the plate is."""
    ground, ink = colours
    plate, whole = Image.new("RGB", size, ground), Image.new("L", size, 255)
    font = ImageFont.load_default(0.6 * size[1])
    ImageDraw.Draw(plate).text((size[0] / 2, size[1] / 2), "No. 1734  LANDSCAPE", ink, font, anchor="mm")
    plate, whole = (one.rotate(turn, Image.Resampling.BICUBIC, expand=True) for one in (plate, whole))
    corner = (place[0] - plate.width // 2, place[1] - plate.height // 2)
    covered, mask = image.copy(), Image.new("L", image.size)
    covered.paste(plate, corner, whole)
    mask.paste(whole, corner)
    return covered, np.asarray(mask) > 127


def hung(pictures: list[tuple[Image.Image, tuple[int, int, int, int]]], size=(1500, 900)) -> Image.Image:
    """Return a wall with framed pictures, each in its box (x, y, width, height)."""
    noise = np.random.default_rng(3).normal(0, 2, (size[1], size[0], 1))
    wall = Image.fromarray(np.clip(np.array(WALL) + noise, 0, 255).astype(np.uint8))
    for picture, (x, y, width, height) in pictures:
        wall.paste((40, 30, 24), (x - 14, y - 14, x + width + 14, y + height + 14))
        wall.paste(picture.resize((width, height), Image.Resampling.LANCZOS), (x, y))
    return wall


def photograph(image: Image.Image, *, reduced: float = 1.0) -> Photograph:
    """Return a photograph of that picture, of which only reduced pixels were kept."""
    small = (round(image.width / reduced), round(image.height / reduced))
    kept = image.resize(small, Image.Resampling.BOX) if reduced > 1 else image
    return Photograph(Path("a.jpg"), "", *image.size, kept)
