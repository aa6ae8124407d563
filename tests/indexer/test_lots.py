"""Where photographs to be screened come from: folders, lists, and CSV files of lots."""

from pathlib import Path

import pytest

from indexer.inputs.lots import BadLots, Claims, Lot, read_lots
from retrieval.errors import BadTable
from tests.conftest import touch, write_picture


def lots(source: Path) -> list[Lot]:
    return list(read_lots(source))


def test_a_folder_is_searched_through(tmp_path):
    write_picture(tmp_path / "b/2.jpg", 1)
    write_picture(tmp_path / "1.png", 2)
    (tmp_path / "notes.txt").write_text("none")
    assert lots(tmp_path) == [Lot(tmp_path / "1.png"), Lot(tmp_path / "b/2.jpg", folder="b")]


def test_photographs_of_one_offer_or_of_one_folder_are_of_one_thing(tmp_path):
    of = [("12", "A"), ("12", "A"), ("12", "B"), ("13", "A"), ("", "A")]
    things = [Lot(tmp_path, {"lot": lot, "house": house} if lot else {"house": house}).thing for lot, house in of]
    assert things[0] == things[1] and len(set(things)) == 4 and things[-1] is None
    assert (Lot(tmp_path, folder="12").thing, Lot(tmp_path).thing) == ("12", None)


def test_a_table_keeps_what_it_says_of_each_photograph(tmp_path):
    (tmp_path / "lots.csv").write_bytes(
        "\ufeffphoto;lot;house;claim;note\na.jpg;12;Drouot;1984.12;\n../b.jpg;13;;;a note\n".encode()
    )
    first, second = lots(tmp_path / "lots.csv")
    assert first == Lot(tmp_path / "a.jpg", {"lot": "12", "house": "Drouot", "claim": "1984.12"}, line=2)
    assert (first.claim, second.claim) == ("1984.12", None)
    assert second == Lot(tmp_path.parent / "b.jpg", {"lot": "13", "note": "a note"}, line=3)


def test_rows_that_name_no_photo_are_said_by_their_line(tmp_path):
    (tmp_path / "lots.csv").write_text("photo,lot\na.jpg,1,too many\n,2\nb.jpg,3\n")
    found = lots(tmp_path / "lots.csv")
    assert [(lot.path.name, lot.problem) for lot in found] == [
        ("lots.csv line 2", "3 cells under 2 columns"),
        ("lots.csv line 3", "lots.csv line 3 names no photo"),
        ("b.jpg", None),
    ]
    assert len({lot.key for lot in found}) == 3


def test_the_same_photograph_may_be_several_lots(tmp_path):
    (tmp_path / "lots.csv").write_text("photo,lot\na.jpg,1\na.jpg,2\na.jpg,1\n")
    keys = [lot.key for lot in lots(tmp_path / "lots.csv")]
    assert keys[0] == keys[2] != keys[1]


def test_a_list_names_a_photograph_a_line(tmp_path):
    (tmp_path / "today.txt").write_text(f"# the morning\na b.jpg\n\n{tmp_path}/c.jpg\r\n", encoding="utf-8")
    assert lots(tmp_path / "today.txt") == [Lot(tmp_path / "a b.jpg", line=2), Lot(tmp_path / "c.jpg", line=4)]


def test_a_table_and_a_list_in_a_folder_that_is_named_from_here(tmp_path, monkeypatch):
    touch(tmp_path, "sale/1.jpg", "sale/sub/2.jpg")
    (tmp_path / "sale/lots.csv").write_text("photo,lot\n1.jpg,1\n2.jpg,2\n")
    (tmp_path / "sale/list.txt").write_text("1.jpg\nsub/2.jpg\nGONE.jpg\n")
    monkeypatch.chdir(tmp_path)
    assert [lot.path.as_posix() for lot in lots(Path("sale/lots.csv"))] == ["sale/1.jpg", "sale/sub/2.jpg"]
    found = [lot.path.as_posix() for lot in lots(Path("sale/list.txt"))]
    assert found == ["sale/1.jpg", "sale/sub/2.jpg", "sale/GONE.jpg"]


def test_a_name_that_no_file_can_have_is_that_of_none(tmp_path):
    (tmp_path / "today.txt").write_text("a\0b.jpg\n")
    (found,) = lots(tmp_path / "today.txt")
    assert found.problem is None and not found.path.exists()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "lots.csv",
            b"lot,thing\n1,a.jpg\n",
            "has no column of photographs; line 1 has 'lot', 'thing'. .* --map photo=COLUMN",
        ),
        ("lots.csv", b"photo,lot\n\x81\xff,1\n", "line 2: its encoding cannot be told for sure"),
        ("list.txt", b"\x81\xff\n", "is no list of photographs"),
        ("one jar.jpg", b"\xff\xd8\xff", r"is one photograph. `artifact query '.*one jar\.jpg'`"),
        (None, b"", "There is no folder or file"),
    ],
)
def test_what_is_no_source_is_refused_in_a_line(tmp_path, name, content, said):
    source = tmp_path / (name or "nowhere")
    if name:
        source.write_bytes(content)
    with pytest.raises(BadTable, match=said) as refused:
        lots(source)
    assert "\n" not in str(refused.value)


def test_a_claim_is_an_id_or_an_accession_number():
    claims = Claims({"007": "", "Vase": "1984.12", "12": "A 9", "13": "a 9"})
    assert [claims.object_id(text) for text in ("007", "7", "Vase", "vase", "1984.12")] == [
        "007", "007", "Vase", "Vase", "Vase"
    ]  # fmt: skip
    with pytest.raises(BadLots, match="object Rembrandt is not in the catalogue"):
        claims.object_id("Rembrandt")
    with pytest.raises(BadLots, match="object A 9 is that of 12, 13"):
        claims.object_id("A 9")
    with pytest.raises(BadLots, match="not in the catalogue"):
        claims.object_id("000")


def test_a_row_that_is_no_csv_costs_no_other_row(tmp_path):
    rows = [
        "photo,lot,title",
        "a.jpg,1,a",
        'b.jpg,2,"Portrait" of a lady',
        "c.jpg,3,c,,",
        'd.jpg,4,"never closed',
        "e.jpg,5,e",
    ]
    (tmp_path / "lots.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    found = {lot.path.name: lot for lot in read_lots(tmp_path / "lots.csv")}
    assert list(found) == ["a.jpg", "lots.csv line 3", "c.jpg", "lots.csv line 5"]
    assert found["c.jpg"].columns == {"lot": "3", "title": "c"}
    assert "expected after" in found["lots.csv line 3"].problem
    assert found["lots.csv line 5"].problem.endswith("nothing was read from here to line 6")
