"""`catalogue.csv`: what is kept of it, and which lines are named as bad."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.inputs.metadata import Metadata, choose_metadata, describe_objects, read_metadata
from indexer.inputs.scan import FoundFile
from retrieval.errors import BadTable


def table(folder: Path, text: str | bytes, *photos: str, name: str = "catalogue.csv") -> Metadata:
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_metadata(choose_metadata(folder), photos)


def found(**owners: str) -> list[FoundFile]:
    return [FoundFile(f"{path}.jpg", object_id, 1, 1) for path, object_id in owners.items()]


def bad(skipped) -> dict[str, str]:
    return {item.path: item.reason for item in skipped}


def test_a_folder_without_a_table_has_nothing_to_say(tmp_path):
    assert read_metadata(choose_metadata(tmp_path), []) == Metadata()


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_the_usual_dialects_say_the_same(tmp_path, delimiter, end, mark):
    lines = [("object_id", "title", "maker"), ("1984.1", '"A ""fine"" day"', "Morisot"), ("1984.2", "", "")]
    text = mark + end.join(delimiter.join(line) for line in lines) + end
    rows = table(tmp_path, text).rows
    assert [(row.line, row.object_id, dict(row.metadata)) for row in rows] == [
        (2, "1984.1", {"title": 'A "fine" day', "maker": "Morisot"}),
        (3, "1984.2", {}),
    ]


def test_every_column_is_kept_verbatim(tmp_path):
    text = 'object_id,title,Bemerkung,date\n  a ," spaces  kept ",Öl auf Holz; 日本,c. 1880\n'
    (row,) = table(tmp_path, text).rows
    assert row.object_id == "a"
    assert dict(row.metadata) == {"title": " spaces  kept ", "Bemerkung": "Öl auf Holz; 日本", "date": "c. 1880"}


cells = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), max_size=20)


def keep(value: str) -> str:
    return value if value.strip() else ""


@given(st.lists(st.tuples(cells, cells), max_size=8))
def test_what_a_spreadsheet_writes_comes_back(tmp_path_factory, values):
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["object_id", "title", "other"])
    writer.writerows([str(number), *pair] for number, pair in enumerate(values))
    rows = table(tmp_path_factory.mktemp("table"), text.getvalue()).rows
    values = [(keep(title), keep(other)) for title, other in values]
    kept = [(row.object_id, row.metadata.get("title", ""), row.metadata.get("other", "")) for row in rows]
    assert kept == [(str(number), *pair) for number, pair in enumerate(values)]


def test_bad_rows_are_named_by_the_line_in_the_file(tmp_path):
    text = 'object_id,title\na,"one\ntwo\nthree"\n,nameless\n\nb,x,too many\nc,good\na,again\n'
    read = table(tmp_path, text)
    assert [(row.object_id, row.line) for row in read.rows] == [("a", 2), ("c", 8), ("a", 9)]
    assert bad(read.skipped) == {
        "catalogue.csv line 5": "names neither an object_id nor a photo",
        "catalogue.csv line 7": "3 cells under 2 columns",
    }
    described, skipped = describe_objects(read, found(a="a", c="c"))
    assert described == {"a": {"title": "one\ntwo\nthree"}, "c": {"title": "good"}}
    assert bad(skipped)["catalogue.csv line 9"] == "a already has another title"


def test_a_header_of_two_lines_does_not_shift_the_count(tmp_path):
    read = table(tmp_path, 'object_id,"title\n(English)"\na,x\n,y\n')
    assert [row.line for row in read.rows] == [3]
    assert list(bad(read.skipped)) == ["catalogue.csv line 4"]


@pytest.mark.parametrize("header", ["Object  number ,, Title", "“Object number”,,'Title'"])
def test_a_header_that_comes_again_is_no_object_however_it_is_written(tmp_path, header):
    known = table(tmp_path, f"{header}\na,1,A\n{header}\nb,2,B\n")
    assert [(row.line, row.object_id) for row in known.rows] == [(2, "a"), (4, "b")]


def test_a_short_row_lacks_values_and_is_no_error(tmp_path):
    read = table(tmp_path, "object_id,title,maker\na\n")
    assert dict(read.rows[0].metadata) == {}
    assert read.skipped == ()


def test_a_photograph_cannot_be_of_two_objects(tmp_path):
    read = table(tmp_path, "object_id,photo,title\na,x.jpg,First\nb,x.jpg,Second\n", "x.jpg")
    assert read.named == {"x.jpg": "a"}
    described, skipped = describe_objects(read, found(x="a"))
    assert described == {"a": {"title": "First"}}
    assert [(item.path, item.reason) for item in skipped] == [
        ("catalogue.csv line 3", "gives x.jpg to b, but line 2 to a"),
        ("catalogue.csv line 3", "there is no object b in this folder"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "title,maker\nx,y\n",
            "has no column of objects or photographs; line 1 has 'title', 'maker'. Name the columns",
        ),
        ("", "is empty"),
        (
            b"object_id,title\na,caf\xb0\xb1\xb2\n",
            "line 2: its encoding cannot be told for sure (not UTF-8 at byte 21)",
        ),
        (
            "object_id,note,note\na,x,y\n",
            "two columns named 'note', columns 2 and 3; rename or remove one, or say with --map",
        ),
        ("object_id,Titel,TITEL\na,x,y\n", "two columns for title, 'Titel' (column 2) and 'TITEL' (column 3)"),
    ],
)
def test_what_is_no_table_is_refused_with_one_line(tmp_path, text, message):
    with pytest.raises(BadTable) as caught:
        table(tmp_path, text)
    assert message in str(caught.value)
    assert str(tmp_path / "catalogue.csv") in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("row", "lost"), [('a,"x"y\nb,B\n', ["b"]), ('b,B\na,"never ends\nc,C\n', ["b"])], ids=["stray quote", "open quote"]
)
def test_a_row_that_is_no_csv_costs_only_what_it_swallows_and_is_named(tmp_path, row, lost):
    read = table(tmp_path, f"object_id,title\n{row}")
    assert [item.object_id for item in read.rows] == lost
    (problem,) = read.skipped
    assert problem.path.startswith("catalogue.csv line ") and problem.reason


def test_a_table_that_cannot_be_read_is_refused(tmp_path):
    (tmp_path / "catalogue.csv").mkdir()
    with pytest.raises(BadTable, match="cannot be read"):
        choose_metadata(tmp_path)


def test_rows_by_object_and_by_photograph_are_joined(tmp_path):
    text = "object_id,photo,title,maker\na,,Title,\n,./a2.jpg,,Maker\nb,b1.jpg,B,\n"
    described, skipped = describe_objects(table(tmp_path, text, "a2.jpg", "b1.jpg"), found(a1="a", a2="a", b1="b"))
    assert described == {"a": {"title": "Title", "maker": "Maker"}, "b": {"title": "B"}}
    assert skipped == []


def test_where_rows_differ_the_first_holds_and_the_other_is_named(tmp_path):
    text = "object_id,photo,title,maker\na,,First,\na,a.jpg,Second,Maker\n"
    described, skipped = describe_objects(table(tmp_path, text, "a.jpg"), found(a="a"))
    assert described == {"a": {"title": "First", "maker": "Maker"}}
    assert bad(skipped) == {"catalogue.csv line 3": "a already has another title"}


def test_rows_for_what_is_not_there_are_named(tmp_path):
    text = "object_id,photo,title\nz,,Z\n,z.jpg,Z\na,,A\n"
    described, skipped = describe_objects(table(tmp_path, text), found(a="a"))
    assert described == {"a": {"title": "A"}}
    assert bad(skipped) == {
        "catalogue.csv line 2": "there is no object z in this folder",
        "catalogue.csv line 3": "there is no photo z.jpg in this folder",
    }


def test_accents_may_be_written_either_way(tmp_path):
    composed, split = (unicodedata.normalize(form, "É1") for form in ("NFC", "NFD"))
    text = f"object_id,photo,title\n{split},,A\n,{composed}.jpg,\n"
    on_disk = [FoundFile(f"{split}.jpg", composed, 1, 1)]
    described, skipped = describe_objects(table(tmp_path, text, f"{split}.jpg"), on_disk)
    assert (described, skipped) == ({composed: {"title": "A"}}, [])
