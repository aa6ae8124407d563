"""Ending a screening and going on with it: what several people ask at once, and what is shown meanwhile."""

import io
import subprocess
import time
from threading import Event, Thread

from cli.serve.screenings.kept import Screening, State
from tests.serve.conftest import send
from tests.serve.screened import allowed, begin, number_of, screens, wait

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


class LoadsLong:
    """Stands for the process of a screening, which hears only after a while that it is to end."""

    def __init__(self, *_: object) -> None:
        self.returncode, self.stdin, self.is_asked, self.ends = None, io.BytesIO(), Event(), Event()

    def wait(self, timeout: float) -> None:
        if not self.ends.wait(timeout):
            raise subprocess.TimeoutExpired("artifact", timeout)
        self.returncode = 130

    def poll(self) -> int | None:
        return self.returncode

    def send_signal(self, number: int) -> None:
        self.is_asked.set()


def test_a_screening_that_is_stopped_says_at_once_that_it_is_being_stopped(screens, monkeypatch):
    process = LoadsLong()
    monkeypatch.setattr("cli.serve.screenings.running.begun", lambda *_: process)
    number = number_of(begin(screens))
    wait(screens, number, "running")
    shown = send(screens, f"/screenings/{number}/stop").text
    assert process.is_asked.is_set()
    assert "stopping" in shown and "running" not in shown and "<button>Stop" not in shown and "Go on" not in shown
    assert "stopping" in screens.get("/screenings").text
    assert screens.get(f"/api/screenings/{number}").json()["state"] == "stopping"
    process.ends.set()
    wait(screens, number, "stopped")
    assert "Go on" in screens.get(f"/screenings/{number}").text
