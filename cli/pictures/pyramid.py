"""Cut a picture into tiles of several sizes, so that a browser reads only what it shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

TILE = 512  # pixels of a side
OVERLAP = 1  # pixels that a tile shares with each of its neighbours: no seams when the picture is enlarged
QUALITY = 88
AS_JPEG = {"format": "JPEG", "quality": QUALITY, "subsampling": 0}


@dataclass(frozen=True, slots=True)
class Pyramid:
    """How a picture is cut: its size, the side of a tile, and how many levels there are, the last one the picture."""

    width: int
    height: int
    tile: int
    levels: int
    suffix: str  # of the files

    def size(self, level: int) -> tuple[int, int]:
        """Return width and height of a level: half of those of the next one, rounded up."""
        shrink = 2 ** (self.levels - 1 - level)
        return -(-self.width // shrink), -(-self.height // shrink)


def levels_of(size: tuple[int, int], tile: int = TILE) -> int:
    """Return how many levels there are, the first one of which fits into one tile."""
    levels, side = 1, max(size)
    while side > tile:
        levels, side = levels + 1, -(-side // 2)
    return levels


def tile_path(folder: Path, level: int, column: int, row: int, suffix: str = ".jpg") -> Path:
    """Return where a tile lies."""
    return folder / str(level) / f"{column}-{row}{suffix}"


def write_pyramid(image: Image.Image, folder: Path, *, tile: int = TILE) -> Pyramid:
    """Write the tiles of a picture into a folder: JPEG in RGB, PNG where it is transparent."""
    made = Pyramid(*image.size, tile, levels_of(image.size, tile), ".png" if image.mode == "RGBA" else ".jpg")
    for level in range(made.levels - 1, -1, -1):
        _write_level(image, folder, level, made)
        if level:
            image = image.reduce(2)
    return made


def _write_level(image: Image.Image, folder: Path, level: int, made: Pyramid) -> None:
    (folder / str(level)).mkdir(parents=True)
    for column, row, box in _boxes(image.size, made.tile):
        file = tile_path(folder, level, column, row, made.suffix)
        image.crop(box).save(file, **(AS_JPEG if made.suffix == ".jpg" else {"format": "PNG"}))


def _boxes(size: tuple[int, int], tile: int) -> Iterator[tuple[int, int, tuple[int, int, int, int]]]:
    """Yield column, row and corners of each tile, with what the tile shares with its neighbours."""
    width, height = size
    for row, top in enumerate(range(0, height, tile)):
        for column, left in enumerate(range(0, width, tile)):
            right, bottom = min(left + tile + OVERLAP, width), min(top + tile + OVERLAP, height)
            yield column, row, (max(0, left - OVERLAP), max(0, top - OVERLAP), right, bottom)


def read_level(folder: Path, made: Pyramid, level: int) -> Image.Image:
    """Put a level of a pyramid together again; raises OSError where a tile is away."""
    whole = Image.new("RGBA" if made.suffix == ".png" else "RGB", made.size(level))
    for column, row, (left, top, *_) in _boxes(whole.size, made.tile):
        with Image.open(tile_path(folder, level, column, row, made.suffix)) as tile:
            whole.paste(tile, (left, top))
    return whole


def level_of_side(made: Pyramid, long_side: int) -> int:
    """Return the smallest level whose long side has so many pixels, or the last one."""
    return next((level for level in range(made.levels) if max(made.size(level)) >= long_side), made.levels - 1)
