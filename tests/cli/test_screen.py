"""A day at the desk: lots with claims, identical files, what was seen before, registers, a folder that is watched."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from cli.main import app
from cli.runs.screen import _claims
from cli.screening.forms import form_of
from cli.screening.watched_folder import watched
from indexer.inputs.lots import BadLots, Lot
from retrieval.photographs.reader_process import Order, Reader, ReadPhotograph
from retrieval.verdicts.log import VerdictLog
from retrieval.verdicts.waiting import open_verdicts
from tests.page import Page
from tests.pictures import LEFT, RIGHT, forged, hung, painting, write_paintings

ROOT = Path(__file__).parents[2]
STOLEN, FORGED, FORGERY = "02", "04", "forged"


def artifact(*arguments: object, code: int | None = 0) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert code is None or result.exit_code == code, (result.output, result.exception)
    return result.stdout


@pytest.fixture(scope="module")
def desk(tmp_path_factory) -> Path:
    """A catalogue of eight paintings and a known forgery in `data`, and an inbox of photographs."""
    root = tmp_path_factory.mktemp("desk")
    write_paintings(root / "works", 8)
    forgery = forged()
    forgery.save(root / f"works/{FORGERY}.png")
    rows = [("object_id", "title", "accession", "status", "forgery_of")]
    rows += [(STOLEN, "Two", "1984.2", "Stolen", ""), (FORGERY, "Four?", "", "known forgery", FORGED)]
    with (root / "works/catalogue.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    artifact("index", root / "works", "--data", root / "data")
    inbox = root / "inbox"
    inbox.mkdir()
    for name, number in (("stolen", 2), ("fine", 5), ("genuine", 4), ("unknown", 99)):
        painting(number).save(inbox / f"{name}.jpg", quality=92)
    forgery.save(inbox / "forgery.jpg", quality=92)
    shutil.copy(inbox / "fine.jpg", inbox / "fine-again.jpg")
    hung([(painting(5), LEFT), (painting(2), RIGHT)]).save(inbox / "wall.jpg", quality=92)
    (inbox / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    return root


@pytest.fixture
def data(desk, tmp_path) -> Path:
    """A copy of the catalogue in which nothing was screened yet."""
    return shutil.copytree(desk / "data", tmp_path / "data", ignore=shutil.ignore_patterns("verdicts.db*"))


def screened(source: Path, data: Path, *more: object, code: int | None = 0) -> dict[str, dict]:
    """Return the records of a screening by the name of the photograph."""
    lines = artifact("screen", source, "--data", data, "--format", "jsonl", *more, code=code).splitlines()
    records = [json.loads(line) for line in lines]
    found = {Path(record["photo"]).name: record for record in records}
    assert len(found) == len(records)
    return found


def write_lots(path: Path, *rows: tuple[str, ...], header=("photo", "lot", "sale", "house", "claim")) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def test_every_photograph_gets_its_record_with_what_the_register_says(desk, data):
    found = screened(desk / "inbox", data, code=3)
    assert sorted(found) == sorted(path.name for path in (desk / "inbox").iterdir())
    assert found["broken.jpg"]["error"] and found["broken.jpg"]["works"] == []
    (stolen,) = found["stolen.jpg"]["works"]
    assert (stolen["outcome"], stolen["alert"], stolen["status"]) == ("consistent", "stolen", "Stolen")
    (forgery,) = found["forgery.jpg"]["works"]
    assert (forgery["outcome"], forgery["alert"]) == ("divergent", "known forgery")
    assert forgery["matches"][0]["object_id"] == FORGED and forgery["forgery"]["object_id"] == FORGERY
    assert forgery["forgery"]["combined"] < forgery["matches"][0]["divergence"]["combined"]
    (genuine,) = found["genuine.jpg"]["works"]
    assert (genuine["outcome"], genuine["alert"], genuine["matches"][0]["object_id"]) == ("consistent", None, FORGED)
    assert [work["alert"] for work in found["wall.jpg"]["works"]].count("stolen") == 1
    assert len(found["wall.jpg"]["works"]) == 2 and all(work["outline"] for work in found["wall.jpg"]["works"])


def test_an_alert_comes_first_and_has_an_exit_code_of_its_own(desk, data):
    photo = desk / "inbox/stolen.jpg"
    alert, outcome, *_ = artifact("query", photo, "--data", data, "--exit-code", code=11).splitlines()
    assert alert == f"ALERT, stolen: {photo} is consistent with a work registered as stolen, {STOLEN}"
    assert outcome == f"{photo}: consistent"
    artifact("query", desk / "inbox/fine.jpg", "--data", data, "--exit-code")
    listed = artifact("verdicts", "--data", data).split()
    assert "STOLEN" in listed and listed.index("consistent") < listed.index("STOLEN"), "the last one first"


def test_identical_files_are_judged_once_and_said(desk, data):
    found = screened(desk / "inbox", data, code=3)
    first, again = found["fine-again.jpg"], found["fine.jpg"]
    assert first["same_as"] is None and again["same_as"] == first["photo"]
    assert again["works"] == first["works"] and again["verdicts"] == first["verdicts"]


@pytest.mark.slow
def test_asked_for_single_works_a_wall_is_one(desk, data, tmp_path):
    (tmp_path / "one.txt").write_text(str(desk / "inbox/wall.jpg"))
    assert len(screened(tmp_path / "one.txt", data, "--single")["wall.jpg"]["works"]) == 1
    assert len(screened(tmp_path / "one.txt", data)["wall.jpg"]["works"]) == 2


def test_claims_are_verified_one_to_one_and_lots_are_kept(desk, data, tmp_path):
    inbox = desk / "inbox"
    shutil.copy(inbox / "fine.jpg", tmp_path / "as-two.jpg")
    lots = write_lots(
        tmp_path / "lots.csv",
        (str(inbox / "fine.jpg"), "1", "June", "Drouot", "05"),
        ("as-two.jpg", "2", "June", "Drouot", "1984.2"),
        (str(inbox / "genuine.jpg"), "3", "June", "Drouot", "Rembrandt"),
        (str(inbox / "broken.jpg"), "4", "June", "Drouot", "05"),
        (str(inbox / "unknown.jpg"), "5", "June", "Drouot", ""),
    )
    found = screened(lots, data, code=3)
    assert found["fine.jpg"]["lot"] == {"lot": "1", "sale": "June", "house": "Drouot", "claim": "05"}
    upheld, other = found["fine.jpg"]["claim"], found["as-two.jpg"]["claim"]
    assert (upheld["object_id"], upheld["work"]["outcome"], upheld["reason"]) == ("05", "consistent", None)
    assert (other["claimed"], other["object_id"]) == ("1984.2", STOLEN)
    assert other["work"]["matches"][0]["object_id"] == STOLEN and other["work"]["outcome"] != "consistent"
    assert found["as-two.jpg"]["works"][0]["matches"][0]["object_id"] == "05", "whatever else is near"
    assert found["genuine.jpg"]["claim"] == {
        "claimed": "Rembrandt", "object_id": None, "work": None, "reason": "object Rembrandt is not in the catalogue"
    }  # fmt: skip
    assert found["broken.jpg"]["claim"]["reason"] == found["broken.jpg"]["error"]
    assert found["unknown.jpg"]["claim"] is None
    with VerdictLog.reading(data) as log:
        said = Counter((Path(item.photo).name, item.object_id) for item in log.entries())
        waiting = {(Path(log.entry(number).photo).name, log.entry(number).asked) for number in open_verdicts(log)}
    assert waiting >= {("as-two.jpg", STOLEN), ("genuine.jpg", "Rembrandt"), ("broken.jpg", None)}
    assert ("fine.jpg", "05") not in waiting
    assert said["fine.jpg", "05"] == 1, "a claim that is what was found has no verdict of its own"
    assert said["as-two.jpg", "05"] == said["as-two.jpg", STOLEN] == 1


def test_identical_files_have_each_its_own_claim(desk, data, tmp_path):
    for name in ("a", "b", "c", "d"):
        shutil.copy(desk / "inbox/fine.jpg", tmp_path / f"{name}.jpg")
    claims = zip("abcd", ("nobody", "", "no one", "05"), strict=True)
    lots = write_lots(tmp_path / "lots.csv", *((f"{name}.jpg", name, "", "", claim) for name, claim in claims))
    found = screened(lots, data)
    said = {name: found[f"{name}.jpg"]["claim"] for name in "abcd"}
    assert said["a"]["reason"] == "object nobody is not in the catalogue"
    assert said["b"] is None
    assert (said["c"]["claimed"], said["c"]["reason"]) == ("no one", "object no one is not in the catalogue")
    assert (said["d"]["object_id"], said["d"]["work"]["outcome"]) == ("05", "consistent")


@pytest.mark.slow
def test_evidence_keeps_its_address_and_each_claim_has_its_own(desk, data, tmp_path):
    photo, out = str(desk / "inbox/fine.jpg"), tmp_path / "day.html"

    def pages(*claims: str) -> dict[str, str]:
        lots = write_lots(tmp_path / "lots.csv", *((photo, claim, "", "", claim) for claim in claims))
        artifact("screen", lots, "--data", data, "--out", out)
        articles = re.findall(r"<article.*?</article>", out.read_text("utf-8"), re.DOTALL)
        found = {re.search(r"claimed to be <b><bdi>(.*?)<", text)[1]: text for text in articles}
        return {claim: re.search(r'href="(day_evidence/.*?)"', text)[1] for claim, text in found.items()}

    first = pages("07", "03")
    for claim, page in first.items():
        assert Page((tmp_path / page).read_text("utf-8")).text.partition("against")[2].split()[0] == claim
    assert len(set(first.values())) == 2
    assert pages("06", "03")["03"] == first["03"] and (tmp_path / first["07"]).exists()


def test_a_table_elsewhere_finds_its_photographs_and_the_records_are_written_beside_the_report(desk, data, tmp_path):
    (tmp_path / "here").mkdir()
    lots = write_lots(tmp_path / "here/lots.csv", ("fine.jpg", "1", "", "", ""), ("unknown.jpg", "2", "", "", ""))
    out, kept = tmp_path / "report.html", tmp_path / "records.jsonl"
    options = ("--data", data, "--out", out, "--beside", desk / "inbox", "--records", kept)
    artifact("screen", lots, *options)
    records = [json.loads(line) for line in kept.read_text().splitlines()]
    assert [(Path(one["photo"]).name, one["error"]) for one in records] == [("fine.jpg", None), ("unknown.jpg", None)]
    assert "fine.jpg" in out.read_text("utf-8") and not out.with_name("report.html.part").exists()
    artifact("screen", desk / "inbox", "--data", data, "--beside", desk / "inbox", code=1)
    artifact("screen", lots, "--data", data, "--beside", tmp_path / "nowhere", code=1)
    artifact("screen", lots, *options[:-1], desk / "inbox/fine.jpg", code=1)  # it would take the place of a photograph


def test_the_ending_of_the_output_says_its_form_or_is_refused(desk, data, tmp_path):
    forms = {name: form_of(Path(name)) for name in ("a.HTML", "a.htm", "a.csv", "a.json", "a.jsonl", "a.txt", "a")}
    assert list(forms.values()) == ["html", "html", "csv", "jsonl", "jsonl", "table", "table"]
    result = CliRunner().invoke(
        app, ["screen", str(desk / "inbox"), "--data", str(data), "--out", str(tmp_path / "a.pdf")]
    )
    assert (result.exit_code, list(tmp_path.glob("a.*"))) == (1, [])
    assert "use .html, .csv, .jsonl or .txt, or --format" in " ".join(result.output.split())


@pytest.mark.slow
def test_what_was_seen_in_another_sale_is_pointed_out_and_the_same_lot_is_not(desk, data, tmp_path):
    photo = str(desk / "inbox/fine.jpg")
    painting(5).resize((400, 360), Image.Resampling.LANCZOS).save(tmp_path / "other.jpg", quality=90)
    first = write_lots(tmp_path / "may.csv", (photo, "7", "May", "Drouot", ""))
    assert screened(first, data)["fine.jpg"]["seen_before"] == []
    time.sleep(1.1)  # dates are kept to the second
    assert screened(first, data)["fine.jpg"]["seen_before"] == [], "it is the same lot, screened again"
    time.sleep(1.1)
    second = write_lots(
        tmp_path / "june.csv", (photo, "9", "June", "Dorotheum", ""), ("other.jpg", "10", "June", "Dorotheum", "")
    )
    found = screened(second, data)
    seen = found["fine.jpg"]["seen_before"][0]
    assert (seen["by"], seen["photo"], seen["lot"]) == ("photo", photo, {"lot": "7", "sale": "May", "house": "Drouot"})
    assert {item["by"] for item in found["other.jpg"]["seen_before"]} == {"object"}


@pytest.mark.slow
def test_an_unknown_work_is_known_again_from_another_photograph_alone_or_on_a_wall(desk, data, tmp_path):
    first, second = tmp_path / "may", tmp_path / "june"
    for folder in (first, second):
        folder.mkdir()
    painting(99).save(first / "99.jpg", quality=92)
    hung([(painting(5), LEFT), (painting(98), RIGHT)]).save(first / "wall.jpg", quality=92)
    painting(99).resize((410, 350), Image.Resampling.LANCZOS).save(second / "again.jpg", quality=85)
    painting(98).resize((400, 350), Image.Resampling.LANCZOS).save(second / "alone.jpg", quality=85)
    painting(97).save(second / "new.jpg", quality=92)
    hung([(painting(2), LEFT), (painting(99), RIGHT)]).save(second / "wall-again.jpg", quality=92)
    assert {tuple(found["seen_before"]) for found in screened(first, data, code=None).values()} == {()}
    time.sleep(1.1)  # dates are kept to the second
    found = screened(second, data, code=None)
    seen = {
        name: {(Path(item["photo"]).name, item["by"]) for item in record["seen_before"]}
        for name, record in found.items()
    }
    assert seen == {
        "again.jpg": {("99.jpg", "work")},
        "alone.jpg": {("wall.jpg", "work")},
        "new.jpg": set(),
        "wall-again.jpg": {("99.jpg", "work")},
    }


@pytest.mark.slow
def test_a_killed_screening_goes_on_and_counts_nothing_twice(desk, data, tmp_path):
    out = tmp_path / "day.csv"
    command = [sys.executable, "-m", "cli.main", "screen", desk / "inbox", "--data", data, "-o", out]
    for moment in (1.5, 2.5):
        process = subprocess.Popen(list(map(str, command)), cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
        time.sleep(moment)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    result = CliRunner().invoke(app, ["screen", str(desk / "inbox"), "--data", str(data), "-o", str(out)])
    assert result.exit_code == 3
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names = sorted({Path(row["photo"]).name for row in rows})
    assert names == sorted(path.name for path in (desk / "inbox").iterdir())
    assert len(rows) == len(names) + 1  # two works hang on the wall
    assert [row["priority"] for row in rows][:3] == ["stolen", "stolen", "known forgery"]
    assert "ALERT: 1 known forgery, 2 stolen\n" in result.stderr
    assert sorted(tmp_path.glob("day.csv*")) == [out]


@pytest.mark.slow
def test_the_day_is_a_page_with_evidence_for_what_needs_a_person(desk, data, tmp_path):
    out = tmp_path / "day.html"
    artifact("screen", desk / "inbox", "--data", data, "-o", out, code=3)
    page = out.read_text("utf-8")
    pages = sorted((tmp_path / "day_evidence").iterdir())
    assert len(pages) == 3 and all(f"day_evidence/{name.name}" in page for name in pages)
    assert all(b"</html>" in name.read_bytes() for name in pages)


@pytest.mark.slow
def test_a_photograph_that_takes_too_long_takes_nothing_down(desk, data, monkeypatch, tmp_path):
    monkeypatch.setattr("cli.runs.screen.reading_apart", reading_slowly)
    (tmp_path / "list.txt").write_text(f"{desk}/inbox/fine.jpg\n{desk}/inbox/genuine.jpg\n")
    found = screened(tmp_path / "list.txt", data, "--time-limit", "1.5", code=3)
    assert found["fine.jpg"]["error"] == "reading it took longer than 1.5 s"
    assert found["genuine.jpg"]["works"][0]["outcome"] == "consistent"


class SlowReader(Reader):
    """Never comes to an end with one of the photographs."""

    def __call__(self, order: Order) -> ReadPhotograph:
        return Reader.__call__(self, replace(order, extract=_endless) if order.path.name == "fine.jpg" else order)


@contextmanager
def reading_slowly(limit: float) -> Iterator[Reader]:
    reader = SlowReader(limit)
    try:
        yield reader
    finally:
        reader.close()


def _endless(photograph):
    time.sleep(60)


def test_a_watched_folder_yields_what_has_settled(tmp_path):
    done: set[Path] = set()
    waits: list[float] = []
    passes = watched(tmp_path, 7.0, lambda lot: lot.path in done, wait=waits.append)

    def old(name: str, content: bytes, age: float) -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        os.utime(path, (time.time() - age,) * 2)
        return path

    assert next(passes) == []
    whole, growing = old("whole.jpg", b"x", 10), old("growing.jpg", b"x", 10)
    ahead = old("ahead.jpg", b"x", -3600)  # by a clock that is wrong
    old("fresh.jpg", b"x", 0)
    assert next(passes) == [], "seen for the first time"
    old("growing.jpg", b"xx", 10)
    assert next(passes) == [Lot(ahead), Lot(whole)]
    done.update([ahead, whole])
    assert next(passes) == [Lot(growing)]
    done.add(growing)
    old("fresh.jpg", b"x", 10)
    assert next(passes) == [Lot(tmp_path / "fresh.jpg")]
    shutil.rmtree(tmp_path)
    assert next(passes) == [] and set(waits) == {7.0}


@pytest.mark.slow
def test_watching_judges_what_comes_and_ends_with_ctrl_c(desk, data, tmp_path):
    inbox, out = tmp_path / "inbox", tmp_path / "today.jsonl"
    inbox.mkdir()
    command = ["screen", inbox, "--watch", "--every", "0.3", "--data", data, "-o", out, "--bell"]
    run = [sys.executable, "-m", "cli.main", *map(str, command)]
    process = subprocess.Popen(run, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def comes(name: str) -> None:
        shutil.copy(desk / "inbox" / name, inbox / name)
        until = time.monotonic() + 60
        while time.monotonic() < until and not (out.exists() and name in out.read_text()):
            time.sleep(0.1)

    comes("fine.jpg")
    comes("unknown.jpg")
    table = desk / "works/catalogue.csv"
    known = table.read_bytes()
    table.write_bytes(known + b"05,Five,,stolen,\r\n")
    artifact("index", desk / "works", "--data", data)
    table.write_bytes(known)
    comes("fine-again.jpg")
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 0 and "Traceback" not in stderr, stderr
    said = f"ALERT, stolen: {inbox / 'fine-again.jpg'} is consistent with a work registered as stolen, 05"
    first, alert, *_ = stderr.splitlines()
    assert (first.partition(" ")[0], alert) == ("watching", said) and stderr.count("\a") == 1
    found = [json.loads(line) for line in out.read_text().splitlines()]
    assert [Path(record["photo"]).name for record in found] == ["fine.jpg", "unknown.jpg", "fine-again.jpg"]
    assert [record["works"][0]["alert"] for record in found] == [None, None, "stolen"], "as the catalogue is by then"


def test_an_empty_folder_is_named_in_a_sentence(data, tmp_path):
    (tmp_path / "empty").mkdir()
    result = CliRunner().invoke(app, ["screen", str(tmp_path / "empty"), "--data", str(data)])
    assert (result.exit_code, result.stderr) == (0, f"No photograph was found in {tmp_path / 'empty'}.\n")


def test_what_is_screened_is_not_written_over(desk, data, tmp_path):
    shutil.copy(desk / "inbox/fine.jpg", tmp_path / "fine.jpg")
    lots = write_lots(tmp_path / "lots.csv", ("fine.jpg", "1", "June", "Drouot", ""))
    before = {path: path.read_bytes() for path in (lots, tmp_path / "fine.jpg")}
    os.mkfifo(tmp_path / "pipe")
    for out, reason in (
        (lots, "a list of them"),
        (tmp_path / "fine.jpg", "photographs"),
        (tmp_path / "pipe", "regular"),
    ):
        arguments = ["screen", str(lots), "--data", str(data), "--format", "csv", "--out", str(out)]
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 1 and reason in result.stderr, result.output
    assert {path: path.read_bytes() for path in before} == before


def test_a_pattern_that_comes_to_be_wrong_while_a_folder_is_watched_is_told_once(tmp_path):
    told: list[str] = []
    passes = watched(tmp_path, 7.0, lambda lot: False, on_trouble=told.append, wait=lambda seconds: None)
    assert next(passes) == [] and not told
    (tmp_path / ".artifactignore").write_bytes(b"ok\n\xe9t\xe9\n")
    assert next(passes) == next(passes) == []
    assert [line.partition(" is not UTF-8")[0] for line in told] == [str(tmp_path / ".artifactignore")]


def test_only_a_folder_can_be_watched(desk, data, tmp_path):
    (tmp_path / "list.txt").write_text("a.jpg\n")
    result = CliRunner().invoke(app, ["screen", str(tmp_path / "list.txt"), "--watch", "--data", str(data)])
    assert result.exit_code == 1 and "only a folder can be watched" in result.stderr


@pytest.mark.slow
def test_a_query_names_every_work_on_a_photograph(desk, data):
    (found,) = [json.loads(artifact("query", desk / "inbox/wall.jpg", "--data", data, "--format", "json"))]
    assert sorted(work["matches"][0]["object_id"] for work in found["works"]) == [STOLEN, "05"]
    printed = artifact("query", desk / "inbox/wall.jpg", "--data", data)
    assert printed.count("wall.jpg: ") == 2
    assert (
        len(json.loads(artifact("query", desk / "inbox/wall.jpg", "--data", data, "-f", "json", "--single"))["works"])
        == 1
    )


def test_where_nothing_is_claimed_the_ids_of_the_catalogue_are_not_read(monkeypatch):
    monkeypatch.setattr("cli.runs.screen.Catalogue.reading", None)
    claims = _claims(Path("nowhere"), [Lot(Path("a.jpg")), Lot(Path("b.jpg"), {"lot": "7"})])
    with pytest.raises(BadLots, match="is not in the catalogue"):
        claims.object_id("K-01")
