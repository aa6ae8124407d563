"""How vectors are searched: chosen with `index`, said in `status`, and of no weight for a verdict."""

import json
import re
from pathlib import Path

import pytest

from cli.runs import searching_options
from tests.cli.test_hostile import artifact, refused, status
from tests.conftest import data_files
from tests.pictures import painting, write_paintings


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """Nine paintings in `works`, indexed in `data`, and a photograph of one."""
    root = tmp_path_factory.mktemp("searching")
    write_paintings(root / "works", 9)
    painting(4).rotate(4, expand=True).save(root / "photo.jpg", quality=92)
    artifact("index", root / "works", "--data", root / "data")
    return root


def query(place: Path) -> list[dict]:
    said = artifact("query", place / "photo.jpg", "--data", place / "data", "--format", "json")
    works = json.loads(said.stdout)["works"]
    return [{name: value for name, value in work.items() if name != "number"} for work in works]


def lines(place: Path) -> list[str]:
    printed = artifact("status", "--data", place / "data").stdout.splitlines()
    return [line for line in printed if line.startswith("searched")]


def test_a_kind_is_kept_said_and_leaves_verdicts_as_they_are(place):
    before = query(place)
    (line,) = lines(place)
    assert re.fullmatch(r"searched: 9 vectors by Flat \(exact\); 0\.0 MB, votes 0\.\d MB", line)
    artifact("index", place / "works", "--data", place / "data", "--faiss", "HNSW8", "--memory", "500MB")
    (line,) = lines(place)
    assert line.startswith("searched: 9 vectors by HNSW8, efSearch 64 (100.0% of the nearest ten in a shortlist)")
    found = status(place / "data")["searched"]
    assert (found["asked"], found["memory"], found["segments"][0]["recall"]) == ("HNSW8", 500_000_000, 1.0)
    assert query(place) == before
    artifact("index", place / "works", "--data", place / "data")
    assert status(place / "data")["searched"] == found, "kept"
    artifact("index", place / "works", "--data", place / "data", "--faiss", "IVF64,SQ8")
    (line,) = lines(place)
    said = artifact("status", "--data", place / "data").stdout
    assert "by Flat (exact)" in line and "asked for is IVF64,SQ8; where that has too few vectors to learn from" in said
    artifact("index", place / "works", "--data", place / "data", "--faiss", "auto")
    assert "asked for" not in artifact("status", "--data", place / "data").stdout
    assert status(place / "data")["searched"]["segments"][0]["kind"] == "Flat" and query(place) == before


@pytest.mark.parametrize(
    ("option", "value", "why"),
    [
        ("--faiss", "nonsense", "'nonsense' is no index that is used here for vectors of 512 numbers"),
        ("--store", "http://10.0.0.7/museum", "begins neither with milvus://"),
        ("--store", "milvus://10.0.0.7:19530", "names no collection. Write it as in milvus://10.0.0.7:19530/museum"),
    ],
)
def test_what_cannot_be_is_a_mistake_of_usage_before_anything_is_done(place, option, value, why):
    painting(77).save(place / "works/new.png")
    before = data_files(place / "data")
    try:
        said = artifact("index", place / "works", "--data", place / "data", option, value, code=2)
        assert f"Invalid value for {option}: " in said.stderr and why in said.stderr
    finally:
        (place / "works/new.png").unlink()
    after = data_files(place / "data")
    assert {name for name in before if "db" not in name} == {name for name in after if "db" not in name}
    assert status(place / "data")["photos"] == 9


def test_an_index_that_takes_more_memory_than_it_may_is_said(place, monkeypatch):
    monkeypatch.setattr(searching_options, "LEAST_MEMORY", 1000)
    smallest = "No index is as small as the 0.0 MB of --memory: the smallest of 9 vectors, Flat, takes 0.0 MB."
    asked = "HNSW8, which was asked for, takes 0.0 MB: more than the 0.0 MB of --memory."
    for options, line in (
        (("--memory", "15kB"), smallest),
        (("--faiss", "HNSW8"), asked),
        (("--memory", "2GB"), ""),
        (("--faiss", "auto"), ""),
    ):
        found = artifact("index", place / "works", "--data", place / "data", *options)
        printed = artifact("status", "--data", place / "data").stdout
        assert found.stderr.strip() == line and (f"\n  {line}\n" in printed if line else "--memory" not in printed)


@pytest.mark.parametrize("size", ["much", "0", "-1GB", "", "0.1", "9" * 400 + "GB"])
def test_a_size_is_a_number_of_bytes(place, size):
    said = artifact("index", place / "works", "--data", place / "data", "--memory", size, code=2)
    assert "--memory is a size of 1MB or more" in said.stderr.replace("\n", " ")


def test_stores_that_are_none_or_one_are_a_mistake_of_usage(place):
    for one, other, why in (
        ("files", "files", "FROM and TO are the same"),
        ("paper", "files", "Invalid value for FROM: The address of the store begins neither with milvus://"),
        ("files", "milvus://h:port/c", "Invalid value for TO: The address of the store has a port that is no number"),
    ):
        assert why in artifact("store", "copy", one, other, "--data", place / "data", code=2).stderr
    assert "No catalogue in" in refused("store", "copy", "files", "milvus://h/c", "--data", place / "none")
