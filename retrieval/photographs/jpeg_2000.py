"""Read JPEG 2000, reduced as its codestream allows, in the colours that its container names."""

import io
from dataclasses import dataclass, replace
from typing import BinaryIO

from PIL import Image

from retrieval.errors import UnreadableImage
from retrieval.photographs import by_pillow
from retrieval.photographs.by_pillow import PillowPicture
from retrieval.photographs.depth import eight_bits, range_of
from retrieval.photographs.formats_extra import import_decoder, unsupported
from retrieval.photographs.pictures import Contents, Pictures, Pixels, whole

_HEADER = 1 << 20  # bytes in which the boxes before the pixels lie, profile included
_BY_NUMBER, _CIELAB, _PLAIN = 1, 14, (16, 17)  # ways to name colours; colour spaces, RGB and grey among them
_SPARED = 2  # times what is enough is left by halving: wavelets keep edges that averaging does not
_STREAM, _TILE, _END = b"\xff\x4f\xff\x51", b"\xff\x90", b"\xff\xd9"


@dataclass(frozen=True, slots=True)
class Jpeg2000Picture:
    """An opened JPEG 2000."""

    source: Image.Image
    levels: int  # how often it can be halved
    profile: bytes | None
    whole: bytes | None  # the file, if it has its end
    plain: bool  # its colours are RGB or grey, as the codec of the extra takes them
    deep: bool  # colours of more than 8 bits, of which Pillow turns the brightest into the darkest

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in the file."""
        return self.source.size

    def decode(self, enough: int) -> Pixels:
        """Decode, reduced by halves; by the codec of the extra what Pillow fails on, or gets wrong."""
        if self.deep:
            if not self.plain:
                raise unsupported("JPEG 2000 of more than 8 bits in colours of its own")
            if self.whole is None:
                raise UnreadableImage("truncated: its codestream has no end")
            return whole(self._by_codec(self.whole), self.profile)
        spare = 0
        while spare < self.levels and min(self.source.size) >> (spare + 1) >= _SPARED * enough:
            spare += 1
        self.source.reduce = spare  # type: ignore[assignment, method-assign]
        try:
            pixels = PillowPicture(self.source).decode(enough)
        except OSError:
            if self.whole is None or not self.plain:
                raise
            return whole(self._by_codec(self.whole), self.profile)
        inks = self.profile is not None and self.profile[16:20] == b"CMYK" and self.source.mode == "RGBA"
        image = Image.frombytes("CMYK", self.source.size, self.source.tobytes()) if inks else self.source
        start = 0.5 - 0.5 / 2**spare  # halving keeps the even pixels' places
        return replace(pixels, image=image, box=(start, start, *image.size), profile=self.profile)

    def _by_codec(self, data: bytes) -> Image.Image:
        import numpy as np

        values = import_decoder("imagecodecs", "this kind of JPEG 2000").jpeg2k_decode(data)
        bits, signed = _depth(data[data.find(_STREAM) :])
        scaled = eight_bits(values, *range_of(values, bits=bits, signed=signed))
        return Image.fromarray(np.ascontiguousarray(scaled))


def contents(file: BinaryIO, max_megapixels: float) -> Contents:
    """Open a JPEG 2000 file or bare codestream; raises UnreadableImage, or what the decoder raises."""
    file.seek(0)
    head = file.read(_HEADER)
    stream = max(0, head.find(_STREAM))
    method, number, profile = _colour(head[:stream])
    if method == _BY_NUMBER and number == _CIELAB:
        raise unsupported("CIELab JPEG 2000")
    file.seek(0)
    data = _ended(file.read(), stream)
    source = by_pillow.opened(io.BytesIO(data), "JPEG2000", max_megapixels)
    plain = method != _BY_NUMBER or number in _PLAIN
    deep = _depth(head[stream:])[0] > 8 and source.mode.startswith(("RGB", "LA"))
    complete = data if data.endswith(_END) else None
    picture = Jpeg2000Picture(source, _levels(head[stream:]), profile, complete, plain, deep)
    return Contents(Pictures(), lambda number: picture)


def _ended(data: bytes, start: int) -> bytes:
    """Return a file with an end, if that is all that its codestream lacks: it ends with a whole part of a tile."""
    at = max(0, data.find(_TILE, start))
    while data[at : at + 2] == _TILE:
        at += int.from_bytes(data[at + 6 : at + 10], "big") or len(data)
    return data[:at] + _END if at == len(data) - data.endswith(_END[:1]) else data


def _colour(boxes: bytes) -> tuple[int, int, bytes | None]:
    """Return the method, the number of the colour space, and the profile that a JP2 header names."""
    at = boxes.find(b"colr")
    if at < 4:
        return 0, 0, None
    size = int.from_bytes(boxes[at - 4 : at], "big")
    body = boxes[at + 4 : at - 4 + size]
    method = body[0] if body else 0
    return method, int.from_bytes(body[3:7], "big"), body[3:] if method in (2, 3) else None


def _depth(codestream: bytes) -> tuple[int, bool]:
    """Return the bits of the first component, and whether it has a sign."""
    depth = codestream[42] if len(codestream) > 42 else 7
    return 1 + (depth & 0x7F), depth > 0x7F


def _levels(codestream: bytes) -> int:
    """Return how many halves the codestream's main header (COD) says that it holds."""
    at = 2
    while codestream[at : at + 1] == b"\xff" and codestream[at + 1 : at + 2] != b"\x90":
        if codestream[at + 1 : at + 2] == b"\x52":
            return min(32, codestream[at + 9]) if at + 9 < len(codestream) else 0
        at += 2 + int.from_bytes(codestream[at + 2 : at + 4], "big")
    return 0
