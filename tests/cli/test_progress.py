"""Progress: the pace is that of the work at hand."""

import sys

import pytest
from rich.progress import Progress

from cli.output.progress import Pace, progress


def test_what_an_earlier_run_did_makes_nothing_quicker():
    pace = Pace(start=100.0)
    assert pace.begins_with(901, 110.0) and pace.before == 900
    assert pace.rate(901, 110.0) == 0.1
    assert not pace.begins_with(905, 150.0)
    assert pace.rate(905, 150.0) == 0.1


def test_a_second_part_of_the_work_begins_anew():
    pace = Pace(start=0.0)
    pace.begins_with(1, 1.0)
    pace.begins_with(50, 50.0)
    assert pace.begins_with(1, 60.0)
    assert pace.rate(11, 65.0) == 11 / 5


def test_what_follows_is_named_where_nobody_knows_how_much_there_is(monkeypatch):
    drawn: list[Progress] = []
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(Progress, "start", lambda self: drawn.append(self))
    with progress("Encoding") as show:
        show(3, 3)
        (task,) = drawn[0].tasks
        assert (task.description, task.completed, task.total) == ("Encoding", 3, 3)
        show.turn_to("Writing")
        (task,) = drawn[0].tasks
        assert (task.description, task.completed, task.total) == ("Writing", 0, None)
        show(1, 2)
        assert (drawn[0].tasks[0].completed, drawn[0].tasks[0].total) == (1, 2)


@pytest.mark.parametrize("terminal", [True, False])
def test_elsewhere_nothing_is_drawn(monkeypatch, capsys, terminal):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    with progress("Encoding", drawn=not terminal) as show:
        show(3, 3)
        show.turn_to("Writing")
    assert capsys.readouterr().err == ""
