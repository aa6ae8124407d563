"""Read PNG; a block beside the pixels that is broken, or unpacks to very much, is passed over."""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from PIL import PngImagePlugin

from retrieval.photographs import by_pillow
from retrieval.photographs.pictures import Contents

_SIGNATURE = 8  # bytes
_ANCILLARY = 0x20  # of the first letter of a chunk's name: the picture can be shown without it
_PACKED = {  # texts and profiles, up to what is compressed in them
    b"iCCP": re.compile(rb"[^\x00]*\x00\x00"),
    b"zTXt": re.compile(rb"[^\x00]*\x00\x00"),
    b"iTXt": re.compile(rb"[^\x00]*\x00\x01\x00[^\x00]*\x00[^\x00]*\x00"),
}
_LONGEST = 1 << 24  # bytes of a compressed text or profile; Pillow refuses a profile of more than one MiB
PngImagePlugin.MAX_TEXT_CHUNK = _LONGEST


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
    """Yield where ancillary chunks start and end whose checksum is wrong, or that unpack to very much."""
    start = _SIGNATURE
    while True:
        file.seek(start)
        head = file.read(8)
        if len(head) < 8:
            return
        end = start + 12 + int.from_bytes(head[:4], "big")
        if head[4] & _ANCILLARY:
            body = file.read(end - start - 8)
            is_sound = zlib.crc32(head[4:] + body[:-4]) == int.from_bytes(body[-4:], "big")
            if not is_sound or _is_long(head[4:], body[:-4]):
                yield start, end
        start = end


def _is_long(name: bytes, body: bytes) -> bool:
    """Say whether a chunk is a compressed text or profile that is longer than any of use."""
    before = _PACKED[name].match(body) if name in _PACKED else None
    if before is None:
        return False
    unpacking = zlib.decompressobj()
    try:
        unpacking.decompress(body[before.end() :], _LONGEST)
    except zlib.error:  # Pillow takes it for empty
        return False
    return bool(unpacking.unconsumed_tail)
