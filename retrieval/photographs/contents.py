"""Open a file of any kind that is read: what it holds, each picture undecoded."""

import importlib
from typing import BinaryIO

from retrieval.errors import UnreadableImage
from retrieval.photographs import by_pillow
from retrieval.photographs.formats_extra import unsupported
from retrieval.photographs.kinds import HEAD, NAMES, kind_of, other_kind_of
from retrieval.photographs.pictures import Contents

_ROOMS = {
    "JPEG": "jpeg", "PNG": "png", "TIFF": "tiff", "BMP": "bmp", "HEIF": "heif", "JPEG2000": "jpeg_2000",
    "JXL": "jpeg_xl", "PSD": "photoshop", "PDF": "pdf", "RAW": "raw",
}  # fmt: skip


def contents_of(file: BinaryIO, max_megapixels: float) -> Contents:
    """Return what an open file holds; raises UnreadableImage, or almost anything where it is damaged.

    The decoder is chosen by content: no other is imported, none is guessed.
    """
    file.seek(0)
    head = file.read(HEAD)
    if not head:
        raise UnreadableImage("empty file")
    kind = kind_of(head)
    if kind is None:
        other = other_kind_of(head)
        if other:
            raise unsupported(other)
        raise UnreadableImage(f"not a photograph this program can read (content is not {NAMES})")
    if kind in _ROOMS:
        room = importlib.import_module(f"retrieval.photographs.{_ROOMS[kind]}")
        found: Contents = room.contents(file, max_megapixels)
        return found
    return by_pillow.contents(file, kind, max_megapixels)
