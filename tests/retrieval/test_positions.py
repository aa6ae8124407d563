"""Where a place lies in a picture, in words."""

import pytest

from retrieval.comparing.positions import position


@pytest.mark.parametrize(
    ("box", "said"),
    [
        ((0, 0, 30, 20), "upper left"),
        ((140, 0, 20, 20), "top"),
        ((270, 0, 30, 20), "upper right"),
        ((0, 90, 30, 20), "left"),
        ((130, 90, 40, 20), "centre"),
        ((270, 90, 30, 20), "right"),
        ((0, 180, 30, 20), "lower left"),
        ((140, 180, 20, 20), "bottom"),
        ((270, 180, 30, 20), "lower right"),
        ((10, 10, 280, 180), "over most of it"),
        ((290, 190, 20, 20), "lower right"),  # as rounding may push it over the edge
    ],
)
def test_a_place_is_named_by_the_third_of_the_picture_that_its_middle_lies_in(box, said):
    assert position(box, (300, 200)) == said
