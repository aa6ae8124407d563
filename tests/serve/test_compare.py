"""Photograph and exemplar are compared in tiles, made once, and every state in which that is not possible is said."""

import json
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from starlette.testclient import TestClient

from cli.pictures.pyramid import read_level
from cli.serve.comparing.comparison import how_much, pyramid_of, remarks_of
from retrieval.comparing.divergence import Place
from retrieval.comparing.registration import NotRegistered
from retrieval.finding.finder import IMPLAUSIBLE
from retrieval.finding.match import Match
from retrieval.verdicts.entry import LogEntry
from retrieval.verdicts.log import VerdictLog
from tests.logs import keep
from tests.pictures import hung, painting
from tests.serve.conftest import artifact, bring, open_desk, opened, serving

SHOWN = re.compile(r'id="comparison">(.*?)</script>', re.DOTALL)


@pytest.fixture(scope="module")
def read(works, tmp_path_factory) -> Path:
    """A copy of the catalogue for all tests that only read; what is compared in one is there in the next."""
    return shutil.copytree(works / "data", tmp_path_factory.mktemp("read") / "data")


@pytest.fixture(scope="module")
def reading(read) -> Iterator[TestClient]:
    """A desk on that copy."""
    with open_desk(read) as client:
        yield client


def entries(data) -> dict[str, LogEntry]:
    """Return the last verdict on each photograph, by its name."""
    with VerdictLog.reading(data) as log:
        return {Path(entry.photo).stem: entry for entry in reversed(log.entries())}


def compared(desk, entry: LogEntry):
    """Return the page that compares, once it is there."""
    until = time.monotonic() + 60
    while True:
        answer = desk.get(f"/verdicts/{entry.number}/compare")
        if 'class="making"' not in answer.text:
            return answer
        assert time.monotonic() < until, "it takes too long"
        time.sleep(0.1)


def told(answer) -> dict:
    """Return what the script of a page is told."""
    found = SHOWN.search(answer.text)
    assert found, answer.text
    return json.loads(found[1])


def folders(desk) -> list[Path]:
    return sorted((desk.app.state.service.cache / "tiles").iterdir())


def test_while_it_is_made_the_page_shows_what_is_quick_and_reads_itself_again(desk, data):
    entry = entries(data)["changed"]
    answer = desk.get(f"/verdicts/{entry.number}/compare")
    assert "being made ready" in answer.text and f"/verdicts/{entry.number}/picture?side=480" in answer.text
    assert 'http-equiv="refresh"' in answer.text  # without scripts
    part = desk.get(f"/verdicts/{entry.number}/compare/progress", headers={"HX-Request": "true"})
    assert "hx-get" in part.text or part.headers["hx-refresh"] == "true"
    compared(desk, entry)
    over = desk.get(f"/verdicts/{entry.number}/compare/progress", headers={"HX-Request": "true"})
    assert over.headers["hx-refresh"] == "true"


def test_the_places_and_all_layers_of_a_photograph_that_diverges(reading, read):
    entry = entries(read)["changed"]
    answer = compared(reading, entry)
    shown = told(answer)
    assert shown["registered"] and set(shown["pictures"]) == {"exemplar", "photograph", "laid", "map"}
    assert shown["full"] == [520, 400] and len(shown["points"]) > 10
    (left, top), _, (right, bottom), _ = shown["places"][0]["quad"]
    assert left < 145 < right and top < 115 < bottom  # the middle of what was painted over
    assert "beyond the threshold" in answer.text and 'data-place="1"' in answer.text
    assert "unsafe-inline" not in answer.headers["content-security-policy"] and 'style="' not in answer.text


def test_its_tiles_are_the_pictures(reading, read, works):
    shown = told(compared(reading, entries(read)["changed"]))
    for name, file in (("exemplar", works / "works/06.png"), ("photograph", works / "inbox/changed.jpg")):
        picture = shown["pictures"][name]
        tile = reading.get(f"/tiles/{picture['key']}/{picture['levels'] - 1}/0/0")
        assert tile.headers["content-type"] == "image/jpeg" and "private" in tile.headers["cache-control"]
        folder = reading.app.state.service.comparisons.tiles.file(picture["key"])
        whole = read_level(folder, pyramid_of(picture | {"suffix": ".jpg"}), picture["levels"] - 1)
        with Image.open(file) as original:
            assert whole.size == original.size
    layer = reading.get(f"/tiles/{shown['pictures']['map']['key']}/0/0/0")
    assert layer.headers["content-type"] == "image/png"


@pytest.mark.parametrize(
    "path", ["x/0/0/0", "../0/0/0", f"{'0' * 32}/0/0/0", f"{'0' * 31}g/0/0/0", f"{'0' * 32}/99999999999999999999/0/0"]
)
def test_no_other_address_has_a_tile(reading, path):
    assert reading.get(f"/tiles/{path}").status_code == 404


def test_made_once_whoever_asks(reading, read):
    compared(reading, entries(read)["changed"])
    before = {folder.name: (folder / "made.json").stat().st_mtime_ns for folder in folders(reading)}
    compared(reading, entries(read)["changed"])
    assert before == {folder.name: (folder / "made.json").stat().st_mtime_ns for folder in folders(reading)}
    assert not reading.app.state.service.comparisons.jobs.waiting()


def test_the_cache_may_be_deleted_at_any_time(desk, data):
    entry = entries(data)["changed"]
    first = told(compared(desk, entry))
    shutil.rmtree(desk.app.state.service.cache)
    key = first["pictures"]["laid"]["key"]
    assert desk.get(f"/tiles/{key}/0/0/0").status_code == 404
    again = told(compared(desk, entry))
    assert again["pictures"] == first["pictures"] and desk.get(f"/tiles/{key}/0/0/0").status_code == 200


def test_another_content_is_not_shown(desk, data, tmp_path):
    photo = tmp_path / "mine.jpg"
    shutil.copy(entries(data)["fine"].photo, photo)
    artifact("query", photo, "--data", data)
    entry = entries(data)["mine"]
    told(compared(desk, entry))
    shutil.copy(entries(data)["changed"].photo, photo)
    answer = compared(desk, entry)
    assert "no longer the same file" in answer.text and not SHOWN.search(answer.text)


def test_a_photograph_that_was_not_kept_is_gone_with_all_its_tiles(data, inbox):
    with open_desk(data) as desk:
        bring(desk, inbox / "fine.jpg")
        entry = entries(data)["fine"]
        shown = told(compared(desk, entry))
        tiles = desk.app.state.service.comparisons.tiles
    assert tiles.find(shown["pictures"]["photograph"]["key"]) is tiles.find(shown["pictures"]["laid"]["key"]) is None
    assert tiles.find(shown["pictures"]["exemplar"]["key"]) is not None
    with open_desk(data) as desk:
        answer = desk.get(f"/verdicts/{entry.number}/compare")
        assert "not kept" in answer.text and "Bring it once more" in answer.text


def test_where_the_photograph_is_gone_the_exemplar_is_shown_alone(desk, data, tmp_path):
    photo = tmp_path / "mine.jpg"
    shutil.copy(entries(data)["fine"].photo, photo)
    artifact("query", photo, "--data", data)
    entry = entries(data)["mine"]
    photo.unlink()
    text = desk.get(f"/verdicts/{entry.number}/compare").text
    assert f"no longer at {photo}. Bring it back" in text
    panes = re.findall(r'<figure class="pane" id="([^"]+)"><div class="view">(<img)?', text)
    assert panes == [("pane-exemplar", "<img")]
    artifact("remove", entry.object_id, "--data", data)
    text = desk.get(f"/verdicts/{entry.number}/compare").text
    assert 'class="pane"' not in text and "no longer at" in text


def test_an_exemplar_that_is_away_is_shown_by_its_working_picture(works, tmp_path):
    shutil.copytree(works / "works", tmp_path / "works")
    artifact("index", tmp_path / "works", "--data", tmp_path / "data")
    artifact("query", works / "inbox/fine.jpg", "--data", tmp_path / "data")
    (tmp_path / "works/05.png").rename(tmp_path / "05.png")
    with open_desk(tmp_path / "data") as desk:
        entry = entries(tmp_path / "data")["fine"]
        answer = compared(desk, entry)
        assert "working picture is shown" in answer.text and told(answer)["registered"]
        (tmp_path / "05.png").rename(tmp_path / "works/05.png")
        assert "working picture" not in compared(desk, entry).text


@pytest.mark.parametrize(
    ("name", "words"), [("broken", "could not be read"), ("unknown", "could not be laid over"), ("stolen", "stolen")]
)
def test_every_other_state_is_said(reading, read, name, words):
    answer = compared(reading, entries(read)[name])
    assert answer.status_code == 200 and words in answer.text


def test_what_was_not_tried_is_not_said_to_have_failed():
    for registration, words in (
        (IMPLAUSIBLE, "The two were not laid over each other: its details look like those of no catalogued object."),
        (None, "The two were not laid over each other: it was not tried."),
        (NotRegistered("only 3 points"), "The two could not be laid over each other: only 3 points."),
    ):
        assert remarks_of(Match("1984.1", Path("a.jpg"), 0.9, registration)) == [f"{words} Each is moved by itself."]


def test_what_is_not_registered_is_side_by_side_only(reading, read):
    answer = compared(reading, entries(read)["unknown"])
    shown = told(answer)
    assert not shown["registered"] and set(shown["pictures"]) == {"exemplar", "photograph"}
    assert "could not be laid over each other" in answer.text and 'value="over"' not in answer.text


def test_what_is_too_small_to_be_compared_place_by_place_is_laid_over_all_the_same(data, tmp_path):
    hung([(painting(5), (250, 180, 170, 131))], size=(700, 500)).save(tmp_path / "small.jpg", quality=95)
    artifact("query", tmp_path / "small.jpg", "--data", data)
    with open_desk(data) as desk:
        answer = compared(desk, entries(data)["small"])
    shown = told(answer)
    assert answer.status_code == 200 and "Nothing was compared place by place" in answer.text
    assert shown["registered"] and set(shown["pictures"]) == {"exemplar", "photograph", "laid"}
    assert 'value="over"' in answer.text and 'name="map"' not in answer.text


def test_a_verdict_that_is_not_there(reading):
    assert reading.get("/verdicts/999999/compare").status_code == 404
    assert reading.get("/verdicts/1/other/progress").status_code == 404


def test_only_what_differs_between_the_files_is_marked(reading, read):
    page = compared(reading, entries(read)["fine"]).text
    rows = dict(re.findall(r'<tr( class="differs")?><th scope="row">([^<]*?)(?: <span|</th>)', page)[::-1])
    marks = {name: bool(mark) for mark, name in re.findall(r'<tr( class="differs")?><th scope="row">([^<]*?) ?<', page)}
    assert marks["SHA-256"] and marks["format"] and not marks["pixels"] and not marks["file"], rows


def test_the_next_verdict_on_the_same_object(data, inbox):
    artifact("query", inbox / "fine.jpg", "--data", data)
    with open_desk(data) as desk:
        entry = entries(data)["fine"]
        assert 'rel="prev"' in compared(desk, entry).text


def test_the_next_verdict_is_on_one_photograph(data):
    entry = entries(data)["changed"]
    with VerdictLog.opened(data) as log:
        parts = json.dumps([entry.number])
        keep(log, "consistent", entry.object_id, sha256="t", condition="close", together=parts)
        last = keep(log, "consistent", entry.object_id, sha256="u", condition="close")
    with open_desk(data) as desk:
        text = desk.get(f"/verdicts/{entry.number}/compare").text
        assert re.findall(r'rel="next" href="([^"]+)"', text) == [f"/verdicts/{last}/compare"]


def test_the_page_of_evidence_under_a_policy_without_unsafe_inline(reading, read):
    entry = entries(read)["changed"]
    until = time.monotonic() + 60
    while "being written" in (answer := reading.get(f"/verdicts/{entry.number}/evidence")).text:
        assert time.monotonic() < until
        time.sleep(0.1)
    assert "Where the two differ most" in answer.text and "data:image/jpeg" in answer.text
    assert "'unsafe-inline'" not in answer.headers["content-security-policy"]
    assert reading.get(f"/verdicts/{entries(read)['broken'].number}/evidence").status_code == 404


def test_a_page_of_evidence_is_written_anew_once_the_catalogue_has_changed(desk, data):
    """It says what the register says of the object, and by which calibration the verdict was made."""
    entry, comparisons = entries(data)["changed"], desk.app.state.service.comparisons
    for gone in ("00", "01"):
        assert comparisons.find_evidence(entry) is None
        comparisons.make_evidence(entry).job.finished.wait(60)
        assert comparisons.find_evidence(entry) is not None
        artifact("remove", gone, "--data", data)


def test_how_much_in_words():
    words = [how_much(Place((0, 0, 1, 1), distance), 0.2) for distance in (0.1, 0.21, 0.5)]
    assert words == ["within what genuine photographs show", "beyond the threshold", "far beyond the threshold"]


@pytest.mark.slow
def test_in_a_browser_zoom_is_kept_between_layers_and_verdicts_and_places_are_jumped_to(data, inbox, chromium):
    artifact("query", inbox / "changed.jpg", "--data", data)
    with serving(data) as served, opened(chromium) as page:
        page.goto(f"{served.address}/verdicts/{entries(data)['changed'].number}/compare")
        page.wait_for_selector("[data-ready]", timeout=60_000)
        page.keyboard.press("1")
        page.wait_for_timeout(400)
        assert page.get_attribute("[data-place='1']", "aria-pressed") == "true"
        view = "JSON.stringify(Object.values(exemplar.read()).map((value) => Number(value.toFixed(2))))"
        near = page.evaluate(view)
        x, y, width = json.loads(near)
        assert abs(x - 145 / 520) < 0.15 and abs(y - 115 / 400) < 0.15 and width > 700
        follows = page.evaluate("photograph.read()")
        assert abs(follows["w"] - width) < 2 and abs(follows["x"] - x) < 0.01
        for key in ("o", "f", "s", "a", "a", "d"):
            page.keyboard.press(key)
            page.wait_for_timeout(350)
            assert page.evaluate(view) == near, key
        page.keyboard.press("o")
        page.focus("#slide")
        before = page.evaluate("exemplar.pictures.laid.getClip().x")
        for _ in range(20):
            page.keyboard.press("ArrowLeft")
        assert page.evaluate("exemplar.pictures.laid.getClip().x") < before
        page.keyboard.press("+")
        page.wait_for_timeout(500)
        assert page.evaluate("exemplar.read().w") == pytest.approx(1.4 * width, rel=0.02)
        nearer = page.evaluate(view)
        page.keyboard.press("p")  # the verdict before, on the same object
        page.wait_for_selector("[data-ready]", timeout=60_000)
        page.wait_for_timeout(400)
        assert page.evaluate(view) == nearer and page.get_attribute("#compare", "data-mode") == "over"


@pytest.mark.slow
def test_in_a_browser_what_was_in_the_cache_is_made_again(data, chromium):
    entry = entries(data)["changed"]
    with serving(data) as served, opened(chromium) as page:
        page.goto(f"{served.address}/verdicts/{entry.number}/compare")
        page.wait_for_selector("[data-ready]", timeout=60_000)
        shutil.rmtree(data / "desk/cache")
        page.reload()
        page.wait_for_selector("[data-ready]", timeout=60_000)
        assert page.evaluate("exemplar.viewer.world.getItemCount()") == 3
