"""A dry run says what an index would do, and does nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.building import difference
from indexer.building.preview import Preview, preview_catalogue
from indexer.building.reading import AS_BEFORE, Asked
from indexer.building.understood import Understood
from indexer.inputs.walk import Why
from retrieval.errors import CatalogueMissing
from tests.conftest import aged, data_files, index, make_folder, write_picture


def understood(folder: Path, data: Path, **asked: str) -> Understood:
    return preview_catalogue(folder, data, Asked(**asked)).understood


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "photos", {"a.jpg": 1, "b.jpg": 2, "c.jpg": 3, "vase/1.jpg": 4, "vase/2.jpg": 5})


def names(found: Preview) -> dict[str, tuple[str, ...]]:
    kinds = ("added", "changed", "moved", "gone", "reassigned")
    return {kind: value for kind in kinds if (value := getattr(found.difference, kind))}


def test_a_new_folder_is_looked_at_and_nothing_is_written_or_read(folder, data, monkeypatch):
    monkeypatch.setattr(difference, "sha256_of", lambda path: pytest.fail(f"{path} was read"))
    (folder / "catalogue.csv").write_text("object_id,title\na,A\nnowhere,B\n")
    (folder / "letter.txt").write_text("Dear Sir")
    found = preview_catalogue(folder, data, AS_BEFORE)
    assert names(found) == {"added": ("a.jpg", "b.jpg", "c.jpg", "vase/1.jpg", "vase/2.jpg")}
    assert (found.to_encode, found.left_out) == (5, {(Why.OTHER_KIND, ".txt"): 1})
    assert [item.path for item in found.skipped] == ["catalogue.csv line 3"]
    assert found.understood.largest == [("vase", 2), ("a", 1), ("b", 1)]
    assert not data.exists()


def changed(folder: Path) -> None:
    write_picture(folder / "a.jpg", 11)
    (folder / "b.jpg").rename(folder / "d.jpg")
    (folder / "c.jpg").unlink()
    write_picture(folder / "e.jpg", 12)


def touched(folder: Path) -> None:
    aged(folder / "a.jpg", 30)


@pytest.mark.parametrize("change", [changed, touched])
def test_it_says_what_the_run_then_does(folder, data, change: Callable[[Path], None]):
    index(folder, data)
    change(folder)
    before = data_files(data)
    found = preview_catalogue(folder, data, AS_BEFORE)
    assert data_files(data) == before
    report = index(folder, data)
    assert found.to_encode == report.encoded
    for kind in ("added", "changed", "moved", "gone"):
        assert sorted(getattr(found.difference, kind)) == sorted(getattr(report.difference, kind))


def test_it_says_nothing_of_the_statuses_of_files_that_are_refused(folder, data):
    (folder / "catalogue.csv").write_text("object_id,status\na,stolen\n")
    index(folder, data)
    other = make_folder(folder.parent / "other", {"a.jpg": 21, "z.jpg": 22})
    (other / "catalogue.csv").write_text("object_id,title\na,A\n")
    found = preview_catalogue(other, data, AS_BEFORE)
    assert found.warnings == index(other, data).warnings == ()
    assert [item.path for item in found.skipped] == ["a.jpg"]


def test_what_another_pattern_would_do(folder, data):
    index(folder, data)
    found = preview_catalogue(folder, data, Asked(pattern="{object}", exclude=("c*",)))
    assert names(found) == {"gone": ("c.jpg",), "reassigned": ("vase/1.jpg", "vase/2.jpg")}
    assert (found.excluded, found.to_encode) == (("c.jpg",), 0)
    assert names(preview_catalogue(folder, data, AS_BEFORE)) == {}, "it was not kept"


def test_it_refuses_what_the_run_would_refuse(tmp_path, data):
    (tmp_path / "empty").mkdir()
    with pytest.raises(CatalogueMissing, match=r"no photograph in .*empty\. Name"):
        preview_catalogue(tmp_path / "empty", data, AS_BEFORE)
    (tmp_path / "empty/letter.txt").write_text("Dear Sir")
    with pytest.raises(CatalogueMissing, match="1 other file or folder is left out"):
        preview_catalogue(tmp_path / "empty", data, AS_BEFORE)


def test_folders_of_many_objects_are_doubted_with_the_pattern_that_would_work(tmp_path, data):
    works = {"2019/1960.5.jpg": 1, "2019/1960.6.jpg": 2, "Loan Tate/N1.jpg": 3, "1950.1.jpg": 4}
    folder = make_folder(tmp_path / "photos", works)
    found = understood(folder, data)
    assert (found.groups, found.groups_pattern) == (("2019", "Loan Tate"), "{folder}/{object}")
    assert sorted(understood(folder, data, pattern=found.groups_pattern).sizes) == ["1950.1", "1960.5", "1960.6", "N1"]
    write_picture(folder / "2019/1960.7/front.jpg", 5)
    assert understood(folder, data, pattern=understood(folder, data).groups_pattern).sizes["1960.7"] == 1
    write_picture(folder / "vase/front.jpg", 6)
    assert understood(folder, data).groups_pattern == "", "the vase would become `front`"
    (folder / "Loan Tate/N1.jpg").unlink()
    assert understood(folder, data).groups_pattern == "2019/{object}"


def test_views_in_a_folder_of_many_objects(tmp_path, data):
    works = {"2019/1960.5.jpg": 1, "2019/1960.5_2.jpg": 2, "2019/1961.2.jpg": 3}
    folder = make_folder(tmp_path / "photos", works)
    found = understood(folder, data)
    assert (found.groups, found.groups_pattern) == (("2019",), "{object}_{view}")
    again = understood(folder, data, pattern=found.groups_pattern)
    assert (dict(again.sizes), again.groups, again.views) == ({"1960.5": 2, "1961.2": 1}, (), None)


def test_a_very_full_folder_is_doubted_whatever_it_is_called(tmp_path, data):
    folder = tmp_path / "photos"
    for number in range(31):
        (folder / "Smith").mkdir(parents=True, exist_ok=True)
        (folder / f"Smith/{number}.jpg").write_bytes(b"x")
    assert understood(folder, data).groups == ("Smith",)


def test_what_a_table_gives_to_objects_is_not_doubted(tmp_path, data):
    folder = make_folder(tmp_path / "photos", {"images/1.jpg": 1, "images/2.jpg": 2})
    (folder / "catalogue.csv").write_text("object_id,photo\na,images/1.jpg\nb,images/2.jpg\n")
    found = understood(folder, data)
    assert (found.groups, dict(found.sizes)) == ((), {"a": 1, "b": 1})
