"""Works that several objects hold, and objects that hold several works, are named when they come."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from indexer.building.findings import Findings, OnePicture, OneWork, SeveralWorks, find_oddities
from indexer.building.same_work import SameWork
from retrieval.catalogue.rows import Photo
from retrieval.encoder.encoder import load_encoder
from tests.conftest import aged, catalogue_of, exemplar, index, unit
from tests.pictures import painting, write_paintings
from tests.works import neighbours


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_paintings(tmp_path / "photos", 24)
    return tmp_path / "photos"


def save(seed: int, path: Path, **options: object) -> None:
    painting(seed).save(path, **options)
    aged(path)


def test_doubles_leave_the_match_threshold_as_it_is_and_are_named_once(folder, tmp_path, data):
    encoder = load_encoder(parallel=2)
    before = index(folder, data, encoder=encoder).published
    assert before.before is None and before.after.match.count == 24
    assert (before.findings.pictures, before.findings.works) == ((), ())
    shutil.copyfile(folder / "03.png", folder / "a copy.png")
    (folder / "a link.png").symlink_to(folder / "03.png")
    save(5, folder / "saved anew.jpg", quality=70)
    thumbnail = painting(7)
    thumbnail.thumbnail((200, 200))
    thumbnail.save(folder / "thumbnail.png")
    report = index(folder, data, encoder=encoder)
    found = report.published.findings
    assert found.pictures == (OnePicture(("03", "a copy", "a link"), "03.png"),)
    assert [item.object_ids for item in found.works] == [("05", "saved anew"), ("07", "thumbnail")]
    assert [item.points >= 10 for item in found.works] == [True, True], found.works
    after = report.published.after.match
    assert after.count == 24 and after.value == before.after.match.value > 0
    assert index(folder, data, encoder=encoder).published.after is None, "nothing new is looked at"


def test_new_exemplars_are_looked_at_and_no_others(folder, data):
    save(5, folder / "saved anew.jpg", quality=70)
    index(folder, data)
    save(100, folder / "new.png")
    assert index(folder, data).published.findings == Findings()
    save(100, folder / "new again.jpg", quality=70)
    assert [item.object_ids for item in index(folder, data).published.findings.works] == [("new", "new again")]


def test_a_known_forgery_may_look_like_the_genuine_work(folder, data):
    save(5, folder / "forged.jpg", quality=70)
    save(6, folder / "again.jpg", quality=70)
    table = "object_id,status,forgery_of\nforged,known forgery,05\n"
    (folder / "catalogue.csv").write_text(table)
    assert [item.object_ids for item in index(folder, data).published.findings.works] == [("06", "again")]


def test_exemplars_that_show_nothing_are_named(tmp_path, data):
    write_paintings(tmp_path / "photos", 2)
    Image.new("RGB", (400, 300), (250, 250, 245)).save(tmp_path / "photos" / "blank.jpg")
    encoder = load_encoder(parallel=2)
    assert index(tmp_path / "photos", data, encoder=encoder).empty == ("blank.jpg",)
    assert index(tmp_path / "photos", data, encoder=encoder).empty == ()


def oddities(owners: list[str], vectors: np.ndarray, registered: tuple, *, names: dict[int, str] | None = None):
    ids, photos = catalogue_of(owners)
    for row, path in (names or {}).items():
        old: Photo = photos[int(ids[row])]
        photos[int(ids[row])] = exemplar(old.object_id, path=path, sha256=old.sha256)
    new = {photo.sha256 for photo in photos.values()}
    return find_oddities(neighbours(ids, unit(vectors), photos), new, SameWork(registered[0]), near=0.5), photos


def test_a_folder_of_many_works_is_no_object(registered):
    eye = np.eye(8)
    vectors = np.stack([*eye[:4], eye[5], eye[5] + 0.05 * eye[6], eye[7]])
    found, photos = oddities(["2019"] * 4 + ["vase"] * 3, vectors, registered)
    paths = tuple(sorted(photo.path for photo in photos.values() if photo.object_id == "2019"))
    assert found.objects == (SeveralWorks("2019", paths, 4),), "of the vase two are alike"


def test_of_a_very_full_folder_a_sample_is_looked_at(registered):
    found, _ = oddities(["images"] * 80, np.eye(80), registered)
    assert [(len(item.files), item.photos) for item in found.objects] == [(50, 50)]
    assert len(registered[1]) <= 50


def test_another_side_of_an_object_may_be_unlike_it(registered):
    found, _ = oddities(["a", "a", "b", "b"], np.eye(4), registered, names={1: "a/verso.jpg", 3: "b/2.jpg"})
    assert [item.object_id for item in found.objects] == ["b"]


def test_photographs_of_one_object_that_register_are_alike_however_far(registered):
    _, photos = catalogue_of(["a", "a"])
    registered[2].add(frozenset(photo.sha256 for photo in photos.values()))
    assert oddities(["a", "a"], np.eye(2), registered)[0].objects == ()


def test_only_near_pairs_are_registered(registered):
    vectors = np.concatenate([np.eye(6), np.eye(6)[:1] + 0.1 * np.eye(6)[5:]])
    _, photos = catalogue_of(list("abcdefg"))
    registered[2].add(frozenset({photos[1000].sha256, photos[958].sha256}))
    found, _ = oddities(list("abcdefg"), vectors, registered)
    assert found.works == (OneWork(("a", "g"), ("a/1000.jpg", "g/958.jpg"), 20),)
    assert len(registered[1]) == 1
