"""Data that cannot be written are read all the same, and nothing is written beside them."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from retrieval.catalogue import made_in_memory
from retrieval.catalogue.catalogue import Catalogue
from tests.cli.test_hostile import artifact, refused
from tests.conftest import data_files
from tests.pictures import write_paintings

CLOSED: dict[str, Callable[[Path], bool]] = {
    "folder": lambda path: path.name == "data",
    "files": lambda path: path.suffix == ".db",
}
KEPT = ("status", "list", "check", "verdicts", "review")


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """Three paintings in `works`, indexed into `data`, and one verdict."""
    root = tmp_path_factory.mktemp("closed")
    write_paintings(root / "works", 3)
    artifact("index", root / "works", "--data", root / "data")
    artifact("query", root / "works/00.png", "--data", root / "data")
    return root


@pytest.fixture
def photo(place) -> Path:
    return place / "works/01.png"


@pytest.fixture
def copied(place, tmp_path) -> Path:
    """A copy of the catalogue, with nothing open in it."""
    return Path(shutil.copytree(place / "data", tmp_path / "data"))


@pytest.fixture(params=CLOSED)
def closed(request, copied, monkeypatch) -> Path:
    """A copy of the catalogue that cannot be written: the folder, or its databases (nothing is closed to root)."""
    access, is_closed = os.access, CLOSED[request.param]
    monkeypatch.setattr(
        os, "access", lambda path, mode: access(path, mode) and (mode != os.W_OK or not is_closed(path))
    )
    for path in copied.iterdir():
        path.chmod(0o444)
    return copied


def test_what_only_reads_says_what_it_always_says_and_leaves_no_file(place, closed):
    before = data_files(closed)
    for command in (*map(lambda name: [name], KEPT), ["show", "00"], ["verdict", "1"], ["verdict", "1", "--replay"]):
        said = artifact(*command, "--data", closed)
        usual = artifact(*command, "--data", place / "data")
        assert said.stdout.replace(str(closed), "DATA") == usual.stdout.replace(str(place / "data"), "DATA"), command
        assert said.stderr == ""
    assert data_files(closed) == before


def test_a_photograph_is_judged_and_the_verdict_is_said_not_to_be_recorded(closed, photo):
    before = data_files(closed)
    for command in (["query", photo, "--format", "json"], ["screen", photo.parent, "--format", "jsonl"]):
        said = artifact(*command, "--data", closed)
        first, *_ = said.stderr.splitlines()
        assert first == f"not recorded: {closed} cannot be written"
        (record, *_) = [json.loads(said.stdout)] if "json" in command else map(json.loads, said.stdout.splitlines())
        assert (record["works"][0]["outcome"], record["verdicts"]) == ("consistent", [])
    assert data_files(closed) == before


@pytest.mark.parametrize("name", ["vectors-1.faiss", "votes2-1.lists"])
def test_what_is_made_in_memory_each_time_is_said_where_it_is_much(closed, photo, name, monkeypatch, caplog):
    (closed / name).unlink()
    line = f"What 3 photographs are found by is missing, and made in memory each time: {closed} cannot be written. Let "
    line += f"somebody who may write it run `artifact check --data {closed}` once."
    for some, said in ((3, []), (2, [line])):
        monkeypatch.setattr(made_in_memory, "SOME", some)
        found = artifact("query", photo, "--data", closed, "--format", "json")
        assert json.loads(found.stdout)["works"][0]["outcome"] == "consistent"
        assert [record.message for record in caplog.records] == said


def test_what_writes_is_refused_before_anything_is_done(closed, photo):
    before = data_files(closed)
    for command in (
        ["index", photo.parent], ["remove", "00"], ["calibrate"], ["review", "1", "--accept", "--name", "J. Doe"],
    ):  # fmt: skip
        assert "cannot be written" in refused(*command, "--data", closed)
    assert data_files(closed) == before


def test_check_says_what_it_would_repair(closed):
    (closed / "vectors-1.faiss").unlink()
    with_vectors = json.loads(artifact("check", "--data", closed, "--format", "json", code=1).stdout)
    assert with_vectors["repaired"] == []
    line = f"vectors-1.faiss was missing; {closed} cannot be written, so it stays so"
    assert with_vectors["wrong"] == [line]
    assert not (closed / "vectors-1.faiss").exists()


def test_a_catalogue_of_an_earlier_version_that_cannot_be_written_says_what_to_do(copied, photo, monkeypatch):
    with Catalogue.writing(copied) as catalogue:
        last = "(SELECT name FROM _sqlite_migrations ORDER BY name DESC LIMIT 1)"
        catalogue.db.execute(f"DELETE FROM _sqlite_migrations WHERE name = {last}")
        catalogue.db.conn.commit()
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: access(path, mode) and mode != os.W_OK)
    for command in (["status"], ["list"], ["show", "00"], ["check"], ["query", photo]):
        line = refused(*command, "--data", copied)
        assert "is of an earlier version and cannot be written. Copy the folder" in line
