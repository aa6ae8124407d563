"""Screenings of a desk that is served: stopped, killed in the middle, and seen in a browser."""

import json
import os
import re
import signal
import time
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from cli.serve.screenings.kept import Folders, State
from tests.page import Page as Markup
from tests.pictures import painting
from tests.serve.conftest import CSRF, opened, serving
from tests.serve.screened import LOTS, allowed, number_of, verdicts

__all__ = ["allowed"]  # fixtures
MANY = 24


class Visit:
    """Somebody at a desk that is served."""

    def __init__(self, address: str) -> None:
        self.client = httpx2.Client(base_url=address, follow_redirects=True, timeout=60)
        self.secret = CSRF.search(self.client.get("/").text)[1]

    def send(self, path: str, files=None, **form) -> httpx2.Response:
        return self.client.post(path, data={"csrf": self.secret, **form}, files=files)

    def said(self, number: int) -> str:
        return " ".join(Markup(self.client.get(f"/screenings/{number}").text).text.split())

    def wait(self, number: int, *words: str, patience: float = 120) -> str:
        until = time.monotonic() + patience
        while not any(word in (said := self.said(number)) for word in words):
            assert time.monotonic() < until, said
            time.sleep(0.1)
        return said


@contextmanager
def visited(data: Path, allowed: Path):
    with serving(data, "--allow", allowed) as served:
        yield served, Visit(served.address)


def child_of(data: Path, number: int) -> int:
    """Return the process of a screening."""
    out = str(data / f"desk/screenings/{number}/report.html").encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if out in (process / "cmdline").read_bytes() and int(process.name) != os.getpid():
                return int(process.name)
        except OSError:
            continue
    raise AssertionError("no process runs the screening")


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(what, patience: float = 30) -> None:
    until = time.monotonic() + patience
    while not what():
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.fixture
def many(allowed) -> Path:
    """A folder of MANY photographs, each of another content."""
    folder = allowed / "many"
    folder.mkdir()
    for number in range(MANY):
        painting(number).save(folder / f"{number:02}.jpg", quality=91)
    return folder


def judged(said: str) -> int:
    return int(re.search(r"(\d+) (?:of \d+ )?photographs?", said.partition("Screening ")[2].partition("UTC")[2])[1])


@pytest.mark.slow
@pytest.mark.parametrize("killed", ["the desk", "the screening", "both"])
def test_a_kill_in_the_middle_loses_nothing_and_doubles_nothing(data, allowed, many, killed):
    before = len(verdicts(data))
    with visited(data, allowed) as (served, visit):
        number = number_of(visit.send("/screenings/new", folder="0/many"))
        wait_for(lambda: len(verdicts(data)) > before + 3, 90)
        child = child_of(data, number)
        assert os.getpriority(os.PRIO_PROCESS, child) >= 10
        if killed != "the desk":
            os.kill(child, signal.SIGKILL)
        if killed != "the screening":
            served.process.kill()
            served.process.wait()
            wait_for(lambda: not is_running(child))  # it ends with the desk
        else:
            assert visit.wait(number, "‖ interrupted")
    done = len(verdicts(data)) - before
    assert 3 < done < MANY
    with visited(data, allowed) as (_, visit):
        assert "interrupted" in visit.said(number)
        assert f"/screenings/{number}/go-on" in visit.client.get("/screenings").text
        visit.send(f"/screenings/{number}/go-on")
        visit.wait(number, "✓ done")
        records = [
            json.loads(line) for line in visit.client.get(f"/screenings/{number}/records.jsonl").text.splitlines()
        ]
    assert sorted(Path(record["photo"]).name for record in records) == sorted(item.name for item in many.iterdir())
    made = verdicts(data)[: len(verdicts(data)) - before]
    assert len(made) == len(set(made)) == MANY, "a photograph was recorded twice, or not at all"
    assert not (data / f"desk/screenings/{number}/report.html.part").exists()


@pytest.mark.slow
def test_it_is_stopped_and_goes_on_where_it_was(data, allowed, many):
    before = len(verdicts(data))
    with visited(data, allowed) as (_, visit):
        number = number_of(visit.send("/screenings/new", folder="0/many"))
        wait_for(lambda: len(verdicts(data)) > before + 3, 90)
        begun = time.monotonic()
        visit.send(f"/screenings/{number}/stop")
        visit.wait(number, "■ stopped")
        assert time.monotonic() - begun < 15
        done = len(verdicts(data)) - before
        assert done < MANY and len(visit.client.get(f"/screenings/{number}/records.jsonl").text.splitlines()) == done
        assert len(visit.client.get(f"/screenings/{number}/works.csv").text.splitlines()) == done + 1
        visit.send(f"/screenings/{number}/go-on")
        visit.send(f"/screenings/{number}/go-on")  # twice is as once
        visit.wait(number, "✓ done")
    made = verdicts(data)[: len(verdicts(data)) - before]
    assert len(made) == len(set(made)) == MANY


@pytest.mark.slow
def test_ctrl_c_ends_the_desk_soon_though_somebody_watches(data, allowed, many):
    with visited(data, allowed) as (served, visit):
        number = number_of(visit.send("/screenings/new", folder="0/many"))
        with visit.client.stream("GET", f"/screenings/{number}/events") as stream:
            next(stream.iter_lines())
            wait_for(lambda: (data / f"desk/screenings/{number}/report.html.part").exists(), 60)
            child = child_of(data, number)
            served.process.send_signal(signal.SIGINT)
            assert served.process.wait(20) == 0
        assert not is_running(child)
        assert "Traceback" not in served.log.read_text()
    assert Folders(data / "desk/screenings").read(number).state is State.INTERRUPTED


@pytest.mark.slow
def test_in_a_browser_a_table_is_screened_watched_and_its_report_read(data, allowed, chromium, tmp_path):
    (tmp_path / "lots.csv").write_text(LOTS + "changed.jpg,4,Spring,Muster,\n")
    with serving(data, "--allow", allowed) as served, opened(chromium) as page:
        page.goto(f"{served.address}/screenings")
        page.select_option("#folder", label="allowed/lots")
        page.set_input_files("#table", tmp_path / "lots.csv")
        page.click(".begin button.main")
        page.wait_for_url("**/screenings/1")
        page.wait_for_selector("#alerts li.alert", timeout=60_000)
        assert "Police of Bremen" in page.inner_text("#alerts")
        page.wait_for_selector("text=Open the report", timeout=60_000)
        assert "4 photographs judged" in page.inner_text("#how-far")
        page.click("text=Open the report")
        page.wait_for_selector("article")
        styled = "one => getComputedStyle(one).backgroundColor"
        assert page.eval_on_selector(".badge", styled) != "rgba(0, 0, 0, 0)"
        page.fill("input[type=search]", "changed")
        assert page.eval_on_selector_all("article:not([hidden])", "all => all.length") == 1  # its script runs
        page.click("article:not([hidden]) a[href^=report_evidence]")
        page.wait_for_selector(".compare:not([hidden])")
        frame = page.eval_on_selector(".pair .frame", "one => getComputedStyle(one).getPropertyValue('--ratio')")
        assert float(frame) > 0  # a style in an attribute
        page.click(".back a")
        page.wait_for_url("**/screenings/1/report.html")


@pytest.mark.slow
def test_without_javascript_the_page_reads_itself_again(data, allowed, chromium):
    with visited(data, allowed) as (served, visit):
        number = number_of(visit.send("/screenings/new", folder="0/lots"))
        context = chromium.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(f"{served.address}/screenings/{number}")
        page.wait_for_selector("text=Open the report", timeout=90_000)
        context.close()
