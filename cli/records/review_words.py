"""Say what reviews amount to, in sentences."""

from __future__ import annotations

from pathlib import Path

from retrieval.verdicts.log import DATABASE, VerdictLog
from retrieval.verdicts.reviews import Figures, Share, figures, reviewed


def review_lines(data: Path) -> list[str]:
    """Return what reviews say of the verdicts so far, a sentence a line; nothing where nothing was reviewed."""
    if not (data / DATABASE).is_file():
        return []
    with VerdictLog.reading(data) as log:
        return _lines(figures(reviewed(log)))


def _lines(found: Figures) -> list[str]:
    if not found.accepted.of:
        return []
    total, alarms, misses = found.accepted.of, found.false_alarms, found.misses
    return [
        _sentence(f"{total} {_many(total, 'verdict', 'verdicts')} reviewed", found.accepted, "accepted"),
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


def _sentence(among: str, found: Share, what: str) -> str:
    """Return a count among others in words, and its share with the interval where there is one."""
    if found.interval is None:
        return f"{among}."
    low, high = found.interval
    return f"{among}, {found.count} {what}: {found.count / found.of:.3f} [{low:.3f}, {high:.3f}] at 95%."
