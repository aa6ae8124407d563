"""Which directories of a TIFF are its pictures: not thumbnails, masks or the smaller levels of a pyramid."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from itertools import pairwise

from tifffile import TiffPage, TiffPages

MOST_DIRECTORIES = 1000  # a file that has more ends there
_REDUCED, _MASK = 1, 4  # bits of NewSubfileType

logging.getLogger("tifffile").addHandler(logging.NullHandler())  # its remarks are of no use at the terminal


def pages_of(chain: Sequence[TiffPage]) -> list[TiffPage]:
    """Return the pictures among the directories of a file, in order, each at its full size."""
    if _is_pyramid(chain):
        return list(chain[:1])
    largest = [_largest(page) for page in chain]
    full = [page for page in largest if not page.subfiletype & (_REDUCED | _MASK)]
    return full or largest[:1]


def directories_in(pages: TiffPages | None) -> list[TiffPage]:
    """Return directories up to the first that is damaged or was there before."""
    found: list[TiffPage] = []
    seen = set()
    for number in range(MOST_DIRECTORIES if pages else 0):
        assert pages is not None
        try:
            page = pages[number]
        except Exception:  # the end, or damage, on which tifffile raises almost anything
            break
        if page.offset in seen or not isinstance(page, TiffPage):
            break
        seen.add(page.offset)
        found.append(page)
    return found


def _largest(page: TiffPage) -> TiffPage:
    """Return the largest of a directory and the pictures below it, where cameras and scanners put the full one."""
    below = [found for found in directories_in(page.pages) if not found.subfiletype & _MASK]
    return max([page, *below], key=lambda one: one.imagewidth * one.imagelength)


def _is_pyramid(chain: Sequence[TiffPage]) -> bool:
    """Say whether each of at least three directories is half as large as the one before."""
    sizes = [(page.imagewidth, page.imagelength) for page in chain]
    halved = all(
        abs(2 * small - large) <= 2 for one, other in pairwise(sizes) for large, small in zip(one, other, strict=True)
    )
    return len(chain) >= 3 and halved
