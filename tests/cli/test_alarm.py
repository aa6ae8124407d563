"""Alerts are raised as they come: in a line, by a bell, by a program that may fail or hang and stops nothing."""

import json
import shlex
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from cli.records.alert_words import alert_lines
from cli.runs.screen import _arriving, say_what_it_came_to
from cli.screening.alarm import BELL, Alarm, program_of
from cli.screening.journal import Journal
from retrieval.errors import ArtifactError
from tests.records import match_record, photograph_record, work_record

ENTRY = {"object_id": "7", "status": "Stolen", "case_number": "17/03", "theft_date": "2003", "theft_place": "Oslo"}
ENTRY |= {"authority": "Kripos", "contact": "desk@example.org"}
STOLEN = work_record(
    "divergent", match_record(), alert="stolen", alert_certainty="undecided", register_entry=ENTRY, status="Stolen"
)
SURE = work_record("consistent", match_record(), alert="missing", alert_certainty="consistent")
FINE = work_record("consistent", match_record("8"))
LINE = (
    "ALERT, stolen: b.jpg shows a work registered as stolen, 7; original or copy undecided "
    "(case 17/03; theft 2003, Oslo; authority Kripos; contact desk@example.org)"
)


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def raised(alarm: Alarm) -> list[str]:
    """Let three photographs pass, one of which raises two alerts, and return their names."""
    records = [photograph_record("a.jpg", FINE), photograph_record("b.jpg", STOLEN, SURE), photograph_record("c.jpg")]
    with alarm.raising(iter(records)) as passing:
        return [record["photo"] for record in passing]


def test_each_alert_is_said_in_one_line_when_it_comes(capsys):
    assert raised(Alarm(True, False, ())) == ["a.jpg", "b.jpg", "c.jpg"]
    lines = capsys.readouterr().err.splitlines()
    assert lines == [LINE, "ALERT, missing: b.jpg is consistent with a work registered as missing, 7"]


def test_the_bell_rings_once_for_a_photograph_and_nothing_else_is_said(capsys):
    raised(Alarm(False, True, ()))
    assert capsys.readouterr().err == BELL


def test_a_claim_that_raises_an_alert_which_no_work_raises_is_said_too():
    claim = {"claimed": "7", "object_id": "7", "work": STOLEN, "reason": None}
    assert alert_lines(photograph_record("b.jpg", FINE, claim=claim)) == [LINE]
    assert alert_lines(photograph_record("b.jpg", STOLEN, claim=claim)) == [LINE], "once"


def test_the_program_is_given_the_record(tmp_path: Path, capsys):
    out = tmp_path / "mails.jsonl"
    code = f"import sys; print('sent'); open({str(out)!r}, 'a').write(sys.stdin.read())"
    raised(Alarm(False, False, python(code)))
    (record,) = map(json.loads, out.read_text().splitlines())
    assert record == photograph_record("b.jpg", STOLEN, SURE)
    out_said, err_said = capsys.readouterr()
    assert (out_said, "sent" in err_said, "the report" in err_said) == ("", False, False), "what the program prints"


@pytest.mark.parametrize(
    ("code", "patience", "said"),
    [
        ("import sys; sys.exit('no route\\nto host')", 60.0, "it failed with 1 (no route)"),
        ("import time; time.sleep(60)", 0.5, "it took longer than 0.5 s and was ended"),
        ("import os; os.close(0); os._exit(4)", 60.0, "it failed with 4"),
    ],
)
def test_a_program_that_fails_is_said_in_a_line_and_stops_nothing(capsys, code, patience, said):
    start = time.monotonic()
    assert raised(Alarm(False, False, python(code), patience=patience)) == ["a.jpg", "b.jpg", "c.jpg"]
    assert f"--notify {sys.executable}: {said}; the alert stands in the report\n" in capsys.readouterr().err
    assert time.monotonic() - start < 20


@pytest.mark.parametrize("interrupted", [False, True])
def test_a_program_that_hangs_is_run_once_more_at_the_end_and_not_for_each_alert(capsys, interrupted: bool):
    records = iter([photograph_record(f"{number}.jpg", STOLEN) for number in range(20)])
    start = time.monotonic()
    alarm = Alarm(False, False, python("import time; time.sleep(60)"), patience=1.0)
    with suppress(KeyboardInterrupt), alarm.raising(records) as passing:
        assert len(list(passing)) == 20
        if interrupted:
            raise KeyboardInterrupt
    lines = capsys.readouterr().err.splitlines()
    assert time.monotonic() - start < 10, "20 alerts would take 20 seconds"
    assert [line for line in lines if line.endswith("alerts were not told of; the report has all")], lines
    assert len([line for line in lines if "took longer than 1 s" in line]) <= 2
    assert any("waiting until" in line for line in lines) is not interrupted


def test_what_was_kept_when_a_watch_is_interrupted_is_told_too(monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    journal = type("Kept", (), {"fresh": lambda self: ["kept"], "__len__": lambda self: 1})()
    desk = SimpleNamespace(is_done=None, screen=interrupted, journal=journal)
    monkeypatch.setattr("cli.runs.screen.watched", lambda *_, **__: [["lot"]])
    monkeypatch.setattr("cli.runs.screen._is_out_of_date", lambda edition: False)
    report = SimpleNamespace(options=SimpleNamespace(exclude=()), source=Path(), edition=None)
    assert list(_arriving(desk, report, 1.0, None)) == ["kept"]


def test_a_program_that_is_not_there_is_refused_before_anything_is_judged():
    assert program_of(None) == ()
    assert program_of(f"{shlex.quote(sys.executable)} -m 'a b'") == [sys.executable, "-m", "a b"]
    for wrong in ("no-such-program-anywhere x", "", "mail 'x"):
        with pytest.raises(ArtifactError, match="--notify"):
            program_of(wrong)


def test_the_closing_line_counts_alerts_first_and_of_how_many_original_or_copy_is_undecided(tmp_path: Path, capsys):
    with Journal.beside(None, {}) as journal:
        journal.add("b.jpg", None, photograph_record("b.jpg", STOLEN, SURE, FINE))
        say_what_it_came_to(journal, tmp_path)
    alert, works = capsys.readouterr().err.splitlines()
    assert alert == "ALERT: 1 missing, 1 stolen (original or copy undecided: 1)"
    assert works == "3 works: 2 consistent, 1 divergent"
