"""Options that several commands share."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

FOLDERS = "Where the catalogue is kept."
COMPLETED = 1000  # ids


def complete_object(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Complete object ids from the catalogue, the first of very many; nothing where there is none."""
    from retrieval.catalogue.browsing import ids_beginning
    from retrieval.catalogue.catalogue import Catalogue
    from retrieval.errors import ArtifactError

    try:
        with Catalogue.reading(Path(context.params.get("data") or "index_data")) as catalogue:
            return list(catalogue.titles(ids_beginning(catalogue, incomplete, limit=COMPLETED)).items())
    except ArtifactError:
        return []


def complete_folder(context: typer.Context, incomplete: str) -> list[str]:
    """Complete the catalogued folders; nothing where there is no catalogue."""
    from retrieval.catalogue.catalogue import Catalogue
    from retrieval.errors import ArtifactError

    try:
        with Catalogue.reading(Path(context.params.get("data") or "index_data")) as catalogue:
            return [folder for folder in catalogue.folders() if folder.startswith(incomplete)]
    except ArtifactError:
        return []


def ending(suffix: str) -> Callable[[Path | None], Path | None]:
    """Return a check that a file's name ends in this."""

    def checked(file: Path | None) -> Path | None:
        if file is not None and file.suffix.lower() != suffix:
            raise typer.BadParameter(f"{file} must end in {suffix}")
        return file

    return checked


class ListFormat(StrEnum):
    """Forms of a small result."""

    TABLE = "table"
    JSON = "json"


Data = Annotated[Path, typer.Option("--data", envvar="ARTIFACT_DATA", metavar="DIR", help=FOLDERS)]
Neighbours = Annotated[int, typer.Option("-k", min=1, max=1000, help="How many objects to name.")]
Single = Annotated[bool, typer.Option("--single", help="Judge the photograph as a whole, as one work.")]
ExitCodeOption = Annotated[bool, typer.Option("--exit-code", help="Exit with 10 on a divergent one, 11 on an alert.")]
Report = Annotated[
    Path | None,
    typer.Option("--report", metavar="FILE.html", callback=ending(".html"), help="Write the evidence as a page."),
]
Png = Annotated[
    Path | None,
    typer.Option("--png", metavar="FILE.png", callback=ending(".png"), help="Write the evidence as one picture."),
]
Format = Annotated[ListFormat, typer.Option("--format", "-f", help="A table for people, JSON for machines.")]
ObjectId = Annotated[str, typer.Argument(metavar="OBJECT", help="Id of the object.", autocompletion=complete_object)]

DATA = Path("index_data")
