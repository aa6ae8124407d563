"""The page that says what the catalogue is and how far it can be trusted, and the reports that it links."""

import json

import pytest

from tests.page import Page as Markup
from tests.serve.conftest import artifact, open_desk, opened, send, serving

TOKENS = ("r" * 20, "v" * 20)


def test_it_says_what_the_catalogue_holds_as_status_does(desk, data):
    markup = desk.get("/about").text
    shown, plain = Markup(markup).text, markup.replace("<dd>", " ")
    known = json.loads(artifact("status", "--data", data, "--format", "json"))
    assert f"Objects</dt> {known['objects']}</dd>" in plain and f"Revision</dt> {known['revision']} " in plain
    assert known["encoder"]["fingerprint"] in shown
    assert all(folder in shown for folder in known["folders"])
    assert "The thresholds are provisional" in shown and "were set on" not in shown


def test_a_calibration_is_said_in_sentences_and_with_its_figures(data):
    artifact("calibrate", "--yes", "--data", data)
    with open_desk(data) as desk:
        shown = " ".join(Markup(desk.get("/about").text).text.split())
    assert "The thresholds were set on" in shown and "flagged as divergent by mistake" in shown
    assert "only for photographs like those it was measured on" in shown
    assert "calibration 1 of" in shown and "provisional" not in shown.partition("The figures")[0]


def test_reviews_are_told_and_where_there_is_none_the_way_to_the_queue(desk, data):
    assert "Nobody has reviewed a verdict yet" in desk.get("/about").text
    artifact("review", "2", "--accept", "--name", "Anna", "--data", data)
    shown = desk.get("/about").text
    assert "1 verdict reviewed" in shown and "Nobody has reviewed" not in shown


@pytest.mark.slow
def test_reports_in_their_folder_are_listed_and_served_and_nothing_else_is(desk, data, works, tmp_path):
    truth = tmp_path / "truth.csv"
    truth.write_text(f"photo,catalogue_ids\n{works / 'inbox/fine.jpg'},05\n{works / 'inbox/genuine.jpg'},04\n")
    artifact("calibrate", "--yes", "--data", data)
    artifact("evaluate", truth, "--data", data, "--report", data / "reports/evaluation.html")
    (data / "reports/notes.txt").write_text("not a page")
    (data / "reports/away.html").symlink_to(data / "catalogue.db")
    about = desk.get("/about").text
    assert "evaluation.html" in about and "notes.txt" not in about and "away.html" not in about
    answer = desk.get("/reports/evaluation.html")
    assert answer.status_code == 200 and "Evaluation of" in answer.text
    policy = answer.headers["content-security-policy"]
    assert "unsafe-inline" not in policy and "'sha256-" in policy and "script-src" not in policy
    for name in ("notes.txt", "away.html", "..%2fcatalogue.db", "%2e%2e", "nothing.html", "evaluation.html%00"):
        assert desk.get(f"/reports/{name}").status_code == 404, name


def test_a_page_that_somebody_else_put_there_may_run_no_script(desk, data):
    bad = "<!DOCTYPE html><title>x</title><style>p { color: red }</style><script>alert(1)</script><p style='a'>x"
    (data / "reports/bad.html").write_text(bad)
    (data / "reports/empty.html").write_text("")
    policy = desk.get("/reports/bad.html").headers["content-security-policy"]
    assert "script-src" not in policy and "default-src 'none'" in policy and "sandbox" in policy
    assert desk.get("/reports/empty.html").status_code == 404


def test_reviewers_see_who_did_what_and_viewers_do_not(data, tmp_path):
    from cli.serve.settings import Role, Token, digest_of

    tokens = (Token(digest_of(TOKENS[0]), Role.REVIEWER, "Anna"), Token(digest_of(TOKENS[1]), Role.VIEWER, ""))
    with open_desk(data, tokens=tokens) as desk:
        desk.app.state.service.diary.note("Berta <b>", "kept a photograph", role="reviewer", client="", photo="x.jpg")
        with (data / "desk/diary.jsonl").open("a") as file:
            file.write('{"date": "half a li')
        anna = desk.get("/about", headers={"Authorization": f"Bearer {TOKENS[0]}"}).text
        viewer = desk.get("/about", headers={"Authorization": f"Bearer {TOKENS[1]}"}).text
    assert "Berta &lt;b&gt;" in anna and "kept a photograph" in anna and "photo x.jpg" in anna
    assert "Berta" not in viewer and "What it holds" in viewer


def test_a_catalogue_whose_folder_is_away_says_so(desk, data, works):
    send(desk, "/name", name="Anna")
    moved = works.with_name("moved")
    (works / "works").rename(moved)
    try:
        assert "not there now" in desk.get("/about").text
    finally:
        moved.rename(works / "works")


@pytest.mark.slow
def test_in_a_browser_an_evaluation_looks_as_it_is(data, works, chromium, tmp_path):
    truth = tmp_path / "truth.csv"
    truth.write_text(f"photo,catalogue_ids\n{works / 'inbox/fine.jpg'},05\n{works / 'inbox/genuine.jpg'},04\n")
    with serving(data) as served, opened(chromium) as page:
        artifact("calibrate", "--yes", "--data", data)
        artifact("evaluate", truth, "--data", data, "--report", data / "reports/evaluation.html")
        page.goto(f"{served.address}/about")
        page.click("text=evaluation.html")
        page.wait_for_selector("h1")
        assert page.eval_on_selector("h1", "one => getComputedStyle(one).fontSize") != "32px"
        assert page.url.endswith("/reports/evaluation.html")
