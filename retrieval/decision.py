"""Say what a probe is: consistent, divergent, no-match or inconclusive, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from retrieval.calibration import Threshold, Thresholds
from retrieval.registration import Registration
from retrieval.search import Match

SMALLEST_SIDE = 64


class Outcome(StrEnum):
    """The four outcomes; there is no bare "fake"."""

    CONSISTENT = "consistent"
    DIVERGENT = "divergent"
    NO_MATCH = "no-match"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Decision:
    """An outcome and its reasons, each a sentence for a person."""

    outcome: Outcome
    reasons: tuple[str, ...]


def decide(matches: Sequence[Match], thresholds: Thresholds | None, *, size: tuple[int, int]) -> Decision:
    """Judge a probe of `size` (width, height) in pixels by its distance to the nearest object."""
    if min(size) < SMALLEST_SIDE:
        return _inconclusive(
            f"the photograph is only {size[0]} x {size[1]} pixels; its short side needs at least {SMALLEST_SIDE}"
        )
    if thresholds is None:
        return _inconclusive("the last index run was not completed; run `artifact index` again")
    match, authenticity = thresholds.match.value, thresholds.authenticity.value
    if match is None:
        return _inconclusive(_too_few("objects", thresholds.match))
    if authenticity is None:
        return _inconclusive(_too_few("objects with simulated re-photographs", thresholds.authenticity))
    assert matches, "a catalogue with thresholds has objects"
    outcome, reason = _compare(matches[0], match, authenticity)
    return Decision(outcome, (reason, _provisional(thresholds)))


def _compare(nearest: Match, match: float, authenticity: float) -> tuple[Outcome, str]:
    """Place the distance of the best match among the two thresholds, whichever of them is the smaller."""
    place = f"distance {nearest.distance:.3f} to {nearest.object_id}"
    if isinstance(nearest.registration, Registration) and nearest.distance > match:
        return _compare_confirmed(nearest, nearest.registration, match, authenticity)
    if nearest.distance > max(match, authenticity):
        return (
            Outcome.NO_MATCH,
            f"{place} is beyond the match threshold {match:.3f}: no catalogued object is near enough",
        )
    if nearest.distance <= min(match, authenticity):
        return Outcome.CONSISTENT, f"{place} is within the authenticity threshold {authenticity:.3f}"
    if authenticity < match:
        return Outcome.DIVERGENT, (
            f"{place} is near enough to match (threshold {match:.3f}) "
            f"but farther than a genuine photograph (threshold {authenticity:.3f})"
        )
    return Outcome.INCONCLUSIVE, (
        f"{place} could be a genuine photograph (threshold {authenticity:.3f}) or an unknown work "
        f"(threshold {match:.3f}): this catalogue's objects are too alike for the encoder"
    )


def _compare_confirmed(
    nearest: Match, registration: Registration, match: float, authenticity: float
) -> tuple[Outcome, str]:
    """Judge what is too far to match by distance alone, but shows the object point by point: never an unknown work."""
    place = f"{registration.inliers} points agree with {nearest.object_id}; distance {nearest.distance:.3f}"
    if nearest.distance <= authenticity:
        return Outcome.CONSISTENT, f"{place} is within the authenticity threshold {authenticity:.3f}"
    return Outcome.INCONCLUSIVE, (
        f"{place} is beyond both the match threshold {match:.3f} and the authenticity threshold {authenticity:.3f}: "
        "the photograph shows it, but too differently for the encoder to compare"
    )


def _inconclusive(reason: str) -> Decision:
    return Decision(Outcome.INCONCLUSIVE, (reason,))


def _too_few(what: str, threshold: Threshold) -> str:
    return (
        f"too few {what} ({threshold.count}) for a threshold at a {threshold.rate:.0%} error rate: "
        f"at least {threshold.needed} are needed"
    )


def _provisional(thresholds: Thresholds) -> str:
    match, authenticity = thresholds.match, thresholds.authenticity
    return (
        f"provisional thresholds, not calibrated on labelled photographs: match at {match.rate:.0%} false matches from "
        f"{match.count} objects, authenticity at {authenticity.rate:.0%} false alarms from {authenticity.count} "
        "simulated re-photographs"
    )
