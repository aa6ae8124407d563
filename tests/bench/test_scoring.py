"""The scores of a staged day, and of works found, on records whose truth is plain."""

import numpy as np
import pytest

from tests.bench.scoring import (
    Truth,
    accounted,
    alert_row,
    by_name,
    claims_by_kind,
    false_alarms,
    groups_of,
    outcomes_of,
    repeats_pointed_out,
    seen_again,
)
from tests.bench.works import Hung, asked_of, overlap, places_of


def work_of(outcome, object_id=None, *, points=20, **more):
    registration = {"inliers": points} if points else None
    matches = [{"object_id": object_id, "registration": registration}] if object_id else []
    return {"region": [0, 0, 10, 10], "outcome": outcome, "matches": matches, **more}


def record_of(photo, *works, error=None, **more):
    return {"photo": f"/lots/photos/{photo}", "works": list(works), "error": error, **more}


def truth_of(photo, *objects, kind="re-photographed", shows=(), genuine=True, outcome="consistent", same_as=""):
    return Truth(photo, kind, objects, shows or objects or (photo,), genuine, outcome, same_as)


def said(truth, *works, error=None):
    records = {truth.photo: record_of(truth.photo, *works, error=error)}
    return [(item.expected, item.said) for item in outcomes_of([truth], records)]


def test_an_object_is_said_what_the_work_nearest_to_it_is_said():
    truth = truth_of("1.jpg", "a", "b")
    found = said(truth, work_of("divergent", "b"), work_of("consistent", "a"))
    assert found == [("consistent", "consistent"), ("consistent", "divergent")]


def test_a_wrong_object_is_missed_and_invented():
    found = said(truth_of("1.jpg", "a"), work_of("consistent", "b"))
    assert found == [("consistent", "no-match"), ("no-match", "consistent")]


def test_a_photograph_too_poor_is_inconclusive_whatever_is_nearest():
    found = said(truth_of("1.jpg", "a"), work_of("inconclusive", "b", points=0))
    assert found == [("consistent", "inconclusive")]


def test_of_unknown_works_the_gravest_outcome_counts():
    truth = truth_of("1.jpg", outcome="no-match")
    assert said(truth, work_of("no-match", "a"), work_of("divergent", "b")) == [("no-match", "divergent")]
    assert said(truth, work_of("no-match", "a", points=0)) == [("no-match", "no-match")]


def test_a_file_that_cannot_be_read_is_unreadable_and_nothing_else():
    assert said(truth_of("1.jpg", outcome="unreadable"), error="empty") == [("unreadable", "unreadable")]
    assert said(truth_of("1.jpg", "a"), error="empty") == [("consistent", "unreadable")]


def test_repeats_and_known_forgeries_are_scored_apart():
    day = [truth_of("1.jpg", "a", same_as="2.jpg"), truth_of("3.jpg", "f", outcome="known forgery", genuine=False)]
    assert outcomes_of(day, {t.photo: record_of(t.photo, work_of("consistent", "a")) for t in day}) == []


def test_false_alarms_are_shares_of_the_genuine_works_that_were_compared():
    day = [truth_of(f"{key}.jpg", key) for key in "abcde"] + [truth_of("f.jpg", "f", outcome="divergent")]
    outcomes = ("divergent", "consistent", "consistent", "consistent", "inconclusive", "divergent")
    records = {t.photo: record_of(t.photo, work_of(o, *t.objects)) for t, o in zip(day, outcomes, strict=True)}
    found = false_alarms(outcomes_of(day, records))
    assert found.startswith("0.250 [") and found.endswith("of 4 works, 4 groups of objects")


def test_alerts_are_found_missed_and_false():
    statuses = {"a": "stolen", "b": "stolen", "c": "in collection"}
    day = [
        truth_of("1.jpg", "a"),
        truth_of("2.jpg", "b", "a"),
        truth_of("3.jpg", "b"),
        truth_of("4.jpg", "c"),
        truth_of("5.jpg", "a", genuine=False, outcome="divergent"),
    ]
    records = {
        "1.jpg": record_of("1.jpg", work_of("consistent", "a", alert="stolen")),
        "2.jpg": record_of("2.jpg", work_of("consistent", "b", alert=None)),
        "4.jpg": record_of("4.jpg", work_of("consistent", "a", alert="stolen")),
        "5.jpg": record_of("5.jpg", work_of("divergent", "a")),
    }
    row, errors = alert_row("stolen", day, records, statuses)
    assert row[:5] == ["stolen", 2, 1, 3, 1] and row[-1] == 1
    assert [line.split(" (")[0] for line in errors] == [
        "2.jpg: no alert: stolen",
        "3.jpg: no alert: stolen",
        "4.jpg: false alert: stolen",
    ]


@pytest.mark.parametrize("work", [
    work_of("consistent", "f", alert="known forgery"),
    work_of("divergent", "a", alert="known forgery", forgery={"object_id": "f"}),
])  # fmt: skip
def test_a_known_forgery_may_be_named_by_itself_or_beside_the_genuine_object(work):
    day = [truth_of("1.jpg", "f", outcome="known forgery", genuine=False)]
    row, errors = alert_row("known forgery", day, {"1.jpg": record_of("1.jpg", work)}, {"f": "known forgery"})
    assert row[:5] == ["known forgery", 1, 1, 1, 1] and not errors


def test_repeats_are_pairs_whichever_of_the_two_came_first():
    day = [truth_of("1.jpg", "a"), truth_of("2.jpg", "a", same_as="1.jpg"), truth_of("3.jpg", "b")]
    records = {
        "1.jpg": record_of("1.jpg", same_as="/lots/photos/2.jpg"),
        "2.jpg": record_of("2.jpg"),
        "3.jpg": record_of("3.jpg", same_as="/lots/photos/1.jpg"),
    }
    assert repeats_pointed_out(day, records) == (1, 1, 1)


def test_what_was_seen_on_an_earlier_day_is_counted_by_kind_of_lot():
    earlier = [
        truth_of("a.jpg", shows=("x",)),
        truth_of("b.jpg", shows=("y",)),
        truth_of("c.jpg", outcome="unreadable"),
    ]
    day = [
        truth_of(f"{n}.jpg", kind="unknown", shows=shows)
        for n, shows in enumerate((("x",), ("x", "y"), ("z",), ("y",)))
    ]
    day += [truth_of("bad.jpg", kind="broken", outcome="unreadable"), truth_of("5.jpg", shows=("c.jpg",))]
    told = {"0.jpg": ["a"], "1.jpg": ["b", "a"], "2.jpg": ["a"], "3.jpg": ["a"]}
    records = {
        name: record_of(name, seen_before=[{"photo": f"/lots/photos/{other}.jpg"} for other in others])
        for name, others in told.items()
    }
    assert seen_again(day, earlier, records) == {
        "unknown": {"photographs": 4, "again": 3, "pointed out": 2, "wrongly": 2},
        "re-photographed": {"photographs": 1, "again": 0, "pointed out": 0, "wrongly": 0},
    }


def test_every_lot_is_accounted_for():
    records, again = by_name([record_of("1.jpg"), record_of("1.jpg"), record_of("9.jpg")])
    found = accounted([truth_of("1.jpg"), truth_of("2.jpg")], records, again)
    assert found == {"lost": ["2.jpg"], "doubled": ["1.jpg"], "unasked": ["9.jpg"]}


def test_claims_are_counted_by_kind_of_lot():
    claim = {"claimed": "a", "object_id": "a", "work": work_of("divergent", "a"), "reason": None}
    unverified = {"claimed": "Rubens", "object_id": None, "work": None, "reason": "no such object"}
    day = [truth_of("1.jpg", "a", kind="copy"), truth_of("2.jpg", kind="unknown"), truth_of("3.jpg", kind="unknown")]
    records = {
        "1.jpg": record_of("1.jpg", claim=claim),
        "2.jpg": record_of("2.jpg", claim=unverified),
        "3.jpg": record_of("3.jpg", claim=None),
    }
    expected = {"copy": {"divergent": 1}, "unknown": {"not verified: no such object": 1}}
    assert claims_by_kind(day, records) == expected


def test_lots_that_share_a_work_are_one_group():
    groups = groups_of([truth_of("1.jpg", "a", shows=("a", "x")), truth_of("2.jpg", "a"), truth_of("3.jpg", "b")])
    assert groups["1.jpg"] == groups["2.jpg"] != groups["3.jpg"]


def test_an_object_is_found_where_it_is_named_or_registered():
    works = (work_of("consistent", "a"), work_of("inconclusive", "b"), work_of("inconclusive", "c", points=0))
    pairs = asked_of(record_of("1.jpg", *works, work_of("no-match", "d")), {"a", "d"})
    assert [(p.object_id, p.true, p.found) for p in pairs] == [
        ("a", True, True),
        ("b", False, True),
        ("d", True, False),
    ]


def moved(points, right):
    return points + np.array([right, 0])


def test_the_overlap_of_two_squares_is_what_they_share():
    square = np.array([(0, 0), (2, 0), (2, 2), (0, 2)])
    assert overlap(square, moved(square, 1)) == pytest.approx(1 / 3)
    assert overlap(square, moved(square, 5)) == 0


def test_places_of_objects_and_of_unknown_works():
    square = np.array([(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0)])
    hung = Hung((40, 10), ("a", "", ""), (square, moved(square, 14), moved(square, 28)), frozenset())
    works = [
        work_of("consistent", "a", outline=[[0, 0], [10, 0], [10, 5], [0, 5]]),
        work_of("no-match", region=[13, 0, 12, 10]),
        work_of("no-match", region=[0, 0, 5, 10]),
    ]
    overlaps, unknown, beside = places_of(record_of("1.jpg", *works), hung)
    assert overlaps == [pytest.approx(0.5)] and unknown == [True, False] and beside == 1
