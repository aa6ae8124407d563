"""The parts that pages share: the signs of outcomes, and bars of distances."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cli.records.triage import DecidingDistance
from retrieval.outcome import UNREADABLE, Outcome

# Each outcome with a sign, for readers who do not see the colour of the outcome.
SIGNS: Mapping[str, str] = {
    Outcome.DIVERGENT: "!", Outcome.INCONCLUSIVE: "?", UNREADABLE: "✕", Outcome.CONSISTENT: "≈", Outcome.NO_MATCH: "○",
}  # fmt: skip


def outcome_columns(confusion: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Return the columns of a confusion of truths with outcomes: every outcome of a work, then others that occur."""
    outcomes = [str(outcome) for outcome in Outcome]
    return outcomes + sorted({outcome for row in confusion.values() for outcome in row} - set(outcomes))


@dataclass(frozen=True, slots=True)
class ThresholdMark:
    """A threshold marked on a bar, by a line from `top` down, and by words on `baseline`."""

    name: str
    value: float
    top: int
    baseline: int


@dataclass(frozen=True, slots=True)
class DistanceBar:
    """A distance drawn from 0, with its thresholds."""

    distance: float
    authenticity: float | None
    match: float | None

    @classmethod
    def of(cls, compared: DecidingDistance) -> DistanceBar:
        """Return the bar of the distance that decided, global or combined."""
        return cls(compared["distance"], compared["authenticity_threshold"], compared["match_threshold"])

    @property
    def marks(self) -> Iterator[ThresholdMark]:
        """The thresholds that are known."""
        if self.authenticity is not None:
            yield ThresholdMark("authenticity", self.authenticity, 14, 11)
        if self.match is not None:
            yield ThresholdMark("match", self.match, 17, 49)

    @property
    def end(self) -> float:
        """Where the scale ends: a little beyond the largest value, past 2 only if the largest value is."""
        largest = max([self.distance, *(mark.value for mark in self.marks)])
        return max(largest, min(2.0, 1.2 * largest)) or 1.0

    def percent(self, value: float) -> str:
        """Return where a value lies, in percent of the width."""
        return f"{100 * value / self.end:.2f}%"
