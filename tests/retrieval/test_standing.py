"""What a register says of an object, and what that does to a verdict."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from retrieval.catalogue.rows import Object
from retrieval.catalogue.standing import Register, Standing
from retrieval.catalogue.status_words import Status
from retrieval.comparing.divergence import Divergence
from retrieval.comparing.registration import NotRegistered, Registration
from retrieval.finding.match import Match
from retrieval.judging.decision import Basis
from retrieval.judging.work import Work, settle
from retrieval.outcome import Outcome
from retrieval.statistics.calibration import Threshold, Thresholds

LIMITS = Thresholds(Threshold(0.8, 0.05, 100), Threshold(0.6, 0.05, 100), Threshold(0.5, 0.05, 60))
LYING = Registration(np.eye(3), 40, np.zeros((40, 4), np.float32), 1.0, 1.0, 0.001, mirrored=False)
REGION = (0, 0, 100, 80)


def divergence(combined: float) -> Divergence:
    return Divergence(0.4, combined, combined, 0.48, 0.02, np.zeros((33, 33), np.float32), 0.9, 0.0, (), (), np.eye(3))


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


def test_statuses_are_read_however_they_are_written_and_others_mean_nothing():
    found = register(a="Stolen", b="KNOWN_FORGERY of a", c="in-collection", d=" on loan ", e="")
    assert found.standing("a") == Standing("Stolen", Status.STOLEN)
    assert found.standing("b") == Standing("KNOWN_FORGERY", Status.KNOWN_FORGERY, "a")
    assert found.standing("c").status is Status.IN_COLLECTION
    assert found.standing("d") == Standing("on loan", None)
    assert found.standing("e") == found.standing("nobody") == Standing()
    assert found.forgeries == {"a": ("b",)} and found.is_forgery("b") and not found.is_forgery("a")


@pytest.mark.parametrize("status", ["stolen", "missing"])
def test_a_consistent_match_with_a_stolen_work_is_an_alert(status):
    work = settled([match("a", 0.2)], register(a=status))
    assert (work.decision.outcome, work.alert, work.status) == (Outcome.CONSISTENT, status, status)
    assert work.decision.reasons[0] == f"a is registered as {status}"


@pytest.mark.parametrize(
    ("combined", "outcome", "status"), [(0.7, Outcome.DIVERGENT, "stolen"), (None, Outcome.NO_MATCH, "")]
)
def test_another_outcome_is_none_and_only_an_unknown_work_has_no_status(combined, outcome, status):
    work = settled([match("a", combined)], register(a="stolen"))
    assert (work.decision.outcome, work.alert, work.status) == (outcome, None, status)
    assert ("a is registered as stolen" in work.decision.reasons) is (outcome is Outcome.DIVERGENT)


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

    def never(object_id: str) -> Match:
        raise AssertionError(object_id)

    work = settle(REGION, None, [far], Basis(LIMITS), known, poor=None, compared_with=never)
    assert work.decision.outcome is Outcome.NO_MATCH
    work = settle(REGION, None, [match("forgery", 0.2)], Basis(LIMITS), known, poor="it is dark", compared_with=never)
    assert (work.decision.outcome, work.decision.reasons, work.alert) == (Outcome.INCONCLUSIVE, ("it is dark",), None)
