"""`check`: finds what does not agree, repairs what is derived, and an index run mends the rest."""

import os
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from indexer.building.check import check_catalogue
from retrieval.catalogue import segments
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.pictures import compared_path, is_whole, picture_path
from retrieval.catalogue.rows import Changes
from retrieval.catalogue.segmenting import is_complete, open_segments
from retrieval.catalogue.segments import vectors_path, votes_path
from retrieval.errors import CatalogueBusy, CatalogueDamaged, CatalogueMissing
from retrieval.photographs.files import sha256_of
from tests.conftest import DIM, SIDE, encoded, held_vectors, index, make_folder, state, write_picture
from tests.pictures import write_paintings
from tests.works import sharp


@pytest.fixture
def folder(tmp_path: Path, data: Path) -> Path:
    folder = make_folder(tmp_path / "photos", {f"{n}.png": n for n in range(20)})
    index(folder, data)
    return folder


def set_vector(data: Path, path: Path, vector: bytes) -> None:
    with Catalogue.writing(data) as found, found.db.atomic():
        found.db.execute("UPDATE vectors SET vector = ? WHERE sha256 = ?", [vector, sha256_of(path)])


def test_a_sound_catalogue_has_nothing_to_repair(folder, data):
    before = state(data)
    report = check_catalogue(data)
    assert (report.photos, report.repaired, report.wrong) == (20, (), ())
    assert state(data) == before


@pytest.mark.parametrize("which", [vectors_path, votes_path])
def test_missing_and_damaged_files_are_repaired(folder, data, which):
    before = state(data)
    for number, damage in enumerate((None, 0, 300, -1, "end"), 1):
        path = which(data, number)
        whole = path.read_bytes()
        if damage is None:
            path.unlink()
        elif damage == "end":
            path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        else:
            path.write_bytes(whole[:damage])
        report = check_catalogue(data)
        trouble = f"{path.name} was {'missing' if damage is None else 'damaged'}"
        assert report.repaired[0] == trouble and report.wrong == ()
        assert which(data, number + 1).read_bytes() == whole and not path.exists()
        assert check_catalogue(data).repaired == ()
    assert state(data) == before


def test_both_files_of_a_segment_are_named_where_both_are_unsound(folder, data):
    vectors, votes = vectors_path(data, 1), votes_path(data, 1)
    vectors.unlink()
    votes.write_bytes(b"")
    said = "vectors-1.faiss was missing, votes2-1.lists was damaged"
    assert check_catalogue(data).repaired == (said,)
    vectors_path(data, 2).unlink()
    votes_path(data, 2).unlink()
    assert check_catalogue(data).repaired == ("vectors-2.faiss and votes2-2.lists were missing",)


def test_a_byte_changed_in_the_midst_of_a_file_is_noticed_where_all_is_read(tmp_path, data, monkeypatch):
    monkeypatch.setattr(segments, "LOOKED_AT", 64)
    write_paintings(tmp_path / "works", 6)
    index(tmp_path / "works", data, encoder=sharp())
    before = state(data)
    for number, (which, at) in enumerate([(vectors_path, 150), (votes_path, -500)], 1):
        path = which(data, number)
        changed = bytearray(path.read_bytes())
        changed[at] ^= 1
        path.write_bytes(changed)
        with Catalogue.reading(data) as found:
            assert is_complete(found), path
        assert check_catalogue(data).repaired == (f"{path.name} was damaged",)
    assert state(data) == before


def test_vectors_that_are_not_those_of_the_database_are_written_again(folder, data):
    other = np.eye(1, DIM, dtype="<f4")[0]
    set_vector(data, folder / "7.png", other.tobytes())
    assert check_catalogue(data).repaired == ("vectors-1.faiss and votes2-1.lists did not agree with the database",)
    with Catalogue.reading(data) as found:
        assert other.tobytes() in held_vectors(found).values()


def test_files_left_over_are_removed(folder, data):
    left_over = {"vectors-0.faiss", "vectors-1.part", "votes2-7.lists", "votes-9.faiss"}
    for name in left_over:
        (data / name).write_bytes(b"x")
    assert set(check_catalogue(data).repaired) == {f"{name} was left over" for name in left_over}
    assert sorted(path.name for path in data.glob("v*-*")) == ["vectors-1.faiss", "votes2-1.lists"]


def test_missing_thresholds_are_computed_again(folder, data):
    before = state(data)
    with Catalogue.writing(data) as found, found.db.atomic():
        found.db.execute("DELETE FROM thresholds")
    report = check_catalogue(data)
    assert report.repaired == ("the thresholds of this revision were missing",)
    assert state(data) == before


def test_a_file_gone_or_changed_is_named_with_what_to_do(folder, data):
    (folder / "3.png").unlink()
    write_picture(folder / "4.png", 99)
    os.utime(folder / "5.png")
    report = check_catalogue(data)
    gone, changed = sorted(report.wrong)
    assert str(folder / "3.png") in gone and f"`artifact index {folder} --prune` removes it" in gone
    assert str(folder / "4.png") in changed and f"`artifact index {folder}` takes it anew" in changed
    assert report.repaired == ()


@pytest.mark.parametrize(
    "vector",
    [b"", b"\0" * 4 * DIM, np.full(DIM, np.nan, "<f4").tobytes(), np.full(DIM, 0.3, "<f4").tobytes()],
    ids=["empty", "zero", "nan", "long"],
)
def test_an_unsound_vector_is_named_and_the_next_index_run_makes_it_anew(folder, data, vector):
    before = state(data)
    set_vector(data, folder / "7.png", vector)
    report = check_catalogue(data)
    assert len(report.wrong) == 1
    assert f"{folder / '7.png'} has no sound vector" in report.wrong[0]
    with Catalogue.reading(data) as found:
        assert found.thresholds() is None  # nothing is judged while an exemplar is not searched
    assert index(folder, data).encoded == 1
    assert state(data) == before
    assert check_catalogue(data).wrong == ()


def test_a_vector_made_anew_is_searched_even_if_that_run_was_killed(folder, data):
    """Killed after the vector was kept, before the file was written: nothing is left to encode."""
    before = state(data)
    with Catalogue.reading(data) as found:
        ids, vectors = found.vectors()
        photo = found.photos("7")[0]
        content = encoded(found, found.encoder.fingerprint, DIM)[photo.sha256]
        vector = vectors[ids.tolist().index(photo.photo_id)]
    set_vector(data, folder / "7.png", b"")
    check_catalogue(data)
    with Catalogue.writing(data) as found:
        found.add_vectors([(content, vector)], found.encoder.fingerprint)
    assert index(folder, data).encoded == 0
    assert state(data) == before


def test_an_unsound_vector_of_a_file_that_is_gone_does_not_block_the_others(folder, data):
    set_vector(data, folder / "7.png", b"")
    (folder / "7.png").write_bytes(b"no photograph")
    assert len(check_catalogue(data).wrong) == 2
    report = index(folder, data)
    assert [item.path for item in report.skipped] == ["7.png"]
    found = state(data)
    assert found["thresholds"].match.count == 19
    assert len(found["searched"]) == 19 and len(found["photos"]) == 20


def test_a_row_of_an_object_that_is_not_there_is_named(folder, data):
    connection = sqlite3.connect(data / "catalogue.db")
    connection.execute("DELETE FROM objects WHERE object_id = '3'")
    connection.commit()
    connection.close()
    (line,) = check_catalogue(data).wrong
    assert "of photos names an object that does not exist" in line


def test_there_must_be_a_catalogue(tmp_path, data):
    with pytest.raises(CatalogueMissing):
        check_catalogue(tmp_path)
    with Catalogue.writing(data):
        pass
    with pytest.raises(CatalogueMissing, match="is empty"):
        check_catalogue(data)


def test_a_catalogue_being_written_is_not_checked(folder, data):
    with Catalogue.writing(data), pytest.raises(CatalogueBusy):
        check_catalogue(data)


def test_a_damaged_database_is_said_to_be(folder, data):
    path = data / "catalogue.db"
    whole = bytearray(path.read_bytes())
    middle = len(whole) // 2
    whole[middle : middle + 8192] = b"\xff" * 8192
    path.write_bytes(whole)
    try:
        report = check_catalogue(data)
    except CatalogueDamaged as error:
        assert str(path) in str(error)
    else:
        assert any("the database is damaged" in line for line in report.wrong)


def test_objects_all_removed_still_agree(folder, data):
    with Catalogue.writing(data) as found:
        found.apply(Changes(gone=[photo.photo_id for photo in found.photos()]))
    check_catalogue(data)
    assert (check_catalogue(data).repaired, check_catalogue(data).wrong) == ((), ())
    assert not list(data.glob("v*-*")), "of nothing there are no vectors"


def test_missing_and_damaged_working_pictures_are_named_and_made_again_by_the_next_index(folder, data):
    missing, damaged, stray = (sha256_of(folder / name) for name in ("1.png", "2.png", "3.png"))
    picture_path(data, missing).unlink()
    exact = compared_path(data, damaged, SIDE)
    exact.write_bytes(exact.read_bytes()[:-1])
    (data / "pictures/aa").mkdir(exist_ok=True)
    left_over = picture_path(data, f"aa{stray[2:]}")
    left_over.write_bytes(picture_path(data, stray).read_bytes())
    report = check_catalogue(data)
    said = "has no sound working picture; `artifact index"
    assert [line.partition(f" {said}")[0] for line in report.wrong] == [str(folder / "1.png"), str(folder / "2.png")]
    assert report.repaired == (f"1 of the working pictures, such as {left_over.name}, belonged to no exemplar",)
    assert not left_over.exists() and not exact.exists()
    assert index(folder, data).encoded == 0
    assert is_whole(exact) and is_whole(picture_path(data, missing)) and check_catalogue(data).wrong == ()


def test_a_catalogue_that_keeps_no_pictures_lacks_none(tmp_path, folder):
    index(folder, tmp_path / "none", pictures=0)
    assert check_catalogue(tmp_path / "none").wrong == ()


def test_a_folder_stands_in_commands_as_a_shell_would_take_it(tmp_path):
    folder = make_folder(tmp_path / "our photos", {"a.png": 1})
    index(folder, tmp_path / "data")
    (folder / "a.png").unlink()
    (wrong,) = check_catalogue(tmp_path / "data").wrong
    assert f"`artifact index '{folder}' --prune` removes it" in wrong


def test_a_vector_that_was_dropped_and_made_again_is_searched(tmp_path, data):
    """The folder of another one is indexed in between: what is noted of the file of vectors must not outlive it."""
    one = make_folder(tmp_path / "a", {f"a{n}.png": n for n in range(3)})
    other = make_folder(tmp_path / "b", {f"b{n}.png": 50 + n for n in range(3)})
    index(one, data)
    index(other, data)
    with Catalogue.writing(data) as found:
        found.forget_vector(found.photos("b1")[0].sha256)
    index(one, data)
    index(other, data)
    with Catalogue.reading(data) as found:
        assert sum(map(len, open_segments(found).vectors)) == found.counts()[1] == 6 and is_complete(found)
    assert check_catalogue(data).repaired == ()
