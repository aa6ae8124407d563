"""Margins of an exemplar: left out where a photograph shows other things there, compared where it shows them too."""

import numpy as np

from retrieval.comparing.margins import find_margins
from tests.pictures import painting

SIDE = 264


def with_margin(left: int, colour: int = 250) -> np.ndarray:
    """Return a painting behind a margin on its left."""
    picture = np.full((SIDE, SIDE, 3), colour, np.uint8)
    picture[:, left:] = np.asarray(painting(2, size=(SIDE - left, SIDE)))
    return picture


def test_a_margin_that_a_photograph_does_not_show_is_left_out():
    exemplar = with_margin(40)
    probe = exemplar.copy()
    probe[:, :40] = np.asarray(painting(7, size=(40, SIDE)))
    mask = find_margins(exemplar, probe)
    assert mask[:, :38].all() and not mask[:, 46:].any()
    turned = find_margins(np.rot90(exemplar).copy(), np.rot90(probe).copy())
    assert turned[-38:].all() and not turned[:-46].any()


def test_a_margin_on_both_is_compared_and_so_is_a_signature_on_it():
    exemplar = with_margin(40)
    signed = exemplar.copy()
    signed[200:204, 10:30] = 20
    assert not find_margins(exemplar, exemplar).any() and not find_margins(exemplar, signed).any()


def test_a_figure_that_was_put_on_a_margin_stays_seen():
    exemplar = np.rot90(with_margin(90)).copy()
    drawn = exemplar.copy()
    drawn[-80:-10, 60:180] = np.asarray(painting(7, size=(120, 70)))
    assert not find_margins(exemplar, drawn).any()


def test_a_work_up_to_the_edge_and_an_empty_sheet_have_none():
    work = np.asarray(painting(2, size=(SIDE, SIDE)))
    other = np.asarray(painting(9, size=(SIDE, SIDE)))
    assert not find_margins(work, other).any()
    assert not find_margins(np.full_like(work, 240), other).any()
