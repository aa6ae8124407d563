"""Read PNG; a block beside the pixels whose checksum is wrong is passed over."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from retrieval.photographs import by_pillow
from retrieval.photographs.pictures import Contents

_SIGNATURE = 8  # bytes
_ANCILLARY = 0x20  # of the first letter of a chunk's name: the picture can be shown without it


def contents(file: BinaryIO, max_megapixels: float) -> Contents:
    """Open a PNG; raises UnreadableImage, or what the decoder raises."""
    broken = list(_broken(file))
    if broken:
        file.seek(0)
        data = file.read()
        for start, end in reversed(broken):
            data = data[:start] + data[end:]
        file = io.BytesIO(data)
    return by_pillow.contents(file, "PNG", max_megapixels)


def _broken(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """Yield where ancillary chunks start and end whose checksum is wrong."""
    start = _SIGNATURE
    while True:
        file.seek(start)
        head = file.read(8)
        if len(head) < 8:
            return
        end = start + 12 + int.from_bytes(head[:4], "big")
        if head[4] & _ANCILLARY:
            body = file.read(end - start - 8)
            if zlib.crc32(head[4:] + body[:-4]) != int.from_bytes(body[-4:], "big"):
                yield start, end
        start = end
