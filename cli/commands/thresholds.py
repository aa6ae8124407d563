"""The commands that set and measure thresholds: calibrate and evaluate."""

from pathlib import Path
from typing import Annotated

import typer

from cli.commands.exit_codes import ExitCode
from cli.commands.shared_options import DATA, Data, Format, ListFormat, Report
from cli.runs.judging_options import LookingOptions


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
    yes: Annotated[bool, typer.Option("--yes", help="Calibrate from a handful without being asked.")] = False,
    data: Data = DATA,
    format: Format = ListFormat.TABLE,
    *,
    judging: LookingOptions,
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
    from cli.runs.calibrate import run_calibrate

    complete = run_calibrate(
        labels,
        data,
        false_match=false_match,
        false_alarm=false_alarm,
        as_json=format is ListFormat.JSON,
        judging=judging,
        yes=yes,
    )
    raise typer.Exit(ExitCode.DONE if complete else ExitCode.UNREADABLE)


def evaluate(
    queries: Annotated[
        Path, typer.Argument(metavar="QUERIES.csv", help="photo,catalogue_ids; or photo,object_id,label; or a,b.")
    ],
    report: Report = None,
    with_calibrated: Annotated[
        bool, typer.Option("--with-calibrated", help="Measure on photographs that served the calibration too.")
    ] = False,
    data: Data = DATA,
    format: Format = ListFormat.TABLE,
    *,
    judging: LookingOptions,
) -> None:
    """Measure the indexed catalogue on photographs whose truth is known: identification and verification.

    photo,catalogue_ids: the objects on each photograph, separated by spaces, or `none` for an unknown work.
    photo,object_id,label: 1 genuine, 0 a forgery. a,b: two photographs of one work, of which b or a is an exemplar.
    Every figure comes with its 95% interval by object. Photographs that served the calibration are left out.

    \b
    Examples:
      artifact evaluate queries.csv
      artifact evaluate queries.csv --report evaluation.html
      artifact evaluate labels.csv --format json > evaluation.json
    """
    from cli.runs.evaluate import run_evaluate

    complete = run_evaluate(
        queries,
        data,
        as_json=format is ListFormat.JSON,
        report=report,
        judging=judging,
        with_calibrated=with_calibrated,
    )
    raise typer.Exit(ExitCode.DONE if complete else ExitCode.UNREADABLE)
