"""Ending a screening and going on with it: what several people ask at once, and what is shown meanwhile."""

import time
from threading import Thread

from cli.serve.screenings.kept import Screening, State
from tests.serve.screened import allowed, screens

__all__ = ["allowed", "screens"]  # fixtures


def at_once(*runs) -> None:
    threads = [Thread(target=run) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def kept(screenings, state: State) -> int:
    """Return the number of a screening of an earlier desk."""
    number = screenings.folders.make()
    screenings.folders.write(Screening(number=number, folder="/x", shown="lots", state=state))
    return number


def test_two_who_have_a_screening_go_on_at_once_begin_it_once(screens, monkeypatch):
    screenings = screens.app.state.service.screenings
    monkeypatch.setattr(screenings, "_run_all", lambda: None)
    number = kept(screenings, State.STOPPED)
    get = screenings.get
    monkeypatch.setattr(screenings, "get", lambda number: (get(number), time.sleep(0.2))[0])
    at_once(*[lambda: screenings.go_on(number)] * 3)
    assert list(screenings._waiting) == [number]


def test_a_screening_that_is_stopped_while_it_waits_goes_on_only_afterwards(screens, monkeypatch):
    screenings = screens.app.state.service.screenings
    monkeypatch.setattr(screenings, "_run_all", lambda: None)
    number = kept(screenings, State.STOPPED)
    screenings.go_on(number)
    end = screenings._end
    monkeypatch.setattr(screenings, "_end", lambda *ended: (time.sleep(0.3), end(*ended)))
    at_once(lambda: screenings.stop(number), lambda: (time.sleep(0.1), screenings.go_on(number)))
    assert list(screenings._waiting) == [number] and screenings.get(number).state is State.WAITING
