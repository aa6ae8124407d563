"""The table of a folder: asked for, kept, the one that is there, and never passed over without a word."""

import pytest

from indexer.inputs.metadata import choose_metadata
from retrieval.errors import BadTable
from tests.indexer.tables import write_workbook

GOOD, NO_TABLE = "object_id,title\na,A\n", "colour,room\n1,2\n"


def put(folder, **texts):
    for name, text in texts.items():
        (folder / name.replace("_", ".")).write_text(text)


@pytest.mark.parametrize(
    "name", ["catalogue.csv", "Catalogue.CSV", "catalog.csv", "tms.csv", "objects.tsv", "x.txt", "x.tab"]
)
def test_a_table_alone_in_a_folder_is_taken_and_said(tmp_path, name):
    (tmp_path / name).write_text(GOOD)
    choice = choose_metadata(tmp_path)
    assert choice.name == name and choice.table is not None
    assert bool(choice.notes) is (name.casefold() != "catalogue.csv")
    assert all(name in note for note in choice.notes)


def test_a_workbook_alone_in_a_folder_is_taken(tmp_path):
    write_workbook(tmp_path / "export.xlsx", Objects=[["object_id"], ["a"]])
    (tmp_path / "~$export.xlsx").write_bytes(b"lock")
    assert choose_metadata(tmp_path).name == "export.xlsx"


def test_several_are_asked_about_and_the_one_that_is_named_is_read(tmp_path):
    put(tmp_path, a_csv=GOOD, b_csv=GOOD)
    with pytest.raises(
        BadTable, match=r"several tables: 'a\.csv', 'b\.csv'\. Name one, as in --table a\.csv, or --table none"
    ):
        choose_metadata(tmp_path)
    choice = choose_metadata(tmp_path, asked="b.csv")
    assert (choice.name, choice.warnings) == ("b.csv", ("a.csv is not read, but b.csv; --table a.csv reads it",))
    assert choose_metadata(tmp_path, kept="a.csv").name == "a.csv"


def test_a_table_is_named_as_a_shell_would_take_it(tmp_path):
    (tmp_path / "our list.csv").write_text("object_id\na\n")
    put(tmp_path, b_csv=GOOD)
    (warning,) = choose_metadata(tmp_path, asked="b.csv").warnings
    assert warning.endswith("--table 'our list.csv' reads it")


def test_catalogue_csv_goes_before_others_which_are_named(tmp_path):
    put(tmp_path, Catalogue_csv=GOOD, tms_csv=GOOD)
    choice = choose_metadata(tmp_path)
    assert (choice.name, choice.warnings) == (
        "Catalogue.csv",
        ("tms.csv is not read, but Catalogue.csv; --table tms.csv reads it",),
    )


def test_what_is_no_catalogue_is_not_taken_and_said_but_notes_are_notes(tmp_path):
    labels = "photo,object_id,label\na.jpg,a,0\n"
    put(tmp_path, labels_csv=labels, rooms_csv=NO_TABLE, notes_txt="Some notes.\n", good_csv=GOOD)
    choice = choose_metadata(tmp_path)
    assert choice.name == "good.csv"
    assert choice.warnings[0] == "labels.csv is not read: its columns are none of a catalogue"
    assert "rooms.csv has no column of objects or photographs; line 1 has 'colour', 'room'" in choice.warnings[1]
    assert len(choice.warnings) == 2


def test_none_is_none_and_a_table_that_is_not_there_is_refused(tmp_path):
    put(tmp_path, a_csv=GOOD)
    choice = choose_metadata(tmp_path, asked="none")
    assert choice.table is None and "a.csv is not read, as --table none says" in choice.warnings[0]
    assert choose_metadata(tmp_path, kept="none").table is None
    with pytest.raises(BadTable, match=r"There is no table .*b\.csv\. There are: 'a\.csv'"):
        choose_metadata(tmp_path, asked="b.csv")


def test_a_table_of_the_last_time_that_is_gone_is_named_and_one_in_its_place_is_read(tmp_path):
    assert choose_metadata(tmp_path, kept="old.csv").gone == "old.csv"
    put(tmp_path, new_csv=GOOD)
    choice = choose_metadata(tmp_path, kept="old.csv")
    assert (choice.name, choice.gone, choice.notes[0]) == ("new.csv", "", "old.csv is gone")


def test_notes_beside_photographs_are_no_tables(tmp_path):
    for number in range(9):
        (tmp_path / f"{number}.txt").write_text(GOOD)
    (tmp_path / "read me.csv").write_text(GOOD)
    assert choose_metadata(tmp_path).name == "read me.csv"


def test_one_word_on_a_line_of_notes_is_no_header(tmp_path):
    put(tmp_path, notes_txt="The\nimages\nare here\n")
    assert choose_metadata(tmp_path).table is None


def test_a_table_may_be_named_from_where_one_is_and_lie_elsewhere(tmp_path, monkeypatch):
    folder = tmp_path / "works"
    folder.mkdir()
    put(folder, a_csv=GOOD, b_csv=GOOD)
    put(tmp_path, c_csv=GOOD)
    monkeypatch.chdir(tmp_path)
    assert choose_metadata(folder, asked="works/b.csv").name == "b.csv"
    elsewhere = choose_metadata(folder, asked="c.csv").name
    assert elsewhere == str(tmp_path / "c.csv")
    assert choose_metadata(folder, kept=elsewhere).table is not None
