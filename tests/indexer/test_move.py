"""A folder that has moved: its exemplars go along, nothing is encoded, and what is not there is said."""

import shutil
from pathlib import Path

import pytest

from indexer.building import publish
from indexer.building.move import Moved, move_folder
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.folder_settings import folder_settings, keep_folder_settings
from retrieval.catalogue.rows import Changes
from retrieval.errors import CatalogueMissing
from tests.conftest import exemplar, index, make_folder, state, tiny_encoder


@pytest.fixture
def folder(tmp_path: Path, data: Path) -> Path:
    """A folder of two exemplars, with a file that is left out, indexed and then moved to `new`."""
    folder = make_folder(tmp_path / "old", {"a.png": 1, "b/1.png": 2})
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    index(folder, data)
    return folder


def folders(data: Path) -> set[str]:
    with Catalogue.reading(data) as catalogue:
        return {photo.folder for photo in catalogue.photos()}


def test_the_exemplars_go_along_in_one_revision_and_the_next_index_has_nothing_to_do(tmp_path, folder, data):
    with Catalogue.writing(data) as catalogue:
        keep_folder_settings(catalogue.db, str(folder), {"key": "kept"})
    before, new = state(data), tmp_path / "new"
    folder.rename(new)
    assert move_folder(folder, new, data) == Moved(2, 2, 2)
    assert folders(data) == {str(new)} and state(data) == before
    with Catalogue.reading(data) as catalogue:
        assert folder_settings(catalogue.db, str(new)) == {"key": "kept"}
        assert [name for name, _ in catalogue.skipped()] == [str(new / "broken.jpg")]
    encoder = tiny_encoder()
    report = index(new, data, encoder=encoder)
    assert (report.revision, report.encoded, encoder.engine.encoded) == (2, 0, 0)


def test_what_moves_is_not_looked_at_as_if_it_were_new(tmp_path, folder, data, monkeypatch):
    looked_at: list[set[str]] = []

    def look(neighbours, new, *_, **__):
        looked_at.append(new)
        return publish.NOTHING

    monkeypatch.setattr(publish, "find_oddities", look)
    folder.rename(tmp_path / "new")
    move_folder(folder, tmp_path / "new", data)
    (tmp_path / "new/c.png").write_bytes((tmp_path / "new/a.png").read_bytes())
    index(tmp_path / "new", data)
    with Catalogue.reading(data) as catalogue:
        (copied,) = (photo.sha256 for photo in catalogue.photos("c"))
    assert looked_at == [set(), {copied}]


def test_the_folder_around_several_may_be_named(tmp_path, data):
    for name in ("x", "y"):
        index(make_folder(tmp_path / "old" / name, {f"{name}.png": len(name)}), data)
    (tmp_path / "old").rename(tmp_path / "new")
    assert move_folder(tmp_path / "old", tmp_path / "new", data) == Moved(2, 2, 3)
    assert folders(data) == {str(tmp_path / "new/x"), str(tmp_path / "new/y")}


def test_what_is_not_there_or_of_another_size_is_counted(tmp_path, folder, data):
    shutil.copytree(folder, tmp_path / "new")
    (tmp_path / "new/a.png").write_bytes(b"")
    assert move_folder(folder, tmp_path / "new", data) == Moved(2, 1, 2)


def test_a_folder_that_holds_none_of_them_is_refused(tmp_path, folder, data):
    make_folder(tmp_path / "new", {"c.png": 1})
    before = state(data)
    with pytest.raises(CatalogueMissing, match="holds none of the 2 photographs of"):
        move_folder(folder, tmp_path / "new", data)
    with pytest.raises(CatalogueMissing, match=f"from {tmp_path}/other. Catalogued folders: {folder}$"):
        move_folder(tmp_path / "other", tmp_path / "new", data)
    assert state(data) == before and folders(data) == {str(folder)}


def test_photographs_that_are_catalogued_there_already_are_not_taken_over(tmp_path, data):
    old, new = str(tmp_path / "old"), make_folder(tmp_path / "new", {})
    (new / "a.png").write_bytes(b"x")
    with Catalogue.writing(data) as catalogue:
        both = [exemplar("mine", folder=old, path="a.png"), exemplar("theirs", folder=str(new), path="a.png")]
        catalogue.apply(Changes(put=both))
    with pytest.raises(CatalogueMissing, match=r"new/a\.png is catalogued already, as 1 of the 1 are\."):
        move_folder(Path(old), new, data)
    assert folders(data) == {old, str(new)}


def test_where_it_is_already_nothing_changes(folder, data):
    assert move_folder(folder, folder, data) == Moved(2, 2, 1)
    assert folders(data) == {str(folder)}
