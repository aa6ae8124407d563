"""Read JPEG XL, bare or in a container, by libjxl."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from PIL import Image

from retrieval.errors import UnreadableImage
from retrieval.photographs.depth import eight_bits, range_of
from retrieval.photographs.formats_extra import import_decoder
from retrieval.photographs.pictures import Contents, Pictures, Pixels, whole

_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))  # of width to height, from 1 on
_SAMPLES = {"LA": 2, "RGB": 3, "RGBA": 4}
_SIZES = (9, 13, 18, 30)  # bits that a length may take
_LONGEST_HEADER = 1 << 20  # bytes, boxes of metadata included


@dataclass(frozen=True, slots=True)
class JpegXlPicture:
    """A JPEG XL of which the header was read."""

    data: bytes
    size: tuple[int, int]  # (width, height) before it is turned

    def decode(self, enough: int) -> Pixels:
        """Decode, turned upright by the decoder."""
        decoder = import_decoder("pillow_jxl", "JPEG XL").Decoder(num_threads=1)
        is_jpeg, info, pixels, profile, _ = decoder(self.data)
        if is_jpeg:  # what comes back is not always the whole JPEG
            return whole(Image.fromarray(import_decoder("imagecodecs", "JPEG XL").jpegxl_decode(self.data)), profile)
        samples = _SAMPLES.get(info.mode, 1)
        values = np.frombuffer(pixels, _type(len(pixels) // (info.width * info.height * samples), info.mode))
        values = values.reshape(info.height, info.width, samples)
        values = eight_bits(values, *range_of(values, bits=8 * values.itemsize))
        return whole(Image.fromarray(values[..., 0] if samples == 1 else values), profile)


def _type(size: int, mode: str) -> str:
    return {1: "u1", 2: "f2" if mode == "F;16" else "u2", 4: "f4"}[size]


def contents(file: BinaryIO, max_megapixels: float) -> Contents:
    """Open a JPEG XL; raises UnreadableImage."""
    import_decoder("pillow_jxl", "JPEG XL")
    file.seek(0)
    data = file.read()
    picture = JpegXlPicture(data, _size(data[:_LONGEST_HEADER]))
    return Contents(Pictures(), lambda number: picture)


def _size(head: bytes) -> tuple[int, int]:
    """Return the (width, height) that the codestream's first bits tell."""
    start = 0
    if head[:2] != b"\xff\x0a":
        boxes = (head.find(name) + skip for name, skip in ((b"jxlc", 4), (b"jxlp", 8)) if name in head)
        start = min(boxes, default=len(head))
    if head[start : start + 2] != b"\xff\x0a":
        raise UnreadableImage("damaged or truncated: a JPEG XL without its header")
    bits = _Bits(int.from_bytes(head[start + 2 : start + 14], "little"))
    small = bits.take(1)

    def length() -> int:
        return 8 * (1 + bits.take(5)) if small else 1 + bits.take(_SIZES[bits.take(2)])

    height = length()
    ratio = bits.take(3)
    if not ratio:
        return length(), height
    across, down = _RATIOS[ratio - 1]
    return height * across // down, height


@dataclass(slots=True)
class _Bits:
    """Bits of a number, the least first."""

    value: int

    def take(self, count: int) -> int:
        """Return the next bits as a number."""
        found = self.value & (1 << count) - 1
        self.value >>= count
        return found
