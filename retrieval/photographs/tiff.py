"""Read TIFF: what Pillow reads rightly by Pillow, other depths, layouts and compressions by tifffile."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import BinaryIO

from tifffile import TiffFile, TiffPage

from retrieval.errors import UnreadableImage
from retrieval.photographs import by_pillow, raw
from retrieval.photographs.by_pillow import PillowPicture
from retrieval.photographs.heard import heard
from retrieval.photographs.pictures import Contents, Picture, Pictures, Pixels, whole
from retrieval.photographs.tiff_colour import picture_of
from retrieval.photographs.tiff_damage import damage_heard, damaged_strip
from retrieval.photographs.tiff_kind import is_raw, pillow_reads
from retrieval.photographs.tiff_pages import directories_in, pages_of
from retrieval.photographs.tiff_samples import samples_of

_ORIENTATION, _PROFILE = 274, 34675  # tags


@dataclass(frozen=True, slots=True)
class TiffPicture:
    """A directory that tifffile decodes."""

    page: TiffPage
    orientation: int

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in the file."""
        return self.page.imagewidth, self.page.imagelength

    def decode(self, enough: int) -> Pixels:
        """Decode to 8 bits a sample."""
        image = picture_of(self.page, samples_of(self.page))
        return whole(image, self.page.tags.valueof(_PROFILE), self.orientation)


@dataclass(frozen=True, slots=True)
class CheckedPicture:
    """A directory that Pillow decodes, by a libtiff that is listened to for damage."""

    picture: Picture
    file: BinaryIO
    page: TiffPage | None  # None: tifffile cannot make it out

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in the file."""
        return self.picture.size

    def decode(self, enough: int) -> Pixels:
        """Decode, and look whether all strips are sound; raises UnreadableImage with what libtiff says."""
        with heard() as said:
            try:
                pixels = self.picture.decode(enough)
            except OSError as error:
                damage = damage_heard(said())
                raise UnreadableImage(f"damaged: {damage}") if damage else error from error
            damage = damage_heard(said())
        return replace(pixels, damage=lambda: damage or damaged_strip(self.page, self.file))


def contents(file: BinaryIO, max_megapixels: float) -> Contents:
    """Open a TIFF, or camera raw that begins like one; raises UnreadableImage, or what a decoder raises."""
    file.seek(0)
    try:
        chain = directories_in(TiffFile(file).pages)
        if any(is_raw(page) for top in chain for page in (top, *directories_in(top.pages))):
            return raw.contents(file, max_megapixels)
        pages = pages_of(chain)
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, struct.error):  # what tifffile raises
        pages = []
    if not pages:  # what tifffile cannot make out may still be read
        found = by_pillow.contents(file, "TIFF", max_megapixels)
        return Contents(found.pictures, lambda number: CheckedPicture(found.picture(number), file, None))

    def picture(number: int) -> Picture:
        page = pages[number - 1]
        if not pillow_reads(page):
            orientation = page.tags.valueof(_ORIENTATION) or chain[0].tags.valueof(_ORIENTATION)
            return TiffPicture(page, orientation or 1)
        source = by_pillow.opened(file, "TIFF", max_megapixels)
        source.seek(page.index)
        return CheckedPicture(PillowPicture(source), file, page)

    return Contents(Pictures(len(pages)), picture)
