"""The four outcomes, for every order of the thresholds, and the reasons given."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.calibration import Threshold, Thresholds
from retrieval.decision import LEAST_COMPARED, MOST_HIDDEN, SMALLEST_SIDE, Decision, Outcome, decide
from retrieval.divergence import Divergence, NotCompared, Place
from retrieval.overlays import GLARE, PLATE, Overlay
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
def test_a_failed_registration_leaves_it_to_the_global_distance_and_is_said(distance):
    limits = thresholds(0.8, 0.4)
    tried = [Match("1984.1", Path("a.jpg"), distance, NotRegistered("only 3 matching points, 10 are needed"))]
    found, plain = decide(tried, limits, size=SIZE), at(distance, limits)
    said = () if distance > 0.8 else ("not compared place by place: only 3 matching points, 10 are needed",)
    assert found.outcome is plain.outcome
    assert found.reasons == (plain.reasons[0], *said, *plain.reasons[1:])


# -- by places

LOCAL = Threshold(0.4, 0.05, 67)


def by_places(
    local: float,
    *,
    compared: float = 0.85,
    hidden: float = 0.0,
    places: int = 1,
    overlays: tuple[Overlay, ...] = (),
    mirrored: bool = False,
    limits: Thresholds | None = None,
    threshold: Threshold | None = LOCAL,
    size: tuple[int, int] = SIZE,
) -> Decision:
    """Decide on a photograph that was registered, at a global distance of 0.95, and compared place by place."""
    registration = Registration(np.eye(3), 37, np.zeros((37, 4), np.float32), 1.0, 0.6, 0.001, mirrored=mirrored)
    found = Divergence(
        global_distance=0.95,
        local_distance=local,
        median=0.3,
        map=np.full((33, 33), local, np.float32),
        compared=compared,
        hidden=hidden,
        places=(Place((1, 2, 30, 40), local),) * places,
        overlays=overlays,
        homography=np.eye(3),
    )
    match = Match("1984.1", Path("a.jpg"), 0.95, registration, found)
    others = [Match("1984.2", Path("b.jpg"), 0.1)]
    return decide([match, *others], limits or thresholds(0.8, 0.4), size=size, local_threshold=threshold)


@pytest.mark.parametrize(("local", "expected"), [(0.0, "consistent"), (0.4, "consistent"), (0.4001, "divergent")])
def test_places_decide_whatever_the_global_distance(local, expected):
    decision = by_places(local)
    assert decision.outcome == expected
    place, basis = decision.reasons
    assert place.startswith(f"37 points agree with 1984.1; the local distance {local:.3f}")
    assert "0.400" in place and "0.950" not in place
    assert "provisional" in basis and "5% false alarms from 67 pairs of genuine photographs" in basis
    assert "fake" not in place + basis


@pytest.mark.parametrize(("places", "said"), [(1, "at the worst of 1 place, is"), (3, "at the worst of 3 places, is")])
def test_a_divergent_photograph_says_at_how_many_places(places, said):
    decision = by_places(0.7, places=places)
    assert decision.outcome is Outcome.DIVERGENT and said in decision.reasons[0]
    assert "beyond the authenticity threshold 0.400" in decision.reasons[0]


@pytest.mark.parametrize("local", [0.1, 0.9])
def test_too_much_hidden_is_inconclusive_whatever_the_rest_looks_like(local):
    decision = by_places(local, hidden=MOST_HIDDEN + 0.06)
    assert decision.outcome is Outcome.INCONCLUSIVE
    assert "plates or glare hide 21% of its detail, more than the 15% allowed" in decision.reasons[0]
    assert by_places(local, hidden=MOST_HIDDEN).outcome is not Outcome.INCONCLUSIVE


def test_too_little_compared_may_be_divergent_but_never_consistent():
    decision = by_places(0.1, compared=LEAST_COMPARED - 0.1)
    assert decision.outcome is Outcome.INCONCLUSIVE
    assert "but only 40% of it could be compared, less than 50%" in decision.reasons[0]
    assert by_places(0.1, compared=LEAST_COMPARED).outcome is Outcome.CONSISTENT
    assert by_places(0.9, compared=LEAST_COMPARED - 0.1).outcome is Outcome.DIVERGENT


@given(st.floats(0, 2), st.floats(0, 1), st.floats(0, 1), st.floats(0, 2))
def test_what_was_registered_is_never_an_unknown_work(local, compared, hidden, value):
    found = by_places(local, compared=compared, hidden=hidden, threshold=Threshold(value, 0.05, 67))
    assert found.outcome is not Outcome.NO_MATCH
    if found.outcome is Outcome.CONSISTENT:
        assert local <= value and compared >= LEAST_COMPARED and hidden <= MOST_HIDDEN
    if found.outcome is Outcome.DIVERGENT:
        assert local > value and hidden <= MOST_HIDDEN


@pytest.mark.parametrize("local", [0.1, 0.9])
def test_a_mirrored_photograph_is_said_to_be_mirrored(local):
    assert "agree with 1984.1, mirrored; " in by_places(local, mirrored=True).reasons[0]
    assert "mirrored" not in " ".join(by_places(local).reasons)


@pytest.mark.parametrize("hidden", [0.1, 0.5])
@pytest.mark.parametrize("local", [0.1, 0.9])
def test_what_was_left_out_is_said(local, hidden):
    listed = (Overlay(PLATE, (0, 0, 10, 10), 0.031), Overlay(GLARE, (50, 50, 10, 10), 0.012))
    reasons = by_places(local, hidden=hidden, overlays=listed).reasons
    assert reasons[1] == "left out as no part of the picture: plate on 3.1% of it, glare on 1.2% of it"
    assert not any("left out" in reason for reason in by_places(local).reasons)


@pytest.mark.parametrize("limits", [thresholds(None, None, count=1), thresholds(0.8, None, count=18)])
def test_places_decide_where_there_are_too_few_objects_for_thresholds(limits):
    assert by_places(0.1, limits=limits).outcome is Outcome.CONSISTENT
    assert by_places(0.9, limits=limits).outcome is Outcome.DIVERGENT


@pytest.mark.parametrize("threshold", [None, Threshold(None, 0.05, 7)])
def test_without_a_threshold_of_the_local_distance_the_global_one_decides(threshold):
    limits = thresholds(0.8, 0.4)
    assert by_places(0.1, limits=limits, threshold=threshold) == confirmed(0.95, limits)


def test_a_failed_comparison_leaves_it_to_the_global_distance_and_is_said():
    registration = Registration(np.eye(3), 37, np.zeros((37, 4), np.float32), 1.0, 0.6, 0.001, mirrored=False)
    match = Match("1984.1", Path("a.jpg"), 0.3, registration, NotCompared("the exemplar a.jpg cannot be read"))
    limits = thresholds(0.8, 0.4)
    found, plain = decide([match], limits, size=SIZE, local_threshold=LOCAL), confirmed(0.3, limits)
    assert found.outcome is plain.outcome
    assert found.reasons[1] == "not compared place by place: the exemplar a.jpg cannot be read"
    assert (found.reasons[0], *found.reasons[2:]) == plain.reasons


def test_places_do_not_save_a_photograph_that_is_too_small():
    assert "pixels" in by_places(0.1, size=(SMALLEST_SIDE - 1, 400)).reasons[0]
    assert by_places(0.1, size=(SMALLEST_SIDE - 1, 400)).outcome is Outcome.INCONCLUSIVE
