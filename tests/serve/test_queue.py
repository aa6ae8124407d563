"""The queue: what waits is listed as `artifact review` lists it, found, decided on once, and taken back."""

import json
import re
import threading
import time
from contextlib import suppress
from html import unescape
from pathlib import Path

import httpx2
import pytest

from cli.serve.settings import Role, Token, digest_of
from retrieval.verdicts.entry import LogEntry
from retrieval.verdicts.log import VerdictLog
from retrieval.verdicts.reviews import accepting, add_review, reviews
from retrieval.verdicts.waiting import open_verdicts
from tests.page import Page as Markup
from tests.serve.conftest import STOLEN, artifact, csrf_of, open_desk, opened, send, serving

ROW = re.compile(r'<li class="row [^>]* data-number="(\d+)" data-seen="(\d+)"')


def rows(text: str) -> list[int]:
    """Return the verdicts that a page lists, in its order."""
    return [int(number) for number, _ in ROW.findall(text)]


def waiting(data: Path) -> list[int]:
    with VerdictLog.reading(data) as log:
        return open_verdicts(log)


def made(data: Path) -> list:
    with VerdictLog.reading(data) as log:
        return reviews(log)


def entry(data: Path, number: int) -> LogEntry:
    with VerdictLog.reading(data) as log:
        return log.entry(number)


def named(data: Path, photo: str) -> int:
    """Return the verdict that waits on a photograph."""
    return next(number for number in waiting(data) if Path(entry(data, number).photo).name == photo)


def accept_as_bo(data: Path, number: int) -> None:
    with VerdictLog.opened(data) as log:
        add_review(log, accepting(log.entry(number), name="Bo", reason="seen at the viewing"))


def test_the_queue_lists_what_review_lists_alerts_first(desk, data):
    text = desk.get("/queue").text
    listed = json.loads(artifact("review", "--all", "--data", data, "--format", "json"))
    assert sorted(rows(text)) == sorted(row["number"] for row in listed) and len(listed) > 3
    alerts = [entry(data, number).alert for number in rows(text)]
    assert alerts == sorted(alerts, key=lambda alert: ["stolen", "known forgery", None].index(alert)) and alerts[0]
    shown = Markup(text).text
    assert f"{len(listed)} verdicts to decide on" in shown
    assert "Police of Bremen" in shown and "cannot be read as a photograph" in shown


@pytest.mark.parametrize(
    ("query", "photos"),
    [
        ("alert=stolen", {"stolen.jpg", "wall.jpg"}),
        ("outcome=unreadable", {"broken.jpg"}),
        ("text=forgery", {"forgery.jpg"}),
        ("text=SISTERS", {"stolen.jpg", "wall.jpg"}),  # of the title of the object
        ("text=berg+anna", {"stolen.jpg", "wall.jpg"}),
        ("outcome=unreadable&alert=any", set()),
        ("since=2200-01-01", set()),
        ("most=0.0001&least=0", set()),
    ],
)
def test_filters_stand_in_the_address_and_show_again_what_was_asked(desk, data, query, photos):
    text = desk.get(f"/queue?{query}").text
    assert {Path(entry(data, number).photo).name for number in rows(text)} == photos
    if not photos:
        assert "Nothing that waits is like this." in text
    name, _, value = query.partition("&")[0].partition("=")
    assert f'value="{value.replace("+", " ")}"' in text or f'<option value="{value}" selected' in text, name


@pytest.mark.parametrize(
    "query", ["since=yesterday", "least=far", "most=nan", "after=1:2", "before=x:y:z", "order=random", "least=1e999"]
)
def test_an_address_that_means_nothing_is_a_sentence(desk, query):
    answer = desk.get(f"/queue?{query}")
    assert answer.status_code == 422 and "Traceback" not in answer.text and 'class="remark"' in answer.text


def test_odd_words_find_nothing_and_break_nothing(desk):
    for text in ('"', "'; DROP TABLE waiting; --", "*", "NEAR(", "\u0000", "(", "ü" * 400, "<script>alert(1)</script>"):
        answer = desk.get("/queue", params={"text": text})
        assert answer.status_code == 200 and rows(answer.text) == [] and "<script>alert" not in answer.text


def test_an_empty_queue_says_what_to_do(desk, data):
    send(desk, "/queue/decide", verdict=[f"{number}:0" for number in waiting(data)], decision="accept")
    text = desk.get("/queue").text
    assert "Nothing waits for a decision" in text and "start a screening" in text
    for name in ("verdicts.db", "verdicts.db-wal", "verdicts.db-shm"):
        (data / name).unlink(missing_ok=True)
    assert "No photograph was judged yet" in desk.get("/queue").text


def test_a_verdict_is_accepted_in_a_name_and_waits_no_more(desk, data):
    number = named(data, "changed.jpg")
    answer = send(
        desk, f"/verdicts/{number}/decide", name="Anna", decision="accept", reason=" by another hand ", seen=0
    )
    assert answer.status_code == 200 and answer.url.path == "/queue"
    (review,) = made(data)
    assert (review.verdict, review.name, review.decision) == (number, "Anna", "accept")
    assert review.reason == "by another hand" and number not in rows(answer.text)
    assert f"verdict {number} accepted" in Markup(answer.text).text
    diary = [json.loads(line) for line in (data / "desk/diary.jsonl").read_text().splitlines()]
    assert diary[-1]["did"] == "decided" and diary[-1]["verdicts"] == [number] and diary[-1]["name"] == "Anna"


def test_a_verdict_is_overruled_with_a_reason_and_of_an_object_that_there_is(desk, data):
    number = named(data, "changed.jpg")
    path = f"/verdicts/{number}/decide"
    answer = send(desk, path, decision="consistent", object="05", seen=0)
    assert answer.status_code == 422 and "needs a reason" in answer.text and 'value="05"' in answer.text
    answer = send(desk, path, decision="consistent", object="nowhere", reason="cleaned", seen=0)
    assert answer.status_code == 422 and "Search for it among" in answer.text and ">cleaned</textarea>" in answer.text
    assert send(desk, path, decision="no-match", object="05", reason="x", seen=0).status_code == 422
    assert send(desk, path, decision="authentic", reason="x", seen=0).status_code == 422
    assert made(data) == []
    assert send(desk, path, decision="consistent", object="05", reason="cleaned", seen=0).status_code == 200
    assert [(one.outcome, one.object_id, one.reason) for one in made(data)] == [("consistent", "05", "cleaned")]


def test_who_decides_is_asked_once_and_nothing_that_was_typed_is_lost(desk, data):
    number = named(data, "changed.jpg")
    path = f"/verdicts/{number}/decide"
    answer = send(desk, path, name=None, decision="accept", reason="seen <twice>", seen=0, q="outcome=divergent")
    assert answer.status_code == 422 and "Who decides?" in answer.text and made(data) == []
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', answer.text))
    fields = {name: unescape(value) for name, value in fields.items()}
    assert fields["reason"] == "seen <twice>" and f'action="{path}"' in answer.text
    answer = desk.post(path, data=fields | {"name": "  Carl   Ek "})
    assert str(answer.url).endswith("/queue?outcome=divergent")
    assert [review.name for review in made(data)] == ["Carl Ek"]
    assert "Carl Ek" in answer.text and 'id="d-name"' not in answer.text


def test_the_second_reviewer_sees_what_the_first_decided_and_is_asked(desk, data):
    number = named(data, "changed.jpg")
    accept_as_bo(data, number)
    form = {"decision": "consistent", "reason": "cleaned in 2019", "seen": 0}
    answer = send(desk, f"/verdicts/{number}/decide", **form)
    shown = Markup(answer.text).text
    assert answer.status_code == 409 and "Bo accepted verdict" in shown and "seen at the viewing" in shown
    assert [review.name for review in made(data)] == ["Bo"], "nothing is written"
    seen = re.search(r'name="seen" value="(\d+)"', answer.text)
    assert seen and seen[1] == "1"
    assert send(desk, f"/verdicts/{number}/decide", **form | {"seen": seen[1]}).status_code == 200
    assert [(one.name, one.outcome) for one in made(data)] == [("Bo", "divergent"), ("Anna", "consistent")]


def test_a_double_click_and_a_form_sent_again_decide_once(desk, data):
    number = named(data, "changed.jpg")
    form = {"decision": "accept", "reason": "", "seen": 0}
    for _ in range(3):
        assert send(desk, f"/verdicts/{number}/decide", **form).status_code == 200
    assert len(made(data)) == 1
    with open_desk(data) as again:  # as after a kill
        assert send(again, f"/verdicts/{number}/decide", **form).status_code == 200
    assert len(made(data)) == 1


def test_many_are_looked_over_before_they_are_decided_and_then_all_at_once(desk, data):
    numbers = waiting(data)
    chosen = [f"{number}:0" for number in numbers]
    answer = send(desk, "/queue/overview", verdict=chosen, decision="accept", q="order=latest")
    shown = Markup(answer.text).text
    assert f"{len(numbers)} verdicts to be decided at once" in shown and "Nothing is decided yet" in shown
    assert made(data) == [] and answer.text.count('name="verdict"') == len(numbers)
    answer = send(desk, "/queue/decide", verdict=chosen, decision="accept", reason="the sale was cancelled")
    assert answer.status_code == 200 and waiting(data) == [] and len(made(data)) == len(numbers)
    assert {review.reason for review in made(data)} == {"the sale was cancelled"}
    answer = send(desk, "/reviews/undo", first=1, last=len(numbers))
    assert made(data) == [] and sorted(waiting(data)) == sorted(numbers)


def test_of_many_all_are_decided_or_none(desk, data):
    numbers = waiting(data)
    accept_as_bo(data, numbers[0])
    answer = send(desk, "/queue/decide", verdict=[f"{number}:0" for number in numbers], decision="accept")
    assert answer.status_code == 409 and [review.name for review in made(data)] == ["Bo"]
    again = re.findall(r'name="verdict" value="([^"]+)"', answer.text)
    assert f"{numbers[0]}:1" in again and len(again) == len(numbers)
    assert send(desk, "/queue/decide", verdict=again, decision="accept").status_code == 200
    assert len(made(data)) == len(numbers) + 1


def test_the_overview_leaves_out_what_cannot_be_decided_so_and_takes_all_that_is_listed(desk, data):
    broken = named(data, "broken.jpg")
    answer = send(desk, "/queue/overview", every="1", decision="consistent")
    assert f"Verdict {broken} is left out" in answer.text
    assert answer.text.count('name="verdict"') == len(waiting(data)) - 1
    assert send(desk, "/queue/overview", decision="accept").status_code == 422
    answer = send(desk, "/queue/overview", every="1", decision="accept", q="alert=stolen")
    assert answer.text.count('name="verdict"') == 2


def test_a_decision_is_undone_once_stays_in_view_and_is_asked_again(desk, data):
    number = named(data, "changed.jpg")
    answer = send(desk, f"/verdicts/{number}/decide", decision="accept", seen=0)
    undo = re.search(r'name="first" value="(\d+)"><input type="hidden" name="last" value="(\d+)"', answer.text)
    assert undo
    for _ in range(2):
        answer = send(desk, "/reviews/undo", first=undo[1], last=undo[2])
        assert number in rows(answer.text) and "data-undo" not in answer.text
    assert made(data) == []
    shown = Markup(desk.get(f"/verdicts/{number}").text).text
    assert "Taken back by Anna" in shown and "waits for a decision" in shown
    assert send(desk, "/reviews/undo", first=1, last=10_000).status_code == 422
    assert send(desk, "/reviews/undo", first="x", last=1).status_code == 422


def test_an_undo_of_many_leaves_what_others_decided(desk, data):
    numbers = waiting(data)[:2]
    send(desk, "/queue/decide", verdict=[f"{numbers[0]}:0"], decision="accept")
    accept_as_bo(data, numbers[1])
    send(desk, "/reviews/undo", first=1, last=2)
    assert [review.name for review in made(data)] == ["Bo"]


def test_the_page_of_a_verdict_says_what_how_sure_and_what_to_do(desk, data):
    number = named(data, "changed.jpg")
    text = desk.get(f"/verdicts/{number}?outcome=divergent").text
    shown, said = Markup(text).text, entry(data, number)
    assert f"The same picture as {said.object_id}; something differs." in shown
    assert f"The combined distance {said.combined:.3f} is beyond its threshold {said.threshold:.3f}" in shown
    assert f"{said.combined:.6g}" in shown and said.encoder in shown and said.sha256 in shown
    assert f"/verdicts/{number}/compare" in text and f"/objects/{said.object_id}" in text
    assert f"/verdicts/{number}/picture?side=480" in text and "/exemplars/" in text
    assert desk.get(f"/verdicts/{number}/picture?side=480").status_code == 200
    alert = Markup(desk.get(f"/verdicts/{named(data, 'stolen.jpg')}").text).text
    assert "registered as stolen" in alert and "tell Police of Bremen" in alert and STOLEN in alert
    broken = Markup(desk.get(f"/verdicts/{named(data, 'broken.jpg')}").text).text
    assert "cannot be read as a photograph" in broken and "Ask for it anew" in broken


def test_a_verdict_that_a_newer_one_replaces_leads_to_that_one(desk, data, inbox):
    old = named(data, "changed.jpg")
    artifact("query", inbox / "changed.jpg", "--data", data)
    newer = named(data, "changed.jpg")
    text = desk.get(f"/verdicts/{old}").text
    shown = Markup(text).text
    assert newer > old and f"Verdict {newer} on the same photograph is newer; decide that one." in shown
    assert f'href="/verdicts/{newer}">Verdict {newer}</a>' in text
    assert "waits for nobody" not in shown and f"/verdicts/{old}/decide" not in text
    assert "was replaced" not in desk.get(f"/verdicts/{newer}").text
    answer = send(desk, f"/verdicts/{old}/decide", decision="consistent", seen=0)
    assert answer.status_code == 422 and "needs a reason" in answer.text
    accept_as_bo(data, newer)
    shown = Markup(desk.get(f"/verdicts/{old}").text).text
    assert f"Verdict {newer} on the same photograph is newer, and counts instead." in shown
    shown = Markup(desk.get(f"/verdicts/{newer}").text).text
    assert "waits for nobody" in shown and "Decide all the same" in shown


def test_every_verdict_has_a_page_and_one_that_there_is_not_is_said(desk, data):
    with VerdictLog.reading(data) as log:
        numbers = [one.number for one in log.entries()]
    for number in numbers:
        assert desk.get(f"/verdicts/{number}").status_code == 200
    answer = desk.get("/verdicts/99999999")
    assert answer.status_code == 404 and "No verdict 99999999 is recorded. The queue lists those" in answer.text
    assert 'href="/queue">Queue</a>' in answer.text and "`artifact" not in answer.text
    assert send(desk, "/verdicts/99999999/decide", decision="accept").status_code == 404
    assert desk.get(f"/verdicts/{10**30}").status_code == 404


def test_after_a_decision_on_its_page_the_next_one_follows(desk, data):
    first, second = rows(desk.get("/queue").text)[:2]
    text = desk.get(f"/verdicts/{first}").text
    back = re.search(r'name="back" value="([^"]+)"', text)
    assert back and back[1] == f"next:{second}"
    answer = send(desk, f"/verdicts/{first}/decide", decision="accept", seen=0, back=back[1])
    assert answer.url.path == f"/verdicts/{second}"
    answer = send(desk, f"/verdicts/{second}/decide", decision="accept", seen=0, back="https://elsewhere.example")
    assert answer.url.path == "/queue"


def test_a_viewer_looks_and_decides_nothing(data):
    token = Token(digest_of("a-token-of-a-viewer"), Role.VIEWER, "Vi")
    with open_desk(data, tokens=(token,)) as desk:
        desk.post("/sign-in", data={"csrf": csrf_of_sign_in(desk), "token": "a-token-of-a-viewer"})
        number = waiting(data)[0]
        for path in ("/queue", f"/verdicts/{number}"):
            text = desk.get(path).text
            assert "/decide" not in text and "/undo" not in text and "Accept" not in text
        secret = csrf_of(desk)
        for path in (f"/verdicts/{number}/decide", "/queue/overview", "/queue/decide", "/reviews/undo"):
            assert desk.post(path, data={"csrf": secret, "decision": "accept"}).status_code == 403
    assert made(data) == []


def csrf_of_sign_in(desk) -> str:
    found = re.search(r'name="csrf" content="([^"]+)"', desk.get("/sign-in").text)
    assert found
    return found[1]


def test_nothing_is_decided_without_the_secret_of_the_page_or_by_an_address(desk, data):
    number = waiting(data)[0]
    desk.get("/queue")
    for path in (f"/verdicts/{number}/decide", "/queue/overview", "/queue/decide", "/reviews/undo"):
        assert desk.post(path, data={"decision": "accept", "name": "Eve", "verdict": f"{number}:0"}).status_code == 403
        assert desk.get(path).status_code == 405
    assert made(data) == []


def test_text_from_outside_is_shown_as_text(desk, data):
    number = named(data, "changed.jpg")
    hostile = '"><script>alert(1)</script>'
    with VerdictLog.opened(data) as log:
        lot = json.dumps({"lot": hostile, "title": hostile, "sale": hostile})
        log.db.execute("UPDATE verdicts SET lot = ?, reasons = ? WHERE number = ?", [lot, f'["{hostile[2:]}"]', number])
        log.db.execute("DELETE FROM waiting_upto")
        log.db.conn.commit()
    send(desk, f"/verdicts/{number}/decide", name=hostile, decision="inconclusive", reason=hostile, seen=0)
    assert made(data)[0].name == hostile
    for path in ("/queue", f"/verdicts/{number}"):
        assert "<script>alert" not in desk.get(path).text
    answer = send(desk, "/queue/overview", verdict=[f"{number}:1"], decision="accept", reason=hostile)
    assert answer.status_code == 200 and "<script>alert" not in answer.text
    accept_as_bo(data, number)
    answer = send(desk, f"/verdicts/{number}/decide", decision="accept", reason=hostile, seen=0)
    assert answer.status_code == 409 and "<script>alert" not in answer.text


def test_below_a_prefix_every_link_and_form_has_it(data):
    with open_desk(data, address="http://127.0.0.1:8765/artifact") as desk:
        for path in ("/artifact/queue", f"/artifact/verdicts/{waiting(data)[0]}"):
            links = re.findall(r'(?:href|action|src|data-decide)="(/[^"]*)"', desk.get(path).text)
            assert links and all(link.startswith("/artifact/") for link in links)


def row_in(page) -> str:
    return str(page.evaluate("document.activeElement.dataset.number ?? ''"))


@pytest.mark.slow
def test_in_a_browser_all_is_decided_and_undone_by_keys_and_two_reviewers_see_each_other(data, chromium):
    first, second, third = [entry_ for entry_ in ordered(data)][:3]
    with serving(data) as served, opened(chromium) as anna, opened(chromium) as bo:
        for page, name in ((anna, "Anna"), (bo, "Bo")):
            page.goto(f"{served.address}/queue")
            page.fill("#your-name", name)
            page.press("#your-name", "Enter")
            page.wait_for_selector(f"text={name}")
            page.goto(f"{served.address}/queue")
        anna.keyboard.press("?")
        assert anna.is_visible("#keys") and "undo your last decision" in anna.inner_text("#keys")
        anna.keyboard.press("Escape")
        anna.keyboard.press("j")
        assert row_in(anna) == str(first)
        anna.keyboard.press("j")
        anna.keyboard.press("k")
        assert row_in(anna) == str(first)
        with anna.expect_navigation():
            anna.keyboard.press("a")
        assert [review.verdict for review in made(data)] == [first]
        assert row_in(anna) == str(second), "the next row has the focus"
        anna.keyboard.press("i")
        anna.keyboard.type("glare hides the signature: u and a are letters")
        with anna.expect_navigation():
            anna.click("#decide button.main")
        assert [(one.verdict, one.outcome) for one in made(data)][1:] == [(second, "inconclusive")]
        with anna.expect_navigation():
            anna.keyboard.press("u")
        assert [review.verdict for review in made(data)] == [first]
        with anna.expect_navigation():
            anna.keyboard.press("u")
        assert made(data) == []
        with anna.expect_navigation():
            anna.click("form[data-accept] button >> nth=0")
        bo.keyboard.press("j")
        bo.keyboard.press("o")
        bo.select_option("#d-decision", "no-match")
        bo.fill("#d-reason", "another work")
        with bo.expect_navigation():
            bo.click("#decide button.main")
        assert "Anna accepted" in bo.inner_text("main") and len(made(data)) == 1
        with bo.expect_navigation():
            bo.click("text=Decide all the same")
        assert [(one.name, one.outcome) for one in made(data)][1:] == [("Bo", "no-match")]
        bo.goto(f"{served.address}/verdicts/{third}")
        with bo.expect_navigation():
            bo.keyboard.press("a")
        assert made(data)[-1].verdict == third
        bo.goto(f"{served.address}/verdicts/{third}")
        bo.keyboard.press("n")
        assert bo.evaluate("document.activeElement.id") == "d-reason"
        bo.keyboard.press("Escape")
        with anna.expect_navigation():
            anna.keyboard.press("j")
            anna.keyboard.press("x")
            anna.click("#many button >> text=Look over")
        assert "1 verdict to be decided at once" in anna.inner_text("main")


def ordered(data: Path) -> list[int]:
    with open_desk(data) as desk:
        return rows(desk.get("/queue").text)


def test_an_object_that_was_removed_since_leaves_its_verdicts_readable(desk, data):
    number = named(data, "stolen.jpg")
    artifact("remove", STOLEN, "--data", data)
    assert number in rows(desk.get("/queue").text)
    shown = Markup(desk.get(f"/verdicts/{number}").text).text
    assert f"registered as stolen, {STOLEN}" in shown and "whoever registered it" in shown


@pytest.mark.slow
def test_killed_in_the_middle_of_a_decision_nothing_is_half_done_and_sent_again_nothing_is_doubled(data):
    numbers = waiting(data)
    form = {"verdict": [f"{number}:0" for number in numbers], "decision": "accept", "name": "Anna"}
    for delay in (0.0, 0.004, 0.02):
        with serving(data) as served, httpx2.Client(base_url=served.address) as client:
            form["csrf"] = re.findall(r'name="csrf" content="([^"]+)"', client.get("/queue").text)[0]
            sending = threading.Thread(target=post_quietly, args=(client, form))
            sending.start()
            time.sleep(delay)
            served.process.kill()
            sending.join()
        assert len(made(data)) in (0, len(numbers))
    with serving(data) as served, httpx2.Client(base_url=served.address, follow_redirects=True) as client:
        form["csrf"] = re.findall(r'name="csrf" content="([^"]+)"', client.get("/queue").text)[0]
        assert client.post("/queue/decide", data=form).status_code == 200
    assert len(made(data)) == len(numbers) and waiting(data) == []


def post_quietly(client: httpx2.Client, form: dict) -> None:
    with suppress(httpx2.TransportError):
        client.post("/queue/decide", data=form)
