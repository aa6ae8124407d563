"""Dates are kept in UTC, in JSON too; people see them in the time of their machine."""

import json

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.records.lines import seen_words
from cli.screening.journal import Journal
from retrieval.verdicts.log import VerdictLog
from tests.conftest import BERLIN, NEW_YORK

NIGHT = ["2026-10-25T00:30:00+00:00", "2026-10-25T01:30:00+00:00"]  # both are half past two in Berlin
LOCAL = {
    BERLIN: ["2026-10-25 02:30 CEST", "2026-10-25 02:30 CET"],
    NEW_YORK: ["2026-10-24 20:30 EDT", "2026-10-24 21:30 EDT"],
}


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, [*map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def log(data):
    """A data folder with the log of two verdicts an hour apart, and a review of each."""
    data.mkdir()
    with VerdictLog.opened(data) as log:
        for number, date in enumerate(NIGHT, 1):
            row = {"photo": f"/{number}.jpg", "encoder": "e", "revision": 1, "outcome": "divergent", "object_id": "A"}
            log.db["verdicts"].insert({"date": date, "sha256": f"s{number}", "reasons": "[]", **row})
            row = {"verdict": number, "name": "J. Doe", "decision": "overrule", "outcome": "consistent", "reason": ""}
            log.db["reviews"].insert({"date": date, **row})
    return data


@pytest.mark.parametrize("place", LOCAL)
def test_verdicts_and_reviews_are_shown_in_local_time_and_kept_in_utc(log, zone, place):
    zone(place)
    for number, (kept, shown) in enumerate(zip(NIGHT, LOCAL[place], strict=True), 1):
        assert f"verdict {number} of {shown}: " in run("verdict", number, "--data", log)
        assert f"review {number} of {shown}: " in run("verdict", number, "--data", log)
        found = json.loads(run("verdict", number, "--data", log, "--format", "json"))
        assert [found["date"], found["reviews"][0]["date"]] == [kept, kept]
    assert [item["date"] for item in json.loads(run("verdicts", "--data", log, "--format", "json"))] == NIGHT[::-1]


def test_a_list_names_the_zone_only_in_the_hour_that_comes_twice(log, zone):
    zone(BERLIN)
    assert all(moment in run("verdicts", "--data", log) for moment in LOCAL[BERLIN])
    zone(NEW_YORK)
    printed = run("verdicts", "--data", log)
    assert "2026-10-24 20:30" in printed and "EDT" not in printed


@pytest.mark.parametrize(("place", "day"), [(BERLIN, "2026-10-25"), (NEW_YORK, "2026-10-24")])
def test_what_was_seen_before_was_seen_on_a_local_day(zone, place, day):
    zone(place)
    seen = {"date": NIGHT[0], "photo": "/1.jpg", "lot": None, "verdict": 9, "by": "photo"}
    assert seen_words(seen) == f"this photograph on {day}: /1.jpg, verdict 9"


def test_a_journal_that_was_begun_in_local_time_goes_on_in_utc(tmp_path):
    with Journal.beside(tmp_path / "out.jsonl", {"work": 1}) as journal:
        journal._db.execute("UPDATE heading SET started = '2026-10-25T02:30:00+02:00'")
    with Journal.beside(tmp_path / "out.jsonl", {"work": 1}) as journal:
        assert journal.taken_up and journal.started == NIGHT[0]
