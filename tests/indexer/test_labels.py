"""Which photographs are genuine and which forgeries: tables, folders, and what is said of wrong ones."""

from pathlib import Path

import pytest

from indexer.inputs.labels import LabelledPhotos, read_labels
from indexer.inputs.scan import scan_folder
from retrieval.errors import BadTable
from tests.conftest import touch

HEAD = "photo,object_id,label\n"


def table(folder: Path, text: str, *, encoding: str = "utf-8") -> Path:
    """Write a table of labels beside a.jpg, b.jpg, c.jpg and sub/d.png."""
    touch(folder, "a.jpg", "b.jpg", "c.jpg", "sub/d.png")
    path = folder / "labels.csv"
    path.write_bytes(text.encode(encoding))
    return path


def said(labelled: LabelledPhotos, folder: Path) -> dict[str, tuple[str, bool]]:
    return {photo.path.relative_to(folder).as_posix(): (photo.object_id, photo.genuine) for photo in labelled.photos}


def refusal(source: Path) -> str:
    with pytest.raises(BadTable) as caught:
        read_labels(source)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# Tables


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_table_in_each_way_that_spreadsheets_write_it(tmp_path, encoding, delimiter, end):
    lines = [
        "photo,object_id,label",
        "a.jpg,Münze,1",
        "b.jpg,Münze,0",
        "sub/d.png,vase,genuine",
        " c.jpg , vase,Forgery",
    ]
    path = table(tmp_path, end.join(lines).replace(",", delimiter), encoding=encoding)
    assert said(read_labels(path), tmp_path) == {
        "a.jpg": ("Münze", True),
        "b.jpg": ("Münze", False),
        "sub/d.png": ("vase", True),
        "c.jpg": ("vase", False),
    }


def test_columns_come_in_any_order_beside_others(tmp_path):
    path = table(tmp_path, 'label,note,object_id,photo\n1,"two\nlines",x,a.jpg\n\n0,,x,b.jpg\n')
    assert said(read_labels(path), tmp_path) == {"a.jpg": ("x", True), "b.jpg": ("x", False)}


def test_photographs_that_depend_on_each_other_are_named_by_a_column_of_their_group(tmp_path):
    rows = "photo,object_id,label,group\na.jpg,x,1, film 7 \nb.jpg,y,1,film 7\nc.jpg,x,0,\nsub/d.png,z,1\n"
    found = {photo.path.name: photo.group for photo in read_labels(table(tmp_path, rows)).photos}
    assert found == {"a.jpg": "film 7", "b.jpg": "film 7", "c.jpg": "", "d.png": ""}
    without = read_labels(table(tmp_path, HEAD + "a.jpg,x,1\n"))
    assert [photo.group for photo in without.photos] == [""]


def test_accents_of_an_id_are_composed_as_the_index_does(tmp_path):
    path = table(tmp_path, HEAD + "a.jpg,Cafe\u0301,1\nb.jpg,Caf\u00e9,0\n")
    assert read_labels(path).object_ids == ("Caf\u00e9",)


def test_counts(tmp_path):
    labelled = read_labels(table(tmp_path, HEAD + "a.jpg,z,1\nb.jpg,x,1\nc.jpg,z,0\nsub/d.png,z,1\n"))
    assert labelled.object_ids == ("z", "x")
    assert (labelled.genuine_count, labelled.forgery_count) == (3, 1)
    assert labelled.summary == "2 objects, 3 genuine photographs, 1 forgery"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("a.jpg,x,1\nb.jpg,x,2\n", "line 3: label '2' is neither 1 (genuine) nor 0 (forgery)"),
        ("a.jpg,x,\n", "line 2: label '' is neither"),
        ("a.jpg,x,1\nb.jpg\n", "line 3: no object_id"),
        ("a.jpg,,1\n", "line 2: no object_id"),
        (",x,1\n", "line 2: no photo"),
        ("e.jpg,x,1\n", "line 2: there is no photo e.jpg"),
        ("sub,x,1\n", "line 2: there is no photo sub"),
        (f"{'n' * 300}.jpg,x,1\n", "line 2: there is no photo nnn"),
        ("a.jpg,x,1\na.jpg,x,0\n", "line 3: a.jpg is labelled forgery, but genuine in line 2"),
        ("a.jpg,x,1\n./a.jpg,x,1\n", "line 3: a.jpg stands already in line 2"),
        ("a.jpg,x,1\nsub/../a.jpg,y,1\n", "line 3: a.jpg is given to y, but to x in line 2"),
        ("a.jpg,x,1,more\n", "line 2: 4 cells under 3 columns"),
        ('a.jpg,"x\ny",1\n\nb.jpg,x,7\n', "line 5: label '7'"),
        ('a.jpg,x,1\nb.jpg,"x"y,1\n', "line 3: "),
    ],
)
def test_each_wrong_line_is_named(tmp_path, rows, expected):
    message = refusal(table(tmp_path, HEAD + rows))
    assert f"labels.csv cannot be used: {expected}" in message


def test_all_problems_come_at_once_but_only_the_first_at_length(tmp_path):
    rows = "".join(f"{n}.jpg,x,1\n" for n in range(200))
    message = refusal(table(tmp_path, HEAD + "a.jpg,x,9\n" + rows))
    assert "line 2: label '9'" in message and "line 3: there is no photo 0.jpg" in message
    assert "; and 196 more." in message and message.count("there is no photo") == 4
    assert len(message) < 500


def test_an_object_with_forgeries_only_is_named(tmp_path):
    message = refusal(table(tmp_path, HEAD + "a.jpg,x,1\nb.jpg,y,0\nc.jpg,y,0\n"))
    assert "object y has forgeries but no genuine photograph" in message and "object x" not in message


def test_an_object_whose_genuine_photograph_is_missing_is_not_said_to_have_none(tmp_path):
    message = refusal(table(tmp_path, HEAD + "gone.jpg,y,1\nc.jpg,y,0\n"))
    assert "there is no photo gone.jpg" in message and "forgeries" not in message


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("", "labels.csv is empty."),
        (
            "photo,object_id\n",
            "must have one column each of photo, object_id and label; line 1 has 'photo', 'object_id'.",
        ),
        ("a.jpg,x,1\n", "line 1 has 'a.jpg', 'x', '1'. Name them in its first line: photo,object_id,label."),
        ("photo,object_id,label,label\n", "has two columns named 'label', columns 3 and 4; rename or remove one."),
        ("photo,object_id,Label,LABEL\n", "has two columns for label, 'Label' (column 3) and 'LABEL' (column 4)"),
    ],
)
def test_a_table_needs_its_columns(tmp_path, head, said):
    assert said in refusal(table(tmp_path, head))


def test_columns_and_labels_are_known_by_other_names(tmp_path):
    text = "Dateiname;Inventarnummer;Echtheit;Gruppe\nA.JPG;Münze;Echt;7\n.\\sub\\d.png;Münze;Fälschung;\n"
    labelled = read_labels(table(tmp_path, text, encoding="cp1252"))
    assert said(labelled, tmp_path) == {"a.jpg": ("Münze", True), "sub/d.png": ("Münze", False)}
    assert labelled.photos[0].group == "7" and "read as Windows-1252" in labelled.notes[0]


def test_what_is_no_table_of_labels(tmp_path):
    assert "names no photograph" in refusal(table(tmp_path, HEAD))
    assert "is empty" in refusal(table(tmp_path, "\n \n"))
    assert "is one photograph" in refusal(tmp_path / "a.jpg")
    assert "There is no" in refusal(tmp_path / "nowhere")


# Folders


def test_files_and_folders_that_begin_with_their_label(tmp_path):
    touch(tmp_path, "x/genuine1.jpg", "x/Genuine-2.PNG", "x/forgery.tif", "x/notes.txt", "z/genuine.jpg")
    touch(tmp_path, "y/genuine/1.jpg", "y/genuine/deep/2.jpg", "y/forgery_set/1.jpg", "y/forgeries/1.jpg")
    assert said(read_labels(tmp_path), tmp_path) == {
        "x/genuine1.jpg": ("x", True),
        "x/Genuine-2.PNG": ("x", True),
        "x/forgery.tif": ("x", False),
        "y/genuine/1.jpg": ("y", True),
        "y/genuine/deep/2.jpg": ("y", True),
        "y/forgery_set/1.jpg": ("y", False),
        "y/forgeries/1.jpg": ("y", False),
        "z/genuine.jpg": ("z", True),
    }


def test_a_catalogue_is_all_genuine_and_has_the_ids_of_the_index(tmp_path):
    touch(tmp_path, "a.jpg", "a.png", "Forged Iron.jpg", "vase/front.jpg", "vase/back/2.jpg", "c.jpg")
    (tmp_path / "catalogue.csv").write_text("photo,object_id\nc.jpg,1907.3\nc.jpg,1908\n", encoding="utf-8")
    labelled = read_labels(tmp_path)
    scanned = scan_folder(tmp_path, named={"c.jpg": "1907.3"})
    assert said(labelled, tmp_path) == {item.path: (item.object_id, True) for item in scanned.found}
    assert set(labelled.object_ids) == {"a", "Forged Iron", "vase", "1907.3"}
    assert [item.path for item in labelled.skipped] == ["a.png", "catalogue.csv line 3"]


def test_a_folder_of_labels_with_other_files_is_refused(tmp_path):
    touch(tmp_path, "x/genuine1.jpg", "x/detail.jpg", "loose.jpg")
    message = refusal(tmp_path)
    assert "loose.jpg is neither OBJECT/genuine* nor OBJECT/forgery*" in message and "x/detail.jpg is" in message


@pytest.mark.parametrize("names", [("genuine/x.jpg", "forgery/x2.jpg"), ("genuine_01.jpg", "forgery_01.jpg")])
def test_a_folder_sorted_by_label_is_not_taken_for_a_catalogue(tmp_path, names):
    assert "by label, not by object" in refusal(touch(tmp_path, *names))


def test_a_folder_without_a_genuine_photograph_of_an_object(tmp_path):
    touch(tmp_path, "x/genuine1.jpg", "y/forgery1.jpg")
    assert "object y has forgeries but no genuine photograph" in refusal(tmp_path)


def test_an_empty_folder(tmp_path):
    assert "There is no photograph in" in refusal(tmp_path)
