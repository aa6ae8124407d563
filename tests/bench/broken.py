"""Files that are no photographs, of the kinds that come with a day's lots."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping

import numpy as np

Spoil = Callable[[bytes, np.random.Generator], bytes | None]
HUGE = 30_000  # pixels of the side of a picture that would not fit into memory


def _huge(_photo: bytes, _random: np.random.Generator) -> bytes:
    """Return a PNG file that says it is huge, and holds nothing."""
    header = b"IHDR" + struct.pack(">IIBBBBB", HUGE, HUGE, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + chunk


BROKEN: Mapping[str, Spoil] = {  # what becomes of a JPEG file; None: the file is not there at all
    "truncated": lambda photo, random: photo[: int(len(photo) * random.uniform(0.05, 0.5))],
    "empty": lambda photo, random: b"",
    "page": lambda photo, random: b"<!DOCTYPE html><html><body><h1>403 Forbidden</h1></body></html>\n",
    "drawing": lambda photo, random: b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "overwritten": lambda photo, random: random.bytes(2048) + photo[2048:],
    "noise": lambda photo, random: photo[:4] + random.bytes(20_000),
    "huge": _huge,
    "pointer": lambda photo, random: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    "not there": lambda photo, random: None,
}
