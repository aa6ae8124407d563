"""Refuse pictures that are too large, and decode one large picture at a time."""

import contextlib
import threading
from contextlib import AbstractContextManager

from retrieval.errors import UnreadableImage

DEFAULT_MAX_MEGAPIXELS = 500.0

_LARGE_MEGAPIXELS = 100.0
_one_large_at_a_time = threading.Lock()  # a gigapixel scan takes gigabytes: two threads must not add up


def refuse_above(max_megapixels: float, size: tuple[int, int]) -> None:
    """Raise UnreadableImage for a picture of this size if it has no pixels, or more than allowed."""
    megapixels = size[0] * size[1] / 1e6
    if megapixels <= 0:
        raise UnreadableImage("damaged: a picture without pixels")
    if megapixels > max_megapixels:
        raise UnreadableImage(
            f"{megapixels:.6g} megapixels, more than the {max_megapixels:.6g} allowed; "
            "raise --max-megapixels to read it"
        )


def turn_of(size: tuple[int, int]) -> AbstractContextManager[object]:
    """Return a context in which a picture of this size may be decoded: large ones wait for each other."""
    large = size[0] * size[1] / 1e6 > _LARGE_MEGAPIXELS
    return _one_large_at_a_time if large else contextlib.nullcontext()
