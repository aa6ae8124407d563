"""Exemplars that are fetched when they are asked for are those that a dictionary of all would hold."""

import gc
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest

from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.database import DATABASE
from retrieval.catalogue.exemplars import Held, photos_by_content, photos_by_object
from retrieval.catalogue.key_of_content import content_key
from retrieval.catalogue.lookups import alarming_objects
from retrieval.catalogue.rows import Changes
from retrieval.catalogue.standing import Register
from retrieval.catalogue.vector_index import Vectors
from retrieval.errors import CatalogueDamaged
from retrieval.finding.finder import Finder
from retrieval.judging.edition import open_edition
from tests.conftest import exemplar, index, make_folder, tiny_encoder

HASHES = [f"{number:064x}" for number in (0, 1, 16**49, 16**49 + 1, 2**256 - 1)]  # two and two share a key


NONE = Vectors((), lambda hashes: {})


@pytest.fixture
def held(data) -> Held:
    photos = [exemplar(f"o{n % 3}", path=f"{n}.jpg", sha256=sha256) for n, sha256 in enumerate(HASHES)]
    photos.append(exemplar("twin", path="twin.jpg", sha256=HASHES[0]))
    metadata = {"o0": {"status": "stolen 1990"}, "o1": {"status": "in collection"}, "twin": {"status": "gestohlen"}}
    with Catalogue.writing(data) as catalogue:
        catalogue.apply(Changes(put=photos, metadata=metadata))
    return Held(data)


def test_what_is_fetched_is_what_a_dictionary_of_all_holds(held):
    whole, lazy = Finder.of(NONE, (), held.catalogue.photos()), Finder.over(NONE, (), held)
    assert {key: list(value) for key, value in lazy.exemplars.items()} == whole.exemplars and len(lazy.exemplars) == 4
    assert dict(lazy.contents) == whole.contents and len(lazy.contents) == 3
    assert [photo.object_id for photo in lazy.contents[content_key(HASHES[2])]] == ["o0", "o2"]
    for mapping, key in ((lazy.exemplars, "none"), (lazy.contents, 7)):
        assert key not in mapping and mapping.get(key) is None


@pytest.mark.parametrize("sha256", HASHES)
def test_without_a_file_it_is_as_if_it_had_never_been_there(held, sha256):
    rest = [photo for photo in held.catalogue.photos() if photo.sha256 != sha256]
    expected, lazy = Finder.of(NONE, (), rest), Finder.over(NONE, (), held).without(sha256)
    assert {key: list(value) for key, value in lazy.exemplars.items()} == expected.exemplars
    assert len(lazy.exemplars) == len(expected.exemplars)
    assert dict(lazy.contents) == expected.contents and len(lazy.contents) == len(expected.contents)


def test_a_file_of_which_there_is_none_changes_nothing(held):
    finder = Finder.over(NONE, (), held)
    assert finder.without("e" * 64) is finder


def test_one_revision_is_held_whatever_is_written(held, data):
    photos = photos_by_object(held)
    with Catalogue.writing(data) as catalogue:
        catalogue.apply(Changes(put=[exemplar("new", path="new.jpg", sha256="a" * 64)], gone=[1]))
    assert "new" not in photos and len(photos) == 4 and len(photos_by_content(held)) == 3
    assert "new" in photos_by_object(Held(data))


def test_any_thread_may_ask(held):
    contents = photos_by_content(held)
    keys = [content_key(HASHES[number]) for number in (0, 2, 4)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: [photo.path for photo in contents[keys[number % 3]]], range(400)))
    assert (
        found[:3] == [["0.jpg", "1.jpg", "twin.jpg"], ["3.jpg", "2.jpg"], ["4.jpg"]] and found[:3] * 133 == found[:399]
    )


def test_it_is_open_as_long_as_a_finder_needs_it_and_no_longer(data, held):
    own = Held(data)
    finder, database = Finder.over(NONE, (), own), own.catalogue.db
    del own
    assert len(finder.exemplars) == 4
    del finder
    gc.collect()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        database.execute("SELECT 1")


def test_damage_that_is_met_later_is_said(held, data):
    photos = photos_by_object(held)

    def broken(*_):
        raise sqlite3.DatabaseError("database disk image is malformed")

    held.catalogue.db = type("Broken", (), {"execute": broken, "query": broken})()
    with pytest.raises(CatalogueDamaged, match=f"{DATABASE} is damaged"):
        photos["o1"]


def test_only_what_alarms_is_read_and_the_rest_is_known_when_asked_for(held):
    alarming = alarming_objects(held.catalogue)
    assert [item.object_id for item in alarming] == ["o0", "twin"]
    register, whole = Register.of(alarming, held.object), Register.of(held.catalogue.objects())
    assert set(register.standings) == {"o0", "twin"} and register.alarms == whole.alarms
    for object_id in ("o0", "o1", "o2", "twin", "none"):
        assert register.standing(object_id) == whole.standing(object_id)
        assert register.is_wanted(object_id) == whole.is_wanted(object_id) == (object_id in ("o0", "twin"))


def test_of_no_status_nothing_alarms(writable):
    assert alarming_objects(writable) == []
    writable.apply(Changes(put=[exemplar("a")]))
    assert alarming_objects(writable) == []


@pytest.mark.parametrize("writable", [True, False])
def test_a_catalogue_that_cannot_be_written_is_read_whole_and_does_not_stay_open(tmp_path, monkeypatch, writable):
    index(make_folder(tmp_path / "photos", {f"{n}.png": n for n in range(3)}), tmp_path / "data")
    monkeypatch.setattr("retrieval.judging.edition.load_recorded", lambda *_, **__: tiny_encoder())
    if not writable:
        for module in ("database", "exemplars"):
            monkeypatch.setattr(f"retrieval.catalogue.{module}.can_write", lambda data, name="": False)
    edition = open_edition(tmp_path / "data")
    assert isinstance(edition.exemplars, dict) == (not writable) and len(edition.exemplars) == 3


def test_damage_that_is_met_as_it_is_opened_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr("retrieval.judging.edition.load_recorded", lambda *_, **__: tiny_encoder())
    index(make_folder(tmp_path / "photos", {"a.png": 1}), tmp_path / "data")
    path = tmp_path / "data" / DATABASE
    with sqlite3.connect(path) as database:
        size, page = (database.execute(sql).fetchone()[0] for sql in (
            "PRAGMA page_size", "SELECT rootpage FROM sqlite_master WHERE name = 'thresholds'"
        ))  # fmt: skip
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    with pytest.raises(CatalogueDamaged, match="is damaged"):
        open_edition(tmp_path / "data")
