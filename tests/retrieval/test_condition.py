"""The condition of a photograph, by how an exemplar lies on it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from retrieval.comparing.registration import Registration
from retrieval.judging.condition import CONDITIONS, condition_of, judged_as
from retrieval.photographs.photograph import Photograph


@pytest.mark.parametrize(
    ("width", "height", "exemplar", "probe", "expected"),
    [
        (1000, 1000, 1.0, 0.25, "surrounded"),  # 500 pixels across
        (999, 999, 1.0, 0.25, "small"),
        (1000, 1000, 1.0, 0.7, "close"),
        (1000, 1000, 1.0, 0.699, "surrounded"),
        (400, 400, 1.0, 1.0, "small"),
        (400, 400, 0.25, 1.0, "close"),  # a detail: the whole work would be 800 pixels across
        (2000, 125, 1.0, 1.0, "close"),  # as large as 500 x 500
    ],
)
def test_a_photograph_is_small_or_close_or_shows_what_is_around(width, height, exemplar, probe, expected):
    registration = Registration(np.eye(3), 40, np.zeros((40, 4), np.float32), exemplar, probe, 0.001, mirrored=False)
    read = Image.new("RGB", (26, 26))  # the pixels read do not count
    assert condition_of(registration, Photograph(Path("a.jpg"), "0", width, height, read)) == expected
    assert expected in CONDITIONS


def test_words_say_with_which_others_a_threshold_is_shared_and_why():
    assert judged_as("small", ("small",), 60).endswith("under 500 pixels across; its own threshold")
    said = judged_as("close", ("small", "surrounded", "close"), 7)
    assert said.endswith("one threshold with small and surrounded, as the objects photographed so are too few (7)")
