"""Hostile input and hostile circumstances: each file is accounted for once, and nothing is lost or shown as it is."""

import csv
import gc
import io
import json
import os
import resource
import shutil
import sqlite3
import time
import unicodedata
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path, PurePosixPath
from unittest.mock import Mock

import pytest
from click.testing import Result
from typer.testing import CliRunner

from cli.main import app
from cli.runs import screen as screening
from indexer.building import build
from retrieval.catalogue.catalogue import Catalogue
from retrieval.photographs.pages import pictures_in
from retrieval.photographs.reader_process import read_here
from tests.conftest import aged, data_files
from tests.hostile import FORMULA, GOOD, SCRIPT, Input, corpus, named, write_corpus
from tests.page import Page
from tests.pictures import painting, write_paintings

LINKS = {"itself.jpg", "there.jpg", "back.jpg", "dangling.jpg", "pipe.jpg", "linked.jpg", "caf\\xe9.jpg"}
NAMES = [item.name for item in corpus()] + sorted(LINKS)
TABLE = f"object_id,photo,title,maker\n00,,{SCRIPT},{FORMULA}\n{FORMULA},,{SCRIPT},\n01,{SCRIPT}.jpg,,\n"
slow = pytest.mark.slow
each_input = pytest.mark.parametrize("name", NAMES, ids=ascii)


def artifact(*arguments: object, code: int = 0) -> Result:
    """Run a command, which ends in its own words with that code, every line of them printable."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code == code, result.output
    assert all(line.isprintable() for line in result.stderr.split("\n")), result.stderr
    return result


def refused(*arguments: object) -> str:
    """Return the one line in which a command says that it cannot be done."""
    result = artifact(*arguments, code=1)
    (line,) = result.stderr.splitlines()
    assert line.startswith("artifact: ")
    return line


def records(*arguments: object, code: int = 0) -> list[dict]:
    return [json.loads(line) for line in artifact("screen", *arguments, "-f", "jsonl", code=code).stdout.splitlines()]


def status(data: Path) -> dict:
    """Return what the catalogue holds; working pictures, as vectors, are kept at once for the next run."""
    found = json.loads(artifact("status", "--data", data, "--format", "json").stdout)
    return {key: value for key, value in found.items() if key != "pictures"}


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """Two paintings in `works` with a hostile table, indexed into `data`, and the corpus in `corpus`."""
    root = tmp_path_factory.mktemp("hostile")
    write_paintings(root / "works", len(GOOD))
    (root / "works/catalogue.csv").write_text(TABLE, encoding="utf-8")
    artifact("index", root / "works", "--data", root / "data", code=3)
    return root


@pytest.fixture
def data(place, tmp_path) -> Path:
    """A copy of the catalogue that may be spoilt."""
    return shutil.copytree(place / "data", tmp_path / "data")


@pytest.fixture
def photos(tmp_path, read_quickly) -> Path:
    """A folder of three good photographs."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in (0, 1, 7):
        painting(number, (160, 128)).save(folder / f"{number}.jpg", quality=92)
        aged(folder / f"{number}.jpg")
    return folder


@pytest.fixture(scope="module")
def inputs(place) -> dict[str, Input]:
    return {item.name: item for item in write_corpus(place / "corpus")}


@pytest.fixture(scope="module")
def screened(place, inputs) -> list[dict]:
    return records(place / "corpus", "--data", place / "data", code=3)


@pytest.fixture(scope="module")
def indexed(place, inputs) -> tuple[Counter, dict[str, str]]:
    """How many objects have each id, and why a file was left out, once the corpus is indexed."""
    data = place / "indexed"
    printed = artifact("index", place / "corpus", "--data", data, code=3)
    listed = Counter(item["object_id"] for item in json.loads(artifact("list", "--data", data, "-f", "json").stdout))
    left_out = {os.path.relpath(item["file"], place / "corpus"): item["reason"] for item in status(data)["skipped"]}
    assert f"{len(left_out)} left out:" in printed.stderr
    return listed, left_out


def test_the_corpus_is_large_and_all_of_it_is_asked_about(inputs):
    assert sorted(inputs) == sorted(NAMES) and len(NAMES) >= 100
    assert sum(not item.judged for item in inputs.values()) >= 50


def test_a_screening_accounts_for_every_input_once_and_invents_none(screened, inputs, place):
    names = Counter(os.path.relpath(found["photo"], place / "corpus") for found in screened)
    assert names == Counter([*inputs.keys(), *["pages.tif"] * 2])


@each_input
def test_what_can_be_read_is_judged_and_of_the_rest_one_line_says_why(screened, inputs, place, name):
    found, *others = [found for found in screened if os.path.relpath(found["photo"], place / "corpus") == name]
    assert len(others) == (2 if name == "pages.tif" else 0)
    if inputs[name].judged:
        assert found["error"] is None and found["works"] and found["sha256"]
    else:
        assert found["works"] == found["seen_before"] == [] and len(found["verdicts"]) == 1
        assert inputs[name].says in found["error"].lower()
        assert found["error"].isprintable() and 8 < len(found["error"]) < 250


def test_good_photographs_among_them_are_still_recognised(screened):
    found = {Path(record["photo"]).name: record for record in screened}
    for number in GOOD:
        (work,) = found[f"good {number}.jpg"]["works"]
        assert work["outcome"] == "consistent" and work["matches"][0]["object_id"] == f"{number:02}"
    assert not any(work["alert"] for record in screened for work in record["works"])


@each_input
def test_an_index_takes_what_can_be_read_and_lists_the_rest_with_one_line(indexed, inputs, name):
    listed, left_out = indexed
    object_id = unicodedata.normalize("NFC", PurePosixPath(name).stem)
    if inputs[name].judged:
        assert listed[object_id] == 1 and name not in left_out
    else:
        assert object_id not in listed and inputs[name].says in left_out[name].lower()
        assert left_out[name].isprintable() and 8 < len(left_out[name]) < 250


def test_an_index_invents_nothing_and_is_whole(indexed, inputs, place):
    listed, left_out = indexed
    assert sum(listed.values()) + len(left_out) == len(inputs)
    artifact("check", "--data", place / "indexed")


@pytest.fixture
def read_quickly(monkeypatch) -> None:
    """Read photographs without the processes of their own, which take a second to begin."""
    reader = Mock(side_effect=read_here, count=pictures_in)
    monkeypatch.setattr(screening, "reading_apart", lambda limit: nullcontext(reader))


@pytest.fixture
def odd_names(tmp_path, monkeypatch, read_quickly) -> list[str]:
    """The names of photographs in the folder in which the program is run, so that nothing comes before them."""
    folder = tmp_path / "names"
    folder.mkdir()
    for item in named():
        (folder / item.name).write_bytes(item.content)
    monkeypatch.chdir(folder)
    return [item.name for item in named()]


def test_no_name_is_a_formula_in_a_spreadsheet(odd_names, place):
    printed = artifact("screen", ".", "--data", place / "data", "--format", "csv").stdout
    cells = [row["photo"] for row in csv.DictReader(io.StringIO(printed, newline=""))]
    dangerous = tuple("=+-@\t\uff1d")
    assert sorted(cells) == sorted(f"'{name}" if name.startswith(dangerous) else name for name in odd_names)
    assert sum(cell.startswith("'") for cell in cells) == 6


def test_no_name_is_markup_on_a_page_nor_turns_its_lines(odd_names, place, tmp_path):
    painting(0).save("good.png")
    artifact("screen", ".", "--data", place / "data", "-o", tmp_path / "day.html")
    text = (tmp_path / "day.html").read_text("utf-8")
    page = Page(text)
    assert SCRIPT in page.text and SCRIPT not in text, "the title of the object that the good photograph shows"
    assert "<img src=x onerror=alert(1)>" in page.text and "&amp;,;" in page.text
    assert ("img", "src", "x") not in page.attributes and not {"\u202e", "\x1b"} & set(text)
    assert not [item for item in page.attributes if item[1].startswith("on") and "alert" in item[2]]


def test_what_a_table_says_is_kept_as_it_is(place):
    listed = json.loads(artifact("list", "--data", place / "data", "--format", "json").stdout)
    assert listed[0]["metadata"] == {"title": SCRIPT, "maker": FORMULA}
    reasons = [item["reason"] for item in status(place / "data")["skipped"]]
    assert reasons == [f"there is no object {FORMULA} in this folder", f"there is no photo {SCRIPT}.jpg in this folder"]


def test_a_photograph_that_vanishes_before_it_is_screened_is_said(data, photos, monkeypatch):
    listing = screening.read_lots

    def vanishing(source: Path, **more: object) -> Iterator:
        lots = list(listing(source, **more))
        (source / "1.jpg").unlink(missing_ok=True)
        return iter(lots)

    monkeypatch.setattr(screening, "read_lots", vanishing)
    errors = {Path(found["photo"]).name: found["error"] for found in records(photos, "--data", data, code=3)}
    assert errors == {"0.jpg": None, "1.jpg": "cannot be opened: no such file or directory", "7.jpg": None}


@slow
def test_a_photograph_that_vanishes_before_it_is_indexed_is_listed_and_comes_back(data, photos, monkeypatch):
    kept, listing = (photos / "1.jpg").read_bytes(), build.read_folder

    def vanishing(folder: Path, *more: object):
        found = listing(folder, *more)  # type: ignore[arg-type]
        (folder / "1.jpg").unlink()
        return found

    with monkeypatch.context() as patched:
        patched.setattr(build, "read_folder", vanishing)
        assert "1.jpg: cannot be opened: no such file" in artifact("index", photos, "--data", data, code=3).stderr
    (photos / "1.jpg").write_bytes(kept)
    artifact("index", photos, "--data", data)
    assert status(data)["objects"] == 5


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
def test_a_photograph_that_may_not_be_read_is_said(data, photos):
    (photos / "1.jpg").chmod(0)
    errors = [found["error"] for found in records(photos, "--data", data, code=3)]
    assert errors == [None, "cannot be opened: permission denied", None]
    assert "1.jpg: cannot be opened: permission denied" in artifact("index", photos, "--data", data, code=3).stderr


@contextmanager
def room(size: int) -> Iterator[None]:
    """Let no file grow beyond so many bytes: what a full disk looks like."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@slow
@pytest.mark.parametrize("size", [0, 60_000, 110_000])
def test_an_index_on_a_full_disk_is_one_line_and_loses_nothing(data, photos, size):
    before = status(data)
    with room(size):
        refused("index", photos, "--data", data)
    assert status(data) == before
    artifact("check", "--data", data)
    artifact("index", photos, "--data", data)
    assert status(data)["objects"] == before["objects"] + 3


@pytest.mark.parametrize("size", [pytest.param(5_000, marks=slow), 65_000])
def test_a_screening_on_a_full_disk_is_one_line_and_loses_nothing(data, photos, tmp_path, size):
    out = tmp_path / "day.jsonl"
    out.write_text("yesterday\n")
    with room(size):
        refused("screen", photos, "--data", data, "-o", out)
    assert out.read_text() == "yesterday\n" and not list(tmp_path.glob("*.new"))
    artifact("screen", photos, "--data", data, "-o", out)
    assert sorted(Path(json.loads(line)["photo"]).name for line in out.read_text().splitlines()) == [
        "0.jpg",
        "1.jpg",
        "7.jpg",
    ]
    assert len(json.loads(artifact("verdicts", "--data", data, "--format", "json").stdout)) >= 3


@contextmanager
def held(database: Path) -> Iterator[None]:
    """Hold a database as another program may, for longer than anybody waits."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.execute("ROLLBACK")


@slow
def test_a_locked_catalogue_answers_and_is_written_only_afterwards(data, photos, monkeypatch):
    monkeypatch.setattr("retrieval.catalogue.database.WAIT_SECONDS", 0.2)
    before = status(data)
    with held(data / "catalogue.db"):
        begun = time.monotonic()
        assert "catalogue.db cannot be used now: database is locked" in refused("index", photos, "--data", data)
        assert time.monotonic() - begun < 10
        assert len(records(photos, "--data", data)) == 3
    assert status(data) == before
    artifact("index", photos, "--data", data)


@slow
def test_a_locked_log_of_verdicts_stops_a_screening_which_goes_on_afterwards(data, photos, tmp_path, monkeypatch):
    monkeypatch.setattr("retrieval.catalogue.database.WAIT_SECONDS", 0.2)
    artifact("screen", photos, "--data", data)
    out = tmp_path / "day.jsonl"
    with held(data / "verdicts.db"):
        assert "verdicts.db cannot be used now" in refused("screen", photos, "--data", data, "-o", out)
    artifact("screen", photos, "--data", data, "-o", out)
    assert len(out.read_text().splitlines()) == 3


@slow
def test_a_data_folder_that_may_not_be_written_is_not_indexed_into_and_stays_as_it_is(data, photos, monkeypatch):
    before, access = data_files(data), os.access
    monkeypatch.setattr(os, "access", lambda path, mode, **more: mode != os.W_OK and access(path, mode, **more))
    assert "cannot be" in refused("index", photos, "--data", data)
    assert "not recorded" in artifact("screen", photos, "--data", data).stderr
    assert data_files(data) == before
    monkeypatch.undo()
    artifact("index", photos, "--data", data)


@slow
@pytest.mark.parametrize("name", ["catalogue.db", "verdicts.db"])
def test_data_of_a_newer_version_are_left_as_they_are(data, photos, name):
    artifact("screen", photos, "--data", data)
    table = "SELECT migration_set, '999_later', applied_at FROM _sqlite_migrations LIMIT 1"
    with closing(sqlite3.connect(data / name, isolation_level=None)) as later:
        later.execute(f"INSERT INTO _sqlite_migrations (migration_set, name, applied_at) {table}")
    before = data_files(data)
    for command in (["screen", photos], ["index", photos]) if name == "catalogue.db" else (["screen", photos],):
        assert f"{name} was written by a newer version of this program; update it." in refused(*command, "--data", data)
    gc.collect()  # a process that ends lets go of the catalogue that it had opened
    assert data_files(data) == before
    with closing(sqlite3.connect(data / name, isolation_level=None)) as later:
        later.execute("DELETE FROM _sqlite_migrations WHERE name = '999_later'")
    artifact("screen", photos, "--data", data)
    with Catalogue.reading(data) as catalogue:
        assert catalogue.counts() == (2, 2)
