"""The four outcomes, for every order of the thresholds, and the reasons given."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.calibration import Threshold, Thresholds
from retrieval.decision import SMALLEST_SIDE, Decision, Outcome, decide
from retrieval.registration import NotRegistered, Registration
from retrieval.search import Match

SIZE = (800, 600)


def thresholds(match: float | None, authenticity: float | None, *, count: int = 40) -> Thresholds:
    return Thresholds(Threshold(match, 0.05, count), Threshold(authenticity, 0.05, count))


def confirmed(distance: float, limits: Thresholds) -> Decision:
    registration = Registration(np.eye(3), 37, np.zeros((37, 4), np.float32), 1.0, 0.6, 0.001, mirrored=False)
    return decide([Match("1984.1", Path("a.jpg"), distance, registration)], limits, size=SIZE)


def at(distance: float, limits: Thresholds | None, *, size: tuple[int, int] = SIZE) -> Decision:
    matches = [Match("1984.1", Path("a.jpg"), distance), Match("1984.2", Path("b.jpg"), distance + 0.1)]
    return decide(matches, limits, size=size)


@pytest.mark.parametrize(
    ("match", "authenticity", "expected"),
    [  # the outcome below, at and between the two thresholds 0.4 and 0.8, and above
        (0.8, 0.4, ["consistent", "consistent", "divergent", "divergent", "no-match"]),
        (0.4, 0.8, ["consistent", "consistent", "inconclusive", "inconclusive", "no-match"]),
        (0.6, 0.6, ["consistent", "consistent", "consistent", "no-match", "no-match"]),
    ],
)
def test_the_table_of_outcomes(match, authenticity, expected):
    limits = thresholds(match, authenticity)
    middle = [0.4, 0.6, 0.8] if match != authenticity else [0.5, 0.6, 0.6 + 1e-9]
    places = [0.0, middle[0], middle[1], middle[2], 0.9]
    assert [str(at(place, limits).outcome) for place in places] == expected


@pytest.mark.parametrize("match", [0.4, 0.8])
def test_the_edges_belong_to_the_nearer_side(match):
    authenticity = 1.2 - match
    inner, outer = sorted((match, authenticity))
    between = Outcome.DIVERGENT if authenticity < match else Outcome.INCONCLUSIVE
    limits = thresholds(match, authenticity)
    assert at(inner, limits).outcome is Outcome.CONSISTENT
    assert at(inner + 1e-12, limits).outcome is between
    assert at(outer, limits).outcome is between
    assert at(outer + 1e-12, limits).outcome is Outcome.NO_MATCH


@given(st.floats(0, 2), st.floats(0, 2), st.floats(0, 2), st.floats(0, 2))
def test_a_farther_probe_is_never_judged_more_genuine(near, far, match, authenticity):
    order = [Outcome.CONSISTENT, Outcome.DIVERGENT, Outcome.INCONCLUSIVE, Outcome.NO_MATCH]
    limits = thresholds(match, authenticity)
    near, far = sorted((near, far))
    assert order.index(at(near, limits).outcome) <= order.index(at(far, limits).outcome)


@given(st.floats(0, 2), st.floats(0, 2), st.floats(0, 2))
def test_an_unknown_object_is_never_flagged_and_a_flag_is_always_a_match(distance, match, authenticity):
    decision = at(distance, thresholds(match, authenticity))
    if decision.outcome is Outcome.DIVERGENT:
        assert authenticity < distance <= match
    if distance > match:
        assert decision.outcome in (Outcome.NO_MATCH, Outcome.INCONCLUSIVE)
    if decision.outcome is Outcome.NO_MATCH:
        assert distance > match


@pytest.mark.parametrize("size", [(SMALLEST_SIDE - 1, 4000), (4000, SMALLEST_SIDE - 1), (1, 1)])
def test_too_small_a_photograph_is_inconclusive_whatever_else(size):
    for limits in (None, thresholds(0.8, 0.4), thresholds(None, None)):
        decision = at(0.1, limits, size=size)
        assert decision.outcome is Outcome.INCONCLUSIVE
        assert f"only {size[0]} x {size[1]} pixels" in decision.reasons[0]
        assert str(SMALLEST_SIDE) in decision.reasons[0]


def test_the_smallest_allowed_is_judged():
    assert at(0.1, thresholds(0.8, 0.4), size=(SMALLEST_SIDE, SMALLEST_SIDE)).outcome is Outcome.CONSISTENT


@pytest.mark.parametrize(
    ("limits", "what"),
    [
        (thresholds(None, None, count=7), "too few objects (7)"),
        (thresholds(None, 0.4, count=18), "too few objects (18)"),
        (thresholds(0.8, None, count=18), "too few objects with simulated re-photographs (18)"),
    ],
)
def test_too_few_objects_are_inconclusive_with_the_number_needed(limits, what):
    decision = at(0.1, limits)
    assert decision.outcome is Outcome.INCONCLUSIVE
    assert len(decision.reasons) == 1
    assert what in decision.reasons[0] and "at a 5% error rate: at least 19 are needed" in decision.reasons[0]


def test_an_empty_catalogue_is_inconclusive():
    decision = decide([], thresholds(None, None, count=0), size=SIZE)
    assert decision.outcome is Outcome.INCONCLUSIVE and "too few objects (0)" in decision.reasons[0]


def test_a_run_that_did_not_end_is_inconclusive_and_says_what_to_do():
    decision = at(0.1, None)
    assert decision.outcome is Outcome.INCONCLUSIVE and "`artifact index` again" in decision.reasons[0]


@pytest.mark.parametrize("distance", [0.1, 0.6, 0.9])
@pytest.mark.parametrize("limits", [thresholds(0.8, 0.4), thresholds(0.4, 0.8)])
def test_reasons_give_the_distance_the_object_and_what_the_thresholds_rest_on(distance, limits):
    reason, provisional = at(distance, limits).reasons
    assert f"distance {distance:.3f} to 1984.1" in reason
    assert "0.400" in reason or "0.800" in reason
    assert "provisional" in provisional and "5% false alarms from 40" in provisional
    assert "fake" not in reason + provisional


@pytest.mark.parametrize(
    ("match", "authenticity", "expected"),
    [  # at 0.3, 0.4, 0.6, 0.8 and 0.9
        (0.8, 0.4, ["consistent", "consistent", "divergent", "divergent", "inconclusive"]),
        (0.4, 0.8, ["consistent", "consistent", "consistent", "consistent", "inconclusive"]),
    ],
)
def test_an_object_confirmed_by_registration_is_never_an_unknown_work(match, authenticity, expected):
    found = [confirmed(distance, thresholds(match, authenticity)) for distance in (0.3, 0.4, 0.6, 0.8, 0.9)]
    assert [str(decision.outcome) for decision in found] == expected
    assert "37 points agree with 1984.1" in found[-1].reasons[0] and "0.900" in found[-1].reasons[0]
    assert "provisional" in found[-1].reasons[1]


@pytest.mark.parametrize("distance", [0.1, 0.6, 0.9])
def test_a_failed_registration_changes_nothing(distance):
    limits = thresholds(0.8, 0.4)
    tried = [Match("1984.1", Path("a.jpg"), distance, NotRegistered("only 3 matching points, 10 are needed"))]
    assert decide(tried, limits, size=SIZE) == at(distance, limits)
