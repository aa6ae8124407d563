"""Put verdicts into the stable JSON shape, and into tables for people."""

from __future__ import annotations

import html
import json
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import typer

from retrieval.comparing.divergence import Divergence, NotCompared
from retrieval.comparing.registration import NotRegistered, Registration
from retrieval.finding.match import Match
from retrieval.judging.judge import Judge, Verdict, Work
from retrieval.outcome import UNREADABLE, Outcome
from retrieval.statistics.calibration import Threshold, Thresholds

SCHEMA = "artifact/1"
COLOURS = {
    str(Outcome.CONSISTENT): "green",
    str(Outcome.DIVERGENT): "red",
    str(Outcome.NO_MATCH): "blue",
    str(Outcome.INCONCLUSIVE): "yellow",
    UNREADABLE: "magenta",
}
_JOINERS = "\u200c\u200d"  # of letters, and of emoji

Record = dict[str, Any]


def record(
    verdict: Verdict,
    judge: Judge,
    numbers: Sequence[int] = (),
    *,
    lot: Mapping[str, str] | None = None,
    seen_before: Sequence[Record] = (),
    claim: Record | None = None,
) -> Record:
    """Return a verdict in the shape `artifact/1`: keys may be added to it, none changes or goes.

    `numbers` are those under which its works were recorded; `lot` is what a CSV file of lots says of the photograph.
    """
    basis = judge.basis
    return {
        "schema": SCHEMA,
        "photo": str(verdict.photo),
        "sha256": verdict.sha256,
        "works": [work_record(work, basis.thresholds) for work in verdict.works],
        "encoder": judge.encoder.fingerprint,
        "revision": judge.revision,
        "calibration": basis.calibration.number if basis.calibration else None,
        "error": verdict.error,
        "verdicts": list(numbers),
        "lot": None if lot is None else dict(lot),
        "claim": claim,
        "same_as": None,
        "seen_before": list(seen_before),
    }


def work_record(work: Work, limits: Thresholds | None) -> Record:
    """Return one work of a record."""
    decision = work.decision
    return {
        "region": list(work.region),
        "outline": None if work.outline is None else work.outline.round(1).tolist(),
        "alert": work.alert and str(work.alert),
        "status": work.status,
        "outcome": str(decision.outcome),
        "reasons": list(decision.reasons),
        "likelihood_ratio": decision.likelihood_ratio,
        "p_value": _rounded(decision.p_value),
        "matches": [_match(rank, match, limits) for rank, match in enumerate(work.matches, 1)],
        "forgery": work.forgery and _forgery(work.forgery),
    }


def _forgery(match: Match) -> Record:
    """Return a known forgery that the photograph was compared with, beside the genuine object."""
    found = match.divergence
    return {
        "object_id": match.object_id,
        "exemplar": str(match.exemplar),
        "distance": round(match.distance, 6),
        "combined": round(found.combined_distance, 6) if isinstance(found, Divergence) else None,
    }


def _match(rank: int, match: Match, limits: Thresholds | None) -> Record:
    return {
        "rank": rank,
        "object_id": match.object_id,
        "exemplar": str(match.exemplar),
        "distance": round(match.distance, 6),
        "match_threshold": limits and _rounded(limits.match.value),
        "authenticity_threshold": limits and _rounded(limits.authenticity.value),
        **_registration(match.registration),
        **_divergence(match.divergence, limits.combined if limits else None),
    }


def _registration(found: Registration | NotRegistered | None) -> Record:
    """Return how the exemplar lies on the photograph, or why it does not; both null where it was not tried."""
    if not isinstance(found, Registration):
        return {"registration": None, "registration_reason": found and found.reason}
    registration = {
        "inliers": found.inliers,
        "overlap_exemplar": round(found.overlap_exemplar, 6),
        "overlap_probe": round(found.overlap_probe, 6),
        "homography": found.homography.tolist(),
        "mirrored": found.mirrored,
    }
    return {"registration": registration, "registration_reason": None}


def _divergence(found: Divergence | NotCompared | None, threshold: Threshold | None) -> Record:
    """Return how far the photograph lies from the exemplar place by place, or why that is not known."""
    if not isinstance(found, Divergence):
        return {"divergence": None, "divergence_reason": found and found.reason}
    divergence = {
        "global": round(found.global_distance, 6),
        "local": round(found.local_distance, 6),
        "threshold": _rounded(found.limit),
        "combined": round(found.combined_distance, 6),
        "combined_threshold": threshold and _rounded(threshold.value),
        "compared": round(found.compared, 6),
        "hidden": round(found.hidden, 6),
        "places": [{"box": list(place.box), "distance": round(place.distance, 6)} for place in found.places],
        "overlays": [
            {"kind": overlay.kind, "box": list(overlay.box), "share": round(overlay.share, 6)}
            for overlay in found.overlays
        ],
    }
    return {"divergence": divergence, "divergence_reason": None}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def dumps(value: Any, *, indent: int | None = None) -> str:
    """Return JSON in ASCII, which any terminal and any file name survives."""
    return json.dumps(value, indent=indent)


def outcomes(found: Record) -> list[str]:
    """Return the outcome of each work of a record, or that the photograph is unreadable."""
    return [work["outcome"] for work in found["works"]] or [UNREADABLE]


def alerts(found: Record) -> list[str]:
    """Return the alert of each work of a record that has one."""
    return [work["alert"] for work in found["works"] if work.get("alert")]


def plain(text: str) -> str:
    """Return text from outside, a file name say, as one printable line."""
    return "".join(letter if _shows(letter) else "�" for letter in text.encode(errors="replace").decode())


def _shows(letter: str) -> bool:
    """Say whether a letter belongs in a line: those of every script, spaces of every width, and what joins emoji."""
    return letter.isprintable() or letter in _JOINERS or unicodedata.category(letter) == "Zs"


def escaped(value: object) -> str:
    """Return text from outside in a form that is safe anywhere in a page."""
    return html.escape(plain(str(value)), quote=True)


def print_table(columns: Mapping[str, str], rows: Iterable[Iterable[str]]) -> None:
    """Print rows under columns (name -> "left" or "right") as wide as the terminal, or 80 characters."""
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name, justify in columns.items():
        table.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for row in rows:
        table.add_row(*(escape(plain(cell)) for cell in row))
    Console(highlight=False, width=_width()).print(table)


def _width() -> int:
    """Return the width of the terminal; 80 where there is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 80


def print_query(found: Record, titles: Mapping[str, str]) -> None:
    """Print one photograph's verdict for a person."""
    for work in found["works"]:
        typer.echo(f"{plain(found['photo'])}: " + styled(work["outcome"], colour=True))
        for reason in work["reasons"]:
            echo_wrapped(reason)
        rows = [
            (
                str(match["rank"]),
                match["object_id"],
                titles.get(match["object_id"], ""),
                f"{match['distance']:.3f}",
                f"{1 - match['distance'] ** 2 / 2:.3f}",
                f"{match['divergence']['local']:.3f}" if match["divergence"] else "",
                work["outcome"] if match["rank"] == 1 else "",
            )
            for match in work["matches"]
        ]
        columns = {
            "rank": "right",
            "object": "left",
            "title": "left",
            "distance": "right",
            "similarity": "right",
            "local": "right",
        }
        print_table(columns | {"outcome": "left"}, rows)


def echo_wrapped(reason: str) -> None:
    """Print a sentence, indented, in lines as wide as the terminal."""
    typer.echo(textwrap.fill(plain(reason), _width(), initial_indent="  ", subsequent_indent="    "))


def styled(outcome: str, *, colour: bool) -> str:
    """Return an outcome, in its colour where that is wanted."""
    return typer.style(outcome, fg=COLOURS[outcome], bold=True) if colour else outcome
