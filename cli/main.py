"""The `artifact` command: one thin function a command, and one place where errors become a line."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from cli import options
from cli.judging import calibrate, evaluate, review, verdict, verdicts
from cli.learning import simulate, train
from cli.options import UNREADABLE, Device, ListFormat, Precision
from cli.screening.forms import ScreenFormat
from retrieval.errors import ArtifactError

DIVERGENT, INTERRUPTED = 10, 130


class OneLineErrors(TyperGroup):
    """Turns whatever can happen to a user into one line on stderr and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except ArtifactError as error:
            _fail(str(error))
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has seen enough
            raise typer.Exit(1) from None
        except OSError as error:
            _fail(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}")
        except KeyboardInterrupt:
            _fail("interrupted; what was done is kept, the same command goes on from there", code=INTERRUPTED)


def _fail(message: str, *, code: int = 1) -> None:
    line = " ".join(message.split())
    typer.echo(f"artifact: {line}", err=True)
    raise typer.Exit(code)


app = typer.Typer(
    cls=OneLineErrors,
    name="artifact",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Tell whether a photograph shows a catalogued work of art, and whether it diverges from the genuine exemplar.",
    epilog="Start with:  artifact demo ./demo   or   artifact index ./catalogue",
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"artifact {version('artifact')}")
        raise typer.Exit()


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


@app.command()
def index(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of photographs of genuine objects.")],
    data: options.Data = options.DATA,
    encoder: options.Encoder = None,
    precision: Annotated[
        Precision | None, typer.Option("--precision", help="bf16 is quicker; chosen once for a catalogue.")
    ] = None,
    device: options.DeviceOption = Device.CPU,
    prune: Annotated[bool, typer.Option("--prune", help="Remove photographs that are no longer there.")] = False,
    max_megapixels: options.MaxMegapixels = options.MEGAPIXELS,
) -> None:
    """Embed a folder of genuine objects into the catalogue; again for what is new or changed.

    FOLDER/<file> is an object named by the file; FOLDER/<object>/<files> is an object with several exemplars.
    FOLDER/catalogue.csv may say more of each (object_id or photo, title, maker, date, ...).

    \b
    Examples:
      artifact index ./catalogue
      artifact index ./catalogue --prune
      artifact index ./catalogue --data /srv/artifact --encoder ./my_encoder
    """
    from cli.runs.index import run_index

    complete = run_index(
        folder,
        data,
        encoder=encoder,
        precision=precision,
        device=device,
        prune=prune,
        max_megapixels=max_megapixels,
    )
    raise typer.Exit(0 if complete else UNREADABLE)


@app.command()
def query(
    photo: Annotated[Path, typer.Argument(metavar="PHOTO", help="The photograph to be judged.")],
    k: options.Neighbours = 5,
    data: options.Data = options.DATA,
    format: options.Format = ListFormat.TABLE,
    report: options.Report = None,
    png: options.Png = None,
    single: options.Single = False,
    exit_code: options.ExitCode = False,
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
    from cli.runs.query import run_query

    divergent = run_query(
        photo,
        data,
        k=k,
        several=not single,
        as_json=format is ListFormat.JSON,
        report=report,
        png=png,
        encoder=encoder,
        device=device,
        max_megapixels=max_megapixels,
    )
    raise typer.Exit(DIVERGENT if divergent and exit_code else 0)


@app.command()
def compare(
    photo: Annotated[Path, typer.Argument(metavar="PHOTO", help="The photograph to be judged.")],
    object_id: options.ObjectId,
    data: options.Data = options.DATA,
    format: options.Format = ListFormat.TABLE,
    report: options.Report = None,
    png: options.Png = None,
    exit_code: options.ExitCode = False,
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
    from cli.runs.query import run_query

    divergent = run_query(
        photo,
        data,
        object_id=object_id,
        as_json=format is ListFormat.JSON,
        report=report,
        png=png,
        encoder=encoder,
        device=device,
        max_megapixels=max_megapixels,
    )
    raise typer.Exit(DIVERGENT if divergent and exit_code else 0)


@app.command()
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
    exit_code: options.ExitCode = False,
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
    from cli.runs.screen import Wanted, run_screen
    from cli.screening.forms import form_of

    wanted = Wanted(
        k=k,
        several=not single,
        max_megapixels=max_megapixels,
        time_limit=time_limit,
        form=format or form_of(out),
        out=out,
        bom=bom,
    )
    counts = run_screen(source, data, wanted=wanted, every=every if watch else None, encoder=encoder, device=device)
    flagged = exit_code and counts["divergent"]
    raise typer.Exit(DIVERGENT if flagged else UNREADABLE if counts["unreadable"] else 0)


@app.command()
def status(data: options.Data = options.DATA, format: options.Format = ListFormat.TABLE) -> None:
    """Say what the catalogue holds, by which encoder, with which thresholds, and what was left out.

    \b
    Example:
      artifact status --format json
    """
    from cli.runs.inspect import run_status

    run_status(data, as_json=format is ListFormat.JSON)


@app.command(name="list")
def list_objects(data: options.Data = options.DATA, format: options.Format = ListFormat.TABLE) -> None:
    """List the objects of the catalogue.

    \b
    Example:
      artifact list --format json | jq '.[].object_id'
    """
    from cli.runs.inspect import run_list

    run_list(data, as_json=format is ListFormat.JSON)


@app.command()
def show(
    object_id: options.ObjectId,
    data: options.Data = options.DATA,
    format: options.Format = ListFormat.TABLE,
) -> None:
    """Show an object: its metadata and its exemplars.

    \b
    Example:
      artifact show 1984.12
    """
    from cli.runs.inspect import run_show

    run_show(object_id, data, as_json=format is ListFormat.JSON)


@app.command()
def remove(object_id: options.ObjectId, data: options.Data = options.DATA) -> None:
    """Take an object out of the catalogue; its photographs stay on disk.

    \b
    Example:
      artifact remove 1984.12
    """
    from cli.runs.index import run_remove

    run_remove(object_id, data)


@app.command()
def check(data: options.Data = options.DATA, format: options.Format = ListFormat.TABLE) -> None:
    """Compare database, vectors, files on disk and FAISS index; repair what is derived.

    Exits with 1 where something is wrong that only a new `artifact index` or a person can mend.

    \b
    Example:
      artifact check
    """
    from cli.runs.inspect import run_check

    raise typer.Exit(0 if run_check(data, as_json=format is ListFormat.JSON) else 1)


app.command()(calibrate)
app.command()(evaluate)
app.command()(verdicts)
app.command()(verdict)
app.command()(review)
app.command()(train)
app.command()(simulate)


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A new folder for the pictures.")],
) -> None:
    """Paint a small catalogue, photographs of it, copies by another hand, and unknown works, to try the program on.

    \b
    Example:
      artifact demo ./demo
      artifact index ./demo/catalogue
      artifact screen ./demo/incoming --out report.html
    """
    from cli.runs.index import run_demo

    run_demo(folder)


def main() -> None:
    """Run the command line, and leave at once: taking OpenVINO down in order costs a tenth of a second."""
    code: Any = 0
    try:
        app()
    except SystemExit as leaving:
        code = leaving.code
    try:
        sys.stdout.flush()
    except OSError as error:  # what was printed could not be written: a full disk, or a reader that has gone
        typer.echo(f"artifact: {error.strerror}", err=True)
        code = 1
    os._exit(code if isinstance(code, int) else 1)


if __name__ == "__main__":
    main()
