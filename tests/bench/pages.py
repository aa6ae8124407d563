"""Lay works out as sales catalogues and web pages do, with text below them, and photograph the page or the screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tests.bench.walls import Wall, photographed

AROUND = 0.1  # of a page that is to be seen beside it on each side
BENEATH = (92, 84, 76)  # the table or the wall
LINES, LINE = 6, 26  # of text below a work, and the height of one, in pixels
WORDS = (
    "attributed to", "circle of", "oil on canvas", "oil on panel", "signed", "dated", "lower left", "verso",
    "provenance", "private collection", "by descent", "estimate", "ink on silk", "with seals", "exhibited", "lot",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Layout:
    """How a page looks: its size, its colours, the top left corners of its works and the most that each may take."""

    size: tuple[int, int]
    ground: tuple[int, int, int]
    ink: tuple[int, int, int]
    places: tuple[tuple[int, int], ...]
    most: tuple[int, int]


PAGE = Layout((1240, 1640), (250, 249, 245), (30, 30, 30), ((60, 80), (640, 80), (60, 860), (640, 860)), (520, 560))
SCREEN = Layout((1600, 1000), (28, 28, 32), (220, 220, 220), ((40, 120), (560, 120), (1080, 120)), (470, 620))


def page_of(pictures: Sequence[Image.Image], random: np.random.Generator, layout: Layout = PAGE) -> Wall:
    """Return a photograph of a page with the pictures in some of its places."""
    page = Image.new("RGB", layout.size, layout.ground)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(20)
    outlines = []
    for picture, place in zip(pictures, random.permutation(len(layout.places)), strict=False):
        x, y = layout.places[place]
        shown = picture.copy()
        shown.thumbnail(layout.most, Image.Resampling.LANCZOS)
        page.paste(shown, (x, y))
        outlines.append(np.array([(0, 0), (shown.width, 0), shown.size, (0, shown.height)]) + np.array([x, y]) - 0.5)
        for line in range(LINES):
            words = ", ".join(random.choice(WORDS, 3))
            draw.text((x, y + shown.height + 12 + line * LINE), words, fill=layout.ink, font=font)
    beside, above = (round(AROUND * side) for side in layout.size)
    scene = Image.new("RGB", (page.width + 2 * beside, page.height + 2 * above), BENEATH)
    scene.paste(page, (beside, above))
    return photographed(scene, [outline + np.array([beside, above]) for outline in outlines], random)


def screen_of(pictures: Sequence[Image.Image], random: np.random.Generator) -> Wall:
    """Return a photograph of a screen with the pictures side by side."""
    return page_of(pictures, random, SCREEN)
