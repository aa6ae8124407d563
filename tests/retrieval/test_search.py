"""Objects are found by the words of all their metadata, whatever is typed."""

import sqlite3
import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.migrations import MIGRATIONS
from retrieval.catalogue.rows import Changes
from retrieval.catalogue.search import count_matching, matching
from retrieval.errors import CatalogueBusy
from tests.conftest import exemplar

WORKS = {
    "1984.12": {"title": "Wheat Field with Cypresses", "maker": "Vincent van Gogh", "Raum": "Saal Dürer"},
    "1984.13": {"title": "Portrait of a Man", "maker": "Albrecht Dürer", "accession": "NG 1938"},
    "wave": {"title": "The Great Wave", "maker": "葛飾北斎", "inscriptions": "冨嶽三十六景 神奈川沖浪裏"},
    "sun": {"title": "ภาพวาดดอกทานตะวัน", "maker": "O\u2019Keeffe", "materials": "oil on canvas"},
    "a/b #1?": {"title": 'The "Blue" Vase*', "status": "Stolen"},
    "***": {},
    "D-001": {"title": "Am Ende der Straße", "measurements": "20 x 01 cm"},
    "E002": {"title": "STRASSENBAHN", "maker": "Großmann, Voß"},
    "2001.7.b": {},
}


@pytest.fixture
def works(writable: Catalogue) -> Catalogue:
    rows = [exemplar(object_id, sha256=object_id, path=f"{n}.jpg") for n, object_id in enumerate(WORKS)]
    writable.apply(Changes(put=rows, metadata=WORKS))
    return writable


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("wheat", ["1984.12"]),
        ("WHE", ["1984.12"]),
        ("heat", []),  # words are found by their beginnings
        ("durer", ["1984.13", "1984.12"]),  # a maker weighs more than where a work hangs
        ("dürer", ["1984.13", "1984.12"]),
        (unicodedata.normalize("NFD", "Dürer"), ["1984.13", "1984.12"]),
        ("durer saal", ["1984.12"]),
        ("1984.12", ["1984.12"]),
        ("1984", ["1984.13", "1984.12"]),
        ("1984.1", ["1984.13", "1984.12"]),
        ("NG 19", ["1984.13"]),
        ("ng1938", ["1984.13"]),  # of an accession number
        ("198412", ["1984.12"]),
        ("d001", ["D-001"]),
        ("D00", ["D-001"]),
        ("d0012", []),
        ("2001", ["2001.7.b"]),  # and no measurement
        ("20017b", []),  # one sign is guessed, and where digits begin or end
        ("e-002", ["E002"]),
        ("e/002", ["E002"]),
        ("strasse", ["E002", "D-001"]),
        ("Straße", ["E002", "D-001"]),
        ("STRAẞE", ["E002", "D-001"]),
        ("stras", ["E002", "D-001"]),
        ("straßenbahn", ["E002"]),
        ("grossmann voss", ["E002"]),
        ("浪裏", ["wave"]),
        ("wave 北斎", ["wave"]),
        ("ทานตะวัน", ["sun"]),
        ("keeffe", ["sun"]),
        ("stolen", ["a/b #1?"]),
        ("a/b #1?", ["a/b #1?"]),
        ('"blue"', ["a/b #1?"]),
        ("van - gogh", ["1984.12"]),
        ("***", ["***"]),
        ("*", ["***", "a/b #1?"]),
        ("gogh NOT wheat", []),
        ("title:wheat", []),
        ("", []),
        (" \n\t", []),
    ],
)
def test_what_is_typed_finds(works, text, found):
    assert matching(works, text) == found
    assert count_matching(works, text) == len(found)


@pytest.mark.parametrize(
    "text",
    ['"', "'", '"" OR ""', "NEAR(a b)", "a AND", "^a", "a\0b", "(", "\ud800", "-", "%", "a" * 10**5, "ß1s " * 99],
)
def test_no_text_is_an_error(works, text):
    assert len(matching(works, text)) == count_matching(works, text)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text())
def test_any_text_is_searched_for(works, text):
    assert len(matching(works, text)) == count_matching(works, text)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from([word for work in WORKS.values() for text in work.values() for word in text.split()]))
def test_every_word_of_the_metadata_is_found(works, word):
    has = {key for key, work in WORKS.items() if word in " ".join(work.values()).split()}
    assert has <= set(matching(works, word)) and has


def test_pages_follow_each_other(works):
    everything = matching(works, "o")
    assert len(everything) == 2
    assert [matching(works, "o", limit=1, after=after) for after in range(3)] == [[everything[0]], [everything[1]], []]


def test_what_changes_is_found_at_once_and_what_goes_is_not(works):
    works.apply(Changes(metadata={"wave": {"title": "Fuji", "Raum": "7"}}))
    assert matching(works, "great") == [] and matching(works, "神奈川") == []
    assert matching(works, "fuji 7") == ["wave"]
    gone = next(photo.photo_id for photo in works.photos("wave"))
    works.apply(Changes(gone=[gone]))
    assert matching(works, "fuji") == [] and matching(works, "wave") == []
    works.apply(Changes(put=[exemplar("new", sha256="n")]))
    assert matching(works, "new") == ["new"]
    works.db.execute("INSERT INTO object_words (object_words, rank) VALUES ('integrity-check', 1)")


def test_any_program_that_writes_objects_keeps_the_search_right(works):
    for sql in (
        "INSERT OR REPLACE INTO objects (object_id, title) VALUES ('wave', 'Replaced')",
        "UPDATE objects SET object_id = 'renamed', other = 'no json' WHERE object_id = 'new'",
        "INSERT INTO objects (object_id) VALUES ('bare')",
        "UPDATE OR REPLACE objects SET title = 'Bare' WHERE object_id = 'bare'",
    ):
        works.db.execute("PRAGMA foreign_keys = OFF")
        works.db.execute(sql)
    works.db.conn.commit()
    works.db.execute("VACUUM")
    assert matching(works, "replaced") == ["wave"] and matching(works, "great") == []
    assert matching(works, "bare") == ["bare"]
    works.db.execute("INSERT INTO object_words (object_words, rank) VALUES ('integrity-check', 1)")


def old_catalogue(data):
    data.mkdir()
    old = Database(sqlite3.connect(data / "catalogue.db"))
    MIGRATIONS.apply(old, stop_before="007_search")
    with old.conn:
        old.conn.execute(
            "INSERT INTO objects (object_id, maker, other) VALUES ('a', 'Dürer', '{\"Raum\": \"Saal 12\"}')"
        )
        old.conn.execute("INSERT INTO objects (object_id, other) VALUES ('b', 'damaged')")
        old.conn.execute("INSERT INTO objects (object_id) VALUES ('c')")
    old.close()


def test_an_older_catalogue_is_searched_after_it_is_opened_once(data):
    old_catalogue(data)
    with Catalogue.reading(data) as found:
        assert matching(found, "durer saal 12") == ["a"]
        assert [matching(found, key) for key in "abc"] == [["a"], ["b"], ["c"]]


def test_an_older_catalogue_that_cannot_be_written_says_what_to_do(data, monkeypatch):
    old_catalogue(data)
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(CatalogueBusy, match="let its owner run `artifact status`"), Catalogue.reading(data):
        pass


def test_a_catalogue_that_cannot_be_written_is_searched(works, monkeypatch):
    works.db.conn.close()
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with Catalogue.reading(works.data) as found:
        assert matching(found, "wheat 1984") == ["1984.12"] and matching(found, "浪裏") == ["wave"]
