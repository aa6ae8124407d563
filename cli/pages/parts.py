"""The parts that pages share: badges and bars."""

from __future__ import annotations

from collections.abc import Mapping

from cli.records.artifact_1 import Record
from cli.records.triage import Priority
from retrieval.outcome import UNREADABLE, Outcome

# Each with a sign for those who do not see its colour.
SIGNS: Mapping[str, str] = {
    Outcome.DIVERGENT: "!", Outcome.INCONCLUSIVE: "?", UNREADABLE: "✕", Outcome.CONSISTENT: "≈", Outcome.NO_MATCH: "○",
}  # fmt: skip


def badge(outcome: str) -> str:
    """Return an outcome with its sign, in its colour."""
    return f'<span class="badge {outcome}"><span aria-hidden="true">{SIGNS[outcome]}</span> {outcome}</span>'


def signed(rank: Priority) -> str:
    """Return a priority with its sign."""
    return f'<span aria-hidden="true">{rank.sign}</span> {rank}'


def _end(largest: float) -> float:
    """Return where a scale ends: a little beyond the largest value, but not beyond 2 for the sake of that."""
    return max(largest, min(2.0, 1.2 * largest)) or 1.0


def bar(best: Record) -> str:
    """Draw the distance of a match from 0, with both thresholds; positions are shares of the width."""
    values = {"authenticity": best["authenticity_threshold"], "match": best["match_threshold"]}
    known = {name: value for name, value in values.items() if value is not None}
    share = 100 / (end := _end(max([best["distance"], *known.values()])))
    marks = "".join(
        f'<line class="{name}" x1="{value * share:.2f}%" x2="{value * share:.2f}%" y1="{top}" y2="{top + 21}"/>'
        f'<text x="{value * share:.2f}%" y="{baseline}" text-anchor="{"end" if value > end / 2 else "start"}">'
        f"{name} {value:.3f}</text>"
        for (name, value), (top, baseline) in zip(values.items(), ((14, 11), (17, 49)), strict=True)
        if value is not None
    )
    said = "; ".join([f"distance {best['distance']:.3f}", *(f"{name} threshold {v:.3f}" for name, v in known.items())])
    return (
        f'<div class="bar"><span>0</span><svg role="img" aria-label="{said}"><rect width="100%" height="18" y="17"/>'
        f'<rect class="value" width="{best["distance"] * share:.2f}%" height="8" y="22"/>{marks}</svg>'
        f"<span>{end:.2f}</span></div>\n"
    )
