"""The commands that judge photographs, and those that look back on what was said."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.commands import options
from cli.commands.exit_codes import ExitCode
from cli.commands.options import Device, ListFormat
from cli.screening.forms import ScreenFormat


def query(
    photo: Annotated[Path, typer.Argument(metavar="PHOTO", help="The photograph to be judged.")],
    k: options.Neighbours = 5,
    data: options.Data = options.DATA,
    format: options.Format = ListFormat.TABLE,
    report: options.Report = None,
    png: options.Png = None,
    single: options.Single = False,
    exit_code: options.ExitCodeOption = False,
    encoder: options.Encoder = None,
    device: options.DeviceOption = Device.CPU,
    max_megapixels: options.MaxMegapixels = options.MEGAPIXELS,
) -> None:
    """Find the objects nearest to a photograph, and say whether it diverges from the genuine exemplar.

    Several works on it are found and judged one by one. --report and --png show the first against its object.

    \b
    Examples:
      artifact query photo.jpg
      artifact query photo.jpg --report evidence.html
      artifact query photo.jpg -k 10 --format json
      artifact query photo.jpg --exit-code || echo "look at it"
    """
    from cli.runs.options import JudgingOptions
    from cli.runs.query import run_query

    divergent = run_query(
        photo,
        data,
        k=k,
        several=not single,
        as_json=format is ListFormat.JSON,
        report=report,
        png=png,
        judging=JudgingOptions(encoder=encoder, device=device, max_megapixels=max_megapixels),
    )
    raise typer.Exit(ExitCode.DIVERGENT if divergent and exit_code else ExitCode.DONE)


def compare(
    photo: Annotated[Path, typer.Argument(metavar="PHOTO", help="The photograph to be judged.")],
    object_id: options.ObjectId,
    data: options.Data = options.DATA,
    format: options.Format = ListFormat.TABLE,
    report: options.Report = None,
    png: options.Png = None,
    exit_code: options.ExitCodeOption = False,
    encoder: options.Encoder = None,
    device: options.DeviceOption = Device.CPU,
    max_megapixels: options.MaxMegapixels = options.MEGAPIXELS,
) -> None:
    """Judge a photograph against one object, and show where the two differ.

    \b
    Examples:
      artifact compare photo.jpg 1984.12
      artifact compare photo.jpg 1984.12 --report evidence.html --png evidence.png
    """
    from cli.runs.options import JudgingOptions
    from cli.runs.query import run_query

    divergent = run_query(
        photo,
        data,
        object_id=object_id,
        as_json=format is ListFormat.JSON,
        report=report,
        png=png,
        judging=JudgingOptions(encoder=encoder, device=device, max_megapixels=max_megapixels),
    )
    raise typer.Exit(ExitCode.DIVERGENT if divergent and exit_code else ExitCode.DONE)


def screen(
    source: Annotated[
        Path, typer.Argument(metavar="SOURCE", help="Folder of photographs, list of files, or CSV file of lots.")
    ],
    k: options.Neighbours = 5,
    data: options.Data = options.DATA,
    format: Annotated[
        ScreenFormat | None,
        typer.Option("--format", "-f", help="By default by the ending of --out, else a table."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Write here; an interrupted run goes on from there."),
    ] = None,
    single: options.Single = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on with what comes into the folder, until Ctrl-C.")
    ] = False,
    every: Annotated[
        float, typer.Option("--every", min=0.1, metavar="SECONDS", help="With --watch: how often to look.")
    ] = 10.0,
    time_limit: Annotated[
        float, typer.Option("--time-limit", min=1.0, metavar="SECONDS", help="For reading one photograph.")
    ] = 60.0,
    bom: Annotated[bool, typer.Option("--bom", help="Begin a CSV file as spreadsheets of Windows want it.")] = False,
    exit_code: options.ExitCodeOption = False,
    encoder: options.Encoder = None,
    device: options.DeviceOption = Device.CPU,
    max_megapixels: options.MaxMegapixels = options.MEGAPIXELS,
) -> None:
    """Judge many photographs, and put first what needs a person.

    A CSV file of lots has a column `photo`; others (lot, sale, house, maker, url, ...) are kept and shown. What stands
    under `claim`, an object's id or accession number, is verified against that object, whatever else is near.

    \b
    Examples:
      artifact screen ./incoming
      artifact screen lots.csv --out report.html
      artifact screen ./incoming --format jsonl > verdicts.jsonl
      artifact screen ./inbox --watch --out today.html
    """
    from cli.runs.options import JudgingOptions
    from cli.runs.screen import run_screen
    from cli.screening.forms import form_of
    from cli.screening.options import ScreeningOptions

    form = format or form_of(out)
    screening = ScreeningOptions(k=k, several=not single, time_limit=time_limit, form=form, out=out, bom=bom)
    judging = JudgingOptions(encoder=encoder, device=device, max_megapixels=max_megapixels)
    counts = run_screen(source, data, options=screening, judging=judging, every=every if watch else None)
    flagged = exit_code and counts["divergent"]
    raise typer.Exit(ExitCode.DIVERGENT if flagged else ExitCode.UNREADABLE if counts["unreadable"] else ExitCode.DONE)


class OutcomeName(StrEnum):
    """What was said of a photograph."""

    CONSISTENT = "consistent"
    DIVERGENT = "divergent"
    NO_MATCH = "no-match"
    INCONCLUSIVE = "inconclusive"
    UNREADABLE = "unreadable"


class HeldOutcome(StrEnum):
    """What a reviewer may hold to be right."""

    CONSISTENT = "consistent"
    DIVERGENT = "divergent"
    NO_MATCH = "no-match"
    INCONCLUSIVE = "inconclusive"


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
    from cli.runs.verdicts import run_verdicts

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
    from cli.runs.options import JudgingOptions
    from cli.runs.verdicts import run_verdict

    judging = JudgingOptions(encoder=encoder, device=device, max_megapixels=max_megapixels)
    holds = run_verdict(number, data, judging=judging if replay else None, as_json=format is ListFormat.JSON)
    raise typer.Exit(0 if holds else 1)


def review(
    number: Annotated[
        int | None, typer.Argument(metavar="NUMBER", help="Number of the verdict to decide on.", show_default=False)
    ] = None,
    accept: Annotated[bool, typer.Option("--accept", help="The verdict is right.")] = False,
    overrule: Annotated[HeldOutcome | None, typer.Option("--overrule", help="This is right instead.")] = None,
    object_id: Annotated[
        str | None,
        typer.Option(
            "--object",
            metavar="OBJECT",
            help="With --overrule: of this object, not the verdict's.",
            autocompletion=options.complete_object,
        ),
    ] = None,
    name: Annotated[
        str, typer.Option("--name", envvar="ARTIFACT_REVIEWER", help="Who decides.", show_default=False)
    ] = "",
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why; needed to overrule.", show_default=False)
    ] = "",
    export: Annotated[
        Path | None,
        typer.Option("--export", metavar="FILE.csv", help="Write labels for `artifact calibrate` and `train`."),
    ] = None,
    figures: Annotated[
        bool, typer.Option("--figures", help="Say how many were accepted, and which errors were found.")
    ] = False,
    limit: Annotated[int, typer.Option("-n", min=1, help="How many open ones, the last one first.")] = 20,
    every: Annotated[bool, typer.Option("--all", help="All open ones.")] = False,
    data: options.Data = options.DATA,
    format: options.Format = ListFormat.TABLE,
) -> None:
    """List the verdicts that wait for a person, accept one or overrule it, and make labels of what was decided.

    Open are alerts, divergent and inconclusive verdicts and unreadable photographs. A decision is kept beside earlier
    ones, with its name, reason and date; nothing is ever overwritten, and the last one counts.

    \b
    Examples:
      artifact review
      artifact review 17 --accept --name "J. Doe"
      artifact review 17 --overrule consistent --reason "cleaned in 2019"
      artifact review --export labels.csv
      artifact review --figures
    """
    from cli.runs.review import check_usage, run_export, run_figures, run_open, run_review

    check_usage(number, accept=accept, overrule=overrule, object_id=object_id, export=export, figures=figures)
    as_json = format is ListFormat.JSON
    if number is not None:
        run_review(number, data, overrule=overrule, object_id=object_id, name=name, reason=reason)
    elif export is not None:
        run_export(export, data)
    elif figures:
        run_figures(data, as_json=as_json)
    else:
        run_open(data, limit=None if every else limit, as_json=as_json)
