"""The commands that judge photographs: query, compare and screen."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.exit_codes import ExitCode
from cli.commands.shared_options import (
    DATA,
    Data,
    ExitCodeOption,
    Format,
    ListFormat,
    Neighbours,
    Png,
    Report,
    Single,
    complete_object,
)
from cli.output.streams import STDOUT
from cli.runs.judging_options import LookingOptions
from cli.screening.forms import ScreenFormat

if TYPE_CHECKING:  # not imported here: `--help` must be quick
    from cli.records.artifact_1 import Tally
    from retrieval.photographs.reader_process import Reader


def query(
    photos: Annotated[list[Path], typer.Argument(metavar="PHOTO", help="The photograph to be judged, or several.")],
    k: Neighbours = 5,
    data: Data = DATA,
    format: Format = ListFormat.TABLE,
    report: Report = None,
    png: Png = None,
    single: Single = False,
    together: Annotated[
        bool, typer.Option("--together", help="The photographs show one thing: judge them together too.")
    ] = False,
    exit_code: ExitCodeOption = False,
    *,
    judging: LookingOptions,
) -> None:
    """Find the objects nearest to a photograph, and say whether it diverges from the genuine exemplar.

    Several works on it are found and judged one by one. --report and --png show the first against its object. Of
    several photographs JSON is a list; `artifact screen` judges many, and puts first what needs a person.

    \b
    Examples:
      artifact query photo.jpg
      artifact query photo.jpg --report evidence.html
      artifact query photo.jpg -k 10 --format json
      artifact query front.jpg back.jpg
      artifact query left.jpg middle.jpg right.jpg --together
      artifact query photo.jpg --exit-code || echo "look at it"
    """
    as_json = format is ListFormat.JSON
    if len(photos) > 1:
        if report is not None or png is not None:
            raise typer.BadParameter("--report and --png show one PHOTO; `artifact screen --out FILE.html` shows many")
        from cli.runs.query import run_queries

        tally = run_queries(photos, data, k=k, several=not single, together=together, as_json=as_json, judging=judging)
        raise typer.Exit(_exit_code(tally, exit_code))
    if together:
        raise typer.BadParameter("--together needs several PHOTOs of one thing")
    with _reader() as read:
        from cli.runs.query import run_query

        tally = run_query(
            photos[0],
            data,
            read=read,
            k=k,
            several=not single,
            as_json=as_json,
            report=report,
            png=png,
            judging=judging,
        )
    raise typer.Exit(_exit_code(tally, exit_code))


def _reader() -> "AbstractContextManager[Reader]":
    """Start what reads a photograph, so that it gets ready while all the rest is imported."""
    from retrieval.photographs.reader_process import PATIENT, reading_apart

    return reading_apart(PATIENT, ahead=1)


def _exit_code(tally: "Tally", flagging: bool) -> ExitCode:
    """Return the exit code of photographs: that of the worst."""
    if flagging and tally.alerts:
        return ExitCode.ALERT
    if flagging and tally.outcomes.get("divergent"):
        return ExitCode.DIVERGENT
    return ExitCode.UNREADABLE if tally.outcomes.get("unreadable") else ExitCode.DONE


def compare(
    photo: Annotated[
        Path,
        typer.Argument(metavar="PHOTO", help="The photograph to be judged; of two the exemplar."),
    ],
    second: Annotated[
        str,
        typer.Argument(
            metavar="OBJECT|PHOTO",
            help="Id of an object, or the file of a second photograph.",
            autocompletion=complete_object,
        ),
    ],
    data: Data = DATA,
    format: Format = ListFormat.TABLE,
    report: Report = None,
    png: Png = None,
    exit_code: ExitCodeOption = False,
    *,
    judging: LookingOptions,
) -> None:
    """Judge a photograph against one object, or against another photograph, and show where the two differ.

    Two photographs need no catalogue: the first is taken as the exemplar, the second is judged by it, and nothing is
    recorded. What is a file is a photograph; ./FILE is one even where an object has that id.

    \b
    Examples:
      artifact compare photo.jpg 1984.12
      artifact compare photo.jpg 1984.12 --report evidence.html --png evidence.png
      artifact compare of-2019.jpg of-today.jpg --report evidence.html
    """
    with _reader() as read:
        from cli.runs.query import is_photograph, run_query, run_two

        as_json = format is ListFormat.JSON
        if is_photograph(second, data):
            tally = run_two(photo, Path(second), read=read, as_json=as_json, report=report, png=png, judging=judging)
        else:
            tally = run_query(
                photo, data, read=read, object_id=second, as_json=as_json, report=report, png=png, judging=judging
            )
    raise typer.Exit(_exit_code(tally, exit_code))


def screen(
    source: Annotated[
        Path,
        typer.Argument(metavar="SOURCE", help="Folder, list of files (- is stdin), or table of lots."),
    ],
    k: Neighbours = 5,
    data: Data = DATA,
    format: Annotated[
        ScreenFormat | None,
        typer.Option("--format", "-f", help="By default by the ending of --out, else a table."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Write here, and go on from there; - is stdout."),
    ] = None,
    single: Single = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on with what comes into the folder, until Ctrl-C.")
    ] = False,
    every: Annotated[
        float, typer.Option("--every", min=0.1, metavar="SECONDS", help="With --watch: how often to look.")
    ] = 10.0,
    time_limit: Annotated[
        float, typer.Option("--time-limit", min=1.0, metavar="SECONDS", help="For reading one photograph.")
    ] = 60.0,
    exclude: Annotated[
        list[str] | None,
        typer.Option("--exclude", metavar="GLOB", help="Leave out of a folder what fits; may be given again."),
    ] = None,
    map: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="FIELD=COLUMN", help="The column of a field, such as photo=Datei; again for more."
        ),
    ] = None,
    beside: Annotated[
        Path | None,
        typer.Option("--beside", metavar="DIR", help="The photographs of a table or list are here, not beside it."),
    ] = None,
    records: Annotated[
        Path | None, typer.Option("--records", metavar="FILE", help="Write the records here too, a line of JSON each.")
    ] = None,
    bell: Annotated[bool, typer.Option("--bell", help="Ring at each alert.")] = False,
    notify: Annotated[
        str | None,
        typer.Option("--notify", metavar="COMMAND", help="Run this at each alert, with the record as JSON on stdin."),
    ] = None,
    bom: Annotated[bool, typer.Option("--bom", help="Begin a CSV file as spreadsheets of Windows want it.")] = False,
    exit_code: ExitCodeOption = False,
    *,
    judging: LookingOptions,
) -> None:
    """Judge many photographs, and put first what needs a person.

    A table of lots, CSV or XLSX, has a column `photo`; others (lot, sale, house, maker, url, ...) are kept and shown.
    What stands under `claim`, an object's id or accession number, is verified against that object, whatever else is
    near.

    \b
    Examples:
      artifact screen ./incoming
      artifact screen lots.csv --out report.html
      artifact screen ./incoming --format jsonl > verdicts.jsonl
      artifact screen ./inbox --watch --out today.html --notify ./send-mail.sh
      find . -name '*.jpg' | artifact screen -
    """
    from cli.runs.screen import run_screen
    from cli.screening.forms import form_of
    from cli.screening.screening_options import ScreeningOptions

    out = None if out == STDOUT else out
    form = format or form_of(out)
    screening = ScreeningOptions(
        k=k,
        several=not single,
        time_limit=time_limit,
        form=form,
        out=out,
        bom=bom,
        exclude=tuple(exclude or ()),
        beside=beside,
        records=records,
        map=tuple(map or ()),
        watching=watch,
        bell=bell,
        notify=notify,
    )
    tally = run_screen(source, data, options=screening, judging=judging, every=every if watch else None)
    raise typer.Exit(_exit_code(tally, exit_code))
