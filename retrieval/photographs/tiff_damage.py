"""Tell a TIFF whose pixels are damaged, by what libtiff says, and strip by strip where libtiff says nothing."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO

from retrieval.photographs.jpeg_damage import said_by_libjpeg

if TYPE_CHECKING:
    from tifffile import TiffPage

_OF_PIXELS = re.compile(r"^(\w*(?:Decode|FillStrip|FillTile|ReadEncoded|JPEG|Jpeg)\w*: .*?)\.?$", re.MULTILINE)
_NO_CODE = bytes(4)  # in a strip of Group 4, but at its end


def damage_heard(said: str) -> str | None:
    """Return what libtiff says of the pixels, and not of tags; None where it says nothing of them."""
    found = _OF_PIXELS.search(said)
    return f"libtiff says: {found[1]}" if found else None


def damaged_strip(page: TiffPage | None, file: BinaryIO) -> str | None:
    """Return which strip or tile of a directory is damaged, as far as its compression tells; None for none.

    libtiff says nothing of a wrong checksum behind pixels that could be unpacked, nor of a fax without codes, and
    Pillow silences its libjpeg.
    """
    is_sound = None if page is None else _checks(page).get(page.compression)
    if page is None or is_sound is None:
        return None
    for number, (offset, count) in enumerate(zip(page.dataoffsets, page.databytecounts, strict=False), 1):
        file.seek(offset)
        if not is_sound(file.read(count)):
            return f"strip {number} of {len(page.dataoffsets)} is broken"
    return None


def _checks(page: TiffPage) -> dict[int, Callable[[bytes], bool]]:
    """Return what tells a sound strip, by compression."""
    tables = (page.jpegtables or b"\xff\xd8\xff\xd9")[:-2]
    return {
        4: lambda strip: _NO_CODE not in strip.rstrip(b"\0"),
        7: lambda strip: not said_by_libjpeg(tables + strip[2:]),
        8: _is_unpacked,
        32946: _is_unpacked,
    }


def _is_unpacked(strip: bytes) -> bool:
    unpack = zlib.decompressobj()
    try:
        while strip and not unpack.eof:
            unpack.decompress(strip, 1 << 20)
            strip = unpack.unconsumed_tail
    except zlib.error:
        return False
    return True
