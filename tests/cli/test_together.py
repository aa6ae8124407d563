"""The photographs of a lot judged together: in a screening, from a folder and by hand, in review and made again."""

import csv
import json
import shutil
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from cli.main import app
from cli.screening.journal import Journal
from tests.page import Page
from tests.pictures import painting, write_paintings

CORNERS = ((40, 40), (380, 60), (200, 280))  # of what is reflected on the three photographs
REFLECTED = 80  # pixels of the side
PAINTED, SIDE = (200, 130), 110  # where a copy differs


def artifact(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, (result.output, result.exception)
    return result.stdout


def with_patch(image: Image.Image, corner: tuple[int, int], number: int, side: int = REFLECTED) -> Image.Image:
    """Return a picture with a part of another one over it."""
    shown, box = image.copy(), (*corner, corner[0] + side, corner[1] + side)
    shown.paste(painting(number).crop(box), corner)
    return shown


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue in `data`, and in `lots` three photographs of a work and of a copy, with a reflection on each."""
    root: Path = tmp_path_factory.mktemp("together")
    write_paintings(root / "works", 3)
    artifact("index", root / "works", "--data", root / "data")
    for name, shown in (("genuine", painting(1)), ("copy", with_patch(painting(1), PAINTED, 2, SIDE))):
        (root / "lots" / name).mkdir(parents=True)
        for number, corner in enumerate(CORNERS):
            with_patch(shown, corner, 80 + number).save(root / f"lots/{name}/{number}.jpg", quality=92)
    rows = [(f"{name}/{number}.jpg", name) for number in range(3) for name in ("genuine", "copy")]
    with (root / "lots" / "lots.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("photo", "lot"), *rows])
    return root


@pytest.fixture
def data(desk: Path, tmp_path: Path) -> Path:
    """A copy of the catalogue in which nothing was screened yet."""
    return shutil.copytree(desk / "data", tmp_path / "data", ignore=shutil.ignore_patterns("verdicts.db*"))


def screened(source: Path, data: Path) -> list[dict]:
    lines = artifact("screen", source, "--data", data, "--format", "jsonl").splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("source", ["lots/lots.csv", "lots"])
def test_a_lot_is_judged_as_a_whole_when_its_last_photograph_is(desk: Path, data: Path, source: str) -> None:
    records = screened(desk / source, data)
    assert [record["works"][0]["outcome"] for record in records] == ["divergent"] * 6
    for name, outcome in (("genuine", "consistent"), ("copy", "divergent")):
        *earlier, last = [record for record in records if Path(record["photo"]).parent.name == name]
        assert [record["together"] for record in earlier] == [[], []]
        (said,) = last["together"]
        assert (said["outcome"], said["object_id"]) == (outcome, "01")
        assert said["photos"] == [record["photo"] for record in (*earlier, last)]
        assert said["verdicts"] == [number for record in (*earlier, last) for number in record["verdicts"]]
        assert (said["combined"] > said["combined_threshold"]) == (outcome == "divergent")
        assert said["reasons"][0].startswith("3 photographs together: the combined distance")


@pytest.mark.slow
def test_every_form_says_the_whole_lot_and_the_single_photographs(desk: Path, data: Path, tmp_path: Path) -> None:
    table, page = tmp_path / "r.csv", tmp_path / "r.html"
    artifact("screen", desk / "lots/lots.csv", "--data", data, "--out", table)
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    said = {(row["lot"], row["outcome"], row["together_outcome"], row["priority"]) for row in rows}
    assert said == {
        ("copy", "divergent", "divergent", "divergent"),
        ("genuine", "divergent", "consistent", "inconclusive match"),
    }
    assert {row["together_photos"] for row in rows} == {"3"} and rows[0]["lot"] == "copy"
    assert all(float(row["together_distance"]) != float(row["combined_distance"]) for row in rows)
    printed = artifact("screen", desk / "lots/lots.csv", "--data", data)
    assert printed.count("3 photographs of 01 together consistent") == 3
    artifact("screen", desk / "lots/lots.csv", "--data", data, "--out", page)
    text = " ".join(Page(page.read_text(encoding="utf-8")).text.split())
    assert text.count("3 photographs of it together") == 6


@pytest.mark.slow
def test_one_decision_a_lot_waits_for_a_person_and_is_made_again(desk: Path, data: Path) -> None:
    together = [said for record in screened(desk / "lots/lots.csv", data) for said in record["together"]]
    waiting = json.loads(artifact("review", "--data", data, "--format", "json"))
    assert {(entry["number"], entry["outcome"]) for entry in waiting} == {
        (said["verdict"], said["outcome"]) for said in together
    }
    genuine = next(said for said in together if said["outcome"] == "consistent")
    for said in together:
        made = json.loads(artifact("verdict", said["verdict"], "--replay", "--data", data, "--format", "json"))
        assert made["replay"]["identical"] and made["together"] == said["verdicts"]
    artifact("review", genuine["verdict"], "--accept", "--name", "A. B.", "--data", data)
    assert len(json.loads(artifact("review", "--data", data, "--format", "json"))) == 1
    listed = json.loads(artifact("verdicts", "--data", data, "--format", "json"))
    assert sum(entry["together"] is not None for entry in listed) == 2


@pytest.mark.slow
def test_a_screening_that_was_stopped_judges_the_lot_when_it_goes_on(
    desk: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, add = tmp_path / "r.jsonl", Journal.add

    def stopping(self: Journal, *given: object, **more: object) -> None:
        if len(self) == 4:
            raise KeyboardInterrupt
        add(self, *given, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(Journal, "add", stopping)
        artifact("screen", desk / "lots/lots.csv", "--data", data, "--out", out, code=130)
    artifact("screen", desk / "lots/lots.csv", "--data", data, "--out", out)
    records = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [said["outcome"] for record in records for said in record["together"]].count("consistent") == 3
    assert len({said["verdict"] for record in records for said in record["together"]}) == 2


@pytest.mark.slow
def test_photographs_given_by_hand_are_judged_together_where_that_is_said(desk: Path, data: Path) -> None:
    photos = sorted((desk / "lots/genuine").iterdir())
    asked = ("query", *photos, "--data", data, "--format", "json")
    alone = json.loads(artifact(*asked))
    assert [record["together"] for record in alone] == [[], [], []]
    together = json.loads(artifact(*asked, "--together"))
    assert [record["together"][0]["outcome"] for record in together] == ["consistent"] * 3
    for record in (*alone, *together):
        del record["verdicts"], record["together"]
    assert alone == together
    assert "3 photographs of 01: consistent" in artifact("query", *photos, "--data", data, "--together")
    artifact("query", photos[0], "--data", data, "--together", code=2)


def test_photographs_of_different_works_given_by_hand_are_said_to_be_judged_each_by_itself(
    desk: Path, data: Path
) -> None:
    asked = ("query", desk / "lots/genuine/0.jpg", desk / "works/02.png", "--data", data, "--together")
    result = CliRunner().invoke(app, [str(argument) for argument in asked])
    assert "not judged together, because they do not show the same object. 0.jpg: 01; 02.png: 02." in result.stderr
