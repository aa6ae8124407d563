"""The four outcomes, for every order of the thresholds, the reasons given, and the strength of the evidence."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.comparing.divergence import Divergence, NotCompared, Place
from retrieval.comparing.overlays import COVER, GLARE, PLATE, Overlay
from retrieval.comparing.registration import NotRegistered, Registration
from retrieval.finding.confirmation import NO_FEATURES
from retrieval.finding.finder import IMPLAUSIBLE
from retrieval.finding.match import Match
from retrieval.judging.decision import MOST_HIDDEN, Basis, Decision, decide
from retrieval.judging.unsure import FEWEST_PIXELS, LEAST_COMPARED
from retrieval.outcome import Outcome
from retrieval.photographs.photograph import Photograph
from retrieval.photographs.quality import SMALLEST_SIDE, poor
from retrieval.statistics.calibration import (
    CalibratedDistance,
    Calibration,
    ConditionClass,
    Threshold,
    Thresholds,
    share,
    sources,
)
from retrieval.statistics.likelihood import LikelihoodRatio
from tests.pictures import painting


def thresholds(
    match: float | None, authenticity: float | None, *, count: int = 40, combined: Threshold | None = None
) -> Thresholds:
    return Thresholds(Threshold(match, 0.05, count), Threshold(authenticity, 0.05, count), combined)


def basis_of(limits: Thresholds | Basis | None) -> Basis:
    return limits if isinstance(limits, Basis) else Basis(limits)


def confirmed(distance: float, limits: Thresholds | Basis) -> Decision:
    registration = Registration(np.eye(3), 37, np.zeros((37, 4), np.float32), 1.0, 0.6, 0.001, mirrored=False)
    return decide([Match("1984.1", Path("a.jpg"), distance, registration)], basis_of(limits))


def at(distance: float, limits: Thresholds | Basis | None, *, poor: str | None = None) -> Decision:
    matches = [Match("1984.1", Path("a.jpg"), distance), Match("1984.2", Path("b.jpg"), distance + 0.1)]
    return decide(matches, basis_of(limits), poor=poor)


def sized(size: tuple[int, int]) -> Photograph:
    return Photograph(Path("lot.jpg"), "", *size, painting(7).resize((SMALLEST_SIDE, SMALLEST_SIDE)))


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


@pytest.mark.parametrize(
    ("registration", "between"),
    [(NotRegistered("only 3 matching points, 10 are needed"), "no-match"), (NO_FEATURES, "inconclusive")],
)
def test_what_is_beyond_the_match_threshold_and_cannot_be_laid_over_it_is_an_unknown_work(registration, between):
    limits = basis_of(thresholds(0.4, 0.8))
    found = [
        decide([Match("1984.1", Path("a.jpg"), distance, registration)], limits) for distance in (0.4, 0.6, 0.8, 0.9)
    ]
    near = "consistent" if registration is NO_FEATURES else "inconclusive"
    assert [str(decision.outcome) for decision in found] == [near, between, between, "no-match"]
    said = "no catalogued object can be laid over it" in found[1].reasons[0]
    assert said is (between == "no-match")


def test_where_no_object_was_tried_it_is_not_said_that_none_can_be_laid_over_the_photograph():
    matches = [Match("1984.1", Path("a.jpg"), 0.6, IMPLAUSIBLE), Match("1984.2", Path("b.jpg"), 0.7, IMPLAUSIBLE)]
    decision = decide(matches, basis_of(thresholds(0.4, 0.8)))
    said = "is beyond the match threshold 0.400, and its details look like those of no catalogued object"
    assert decision.outcome is Outcome.NO_MATCH and decision.reasons[0].endswith(said)


def test_what_is_near_but_cannot_be_laid_over_is_not_consistent_as_a_negative_is_near():
    match = Match("1984.1", Path("a.jpg"), 0.2, NotRegistered("only 3 matching points, 10 are needed"))
    decision = decide([match], basis_of(thresholds(0.8, 0.4)))
    assert decision.outcome is Outcome.INCONCLUSIVE
    assert "the exemplar cannot be laid over the photograph" in decision.reasons[0]
    assert decision.reasons[0].endswith("another photograph, straight on, would help")
    farther = decide([replace(match, distance=0.6)], basis_of(thresholds(0.8, 0.4)))
    assert farther.outcome is Outcome.DIVERGENT


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
    for limits in (None, thresholds(0.8, 0.4), thresholds(None, None), calibrated()):
        decision = at(0.1, limits, poor=poor(sized(size)))
        assert decision.outcome is Outcome.INCONCLUSIVE
        (reason,) = decision.reasons
        assert f"only {size[0]} x {size[1]} pixels" in reason
        assert str(SMALLEST_SIDE) in reason and "a larger one would help" in reason


def test_the_smallest_allowed_is_judged():
    good = poor(sized((SMALLEST_SIDE, SMALLEST_SIDE)))
    assert good is None and at(0.1, thresholds(0.8, 0.4), poor=good).outcome is Outcome.CONSISTENT


@pytest.mark.parametrize("distance", [0.1, 0.6, 0.9])
def test_too_poor_a_photograph_is_inconclusive_and_that_is_all_that_is_said(distance):
    for limits in (None, thresholds(0.8, 0.4), calibrated(), calibrated(out_of_date="it is old")):
        decision = at(distance, limits, poor="it is too dark; more light would help")
        assert decision == Decision(Outcome.INCONCLUSIVE, ("it is too dark; more light would help",))


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
    decision = decide([], Basis(thresholds(None, None, count=0)))
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


@pytest.mark.parametrize("distance", [0.6, 0.9])
def test_a_failed_registration_leaves_it_to_the_global_distance_and_is_said(distance):
    limits = thresholds(0.8, 0.4)
    tried = [Match("1984.1", Path("a.jpg"), distance, NotRegistered("only 3 matching points, 10 are needed"))]
    found, plain = decide(tried, Basis(limits)), at(distance, limits)
    said = () if distance > 0.8 else ("not compared place by place: only 3 matching points, 10 are needed",)
    assert found.outcome is plain.outcome
    assert found.reasons == (plain.reasons[0], *said, *plain.reasons[1:])


# -- by places

COMBINED = Threshold(0.4, 0.05, 67)
WHOLE = 0.95  # the global distance, unless it is said


def by_places(
    local: float,
    *,
    whole: float = WHOLE,
    combined: float | None = None,
    compared: float = 0.85,
    pixels: float = 400,
    hidden: float = 0.0,
    places: int = 1,
    overlays: tuple[Overlay, ...] = (),
    mirrored: bool = False,
    limits: Thresholds | None = None,
    threshold: Threshold | None = COMBINED,
    basis: Basis | None = None,
    poor: str | None = None,
    condition: str | None = "small",
) -> Decision:
    """Decide on a photograph that was registered and compared place by place."""
    basis = basis or Basis(replace(limits or thresholds(0.8, 0.4), combined=threshold))
    registration = Registration(np.eye(3), 37, np.zeros((37, 4), np.float32), 1.0, 0.6, 0.001, mirrored=mirrored)
    found = Divergence(
        global_distance=whole,
        local_distance=local,
        combined_distance=local if combined is None else combined,
        limit=0.4,
        detail=0.0151,
        map=np.full((33, 33), local, np.float32),
        compared=compared,
        hidden=hidden,
        places=(Place((1, 2, 30, 40), local),) * places,
        overlays=overlays,
        homography=np.eye(3),
        resolved=np.full((33, 33), 0.0151, np.float32),
        pixels=pixels,
    )
    match = Match("1984.1", Path("a.jpg"), whole, registration, found, condition=condition)
    others = [Match("1984.2", Path("b.jpg"), 0.1)]
    return decide([match, *others], basis, poor=poor)


@pytest.mark.parametrize(("local", "expected"), [(0.0, "consistent"), (0.4, "consistent"), (0.4001, "divergent")])
def test_places_decide_whatever_a_global_distance_that_does_not_count(local, expected):
    decision = by_places(local)
    assert decision.outcome == expected
    place, basis, detail = decision.reasons
    assert detail == "differences under 2% of its width could not be seen"
    assert place.startswith(f"37 points agree with 1984.1; the combined distance {local:.3f} (local {local:.3f}")
    assert "authenticity threshold 0.400" in place
    assert basis.startswith("provisional threshold of the combined distance, not calibrated on your photographs: ")
    assert "5% false alarms on each of " in basis and "from 67 pairs of the worst" in basis
    assert "fake" not in place + basis
    assert by_places(local, whole=0.0).outcome == by_places(local, whole=2.0).outcome == expected


@pytest.mark.parametrize(("combined", "expected"), [(0.4, "consistent"), (0.401, "divergent")])
def test_many_places_together_decide_though_none_does_alone(combined, expected):
    decision = by_places(0.3, combined=combined)
    assert decision.outcome == expected
    side, worst = ("beyond", ", at the worst of 1 place") if expected == "divergent" else ("within", "")
    assert decision.reasons[0] == (
        f"37 points agree with 1984.1; the combined distance {combined:.3f} (local 0.300{worst}) "
        f"is {side} the authenticity threshold 0.400"
    )


@pytest.mark.parametrize(("places", "said"), [(1, "at the worst of 1 place"), (3, "at the worst of 3 places")])
def test_a_divergent_photograph_says_at_how_many_places(places, said):
    decision = by_places(0.7, places=places)
    assert decision.outcome is Outcome.DIVERGENT and f"(local 0.700, {said}) is" in decision.reasons[0]
    assert "beyond the authenticity threshold 0.400" in decision.reasons[0]
    assert "at the worst" not in by_places(0.3, places=places).reasons[0]


@pytest.mark.parametrize("local", [0.1, 0.9])
def test_too_much_hidden_is_inconclusive_whatever_the_rest_looks_like(local):
    decision = by_places(local, hidden=MOST_HIDDEN + 0.06)
    assert decision.outcome is Outcome.INCONCLUSIVE
    assert "plates, glare or plain things hide 21% of its detail, more than the 15% allowed" in decision.reasons[0]
    assert decision.reasons[0].endswith(": a photograph without them would help")
    assert by_places(local, hidden=MOST_HIDDEN).outcome is not Outcome.INCONCLUSIVE


def test_too_little_compared_may_be_divergent_but_never_consistent():
    decision = by_places(0.1, compared=LEAST_COMPARED - 0.1)
    assert decision.outcome is Outcome.INCONCLUSIVE
    assert "the combined distance 0.100 (local 0.100) is within the" in decision.reasons[0]
    assert "but only 40% of it could be compared, less than 50%" in decision.reasons[0]
    assert decision.reasons[0].endswith(": a photograph of all of it would help")
    assert by_places(0.1, compared=LEAST_COMPARED).outcome is Outcome.CONSISTENT
    assert by_places(0.9, compared=LEAST_COMPARED - 0.1).outcome is Outcome.DIVERGENT


def test_a_work_of_few_pixels_may_be_divergent_but_never_consistent():
    decision = by_places(0.1, pixels=FEWEST_PIXELS - 20)
    assert decision.outcome is Outcome.INCONCLUSIVE
    assert decision.reasons[0].endswith(
        "but it is only some 180 pixels across on the photograph, 200 are needed: a larger photograph would help"
    )
    assert by_places(0.1, pixels=FEWEST_PIXELS).outcome is Outcome.CONSISTENT
    assert by_places(0.9, pixels=FEWEST_PIXELS - 20).outcome is Outcome.DIVERGENT


@given(st.floats(0, 2), st.floats(0, 2), st.floats(0, 2), st.floats(0, 1), st.floats(0, 1), st.floats(0, 2))
def test_what_was_registered_is_never_an_unknown_work(local, whole, combined, compared, hidden, value):
    threshold = Threshold(value, 0.05, 67)
    found = by_places(local, whole=whole, combined=combined, compared=compared, hidden=hidden, threshold=threshold)
    assert found.outcome is not Outcome.NO_MATCH
    if found.outcome is Outcome.CONSISTENT:
        assert combined <= value and compared >= LEAST_COMPARED and hidden <= MOST_HIDDEN
    if found.outcome is Outcome.DIVERGENT:
        assert combined > value and hidden <= MOST_HIDDEN
    if found.outcome is Outcome.INCONCLUSIVE:
        assert hidden > MOST_HIDDEN or compared < LEAST_COMPARED


@given(st.floats(0, 2), st.floats(0, 2), st.floats(0, 2))
def test_a_photograph_that_lies_farther_is_never_judged_more_genuine(combined, more, whole):
    order = [Outcome.CONSISTENT, Outcome.DIVERGENT]
    near, far = (order.index(by_places(one, whole=whole).outcome) for one in sorted((combined, more)))
    assert near <= far


@pytest.mark.parametrize("local", [0.1, 0.9])
def test_a_mirrored_photograph_is_said_to_be_mirrored(local):
    assert "agree with 1984.1, mirrored; " in by_places(local, mirrored=True).reasons[0]
    assert "mirrored" not in " ".join(by_places(local).reasons)


def test_something_plain_over_it_is_never_consistent_but_may_diverge_elsewhere():
    cover = (Overlay(COVER, (0, 0, 10, 10), 0.03), Overlay(COVER, (50, 0, 10, 10), 0.012))
    decision = by_places(0.1, overlays=cover)
    assert decision.outcome is Outcome.INCONCLUSIVE and "something plain lies over 4.2% of it" in decision.reasons[0]
    assert decision.reasons[0].endswith(": a photograph without it would help")
    assert by_places(0.9, overlays=cover).outcome is Outcome.DIVERGENT


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
def test_without_a_threshold_of_the_combined_distance_the_global_one_decides(threshold):
    limits = thresholds(0.8, 0.4)
    assert by_places(0.1, limits=limits, threshold=threshold) == confirmed(0.95, limits)


def test_a_failed_comparison_leaves_it_to_the_global_distance_and_is_said():
    registration = Registration(np.eye(3), 37, np.zeros((37, 4), np.float32), 1.0, 0.6, 0.001, mirrored=False)
    match = Match("1984.1", Path("a.jpg"), 0.3, registration, NotCompared("the exemplar a.jpg cannot be read"))
    limits = thresholds(0.8, 0.4, combined=COMBINED)
    found, plain = decide([match], Basis(limits)), confirmed(0.3, limits)
    assert found.outcome is plain.outcome
    assert found.reasons[1] == "not compared place by place: the exemplar a.jpg cannot be read"
    assert (found.reasons[0], *found.reasons[2:]) == plain.reasons


def test_places_do_not_save_a_photograph_that_is_too_small():
    said = poor(sized((SMALLEST_SIDE - 1, 400)))
    assert "pixels" in by_places(0.1, poor=said).reasons[0]
    assert by_places(0.1, poor=said).outcome is Outcome.INCONCLUSIVE


def test_places_do_not_save_a_photograph_of_a_catalogue_that_is_not_complete():
    decision = by_places(0.1, basis=Basis(None))
    assert decision.outcome is Outcome.INCONCLUSIVE and "`artifact index` again" in decision.reasons[0]


# -- with a calibration

RATIO = LikelihoodRatio(intercept=2.0, slope=-5.0, genuine=40, copies=25, cllr=0.3, cllr_min=0.2)


def calibrated(
    *,
    out_of_date: str | None = None,
    ratio: LikelihoodRatio | None = None,
    genuine: int = 99,
    **changed: Any,
) -> Basis:
    """Return a basis of calibrated thresholds: match 0.8, authenticity 0.4, combined 0.4.

    The genuine distances are 0.01, 0.02, ...; of the combined one; the global ones are twice as far.
    """
    steps = tuple(number / 100 for number in range(1, genuine + 1))
    values: dict[str, Any] = {
        "date": "2031-05-06T07:08:09+02:00",
        "encoder": "net-01",
        "revision": 4,
        "objects": 300,
        "sources": {"labelled": 40, "exemplars": 0, "simulated": 20},
        "copies": 30 if ratio else 0,
        "match": Threshold(0.8, 0.01, 299, 0.95),
        "combined": CalibratedDistance(Threshold(0.4, 0.025, 60, 0.95, 0.02), steps, ratio),
        "whole": CalibratedDistance(Threshold(0.4, 0.05, 93, 0.95), tuple(2 * step for step in steps), ratio),
        "number": 3,
    }
    calibration = Calibration(**(values | changed))
    return Basis(calibration.thresholds, calibration, out_of_date)


def test_a_calibrated_decision_says_what_its_threshold_promises_and_from_how_many():
    (_, said, *_) = by_places(0.1, basis=calibrated()).reasons
    assert said == (
        "calibration 3 of 2031-05-06, with 95% confidence: at most 2.5% false alarms from 60 objects, "
        "out of 40 labelled photographs, 20 simulated re-photographs"
    )
    (_, said, _) = at(0.3, calibrated()).reasons
    assert said == (
        "calibration 3 of 2031-05-06, with 95% confidence: at most 1% false matches from 299 pairs of objects, "
        "at most 5% false alarms from 93 objects, out of 40 labelled photographs, 20 simulated re-photographs"
    )


@given(st.floats(0, 2), st.floats(0, 2), st.booleans())
def test_a_calibration_decides_by_its_thresholds_as_provisional_ones_do(local, distance, with_ratio):
    basis = calibrated(ratio=RATIO if with_ratio else None)
    provisional = Basis(basis.thresholds)
    for found, plain in (
        (by_places(local, basis=basis), by_places(local, basis=provisional)),
        (at(distance, basis), at(distance, provisional)),
        (confirmed(distance, basis), confirmed(distance, provisional)),
    ):
        assert found.outcome is plain.outcome and found.reasons[0] == plain.reasons[0]
        assert (plain.likelihood_ratio, plain.p_value) == (None, None)
        assert "provisional" not in "".join(found.reasons)


@pytest.mark.parametrize(("local", "p_value", "said"), [(0.0, 1.0, "1"), (0.31, 0.7, "0.7"), (0.995, 0.01, "0.01")])
def test_without_ratios_the_p_value_is_the_share_of_genuine_photographs_that_lie_as_far(local, p_value, said):
    decision = by_places(local, basis=calibrated())
    assert decision.p_value == pytest.approx(p_value) and decision.likelihood_ratio is None
    assert decision.reasons[-1] == (
        f"p-value {said}: the share of genuine photographs that lie as far or farther, from 99 objects"
    )


@pytest.mark.parametrize(
    ("distance", "outcome", "p_value"), [(0.3, "consistent", 0.86), (0.62, "divergent", 0.7), (0.9, "no-match", None)]
)
def test_the_global_distance_is_weighed_by_the_global_ones_and_an_unknown_work_by_none(distance, outcome, p_value):
    decision = at(distance, calibrated())
    assert (decision.outcome, decision.p_value) == (outcome, pytest.approx(p_value) if p_value else None)
    assert ("p-value" in decision.reasons[-1]) == (p_value is not None)
    ratio = at(distance, calibrated(ratio=RATIO)).likelihood_ratio
    assert ratio == (RATIO(distance) if p_value else None)


def test_a_p_value_from_one_object_says_so():
    assert by_places(0.1, basis=calibrated(genuine=1)).reasons[-1].endswith(" from 1 object")


@pytest.mark.parametrize(
    ("local", "ratio", "said"),
    [
        (0.1, 26.0, "26 times as likely of a genuine photograph as of one of a copy: moderate support for a genuine"),
        (0.2, 10.0, "10 times as likely of a genuine photograph as of one of a copy: moderate support for a genuine"),
        (0.4, 1.0, "1.0 times as likely of a genuine photograph as of one of a copy: no support for either"),
        (0.6, 0.1, "1/10 times as likely of a genuine photograph as of one of a copy: moderate support for a photo"),
        (0.9, 1 / 41, "1/41 times as likely of a genuine photograph as of one of a copy: moderate support for a photo"),
    ],
)
def test_where_copies_were_labelled_the_likelihood_ratio_is_given_in_words_too(local, ratio, said):
    decision = by_places(local, basis=calibrated(ratio=RATIO))
    assert decision.likelihood_ratio == pytest.approx(ratio) and decision.p_value is None
    assert decision.reasons[-1].startswith(f"such a distance is {said}")
    assert not any("p-value" in reason for reason in decision.reasons)


@pytest.mark.parametrize("ratio", [None, RATIO])
def test_an_inconclusive_decision_carries_no_strength(ratio):
    basis = calibrated(ratio=ratio)
    for decision in (
        by_places(0.1, basis=basis, hidden=0.5),
        by_places(0.1, basis=basis, compared=0.2),
        by_places(0.1, basis=basis, poor="too dark"),
        confirmed(0.9, basis),
        at(0.3, replace(basis, thresholds=None)),
    ):
        assert decision.outcome is Outcome.INCONCLUSIVE
        assert (decision.likelihood_ratio, decision.p_value) == (None, None)
        assert not any("p-value" in reason or "likely" in reason for reason in decision.reasons)


def test_a_distance_that_the_calibration_does_not_know_is_weighed_by_nothing():
    basis = calibrated(combined=CalibratedDistance(Threshold(None, 1.0, 0, 0.95, 0.05), ()))
    basis = replace(basis, thresholds=replace(basis.thresholds, combined=COMBINED))
    decision = by_places(0.1, basis=basis)
    assert (decision.outcome, decision.likelihood_ratio, decision.p_value) == (Outcome.CONSISTENT, None, None)
    (_, said, _) = decision.reasons
    assert said.startswith("provisional threshold of the combined distance") and "67 pairs" in said


def test_a_calibration_on_a_single_object_does_not_ask_for_no_object_at_all():
    alone = calibrated(match=Threshold(None, 1.0, 0, 0.95, 0.01))
    decision = at(0.1, alone)
    (reason,) = decision.reasons
    assert decision.outcome is Outcome.INCONCLUSIVE
    assert "at least 0" not in reason and "100%" not in reason


@pytest.mark.parametrize("distance", [0.1, 0.5, 0.9])
def test_a_calibration_out_of_date_is_said_to_be_with_every_decision(distance):
    old = calibrated(out_of_date="the catalogue had 300 objects then and has 400 now")
    limits = thresholds(0.8, 0.4, combined=COMBINED)
    other = Basis(limits, out_of_date="it was made with the encoder net-00, not net-01")
    for basis, then in ((old, "calibration 3 of 2031"), (other, "provisional threshold")):
        for decision, plain in (
            (by_places(distance, basis=basis), by_places(distance, basis=replace(basis, out_of_date=None))),
            (at(distance, basis), at(distance, replace(basis, out_of_date=None))),
        ):
            assert decision.outcome is plain.outcome
            assert decision.reasons[1] == f"calibration out of date: {basis.out_of_date}"
            assert decision.reasons[2].startswith(then)
            assert (decision.reasons[0], *decision.reasons[2:]) == plain.reasons


def test_sources_that_gave_no_photograph_are_not_named():
    assert sources(calibrated().calibration) == "40 labelled photographs, 20 simulated re-photographs"
    given = {"labelled": 0, "exemplars": 7, "simulated": 0}
    assert sources(calibrated(sources=given).calibration) == "7 other exemplars"


@pytest.mark.parametrize(
    ("rate", "said"), [(0.05, "5%"), (0.5, "50%"), (0.001, "0.1%"), (0.0487, "4.9%"), (0.0121, "1.3%"), (1.0, "100%")]
)
def test_a_rate_is_given_with_the_digits_that_it_needs_and_never_too_low(rate, said):
    assert share(rate) == said


# -- by condition


def in_conditions(*, ratio: LikelihoodRatio | None = None, together: LikelihoodRatio | None = None) -> Basis:
    """Return a basis whose threshold is 0.6 for small photographs, of ten objects, and 0.2 for all others."""
    small = CalibratedDistance(Threshold(0.6, 0.05, 61, 0.95), tuple(n / 10 for n in range(1, 10)), ratio)
    others = CalibratedDistance(Threshold(0.2, 0.05, 62, 0.95), (0.05,) * 9)
    classes = (ConditionClass(("small",), small), ConditionClass(("surrounded", "close"), others))
    counts = {"small": 61, "surrounded": 61, "close": 1}
    return calibrated(classes=classes, conditions=counts, ratio=together)


@pytest.mark.parametrize(
    ("condition", "outcome", "objects", "said"),
    [
        ("small", "consistent", 61, "small, the work under 500 pixels across; its own threshold"),
        (
            "close",
            "divergent",
            62,
            "close, filled by the work; one threshold with surrounded, as the objects photographed so are too few (1)",
        ),
    ],
)
def test_the_threshold_of_its_condition_decides_and_is_named(condition, outcome, objects, said):
    decision = by_places(0.5, basis=in_conditions(), condition=condition)
    assert decision.outcome == outcome
    assert f"from {objects} objects" in decision.reasons[1]
    assert decision.reasons[2] == f"condition of the photograph: {said}"
    assert decision.p_value == (0.6 if condition == "small" else 0.1)


def test_a_calibration_from_before_conditions_decides_by_its_one_threshold_and_names_none():
    decision = by_places(0.3, basis=calibrated(), condition="small")
    assert decision.outcome == "consistent" and "condition" not in "; ".join(decision.reasons)


def test_a_ratio_of_all_conditions_is_said_to_be_of_all():
    other = replace(RATIO, intercept=1.0)
    own = by_places(0.3, basis=in_conditions(ratio=other, together=RATIO))
    assert own.likelihood_ratio == other(0.3) and "together" not in own.reasons[-1]
    pooled = by_places(0.3, basis=in_conditions(together=RATIO))
    assert pooled.likelihood_ratio == RATIO(0.3) and "of a copy, in all conditions together: " in pooled.reasons[-1]


@pytest.mark.parametrize("misfit", [True, False])
def test_a_calibration_that_no_longer_fits_is_said_with_every_decision(misfit):
    for decision in (
        by_places(0.1, basis=replace(calibrated(), misfit=misfit)),
        at(0.3, replace(calibrated(), misfit=misfit)),
    ):
        assert ("calibration no longer fits your photographs" in "; ".join(decision.reasons)) == misfit
