"""Works that come to be stolen are looked for among all that earlier screenings saw, and nothing is said twice."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from cli.main import app
from retrieval.verdicts.log import VerdictLog
from retrieval.verdicts.recheck import Recheck, recheck
from tests.pictures import VIEWS, painting, warped, write_paintings


def artifact(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, (result.output, result.exception)
    return " ".join(result.output.split())


@pytest.fixture(scope="module")
def desk(tmp_path_factory) -> Path:
    """A catalogue in `data`, and a screening of works that are in it and of works that are not, one photograph gone."""
    root = tmp_path_factory.mktemp("later")
    write_paintings(root / "works", 6)
    artifact("index", root / "works", "--data", root / "data")
    inbox = root / "inbox"
    inbox.mkdir()
    painting(3).save(inbox / "known.jpg", quality=92)
    painting(5).save(inbox / "other.jpg", quality=92)
    for number in (90, 91, 92):
        warped(painting(number), *VIEWS["aslant"]).save(inbox / f"{number}.jpg", quality=92)
    lots = "photo,lot,sale\n" + "".join(f"{path.name},{path.stem},June\n" for path in sorted(inbox.glob("*.jpg")))
    (inbox / "lots.csv").write_text(lots)
    artifact("screen", inbox / "lots.csv", "--data", root / "data", "--out", root / "june.csv")
    (inbox / "91.jpg").unlink()
    return root


def entries(data: Path) -> dict[str, dict]:
    """Return the alerts of the log by the name of the photograph."""
    with VerdictLog.reading(data) as log:
        return {Path(item.photo).name: item.to_json() for item in log.entries() if item.alert}


@pytest.mark.slow
def test_works_stolen_later_are_found_where_they_were_seen_and_told_once(desk, tmp_path):
    data, works = shutil.copytree(desk / "data", tmp_path / "data"), desk / "works"
    said = artifact("recheck", "--data", data)
    assert said == "looked back at 0 works seen earlier, for 0 stolen or missing objects: no new alert"
    for number in (90, 91):
        painting(number).save(works / f"{number}.png")
    painting(5).resize((300, 260)).save(works / "05-again.png")
    rows = ("object_id,status,contact", "03,Stolen,tpc@example.org", "90,missing,", "91,stolen,")
    rows += ("05,in collection,", "05-again,stolen,")
    (works / "catalogue.csv").write_text("\n".join(rows))
    said = artifact("index", works, "--data", data)
    assert said.endswith("for 4 stolen or missing objects: 4 new alerts, open in `artifact review`")
    first = f"ALERT, stolen: {(desk / 'inbox/known.jpg').resolve()} (lot known, sale June) is consistent with a work"
    assert "; contact tpc@example.org" in said
    assert first in said and "registered as missing, 90" in said and "92.jpg" not in said
    found = entries(data)
    assert sorted(found) == ["90.jpg", "91.jpg", "known.jpg", "other.jpg"]
    double = found["other.jpg"]
    assert (double["object_id"], double["alert_object"], double["alert_certainty"]) == ("05", "05-again", "undecided")
    known, seen, away = found["known.jpg"], found["90.jpg"], found["91.jpg"]
    assert (known["outcome"], known["alert_certainty"], known["object_id"]) == ("consistent", "consistent", "03")
    assert (seen["outcome"], seen["alert"], seen["alert_object"]) == ("consistent", "missing", "90"), "judged again"
    assert (away["outcome"], away["alert_certainty"], away["object_id"]) == ("inconclusive", "undecided", "91")
    assert "the photograph is away" in away["reasons"][1] and away["lot"] == {"lot": "91", "sale": "June"}
    listed = json.loads(artifact("review", "--data", data, "--format", "json"))
    assert {item["number"] for item in listed[:4]} == {item["number"] for item in found.values()}
    with VerdictLog.reading(data) as log:
        assert [log.entry(item["recheck_of"]).alert for item in found.values()] == [None] * 4

    assert "looked back" not in artifact("index", works, "--data", data), "nothing has changed"
    assert artifact("recheck", "--data", data, "--exit-code").endswith("no new alert")
    assert artifact("recheck", "91", "--data", data).endswith("for 1 stolen or missing object: no new alert")
    assert json.loads(artifact("recheck", "--data", data, "--format", "json")) == []
    assert "05 is registered neither as stolen nor as missing" in artifact("recheck", "05", "--data", data, code=1)
    assert "No object 'nobody'" in artifact("recheck", "nobody", "--data", data, code=1)


def test_what_comes_to_be_stolen_during_a_screening_is_found_at_its_end(desk, tmp_path, monkeypatch):
    data, works = shutil.copytree(desk / "data", tmp_path / "data"), desk / "works"
    (works / "catalogue.csv").write_text("object_id,status\n03,Stolen\n02,missing\n")
    monkeypatch.setattr("cli.runs.index.recheck_what_is_new", lambda *_: None)  # done before the last was logged
    monkeypatch.setattr("cli.runs.screen.say_what_it_came_to", lambda *_: artifact("index", works, "--data", data))
    monkeypatch.setattr("retrieval.verdicts.recheck.AT_ONCE", 1)
    screen = "screen", desk / "inbox/lots.csv", "--data", data, "--out", tmp_path / "july.csv", "--exit-code"
    said = artifact(*screen, code=11)
    assert "known.jpg (lot known, sale June) is consistent with a work registered as stolen, 03" in said
    assert said.endswith("for 2 stolen or missing objects: 1 new alert, open in `artifact review`")
    with VerdictLog.reading(data) as log:
        assert log.rechecked().keys() == {"02", "03"}
    assert artifact("recheck", "--data", data).endswith("no new alert")


def test_what_was_found_is_kept_when_a_search_is_interrupted_and_an_empty_log_costs_nothing(tmp_path, monkeypatch):
    edition = SimpleNamespace(encoder=SimpleNamespace(fingerprint="e"))
    searched: list[str] = []

    def stopped(edition, log, objects, *_):
        if "c" in objects:
            raise KeyboardInterrupt
        return 1, []

    monkeypatch.setattr("retrieval.verdicts.recheck._searched", stopped)
    monkeypatch.setattr("retrieval.verdicts.recheck.AT_ONCE", 2)
    with VerdictLog.opened(tmp_path) as log:
        assert recheck(edition, log, ["c"], on_searched=searched.extend) == Recheck(1, 0)
        assert searched == ["c"]
        row = {"date": "2026-01-02T03:04:05+00:00", "photo": "/1.jpg", "encoder": "e", "revision": 1}
        log.db["verdicts"].insert(row | {"outcome": "no-match", "reasons": "[]"})
        searched.clear()
        with pytest.raises(KeyboardInterrupt):
            recheck(edition, log, ["a", "b", "c"], on_searched=searched.extend)
    assert searched == ["a", "b"]


@pytest.mark.slow
def test_what_is_stolen_alone_changes_the_exit_code_and_what_was_screened_as_stolen_is_not_told_again(desk, tmp_path):
    data, works = shutil.copytree(desk / "data", tmp_path / "data"), desk / "works"
    (works / "catalogue.csv").write_text("object_id,status\n05,Stolen\n")
    said = artifact("index", works, "--data", data)
    assert "other.jpg (lot other, sale June) is consistent with a work registered as stolen, 05" in said
    (works / "catalogue.csv").write_text("object_id,status\n05,\n")
    assert "looked back" not in artifact("index", works, "--data", data)
    (works / "catalogue.csv").write_text("object_id,status\n05,stolen\n03,missing\n")
    said = artifact("index", works, "--data", data)
    assert said.endswith("for 2 stolen or missing objects: 1 new alert, open in `artifact review`"), "of 03 alone"
    artifact("screen", desk / "inbox/lots.csv", "--data", data, "--format", "jsonl", "--exit-code", code=11)
    assert artifact("recheck", "--data", data).endswith("no new alert")
