"""Read PDF whose pages are one picture each, at the picture's own size, by PDFium."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO

from retrieval.photographs.formats_extra import import_decoder, unsupported
from retrieval.photographs.pictures import Contents, Pictures, Pixels, whole

_one_at_a_time = threading.Lock()  # PDFium must not be called by two threads
_IMAGE = 3  # kind of a page's objects
_SMALL = 0.05  # of the largest picture: a logo, a stamp
_LESS = 1e-6  # share of the scale: rounding must not stretch a page by a pixel
_ORIENTATIONS = {90: 6, 180: 3, 270: 8}  # a page's rotation -> EXIF
_DECLARED = re.compile(rb"/Subtype\s{0,16}/Image\b")  # of a picture's stream, which no PDF may compress or encrypt
_AT_ONCE, _OVERLAP = 1 << 20, 64  # bytes read in one step, and read again: a declaration may lie across
Box = tuple[float, float, float, float]  # left, bottom, right, top, in points


@dataclass(frozen=True, slots=True)
class PdfPicture:
    """The one picture of a page, where it lies on the page as it is stored, and its scale in pixels a point."""

    data: bytes  # the PDF
    number: int  # of the page, from 1
    box: Box
    scale: float
    rotation: int  # degrees, clockwise, by which the page is turned when it is shown

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the picture in the file."""
        left, bottom, right, top = self.box
        return max(1, round((right - left) * self.scale)), max(1, round((top - bottom) * self.scale))

    def decode(self, enough: int) -> Pixels:
        """Render the page where the picture lies, pixel by pixel: PDFium reduces pictures badly."""
        with _opened(self.data) as document:
            page = _upright(document[self.number - 1])
            left, bottom, right, top = page.get_bbox()
            edges = (self.box[0] - left, self.box[1] - bottom, right - self.box[2], top - self.box[3])
            scale = self.scale * (1 - _LESS)
            bitmap = page.render(scale=scale, crop=tuple(max(0.0, edge) for edge in edges))
            image = bitmap.to_pil().convert("RGB").crop((0, 0, *self.size))  # a page may take part of a pixel more
            bitmap.close()
        return whole(image, orientation=_ORIENTATIONS.get(self.rotation, 1))


def declares_pictures(file: BinaryIO) -> bool:
    """Say whether a PDF holds a picture at all, by its bytes alone; a report or an invoice often holds none."""
    last = b""
    while some := file.read(_AT_ONCE):
        if _DECLARED.search(last + some):
            return True
        last = some[-_OVERLAP:]
    return False


def contents(file: BinaryIO, max_megapixels: float) -> Contents:
    """Open a PDF; raises UnreadableImage, or what PDFium raises."""
    file.seek(0)
    data = file.read()
    with _opened(data) as document:
        pages = len(document)
    return Contents(Pictures(pages), partial(_only_picture, data))


@contextmanager
def _opened(data: bytes) -> Iterator[Any]:
    """Give a document to one thread at a time; it and its pages are closed before another may call PDFium."""
    pdfium = import_decoder("pypdfium2", "PDF")
    with _one_at_a_time:
        try:
            document = pdfium.PdfDocument(data)
        except pdfium.PdfiumError as error:
            if "password" in str(error).lower():
                raise unsupported("PDF that asks for a password") from error
            raise
        try:
            yield document
        finally:
            document.close()


def _upright(page: Any) -> Any:
    """Return a page as it is stored: its rotation is undone by the orientation of the pixels."""
    page.set_rotation(0)
    return page


def _only_picture(data: bytes, number: int) -> PdfPicture:
    """Return the picture of a page, in tiles or whole; raises UnreadableImage if the page has none, or several."""
    with _opened(data) as document:
        page = document[number - 1]
        rotation = page.get_rotation()
        box, scale = _where(_upright(page))
    return PdfPicture(data, number, box, scale, rotation)


def _where(page: Any) -> tuple[Box, float]:
    """Return where the one picture of a page lies, and its scale; raises UnreadableImage."""
    found = []
    page_box = page.get_bbox()
    for image in page.get_objects(filter=[_IMAGE]):
        box, (width, height) = _within(_place(image), page_box), image.get_px_size()
        if _area(box) > 0 and width * height > 0:
            found.append((box, width * height * _area(box) / _area(_place(image))))
    largest = max((_area(box) for box, _ in found), default=0.0)
    found = [(box, pixels) for box, pixels in found if _area(box) >= _SMALL * largest]
    if not found:
        raise unsupported("a page of a PDF without a picture")
    lefts, bottoms, rights, tops = zip(*(box for box, _ in found), strict=True)
    box = (min(lefts), min(bottoms), max(rights), max(tops))
    if abs(sum(_area(one) for one, _ in found) / _area(box) - 1) > _SMALL:
        raise unsupported("a page of a PDF with several pictures")
    return box, math.sqrt(sum(pixels for _, pixels in found) / _area(box))


def _place(image: Any) -> Box:
    """Return where an image lies on its page: what it stands in may be moved and scaled itself."""
    box: Box = image.get_bounds()
    inside = image.container
    while inside is not None:
        box = inside.get_matrix().on_rect(*box)
        inside = inside.container
    return box


def _within(box: Box, page: Box) -> Box:
    return max(box[0], page[0]), max(box[1], page[1]), min(box[2], page[2]), min(box[3], page[3])


def _area(box: Box) -> float:
    left, bottom, right, top = box
    return max(0.0, right - left) * max(0.0, top - bottom)
