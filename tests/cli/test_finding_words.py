"""What is said of odd exemplars and of thresholds that they spoil."""

import pytest

from cli.runs.finding_words import fallen_lines, finding_lines
from indexer.building.findings import Findings, OnePicture, OneWork, SeveralWorks
from indexer.building.publish import Published
from indexer.building.same_work import Pair
from retrieval.statistics.calibration import Threshold, Thresholds
from tests.conftest import exemplar


def thresholds(match: float | None, authenticity: float = 0.6) -> Thresholds:
    return Thresholds(Threshold(match, 0.05, 100), Threshold(authenticity, 0.05, 100))


def test_what_is_odd_is_named():
    ids = ("a", "b", "c", "d", "e", "f", "g")
    found = Findings(
        (OnePicture(ids, "none.jpg"),),
        (OneWork(("x", "y"), ("x.jpg", "y.jpg"), 42), OneWork(("v", "w"), ("v.jpg", "w.jpg"), 0)),
        (SeveralWorks("2019", ("2019/1.jpg", "2019/2.jpg"), 3),),
    )
    assert finding_lines(found) == [
        "7 objects share one picture: a, b, c, and 4 more (none.jpg)",
        "x and y show the same work (42 points agree)",
        "v and w look the same, with too little on them to tell them apart",
        "  thresholds pass over them; if they are one, merge them in a folder or --exclude one",
        "2019: 2 of 3 photographs are nothing like the others (2019/1.jpg, 2019/2.jpg)",
        "  if those are several works: --pattern '2019/{object}'",
    ]
    assert finding_lines(Findings()) == []
    several = [SeveralWorks(name, (f"{name}/1.jpg", f"{name}/2.jpg"), 2) for name in ("Smith", "Jones")]
    assert finding_lines(Findings(objects=tuple(several)))[2:] == [
        "  if those are several works: index each folder by itself, and --exclude it here"
    ]
    assert len(finding_lines(Findings(objects=(SeveralWorks("a", ("a_1.jpg", "a_2.jpg"), 2),)))) == 1
    many = finding_lines(Findings(works=tuple(OneWork((f"{n}", "x"), ("", ""), 20) for n in range(13))))
    assert len(many) == 12 and many[10] == "  ... and 3 more pairs of that kind"


@pytest.mark.parametrize(("now", "was", "said"), [(0.41, 0.8, 0), (0.39, 0.8, 2), (0.0, None, 2), (None, 0.8, 0)])
def test_a_threshold_that_fell_to_less_than_half_is_a_warning_with_its_cause(now, was, said):
    nearest = (Pair(0.2, exemplar("a"), exemplar("b")), Pair(0.39, exemplar("c"), exemplar("d")))
    found = Published(thresholds(was) if was else None, thresholds(now), nearest)
    lines = fallen_lines(found)
    assert len(lines) == said
    if said:
        assert "a and b (0.200), c and d (0.390)" in lines[1]
        assert lines[0].startswith(
            "warning: the match threshold " + ("is 0" if not now else "fell from 0.800 to 0.390")
        )


def test_without_a_change_nothing_is_said():
    assert fallen_lines(Published()) == []
