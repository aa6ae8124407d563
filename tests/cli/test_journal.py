"""The journal of a screening: what is done is kept, once each, whenever it is cut short."""

import os
import sqlite3
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.screening.journal import Journal
from retrieval.errors import ArtifactError
from tests.records import photograph_record, work_record

HEADING = {"revision": 1}


def found(photo: Path, outcome: str = "consistent", error: str | None = None) -> dict:
    works = [] if error else [work_record(outcome)]
    return photograph_record(photo, *works, error=error)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    (tmp_path / "a.jpg").write_bytes(b"x")
    time.sleep(0.02)
    return tmp_path / "a.jpg"


def test_a_journal_is_taken_up_by_the_same_work_only(tmp_path, photo):
    with Journal.beside(tmp_path / "out", HEADING) as journal:
        started = journal.started
        assert not journal.taken_up
        journal.add("a", "sha a", found(photo))
        assert list(journal.fresh()) == [found(photo)] and list(journal.fresh()) == []
    with Journal.beside(tmp_path / "out", HEADING) as journal:
        assert journal.taken_up and journal.holds("a", photo) and not journal.holds("b", photo)
        assert (len(journal), journal.counts["consistent"], journal.started) == (1, 1, started)
        assert list(journal.records()) == [found(photo)] and list(journal.fresh()) == []
        assert journal.of_identity("sha a") == found(photo) and journal.of_identity("sha b") is None
    with Journal.beside(tmp_path / "out", {"revision": 2}) as journal:
        assert len(journal) == 0 and not journal.taken_up and not journal.holds("a", photo)


def test_a_photograph_written_since_is_judged_again(tmp_path, photo):
    with Journal.beside(tmp_path / "out", HEADING) as journal:
        journal.add("a", "sha a", found(photo))
        time.sleep(0.02)
        photo.write_bytes(b"y")
        assert not journal.holds("a", photo)
        assert (len(journal), list(journal.records()), +journal.counts) == (0, [], {})
        journal.add("a", "sha a", found(photo, "divergent"))
        photo.unlink()
        assert not journal.holds("a", photo)


@pytest.mark.parametrize("years", [-9, 9])
def test_a_photograph_with_the_date_of_another_clock_is_judged_once_and_its_replacement_again(tmp_path, photo, years):
    def dated(path: Path) -> Path:
        os.utime(path, (time.time() + years * 365 * 86400,) * 2)
        return path

    dated(photo)
    time.sleep(0.02)
    with Journal.beside(tmp_path / "out", HEADING) as journal:
        journal.add("a", "sha a", found(photo))
        assert journal.holds("a", photo)
        (tmp_path / "other").write_bytes(b"y")
        time.sleep(0.02)
        dated(tmp_path / "other").replace(photo)
        assert not journal.holds("a", photo)


def test_what_could_not_be_read_is_tried_again_by_the_next_run(tmp_path, photo):
    with Journal.beside(tmp_path / "out", HEADING) as journal:
        journal.add("a", None, found(photo, error="truncated"))
        assert journal.holds("a", photo) and journal.counts["unreadable"] == 1
    with Journal.beside(tmp_path / "out", HEADING) as journal:
        assert not journal.holds("a", photo) and journal.counts["unreadable"] == 0


def test_an_input_that_comes_twice_counts_once(tmp_path, photo):
    with Journal.beside(tmp_path / "out", HEADING) as journal:
        for _ in range(2):
            journal.add("a", "sha a", found(photo))
        assert (len(journal), journal.counts["consistent"], len(list(journal.records()))) == (1, 1, 1)


@pytest.mark.parametrize("content", [b"", b"no database at all, but something else", b'{"revision": 1}\n'])
def test_a_file_that_is_no_journal_is_written_over(tmp_path, photo, content):
    (tmp_path / "out.part").write_bytes(content)
    with Journal.beside(tmp_path / "out", HEADING) as journal:
        journal.add("a", "sha a", found(photo))
        assert len(journal) == 1


def test_nothing_is_left_behind(tmp_path, photo):
    with Journal.beside(tmp_path / "out", HEADING) as journal:
        journal.add("a", "sha a", found(photo))
        journal.discard()
    with Journal.beside(None, HEADING) as journal:
        journal.add("a", "sha a", found(photo))
        folder = journal.path.parent
        assert folder.exists()
    assert not folder.exists() and list(tmp_path.iterdir()) == [photo]


def test_what_cannot_be_written_is_said_in_a_line(tmp_path, photo):
    with Journal.beside(tmp_path / "out", HEADING) as journal:
        journal._db.execute("PRAGMA query_only = ON")
        with pytest.raises(ArtifactError, match=r"out\.part cannot be written: .* The same command goes on"):
            journal.add("a", "sha a", found(photo))
    with pytest.raises(ArtifactError, match="cannot be written"), Journal.beside(tmp_path / "no/out", HEADING):
        pass


def test_two_screenings_of_one_output_do_not_write_over_each_other(tmp_path, photo):
    with Journal.beside(tmp_path / "out", HEADING) as first, Journal.beside(tmp_path / "out", HEADING) as second:
        first.add("a", "sha a", found(photo))
        second.add("b", "sha b", found(photo))
        assert {record["photo"] for record in first.records()} == {str(photo)} and first.holds("b", photo)
        assert sqlite3.connect(first.path).execute("SELECT count(*) FROM records").fetchone() == (2,)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(max_size=6), max_size=12), st.integers(0, 12))
def test_cut_anywhere_every_input_is_there_once(tmp_path_factory, names, cut):
    root = tmp_path_factory.mktemp("cut")
    photo = root / "a.jpg"
    photo.write_bytes(b"x")
    for part in (names[:cut], names):
        with Journal.beside(root / "out", HEADING) as journal:
            for name in part:
                if not journal.holds(name, photo):
                    journal.add(name, None, found(photo) | {"name": name})
    with Journal.beside(root / "out", HEADING) as journal:
        kept = [record["name"] for record in journal.records()]
    assert sorted(kept) == sorted(set(names)) and len(kept) == len(set(kept))
