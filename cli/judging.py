"""The commands that make verdicts dependable, thin functions as in `cli.main`: calibrate, evaluate, verdicts."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli import options
from cli.options import UNREADABLE, Device, ListFormat


class OutcomeName(StrEnum):
    """What was said of a photograph."""

    CONSISTENT = "consistent"
    DIVERGENT = "divergent"
    NO_MATCH = "no-match"
    INCONCLUSIVE = "inconclusive"
    UNREADABLE = "unreadable"


def calibrate(
    labels: Annotated[
        Path | None,
        typer.Argument(metavar="[LABELS.csv]", help="photo,object_id,label: 1 genuine, 0 a forgery of that object."),
    ] = None,
    false_match: Annotated[
        float,
        typer.Option("--false-match", min=0.0001, max=0.5, help="Unknown works taken for a catalogued one, at most."),
    ] = 0.01,
    false_alarm: Annotated[
        float, typer.Option("--false-alarm", min=0.0001, max=0.5, help="Genuine photographs flagged, at most.")
    ] = 0.05,
    data: options.Data = options.DATA,
    format: options.Format = ListFormat.TABLE,
    encoder: options.Encoder = None,
    device: options.DeviceOption = Device.CPU,
    max_megapixels: options.MaxMegapixels = options.MEGAPIXELS,
) -> None:
    """Set the thresholds on photographs of the catalogue's objects, each with the promise that they can carry.

    LABELS.csv or a folder as for `artifact train`; a column `group` may tie photographs that depend on each other.
    Without labels: other exemplars of an object, else simulated re-photographs. Earlier calibrations are kept.

    \b
    Examples:
      artifact calibrate
      artifact calibrate labels.csv
      artifact calibrate labels.csv --false-alarm 0.01 --false-match 0.001
    """
    from cli.calibrating import run_calibrate

    complete = run_calibrate(
        labels,
        data,
        false_match=false_match,
        false_alarm=false_alarm,
        as_json=format is ListFormat.JSON,
        encoder=encoder,
        device=device,
        max_megapixels=max_megapixels,
    )
    raise typer.Exit(0 if complete else UNREADABLE)


def evaluate(
    queries: Annotated[
        Path, typer.Argument(metavar="QUERIES.csv", help="photo,catalogue_ids; or photo,object_id,label; or a,b.")
    ],
    report: options.Report = None,
    data: options.Data = options.DATA,
    format: options.Format = ListFormat.TABLE,
    encoder: options.Encoder = None,
    device: options.DeviceOption = Device.CPU,
    max_megapixels: options.MaxMegapixels = options.MEGAPIXELS,
) -> None:
    """Measure the indexed catalogue on photographs whose truth is known: identification and verification.

    photo,catalogue_ids: the objects on each photograph, separated by spaces, or `none` for an unknown work.
    photo,object_id,label: 1 genuine, 0 a forgery. a,b: two photographs of one work, of which b or a is an exemplar.
    Every figure comes with its 95% interval by object. Evaluate on photographs that no calibration saw.

    \b
    Examples:
      artifact evaluate queries.csv
      artifact evaluate queries.csv --report evaluation.html
      artifact evaluate labels.csv --format json > evaluation.json
    """
    from cli.evaluating import run_evaluate

    complete = run_evaluate(
        queries,
        data,
        as_json=format is ListFormat.JSON,
        report=report,
        encoder=encoder,
        device=device,
        max_megapixels=max_megapixels,
    )
    raise typer.Exit(0 if complete else UNREADABLE)


def verdicts(
    outcome: Annotated[OutcomeName | None, typer.Option("--outcome", help="Only verdicts of this outcome.")] = None,
    photo: Annotated[
        str | None, typer.Option("--photo", metavar="TEXT", help="Only photographs with this text in their path.")
    ] = None,
    limit: Annotated[int, typer.Option("-n", min=1, help="How many, the last one first.")] = 20,
    data: options.Data = options.DATA,
    format: options.Format = ListFormat.TABLE,
) -> None:
    """List the verdicts of earlier queries, comparisons and screenings.

    \b
    Examples:
      artifact verdicts
      artifact verdicts --outcome divergent -n 100
      artifact verdicts --photo lot-117 --format json
    """
    from cli.looking_back import run_verdicts

    run_verdicts(data, outcome=outcome, photo=photo, limit=limit, as_json=format is ListFormat.JSON)


def verdict(
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="Number of the verdict.")],
    replay: Annotated[
        bool, typer.Option("--replay", help="Make it again, and exit with 1 if it no longer holds.")
    ] = False,
    data: options.Data = options.DATA,
    format: options.Format = ListFormat.TABLE,
    encoder: options.Encoder = None,
    device: options.DeviceOption = Device.CPU,
    max_megapixels: options.MaxMegapixels = options.MEGAPIXELS,
) -> None:
    """Show a recorded verdict with all that it rests on, and with --replay whether it still holds.

    It holds if outcome and object are the same: bit for bit on the same machine, the distances within 0.001 elsewhere.

    \b
    Examples:
      artifact verdict 17
      artifact verdict 17 --replay
    """
    from cli.looking_back import run_verdict

    holds = run_verdict(
        number,
        data,
        again=replay,
        as_json=format is ListFormat.JSON,
        encoder=encoder,
        device=device,
        max_megapixels=max_megapixels,
    )
    raise typer.Exit(0 if holds else 1)
