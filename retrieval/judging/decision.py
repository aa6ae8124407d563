"""Say what a probe is: consistent, divergent, no-match or inconclusive, and why."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from retrieval.comparing.closely import TooSmall
from retrieval.comparing.divergence import Divergence, NotCompared, TooBlurred
from retrieval.comparing.network import default_description
from retrieval.comparing.registration import NotRegistered, Registration
from retrieval.finding.confirmation import NO_FEATURES
from retrieval.finding.finder import IMPLAUSIBLE
from retrieval.finding.match import Match
from retrieval.judging.condition import judged_as
from retrieval.judging.unsure import why_unsure
from retrieval.moment import day
from retrieval.outcome import Outcome
from retrieval.statistics.calibration import Calibration, Threshold, Thresholds, share, sources
from retrieval.statistics.likelihood import words

MOST_HIDDEN = 0.15  # of the exemplar's detail, under plates and glare, for a comparison place by place
MISFIT = "calibration no longer fits your photographs; calibrate again on those that reviewers hold to be genuine"


@dataclass(frozen=True, slots=True)
class Decision:
    """An outcome and its reasons, each a sentence for a person; and with a calibration, how strong the evidence is.

    The likelihood ratio where copies were labelled, else the p-value; neither where nothing was matched or compared.
    """

    outcome: Outcome
    reasons: tuple[str, ...]
    likelihood_ratio: float | None = None
    p_value: float | None = None


@dataclass(frozen=True, slots=True)
class Basis:
    """What a decision rests on: the thresholds, and the calibration that set them."""

    thresholds: Thresholds | None  # None: the catalogue is not complete
    calibration: Calibration | None = None  # None: the thresholds are provisional
    out_of_date: str | None = None  # why the last calibration is out of date
    misfit: bool = False  # the calibration no longer fits the photographs that come
    alone: bool = False  # without a catalogue: one photograph is the exemplar of another


def decide(matches: Sequence[Match], basis: Basis, *, poor: str | None = None) -> Decision:
    """Judge a probe against the first of its matches; `poor` says why it cannot be judged.

    By the combined distance where the probe was registered and compared place by place, a comparison that needs no
    other objects; else by its global distance.
    """
    limits = basis.thresholds
    if poor is not None:
        return _inconclusive(poor)
    if limits is None:
        return _inconclusive("the last index run was not completed; run `artifact index` again")
    if matches and (away := matches[0].without_exemplar) is not None:
        return _inconclusive(f"{_agreeing(matches[0])}; {away.reason}")
    if matches and isinstance(blurred := matches[0].divergence, TooBlurred):
        return _inconclusive(f"{_agreeing(matches[0])}; {blurred.reason}; a sharper photograph would help")
    divergence = matches[0].compared if matches else None
    combined = limits.combined_of(matches[0].condition) if matches else None
    if divergence is not None and combined is not None and combined.value is not None:
        outcome, *reasons = _decide_by_places(matches[0], divergence, combined.value)
        said = (*reasons, *_left_out(divergence), *_changed(matches[0]))
        on = (*_basis(basis, combined, divergence), *_condition(basis, matches[0].condition), _not_seen(divergence))
        return _with_strength(Decision(outcome, (*said, *on)), basis.calibration, matches[0])
    if basis.alone:
        return _of_two(matches[0])
    match, authenticity = limits.match.value, limits.authenticity.value
    if match is None:
        return _inconclusive(_too_few("objects", limits.match))
    if authenticity is None:
        return _inconclusive(_too_few("objects with simulated re-photographs", limits.authenticity))
    assert matches, "a catalogue with thresholds has objects"
    outcome, reason = _compare(matches[0], match, authenticity)
    reasons = [reason, *_not_compared(matches[0], outcome), *_basis(basis, limits.authenticity, None)]
    decision = Decision(outcome, tuple(reasons))
    if outcome is Outcome.NO_MATCH:
        return decision
    return _with_strength(decision, basis.calibration, matches[0])


def _of_two(match: Match) -> Decision:
    """Judge by a photograph that the other one could not be compared with place by place."""
    if isinstance(match.divergence, NotCompared):
        return _inconclusive(f"{_agreeing(match)}; {match.divergence.reason}; a larger photograph would help")
    assert isinstance(match.registration, NotRegistered), "what is registered is compared, or refused"
    said = f"the two photographs cannot be laid over each other: {match.registration.reason}"
    return Decision(Outcome.NO_MATCH, (f"{said}; nothing shows that they are of one work",))


def _decide_by_places(nearest: Match, found: Divergence, threshold: float) -> tuple[Outcome, str]:
    """Judge by the combined distance, unless too much of the exemplar is hidden or out of the picture."""
    place = _agreeing(nearest)
    number = len(found.places)
    parts = f"local {found.local_distance:.3f}"
    if found.combined_distance > threshold:
        parts += f", at the worst of {number} place{'s' if number > 1 else ''}"
    combined = f"the combined distance {found.combined_distance:.3f} ({parts})"
    within = f"{combined} is within the authenticity threshold {threshold:.3f}"
    if found.hidden > MOST_HIDDEN:
        outcome, said = (
            Outcome.INCONCLUSIVE,
            f"plates, glare or plain things hide {found.hidden:.0%} of its detail, more than the "
            f"{MOST_HIDDEN:.0%} allowed: a photograph without them would help",
        )
    elif found.combined_distance > threshold:
        outcome, said = Outcome.DIVERGENT, f"{combined} is beyond the authenticity threshold {threshold:.3f}"
    elif unsure := why_unsure(found):
        outcome, said = Outcome.INCONCLUSIVE, f"{within}, but {unsure}"
    else:
        outcome, said = Outcome.CONSISTENT, within
    return outcome, f"{place}; {said}"


def unseen_words(detail: float) -> str:
    """Say which differences could not be seen, by the share of the width that they would have to be across."""
    return f"differences under {math.ceil(100 * detail)}% of its width could not be seen"


def _not_seen(found: Divergence) -> str:
    """Say what the comparison could not have seen."""
    unseen = unseen_words(found.detail)
    if isinstance(found.closely, TooSmall):
        return f"{unseen}; {found.closely.reason}"
    return f"looked at closely; {unseen}" if found.closely else unseen


def _agreeing(nearest: Match) -> str:
    """Say how well a registered match lies on the photograph."""
    assert nearest.registered is not None
    mirrored = ", mirrored" if nearest.registered.mirrored else ""
    return f"{nearest.registered.inliers} points agree with {nearest.object_id}{mirrored}"


def _with_strength(decision: Decision, calibration: Calibration | None, match: Match) -> Decision:
    """Return a decision with the strength of its evidence, as a number and in words.

    Where copies in the photograph's condition are too few for a ratio, that of all conditions together is taken.
    """
    if calibration is None or decision.outcome is Outcome.INCONCLUSIVE:
        return decision
    measured, distance = calibration.whole, match.decisive
    ratio_of = measured.ratio
    if match.compared:
        measured, ratio_of = calibration.combined_of(match.condition), calibration.ratio_of(match.condition)
    if not measured.genuine:
        return decision
    if ratio_of is None:
        count = f"{len(measured.genuine)} object{'' if len(measured.genuine) == 1 else 's'}"
        chance = measured.p_value(distance)
        said = f"p-value {chance:.2g}: the share of genuine photographs that lie as far or farther, from {count}"
        return replace(decision, reasons=(*decision.reasons, said), p_value=chance)
    ratio = ratio_of(distance)
    together = "" if measured.ratio is not None else ", in all conditions together"
    times = f"{_plain(ratio)} times" if ratio >= 1.0 else f"1/{_plain(1.0 / ratio)} times"
    said = f"such a distance is {times} as likely of a genuine photograph as of one of a copy{together}: {words(ratio)}"
    return replace(decision, reasons=(*decision.reasons, said), likelihood_ratio=ratio)


def _not_compared(nearest: Match, outcome: Outcome) -> tuple[str, ...]:
    """Say why the global distance had to do, where it says something of the object."""
    for tried in (nearest.divergence, nearest.registration):
        if isinstance(tried, NotCompared | NotRegistered) and outcome is not Outcome.NO_MATCH:
            return (f"not compared place by place: {tried.reason}",)
    return ()


def _changed(nearest: Match) -> tuple[str, ...]:
    """Say that the exemplar's file is no longer what was compared."""
    if not nearest.file_changed:
        return ()
    return (
        f"the file of the exemplar, {nearest.exemplar}, has changed since it was indexed: compared with the working "
        "picture kept of it",
    )


def _left_out(found: Divergence) -> tuple[str, ...]:
    """Say what was found over the picture, if anything."""
    listed = [f"{overlay.kind} on {overlay.share:.1%} of it" for overlay in found.overlays]
    return (f"left out as no part of the picture: {', '.join(listed)}",) if listed else ()


def _compare(nearest: Match, match: float, authenticity: float) -> tuple[Outcome, str]:
    """Place the distance of the best match among the two thresholds, whichever of them is the smaller."""
    place = f"distance {nearest.distance:.3f} to {nearest.object_id}"
    if nearest.registered and nearest.distance > match:
        return _compare_confirmed(nearest, nearest.registered, match, authenticity)
    tried = isinstance(nearest.registration, NotRegistered) and nearest.registration != NO_FEATURES
    if tried and match < nearest.distance <= authenticity:
        alone = "no catalogued object can be laid over it"
        if nearest.registration == IMPLAUSIBLE:  # none was tried
            alone = IMPLAUSIBLE.reason
        return Outcome.NO_MATCH, f"{place} is beyond the match threshold {match:.3f}, and {alone}"
    if nearest.distance > max(match, authenticity):
        return (
            Outcome.NO_MATCH,
            f"{place} is beyond the match threshold {match:.3f}: no catalogued object is near enough",
        )
    if tried and nearest.distance <= min(match, authenticity):
        return Outcome.INCONCLUSIVE, (
            f"{place} is within the authenticity threshold {authenticity:.3f}, but the exemplar cannot be laid over "
            "the photograph, as over a negative or a changed picture: another photograph, straight on, would help"
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
    if threshold.confidence is not None:
        return f"too few {what} for a calibrated threshold: two or more are needed"
    return (
        f"too few {what} ({threshold.count}) for a threshold at a {threshold.rate:.0%} error rate: "
        f"at least {threshold.needed} are needed"
    )


def _basis(basis: Basis, authenticity: Threshold, divergence: Divergence | None) -> list[str]:
    """Say where the thresholds come from, and whether the calibration still holds."""
    said = [] if basis.out_of_date is None else [f"calibration out of date: {basis.out_of_date}"]
    said += [MISFIT] if basis.misfit else []
    assert basis.thresholds is not None
    match, calibration = basis.thresholds.match, basis.calibration
    if calibration is not None and authenticity.confidence is not None:
        promise = f"at most {share(authenticity.rate)} false alarms"
        if divergence is None:
            promise = f"at most {share(match.rate)} false matches from {match.count} pairs of objects, {promise}"
        said.append(
            f"calibration {calibration.number} of {day(calibration.date)}, with {authenticity.confidence:.0%} "
            f"confidence: {promise} from {authenticity.count} objects, out of {sources(calibration)}"
        )
    elif divergence is not None:
        said.append(
            "provisional threshold of the combined distance, not calibrated on your photographs: "
            f"{authenticity.rate:.0%} false alarms on each of {len(default_description().sources)} sources of genuine "
            f"photographs, from {authenticity.count} pairs of the worst"
        )
    else:
        said.append(
            f"provisional thresholds, not calibrated on labelled photographs: match at {match.rate:.0%} false matches "
            f"from {match.count} objects, authenticity at {authenticity.rate:.0%} false alarms from "
            f"{authenticity.count} simulated re-photographs"
        )
    return said


def _condition(basis: Basis, condition: str | None) -> tuple[str, ...]:
    """Say in which condition the photograph is, where its threshold goes by that."""
    assert basis.thresholds is not None
    pool = basis.thresholds.pool_of(condition)
    if condition is None or basis.calibration is None or not pool:
        return ()
    return (judged_as(condition, pool, basis.calibration.conditions[condition]),)


def _plain(number: float) -> str:
    """Return a number of 1 or more with two digits that count, and none that are made up."""
    return f"{number:.1f}" if number < 10 else f"{float(f'{number:.2g}'):,.0f}"
