"""Say what reviews amount to, in sentences."""

from __future__ import annotations

from pathlib import Path

from cli.records.artifact_1 import ReviewRecord
from retrieval.moment import day
from retrieval.statistics.calibration import Calibration
from retrieval.verdicts.log import DATABASE, VerdictLog
from retrieval.verdicts.reviews import ReviewFigures, Share, figures, reviewed
from retrieval.verdicts.watching import watched


def review_lines(data: Path) -> list[str]:
    """Return what reviews say of the verdicts so far, a sentence a line; nothing where nothing was reviewed."""
    if not (data / DATABASE).is_file():
        return []
    with VerdictLog.reading(data) as log:
        return figure_lines(figures(reviewed(log)))


def misfit_line(data: Path, calibration: Calibration | None) -> str | None:
    """Return that a calibration no longer fits the photographs that come, and what to do; None where it may fit."""
    watch = watched(data, calibration)
    if watch is None or watch.fits:
        return None
    return (
        f"calibration no longer fits your photographs: {watch.beyond} of {watch.genuine} genuine ones lie beyond their "
        f"threshold (evidence {min(watch.evidence, 1e9):,.0f} to 1); calibrate again: artifact review --export "
        "labels.csv, artifact calibrate labels.csv"
    )


def earlier_review(review: ReviewRecord) -> str:
    """Return in a line what a person decided earlier on the same photograph and object."""
    of = f" with {review['object_id']}" if review["object_id"] else ""
    why = f": {review['reason']}" if review["reason"] else ""
    return f"reviewed by {review['name']} on {day(review['date'])}, {review['outcome']}{of}{why}"


def figure_lines(counted: ReviewFigures) -> list[str]:
    """Return what the figures of reviews say, a sentence a line; nothing where nothing was reviewed."""
    if not counted.accepted.of:
        return []
    total, alarms, misses = counted.accepted.of, counted.false_alarms, counted.misses
    return [
        _sentence(f"{total} {_many(total, 'verdict', 'verdicts')} reviewed", counted.accepted, "accepted"),
        _sentence(
            f"{alarms.of} of them divergent", alarms, f"{_many(alarms.count, 'false alarm', 'false alarms')} found"
        ),
        _sentence(
            f"{misses.of} of them consistent or no-match", misses, f"{_many(misses.count, 'miss', 'misses')} found"
        ),
        "Reviewers chose what they reviewed; it was not drawn at random.",
    ]


def _many(number: int, one: str, many: str) -> str:
    return one if number == 1 else many


def _sentence(among: str, share: Share, what: str) -> str:
    """Return a count among others in words, and its share with the interval where there is one."""
    if share.interval is None:
        return f"{among}."
    low, high = share.interval
    return f"{among}, {share.count} {what}: {share.count / share.of:.3f} [{low:.3f}, {high:.3f}] at 95%."
