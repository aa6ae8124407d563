"""The order of what needs a person: each priority, what comes first within one, and in how much memory."""

import json
import tracemalloc
from collections.abc import Iterator
from itertools import groupby, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.records.triage import ALERTS, SETTLED, Priority, beyond, priority, triaged
from retrieval.outcome import UNREADABLE, Outcome
from tests.records import match_record, photograph_record, work_record

EARLIER = {"date": "2025-03-01T09:00:00+00:00", "photo": "/march/1.jpg", "lot": None, "verdict": 3, "by": "object"}


def work(outcome: str, distance: float | None = 0.5, object_id: str = "7", **changed: Any) -> dict[str, Any]:
    if distance is None:
        return work_record(outcome, **changed)
    best = match_record(object_id, distance)
    best |= {key: changed.pop(key) for key in best.keys() & changed.keys()}
    return work_record(outcome, best, **changed)


record = photograph_record


def claim(compared: dict[str, Any] | None, object_id: str | None = "7") -> dict[str, Any]:
    return {"claimed": "7", "object_id": object_id, "work": compared, "reason": None if compared else "no such object"}


def order(*records: dict[str, Any]) -> list[tuple[str, int | None]]:
    return [(found["photo"], index) for found, index in triaged(lambda: iter(records))]


def test_the_priorities_are_in_the_order_of_what_needs_a_person() -> None:
    assert [str(item) for item in Priority] == [
        "stolen",
        "missing",
        "known forgery",
        "lead",
        "divergent",
        "claim not upheld",
        "inconclusive match",
        "seen before",
        "unreadable",
        "inconclusive",
        "decided before",
        "consistent",
        "no-match",
    ]
    assert [item.rank for item in Priority] == list(range(13))
    assert len({item.sign for item in Priority}) == len({item.phrase for item in Priority}) == 13
    assert all(len(item.sign) == 1 and item.slug.replace("-", "").isalpha() for item in Priority)
    assert {*Outcome, UNREADABLE} < set(Priority)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (work("consistent", alert="stolen"), Priority.STOLEN),
        (work("inconclusive", alert="missing"), Priority.MISSING),
        (work("inconclusive", alert="stolen", alert_certainty="undecided"), Priority.STOLEN),
        (work("divergent", lead={"object_id": "7"}), Priority.LEAD),
        (work("divergent", alert="known forgery"), Priority.KNOWN_FORGERY),
        (work("divergent", alert=None, status="stolen"), Priority.DIVERGENT),
        (work("divergent"), Priority.DIVERGENT),
        (work("inconclusive", 0.8), Priority.PLAUSIBLE),
        (work("inconclusive", 0.81), Priority.INCONCLUSIVE),
        (work("inconclusive", 0.81, registration={"inliers": 40}), Priority.PLAUSIBLE),
        (work("inconclusive", 0.5, match_threshold=None), Priority.INCONCLUSIVE),
        (work("inconclusive", None), Priority.INCONCLUSIVE),
        (work("consistent"), Priority.CONSISTENT),
        (work("no-match"), Priority.NO_MATCH),
    ],
)
def test_a_work_has_the_priority_of_the_gravest_of_what_is_said(found: dict[str, Any], expected: Priority) -> None:
    assert priority(record("a", found), found) is expected


def test_a_photograph_without_a_work_is_unreadable() -> None:
    assert priority(record("a", error="truncated", seen_before=[EARLIER]), None) is Priority.UNREADABLE


@pytest.mark.parametrize(
    ("lot", "expected"),
    [({"lot": "12"}, Priority.PLAUSIBLE), ({"house": "X"}, Priority.DIVERGENT), (None, Priority.DIVERGENT)],
)
def test_only_a_lot_of_a_table_makes_what_is_divergent_alone_less_urgent(lot: Any, expected: Priority) -> None:
    found, whole = work("divergent"), {"object_id": "7", "outcome": "consistent"}
    assert priority(record("a", found, lot=lot, together=[whole]), found) is expected


@pytest.mark.parametrize(
    ("found", "compared", "expected"),
    [
        (work("no-match"), work("divergent"), Priority.CLAIM),
        (work("consistent", object_id="8"), work("no-match"), Priority.CLAIM),
        (work("inconclusive"), work("inconclusive"), Priority.CLAIM),
        (work("divergent"), work("divergent"), Priority.DIVERGENT),
        (work("consistent"), work("consistent"), Priority.CONSISTENT),
        (work("no-match"), work("consistent", alert="stolen"), Priority.STOLEN),
        (work("consistent", alert="missing"), work("consistent", alert="stolen"), Priority.STOLEN),
        (work("no-match"), None, Priority.CLAIM),  # it names nothing that could be compared
    ],
)
def test_a_claim_that_is_not_upheld_needs_a_person(
    found: dict[str, Any], compared: dict[str, Any] | None, expected: Priority
) -> None:
    assert priority(record("a", found, claim=claim(compared)), found) is expected


def test_one_work_of_a_photograph_answers_for_the_claim() -> None:
    beside, shown = work("no-match", object_id="9"), work("inconclusive", object_id="7")
    both = record("a", beside, shown, claim=claim(work("divergent")))
    assert [priority(both, each) for each in (beside, shown)] == [Priority.NO_MATCH, Priority.CLAIM]
    other = record("a", beside, shown, claim=claim(work("divergent"), "no other work shows it"))
    assert [priority(other, each) for each in (beside, shown)] == [Priority.CLAIM, Priority.PLAUSIBLE]


REVIEW = {"verdict": 3, "date": "", "name": "J", "outcome": "consistent", "object_id": "7", "reason": ""}


@pytest.mark.parametrize(
    ("found", "settles", "expected"),
    [
        (work("divergent"), True, Priority.DECIDED),
        (work("divergent"), False, Priority.DIVERGENT),
        (work("inconclusive"), True, Priority.DECIDED),
        (work("divergent", alert="stolen"), True, Priority.STOLEN),  # nothing stolen passes in silence
    ],
)
def test_what_a_person_decided_is_not_flagged_again(found: dict[str, Any], settles: bool, expected: Priority) -> None:
    reviewed = found | {"review": REVIEW | {"settles": settles}}
    assert priority(record("a", reviewed), reviewed) is expected


def test_a_claim_on_which_a_person_decided_is_not_flagged_again() -> None:
    compared = work("no-match") | {"review": REVIEW | {"settles": True}}
    found = work("consistent", object_id="8")
    assert priority(record("a", found, claim=claim(compared)), found) is Priority.CONSISTENT


def test_what_was_seen_before_is_pointed_out() -> None:
    known, unknown = work("consistent"), work("no-match")
    by_object = record("a", known, unknown, seen_before=[EARLIER])
    assert [priority(by_object, each) for each in (known, unknown)] == [Priority.SEEN_BEFORE, Priority.NO_MATCH]
    by_photo = record("a", known, unknown, seen_before=[EARLIER | {"by": "photo"}])
    assert [priority(by_photo, each) for each in (known, unknown)] == [Priority.SEEN_BEFORE] * 2
    assert priority(record("a", known, seen_before=[]), known) is Priority.CONSISTENT


def test_stolen_comes_first_and_unreadable_photographs_have_their_place() -> None:
    given = [
        record("no", work("no-match")),
        record("broken", error="truncated"),
        record("two", work("consistent"), work("consistent", alert="stolen")),
        record("divergent", work("divergent")),
    ]
    assert order(*given) == [("two", 1), ("divergent", 0), ("broken", None), ("two", 0), ("no", 0)]


def test_within_a_priority_the_status_counts_then_how_far_it_is_beyond() -> None:
    places = {"combined": 0.9, "combined_threshold": 0.2}
    given = [
        record("near", work("divergent", 0.5)),
        record("unknown", work("divergent", 0.5, authenticity_threshold=None)),
        record("far", work("divergent", 0.6)),
        record("combined", work("divergent", 0.3, divergence=places)),
        record("forgery", work("divergent", 0.41, status="known forgery")),
        record("missing", work("divergent", 0.41, status="Missing")),
        record("stolen", work("divergent", 0.41, status="stolen")),
        record("sold", work("divergent", 0.55, status="sold")),
        record("again", work("divergent", 0.5)),
    ]
    assert [photo for photo, _ in order(*given)] == [
        "stolen", "missing", "forgery", "combined", "far", "sold", "near", "again", "unknown",
    ]  # fmt: skip


def test_identical_files_follow_each_other() -> None:
    given = [
        record("a", work("consistent")),
        record("b", work("consistent")),
        record("a2", work("consistent"), same_as="a"),
        record("a3", work("consistent"), same_as="a"),
    ]
    assert [photo for photo, _ in order(*given)] == ["a", "a2", "a3", "b"]


works = st.builds(
    work,
    st.sampled_from([str(outcome) for outcome in Outcome]),
    st.none() | st.floats(0, 2),
    alert=st.sampled_from([None, None, *map(str, ALERTS)]),
    status=st.sampled_from(["", "stolen", "sold"]),
)


@given(st.lists(st.lists(works, max_size=3), max_size=12))
def test_nothing_is_lost_or_doubled_and_no_priority_comes_after_a_lesser(listed: list[list[dict[str, Any]]]) -> None:
    records = [record(str(number), *found) for number, found in enumerate(listed)]
    given = json.dumps(records)
    result = list(triaged(lambda: iter(records)))
    expected = [(str(i), at) for i, found in enumerate(listed) for at in (range(len(found)) if found else [None])]
    assert sorted(((f["photo"], at) for f, at in result), key=str) == sorted(expected, key=str)
    shown = [(priority(f, f["works"][at] if at is not None else None), f, at) for f, at in result]
    assert all(first[0].rank <= second[0].rank for first, second in pairwise(shown))
    for rank, alike in groupby(shown, lambda item: item[0]):
        if rank in SETTLED:
            continue
        keys = [(f["works"][at]["status"] != "stolen", -beyond(f["works"][at])) for _, f, at in alike if at is not None]
        assert keys == sorted(keys)
    assert json.dumps(records) == given


def test_records_are_read_once_and_not_kept() -> None:
    reads, count, size = 0, 3000, 20_000

    def records() -> Iterator[dict[str, Any]]:
        nonlocal reads
        reads += 1
        for number in range(count):
            yield record(str(number), work("divergent", number / count, reasons=["x" * size]))

    tracemalloc.start()
    photos = [found["photo"] for found, _ in triaged(records)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert photos == [str(number) for number in reversed(range(count))]
    assert reads == 1
    assert peak < count * 1000 < count * size / 10
