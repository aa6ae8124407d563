"""PDFium is called by one thread at a time, also to close what it gave."""

import threading

import pypdfium2
import pytest
from PIL import Image

from retrieval.photographs import pdf
from retrieval.photographs.images import read_photograph
from tests.pictures import painting


def keeping(call, found: list):
    """Return a method that keeps what it is called on, and what it gives."""

    def called(self, *args, **options):
        assert pdf._one_at_a_time.locked()
        given = call(self, *args, **options)
        found.extend([self, given])
        return given

    return called


@pytest.fixture
def opened(monkeypatch) -> list:
    """What PDFium gives from here on, which nothing else keeps."""
    found = []
    for owner, name in ((pypdfium2.PdfDocument, "get_page"), (pypdfium2.PdfPage, "render")):
        monkeypatch.setattr(owner, name, keeping(getattr(owner, name), found))
    return found


def test_documents_pages_and_bitmaps_are_closed_and_left_to_no_finalizer(tmp_path, opened):
    path = tmp_path / "a.pdf"
    painting(1).save(path, save_all=True, append_images=[painting(2)])
    assert read_photograph(path, short_side=100, picture=2).pictures == 2
    kinds = {type(one).__name__ for one in opened}
    assert kinds == {"PdfDocument", "PdfPage", "PdfBitmap"}
    assert [one for one in opened if one.raw is not None] == []


def test_threads_read_pages_at_the_same_time(tmp_path):
    path = tmp_path / "a.pdf"
    pages = [Image.new("RGB", (60, 40), (40 * number, 90, 90)) for number in range(1, 5)]
    pages[0].save(path, save_all=True, append_images=pages[1:])
    reds = {}

    def read(number: int) -> None:
        for _ in range(5):
            reds[number] = read_photograph(path, short_side=20, picture=number).image.getpixel((10, 10))[0]

    threads = [threading.Thread(target=read, args=(number,)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert reds == pytest.approx({1: 40, 2: 80, 3: 120, 4: 160}, abs=3)
