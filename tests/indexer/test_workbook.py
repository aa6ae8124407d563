"""Cells of a workbook as a person sees them; what cannot be read is refused in a line."""

import datetime
import tracemalloc
import zipfile
import zlib
from pathlib import Path
from random import Random

import pytest

from indexer.tables.table import Wanted, read_table
from indexer.tables.workbook import shown
from retrieval.errors import BadTable
from tests.indexer.tables import write_workbook

WANTED = Wanted(("object_id", "title"), (frozenset(["object_id"]),), "has no object_id", "Write object_id,title.")


@pytest.mark.parametrize(
    ("value", "number_format", "seen"),
    [
        (None, "General", ""), ("007", "General", "007"), (7, "General", "7"), (7.0, "General", "7"), (7, "000", "007"),
        (1960.5, "General", "1960.5"), (1960.1, "0.00", "1960.10"), (1960.0, "0.0", "1960.0"),
        (0.1 + 0.2, "General", "0.3"),
        (1200, "#,##0", "1200"), (12345678, "General", "12345678"), (True, "General", "true"), (-7, "000", "-7"),
        (datetime.datetime(1911, 3, 4), "dd/mm/yyyy", "1911-03-04"), (datetime.datetime(1911, 1, 1), "yyyy", "1911"),
        (datetime.datetime(1911, 3, 4, 12, 30), "General", "1911-03-04 12:30:00"),
        (datetime.time(9, 5), "h:mm", "09:05:00"),
    ],
)  # fmt: skip
def test_a_cell_is_what_a_person_sees(value, number_format, seen):
    assert shown(value, number_format) == seen


def test_the_first_sheet_with_a_header_is_read_and_the_others_are_said(tmp_path):
    source = write_workbook(
        tmp_path / "x.xlsx",
        Notes=[["hello"]],
        Works=[[], ["Inv. No.", "Title"], [], ["7", "Sea"]],
        Old=[["object_id"], [1]],
    )
    table = read_table(source, WANTED)
    assert [(row.line, dict(row.cells)) for row in table.rows] == [(4, {"object_id": "7", "title": "Sea"})]
    assert table.notes[0] == "the sheet 'Works' is read, not 'Notes', 'Old'"


def test_a_workbook_without_what_is_needed_shows_what_was_seen(tmp_path):
    source = write_workbook(tmp_path / "x.xlsx", One=[["Colour", "Room"], [1, 2]])
    with pytest.raises(BadTable, match=r"has no object_id; line 1 has 'Colour', 'Room'\. Write object_id,title"):
        read_table(source, WANTED)


@pytest.mark.parametrize(
    ("name", "data"), [("x.xlsx", b"no zip"), ("x.xlsx", b""), ("x.xls", b"\xd0\xcf"), ("x.ods", b"PK")]
)
def test_what_is_no_workbook_is_refused_with_a_line_that_works(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(BadTable, match=r"save it as .*CSV UTF-8") as refused:
        read_table(tmp_path / name, WANTED)
    assert "\n" not in str(refused.value)


def test_a_damaged_workbook_is_read_or_refused_and_raises_nothing_else(tmp_path):
    whole = write_workbook(tmp_path / "x.xlsx", One=[["object_id", "title"], *([number, "x"] for number in range(40))])
    data, random, refused = whole.read_bytes(), Random(3), 0
    for number in range(40):
        damaged = bytearray(data[: random.randrange(len(data))] if number % 3 == 0 else data)
        for _ in range(3):
            damaged[random.randrange(len(damaged))] = random.randrange(256)
        whole.write_bytes(damaged)
        try:
            read_table(whole, WANTED)
        except BadTable as error:
            refused += "\n" not in str(error)
    assert refused > 20


MANIFEST, SHEET = "[Content_Types].xml", "xl/worksheets/sheet1.xml"


def with_blanks(path: Path, name: str, blanks: int, *, method: int = zipfile.ZIP_DEFLATED) -> Path:
    """Write a workbook one part of which unpacks to so many blanks more."""
    write_workbook(path, One=[["object_id"], [1]])
    with zipfile.ZipFile(path) as whole:
        parts = {part: whole.read(part) for part in whole.namelist()}
    with zipfile.ZipFile(path, "w") as bomb:
        for part, data in parts.items():
            bomb.writestr(part, data + b" " * (blanks if part == name else 0), method)
    return path


@pytest.mark.parametrize("name", [MANIFEST, SHEET])
def test_a_workbook_that_unpacks_to_too_much_is_refused_unread(tmp_path, name):
    bomb = with_blanks(tmp_path / "x.xlsx", name, 200_000_000)
    assert bomb.stat().st_size < 1_000_000
    tracemalloc.start()
    with pytest.raises(BadTable, match=r"x\.xlsx unpacks to more than 200 MB; save it as CSV UTF-8\.$"):
        read_table(bomb, WANTED)
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


def test_of_a_workbook_no_more_is_unpacked_than_its_directory_says(tmp_path):
    bomb, size = with_blanks(tmp_path / "x.xlsx", MANIFEST, 100_000_000), 2000
    with zipfile.ZipFile(bomb) as whole:
        part = whole.getinfo(MANIFEST)
        start = whole.read(MANIFEST)[:size]
    data = bytearray(bomb.read_bytes())
    at = data.rindex(MANIFEST.encode()) - 46
    assert data[at : at + 4] == b"PK\x01\x02" and part.file_size > 100_000_000
    data[at + 16 : at + 20] = zlib.crc32(start).to_bytes(4, "little")  # as if no more were there
    data[at + 24 : at + 28] = size.to_bytes(4, "little")
    bomb.write_bytes(data)
    tracemalloc.start()
    assert len(read_table(bomb, WANTED).rows) == 1
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


def test_a_workbook_that_is_packed_in_a_way_that_cannot_be_unpacked_in_pieces_is_refused(tmp_path):
    bomb = with_blanks(tmp_path / "x.xlsx", SHEET, 1000, method=zipfile.ZIP_BZIP2)
    with pytest.raises(BadTable, match=r"x\.xlsx is packed as no workbook is; save it as CSV UTF-8\.$"):
        read_table(bomb, WANTED)


def test_pictures_in_a_workbook_do_not_count(tmp_path, monkeypatch):
    path = write_workbook(tmp_path / "x.xlsx", One=[["object_id"], [1]])
    with zipfile.ZipFile(path, "a") as whole:
        whole.writestr("xl/media/image1.png", b" " * 200_000)
    monkeypatch.setattr("indexer.tables.workbook.LARGEST", 100_000)
    assert len(read_table(path, WANTED).rows) == 1
