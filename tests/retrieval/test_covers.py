"""Plain things over a picture: found where they are, whatever their colour; light, frames and bare paint are none."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from indexer.simulation.rephotograph import rephotograph
from retrieval.comparing.alignment import AlignedPair, fit_colours
from retrieval.comparing.covers import find_covers
from retrieval.comparing.divergence import Divergence, diverge
from retrieval.comparing.overlays import COVER
from tests.pictures import both, painting, photograph

SIDE = 520
BOX = (200, 180, 320, 300)


def covered(probe: Image.Image, exemplar: Image.Image | None = None) -> np.ndarray:
    """Return where covers are found on a probe that lies on its exemplar already."""
    pair = [np.asarray(one.resize((SIDE, SIDE))) for one in (exemplar or painting(2, (SIDE, SIDE)), probe)]
    seen = np.ones((SIDE, SIDE), bool)
    aligned = AlignedPair(*pair, seen, np.eye(3))
    return find_covers(aligned, fit_colours(*pair, seen, locally=False), seen)


@pytest.mark.parametrize("colour", ["white", "black", (200, 40, 160), (90, 140, 30)])
def test_a_patch_of_any_colour_is_found_where_it_is(colour):
    probe = painting(2, (SIDE, SIDE))
    ImageDraw.Draw(probe).ellipse(BOX, fill=colour)
    mask = covered(probe)
    truth = Image.new("1", (SIDE, SIDE))
    ImageDraw.Draw(truth).ellipse(BOX, fill=1)
    truth = np.asarray(truth)
    assert (mask & truth).sum() > 0.7 * truth.sum() and (mask & ~truth).sum() < 0.15 * truth.sum()


def test_nothing_is_found_where_nothing_lies():
    assert not covered(painting(2, (SIDE, SIDE))).any()
    assert not covered(rephotograph(painting(2, (SIDE, SIDE)), seed=4)).any()


def test_soft_light_and_what_touches_the_edge_are_no_cover():
    probe = painting(2, (SIDE, SIDE))
    light = Image.new("L", probe.size)
    ImageDraw.Draw(light).ellipse(BOX, fill=255)
    lit = Image.composite(Image.new("RGB", probe.size, "white"), probe, light.filter(ImageFilter.GaussianBlur(30)))
    framed = painting(2, (SIDE, SIDE))
    framed.paste((120, 80, 40), (0, 0, 60, SIDE))
    assert not covered(lit).any() and not covered(framed).any()


def test_what_is_plain_on_the_exemplar_too_is_no_cover():
    exemplar = painting(2, (SIDE, SIDE))
    ImageDraw.Draw(exemplar).rectangle(BOX, fill=(240, 240, 235))
    probe = exemplar.copy()
    ImageDraw.Draw(probe).rectangle(BOX, fill=(180, 60, 50))  # another colour hides no drawing: the network tells
    assert not covered(probe, exemplar).any()


def test_a_cover_is_left_out_and_told_by_the_comparison():
    probe = rephotograph(painting(2), seed=2)
    probe.paste("white", (180, 150, 270, 230))
    found = diverge(photograph(painting(2)), photograph(probe), both(painting(2), probe), global_distance=0.3)
    assert isinstance(found, Divergence) and [one.kind for one in found.overlays] == [COVER]
    x, y, width, height = found.overlays[0].box
    assert 150 < x < 210 and 120 < y < 180 and 60 < width < 120 and 50 < height < 110
    assert 0.02 < found.overlays[0].share < 0.06 and found.hidden > 0.02
