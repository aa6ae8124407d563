"""Files of several pictures: each page is screened, and everywhere else the first that shows something is taken."""

import csv
import io
import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner

from cli.main import app
from cli.screening import desk
from cli.screening.desk import Desk
from cli.screening.journal import Journal
from indexer.inputs.lots import Lot
from retrieval.photographs.files import sha256_of
from retrieval.verdicts.log import VerdictLog
from tests.pictures import LEFT, MIDDLE, hung, painting
from tests.records import photograph_record
from tests.retrieval.test_charts import checker

BLANK = Image.new("RGB", (520, 400), (250, 248, 244))
STOLEN = "03"


def artifact(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, (result.output, result.exception)
    return result.stdout


def write_pages(path: Path, *pages: Image.Image) -> Path:
    pages[0].save(path, save_all=True, append_images=pages[1:], compression="tiff_lzw")
    return path


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> Path:
    """A catalogue of which one exemplar is the second page of a file, and files of several pages."""
    root = tmp_path_factory.mktemp("house")
    (root / "works").mkdir()
    for number in range(6):
        painting(number).save(root / f"works/0{number}.png")
    write_pages(root / "works/06.tif", BLANK, painting(6), painting(7))
    with (root / "works/catalogue.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("object_id", "status"), (STOLEN, "stolen")])
    said = CliRunner().invoke(app, ["index", str(root / "works"), "--data", str(root / "data")])
    assert said.exit_code == 0 and "06.tif: picture 2 of 3 is taken" in said.output
    (root / "inbox").mkdir()
    write_pages(root / "inbox/pages.tif", BLANK, painting(2), painting(3))
    shutil.copy(root / "inbox/pages.tif", root / "inbox/again.tif")
    frames = [BLANK, painting(4), painting(5)]
    frames[0].save(root / "inbox/moving.webp", save_all=True, append_images=frames[1:], lossless=True)
    painting(1).save(root / "inbox/one#2.jpg", quality=92)
    beside = hung([(painting(0), LEFT), (checker(), MIDDLE)])
    beside.save(root / "charted.jpg", quality=92)
    return root


@pytest.fixture
def data(house, tmp_path) -> Path:
    return shutil.copytree(house / "data", tmp_path / "data", ignore=shutil.ignore_patterns("verdicts.db*"))


def said(record: dict) -> tuple:
    (work,) = record["works"]
    best = work["matches"][0]["object_id"] if work["outcome"] == "consistent" else None
    return work["outcome"], best, work["alert"], record["picture"]


def test_every_page_is_screened_and_identical_ones_once(house, data):
    lines = artifact("screen", house / "inbox", "--data", data, "--format", "jsonl").splitlines()
    records = [json.loads(line) for line in lines]
    found = {(Path(one["photo"]).name, one["picture"] and one["picture"]["number"]): one for one in records}
    pages = {number: said(found["pages.tif", number]) for number in (1, 2, 3)}
    assert pages == {
        1: ("inconclusive", None, None, {"number": 1, "of": 3}),
        2: ("consistent", "02", None, {"number": 2, "of": 3}),
        3: ("consistent", STOLEN, "stolen", {"number": 3, "of": 3}),
    }
    for number in (1, 2, 3):
        one, other = found["again.tif", number], found["pages.tif", number]
        first = other["same_as"] or one["same_as"]
        assert first.endswith(f".tif#{number}") and one["verdicts"] == other["verdicts"]
    assert said(found["moving.webp", 2]) == ("consistent", "04", None, {"number": 2, "of": 3})
    assert said(found["one#2.jpg", None]) == ("consistent", "01", None, None)
    assert len(found) == len(records) == 8


def test_a_file_is_done_when_every_page_of_it_has_its_record(tmp_path):
    lot = Lot(write_pages(tmp_path / "pages.tif", BLANK, painting(2), painting(3)))
    with Journal.beside(tmp_path / "out", {}) as journal:
        unused: Any = None
        taking = Desk(unused, journal, unused, unused, unused, 500.0, unused)
        done = []
        for number in (1, 2, 3):
            journal.add(replace(lot, picture=number).key, None, photograph_record(lot.path))
            done.append(taking.is_done(lot))
    assert done == [False, False, True]


def test_a_file_is_hashed_once_for_all_of_its_pages_and_again_when_it_has_changed(tmp_path, monkeypatch):
    hashed = []
    monkeypatch.setattr(desk, "sha256_of", lambda path: hashed.append(path) or sha256_of(path))
    edition: Any = SimpleNamespace(revision=1, calibration=None)
    path = write_pages(tmp_path / "pages.tif", BLANK, painting(2), painting(3))
    pages = [Lot(path, picture=number) for number in (1, 2, 3)]
    first = {desk._identity(page, None, edition) for page in pages}
    assert (len(first), len(hashed)) == (3, 1)
    write_pages(path, BLANK, painting(2), painting(3), painting(4))
    assert first.isdisjoint(desk._identity(page, None, edition) for page in pages) and len(hashed) == 2


@pytest.mark.slow
def test_the_page_the_table_and_the_spreadsheet_name_the_picture(house, data, tmp_path):
    (tmp_path / "list.txt").write_text(f"{house / 'inbox/pages.tif'}\n")
    table = artifact("screen", tmp_path / "list.txt", "--data", data, "--format", "table")
    assert "pages.tif#3" in table and "STOLEN" in table
    rows = list(
        csv.DictReader(io.StringIO(artifact("screen", tmp_path / "list.txt", "--data", data, "--format", "csv")))
    )
    assert sorted(row["picture"] for row in rows) == ["1 of 3", "2 of 3", "3 of 3"]
    out = tmp_path / "day.html"
    artifact("screen", tmp_path / "list.txt", "--data", data, "--out", out)
    page = out.read_text()
    assert "pages.tif#3" in page and "picture 3 of 3" in page
    evidence = [path.read_text() for path in (tmp_path / "day_evidence").iterdir()]
    assert evidence and all("of 3" in one for one in evidence)


def test_a_query_takes_the_first_that_shows_something_or_the_page_that_is_named(house, data):
    pages = house / "inbox/pages.tif"
    for name, number, object_id in ((pages, 2, "02"), (f"{pages}#3", 3, STOLEN)):
        record = json.loads(artifact("query", name, "--data", data, "--format", "json"))
        assert record["works"][0]["matches"][0]["object_id"] == object_id
        assert (record["photo"], record["picture"]) == (str(pages), {"number": number, "of": 3})
    assert "pages.tif#3 (picture 3 of 3): consistent" in artifact("query", f"{pages}#3", "--data", data)
    assert artifact("query", f"{pages}#9", "--data", data, code=1) == ""


def test_a_verdict_is_made_again_from_the_same_picture(house, data):
    artifact("query", f"{house / 'inbox/pages.tif'}#3", "--data", data)
    with VerdictLog.reading(data) as log:
        assert log.entry(1).picture == 3
    assert "pages.tif#3" in "".join(artifact("verdicts", "--data", data).split()), "perhaps in two lines"
    found = json.loads(artifact("verdict", 1, "--data", data, "--replay", "--format", "json"))
    assert found["replay"]["holds"] and found["replay"]["now"]["object_id"] == STOLEN


def test_a_chart_beside_a_work_is_no_second_work(house, data):
    record = json.loads(artifact("query", house / "charted.jpg", "--data", data, "--format", "json"))
    (work,) = record["works"]
    assert (work["outcome"], work["matches"][0]["object_id"]) == ("consistent", "00")
