"""Several photographs of one thing, judged together: what moves from view to view is not on the work."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retrieval.catalogue.status_words import Status
from retrieval.comparing.divergence import Divergence
from retrieval.comparing.joint import AS_WELL, joined
from retrieval.comparing.logits import distance_of, logits_behind, whole_of
from retrieval.comparing.registration import Registration
from retrieval.finding.match import Match
from retrieval.judging.decision import Basis, Decision
from retrieval.judging.judge import Verdict
from retrieval.judging.together import Part, judge_together, part_of
from retrieval.judging.work import Work
from retrieval.outcome import Outcome
from retrieval.statistics.calibration import Threshold, Thresholds

SIDE = 33
QUIET, LOUD = -6.0, 9.0  # logits of a place that agrees, and of one that does not
NONE = Threshold(None, 0.05, 1)
BASIS = Basis(Thresholds(NONE, NONE, Threshold(0.4, 0.05, 100)))
LEFT, MIDDLE, RIGHT = (4, 4), (16, 16), (28, 28)


def map_of(*loud: tuple[int, int], value: float = LOUD) -> np.ndarray:
    """Return a map of local distances with some places, row and column, that contradict the exemplar."""
    logits = np.full((SIDE, SIDE), QUIET)
    for row, column in loud:
        logits[row - 1 : row + 2, column - 1 : column + 2] = value
    return distance_of(logits).astype(np.float32)


def sharp(value: float = 0.015) -> np.ndarray:
    return np.full((SIDE, SIDE), value, np.float32)


def combined(values: np.ndarray) -> float:
    return float(distance_of(whole_of(logits_behind(values))))


def part(name: str, *loud: tuple[int, int], **changed: Any) -> Part:
    found = map_of(*loud)
    values: dict[str, Any] = {
        "photo": f"lot/{name}.jpg",
        "content": name,
        "verdict": None,
        "object_id": "7",
        "exemplar": "7.jpg",
        "outcome": "divergent" if combined(found) > 0.4 else "consistent",
        "alert": None,
        "condition": None,
        "hidden": 0.0,
        "detail": 0.015,
        "covered": False,
        "map": found,
        "resolved": sharp(),
    }
    return Part(**(values | changed))


def test_one_photograph_joined_is_what_it_is_alone() -> None:
    one = map_of(LEFT)
    one[30:] = np.nan
    found = joined([one], [sharp()])
    assert found.combined_distance == pytest.approx(combined(one), abs=1e-6)
    assert found.local_distance == pytest.approx(float(np.nanmax(one)), abs=1e-6)
    np.testing.assert_allclose(found.map, one, atol=1e-6)
    assert found.compared == pytest.approx(30 / 33)


def test_what_lies_elsewhere_on_each_view_is_not_on_the_work_and_what_is_on_each_is() -> None:
    views = [map_of(place) for place in (LEFT, MIDDLE, RIGHT)]
    assert min(map(combined, views)) > 0.8 and joined(views, [sharp()] * 3).combined_distance < 0.4
    painted = [map_of(MIDDLE, place) for place in (LEFT, MIDDLE, RIGHT)]
    assert joined(painted, [sharp()] * 3).combined_distance > 0.8


def test_what_one_photograph_does_not_show_is_judged_by_the_others() -> None:
    views = [map_of(MIDDLE), map_of(), map_of()]
    views[1][10:22] = views[2][10:22] = np.nan
    found = joined(views, [sharp()] * 3)
    assert found.compared == 1.0 and found.combined_distance == pytest.approx(combined(views[0]), abs=0.05)
    for view in views:
        view[:3] = np.nan
    assert joined(views, [sharp()] * 3).compared == pytest.approx(30 / 33)


def test_a_blurred_photograph_says_nothing_where_another_one_is_sharp() -> None:
    views, blurred = [map_of(MIDDLE), map_of(), map_of()], sharp(0.015 * AS_WELL * 1.01)
    assert joined(views, [sharp(), blurred, blurred]).combined_distance == pytest.approx(combined(views[0]), abs=1e-6)
    as_well = sharp(0.015 * AS_WELL * 0.99)
    assert joined(views, [sharp(), as_well, as_well]).combined_distance < 0.4


def test_three_photographs_with_a_reflection_each_are_consistent_and_a_copy_stays_divergent() -> None:
    (found,) = judge_together([part("a", LEFT), part("b", MIDDLE), part("c", RIGHT)], BASIS)
    assert (found.outcome, found.object_id, found.photos) == (
        "consistent",
        "7",
        ("lot/a.jpg", "lot/b.jpg", "lot/c.jpg"),
    )
    first, alone, _ = found.reasons
    assert first.startswith("3 photographs together: the combined distance") and first.endswith("threshold 0.400")
    assert alone == "each alone: a.jpg divergent, b.jpg divergent, c.jpg divergent"
    copies = [part("a", MIDDLE, LEFT), part("b", MIDDLE), part("c", MIDDLE, RIGHT)]
    (copy,) = judge_together(copies, BASIS)
    assert copy.outcome == "divergent" and copy.combined > copy.threshold == 0.4


def test_one_photograph_or_one_file_twice_is_not_judged_together() -> None:
    assert list(judge_together([part("a", LEFT)], BASIS)) == []
    assert list(judge_together([part("a", LEFT), part("a", LEFT)], BASIS)) == []
    assert list(judge_together([part("a"), part("b", object_id="8")], BASIS)) == []
    assert list(judge_together([part("a"), part("b")], Basis(None))) == []


def test_each_object_is_judged_by_the_exemplar_of_most() -> None:
    parts = [
        part("a", LEFT, exemplar="7 back.jpg"),
        part("b"),
        part("c"),
        part("d", object_id="8"),
        part("e", object_id="8"),
    ]
    seven, eight = judge_together(parts, BASIS)
    assert (seven.object_id, seven.exemplar, seven.contents) == ("7", "7.jpg", ("b", "c"))
    assert (eight.object_id, eight.contents) == ("8", ("d", "e"))


def test_what_is_hidden_covered_or_cut_off_on_all_is_inconclusive_and_on_some_is_not() -> None:
    half = map_of()
    half[:, 15:] = np.nan
    for spoiled, says in (
        ({"hidden": 0.2}, "hide 20% of its detail or more on each"),
        ({"covered": True}, "something plain lies over it on each"),
        ({"map": half}, "only 45% of it could be compared on them"),
    ):
        (found,) = judge_together([part("a", **spoiled), part("b", **spoiled)], BASIS)
        assert found.outcome == "inconclusive" and says in found.reasons[0]
        (found,) = judge_together([part("a", **spoiled), part("b")], BASIS)
        assert found.outcome == "consistent"


def test_what_no_photograph_says_alone_is_inconclusive() -> None:
    shaken = [replace(one, outcome="inconclusive") for one in (part("a", MIDDLE), part("b", MIDDLE))]
    (found,) = judge_together(shaken, BASIS)
    assert found.outcome == "inconclusive" and "none of them is divergent by itself" in found.reasons[0]
    small = [replace(one, outcome="inconclusive") for one in (part("a"), part("b"))]
    (found,) = judge_together(small, BASIS)
    assert found.outcome == "inconclusive" and "each of them is inconclusive by itself" in found.reasons[0]


def test_a_part_is_kept_and_read_again() -> None:
    one = part("a", LEFT, alert="stolen", condition="small", verdict=3)
    one.map[0, 0] = np.nan
    again = Part.from_bytes(one.to_bytes())
    for name in ("photo", "content", "verdict", "object_id", "exemplar", "outcome", "alert", "condition", "detail"):
        assert getattr(again, name) == getattr(one, name)
    np.testing.assert_array_equal(again.map, one.map)
    np.testing.assert_array_equal(again.resolved, one.resolved)
    assert len(one.to_bytes()) < 6000


SHOWN = Verdict(Path("a.jpg"), "00ff", ())


def work(alert: Status | None = None, divergence: Any = None) -> Work:
    registration = Registration(np.eye(3), 40, np.zeros((40, 4), np.float32), 1.0, 1.0, 0.001, mirrored=False)
    match = Match("7", Path("7.jpg"), 0.3, registration, divergence, condition="close")
    return Work((0, 0, 9, 9), Decision(Outcome.DIVERGENT, ("far",)), (match,), alert=alert)


def test_a_part_is_what_a_work_was_compared_as() -> None:
    compared = Divergence(0.3, 0.9, 0.9, 0.4, 0.02, map_of(LEFT), 0.9, 0.1, (), (), np.eye(3), sharp())
    found = part_of(work(Status.STOLEN, compared), SHOWN, photo="a.jpg", verdict=5)
    assert found is not None and found.map is compared.map and found.resolved is compared.resolved
    assert found.content == "00ff#1"
    assert (found.outcome, found.alert, found.condition, found.hidden, found.detail) == (
        "divergent",
        "stolen",
        "close",
        0.1,
        0.02,
    )
    for other in (work(), work(Status.KNOWN_FORGERY, compared), replace(work(), matches=())):
        assert part_of(other, SHOWN, photo="a.jpg", verdict=None) is None
