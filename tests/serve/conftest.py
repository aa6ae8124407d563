"""What the tests of the desk share: a catalogue, the desk on it, a server of its own, and a browser that drives it."""

import csv
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from starlette.testclient import TestClient
from typer.testing import CliRunner

from cli.main import app
from cli.runs.judging_options import LookingOptions
from cli.serve.app import make_app
from cli.serve.service import Service
from cli.serve.settings import Settings
from retrieval.encoder.encoder import load_encoder
from tests.pictures import LEFT, RIGHT, forged, hung, painting, write_paintings

ROOT = Path(__file__).parents[2]
STOLEN, FORGED, FORGERY = "02", "04", "forged"
PATIENCE = 90_000  # milliseconds: other tests may have the machine
expect.set_options(timeout=PATIENCE)
HOME = "http://127.0.0.1:8765"
CSRF = re.compile(r'name="csrf" content="([^"]+)"')


def artifact(*arguments: object, code: int | None = 0) -> str:
    """Run a command of the command line; return what it prints."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert code is None or result.exit_code == code, (result.output, result.exception)
    return result.stdout


@pytest.fixture(scope="session", autouse=True)
def an_encoder_is_loaded_once() -> Iterator[None]:
    """Load an encoder once for all desks of this process: it never changes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("retrieval.judging.edition.load_encoder", cache(load_encoder))
        yield


@pytest.fixture(scope="session")
def works(tmp_path_factory) -> Path:
    """A catalogue of eight paintings and a known forgery in `data`, photographs in `inbox`, all of which screened.

    What the command line said of them is in `screened.jsonl`.
    """
    root = tmp_path_factory.mktemp("works")
    write_paintings(root / "works", 8)
    forgery = forged()
    forgery.save(root / f"works/{FORGERY}.png")
    rows = [("object_id", "title", "maker", "accession", "status", "forgery_of", "authority")]
    rows += [(STOLEN, "Two Sisters", "Anna Berg", "1984.2", "Stolen", "", "Police of Bremen")]
    rows += [
        (FORGERY, "Four?", "", "", "known forgery", FORGED, ""),
        ("05", "Hafen im Morgenlicht", "J. Öst", "", "", "", ""),
    ]
    with (root / "works/catalogue.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    artifact("index", root / "works", "--data", root / "data")
    inbox = root / "inbox"
    inbox.mkdir()
    for name, number in (("stolen", 2), ("fine", 5), ("genuine", 4), ("unknown", 99)):
        painting(number).save(inbox / f"{name}.jpg", quality=92)
    changed = painting(6)
    changed.paste(painting(41).crop((60, 60, 190, 170)), (80, 60))
    changed.save(inbox / "changed.jpg", quality=92)
    forgery.save(inbox / "forgery.jpg", quality=92)
    hung([(painting(5), LEFT), (painting(2), RIGHT)]).save(inbox / "wall.jpg", quality=92)
    (inbox / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    said = artifact("screen", inbox, "--data", root / "data", "--format", "jsonl", code=None)
    (root / "screened.jsonl").write_text(said)
    return root


@pytest.fixture(autouse=True)
def nothing_is_opened_beforehand(monkeypatch):
    """Open the edition of a desk in this process when a photograph comes: most tests bring none, and would wait."""
    monkeypatch.setattr(Service, "get_ready", lambda self: None)


@pytest.fixture
def inbox(works) -> Path:
    """Photographs: stolen, fine, genuine, unknown, changed, forgery, wall and broken, each .jpg."""
    return works / "inbox"


@pytest.fixture
def data(works, tmp_path) -> Path:
    """A copy of the catalogue, in which the inbox was screened."""
    return shutil.copytree(works / "data", tmp_path / "data")


def settings(data: Path, **more: Any) -> Settings:
    """Return how the desk is served to one person."""
    return Settings(**{"data": data, "host": "127.0.0.1", "port": 8765, "judging": LookingOptions()} | more)


@contextmanager
def open_desk(data: Path, **more: Any) -> Iterator[TestClient]:
    """Give a client of the desk on a data folder."""
    made = settings(data, **more)
    with TestClient(make_app(made), base_url=HOME, root_path=made.prefix) as client:
        yield client


@pytest.fixture
def desk(data) -> Iterator[TestClient]:
    """A client of the desk, as a browser on this machine."""
    with open_desk(data) as client:
        yield client


def csrf_of(client: TestClient) -> str:
    """Return the secret that the forms of this client hold."""
    found = CSRF.search(client.get("/objects" if client.get("/").status_code >= 400 else "/").text)
    assert found
    return found[1]


def send(client: TestClient, path: str, *, name: str | None = "Anna", files: Any = None, **form: Any) -> Any:
    """Send a form as a page of the desk would, in the name of a reviewer; return the answer, redirections followed."""
    secret = csrf_of(client)
    if name is not None:
        client.post("/name", data={"csrf": secret, "name": name})
    return client.post(path, data={"csrf": secret, **form}, files=files)


def bring(client: TestClient, *photos: Path, **form: Any) -> Any:
    """Bring photographs, wait until they are judged, and return the page that shows what was found."""
    files = [("photo", (photo.name, photo.read_bytes(), "image/jpeg")) for photo in photos]
    answer = send(client, "/photographs", files=files, **form)
    assert answer.status_code == 200, answer.text
    until = time.monotonic() + 60
    while "hx-get" in answer.text and time.monotonic() < until:
        time.sleep(0.1)
        answer = client.get(str(answer.url))
    return answer


@dataclass(frozen=True, slots=True)
class Served:
    """A server that is running."""

    address: str  # without a slash at its end
    process: "subprocess.Popen[str]"
    log: Path


def free_port() -> int:
    """Return a port of this machine that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(data: Path, *options: object, port: int | None = None, prefix: str = "") -> Iterator[Served]:
    """Run `artifact serve` as a user does, until the block ends; its messages are in `log`."""
    port = port or free_port()
    log = data.parent / f"serve-{port}.log"
    command = [sys.executable, "-m", "cli.main", "serve", "--no-browser", "--data", data, "--port", port, *options]
    with log.open("a") as file:
        process = subprocess.Popen(
            [str(part) for part in command], cwd=ROOT, stdout=file, stderr=file, text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )  # fmt: skip
    served = Served(f"http://127.0.0.1:{port}{prefix}", process, log)
    try:
        _wait_for(served, port)
        yield served
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for(served: Served, port: int) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            httpx2.get(f"http://127.0.0.1:{port}/static/desk.css", timeout=5)
            return
        except httpx2.TransportError:
            assert served.process.poll() is None, served.log.read_text()
            assert time.monotonic() < until, served.log.read_text()
            time.sleep(0.05)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's chromium, without a window."""
    found = shutil.which("chromium")
    if found is None and not os.environ.get("CI"):
        pytest.skip("needs chromium: apt-get install chromium")
    assert found, "chromium is missing, and CI has to have it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def opened(
    chromium: Browser, *, width: int = 1400, height: int = 900, dark: bool = False, insecure: bool = False
) -> Iterator[Page]:
    """Give a page of a browser of its own; an error of a script, or a thing that the policy refuses, fails the test."""
    context = chromium.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
        ignore_https_errors=insecure,
    )
    problems: list[str] = []
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    try:
        yield page
        expected = "Failed to load resource:"  # a page that is not there, or a server that was killed
        assert [problem for problem in problems if not problem.startswith(expected)] == []
    finally:
        context.close()
