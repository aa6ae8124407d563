"""What is said on the terminal: notices, the first of many."""

from cli.output.progress import progress
from cli.output.terminal import list_notices
from cli.output.text import counted, some
from cli.records.printed import print_photograph
from tests.records import match_record, photograph_record, work_record


def test_of_many_notices_the_first_are_named_and_where_the_others_are(capsys):
    list_notices("left out", [f"{number}\n" for number in range(21)], where="; see the report")
    list_notices("empty", ["a"])
    list_notices("gone", [])
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] + lines[20:] == [
        "21 left out:", "  0\ufffd", "  19\ufffd", "  ... and 1 more; see the report", "1 empty:", "  a",
    ]  # fmt: skip


def test_of_many_names_three_are_said():
    assert some(["a", "b", "c"]) == "a, b, c" and some(["a\n", "b", "c", "d", "e"]) == "a\ufffd, b, c, and 2 more"


def test_one_is_no_plural():
    assert [counted(number, "photograph") for number in (0, 1, 2)] == ["0 photographs", "1 photograph", "2 photographs"]
    assert counted(1, "pair of objects", "pairs of objects") == "1 pair of objects"
    assert counted(2, "pair of objects", "pairs of objects") == "2 pairs of objects"


def test_an_alert_is_red_and_stands_above_an_outcome_without_a_colour(monkeypatch) -> None:
    said: list[str] = []
    monkeypatch.setattr("cli.records.printed.typer.echo", said.append)
    stolen = work_record("consistent", match_record(), alert="stolen", alert_certainty="consistent")
    print_photograph(photograph_record("a.jpg", stolen, work_record("consistent", match_record())), {})
    red, plain, green = (line for line in said if "a.jpg" in line)
    assert red.startswith("\x1b[31m\x1b[1mALERT, stolen: a.jpg is consistent with a work registered as stolen, 7")
    assert plain == "a.jpg: consistent" and green == "a.jpg: \x1b[32m\x1b[1mconsistent\x1b[0m"


def test_no_progress_is_drawn_where_lines_are_said_meanwhile(monkeypatch, capsys) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with progress("Screening", drawn=False) as show:
        show(1, 2)
    assert capsys.readouterr().err == ""
