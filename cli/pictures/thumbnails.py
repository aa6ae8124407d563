"""Make the small pictures of the page of a screening, and say what the catalogue knows of an object."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, inf
from pathlib import Path

from PIL import Image

from cli.pictures.data_uri import data_uri
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.pictures import read_exemplar
from retrieval.errors import ArtifactError, ExemplarAway, UnreadableImage
from retrieval.photographs.images import read_photograph

LARGE, SMALL, QUALITY = 220, 96, 75  # long sides, in pixels


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A picture small enough for the page, or the problem with its file."""

    uri: str = ""
    size: tuple[int, int] = (0, 0)
    problem: str = ""


class Reference:
    """What the catalogue says of an object now; since the screening the object may have changed, or gone."""

    def __init__(self, catalogue: Catalogue | None) -> None:
        self._catalogue = catalogue
        self.name = lru_cache(maxsize=1024)(self._name)
        self.thumbnail = lru_cache(maxsize=1024)(self._thumbnail)

    @classmethod
    def opened(cls, data: Path, stack: ExitStack) -> Reference:
        """Open the catalogue until the stack closes; without one, objects have ids and nothing else."""
        try:
            return cls(stack.enter_context(Catalogue.reading(data)))
        except ArtifactError:
            return cls(None)

    def _name(self, object_id: str) -> str:
        metadata: Mapping[str, str] = {}
        with suppress(ArtifactError, sqlite3.Error, UnicodeError):
            metadata = self._catalogue.object(object_id).metadata if self._catalogue else {}
        title, maker = (" ".join(metadata.get(field, "").split()) for field in ("title", "maker"))
        return f"{title}, {maker}" if title and maker else title or maker

    def _thumbnail(self, object_id: str, exemplar: str, side: int) -> Thumbnail:
        photo = None
        with suppress(sqlite3.Error, UnicodeError):
            photos = self._catalogue.photos(object_id) if self._catalogue else []
            photo = next((photo for photo in photos if str(photo.file) == exemplar), None)
        if self._catalogue is None or photo is None:
            return thumbnail(exemplar, None, side=side)
        try:
            return _small(read_exemplar(self._catalogue.data, photo, short_side=side, max_megapixels=inf).image, side)
        except ExemplarAway:
            return Thumbnail(problem="not shown: it is away or has changed, and no sound working picture of it is kept")


def thumbnail(
    path: str, sha256: str | None, region: tuple[int, ...] = (), *, side: int = LARGE, picture: int | None = None
) -> Thumbnail:
    """Return a photograph, or its region (x, y, width, height), small; of a file with another hash, the problem."""
    enough = 4 * side if any(region[:2]) else side  # a region is only a part of what is read
    try:
        # No limit of size: the photograph was within the limit when it was judged.
        photograph = read_photograph(Path(path), short_side=enough, max_megapixels=inf, picture=picture)
    except UnreadableImage as error:
        return Thumbnail(problem=str(error))
    if sha256 and photograph.sha256 != sha256:
        return Thumbnail(problem="not shown: the file has changed since it was judged")
    image, size = photograph.image, (photograph.width, photograph.height)
    if region and region != (0, 0, *size):
        x, y, width, height = region
        left, top, right, bottom = (at * image.width / size[0] for at in (x, y, x + width, y + height))
        image = image.crop((int(left), int(top), min(ceil(right), image.width), min(ceil(bottom), image.height)))
    return _small(image, side)


def _small(image: Image.Image, side: int) -> Thumbnail:
    image.thumbnail((side, side))
    return Thumbnail(data_uri(image, QUALITY), image.size)
