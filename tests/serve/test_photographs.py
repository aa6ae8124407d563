"""Bringing photographs to the desk: what is judged, what is recorded, what is kept."""

import asyncio
import json
import os
import shutil
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image
from playwright.sync_api import expect

from cli.runs.judging_options import LookingOptions
from cli.serve import uploads
from cli.serve.jobs import WAITING
from cli.serve.views import photographs
from cli.serve.views.photographs import Card
from retrieval.outcome import UNREADABLE
from retrieval.verdicts.log import VerdictLog
from tests.page import Page as Markup
from tests.serve.conftest import HOME, STOLEN, artifact, bring, csrf_of, open_desk, opened, send, serving


def entries(data: Path) -> list:
    with VerdictLog.reading(data) as log:
        return log.entries()


def test_a_photograph_is_judged_and_recorded_as_a_query_does(desk, data, inbox, tmp_path):
    before = len(entries(data))
    shown = Markup(bring(desk, inbox / "fine.jpg").text).text
    assert "consistent" in shown and "05" in shown and "Hafen im Morgenlicht" in shown
    (made,) = entries(data)[: len(entries(data)) - before]
    (record,) = [json.loads(artifact("query", inbox / "fine.jpg", "--data", data, "--format", "json"))]
    asked = record["works"][0]["matches"][0]
    assert (made.outcome, made.object_id, made.sha256) == ("consistent", "05", record["sha256"])
    assert made.combined == pytest.approx(asked["divergence"]["combined"], abs=1e-6)
    assert made.whole == pytest.approx(asked["distance"], abs=1e-6)


def test_every_work_on_a_photograph_is_shown_and_an_alert_comes_with_whom_to_tell(desk, inbox):
    answer = bring(desk, inbox / "wall.jpg")
    assert answer.text.count('<article class="work') == 2
    shown = Markup(answer.text).text
    assert "registered as stolen" in shown and "Police of Bremen" in shown
    assert STOLEN in shown and "05" in shown


def test_several_photographs_at_once_each_get_their_own_answer(desk, inbox):
    text = Markup(bring(desk, inbox / "unknown.jpg", inbox / "broken.jpg", inbox / "changed.jpg").text).text
    assert "inconclusive" in text and "cannot be read as a photograph" in text and "divergent" in text
    assert text.count("Keep this photograph") == 2, "what cannot be read is not kept"


def test_photographs_of_one_thing_are_judged_together_where_that_is_asked(desk, data, inbox, tmp_path):
    for number in (1, 2):
        Image.open(inbox / "fine.jpg").resize((380 + number, 300)).save(tmp_path / f"{number}.jpg", quality=90)
    text = Markup(bring(desk, tmp_path / "1.jpg", tmp_path / "2.jpg", together="yes").text).text
    assert "all together" in text and "2 photographs of 05" in text
    whole, *single = entries(data)[:3]
    assert whole.together == tuple(sorted(one.number for one in single))


def test_the_page_of_one_leads_to_the_verdict_on_all_that_waits(desk, data, inbox, tmp_path):
    for number in (1, 2):
        Image.open(inbox / "changed.jpg").resize((380 + number, 300)).save(tmp_path / f"{number}.jpg", quality=90)
    bring(desk, tmp_path / "1.jpg", tmp_path / "2.jpg", together="yes")
    whole, *single = entries(data)[:3]
    assert whole.together and whole.outcome != "consistent"
    for one in single:
        text = Markup(desk.get(f"/verdicts/{one.number}").text).text
        assert "waits with others" in text and "waits for nobody" not in text
        assert f"Verdict {whole.number}, on this photograph together with others, waits" in text
    assert "waits for a decision" in Markup(desk.get(f"/verdicts/{whole.number}").text).text


def test_photographs_that_were_not_judged_together_say_why(desk, inbox):
    photos = [inbox / f"{name}.jpg" for name in ("fine", "genuine", "unknown", "broken")]
    shown = Markup(bring(desk, *photos, together="yes").text).text
    assert "all together" not in shown
    assert "The photographs were not judged together, because they do not show the same object." in shown
    assert "fine.jpg: 05; genuine.jpg: 04; unknown.jpg: nothing that is known to the catalogue; broken.jpg: " in shown
    shown = Markup(bring(desk, photos[0], photos[0], together="yes").text).text
    assert "not judged together, because they are the same file" in shown
    shown = Markup(bring(desk, photos[0], inbox / "wall.jpg", together="yes").text).text
    assert "2 photographs of 05" in shown and "not all judged" not in shown and "not judged together" not in shown
    assert "judged together" not in Markup(bring(desk, *photos[:2]).text).text


def test_one_object_can_be_asked_for_and_one_that_is_unknown_is_said(desk, data, inbox):
    bring(desk, inbox / "fine.jpg", object="04")
    assert entries(data)[0].asked == "04"
    answer = send(desk, "/photographs", files=[("photo", ("a.jpg", (inbox / "fine.jpg").read_bytes()))], object="nine")
    assert answer.status_code == 404 and "No object &#39;nine&#39;" in answer.text


def test_a_photograph_is_removed_when_the_desk_closes_unless_it_is_kept(data, inbox):
    with open_desk(data) as desk:
        kept, other = bring(desk, inbox / "fine.jpg"), bring(desk, inbox / "unknown.jpg")
        number = str(kept.url).partition("job=")[2]
        (entry,) = entries(data)[1:2]
        answer = send(desk, f"/photographs/{number}/keep", sha256=entry.sha256)
        assert answer.text.count("Kept on this machine") == 1
        assert send(desk, f"/photographs/{number}/keep", sha256="0" * 64).status_code == 404
        assert "Keep this photograph" in other.text
        paths = [Path(entry.photo) for entry in entries(data)[:2]]
        assert all(path.is_file() for path in paths)
        assert all(desk.get(f"/verdicts/{entry.number}/picture").status_code == 200 for entry in entries(data)[:2])
        assert len(small(data)) == 2
    assert [path.name for path in paths if path.exists()] == ["fine.jpg"]
    assert [path.name[:64] for path in small(data)] == [paths[1].parents[1].name]  # nor a small picture of the other
    with open_desk(data):
        assert paths[1].is_file()


@pytest.mark.parametrize(
    "name", ["../../escape.jpg", "/etc/passwd", "..", "a\\..\\b.jpg", "\x00.jpg", "é" * 300 + ".jpg", ""]
)
def test_whatever_a_photograph_is_called_it_lies_in_its_folder(desk, data, inbox, name):
    service = desk.app.state.service
    with (inbox / "fine.jpg").open("rb") as file:
        taken = service.uploads.take(file, name)
    assert taken.path.parent.parent.name == taken.sha256
    assert taken.path.resolve().is_relative_to((data / "desk" / "photographs").resolve())
    assert taken.path.read_bytes() == (inbox / "fine.jpg").read_bytes()


def test_a_photograph_is_called_as_its_owner_calls_it(desk, data, inbox, tmp_path):
    photo = Path(shutil.copy(inbox / "fine.jpg", tmp_path / '50% "b" %2F%25\n.jpg'))
    called = '50% "b" %2F%25_.jpg'
    assert called in Markup(bring(desk, photo).text).text
    assert Path(entries(data)[0].photo).name == called
    sent = {"photo": ("50% %22b%22 %2F%25%0A.jpg", photo.read_bytes())}
    record = desk.post("/api/photographs?wait=60", files=sent, headers={"Origin": HOME}).json()
    assert Path(record["photo"]).name == called


def test_what_nobody_keeps_goes_when_it_is_old_or_too_much(desk, data, inbox, monkeypatch):
    taken = desk.app.state.service.uploads
    old, kept, new = (take(taken, inbox / name) for name in ("fine.jpg", "unknown.jpg", "changed.jpg"))
    taken.keep(kept.sha256)
    for upload in (old, kept):
        os.utime(upload.path.parent.parent, (0, 0))
    take(taken, inbox / "genuine.jpg")
    assert [upload.path.exists() for upload in (old, kept, new)] == [False, True, True]
    monkeypatch.setattr(uploads, "MOST", 1)
    os.utime(new.path.parent.parent, (time.time() - 60, time.time() - 60))
    last = take(taken, inbox / "genuine.jpg")
    assert not new.path.exists() and kept.path.exists() and not last.path.exists()


def take(taken, photo: Path):
    with photo.open("rb") as file:
        return taken.take(file, photo.name)


def test_a_desk_that_closes_waits_for_what_is_being_judged(data, inbox):
    """Else its reader would end first, and the photograph would be recorded as damaged."""
    before = len(entries(data))
    with open_desk(data) as desk:
        files = [("photo", (name, (inbox / name).read_bytes())) for name in ("fine.jpg", "changed.jpg")]
        send(desk, "/photographs", files=files)
    assert all(entry.outcome in ("consistent", "divergent") for entry in entries(data)[: len(entries(data)) - before])


def test_a_page_that_is_filled_as_the_job_ends_still_asks_again(desk, inbox, monkeypatch):
    """Else it would show nothing, and never read itself again."""
    answer = bring(desk, inbox / "fine.jpg")
    job = desk.app.state.service.jobs.get(str(answer.url).partition("job=")[2])
    made = photographs._card(desk.app.state.service, SimpleNamespace(is_over=False, result=job.result, state="running"))
    assert not made.is_over and not made.photographs
    monkeypatch.setattr(photographs, "_card", lambda desk, job: Card(job, False, 0, (), ()))
    assert "hx-get" in desk.get(str(answer.url)).text


def test_whoever_keeps_a_photograph_stops_nobody_else_meanwhile(desk, inbox, monkeypatch):
    """The card is read from the catalogue, which may take long: not in the loop that answers all others."""
    number = str(bring(desk, inbox / "fine.jpg").url).partition("job=")[2]
    sha256 = desk.app.state.service.jobs.get(number).result.upload.sha256
    secret, card, in_loop = csrf_of(desk), photographs._card, []

    def seen(*of):
        in_loop.append(asyncio._get_running_loop() is not None)
        return card(*of)

    monkeypatch.setattr(photographs, "_card", seen)
    form = {"csrf": secret, "sha256": sha256}
    answer = desk.post(f"/photographs/{number}/keep", data=form, headers={"hx-request": "true"})
    assert answer.text.count("Kept on this machine") == 1 and in_loop == [False]


def test_nothing_is_sent_and_nothing_is_judged(desk, data):
    before = len(entries(data))
    answer = send(desk, "/photographs")
    assert answer.status_code == 422 and "No photograph was sent" in answer.text
    assert len(entries(data)) == before


def test_a_job_that_is_forgotten_says_where_its_verdict_is(desk):
    answer = desk.get("/photographs?job=gone")
    assert answer.status_code == 404 and "recorded" in answer.text


def test_more_than_can_wait_is_refused_with_a_time_and_nothing_is_lost(desk, inbox, monkeypatch):
    jobs = desk.app.state.service.jobs
    monkeypatch.setattr(jobs, "_most", 0)
    secret = csrf_of(desk)
    files = [("photo", ("a.jpg", (inbox / "fine.jpg").read_bytes()))]
    answer = desk.post("/photographs", data={"csrf": secret}, files=files)
    assert answer.status_code == 503 and int(answer.headers["retry-after"]) > 0
    monkeypatch.undo()
    assert "consistent" in bring(desk, inbox / "fine.jpg").text


def test_photographs_that_are_refused_are_judged_none_of_them(desk, data, inbox, monkeypatch):
    content = (inbox / "fine.jpg").read_bytes()
    jobs, before = desk.app.state.service.jobs, len(entries(data))
    monkeypatch.setattr(jobs, "_most", 2)
    answer = send(desk, "/photographs", files=[("photo", (f"{n}.jpg", content)) for n in range(3)])
    assert answer.status_code == 503 and not jobs.waiting()
    answer = send(desk, "/photographs", files=[("photo", (f"{n}.jpg", content)) for n in range(WAITING + 1)])
    assert answer.status_code == 422 and "At most" in answer.text
    jobs.submit("what comes last", lambda: None).finished.wait(60)
    assert len(entries(data)) == before


def test_what_had_too_many_pixels_to_be_judged_is_not_read_for_its_picture(data, inbox, monkeypatch):
    monkeypatch.setattr("cli.serve.views.pictures._small_work", None)  # nothing may call it
    with open_desk(data, judging=LookingOptions(max_megapixels=0.001)) as desk:
        bring(desk, inbox / "fine.jpg")
        (entry, *_) = entries(data)
        assert entry.outcome == UNREADABLE and entry.sha256 is not None
        answer = desk.get(f"/verdicts/{entry.number}/picture")
        assert answer.status_code == 404 and "no picture" in answer.text


def test_small_pictures_are_shown_only_of_the_very_file(desk, data, inbox, tmp_path):
    bring(desk, inbox / "fine.jpg")
    (entry, *_) = entries(data)
    address = f"/verdicts/{entry.number}/picture"
    assert desk.get(address).headers["content-type"] == "image/jpeg"
    Path(entry.photo).write_bytes((inbox / "unknown.jpg").read_bytes())
    answer = desk.get(f"{address}?side=96")
    assert answer.status_code == 404 and "has changed" in answer.text
    assert desk.get(f"{address}?side=9999").status_code == 422


def small(data: Path) -> list[Path]:
    return sorted((data / "desk/cache/small").glob("??/*"))


DROPPED = """bytes => {
    const held = new DataTransfer();
    held.items.add(new File([new Uint8Array(bytes)], "changed.jpg", {type: "image/jpeg"}));
    document.querySelector(".drop").dispatchEvent(new DragEvent("drop", {dataTransfer: held, bubbles: true}));
}"""


@pytest.mark.slow
def test_in_a_browser_a_photograph_is_dropped_and_its_outcome_seen(data, inbox, chromium):
    with serving(data) as served, opened(chromium) as page:
        page.goto(served.address)
        page.evaluate(DROPPED, list((inbox / "changed.jpg").read_bytes()))
        page.wait_for_selector("article.work")
        assert page.inner_text(".badge").endswith("divergent")
        for picture in page.locator("article.work > figure img").all():
            expect(picture).not_to_have_js_property("naturalWidth", 0)


@pytest.mark.slow
def test_in_a_browser_what_is_chosen_is_judged_once_and_as_the_fields_say(data, inbox, chromium):
    before = len(entries(data))
    with serving(data) as served, opened(chromium) as page:
        page.goto(served.address)
        page.set_input_files("#photo", inbox / "fine.jpg")
        page.click("details summary")
        page.fill("#object", "04")
        page.dblclick("button.main")
        page.wait_for_selector("article.work")
        page.go_back()
        expect(page.locator("button.main")).to_be_enabled()
    made = entries(data)[: len(entries(data)) - before]
    assert [entry.asked for entry in made] == ["04"]
