"""Photographs with their truth, in the three forms of table that there are."""

from pathlib import Path

import pytest

from indexer.inputs.queries import Query, read_queries
from retrieval.catalogue.rows import Photo
from retrieval.errors import BadTable
from tests.bench import SHARED
from tests.conftest import exemplar, write_picture


@pytest.fixture
def place(tmp_path) -> Path:
    for number, name in enumerate(("p.jpg", "q.jpg", "queries/r.jpg", "images/s.jpg", "images/t.jpg")):
        write_picture(tmp_path / name, number)
    return tmp_path


def catalogue(place: Path, *ids: str) -> dict[str, list[Photo]]:
    return {name: [exemplar(name, path=f"images/{name}.jpg", folder=str(place))] for name in ids}


def read(place: Path, text: str, *ids: str) -> list[Query]:
    (place / "queries.csv").write_text(text, encoding="utf-8")
    return read_queries(place / "queries.csv", catalogue(place, *ids))


def test_the_museums_form_names_the_objects_of_each_photograph_or_none(place):
    found = read(place, "photo,catalogue_ids\np.jpg,7 12\nq.jpg,none\nr.jpg,012\n", "007", "012")
    assert [(query.path, query.objects) for query in found] == [
        (place / "p.jpg", {"007", "012"}),
        (place / "q.jpg", frozenset()),
        (place / "queries/r.jpg", {"012"}),
    ]
    assert all(query.copy_of is None for query in found)


def test_pairs_are_asked_for_where_the_other_is_an_exemplar(place):
    pairs = read(place, "a,b\ns.jpg,t.jpg\np.jpg,t.jpg\n", "s", "t")
    found = [(query.path.name, query.objects) for query in pairs]
    assert found == [("s.jpg", {"t"}), ("t.jpg", {"s"}), ("p.jpg", {"t"})]


def test_a_photograph_of_several_pairs_shows_them_all(place):
    found = read(place, "a,b\np.jpg,s.jpg\np.jpg,t.jpg\n", "s", "t")
    assert [(query.path, query.objects) for query in found] == [(place / "p.jpg", {"s", "t"})]


def test_the_two_photographs_of_a_pair_depend_on_each_other(place):
    one, other = read(place, "a,b\ns.jpg,t.jpg\n", "s", "t")
    assert one.group == other.group != ""


def test_labels_are_genuine_photographs_copies_or_unknown_works(place):
    text = "photo,object_id,label,group\np.jpg,s,1,x\nq.jpg,s,0,\nr.jpg,other,1,\nt.jpg,,genuine,\n"
    found = read(place, text, "s")
    assert found == [
        Query(place / "p.jpg", frozenset({"s"}), group="x"),
        Query(place / "q.jpg", frozenset(), copy_of="s"),
        Query(place / "queries/r.jpg", frozenset()),
        Query(place / "images/t.jpg", frozenset()),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("photo,who\np.jpg,7\n", "must have the columns"),
        ("photo,catalogue_ids\nx.jpg,7\n", "line 2: there is no photo x.jpg"),
        ("photo,catalogue_ids\np.jpg,8\n", "line 2: object 8 is not in the catalogue"),
        ("photo,catalogue_ids\np.jpg,\n", "line 2: no catalogue_ids; an unknown work is 'none'"),
        ("photo,catalogue_ids\np.jpg,7,9\n", "line 2: 3 cells under 2 columns"),
        ("photo,catalogue_ids\np.jpg,7\np.jpg,none\n", "line 3: p.jpg stands already above"),
        ("photo,catalogue_ids\n,7\n", "line 2: no photo"),
        ("photo,catalogue_ids\n", "names no genuine photograph"),
        ("photo,object_id,label\np.jpg,007,yes\n", "line 2: label 'yes' is neither 1 .genuine. nor 0 .forgery."),
        ("photo,object_id,label\np.jpg,007,1\np.jpg,007,0\n", "line 3: p.jpg stands already above"),
        ("a,b\np.jpg,q.jpg\n", "line 2: neither p.jpg nor q.jpg is an exemplar"),
        ("photo,object_id,label\np.jpg,strange,1\n", "names no genuine photograph of an object of the catalogue"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(place, text, said):
    with pytest.raises(BadTable, match=said):
        read(place, text, "007")


def test_columns_photographs_and_ids_are_known_however_they_are_written(place):
    notes: list[str] = []
    text = "Bild;Catalogue IDs\nP.JPG;7, 12\nqueries\\r.jpg;a-1\nq;NONE\n"
    (place / "queries.csv").write_bytes(text.encode("utf-16"))
    found = read_queries(place / "queries.csv", catalogue(place, "007", "012", "A.1"), on_note=notes.append)
    assert [(query.path, query.objects) for query in found] == [
        (place / "p.jpg", {"007", "012"}),
        (place / "queries/r.jpg", {"A.1"}),
        (place / "q.jpg", frozenset()),
    ]
    assert notes == ["queries.csv: photo = Bild, catalogue_ids = Catalogue IDs"]


def test_many_problems_are_counted(place):
    lines = "".join(f"no{number}.jpg,7\n" for number in range(9))
    with pytest.raises(BadTable, match=r"and 4 more\. Correct it and run again"):
        read(place, f"photo,catalogue_ids\n{lines}", "007")


def test_a_number_that_could_be_two_objects_is_neither(place):
    with pytest.raises(BadTable, match="object 7 may be 007 or 07"):
        read(place, "photo,catalogue_ids\np.jpg,7\n", "007", "07")


def test_the_files_of_the_real_data_are_taken_as_they_are():
    if not SHARED.is_dir():
        pytest.skip(f"needs the real photographs in {SHARED}")
    works = sorted((SHARED / "museum/catalogue").glob("*.jpg"))
    known = {path.stem: [exemplar(path.stem, path=path.name, folder=str(path.parent))] for path in works}
    found = read_queries(SHARED / "museum/queries.csv", known)
    assert len(found) == 89 and sum(not query.objects for query in found) == 10
    images = sorted((SHARED / "reproductions/images").glob("*.jpg"))
    known = {path.stem: [exemplar(path.stem, path=path.name, folder=str(path.parent))] for path in images}
    pairs = read_queries(SHARED / "reproductions/pairs.csv", known)
    assert sum(len(query.objects) for query in pairs) == 2 * 45
