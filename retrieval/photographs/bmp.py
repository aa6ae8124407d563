"""Read BMP: the usual ones by Pillow, those whose colours lie in bit fields of any width here."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from PIL import Image

from retrieval.errors import UnreadableImage
from retrieval.photographs import by_pillow
from retrieval.photographs.formats_extra import unsupported
from retrieval.photographs.pictures import Contents, Pictures, Pixels, whole

_FIELDS = (3, 6)  # compressions: with masks of three colours, and of opacity too


@dataclass(frozen=True, slots=True)
class BitFieldBmp:
    """A BMP of 16 or 32 bits a pixel, with a mask for each colour."""

    file: BinaryIO
    start: int  # of the pixels
    size: tuple[int, int]  # (width, height)
    from_top: bool
    bits: int
    masks: tuple[int, ...]

    def decode(self, enough: int) -> Pixels:
        """Decode, with opacity where there is a mask for it."""
        width, height = self.size
        row = (width * self.bits // 8 + 3) // 4 * 4
        self.file.seek(self.start)
        data = self.file.read(row * height)
        if len(data) < row * height:
            raise UnreadableImage("truncated: pixels lie beyond the end of the file")
        rows = np.frombuffer(data, np.uint8).reshape(height, row)[:, : width * self.bits // 8]
        values = np.ascontiguousarray(rows).view(f"<u{self.bits // 8}")
        bands = [_band(values if self.from_top else values[::-1], mask) for mask in self.masks]
        return whole(Image.fromarray(np.dstack(bands)))


def _band(values: np.ndarray, mask: int) -> np.ndarray:
    """Return what a mask lets through, as 8 bits."""
    shift = (mask & -mask).bit_length() - 1
    top = mask >> shift
    return np.rint((values >> shift & top) * (255 / top)).astype(np.uint8)


def contents(file: BinaryIO, max_megapixels: float) -> Contents:
    """Open a BMP; raises UnreadableImage, or what the decoder raises."""
    try:
        return by_pillow.contents(file, "BMP", max_megapixels)
    except OSError as error:
        if not str(error).startswith("Unsupported BMP"):
            raise
        picture = _in_fields(file)
        if picture is None:
            raise unsupported(str(error).removeprefix("Unsupported ")) from error
    return Contents(Pictures(), lambda number: picture)


def _in_fields(file: BinaryIO) -> BitFieldBmp | None:
    """Return the picture if its colours lie in bit fields."""
    file.seek(10)
    start, header, width, height, _, bits, compression = struct.unpack("<IIiiHHI", file.read(24).ljust(24, b"\0"))
    file.seek(54)
    masks = struct.unpack("<4I", file.read(16).ljust(16, b"\0"))
    if header < 40 or bits not in (16, 32) or compression not in _FIELDS or not all(masks[:3]):
        return None
    colours = masks[: 4 if masks[3] and (header >= 56 or compression == 6) else 3]
    return BitFieldBmp(file, start, (abs(width), abs(height)), height < 0, bits, colours)
