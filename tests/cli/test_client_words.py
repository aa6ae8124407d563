"""What a client is told of a work: one sentence, how sure it is, and what to do; no more than was measured."""

from typing import Any

import pytest

from cli.records.client_words import LOOK, client_words, places_words
from tests.records import match_record, photograph_record, work_record

REGISTERED = {"inliers": 90, "mirrored": False}


def compared(*places: tuple[float, str], combined: float = 0.6) -> dict[str, Any]:
    listed = [{"box": [0, 0, 1, 1], "distance": distance, "where": where} for distance, where in places]
    return {"combined": combined, "combined_threshold": 0.4, "threshold": 0.5, "local": 0.7, "places": listed}


def best(divergence: dict[str, Any] | None = None, **changed: Any) -> dict[str, Any]:
    registration = REGISTERED if divergence else None
    return match_record("205", 0.9, **{"divergence": divergence, "registration": registration} | changed)


def said(outcome: str, *matches: dict[str, Any], **changed: Any):
    work = work_record(outcome, *matches, **changed)
    return client_words(photograph_record("a", work), work)


def test_a_flag_says_where_the_two_differ_how_far_and_where_to_look():
    flag = said("divergent", best(compared((0.7, "lower right"), (0.3, "centre"))), reasons=["provisional threshold"])
    assert flag.what == "The same picture as 205; something differs, lower right."
    assert flag.sure == "The combined distance 0.600 is beyond its threshold 0.400. The threshold is provisional."
    assert flag.then.startswith("Look there on the object")


@pytest.mark.parametrize(
    ("places", "words"),
    [
        ([(0.7, "top"), (0.6, "centre"), (0.55, "top")], "top and centre"),
        ([(0.7, "top"), (0.6, "left"), (0.55, "right")], "top, left and right"),
        ([(0.7, "top"), (0.6, "left"), (0.55, "right"), (0.5, "bottom")], "in many places"),
        ([(0.4, "top"), (0.3, "left")], "top"),  # none is beyond: the worst
        ([], "somewhere"),
    ],
)
def test_places_are_named_once_the_worst_first(places, words):
    assert places_words(compared(*places)) == words


def test_what_is_consistent_says_that_nothing_was_found_and_no_more():
    fine = said("consistent", best(compared((0.1, "top"), combined=0.1)))
    assert (fine.what, fine.then) == ("The same picture as 205; nothing that differs was found.", "Nothing stands out.")
    assert fine.sure == "The combined distance 0.100 is within its threshold 0.400."
    mirrored = best(compared(combined=0.1), registration=REGISTERED | {"mirrored": True})
    assert said("consistent", mirrored).what.startswith("The same picture as 205, mirrored; ")
    assert said("consistent", best()).what == "As near to 205 as a genuine photograph."


@pytest.mark.parametrize(
    "entry, whom",
    [
        ({"authority": "Carabinieri TPC", "contact": "tpc@example.org"}, "Carabinieri TPC, tpc@example.org"),
        ({"authority": "", "contact": "tpc@example.org"}, "tpc@example.org"),
        ({"authority": "", "contact": ""}, "whoever registered it"),
    ],
)
@pytest.mark.parametrize("outcome", ["consistent", "divergent", "inconclusive"])
def test_of_a_stolen_work_is_said_whom_to_tell_whatever_the_outcome(outcome, entry, whom):
    stolen = said(outcome, best(compared((0.1, "top"))), alert="stolen", register_entry={"object_id": "205"} | entry)
    assert stolen.then == f"Hold it back, and tell {whom}."


@pytest.mark.parametrize(
    ("whole", "distance", "what", "sure"),
    [
        ("consistent", 0.1, "something differs, top, on this photograph, but not on all 2 together.", "0.100, within"),
        ("divergent", 0.5, "something differs, top.", "0.500, beyond"),
    ],
)
def test_a_lot_of_several_photographs_is_said_with_each(whole, distance, what, sure):
    work = work_record("divergent", best(compared((0.7, "top"))))
    together = {"object_id": "205", "photos": ["a", "b"], "outcome": whole, "combined": distance}
    record = photograph_record("a", work, together=[together | {"combined_threshold": 0.4}])
    words = client_words(record, work)
    assert words.what == f"The same picture as 205; {what}"
    assert words.sure.endswith(f"2 photographs together: {sure} 0.400.")


def test_what_is_consistent_alone_is_no_less_to_be_looked_at_where_its_lot_is_divergent():
    together = {"object_id": "205", "photos": ["a", "b"], "outcome": "divergent", "combined": 0.5}
    together["combined_threshold"] = 0.4
    for alert, then in ((None, LOOK), ("stolen", "Hold it back, and tell whoever registered it.")):
        entry = {"object_id": "205", "authority": None, "contact": None}
        work = work_record("consistent", best(compared(combined=0.1)), alert=alert, register_entry=entry)
        words = client_words(photograph_record("a", work, together=[together]), work)
        assert words.then == then
        assert words.what.endswith("on this photograph, but something does on all 2 together.") == (alert is None)


def test_what_was_not_laid_over_the_exemplar_is_not_said_to_be_the_same_picture():
    flag = said("divergent", best())
    assert flag.what == "It resembles 205, but less than a genuine photograph does."
    assert flag.sure.startswith("The global distance 0.900 is beyond its threshold 0.400")


def test_an_unknown_work_names_no_object():
    unknown = said("no-match", best())
    assert "205" not in unknown.what + unknown.sure + unknown.then
    assert unknown.sure == "The global distance 0.900 is beyond its threshold 0.800."


def test_what_is_inconclusive_says_why_and_what_to_ask_for():
    poor = said(
        "inconclusive", best(compared()), reasons=["20 points agree; too blurred; a sharper photograph would help"]
    )
    assert poor.what == "The same picture as 205; whether anything differs cannot be said."
    assert poor.sure == "20 points agree; too blurred; a sharper photograph would help."
    assert poor.then == "Ask for a sharper photograph."
    assert said("inconclusive", best(), reasons=["too few objects"]).then == "A person has to look at it."
    assert said("inconclusive").what == "Nothing can be said of it by this photograph."


def test_a_known_forgery_is_named():
    known = {"object_id": "F1", "exemplar": "f.jpg", "distance": 0.2, "combined": 0.1}
    words = said("divergent", best(compared()), alert="known forgery", forgery=known)
    assert words.what == "The same picture as the known forgery F1."
    assert words.then.startswith("Take it for the forgery")


@pytest.mark.parametrize("alert", ["stolen", "missing"])
def test_of_an_alert_nobody_says_that_nothing_stands_out(alert):
    review = {"settles": True, "outcome": "consistent"}
    for more in ({}, {"review": review}):
        entry = {"object_id": "205", "authority": None, "contact": None}
        words = said("consistent", best(compared(combined=0.1)), alert=alert, register_entry=entry, **more)
        assert words.then == "Hold it back, and tell whoever registered it."


def test_of_a_claim_that_is_not_upheld_or_names_nothing_the_lot_is_asked_about():
    work = work_record("consistent", best(compared(combined=0.1)))
    for claim in (
        {"claimed": "9", "object_id": "9", "work": work_record("no-match", match_record("9")), "reason": None},
        {"claimed": "x", "object_id": None, "work": None, "reason": "object x is not in the catalogue"},
    ):
        words = client_words(photograph_record("a", work, claim=claim), work)
        assert words.then == "Ask what it is that the lot is said to be."


def test_an_unreadable_file_and_what_is_decided_need_no_more():
    broken = client_words(photograph_record("a", error="it is cut off"), None)
    assert (broken.what, broken.sure) == ("The file cannot be read as a photograph.", "It is cut off.")
    review = {"settles": True, "outcome": "consistent"}
    assert said("divergent", best(compared()), review=review).then == "Nothing: a person has decided on it."
