"""Which directories of a TIFF are its pictures: not thumbnails, masks or the smaller levels of a pyramid."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from itertools import pairwise

from tifffile import TiffFile, TiffPage

MOST_DIRECTORIES = 1000  # a file that has more ends there
_REDUCED, _MASK = 1, 4  # bits of NewSubfileType

logging.getLogger("tifffile").addHandler(logging.NullHandler())  # its remarks are of no use at the terminal


def pages_of(tiff: TiffFile) -> list[TiffPage]:
    """Return the pictures of a TIFF in order, each at its full size."""
    chain = list(_chain(tiff))
    if _is_pyramid(chain):
        return chain[:1]
    largest = [_largest(page) for page in chain]
    full = [page for page in largest if not page.subfiletype & (_REDUCED | _MASK)]
    return full or largest[:1]


def _chain(tiff: TiffFile) -> Iterator[TiffPage]:
    """Yield the directories of a file up to the first that is damaged or was there before."""
    pages = tiff.pages
    assert pages is not None
    seen = set()
    for number in range(MOST_DIRECTORIES):
        try:
            page = pages[number]
        except Exception:  # the end of the chain, or damage, on which tifffile raises almost anything
            return
        if page.offset in seen or not isinstance(page, TiffPage):
            return
        seen.add(page.offset)
        yield page


def _largest(page: TiffPage) -> TiffPage:
    """Return the largest of a directory and the pictures below it, where cameras and scanners put the full one."""
    below: list[TiffPage] = []
    inside = page.pages
    for number in range(len(page.subifds or ())):
        assert inside is not None
        try:
            found = inside[number]
        except Exception:
            continue
        if isinstance(found, TiffPage) and not found.subfiletype & _MASK:
            below.append(found)
    return max([page, *below], key=lambda one: one.imagewidth * one.imagelength)


def _is_pyramid(chain: Sequence[TiffPage]) -> bool:
    """Say whether each of at least three directories is half as large as the one before."""
    sizes = [(page.imagewidth, page.imagelength) for page in chain]
    halved = all(
        abs(2 * small - large) <= 2 for one, other in pairwise(sizes) for large, small in zip(one, other, strict=True)
    )
    return len(chain) >= 3 and halved
