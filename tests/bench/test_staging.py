"""The staged day: pieces that share nothing, walls whose outlines are true, and files that are no photographs."""

import numpy as np
import pytest
from PIL import Image

from retrieval.errors import UnreadableImage
from retrieval.photographs.images import read_photograph
from tests.bench.broken import BROKEN
from tests.bench.lots import jpeg
from tests.bench.pages import page_of, screen_of
from tests.bench.stock import piece_of
from tests.bench.walls import PIXELS, wall_of
from tests.conftest import picture

RED, GREEN, BLUE = (210, 20, 20), (20, 190, 20), (20, 20, 210)


@pytest.mark.parametrize("size", [(96, 80), (40, 201), (201, 40), (7, 5)])
@pytest.mark.parametrize("pieces", [1, 2, 4])
def test_the_pieces_of_a_picture_are_all_of_it_and_share_no_pixel(size, pieces):
    numbered = np.arange(size[0] * size[1], dtype=np.int32).reshape(size[1], size[0])
    whole = Image.fromarray(numbered, "I")
    found = [np.asarray(piece_of(whole, piece, pieces)).ravel() for piece in range(pieces)]
    assert sorted(np.concatenate(found).tolist()) == numbered.ravel().tolist()


def test_a_tall_picture_is_cut_across():
    assert piece_of(Image.new("L", (40, 200)), 0, 4).size == (40, 50)


@pytest.mark.parametrize("show", [wall_of, page_of, screen_of])
@pytest.mark.parametrize("seed", range(6))
def test_the_outlines_are_where_the_works_are_seen(show, seed):
    colours, sizes = (RED, GREEN, BLUE), ((300, 400), (500, 260), (240, 240))
    works = [Image.new("RGB", size, colour) for size, colour in zip(sizes, colours, strict=True)]
    wall = show(works, np.random.default_rng(seed))
    assert abs(wall.image.width * wall.image.height / PIXELS - 1) < 0.01
    pixels = np.asarray(wall.image)
    for channel, outline in enumerate(wall.outlines):
        centre = outline.mean(axis=0)
        for share, inside in ((0.0, True), (0.95, True), (1.06, False)):
            seen = [pixels[tuple((centre + share * (corner - centre)).round().astype(int)[::-1])] for corner in outline]
            assert [is_of(colour, channel) for colour in seen] == [inside] * 4


def is_of(colour, channel) -> bool:
    """Say whether one channel is far above the others, as in no wall and no frame, nor in noise."""
    return bool(colour[channel] > 20 + 1.8 * max(np.delete(colour.astype(float), channel)))


@pytest.mark.parametrize("name", BROKEN)
def test_nothing_that_is_broken_can_be_read(name, tmp_path):
    made = BROKEN[name](jpeg(picture(1, size=(400, 300))), np.random.default_rng(2))
    file = tmp_path / "lot.jpg"
    if made is not None:
        file.write_bytes(made)
    with pytest.raises(UnreadableImage):
        read_photograph(file, short_side=260)
