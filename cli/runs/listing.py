"""What `artifact list` and `artifact show` print: objects, as they are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from shlex import quote
from typing import Any

import typer

from cli.output.streams import print_pieces
from cli.output.terminal import print_table
from cli.output.text import plain
from cli.records.artifact_1 import dumps
from cli.records.pieces import Listed, json_lines
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.exemplar_files import in_time
from retrieval.catalogue.rows import FIELDS, Object, Photo
from retrieval.catalogue.search import each_matching
from retrieval.errors import UnknownObject

COLUMNS = {"object": "left", "title": "left", "maker": "left", "date": "left", "photos": "right"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Which objects are listed: those with some words or all, how many, and after which one."""

    search: str | None = None
    limit: int | None = None
    after: str | None = None

    def objects(self, catalogue: Catalogue) -> Iterator[Object]:
        """Yield the objects from the first one on, and beyond the limit; raises UnknownObject."""
        if self.search is None:
            return catalogue.objects(after=self.after or "")
        return map(catalogue.object, self._found(catalogue, self.search))

    @property
    def nothing(self) -> str:
        """What to say where there is no object in this part."""
        if self.search is None:
            return f"No object comes after {plain(self.after)}." if self.after else "The catalogue holds no object."
        after = f" after {plain(self.after)}" if self.after is not None else ""
        return f"No object is found by {plain(self.search)!r}{after}."

    def _found(self, catalogue: Catalogue, search: str) -> Iterator[str]:
        found = each_matching(catalogue, search)
        if self.after is None or self.after in found:  # all up to that one are passed over
            return found
        raise UnknownObject(f"{self.after!r} is not among what is found by {search!r}; begin without --after.")


def run_list(data: Path, part: Part, *, as_json: bool, usual: Path) -> None:
    """Print the objects of a part of the catalogue, and on stderr how the next one is asked for.

    `usual` is the data folder that need not be named.
    """
    with Catalogue.reading(data) as catalogue:
        found, last = part.objects(catalogue), ""
        first = list(islice(found, 1))
        objects = chain(first, found)

        def shown() -> Iterator[Object]:
            nonlocal last
            for item in islice(objects, part.limit):
                last = item.object_id
                yield item

        if as_json:
            print_pieces(json_lines(Listed(map(object_record, shown()))), data=False)
        elif first:
            print_table(COLUMNS, map(_row, shown()))
        if not first:
            typer.echo(part.nothing, err=True)
        if part.limit is not None and next(objects, None) is not None:
            typer.echo(f"there are more: {_next_page(part, last, data, usual)}", err=True)


def _next_page(part: Part, last: str, data: Path, usual: Path) -> str:
    """Return the command that lists what comes after an object."""
    words = ["artifact", "list", *(["--search", part.search] if part.search is not None else [])]
    words += ["--limit", str(part.limit), "--after", last, *(["--data", str(data)] if data != usual else [])]
    return " ".join(quote(plain(word)) for word in words)


def _row(item: Object) -> Sequence[str]:
    return [item.object_id, *(item.metadata.get(name, "") for name in ("title", "maker", "date")), str(item.photos)]


def run_show(object_id: str, data: Path, *, as_json: bool) -> None:
    """Print one object with its exemplars; raises UnknownObject."""
    with Catalogue.reading(data) as catalogue:
        item, photos = catalogue.object(object_id), catalogue.photos(object_id)
    if as_json:
        typer.echo(dumps(shown_record(item, photos), indent=2))
        return
    typer.echo(plain(item.object_id))
    for name in [*FIELDS, *(name for name in item.metadata if name not in FIELDS)]:
        if name in item.metadata:
            typer.echo(f"  {plain(name)}: {plain(item.metadata[name])}")
    for photo in photos:
        missing = "" if in_time(photo.file.exists) else "  (no longer on disk)"
        typer.echo(f"  {photo.role}: {plain(str(photo.file))} ({photo.width} x {photo.height}){missing}")


def object_record(item: Object) -> dict[str, Any]:
    """Return an object as JSON lists it."""
    return {"object_id": item.object_id, "metadata": dict(item.metadata), "photos": item.photos}


def shown_record(item: Object, photos: Iterable[Photo]) -> dict[str, Any]:
    """Return an object as JSON shows it by itself."""
    return {**object_record(item), "exemplars": [_photo(photo) for photo in photos]}


def _photo(photo: Photo) -> dict[str, Any]:
    size = {"width": photo.width, "height": photo.height}
    return {"file": str(photo.file), "sha256": photo.sha256, "role": photo.role, **size}
