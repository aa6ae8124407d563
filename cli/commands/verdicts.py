"""The commands that look back on what was said: verdicts, verdict and review."""

from pathlib import Path
from typing import Annotated

import typer

from cli.commands.exit_codes import ExitCode
from cli.commands.shared_options import DATA, Data, Format, ListFormat, Report, complete_object
from cli.runs.judging_options import JudgingOptions
from indexer.inputs.option import Option
from retrieval.outcome import UNREADABLE, Outcome


def verdicts(
    outcome: Annotated[str | None, Option("Only verdicts of this outcome.", choices=(*Outcome, UNREADABLE))] = None,
    photo: Annotated[
        str | None, typer.Option("--photo", metavar="TEXT", help="Only photographs with this text in their path.")
    ] = None,
    limit: Annotated[int, typer.Option("-n", min=1, help="How many, the last one first.")] = 20,
    data: Data = DATA,
    format: Format = ListFormat.TABLE,
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
    report: Report = None,
    data: Data = DATA,
    format: Format = ListFormat.TABLE,
    *,
    judging: JudgingOptions,
) -> None:
    """Show a recorded verdict with all that it rests on, and with --replay whether it still holds.

    It holds if outcome and object are the same: bit for bit on the same machine, the distances within 0.001 elsewhere.

    \b
    Examples:
      artifact verdict 17
      artifact verdict 17 --replay
      artifact verdict 17 --report evidence.html
    """
    from cli.runs.verdicts import run_verdict, write_report

    if report is not None:
        write_report(number, data, report, judging=judging)
    holds = run_verdict(number, data, judging=judging if replay else None, as_json=format is ListFormat.JSON)
    raise typer.Exit(ExitCode.DONE if holds else ExitCode.FAILED)


def recheck(
    objects: Annotated[
        list[str] | None,
        typer.Argument(metavar="OBJECT", help="Ids of objects; by default all that are stolen or missing."),
    ] = None,
    data: Data = DATA,
    format: Format = ListFormat.TABLE,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 11 when it raises an alert.")] = False,
    *,
    judging: JudgingOptions,
) -> None:
    """Search all that earlier screenings saw for works that are stolen or missing.

    Works that were matched then, and unknown works by what is kept of them. `artifact index` does it for what has come
    to be stolen or missing. What raised an alert already raises none again.

    \b
    Examples:
      artifact recheck
      artifact recheck 1984.12 --exit-code || echo "it was offered"
    """
    from cli.runs.recheck import run_recheck

    raised = run_recheck(data, objects or (), judging=judging, as_json=format is ListFormat.JSON)
    raise typer.Exit(ExitCode.ALERT if raised and exit_code else ExitCode.DONE)


def review(
    number: Annotated[
        int | None, typer.Argument(metavar="NUMBER", help="Number of the verdict to decide on.", show_default=False)
    ] = None,
    accept: Annotated[bool, typer.Option("--accept", help="The verdict is right.")] = False,
    overrule: Annotated[Outcome | None, typer.Option("--overrule", help="This is right instead.")] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take its last review back; the review stays in view.")] = False,
    object_id: Annotated[
        str | None,
        typer.Option(
            "--object",
            metavar="OBJECT",
            help="With --overrule: of this object, not the verdict's.",
            autocompletion=complete_object,
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
    data: Data = DATA,
    format: Format = ListFormat.TABLE,
) -> None:
    """List the verdicts that wait for a person, accept one or overrule it, and make labels of what was decided.

    Open are alerts, divergent and inconclusive verdicts and unreadable photographs. A decision is kept beside earlier
    ones, with its name, reason and date; nothing is ever overwritten, and the last one counts that was not taken back.

    \b
    Examples:
      artifact review
      artifact review 17 --accept --name "J. Doe"
      artifact review 17 --overrule consistent --reason "cleaned in 2019"
      artifact review 17 --undo --reason "the wrong lot"
      artifact review --export labels.csv
      artifact review --figures
    """
    from cli.runs.review import check_usage, run_export, run_figures, run_open, run_review, run_undo

    check_usage(
        number, accept=accept, overrule=overrule, undo=undo, object_id=object_id, export=export, figures=figures
    )
    as_json = format is ListFormat.JSON
    if number is not None and undo:
        run_undo(number, data, name=name, reason=reason)
    elif number is not None:
        run_review(number, data, overrule=overrule, object_id=object_id, name=name, reason=reason)
    elif export is not None:
        run_export(export, data)
    elif figures:
        run_figures(data, as_json=as_json)
    else:
        run_open(data, limit=None if every else limit, as_json=as_json)
