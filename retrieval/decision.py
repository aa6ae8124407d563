"""Say what a probe is: consistent, divergent, no-match or inconclusive, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from retrieval.calibration import Threshold, Thresholds
from retrieval.divergence import Divergence, NotCompared
from retrieval.registration import NotRegistered, Registration
from retrieval.search import Match

SMALLEST_SIDE = 64
MOST_HIDDEN = 0.15  # of the exemplar's detail, under plates and glare, for a comparison place by place
LEAST_COMPARED = 0.5  # of the exemplar, for a photograph to be consistent with it


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


def decide(
    matches: Sequence[Match],
    thresholds: Thresholds | None,
    *,
    size: tuple[int, int],
    local_threshold: Threshold | None = None,
) -> Decision:
    """Judge a probe of `size` (width, height) in pixels against the first of its matches.

    By the local distance where it was registered and compared place by place, which needs no other objects; else by
    its global distance.
    """
    if min(size) < SMALLEST_SIDE:
        return _inconclusive(
            f"the photograph is only {size[0]} x {size[1]} pixels; its short side needs at least {SMALLEST_SIDE}"
        )
    if thresholds is None:
        return _inconclusive("the last index run was not completed; run `artifact index` again")
    divergence = matches[0].divergence if matches else None
    if isinstance(divergence, Divergence) and local_threshold is not None and local_threshold.value is not None:
        return _decide_by_places(matches[0], divergence, local_threshold)
    match, authenticity = thresholds.match.value, thresholds.authenticity.value
    if match is None:
        return _inconclusive(_too_few("objects", thresholds.match))
    if authenticity is None:
        return _inconclusive(_too_few("objects with simulated re-photographs", thresholds.authenticity))
    assert matches, "a catalogue with thresholds has objects"
    outcome, reason = _compare(matches[0], match, authenticity)
    return Decision(outcome, (reason, *_not_compared(matches[0], outcome), _provisional(thresholds)))


def _decide_by_places(nearest: Match, found: Divergence, threshold: Threshold) -> Decision:
    """Judge by the largest local distance, unless too much of the exemplar is hidden or out of the picture."""
    assert isinstance(nearest.registration, Registration) and threshold.value is not None
    mirrored = ", mirrored" if nearest.registration.mirrored else ""
    place = f"{nearest.registration.inliers} points agree with {nearest.object_id}{mirrored}"
    basis = (
        f"provisional threshold of the local distance, not calibrated on your photographs: {threshold.rate:.0%} false "
        f"alarms from {threshold.count} pairs of genuine photographs"
    )
    local = f"the local distance {found.local_distance:.3f}"
    within = f"{local} is within the authenticity threshold {threshold.value:.3f}"
    if found.hidden > MOST_HIDDEN:
        outcome, said = (
            Outcome.INCONCLUSIVE,
            f"plates or glare hide {found.hidden:.0%} of its detail, more than the {MOST_HIDDEN:.0%} allowed",
        )
    elif found.local_distance > threshold.value:
        number = len(found.places)
        outcome, said = (
            Outcome.DIVERGENT,
            f"{local}, at the worst of {number} place{'s' if number > 1 else ''}, is beyond the authenticity threshold "
            f"{threshold.value:.3f}",
        )
    elif found.compared < LEAST_COMPARED:
        outcome, said = (
            Outcome.INCONCLUSIVE,
            f"{within}, but only {found.compared:.0%} of it could be compared, less than {LEAST_COMPARED:.0%}",
        )
    else:
        outcome, said = Outcome.CONSISTENT, within
    return Decision(outcome, (f"{place}; {said}", *_left_out(found), basis))


def _not_compared(nearest: Match, outcome: Outcome) -> tuple[str, ...]:
    """Say why the global distance had to do, where it says something of the object."""
    for tried in (nearest.divergence, nearest.registration):
        if isinstance(tried, NotCompared | NotRegistered) and outcome is not Outcome.NO_MATCH:
            return (f"not compared place by place: {tried.reason}",)
    return ()


def _left_out(found: Divergence) -> tuple[str, ...]:
    """Say what was found over the picture, if anything."""
    listed = [f"{overlay.kind} on {overlay.share:.1%} of it" for overlay in found.overlays]
    return (f"left out as no part of the picture: {', '.join(listed)}",) if listed else ()


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
