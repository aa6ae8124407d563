"""Exemplars that are away: the same verdicts by their working pictures, and without these a line, not a guess."""

import json
import shutil
from pathlib import Path

import pytest

from indexer.simulation.rephotograph import rephotograph
from tests.cli.test_hostile import artifact, status
from tests.pictures import painting, write_paintings


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """Four paintings in `works`, photographs of three in `inbox`; catalogues with and without working pictures."""
    root = tmp_path_factory.mktemp("away")
    write_paintings(root / "works", 4)
    (root / "inbox").mkdir()
    for number in range(3):
        rephotograph(painting(number), seed=number).save(root / f"inbox/{number}.jpg", quality=92)
    artifact("index", root / "works", "--data", root / "kept")
    artifact("index", root / "works", "--data", root / "none", "--pictures", "none")
    shutil.move(root / "works", root / "elsewhere")
    return root


def screened(place: Path, data: str, *more: object) -> tuple[list[dict], list[str]]:
    """Return the records of a screening, and what it says on stderr."""
    result = artifact("screen", place / "inbox", "--data", place / data, "-f", "jsonl", *more)
    return [json.loads(line) for line in result.stdout.splitlines()], result.stderr.splitlines()


def test_with_working_pictures_nothing_is_missed(place):
    records, said = screened(place, "kept")
    works = [record["works"][0] for record in records]
    assert {(work["outcome"], work["matches"][0]["exemplar_away"]) for work in works} == {("consistent", False)}
    assert said == ["3 works: 3 consistent"]


def test_without_them_works_are_inconclusive_and_it_is_said_once_and_at_the_end(place):
    records, (line, closing) = screened(place, "none")
    works = [record["works"][0] for record in records]
    assert {(work["outcome"], work["matches"][0]["exemplar_away"]) for work in works} == {("inconclusive", True)}
    assert line.startswith(f"the exemplar {place / 'works/0'}") and line.endswith("artifact move OLD NEW")
    assert closing == "3 works: 3 inconclusive; 3 works could not be compared: their exemplars are away"


def test_the_page_and_the_evidence_say_so_too(place, tmp_path):
    artifact("screen", place / "inbox", "--data", place / "none", "-o", tmp_path / "day.html")
    assert "3 works could not be compared: their exemplars are away." in (tmp_path / "day.html").read_text()
    said = artifact("query", place / "inbox/1.jpg", "--data", place / "none", "--report", tmp_path / "one.html").stderr
    assert said.count("is away and no sound working picture of it is kept") == 1
    page = (tmp_path / "one.html").read_text()
    assert "Nothing can be said of 01 while its exemplar is away." in page and "rests on the global" not in page


def test_status_names_the_folder_that_is_missing_and_move_mends_it(place, tmp_path):
    data = Path(shutil.copytree(place / "none", tmp_path / "data"))
    assert status(data)["missing_folders"] == [str(place / "works")]
    assert f"artifact move {place / 'works'} NEW" in artifact("status", "--data", data).stdout
    said = artifact("move", place / "works", place / "elsewhere", "--data", data)
    assert (said.stdout, said.stderr) == (f"4 of 4 photographs are in {place / 'elsewhere'}; revision 2\n", "")
    assert status(data)["missing_folders"] == [] and status(data)["folders"] == [str(place / "elsewhere")]
    query = json.loads(artifact("query", place / "inbox/1.jpg", "--data", data, "-f", "json").stdout)
    assert query["works"][0]["outcome"] == "consistent"


def of_pictures(data: Path) -> dict:
    """Return what `status` says of working pictures."""
    return json.loads(artifact("status", "--data", data, "--format", "json").stdout)["pictures"]


def test_status_says_what_working_pictures_take(place):
    pictures = of_pictures(place / "kept")
    files = [path for path in (place / "kept/pictures").rglob("*") if path.is_file()]
    assert pictures == {"side": 1600, "count": 4, "bytes": sum(path.stat().st_size for path in files), "exact": True}
    assert len(files) == 8 and of_pictures(place / "none") == {"side": 0, "count": 0, "bytes": 0, "exact": True}
    assert "working pictures: of 4 photographs, " in artifact("status", "--data", place / "kept").stdout


@pytest.mark.parametrize("side", ["all", "0", "-1", "1600px", "70000"])
def test_a_side_that_is_none_is_refused(place, side):
    said = artifact("index", place / "elsewhere", "--data", place / "kept", f"--pictures={side}", code=2).stderr
    assert "--pictures is none, or a side of up to 65500 pixels" in " ".join(said.split())
