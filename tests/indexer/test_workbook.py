"""Cells of a workbook as a person sees them; what cannot be read is refused in a line."""

import datetime
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
