"""The commands of the catalogue."""

from pathlib import Path
from typing import Annotated

import typer

from cli.commands.exit_codes import ExitCode
from cli.commands.shared_options import DATA, Data, Format, ListFormat, ObjectId, complete_folder, complete_object
from cli.runs.indexing_options import IndexingOptions


def index(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of photographs of genuine objects.")],
    data: Data = DATA,
    *,
    indexing: IndexingOptions,
) -> None:
    """Embed a folder of genuine objects into the catalogue; again for what is new or changed.

    FOLDER/<file> is an object named by the file; FOLDER/<object>/<files> is an object with several exemplars.
    FOLDER/catalogue.csv may say more of each (object_id or photo, title, maker, date, ...). --pattern understands
    other layouts, and --dry-run says how a folder is understood.

    \b
    Examples:
      artifact index ./catalogue
      artifact index ./catalogue --prune
      artifact index ./catalogue --dry-run --pattern '{object}_{view}'
      artifact index ./catalogue --exclude 'drafts/'
      artifact index ./catalogue --data /srv/artifact --encoder ./my_encoder
      artifact index /mnt/catalogue --dask tcp://10.0.0.5:8786
    """
    from cli.runs.index import run_index

    complete = run_index(folder, data, indexing)
    raise typer.Exit(ExitCode.DONE if complete else ExitCode.UNREADABLE)


def status(data: Data = DATA, format: Format = ListFormat.TABLE) -> None:
    """Say what the catalogue holds, by which encoder, with which thresholds, and what was left out.

    \b
    Example:
      artifact status --format json
    """
    from cli.runs.inspect import run_status

    run_status(data, as_json=format is ListFormat.JSON)


def list_objects(
    search: Annotated[
        str | None,
        typer.Option(
            "--search", metavar="TEXT", help="Only objects with these words in their metadata, the best first."
        ),
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="So many at most, and how to go on.")] = None,
    after: Annotated[
        str | None,
        typer.Option(
            "--after", metavar="OBJECT", help="Only what comes after this object.", autocompletion=complete_object
        ),
    ] = None,
    data: Data = DATA,
    format: Format = ListFormat.TABLE,
) -> None:
    """List the objects of the catalogue, or those that are searched for.

    A word is found by its beginning, whatever its case and accents. Rows are printed as they are read.

    \b
    Examples:
      artifact list --limit 100 --after 1984.12
      artifact list --search "durer 1498"
      artifact list --format json | jq '.[].object_id'
    """
    from cli.runs.listing import Part, run_list

    part = Part(search=search, limit=limit, after=after)
    run_list(data, part, as_json=format is ListFormat.JSON, usual=DATA)


def show(object_id: ObjectId, data: Data = DATA, format: Format = ListFormat.TABLE) -> None:
    """Show an object: its metadata and its exemplars.

    \b
    Example:
      artifact show 1984.12
    """
    from cli.runs.listing import run_show

    run_show(object_id, data, as_json=format is ListFormat.JSON)


def remove(object_id: ObjectId, data: Data = DATA) -> None:
    """Take an object out of the catalogue; its photographs stay on disk.

    \b
    Example:
      artifact remove 1984.12
    """
    from cli.runs.index import run_remove

    run_remove(object_id, data)


def move(
    old: Annotated[
        Path,
        typer.Argument(metavar="OLD", help="Folder as `artifact status` names it.", autocompletion=complete_folder),
    ],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="Where the folder is now.")],
    data: Data = DATA,
) -> None:
    """Let the catalogue know that a folder of photographs, or the folder around several, has moved.

    Names and sizes are compared, nothing is encoded. Exits with 3 where some of the photographs are not there.

    \b
    Examples:
      artifact move /mnt/scans/paintings /srv/scans/paintings
      artifact move /mnt/scans /srv/scans
    """
    from cli.runs.move import run_move

    raise typer.Exit(ExitCode.DONE if run_move(old, new, data) else ExitCode.UNREADABLE)


def check(
    quick: Annotated[
        bool,
        typer.Option("--quick/--full", help="Count, and compare 100 photographs taken by chance; or compare all."),
    ] = False,
    data: Data = DATA,
    format: Format = ListFormat.TABLE,
) -> None:
    """Compare database, vectors, files on disk and FAISS index; repair what is derived.

    --quick takes seconds, however large the catalogue is, and repairs nothing. --full, as without an option, reads
    every photograph. Exits with 1 where something is wrong that only a new `artifact index` or a person can mend.

    \b
    Examples:
      artifact check
      artifact check --quick
    """
    from cli.runs.inspect import run_check

    agrees = run_check(data, quick=quick, as_json=format is ListFormat.JSON)
    raise typer.Exit(ExitCode.DONE if agrees else ExitCode.FAILED)


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
