"""A folder is read as it is asked for, else as it was the last time, also where it has moved."""

from pathlib import Path

from indexer.building.reading import Asked, left_out_of
from indexer.inputs.walk import Why
from retrieval.catalogue.catalogue import Catalogue
from tests.conftest import index, make_folder, state, write_picture

VIEWS = {"1960.5.jpg": 1, "1960.5_2.jpg": 2, "1961.2_verso.jpg": 3}


def objects(data: Path) -> dict[str, list[str]]:
    with Catalogue.reading(data) as catalogue:
        return {
            item.object_id: [photo.path for photo in catalogue.photos(item.object_id)] for item in catalogue.objects()
        }


def test_a_pattern_says_where_the_ids_stand_and_is_kept(tmp_path, data):
    folder = make_folder(tmp_path / "photos", VIEWS)
    index(folder, data, asked=Asked(pattern="{object}_{view}"))
    wanted = {"1960.5": ["1960.5.jpg", "1960.5_2.jpg"], "1961.2": ["1961.2_verso.jpg"]}
    assert objects(data) == wanted
    write_picture(folder / "1961.2_3.jpg", 4)
    index(folder, data)
    assert objects(data) == wanted | {"1961.2": ["1961.2_3.jpg", "1961.2_verso.jpg"]}
    index(folder, data, asked=Asked(pattern=""))
    assert [*objects(data)] == ["1960.5", "1960.5_2", "1961.2_3", "1961.2_verso"]


def test_a_folder_that_moves_takes_its_pattern_along(tmp_path, data):
    folder = make_folder(tmp_path / "photos", VIEWS)
    index(folder, data, asked=Asked(pattern="{object}_{view}", exclude=("x*",)))
    moved = folder.rename(tmp_path / "elsewhere")
    write_picture(moved / "x.jpg", 5)
    for _ in range(2):
        report = index(moved, data)
        assert (report.objects, report.photos, report.encoded) == (2, 3, 0)


def test_another_folder_is_read_in_its_own_way(tmp_path, data):
    index(make_folder(tmp_path / "photos", VIEWS), data, asked=Asked(pattern="{object}_{view}"))
    index(make_folder(tmp_path / "more", {"1970.1_2.jpg": 7}), data)
    assert [*objects(data)] == ["1960.5", "1961.2", "1970.1_2"]


def test_what_is_left_out_now_is_gone_as_such_and_stays_left_out(tmp_path, data):
    folder = make_folder(tmp_path / "photos", {"a.jpg": 1, "b.jpg": 2, "c.jpg": 3})
    index(folder, data)
    (folder / "b.jpg").unlink()
    report = index(folder, data, asked=Asked(exclude=("c*",)))
    assert (report.difference.gone, report.excluded) == (("b.jpg", "c.jpg"), ("c.jpg",))
    report = index(folder, data, prune=True)
    assert (report.excluded, [*objects(data)]) == (("c.jpg",), ["a"])
    assert index(folder, data).photos == 1
    assert index(folder, data, asked=Asked(exclude=("",))).photos == 2


def test_how_much_is_left_out_is_kept(tmp_path, data):
    folder = make_folder(tmp_path / "photos", {"a.jpg": 1, "@eaDir/a.jpg": 1})
    (folder / "letter.txt").write_bytes(b"Dear Sir")
    index(folder, data)
    with Catalogue.reading(data) as catalogue:
        assert left_out_of(catalogue, str(folder)) == {(Why.SYSTEM, "@eaDir"): 1, (Why.OTHER_KIND, ".txt"): 1}
    (folder / "letter.txt").unlink()
    (folder / "@eaDir/a.jpg").unlink()
    (folder / "@eaDir").rmdir()
    index(folder, data)
    with Catalogue.reading(data) as catalogue:
        assert left_out_of(catalogue, str(folder)) == {}
    assert state(data)["skipped"] == []
