"""What `artifact verdicts` and `artifact verdict` say of what was said."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import typer

from cli.output.terminal import echo_wrapped, print_table, styled
from cli.output.text import plain
from cli.records.artifact_1 import dumps
from retrieval.judging.edition import open_edition
from retrieval.machine import cpu_count
from retrieval.verdicts.log import VerdictLog
from retrieval.verdicts.recorded import Recorded, as_dict
from retrieval.verdicts.replay import TOLERANCE, Replayed, replay
from retrieval.verdicts.reviews import OVERRULE, Review, reviews


def run_verdicts(data: Path, *, outcome: str | None, photo: str | None, limit: int | None, as_json: bool) -> None:
    """Print recorded verdicts, the last one first."""
    with VerdictLog.reading(data) as log:
        found = log.verdicts(outcome=outcome, photo=photo, limit=limit)
    if as_json:
        typer.echo(dumps([as_dict(item) for item in found], indent=2))
        return
    columns = {"verdict": "right", "date": "left", "outcome": "left", "object": "left", "distance": "right"}
    rows = [
        (str(item.number), item.date[:16], item.outcome, item.object_id or "", distance_of(item), Path(item.photo).name)
        for item in found
    ]
    print_table(columns | {"photo": "left"}, rows)


def distance_of(item: Recorded) -> str:
    """Return the distance that decided, in words for a table."""
    decided = item.whole if item.combined is None else item.combined
    return "" if decided is None else f"{decided:.3f}"


def run_verdict(
    number: int,
    data: Path,
    *,
    again: bool,
    as_json: bool,
    encoder: str | None,
    device: str,
    max_megapixels: float,
) -> bool:
    """Print one verdict with its reviews, and with `again` whether it still holds; return False where it does not."""
    with VerdictLog.reading(data) as log:
        item, decided = log.verdict(number), reviews(log, number)
    replayed = None
    if again:
        edition = open_edition(data, encoder_spec=encoder, device=device, parallel=cpu_count())
        replayed = replay(item, edition, max_megapixels=max_megapixels)
    if as_json:
        more = {"reviews": [asdict(review) for review in decided], "replay": replayed and _replayed(replayed)}
        typer.echo(dumps(as_dict(item) | more, indent=2))
    else:
        _print(item)
        for review in decided:
            _print_review(review)
        for line in _lines(replayed) if replayed else ():
            typer.echo(line)
    return replayed is None or replayed.holds


def _replayed(found: Replayed) -> dict:
    return {
        "holds": found.holds,
        "identical": found.identical,
        "largest_difference": found.largest,
        "remarks": list(found.remarks),
        "now": as_dict(found.now),
    }


def _print(item: Recorded) -> None:
    alert = f", alert: {item.alert}" if item.alert else ""
    typer.echo(f"verdict {item.number} of {item.date}: " + styled(item.outcome, colour=True) + alert)
    typer.echo(f"  photo: {plain(item.photo)}")
    typer.echo(f"  sha256: {item.sha256}")
    if item.lot is not None:
        echo_wrapped("lot: " + "; ".join(f"{name} {value}" for name, value in item.lot.items() if value))
    if item.object_id is not None:
        typer.echo(f"  object: {plain(item.object_id)}, exemplar {plain(str(item.exemplar))}")
    for name, value in (("global", item.whole), ("local", item.local), ("combined", item.combined)):
        if value is not None:
            typer.echo(f"  {name} distance: {value:.6f}")
    if item.threshold is not None:
        typer.echo(f"  threshold: {item.threshold:.6f}")
    for reason in item.reasons:
        echo_wrapped(reason)
    calibration = "none" if item.calibration is None else str(item.calibration)
    typer.echo(f"  encoder {item.encoder}, revision {item.revision}, calibration {calibration}")


def _print_review(review: Review) -> None:
    held = f"accepted by {review.name}"
    if review.decision == OVERRULE:
        held = f"overruled by {review.name}: {review.outcome}" + (f", {review.object_id}" if review.object_id else "")
    echo_wrapped(f"review {review.number} of {review.date}: {held}")
    if review.reason:
        echo_wrapped(f"  {review.reason}")


def _lines(found: Replayed) -> list[str]:
    if found.identical:
        said = "made again: it holds, bit for bit"
    elif found.holds:
        said = f"made again: it holds; the distances differ by {found.largest:.2g} at most ({TOLERANCE:g} is allowed)"
    else:
        now = found.now
        said = f"made again: it no longer holds; now {now.outcome}, {now.object_id}, distance {distance_of(now)}"
    return [said, *(f"  {remark}" for remark in found.remarks)]
