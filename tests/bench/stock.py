"""The pictures that a day is staged with: the museum's, known forgeries, other catalogued works, and unknown ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import islice, product
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image

from indexer.simulation.copies import WHOLE, make_copy
from tests.bench import shared_data
from tests.bench.encoders import HELD_OUT
from tests.bench.museum import MISLABELLED, truths

UNKNOWN = tuple(artist for artist in HELD_OUT if artist != "Paul_Gauguin")  # no picture of theirs is catalogued
CALIBRATED = 100  # objects of the museum that are calibrated on, and on no lot
REGISTERS = {"stolen": 15, "missing": 3, "sold": 20}  # objects of the museum, by status
FORGERIES = {f"forgery-{kind}": kind for kind in WHOLE}  # known ones, one of each kind of copy
PIECES = (1, 2, 4)  # of one picture; each is a work of its own
PROPORTION = (0.6, 1.7)  # width by height of a picture that was squashed
LONG_SIDE = (300, 800)

Item = TypeVar("Item")
Other = tuple[str, str, Callable[[], Image.Image]]  # object id, maker, how its picture is made


@cache
def museum_pictures() -> Mapping[str, Path]:
    """Return the photograph of each object of the museum."""
    return {path.stem: path for path in sorted((shared_data("museum") / "catalogue").glob("*.jpg"))}


@cache
def queries() -> Mapping[Path, frozenset[str]]:
    """Return the visitors' photographs of the museum, and the objects on each, labels mended."""
    museum = shared_data("museum")
    truth = truths(museum) | {photo: frozenset({work}) for photo, work in MISLABELLED.items()}
    return {museum / "queries" / photo: works for photo, works in truth.items()}


@cache
def calibrated() -> Sequence[str]:
    """Return the objects of the museum that the thresholds are set on: of those that no query shows."""
    asked = frozenset().union(*queries().values())
    return sorted(mixed([key for key in museum_pictures() if key not in asked], [1])[:CALIBRATED])


@cache
def on_lots() -> Sequence[str]:
    """Return the other objects of the museum, of which there are lots, in no order that means anything."""
    return mixed(sorted(set(museum_pictures()) - set(calibrated())), [2])


def registers() -> Mapping[str, Sequence[str]]:
    """Return the objects by status, of those that are not merely in the collection."""
    objects = iter(on_lots())
    return {name: tuple(islice(objects, count)) for name, count in REGISTERS.items()}


def models() -> Mapping[str, str]:
    """Return the genuine object of each known forgery."""
    return dict(zip(FORGERIES, on_lots()[::-1], strict=False))


def work(key: str) -> Image.Image:
    """Return the picture of an object of the museum."""
    return opened(museum_pictures()[key])


def forgery(key: str) -> Image.Image:
    """Return the picture of a known forgery."""
    model = models()[key]
    made = make_copy(work(model), FORGERIES[key], seed=10_000 + int(model), donor=work(model))
    assert made is not None, "what is made again as a whole is visible"
    return made.image


def distractors(count: int) -> Iterator[Other]:
    """Yield other works to be catalogued, cut into pieces where they are too few."""
    images = sorted((shared_data("reproductions") / "images").glob("*.jpg"))
    sources = [path for path in images if artist(path) not in map(_spaced, UNKNOWN)]
    sources += sorted(shared_data("chinese").glob("*.jpg"))
    pieces = next((pieces for pieces in PIECES if pieces * len(sources) >= count), None)
    if pieces is None:
        raise ValueError(f"There are {PIECES[-1] * len(sources)} other works, not {count}.")
    for piece, path in islice(product(range(pieces), mixed(sources, [3])), count):
        maker = "" if _is_chinese(path) else artist(path)
        yield f"{path.stem}-{1 + piece}", maker, partial(_distractor, path, piece, pieces)


def _distractor(path: Path, piece: int, pieces: int) -> Image.Image:
    return natural(piece_of(opened(path), piece, pieces), path, squashed=not _is_chinese(path), salt=piece)


def _is_chinese(path: Path) -> bool:
    return path.parent.name == "chinese"


@cache
def unknown_works() -> Sequence[Path]:
    """Return the reproductions that are not catalogued."""
    images = sorted((shared_data("reproductions") / "images").glob("*.jpg"))
    return [path for path in images if artist(path) in map(_spaced, UNKNOWN)]


def unknown_picture(path: Path) -> Image.Image:
    """Return an unknown work in natural proportions."""
    return natural(opened(path), path, squashed=True)


def artist(path: Path) -> str:
    """Return who painted what a reproduction shows."""
    return _spaced(path.stem.rpartition("_")[0])


def _spaced(name: str) -> str:
    return name.replace("_", " ")


def piece_of(picture: Image.Image, piece: int, pieces: int) -> Image.Image:
    """Return one of so many pieces of a picture, which share no pixel and are as near to squares as can be."""
    ways = [(across, pieces // across) for across in range(1, pieces + 1) if pieces % across == 0]
    across, down = min(ways, key=lambda way: abs(math.log(picture.width / way[0] * way[1] / picture.height)))
    column, row = piece % across, piece // across
    left, right = (picture.width * edge // across for edge in (column, column + 1))
    top, bottom = (picture.height * edge // down for edge in (row, row + 1))
    return picture.crop((left, top, right, bottom))


def natural(picture: Image.Image, path: Path, *, squashed: bool, salt: int = 0) -> Image.Image:
    """Return a picture as large as museums show them; one that was squashed in proportions drawn for it."""
    random = np.random.default_rng([salt, *path.stem.encode()])
    drawn = math.exp(random.uniform(math.log(PROPORTION[0]), math.log(PROPORTION[1])))
    proportion = drawn if squashed else picture.width / picture.height
    side = random.uniform(*LONG_SIDE)
    width, height = side * min(1.0, proportion), side * min(1.0, 1.0 / proportion)
    return picture.resize((max(1, round(width)), max(1, round(height))), Image.Resampling.BICUBIC)


def opened(path: Path) -> Image.Image:
    """Return a picture in RGB, in its full size."""
    with Image.open(path) as image:
        return image.convert("RGB")


def mixed(items: Sequence[Item], seed: Sequence[int]) -> list[Item]:
    """Return items in an order drawn by the seed."""
    return [items[index] for index in np.random.default_rng(seed).permutation(len(items))]
