"""Read JPEG: the usual ones by Pillow; 12 bits, lossless and JPEG-LS by the codecs of the extra."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from functools import partial
from typing import BinaryIO

from PIL import Image, ImageChops

from retrieval.photographs import by_pillow
from retrieval.photographs.by_pillow import PillowPicture
from retrieval.photographs.depth import eight_bits, range_of
from retrieval.photographs.formats_extra import import_decoder, unsupported
from retrieval.photographs.jpeg_damage import damage_of, mended
from retrieval.photographs.pictures import Contents, Pictures, Pixels, whole

_CODECS = {0xC0: "jpeg8", 0xC1: "jpeg8", 0xC2: "jpeg8", 0xC3: "jpeg8", 0xF7: "jpegls"}  # by start of frame
_NAMES = {0xC3: "lossless JPEG", 0xF7: "JPEG-LS"}
_FRAMES = frozenset([*range(0xC0, 0xD0), 0xF7]) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE, _ARITHMETIC, _LOSSLESS = (0xC0, 0xC1, 0xC2), (0xC9, 0xCA), 0xC3


@dataclass(frozen=True, slots=True)
class UsualJpeg:
    """A JPEG that Pillow reads, and that is listened to for damage."""

    source: Image.Image
    data: bytes
    cut: bool  # it had no end

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in the file."""
        return self.source.size

    def decode(self, enough: int) -> Pixels:
        """Decode at reduced size; the look for damage raises UnreadableImage for a file cut before its last rows."""
        pixels = PillowPicture(self.source).decode(enough)
        if self.source.mode == "CMYK" and "adobe" not in self.source.info:  # Pillow takes every CMYK for Adobe's
            pixels = replace(pixels, image=ImageChops.invert(pixels.image))
        return replace(pixels, damage=partial(damage_of, self.data, pixels.image, cut=self.cut))


@dataclass(frozen=True, slots=True)
class UnusualJpeg:
    """A JPEG that Pillow cannot read."""

    file: BinaryIO
    frame: int  # its marker
    bits: int
    size: tuple[int, int]  # (width, height)

    @property
    def name(self) -> str:
        """What it is, in words."""
        return f"{self.bits}-bit {_NAMES.get(self.frame, 'JPEG')}"

    def decode(self, enough: int) -> Pixels:
        """Decode, grey or in colour."""
        if self.frame not in _CODECS:
            raise unsupported(self.name)
        codecs = import_decoder("imagecodecs", self.name)
        self.file.seek(0)
        values = getattr(codecs, f"{_CODECS[self.frame]}_decode")(self.file.read())
        return whole(Image.fromarray(eight_bits(values, *range_of(values, bits=self.bits))))


def contents(file: BinaryIO, max_megapixels: float) -> Contents:
    """Open a JPEG; raises UnreadableImage, or what the decoder raises."""
    unusual = _unusual(file)
    if unusual is not None:
        return Contents(Pictures(), lambda number: unusual)
    file.seek(0)
    data = file.read()
    sound, cut = mended(data)
    source = by_pillow.opened(file if sound == data else io.BytesIO(sound), "JPEG", max_megapixels)
    picture = UsualJpeg(source, sound, cut)
    return Contents(Pictures(), lambda number: picture)


def _unusual(file: BinaryIO) -> UnusualJpeg | None:
    """Return the picture if its frame is one that Pillow does not read; what is damaged is left to Pillow."""
    file.seek(2)
    while True:
        marker = file.read(4)
        if len(marker) < 4 or marker[0] != 0xFF:
            return None
        if marker[1] in _FRAMES:
            bits, height, width = (int.from_bytes(file.read(count), "big") for count in (1, 2, 2))
            usual = bits == 8 and marker[1] in (*_PROGRESSIVE, *_ARITHMETIC, _LOSSLESS)
            return None if usual else UnusualJpeg(file, marker[1], bits, (width, height))
        file.seek(int.from_bytes(marker[2:], "big") - 2, 1)
