"""What a register says of an object, and what that does to a verdict."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from retrieval.catalogue.rows import Object
from retrieval.catalogue.standing import Register, RegisterEntry, Standing
from retrieval.catalogue.status_words import Status
from retrieval.comparing.divergence import Divergence, NoExemplar, TooBlurred
from retrieval.comparing.registration import NotRegistered, Registration
from retrieval.finding.match import Match
from retrieval.judging.decision import Basis, Decision
from retrieval.judging.work import Certainty, Work, settle
from retrieval.outcome import Outcome
from retrieval.statistics.calibration import Threshold, Thresholds

LIMITS = Thresholds(Threshold(0.8, 0.05, 100), Threshold(0.6, 0.05, 100), Threshold(0.5, 0.05, 60))
LYING = Registration(np.eye(3), 40, np.zeros((40, 4), np.float32), 1.0, 1.0, 0.001, mirrored=False)
REGION = (0, 0, 100, 80)


def divergence(combined: float) -> Divergence:
    nothing = np.zeros((33, 33), np.float32)
    return Divergence(0.4, combined, combined, 0.48, 0.02, nothing, 0.9, 0.0, (), (), np.eye(3), nothing)


def match(object_id: str, combined: float | None) -> Match:
    """Return a match that is compared place by place, or one that is not even registered, at 0.9."""
    file = Path(f"{object_id}.jpg")
    if combined is None:
        return Match(object_id, file, 0.9, NotRegistered("too few points"))
    return Match(object_id, file, 0.4, LYING, divergence(combined))


def register(**statuses: str) -> Register:
    """Return a register; a status `known forgery of X` is one with that genuine object."""
    items = []
    for object_id, status in statuses.items():
        text, _, genuine = status.partition(" of ")
        items.append(Object(object_id, {"status": text, "forgery_of": genuine}, 1))
    return Register.of(items)


def settled(matches: list[Match], known: Register, others: dict[str, Match] | None = None) -> Work:
    return settle(REGION, None, matches, Basis(LIMITS), known, poor=None, compared_with=(others or {}).get)


def NEVER(object_id: str) -> Match:  # noqa: N802
    raise AssertionError(object_id)


def test_statuses_are_read_however_they_are_written_and_others_mean_nothing():
    found = register(a="Stolen", b="KNOWN_FORGERY of a", c="in-collection", d=" on loan ", e="")
    assert found.standing("a") == Standing("Stolen", Status.STOLEN, entry=RegisterEntry("a", "Stolen"))
    assert (found.standing("b").status, found.standing("b").forgery_of) == (Status.KNOWN_FORGERY, "a")
    assert found.standing("c").status is Status.IN_COLLECTION
    assert found.standing("d") == Standing("on loan", None)
    assert found.standing("e") == found.standing("nobody") == Standing()
    assert found.forgeries == {"a": ("b",)} and found.is_forgery("b") and not found.is_forgery("a")


@pytest.mark.parametrize("status", ["stolen", "missing"])
def test_a_consistent_match_with_a_stolen_work_is_an_alert(status):
    work = settled([match("a", 0.2)], register(a=status))
    assert (work.decision.outcome, work.alert, work.status) == (Outcome.CONSISTENT, status, status)
    assert work.decision.reasons[0] == f"a is registered as {status}"
    assert (work.certainty, work.entry, work.lead) == (Certainty.CONSISTENT, RegisterEntry("a", status), None)


UNDECIDED = "a is registered as stolen, and the photograph shows it; original or copy undecided"


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        (match("a", 0.7), Outcome.DIVERGENT),
        (replace(match("a", None), registration=LYING, divergence=TooBlurred("it is blurred")), Outcome.INCONCLUSIVE),
        (replace(match("a", None), registration=LYING, divergence=NoExemplar("it is away")), Outcome.INCONCLUSIVE),
        (replace(match("a", 0.2), divergence=replace(divergence(0.2), hidden=0.5)), Outcome.INCONCLUSIVE),
    ],
)
def test_a_registered_match_with_a_stolen_work_is_an_alert_whatever_the_outcome(found, outcome):
    work = settled([found], register(a="stolen"))
    assert (work.decision.outcome, work.alert, work.certainty) == (outcome, Status.STOLEN, Certainty.UNDECIDED)
    assert (work.decision.reasons[0], work.status) == (UNDECIDED, "stolen")


def test_a_photograph_that_is_too_poor_to_be_judged_still_raises_an_alert():
    for basis in (Basis(LIMITS), Basis(None)):
        work = settle(
            REGION, None, [match("a", 0.2)], basis, register(a="stolen"), poor="it is dark", compared_with=NEVER
        )
        assert work.decision == Decision(Outcome.INCONCLUSIVE, (UNDECIDED, "it is dark"))
        assert (work.alert, work.certainty) == (Status.STOLEN, Certainty.UNDECIDED)


def test_a_stolen_double_that_is_not_the_best_match_is_an_alert_and_the_loudest_is_told():
    known = register(a="in collection", b="missing", c="stolen")
    work = settled([match("a", 0.1), match("b", 0.2), match("c", 0.3), match("d", None)], known)
    assert (work.decision.outcome, work.status) == (Outcome.CONSISTENT, "in collection")
    assert (work.alert, work.certainty) == (Status.STOLEN, Certainty.UNDECIDED)
    assert work.entry == RegisterEntry("c", "stolen") and work.matches[0].object_id == "a"


def test_an_unknown_work_far_from_a_stolen_one_raises_nothing_and_has_no_status():
    work = settled([match("a", None)], register(a="stolen"))
    assert (work.decision.outcome, work.alert, work.lead, work.status) == (Outcome.NO_MATCH, None, None, "")


@pytest.mark.parametrize(("distance", "outcome"), [(0.7, Outcome.DIVERGENT), (0.5, Outcome.INCONCLUSIVE)])
def test_a_near_work_that_is_not_registered_is_a_lead_and_no_alert_however_near_it_is(distance, outcome):
    near = replace(match("a", None), distance=distance)
    work = settled([near], register(a="stolen"))
    assert work.decision.outcome is outcome
    assert (work.alert, work.certainty, work.lead) == (None, None, RegisterEntry("a", "stolen"))
    assert any(
        reason.startswith(f"a lead, no alert: a, registered as stolen, is near at {distance:.3f}")
        for reason in work.decision.reasons
    )
    beside = settled([match("b", 0.2), near], register(a="stolen"))
    assert (beside.alert, beside.lead) == (None, None), "another work is registered"


def test_a_known_forgery_of_a_stolen_work_is_told_as_the_forgery_with_what_is_stolen():
    known = register(forgery="known forgery of genuine", genuine="stolen")
    pair = {"forgery": match("forgery", 0.2), "genuine": match("genuine", 0.45)}
    work = settled([pair["genuine"]], known, pair)
    assert (work.alert, work.certainty) == (Status.KNOWN_FORGERY, Certainty.CONSISTENT)
    assert work.entry == RegisterEntry("forgery", "known forgery")
    assert any(reason.startswith("genuine is registered as stolen") for reason in work.decision.reasons)


def test_what_the_register_says_of_the_case_is_kept():
    said = {"status": "Stolen", "case_number": "17/03", "theft_date": "2003-05-01", "theft_place": "Oslo\n(museum)"}
    said |= {"authority": "Kripos", "contact": "desk@example.org", "title": "Two"}
    found = Register.of([Object("a", said, 1)])
    entry = RegisterEntry("a", "Stolen", "17/03", "2003-05-01", "Oslo (museum)", "Kripos", "desk@example.org")
    assert found.entry("a") == entry and found.entry("b") == RegisterEntry("b")
    assert found.is_wanted("a") and not found.is_wanted("b")


@pytest.mark.parametrize("status", ["sold", "in collection", "on loan"])
def test_other_statuses_are_shown_and_alert_nobody(status):
    work = settled([match("a", 0.2)], register(a=status))
    assert (work.alert, work.status, work.decision.outcome) == (None, status, Outcome.CONSISTENT)
    assert not any("registered as" in reason for reason in work.decision.reasons)


@pytest.mark.parametrize("first", ["forgery", "genuine"])
def test_a_known_forgery_is_said_plainly_with_both_distances_whichever_comes_first(first):
    known = register(forgery="known forgery of genuine", genuine="in collection")
    pair = {"forgery": match("forgery", 0.2), "genuine": match("genuine", 0.45)}
    work = settled([pair[first]], known, pair)
    assert (work.decision.outcome, work.alert) == (Outcome.DIVERGENT, Status.KNOWN_FORGERY)
    said = "the photograph shows the known forgery forgery, at distance 0.200, and the genuine genuine is at 0.450"
    assert work.decision.reasons[0] == said
    assert work.matches[0].object_id == "genuine" and work.forgery == pair["forgery"]


def test_what_is_nearer_to_the_genuine_object_is_judged_by_that():
    known = register(forgery="known forgery of genuine")
    pair = {"forgery": match("forgery", 0.45), "genuine": match("genuine", 0.2)}
    for first in pair:
        work = settled([pair[first]], known, pair)
        assert (work.decision.outcome, work.alert, work.matches[0].object_id) == (Outcome.CONSISTENT, None, "genuine")
        assert work.forgery == pair["forgery"]


def test_what_is_far_from_both_is_divergent_from_the_genuine_object():
    known = register(forgery="known forgery of genuine")
    pair = {"forgery": match("forgery", 0.7), "genuine": match("genuine", 0.8)}
    work = settled([pair["forgery"], match("other", None)], known, pair)
    assert (work.decision.outcome, work.alert) == (Outcome.DIVERGENT, None)
    assert [item.object_id for item in work.matches] == ["genuine", "forgery"]


def test_a_forgery_whose_genuine_object_is_not_catalogued_is_still_said():
    work = settled([match("forgery", 0.2)], register(forgery="known forgery of genuine"))
    assert (work.decision.outcome, work.alert, work.matches[0].object_id) == (
        Outcome.DIVERGENT,
        Status.KNOWN_FORGERY,
        "forgery",
    )
    assert "it is not registered to a genuine exemplar" in work.decision.reasons[0]


def test_an_unknown_work_and_a_poor_photograph_are_compared_with_nothing_more():
    known = register(forgery="known forgery of genuine")
    far = replace(match("forgery", None), distance=1.2)

    work = settle(REGION, None, [far], Basis(LIMITS), known, poor=None, compared_with=NEVER)
    assert work.decision.outcome is Outcome.NO_MATCH
    work = settle(REGION, None, [match("forgery", 0.2)], Basis(LIMITS), known, poor="it is dark", compared_with=NEVER)
    assert (work.decision.outcome, work.decision.reasons, work.alert) == (Outcome.INCONCLUSIVE, ("it is dark",), None)
