"""Thresholds with the counts behind them: provisional from the catalogue itself, or set by a calibration."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from retrieval.statistics.likelihood import LikelihoodRatio
from retrieval.statistics.metrics import at_most

SOURCES = {"labelled": "labelled photographs", "exemplars": "other exemplars", "simulated": "simulated re-photographs"}


FALSE_MATCH_RATE = 0.05
FALSE_ALARM_RATE = 0.05
CONFIDENCE = 0.95
MOST_GROWTH = 0.2  # share of its objects by which a catalogue may change before a calibration is out of date


@dataclass(frozen=True, slots=True)
class Threshold:
    """A distance, the rate of errors it was set for, and the number of objects behind it.

    `value` is None where there are too few objects for the rate. The rate holds on average, or, where there is a
    `confidence`, with this probability over the photographs that it was set on. `asked` is the rate that was wanted,
    where the objects are too few to carry it.
    """

    value: float | None
    rate: float
    count: int
    confidence: float | None = None
    asked: float | None = None

    @property
    def needed(self) -> int:
        """The number of objects from which a threshold that holds on average can be set at this rate."""
        return math.ceil(round(1.0 / self.rate, 9)) - 1


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Nearer than `match`, an object is found. Farther than the others, its photograph diverges.

    `combined` limits the combined distance, where a photograph was compared place by place, unless there is a limit
    for its condition, by the conditions that share one; `authenticity` limits the global distance, where it was not.
    """

    match: Threshold
    authenticity: Threshold
    combined: Threshold | None = None
    by_condition: Mapping[tuple[str, ...], Threshold] = field(default_factory=dict)

    def pool_of(self, condition: str | None) -> tuple[str, ...]:
        """Return the conditions that share the threshold of a photograph; none where it does not go by condition."""
        return next((pool for pool in self.by_condition if condition in pool), ())

    def combined_of(self, condition: str | None) -> Threshold | None:
        """Return the threshold of the combined distance of a photograph in a condition."""
        return self.by_condition.get(self.pool_of(condition), self.combined)


def match_threshold(nearest_other: np.ndarray, *, rate: float = FALSE_MATCH_RATE) -> Threshold:
    """Return the distance below which an unknown work falls at most at `rate`.

    `nearest_other` holds, for each work, the distance of one of its exemplars to the nearest other work: what this
    catalogue looks like to a work that is not in it. The threshold is the floor(rate * (n + 1))-th smallest, the
    distribution-free bound of conformal prediction (Vovk, Gammerman and Shafer 2005).
    """
    rank = rank_at(rate, len(nearest_other))
    value = float(np.sort(nearest_other)[rank - 1]) if rank else None
    return Threshold(value, rate, len(nearest_other))


def authenticity_threshold(genuine: np.ndarray, *, rate: float = FALSE_ALARM_RATE) -> Threshold:
    """Return the distance above which a genuine photograph falls at most at `rate`.

    `genuine` holds one distance an object between its exemplar and another photograph of it. The bound of
    `match_threshold`, from above: the floor(rate * (n + 1))-th largest.
    """
    rank = rank_at(rate, len(genuine))
    value = float(np.sort(genuine)[-rank]) if rank else None
    return Threshold(value, rate, len(genuine))


def rank_at(rate: float, count: int) -> int:
    """Return how many of so many exchangeable cases may err at `rate`; 0 when they are too few to say."""
    return math.floor(round(rate * (count + 1), 9))


def smallest_rate(count: int, *, confidence: float = CONFIDENCE) -> float:
    """Return the smallest rate that so many values can carry, about 3 / count: none of them may lie beyond."""
    return 1.0 - (1.0 - confidence) ** (1.0 / count) if count else 1.0


def objects_needed(rate: float, *, confidence: float = CONFIDENCE) -> int:
    """Return the smallest number of values that can carry a rate."""
    return math.ceil(round(math.log1p(-confidence) / math.log1p(-rate), 9))


def allowed_beyond(count: int, rate: float, *, confidence: float = CONFIDENCE) -> int:
    """Return how many of `count` values may lie beyond a threshold of this rate; the rate must be one they can carry.

    The largest k at which k or fewer of them would be beyond, were the rate just exceeded, with a probability of
    1 - confidence at most (Wilks, Annals of Mathematical Statistics 1941; the tolerance limits of Conover, Practical
    Nonparametric Statistics, 3.3).
    """
    beyond = 0
    while at_most(beyond + 1, count, rate) <= 1.0 - confidence:
        beyond += 1
    return beyond


def upper_bound(values: np.ndarray, rate: float, *, confidence: float = CONFIDENCE) -> Threshold:
    """Return the value that others of their kind exceed at most at `rate`, with this confidence, whatever they are.

    `values`, shape (n,), are independent, one for each object. Where they are too few for `rate` it is the largest,
    at the smallest rate that they can carry. Without any the value is None.
    """
    count = len(values)
    carried = max(rate, smallest_rate(count, confidence=confidence))
    value = None
    if count:
        beyond = allowed_beyond(count, rate, confidence=confidence) if carried == rate else 0
        value = float(np.sort(values)[count - 1 - beyond])
    return Threshold(value, carried, count, confidence, rate if carried > rate else None)


def lower_bound(values: np.ndarray, rate: float, *, confidence: float = CONFIDENCE) -> Threshold:
    """Return the value that others of their kind fall below at most at `rate`: `upper_bound` from the other side."""
    mirrored = upper_bound(-np.asarray(values), rate, confidence=confidence)
    return replace(mirrored, value=None if mirrored.value is None else -mirrored.value)


@dataclass(frozen=True, slots=True)
class CalibratedDistance:
    """What a calibration knows of one of the distances, from genuine photographs and from copies."""

    threshold: Threshold
    genuine: tuple[float, ...]  # one for each object, ascending
    ratio: LikelihoodRatio | None = None  # None: too few copies were labelled

    def p_value(self, distance: float) -> float:
        """Return how often a genuine photograph lies this far or farther: the conformal p-value, at least 1/(n + 1)."""
        beyond = len(self.genuine) - int(np.searchsorted(self.genuine, distance, side="left"))
        return (1 + beyond) / (len(self.genuine) + 1)


@dataclass(frozen=True, slots=True)
class ConditionClass:
    """What a calibration knows of the combined distance of photographs in one condition, or in several together."""

    conditions: tuple[str, ...]
    measured: CalibratedDistance


@dataclass(frozen=True, slots=True)
class Calibration:
    """Thresholds that were set on photographs of this catalogue's objects, and what stands behind them."""

    date: str  # ISO 8601, with the zone
    encoder: str  # fingerprint
    revision: int
    objects: int  # in the catalogue then
    sources: Mapping[str, int]  # objects by where their genuine photograph is from: labelled, exemplars, simulated
    copies: int  # photographs labelled as forgeries
    match: Threshold
    combined: CalibratedDistance  # the combined distance, in whatever condition
    whole: CalibratedDistance  # the global distance
    number: int | None = None  # its id in the catalogue
    conditions: Mapping[str, int] = field(default_factory=dict)  # objects photographed in each; none: made before these
    classes: tuple[ConditionClass, ...] = ()  # each condition is in one
    photographs: Mapping[str, str] = field(default_factory=dict)  # sha256 of each that was measured -> its object

    @property
    def thresholds(self) -> Thresholds:
        """The thresholds by themselves."""
        by_condition = {one.conditions: one.measured.threshold for one in self.classes}
        return Thresholds(self.match, self.whole.threshold, self.combined.threshold, by_condition)

    def combined_of(self, condition: str | None) -> CalibratedDistance:
        """Return what is known of the combined distance in a condition."""
        found = (one.measured for one in self.classes if condition in one.conditions)
        return next(found, self.combined)

    def ratio_of(self, condition: str | None) -> LikelihoodRatio | None:
        """Return the ratio of the combined distance in a condition, or of all where its copies are too few."""
        return self.combined_of(condition).ratio or self.combined.ratio

    def out_of_date(self, encoder: str, objects: int) -> str | None:
        """Return why the calibration no longer holds for a catalogue of this encoder and so many objects."""
        if encoder != self.encoder:
            return f"it was made with the encoder {self.encoder}, not {encoder}"
        change = abs(objects - self.objects) / self.objects
        if change > MOST_GROWTH:
            return f"the catalogue had {self.objects} objects then and has {objects} now"
        return None

    def as_dict(self) -> dict[str, Any]:
        """Return all of it but its number, for JSON."""
        values = asdict(self)
        del values["number"]
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], *, number: int) -> Calibration:
        """Return what `as_dict` wrote."""
        measured = {kind: _measured(values[kind]) for kind in ("combined", "whole")}
        classes = tuple(
            ConditionClass(tuple(one["conditions"]), _measured(one["measured"])) for one in values.get("classes", ())
        )
        read = measured | {"classes": classes, "match": Threshold(**values["match"])}
        return cls(**{**values, **read}, number=number)


def _measured(values: Mapping[str, Any]) -> CalibratedDistance:
    ratio = values["ratio"]
    return CalibratedDistance(
        threshold=Threshold(**values["threshold"]),
        genuine=tuple(values["genuine"]),
        ratio=ratio and LikelihoodRatio(**ratio),
    )


def sources(calibration: Calibration) -> str:
    """Return where the genuine photographs of a calibration are from, in words."""
    return ", ".join(f"{count} {SOURCES[kind]}" for kind, count in calibration.sources.items() if count)


def share(rate: float) -> str:
    """Return a rate of errors in per cent, never less than it is."""
    return f"{math.ceil(round(1000 * rate, 6)) / 10:g}%"
