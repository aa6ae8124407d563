"""One painted work in every way that files hold pictures: each shows the work, pixel by pixel."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from retrieval.photographs.images import read_photograph
from tests.encodings import encodings
from tests.pictures import painting

WORK = painting(3).resize((208, 160)).filter(ImageFilter.GaussianBlur(2))  # codecs halve the colours of edges
ENCODINGS = {encoding.name: encoding for encoding in encodings(WORK)}


def test_there_are_many():
    assert len(ENCODINGS) >= 120


@pytest.mark.parametrize("name", ENCODINGS)
def test_the_right_pixels_come_out(tmp_path, name):
    encoding = ENCODINGS[name]
    path = tmp_path / name
    path.write_bytes(encoding.data)
    photograph = read_photograph(path, short_side=min(WORK.size))
    pixels = np.asarray(photograph.image, int)
    assert (photograph.width, photograph.height) == WORK.size
    assert pixels.shape == encoding.shows.shape
    difference = float(np.abs(pixels - encoding.shows).mean())
    assert difference <= encoding.give_or_take


REDUCED = ("RGB.jp2", "tiles.jp2", "16 bits.j2k", "progressive.jpg", "fine.pdf", "linear.dng", "moving.avif")


@pytest.mark.parametrize("name", REDUCED)
def test_what_is_reduced_while_it_is_decoded_shows_the_whole_work(tmp_path, name):
    encoding = ENCODINGS[name]
    path = tmp_path / name
    path.write_bytes(encoding.data)
    photograph = read_photograph(path, short_side=20)
    assert (photograph.width, photograph.height) == WORK.size
    assert photograph.image.size == (39, 30)
    shows = np.asarray(Image.fromarray(encoding.shows).resize((39, 30), Image.Resampling.LANCZOS), int)
    difference = float(np.abs(np.asarray(photograph.image, int) - shows).mean())
    assert difference <= encoding.give_or_take + 2.5
