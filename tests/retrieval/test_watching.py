"""Whether a calibration still fits, by the log of verdicts and what reviewers held of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from retrieval.outcome import Outcome
from retrieval.statistics.calibration import CalibratedDistance, Calibration, ConditionClass, Threshold
from retrieval.verdicts.entry import LogEntry
from retrieval.verdicts.log import VerdictLog
from retrieval.verdicts.reviews import accepting, add_review, overruling
from retrieval.verdicts.watching import Watch, fits, watched

GENUINE = tuple(np.linspace(0.1, 0.49, 99).tolist())
ENTRY = LogEntry(
    date="2026-01-02T03:04:05+00:00", photo="/1.jpg", sha256="s", asked=None, encoder="e", revision=1, calibration=3,
    region=(0, 0, 9, 9), outcome="consistent", object_id="a", exemplar="/a.png", whole=0.3, local=0.2, combined=0.3,
    threshold=0.47, likelihood_ratio=None, p_value=None, reasons=(), condition="small",
)  # fmt: skip


def calibration(**changed: object) -> Calibration:
    known = CalibratedDistance(Threshold(0.47, 0.05, 99, 0.95), GENUINE)
    found = Calibration("2026-01-01", "e", 1, 99, {"labelled": 99}, 0, Threshold(0.5, 0.05, 99), known, known, 3)
    return replace(found, **changed)


def keep(data: Path, count: int, distance: float, *, said: str | None = None, **changed: object) -> None:
    """Log verdicts on as many objects, at a distance and a little more each; `said` overrules or accepts them."""
    with VerdictLog.opened(data) as log:
        first = len(log.entries())
        for number in range(first, first + count):
            outcome = "divergent" if distance > ENTRY.threshold else "consistent"
            values = {"sha256": f"s{number}", "object_id": f"o{number}", "outcome": outcome} | changed
            (kept,) = log.add([replace(ENTRY, combined=distance + number * 1e-6, **values)])
            if said is not None:
                entry, who = log.entry(kept), {"name": "J. Doe", "reason": "seen"}
                same = said == entry.outcome
                review = accepting(entry, **who) if same else overruling(entry, Outcome(said), object_id=None, **who)
                add_review(log, review)


def test_genuine_photographs_that_lie_farther_than_the_calibration_foresees_raise_it(tmp_path):
    keep(tmp_path, 12, 0.55, said="consistent")
    found = watched(tmp_path, calibration())
    assert found.genuine == found.beyond == 12 and found.evidence > 100 and not found.fits
    assert not fits(tmp_path, calibration())
    assert fits(tmp_path, calibration(number=4)) and fits(tmp_path, None)


@pytest.mark.parametrize("said", ["divergent", "inconclusive", None])
def test_only_what_a_person_holds_to_be_genuine_speaks_against_it(tmp_path, said):
    keep(tmp_path, 12, 0.55, said=said)
    assert watched(tmp_path, calibration()) is None and fits(tmp_path, calibration())


def test_false_alarms_among_as_many_that_passed_as_were_promised_are_no_misfit(tmp_path):
    """Reviewers look at flags alone: what passed and was overruled by nobody counts as genuine too."""
    for distance in np.random.default_rng(0).permutation(np.linspace(0.1, 0.49, 60)).tolist():
        keep(tmp_path, 1, distance, said="consistent" if distance > ENTRY.threshold else None)
    found = watched(tmp_path, calibration())
    assert (found.genuine, found.beyond) == (60, 4) and found.fits


def test_what_passed_and_was_overruled_is_no_longer_genuine(tmp_path):
    keep(tmp_path, 5, 0.3, said="divergent")
    keep(tmp_path, 1, 0.3, said="consistent")
    assert watched(tmp_path, calibration()) == Watch(1.0, 1, 0)


def test_the_same_photograph_counts_once_and_an_object_once_a_day(tmp_path):
    keep(tmp_path, 5, 0.55, said="consistent", sha256="s", object_id="a")
    keep(tmp_path, 2, 0.55, said="consistent", object_id="a")
    assert watched(tmp_path, calibration()).genuine == 1
    keep(tmp_path, 2, 0.55, said="consistent", object_id="a", date="2026-01-03T12:00:00+00:00")
    assert watched(tmp_path, calibration()).genuine == 2


def test_the_last_review_of_a_photograph_counts(tmp_path):
    keep(tmp_path, 1, 0.55, said="consistent", sha256="s", object_id="a")
    keep(tmp_path, 1, 0.55, said="divergent", sha256="s", object_id="a")
    keep(tmp_path, 1, 0.3, said="consistent")
    assert watched(tmp_path, calibration()).genuine == 1


def test_each_condition_is_watched_by_its_own_photographs(tmp_path):
    """At 0.4 a small photograph is usual; a close one, of which none lay beyond 0.2, is not."""
    near = CalibratedDistance(Threshold(0.47, 0.05, 99, 0.95), tuple(np.linspace(0.1, 0.2, 99).tolist()))
    classes = (ConditionClass(("small",), calibration().combined), ConditionClass(("surrounded", "close"), near))
    by_condition = calibration(classes=classes, conditions={"small": 99, "surrounded": 9, "close": 90})
    keep(tmp_path, 12, 0.35, said="consistent")
    assert watched(tmp_path, by_condition).fits
    keep(tmp_path, 12, 0.35, said="consistent", condition="close")
    assert not watched(tmp_path, by_condition).fits and watched(tmp_path, calibration()).fits


def test_without_a_log_nothing_is_said(tmp_path):
    assert watched(tmp_path, calibration()) is None and not list(tmp_path.iterdir())
