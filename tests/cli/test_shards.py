"""`artifact index --shards`: the same verdicts from several folders, and a line where one of them is away."""

import json
import shutil
from pathlib import Path

import pytest

from indexer.simulation.rephotograph import rephotograph
from tests.cli.test_hostile import artifact, status
from tests.pictures import painting, write_paintings


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """Five paintings in `works`, indexed into `one` folder and into `three` shards; photographs of two in `inbox`."""
    root = tmp_path_factory.mktemp("shards")
    write_paintings(root / "works", 5)
    (root / "inbox").mkdir()
    for number in range(2):
        rephotograph(painting(number), seed=number).save(root / f"inbox/{number}.jpg", quality=92)
    artifact("index", root / "works", "--data", root / "one")
    artifact("index", root / "works", "--data", root / "three", "--shards", "3")
    return root


def judged(place: Path, data: Path) -> list[dict]:
    result = artifact("screen", place / "inbox", "--data", data, "-f", "jsonl")
    records = [json.loads(line) for line in result.stdout.splitlines()]
    return [{key: value for key, value in record.items() if key not in ("verdicts", "date")} for record in records]


def test_verdicts_and_what_status_says_are_those_of_one_folder(place):
    assert judged(place, place / "three") == judged(place, place / "one")
    found = status(place / "three")["searched"]
    assert found["shards"] == {"count": 3, "asked": 3, "moving": False, "missing": []}
    assert {item["shard"] for item in found["segments"]} <= {0, 1, 2} and not list((place / "three").glob("v*-*"))
    assert sum(item["vectors"] for item in found["segments"]) == 5
    assert status(place / "one")["searched"]["shards"] == {"count": 1, "asked": 1, "moving": False, "missing": []}
    said = artifact("status", "--data", place / "three").stdout
    assert "searched: 5 vectors by Flat" in said and "shards: 3, in the folder shards\n" in said
    assert "shards: " not in artifact("status", "--data", place / "one").stdout


@pytest.mark.slow
def test_a_run_with_a_shard_away_says_so_and_changes_nothing(place, tmp_path):
    data = Path(shutil.copytree(place / "three", tmp_path / "data"))
    (data / "shards" / "01").rename(tmp_path / "away")
    before = status(data)
    assert before["searched"]["shards"]["missing"] == [1]
    assert "  not there, or not as they should be: 01; nothing is judged" in artifact("status", "--data", data).stdout
    photo = place / "inbox/0.jpg"
    for command in (("query", photo), ("screen", place / "inbox"), ("index", place / "works"), ("remove", "00"),
                    ("compare", photo, "00"), ("check",), ("check", "--quick")):  # fmt: skip
        result = artifact(*command, "--data", data, code=1)
        said = result.stderr.splitlines()[-1]
        assert "01 is not there, so that nothing is judged." in said, command
    assert status(data) == before
    (tmp_path / "away").rename(data / "shards" / "01")
    artifact("check", "--data", data)
    assert judged(place, data) == judged(place, place / "one")


@pytest.mark.slow
def test_a_shard_that_is_lost_is_made_anew_from_the_photographs(place, tmp_path):
    data = Path(shutil.copytree(place / "three", tmp_path / "data"))
    (lost,) = {item["shard"] for item in status(data)["searched"]["segments"][:1]}
    shutil.rmtree(data / "shards" / f"{lost:02d}")
    assert "--remake-shards" in artifact("index", place / "works", "--data", data, "--shards", "3", code=1).stderr
    artifact("index", place / "works", "--data", data, "--remake-shards")
    assert status(data)["searched"]["shards"]["missing"] == []
    artifact("check", "--data", data)
    assert judged(place, data) == judged(place, place / "one")


def test_what_is_brought_together_again_leaves_no_shard(place, tmp_path):
    data = Path(shutil.copytree(place / "three", tmp_path / "data"))
    said = artifact("index", place / "works", "--data", data, "--shards", "1").stdout
    assert "shards: none; those of before go with the next run" in said
    artifact("index", place / "works", "--data", data)  # until then somebody may still read them
    assert not (data / "shards").exists() and judged(place, data) == judged(place, place / "one")
    artifact("check", "--data", data)


@pytest.mark.parametrize("asked", ["0", "65", "two", "-1"])
def test_a_number_that_is_none_is_refused(place, tmp_path, asked):
    result = artifact("index", place / "works", "--data", tmp_path / "new", "--shards", asked, code=2)
    assert "as in --shards 8" in " ".join(result.stderr.split())
    assert not (tmp_path / "new").exists()


def test_a_run_says_how_the_catalogue_is_divided_where_that_was_asked_for(place, tmp_path):
    index = "index", place / "works", "--data", tmp_path / "data"
    assert "shards: 2, in the folder shards\n" in artifact(*index, "--shards", "2").stdout
    assert "shards: " not in artifact(*index).stdout


def test_another_number_of_shards_is_refused_and_changes_nothing(place, tmp_path):
    data = Path(shutil.copytree(place / "three", tmp_path / "data"))
    before = status(data)
    result = artifact("index", place / "works", "--data", data, "--shards", "4", code=1)
    assert "has 3 shards. Give `--shards 1` first" in result.stderr and status(data) == before
