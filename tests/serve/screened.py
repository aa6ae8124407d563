"""What the tests of screenings at the desk share: folders that are allowed, and beginning and awaiting a screening."""

import io
import json
import shutil
import subprocess
import time
from pathlib import Path
from threading import Thread

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.serve.screenings.kept import LOG
from retrieval.verdicts.log import VerdictLog
from tests.page import Page as Markup
from tests.serve.conftest import open_desk, send

LOTS = """photo,lot,sale,house,claim
stolen.jpg,1,Spring,Muster,
fine.jpg,2,Spring,Muster,05
broken.jpg,3,Spring,Muster,
"""


@pytest.fixture
def allowed(works, tmp_path) -> Path:
    """A folder that is allowed: photographs in `lots`, none in `empty`."""
    root = tmp_path / "allowed"
    (root / "empty").mkdir(parents=True)
    shutil.copytree(works / "inbox", root / "lots")
    return root


@pytest.fixture
def screens(data, allowed):
    """A client of a desk on which a folder is allowed."""
    with open_desk(data, allowed=(allowed.resolve(),)) as client:
        yield client


class RunHere:
    """Stands for the process of a screening: the very same command, in a thread, which nobody can interrupt."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self.returncode: int | None = None
        self.stdin = io.BytesIO()
        self._words, self._log = command[3:], folder / LOG  # after Python, and the code that has it begin
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        result = CliRunner().invoke(app, self._words)
        self._log.write_text(result.stderr)
        self.returncode = result.exit_code

    def wait(self, timeout: float) -> None:
        self._thread.join(timeout)
        if self._thread.is_alive():
            raise subprocess.TimeoutExpired(self._words, timeout)

    def poll(self) -> int | None:
        return self.returncode

    def send_signal(self, number: int) -> None:
        raise AssertionError("what is to be interrupted needs a process of its own")


@pytest.fixture
def here(monkeypatch) -> None:
    """Run screenings in this process: a test of what is screened, and not of its process, has no need of one."""
    monkeypatch.setattr("cli.serve.screenings.running.begun", RunHere)


def begin(client, folder: str = "0/lots", table: str | bytes | None = None, name: str = "lots.csv", **form):
    """Begin a screening as the form does; return the answer."""
    files = None
    if table is not None:
        files = [("table", (name, table if isinstance(table, bytes) else table.encode(), "text/csv"))]
    return send(client, "/screenings/new", files=files, folder=folder, **form)


def number_of(answer) -> int:
    assert answer.status_code == 200, Markup(answer.text).text
    return int(str(answer.url).rpartition("/")[2])


def wait(client, number: int, *states: str, patience: float = 90) -> dict:
    """Wait until a screening is in one of some states, and return what is kept of it."""
    screenings, until = client.app.state.service.screenings, time.monotonic() + patience
    while (found := screenings.get(number)).state not in (states or ("done",)):
        assert not found.state.is_over, (found, screenings.folders.of(number).joinpath("log.txt").read_text())
        assert time.monotonic() < until, found
        time.sleep(0.05)
    return json.loads((screenings.folders.of(number) / "screening.json").read_text())


def verdicts(data: Path) -> list[tuple[str, str]]:
    with VerdictLog.reading(data) as log:
        return [(Path(entry.photo).name, str(entry.outcome)) for entry in log.entries()]


def left_behind(data: Path) -> list[str]:
    folder = data / "desk/screenings"
    return sorted(item.name for item in folder.iterdir()) if folder.exists() else []


def outcomes(record) -> tuple:
    return Path(record["photo"]).name, [work["outcome"] for work in record["works"]]
