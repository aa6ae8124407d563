"""Looking again in parts: a small change shows, a genuine photograph stays one, too few pixels are said."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from retrieval.comparing import closely
from retrieval.comparing.alignment import SIDE, align
from retrieval.comparing.closely import LEAST_ACROSS, TooSmall, closer_logits, why_not_closely
from retrieval.comparing.divergence import Divergence, diverge, shipped_threshold
from retrieval.comparing.evidence import PLACES_ACROSS, Evidence
from tests.pictures import both, painting, photograph

LARGE = (900, 700)


def inscribed(picture: Image.Image) -> Image.Image:
    """Return a picture with small letters on it."""
    changed = picture.copy()
    ImageDraw.Draw(changed).text((610, 480), "1887", fill=(250, 240, 90), font_size=22)
    return changed


def compared(probe: Image.Image, *, looked_at_closely: bool) -> Divergence:
    exemplar = painting(3, LARGE)
    registration = both(exemplar, probe)
    found = diverge(
        photograph(exemplar), photograph(probe), registration, global_distance=0.3, closely=looked_at_closely
    )
    assert isinstance(found, Divergence)
    return found


def test_small_letters_show_closely_where_they_are():
    as_a_whole, in_parts = (compared(inscribed(painting(3, LARGE)), looked_at_closely=asked) for asked in (False, True))
    assert as_a_whole.combined_distance < in_parts.combined_distance > shipped_threshold()
    row, column = np.unravel_index(np.nanargmax(in_parts.map), in_parts.map.shape)
    assert (row, column) == (pytest.approx(490 / 700 * 33, abs=1.5), pytest.approx(632 / 900 * 33, abs=2))
    assert in_parts.closely is True and as_a_whole.closely is False
    assert in_parts.detail < as_a_whole.detail


def test_the_same_picture_stays_one():
    found = compared(painting(3, LARGE), looked_at_closely=True)
    assert found.combined_distance < 0.5 * shipped_threshold()


def test_what_parts_say_counts_half_and_only_where_the_whole_agrees(monkeypatch):
    """Against a plain loop over the parts and their places."""
    pictures = [photograph(painting(3, LARGE)) for _ in range(2)]
    pair = align(*pictures, np.eye(3))
    random = np.random.default_rng(0)
    said = iter(random.normal(0, 5, (9, PLACES_ACROSS, PLACES_ACROSS)).astype(np.float32))
    used: list[np.ndarray] = []

    def instead(evidence: Evidence) -> np.ndarray:
        used.append(np.where(evidence.inside, next(said), np.float32(np.nan)))
        return used[-1]

    monkeypatch.setattr(closely, "logits_of", instead)
    whole = random.normal(-3, 3, (PLACES_ACROSS, PLACES_ACROSS)).astype(np.float32)
    whole[0, :5] = np.nan
    found = closer_logits(*pictures, pair, np.zeros((SIDE, SIDE), bool), whole)
    assert len(used) == 9 and np.array_equal(np.isnan(found), np.isnan(whole))
    for row, column in ((1, 10), (16, 16), (20, 5)):
        around = np.nanmax(whole[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2])
        here = [
            values[r, c]
            for number, values in enumerate(used)
            for r, c in zip(*np.nonzero(np.isfinite(values)), strict=True)
            if int((number // 3 * 260 + (r + 0.5) * 520 / 33) * 33 / 1040) == row
            and int((number % 3 * 260 + (c + 0.5) * 520 / 33) * 33 / 1040) == column
        ]
        assert here
        expected = max([whole[row, column]] + [(around + value) / 2 - 1.0 for value in here])
        assert found[row, column] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    "exemplar, pixels, said",
    [
        (LARGE, 400, None),
        (LARGE, 399, "it is only 399 pixels across on the photograph, 400 are needed to look closely"),
        ((300, 300), 800, "it is only 300 pixels across on the exemplar, 400 are needed to look closely"),
    ],
)
def test_too_few_pixels_are_said(exemplar, pixels, said):
    found = why_not_closely(photograph(Image.new("RGB", exemplar)), pixels)
    assert LEAST_ACROSS == 400 and found == (said and TooSmall(said))


def test_what_is_too_small_is_compared_as_a_whole():
    small = painting(3, (380, 300))
    one, other = (
        diverge(photograph(small), photograph(small), both(small, small), global_distance=0.3, closely=asked)
        for asked in (False, True)
    )
    assert isinstance(one, Divergence) and isinstance(other, Divergence)
    assert isinstance(other.closely, TooSmall) and one.combined_distance == other.combined_distance
