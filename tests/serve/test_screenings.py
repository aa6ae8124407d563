"""Screenings at the desk: how one is begun, watched, stopped, gone on with, and read."""

import json
import re
import threading
import time
from pathlib import Path

import pytest

from cli.output.writing import alone_at
from cli.serve.screenings.kept import Screening, State
from cli.serve.screenings.running import MOST_WAITING
from cli.serve.settings import Role, Token, digest_of
from cli.serve.views.screening_events import MOST_WATCHERS, _seats
from retrieval.errors import ArtifactError
from tests.page import Page as Markup
from tests.serve.conftest import csrf_of, open_desk, send
from tests.serve.screened import LOTS, allowed, begin, here, left_behind, number_of, outcomes, screens, verdicts, wait

__all__ = ["allowed", "here", "screens"]  # fixtures


@pytest.mark.slow
def test_a_folder_is_screened_as_the_command_line_does(screens, data, works):
    before = len(verdicts(data))
    number = number_of(begin(screens))
    wait(screens, number)
    recorded = len(verdicts(data)) - before
    asked = (works / "screened.jsonl").read_text()
    made = screens.get(f"/screenings/{number}/records.jsonl").text
    mine, theirs = ([json.loads(line) for line in text.splitlines()] for text in (made, asked))
    assert [outcomes(one) for one in mine] == [outcomes(one) for one in theirs] and len(mine) == 8
    assert len({outcome for one in mine for outcome in outcomes(one)[1]}) > 2
    shown = Markup(screens.get(f"/screenings/{number}").text).text
    assert "8 photographs judged" in " ".join(shown.split())
    assert "Police of Bremen" in shown and "Hold it back" in shown
    works = sum(max(len(one["works"]), 1) for one in mine)
    assert recorded == works  # one of a file that cannot be read too
    table = screens.get(f"/screenings/{number}/works.csv")
    assert table.headers["content-disposition"] == f'attachment; filename="screening-{number}.csv"'
    assert len(table.text.splitlines()) == works + 1 and ",stolen," in table.text.splitlines()[1]
    diary = (data / "desk/diary.jsonl").read_text()
    assert '"began a screening"' in diary and '"name": "Anna"' in diary


def test_a_table_is_screened_with_its_photographs_in_a_folder_that_is_chosen(screens, here, data):
    number = number_of(begin(screens, table=LOTS, closely="no"))
    kept = wait(screens, number)
    assert (kept["table"], kept["shown"], kept["who"], kept["total"]) == ("lots.csv", "allowed/lots", "Anna", 3)
    records = [json.loads(line) for line in screens.get(f"/screenings/{number}/records.jsonl").text.splitlines()]
    assert [Path(record["photo"]).name for record in records] == ["stolen.jpg", "fine.jpg", "broken.jpg"]
    assert records[1]["claim"]["work"]["outcome"] == "consistent" and records[0]["lot"]["lot"] == "1"
    listed = screens.get("/screenings").text
    assert "lots.csv" in listed and "by <bdi>Anna</bdi>" in listed
    page = screens.get(f"/screenings/{number}").text
    verdict = records[0]["verdicts"][0]
    assert f'href="/verdicts/{verdict}"' in page and f"/verdicts/{verdict}/picture" in page


def test_a_list_of_files_and_a_workbook_are_taken_too(screens, here, tmp_path):
    number = number_of(begin(screens, table="fine.jpg\n# a remark\nunknown.jpg\n", name="list.txt"))
    assert wait(screens, number)["standing"]["count"] == 2
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (("photo", "lot"), ("fine.jpg", "7")):
        book.active.append(row)
    book.save(tmp_path / "lots.xlsx")
    number = number_of(begin(screens, table=(tmp_path / "lots.xlsx").read_bytes(), name="lots.xlsx"))
    assert wait(screens, number)["standing"]["count"] == 1


def test_what_is_to_be_left_out_of_a_folder_is(screens, here):
    number = number_of(begin(screens, exclude="w*.jpg\n[b-e]*.jpg\n?n*.jpg\ng*.jpg\n"))
    assert wait(screens, number)["standing"]["count"] == 3  # fine, forgery and stolen
    answer = begin(screens, exclude="\n".join(["*.png"] * 21))
    assert answer.status_code == 422


def test_a_form_of_another_page_begins_nothing(screens, data):
    secret = csrf_of(screens)
    assert screens.post("/screenings/new", data={"folder": "0/lots"}).status_code == 403
    assert screens.post("/screenings/1/stop", data={"csrf": secret[:-1]}).status_code == 403
    assert screens.get("/screenings/new").status_code in (404, 405)
    assert left_behind(data) == []


def test_viewers_watch_and_begin_nothing(data, allowed):
    tokens = (Token(digest_of("r" * 20), Role.REVIEWER, "Anna"), Token(digest_of("v" * 20), Role.VIEWER, ""))
    with open_desk(data, allowed=(allowed.resolve(),), tokens=tokens) as client:
        folders = client.app.state.service.screenings.folders
        number = folders.make()
        viewer = {"Authorization": f"Bearer {'v' * 20}"}
        folders.write(Screening(number=number, folder=str(allowed), shown="lots", state=State.INTERRUPTED))
        shown = client.get(f"/screenings/{number}", headers=viewer)
        assert shown.status_code == 200 and "Go on" not in shown.text and "interrupted" in shown.text
        assert "Screen photographs" not in client.get("/screenings", headers=viewer).text
        for path in ("new", f"{number}/go-on", f"{number}/stop"):
            assert client.post(f"/screenings/{path}", headers=viewer, data={}).status_code == 403


@pytest.mark.slow
def test_one_runs_at_a_time_the_others_wait_in_order_and_too_many_are_refused(screens, monkeypatch):
    screenings = screens.app.state.service.screenings
    numbers = [number_of(begin(screens, table="photo,lot\nfine.jpg,1\n")) for _ in range(3)]
    states = [screenings.get(number).state for number in numbers]
    assert states.count(State.RUNNING) <= 1 and states[-1] is State.WAITING
    assert "before it" in screens.get(f"/screenings/{numbers[-1]}").text
    screenings.stop(numbers[1])
    assert screenings.get(numbers[1]).state is State.STOPPED
    ended = [wait(screens, number)["ended"] for number in (numbers[0], numbers[2])]
    assert ended == sorted(ended)
    send(screens, f"/screenings/{numbers[1]}/go-on")
    assert wait(screens, numbers[1])["standing"]["count"] == 1
    monkeypatch.setattr("cli.serve.screenings.running.MOST_WAITING", 0)
    assert MOST_WAITING > 0
    answer = begin(screens)
    assert answer.status_code == 503 and int(answer.headers["retry-after"]) > 0


def test_a_screening_that_is_not_there_is_said(screens):
    for path in (
        "7",
        "7/report.html",
        "7/records.jsonl",
        "7/works.csv",
        "7/events",
        f"7/report_evidence/{'a' * 16}.html",
    ):
        assert screens.get(f"/screenings/{path}").status_code == 404, path
    assert send(screens, "/screenings/7/stop").status_code == 404


def parts(stream: str) -> list[str]:
    return [json.loads(line.removeprefix("data: ")) for line in stream.splitlines() if line.startswith('data: "')]


def test_whoever_watches_is_told_until_it_is_over(screens, here):
    number = number_of(begin(screens, table=LOTS))
    with screens.stream("GET", f"/screenings/{number}/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["x-accel-buffering"] == "no"
        stream = answer.read().decode()
    told = parts(stream)
    assert stream.rstrip().endswith("event: over\ndata: {}")
    assert "waiting" in told[0] or "running" in told[0]
    assert "Police of Bremen" in told[-1] and "done" in told[-1] and "works.csv" in told[-1]
    again = screens.get(f"/screenings/{number}/events").text  # of one that is over
    assert len(parts(again)) == 1 and "event: over" in again


def test_so_many_may_watch_and_their_seats_come_free(screens, here):
    number = number_of(begin(screens, table="photo,lot\nfine.jpg,1\n"))
    wait(screens, number)
    for _ in range(MOST_WATCHERS + 5):
        assert screens.get(f"/screenings/{number}/events").status_code == 200
    taken = 0
    while _seats.acquire(blocking=False):
        taken += 1
    try:
        answer = screens.get(f"/screenings/{number}/events")
        assert taken == MOST_WATCHERS and answer.status_code == 503 and int(answer.headers["retry-after"]) > 0
    finally:
        for _ in range(taken):
            _seats.release()


def test_the_report_has_a_policy_of_its_own_and_its_links_work(screens, here):
    number = number_of(begin(screens, table=LOTS + "changed.jpg,4,Spring,Muster,\n"))
    wait(screens, number)
    answer = screens.get(f"/screenings/{number}/report.html")
    policy = answer.headers["content-security-policy"]
    assert answer.status_code == 200 and "unsafe-inline" not in policy and "unsafe-eval" not in policy
    assert re.search(r"script-src 'sha256-[^']+'; ", policy) and "sandbox" in policy and "default-src 'none'" in policy
    links = set(re.findall(r'href="(report_evidence/[^"]+)"', answer.text))
    assert len(links) >= 2
    for link in links:
        page = screens.get(f"/screenings/{number}/{link}")
        assert page.status_code == 200 and "'unsafe-hashes'" in page.headers["content-security-policy"]
        assert 'href="../report.html"' in page.text
    for name in ("..%2f..%2fscreening.json", "screening.json", "%2e%2e/screening.json", "a" * 16 + ".html%00"):
        assert screens.get(f"/screenings/{number}/report_evidence/{name}").status_code == 404


def test_a_desk_that_is_closed_keeps_what_was_done_and_the_next_goes_on(data, allowed):
    with open_desk(data, allowed=(allowed.resolve(),)) as client:
        number = number_of(begin(client, table=LOTS))
    with open_desk(data, allowed=(allowed.resolve(),)) as client:
        shown = client.get("/screenings").text
        if "interrupted" in shown:
            assert f"/screenings/{number}/go-on" in shown
            send(client, f"/screenings/{number}/go-on")
        kept = wait(client, number)
        assert kept["standing"]["count"] == 3 and kept["total"] == 3


def test_what_another_process_writes_is_running_and_what_nobody_writes_is_interrupted_or_done(screens, data):
    folders = screens.app.state.service.screenings.folders
    number = folders.make()
    folders.write(Screening(number=number, folder="/x", shown="lots", total=3, state=State.RUNNING))
    out = folders.of(number) / "report.html"
    with alone_at(out):
        shown = screens.get(f"/screenings/{number}").text
        assert "▶" in shown and "cannot be stopped from here" in shown and "<button>Stop" not in shown
        send(screens, f"/screenings/{number}/go-on")
        assert screens.app.state.service.screenings.get(number).state is State.RUNNING
    shown = screens.get(f"/screenings/{number}").text
    assert "interrupted" in shown and "Go on" in shown
    out.write_text("<p>")
    (folders.of(number) / "records.jsonl").write_text("")
    folders.write(Screening(number=number, folder="/x", shown="lots", state=State.RUNNING))
    assert screens.app.state.service.screenings.get(number).state is State.DONE


def test_a_screening_that_fails_says_why_and_those_behind_it_run(screens, data, monkeypatch):
    monkeypatch.setattr("cli.serve.screenings.running.begun", _no_process)
    failed = number_of(begin(screens, table="photo,lot\nfine.jpg,1\n"))
    assert "no room" in wait(screens, failed, "failed")["problem"]
    assert "no room" in screens.get(f"/screenings/{failed}").text
    monkeypatch.undo()
    number = number_of(begin(screens, table="photo,lot\nfine.jpg,1\n"))
    assert wait(screens, number)["standing"]["count"] == 1


def test_what_fails_as_the_desk_closes_is_interrupted_and_can_go_on(data, allowed, monkeypatch):
    with open_desk(data, allowed=(allowed.resolve(),)) as client:
        screenings, reached = client.app.state.service.screenings, threading.Event()
        counted, calls = screenings._counted, iter([True])

        def ended_with_the_desk(screening: Screening) -> int | None:
            if next(calls, False):  # as it is begun
                return counted(screening)
            reached.set()
            while not screenings._ending:
                time.sleep(0.01)
            raise ArtifactError("its reader was ended")

        monkeypatch.setattr(screenings, "_counted", ended_with_the_desk)
        number = number_of(begin(client, table=LOTS))
        assert reached.wait(30)
    kept = screenings.folders.read(number)
    assert kept is not None and (kept.state, kept.problem) == (State.INTERRUPTED, "")


def _no_process(*_: object) -> None:
    raise ArtifactError("there is no room for a process")


def test_a_screening_that_is_just_ending_can_go_on_and_a_late_stop_does_not_end_it_then(screens, monkeypatch):
    screenings = screens.app.state.service.screenings
    written, goes_on, end = threading.Event(), threading.Event(), screenings._end

    def slowly(*args: object) -> None:
        end(*args)
        written.set()
        goes_on.wait(30)

    monkeypatch.setattr(screenings, "_end", slowly)
    monkeypatch.setattr("cli.serve.screenings.running.begun", _no_process)
    number = number_of(begin(screens, table="photo,lot\nfine.jpg,1\n"))
    assert written.wait(30)
    shown = screens.get(f"/screenings/{number}").text
    assert "Go on" in shown and "<button>Stop" not in shown
    send(screens, f"/screenings/{number}/stop")  # of a page that was read a moment earlier
    monkeypatch.undo()
    send(screens, f"/screenings/{number}/go-on")
    goes_on.set()
    assert wait(screens, number)["standing"]["count"] == 1
