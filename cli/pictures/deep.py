"""Cut photographs into tiles at their full size, as they are and laid over an exemplar; runs in a child process."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from cli.pictures.pyramid import Pyramid, level_of_side, read_level, write_pyramid
from retrieval.catalogue.pictures import read_exemplar
from retrieval.catalogue.rows import Photo
from retrieval.comparing.laying import FITTED_LONG_SIDE, LONGEST, lay_over_large
from retrieval.comparing.registration import project
from retrieval.errors import CatalogueBusy, UnreadableImage
from retrieval.photographs.images import read_photograph
from retrieval.photographs.photograph import Photograph

WHOLE = 1_000_000  # pixels of the short side: no picture is reduced to that
MOST_LAID = 100e6  # pixels of a photograph laid over an exemplar
FINER = 2.0  # times as many pixels along a side as the photograph has there: laying it over loses nothing


@dataclass(frozen=True, slots=True)
class Source:
    """A photograph to be read, and the content that it must have."""

    path: Path
    sha256: str
    picture: int | None  # of a file of several
    max_megapixels: float


@dataclass(frozen=True, slots=True)
class Laying:
    """How a photograph is to be laid over an exemplar that is cut into tiles already, and into which folder."""

    folder: Path
    exemplar: Path  # the folder of its tiles
    tiles: Pyramid
    full: tuple[int, int]  # width and height of the exemplar that the homography knows
    homography: tuple[tuple[float, ...], ...]
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Cut:
    """What was cut: the photograph as it is, and laid over; None: that was not asked for."""

    whole: Pyramid | None
    laid: Pyramid | None


def cut_photograph(source: Source, folder: Path | None, laying: Laying | None) -> Cut:
    """Cut a photograph into tiles, read but once; raises UnreadableImage, also where it has another content."""
    photo = _read(source)
    with _writing():
        whole = write_pyramid(photo.image, folder) if folder is not None else None
        if laying is None:
            return Cut(whole, None)
        image = read_level(laying.exemplar, laying.tiles, level_of_side(laying.tiles, FITTED_LONG_SIDE))
        exemplar = Photograph(laying.exemplar, "", *laying.full, image.convert("RGB"))
        laid = lay_over_large(exemplar, photo, np.array(laying.homography), size=laying.size)
        del photo
        return Cut(whole, write_pyramid(Image.fromarray(laid), laying.folder))


def cut_exemplar(source: Source, folder: Path) -> Pyramid:
    """Cut the file of an exemplar into tiles; raises UnreadableImage where it is away, or has another content."""
    image = _read(source).image
    with _writing():
        return write_pyramid(image, folder)


def cut_working_picture(data: Path, photo: Photo, folder: Path) -> Pyramid:
    """Cut the working picture of an exemplar into tiles; raises ExemplarAway where none is kept."""
    image = read_exemplar(data, photo, short_side=FITTED_LONG_SIDE).image
    with _writing():
        return write_pyramid(image, folder)


def laid_size(full: tuple[int, int], homography: np.ndarray) -> tuple[tuple[int, int], bool]:
    """Return at what size a photograph is laid over an exemplar of a full size, and whether that is less than it has.

    As fine as the finer one of both is, but not much finer than the photograph, which would show no more.
    """
    right, bottom = full
    quad = project(homography, np.array([(0.0, 0.0), (right, 0.0), (right, bottom), (0.0, bottom)]))
    assert quad is not None, "a registered exemplar lies before the camera"
    x, y = quad.T
    area = abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2
    density = math.sqrt(area / (right * bottom))  # pixels of the photograph to one of the exemplar, along a side
    wanted = max(density, min(1.0, FINER * density))
    most = min(math.sqrt(MOST_LAID / (right * bottom)), LONGEST / max(full))
    scale = min(wanted, most)
    return (max(1, round(right * scale)), max(1, round(bottom * scale))), most < density


def _read(source: Source) -> Photograph:
    photo = read_photograph(source.path, short_side=WHOLE, max_megapixels=source.max_megapixels, picture=source.picture)
    if photo.sha256 != source.sha256:
        raise UnreadableImage("it is no longer the same file")
    return photo


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CatalogueBusy(f"The tiles cannot be written: {error.strerror or error}") from error
