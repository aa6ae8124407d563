"""A large photograph is laid over its exemplar band by band just as a small one is at once."""

import numpy as np
import pytest
from PIL import ImageOps

from retrieval.comparing import laying
from retrieval.comparing.alignment import lay_over
from retrieval.comparing.laying import lay_over_large
from tests.pictures import SIZE, VIEWS, painting, photograph, warped


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("view", VIEWS)
def test_as_the_small_one_of_the_page_of_evidence(view, mirrored, monkeypatch):
    monkeypatch.setattr(laying, "BAND", 64)  # so that there are several
    truth, probe_size = VIEWS[view]
    probe = warped(painting(1), truth, probe_size).point(lambda value: 30 + value * 0.7)
    if mirrored:
        probe = ImageOps.mirror(probe)
        truth = np.array([[-1.0, 0, probe_size[0] - 1], [0, 1, 0], [0, 0, 1]]) @ truth
    exemplar = photograph(painting(1))
    _, small = lay_over(exemplar, photograph(probe), truth, long_side=max(SIZE))
    large = lay_over_large(exemplar, photograph(probe), truth, size=SIZE)
    difference = np.abs(np.asarray(small, int) - large).max(axis=2)
    assert np.quantile(difference, 0.99) <= 2
    assert (difference > 30).mean() < 0.005  # the last row and column, of which one may say that they are not seen


def test_it_may_be_finer_than_the_exemplar_that_is_at_hand():
    truth, probe_size = VIEWS["on a wall"]
    small = photograph(painting(1).resize((SIZE[0] // 2, SIZE[1] // 2)))
    exemplar = type(small)(small.path, small.sha256, *SIZE, small.image)
    probe = photograph(warped(painting(1), truth, probe_size))
    laid = lay_over_large(exemplar, probe, truth, size=(2 * SIZE[0], 2 * SIZE[1]))
    assert laid.shape == (2 * SIZE[1], 2 * SIZE[0], 3)
    wanted = np.asarray(painting(1).resize((2 * SIZE[0], 2 * SIZE[1])), float)
    assert np.abs(laid - wanted).mean() < 16  # as sharp as the photograph, which has half the pixels


def test_a_photograph_too_long_to_be_warped_is_reduced(monkeypatch):
    monkeypatch.setattr(laying, "LONGEST", 300)
    exemplar = photograph(painting(1))
    laid = lay_over_large(exemplar, exemplar, np.eye(3), size=SIZE)
    assert np.abs(laid.astype(float) - np.asarray(painting(1), float)).mean() < 20


def test_what_is_not_seen_is_grey():
    exemplar = photograph(painting(1))
    away = np.array([[1.0, 0, 10_000], [0, 1, 0], [0, 0, 1]])
    assert (lay_over_large(exemplar, exemplar, away, size=SIZE) == 128).all()
