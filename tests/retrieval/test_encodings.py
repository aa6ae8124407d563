"""One painted work in every way that files hold pictures: each shows the work, pixel by pixel."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from retrieval.errors import UnreadableImage
from retrieval.photographs.images import read_photograph
from tests.encodings import WAYS
from tests.encodings.encoding import Encoding
from tests.pictures import painting

WORK = painting(3).resize((208, 160)).filter(ImageFilter.GaussianBlur(2))  # codecs halve the colours of edges
FEWEST = 120
REDUCED = ("RGB.jp2", "tiles.jp2", "16 bits.j2k", "progressive.jpg", "fine.pdf", "linear.dng", "moving.avif")


@cache
def encoded(way) -> tuple[Encoding, ...]:
    return tuple(way(WORK))


def found_in(folder: Path, encoding: Encoding) -> str | None:
    """Return what is wrong with the pixels that come out of an encoding."""
    path = folder / encoding.name
    path.write_bytes(encoding.data)
    try:
        photograph = read_photograph(path, short_side=min(WORK.size))
    except UnreadableImage as error:
        return str(error)
    pixels = np.asarray(photograph.image, int)
    if (photograph.width, photograph.height) != WORK.size or pixels.shape != encoding.shows.shape:
        return f"{photograph.width} x {photograph.height}, read as {pixels.shape}"
    difference = float(np.abs(pixels - encoding.shows).mean())
    return None if difference <= encoding.give_or_take else f"off by {difference:.2f}"


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__.strip("_"))
def test_the_right_pixels_come_out(tmp_path, way):
    wrong = {encoding.name: found_in(tmp_path, encoding) for encoding in encoded(way)}
    assert {name: what for name, what in wrong.items() if what} == {}


def test_the_encodings_are_many_and_each_is_another():
    names = [encoding.name for way in WAYS for encoding in encoded(way)]
    assert len(names) == len(set(names)) >= FEWEST


@pytest.mark.parametrize("name", REDUCED)
def test_what_is_reduced_while_it_is_decoded_shows_the_whole_work(tmp_path, name):
    (encoding,) = [encoding for way in WAYS for encoding in encoded(way) if encoding.name == name]
    path = tmp_path / name
    path.write_bytes(encoding.data)
    photograph = read_photograph(path, short_side=20)
    assert (photograph.width, photograph.height) == WORK.size
    assert photograph.image.size == (39, 30)
    shows = np.asarray(Image.fromarray(encoding.shows).resize((39, 30), Image.Resampling.LANCZOS), int)
    difference = float(np.abs(np.asarray(photograph.image, int) - shows).mean())
    assert difference <= encoding.give_or_take + 2.5
