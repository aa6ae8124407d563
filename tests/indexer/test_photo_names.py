"""Cells that name photographs: found however they are written, two that fit are neither."""

import unicodedata

import pytest

from indexer.inputs.photo_names import PhotoNames

BELOW = [
    *[
        "1960.5.jpg",
        "007.tif",
        "a/x.jpg",
        "b/x.jpg",
        "Bild/Müller.JPG",
        "a, b.jpg",
        "1.png",
        "2.png",
        "#9.jpg",
        "A|B.jpg",
    ],
    *["1931/0012.jpg", "1932/0012.jpg", "1931/0045.jpg", "c/Éve.jpg"],
]


@pytest.mark.parametrize(
    ("cell", "paths"),
    [
        ("1960.5.jpg", ["1960.5.jpg"]), (" 1960.5.JPG ", ["1960.5.jpg"]), ('"1960.5.jpg"', ["1960.5.jpg"]),
        ("1960.5", ["1960.5.jpg"]), ("1960.5.tif", ["1960.5.jpg"]), ("1960.5.dng", ["1960.5.jpg"]),
        (r"C:\Fotos\1960.5.jpg", ["1960.5.jpg"]), (r"\\server\share\x\1960.5.jpg", ["1960.5.jpg"]),
        ("file:///C:/Fotos/1960.5.jpg", ["1960.5.jpg"]), ("file://server/x%20y/1960.5.jpg", ["1960.5.jpg"]),
        (":Fotos:1960.5.jpg", ["1960.5.jpg"]), ("./1960.5.jpg", ["1960.5.jpg"]),
        ("7.jpg", ["007.tif"]), ("7", ["007.tif"]), ("00007.tif", ["007.tif"]),
        (r"old\a\X.jpg", ["a/x.jpg"]), (r"bild\müller.jpg", ["Bild/Müller.JPG"]),
        (unicodedata.normalize("NFD", "c/Éve.jpg"), ["c/Éve.jpg"]),
        ("1931/12.jpg", ["1931/0012.jpg"]), ("#9.jpg", ["#9.jpg"]), ("A|B.jpg", ["A|B.jpg"]),
        ("a, b.jpg", ["a, b.jpg"]), (r"D:\a, b.jpg", ["a, b.jpg"]), ("1.png; 2.png", ["1.png", "2.png"]),
        ("1.png|2", ["1.png", "2.png"]),
        ("1,2", ["1.png", "2.png"]), ("1.png\n2.png\n", ["1.png", "2.png"]),
        (r"..\x\1.png|..\x\2.png", ["1.png", "2.png"]),
        ("a, b.jpg; 1.png", ["a, b.jpg", "1.png"]), ("1.png;1.png", ["1.png"]), ("", []), (" ; ", []),
    ],
)  # fmt: skip
def test_a_name_is_found_however_it_is_written(cell, paths):
    found = PhotoNames(lambda: BELOW).named(cell)
    assert (list(found.paths), found.problems) == (paths, ())


@pytest.mark.parametrize(
    ("cell", "paths", "problems"),
    [
        ("x.jpg", [], ["x.jpg may be a/x.jpg or b/x.jpg"]),
        ("12.jpg", [], ["12.jpg may be 1931/0012.jpg or 1932/0012.jpg"]),
        ("1932/45.jpg", [], ["there is no photo 1932/45.jpg"]),  # another folder that is there
        ("1.png;gone.jpg", ["1.png"], ["there is no photo gone.jpg"]),
        ("https://x.org/a;b,1.png", [], ["https://x.org/a;b,1.png is an address, not a file"]),
        ("HTTP://x.org/1.png; 2.png", ["2.png"], ["HTTP://x.org/1.png is an address, not a file"]),
        ("www.x.org/1.png", [], ["www.x.org/1.png is an address, not a file"]),
        ("file.tif#2", [], ["there is no photo file.tif#2"]),
    ],
)
def test_what_leads_to_none_or_to_two_is_said(cell, paths, problems):
    found = PhotoNames(lambda: BELOW).named(cell)
    assert (list(found.paths), list(found.problems)) == (paths, problems)


def test_the_photographs_are_listed_once_and_only_when_they_must_be():
    asked = []
    names = PhotoNames(lambda: asked.append(1) or BELOW)
    assert asked == []
    names.named("1.png"), names.named("gone")
    assert asked == [1]
