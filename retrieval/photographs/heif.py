"""Read HEIF by libheif: small pictures at once, large ones tile by tile, each reduced as it comes."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, BinaryIO

from PIL import Image

from retrieval.errors import UnreadableImage
from retrieval.photographs import by_pillow
from retrieval.photographs.formats_extra import unsupported
from retrieval.photographs.heif_boxes import Items, items_of, with_tiles_shown
from retrieval.photographs.pictures import Contents, Picture, Pixels

_LARGE = 20_000_000  # pixels from which on tiles are decoded one by one: at once, 200 megapixels take 1.4 GB
_UNREAD = {
    "unci": "uncompressed HEIF", "avc1": "H.264 in HEIF", "vvc1": "H.266 in HEIF", "j2k1": "JPEG 2000 in HEIF",
    "jpeg": "JPEG in HEIF", "mime": "HEIF without a picture",
}  # fmt: skip
_ORIENTATIONS = {0: 1, 90: 8, 180: 3, 270: 6}  # counter-clockwise turn -> EXIF


@dataclass(frozen=True, slots=True)
class TiledHeif:
    """The main picture of a HEIF file, in tiles that can be decoded one by one."""

    data: bytes
    items: Items
    stored: tuple[int, int]  # (width, height) before it is turned
    tile: tuple[int, int]
    columns: int
    orientation: int
    profile: bytes | None

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in the file."""
        return self.stored

    def decode(self, enough: int) -> Pixels:
        """Decode tile by tile, each reduced by the same power of two."""
        import pillow_heif

        factor = 1
        while min(self.stored) // (2 * factor) >= enough and not any(side % (2 * factor) for side in self.tile):
            factor *= 2
        numbers = self.items.tiles[self.items.primary]
        shown = list(pillow_heif.open_heif(with_tiles_shown(self.data, self.items, numbers)))
        tiles = dict(zip(sorted(numbers), (one for one in shown if not one.info["primary"]), strict=True))
        shown.clear()  # each tile goes when it is done: it keeps its pixels
        canvas = Image.new("RGB", tuple(-(-side // factor) for side in self.stored))  # type: ignore[arg-type]
        for place, number in enumerate(numbers):
            row, column = divmod(place, self.columns)
            tile = tiles.pop(number).to_pillow().convert("RGB").reduce(factor)
            canvas.paste(tile, (column * self.tile[0] // factor, row * self.tile[1] // factor))
        width, height = (side / factor for side in self.stored)
        return Pixels(canvas, (0, 0, width, height), self.profile, self.orientation)


def contents(file: BinaryIO, max_megapixels: float) -> Contents:
    """Open a HEIF file; raises UnreadableImage, or what the decoder raises."""
    try:
        found = by_pillow.contents(file, "HEIF", max_megapixels)
    except UnreadableImage:
        kind = _unread_kind(file)
        if kind is None:
            raise
        raise unsupported(kind) from None

    def picture(number: int) -> Picture:
        whole = found.picture(number)
        large = found.pictures.count == 1 and whole.size[0] * whole.size[1] > _LARGE
        return (_tiled(file) if large else None) or whole

    return Contents(found.pictures, picture)


def _unread_kind(file: BinaryIO) -> str | None:
    file.seek(0)
    items = _items(file.read())
    if items is None:
        return None
    parts = (items.primary, *items.tiles.get(items.primary, ()))
    return next((_UNREAD[items.types[part]] for part in parts if items.types.get(part) in _UNREAD), None)


def _items(data: bytes) -> Items | None:
    """Return the items of a file; None where its boxes cannot be made out, which may still be read whole."""
    try:
        return items_of(data)
    except (ValueError, StopIteration, struct.error, IndexError):
        return None


def _tiled(file: BinaryIO) -> TiledHeif | None:
    """Return the one picture of a file in its tiles; None where it is not in tiles, or more than turned."""
    import pillow_heif

    file.seek(0)
    data = file.read()
    image: Any = pillow_heif.open_heif(data)[0]
    tiling, changes = image.info.get("tiling"), getattr(image._c_image, "transformations", None)
    items = _items(data)
    if not tiling or changes is None or image.mode != "RGB" or items is None:
        return None
    numbers = items.tiles.get(items.primary, ())
    if len(changes) > 1 or any(name != "irot" for name, _ in changes):
        return None
    turn = changes[0][1] if changes else 0
    on_side = turn in (90, 270)
    columns, rows = tiling["num_columns"], tiling["num_rows"]
    tile = (tiling["tile_width"], tiling["tile_height"])
    if items.types.get(items.primary) != "grid" or not len(numbers) == len(set(numbers)) == columns * rows:
        return None
    return TiledHeif(
        data, items, image.size[::-1] if on_side else image.size, tile[::-1] if on_side else tile,
        rows if on_side else columns, _ORIENTATIONS[turn], image.info.get("icc_profile"),
    )  # fmt: skip
