"""Colour charts, grey cards and rulers are told from pictures, and are no work beside one."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from retrieval.finding.charts import is_chart
from tests.pictures import painting

COLOURS = (
    "#735244", "#c29682", "#627a9d", "#576c43", "#8580b1", "#67bdaa", "#d67e2c", "#505ba6", "#c15a63", "#5e3c6c",
    "#9dbc40", "#e0a32e", "#383d96", "#469449", "#af363c", "#e7c71f", "#bb5695", "#0885a1", "#f3f3f2", "#c8c8c8",
    "#a0a0a0", "#7a7a79", "#555555", "#343434",
)  # fmt: skip


def checker() -> Image.Image:
    """Return a chart of 24 colours on black."""
    image = Image.new("RGB", (366, 246), (22, 22, 22))
    draw = ImageDraw.Draw(image)
    for number, colour in enumerate(COLOURS):
        x, y = 6 + 60 * (number % 6), 6 + 60 * (number // 6)
        draw.rectangle((x, y, x + 52, y + 52), fill=colour)
    return image


def strip() -> Image.Image:
    """Return a strip of eight named colours."""
    image = Image.new("RGB", (560, 130), (245, 245, 245))
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(14)
    for number, colour in enumerate(("#08a", "#096", "#fd0", "#d22", "#c07", "#ddd", "#643", "#111")):
        draw.rectangle((70 * number + 3, 35, 70 * number + 66, 125), fill=colour)
        draw.text((70 * number + 5, 8), "Colour", (20, 20, 20), font=font)
    return image


def greys() -> Image.Image:
    image = Image.new("RGB", (600, 120), (255, 255, 255))
    draw = ImageDraw.Draw(image)
    for number in range(20):
        draw.rectangle((30 * number, 40, 30 * number + 29, 120), fill=(255 - 13 * number,) * 3)
        draw.text((30 * number + 4, 12), str(number + 1), (0, 0, 0))
    return image


def card() -> Image.Image:
    image = Image.new("RGB", (300, 240), (118, 118, 118))
    ImageDraw.Draw(image).text((30, 200), "18% GREY CARD", (240, 240, 240), font=ImageFont.load_default(18))
    return image


def ruler() -> Image.Image:
    image = Image.new("RGB", (900, 120), (240, 225, 160))
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(30)
    for number in range(300):
        length = 60 if number % 10 == 0 else 40 if number % 5 == 0 else 25
        draw.line((3 * number, 0, 3 * number, length), (10, 10, 10))
        if number % 10 == 0:
            draw.text((3 * number + 2, 70), str(number // 10), (0, 0, 0), font=font)
    return image


CHARTS = {"checker": checker, "strip": strip, "greys": greys, "card": card, "ruler": ruler}


def photographed(image: Image.Image) -> Image.Image:
    noise = np.random.default_rng(3).normal(0, 2, (*image.size[::-1], 3))
    return Image.fromarray(np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8))


@pytest.mark.parametrize("turned", [0, 90, 180])
@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_a_chart_whichever_way_it_lies(name, turned):
    assert is_chart(photographed(CHARTS[name]().rotate(turned, expand=True)))


@pytest.mark.parametrize("size", [(520, 400), (400, 520), (900, 130), (130, 900)])
@pytest.mark.parametrize("seed", range(4))
def test_a_painting_is_no_chart(seed, size):
    assert not is_chart(photographed(painting(seed, size)))


def test_a_drawing_on_white_is_no_chart():
    sheet = Image.new("RGB", (400, 500), (244, 242, 236))
    ImageDraw.Draw(sheet).line([(60, 80), (300, 120), (120, 400), (340, 420)], (40, 40, 40), 3)
    assert not is_chart(photographed(sheet))
