"""Who gets in, and what another site cannot do."""

import asyncio
import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from starlette.routing import Route

from cli.serve.people import guard
from cli.serve.people.guard import Rates, find_token
from cli.serve.people.invitations import GOOD_FOR, Invitations
from cli.serve.people.refused import Refused
from cli.serve.service import Service
from cli.serve.settings import Role, Token, digest_of, read_tokens
from retrieval.errors import ArtifactError
from tests.serve.conftest import HOME, csrf_of, open_desk, send, settings

ANNA, LOOKS = "anna-" + "a" * 20, "looks-" + "b" * 20
TOKENS = (Token(digest_of(ANNA), Role.REVIEWER, "Anna Berg"), Token(digest_of(LOOKS), Role.VIEWER, ""))


@pytest.fixture
def guarded(data):
    """A client of a desk that asks for tokens; nobody has signed in."""
    with open_desk(data, tokens=TOKENS) as client:
        yield client


def sign_in(client, token: str):
    page = client.get("/sign-in")
    secret = re.search(r'name="csrf" value="([^"]+)"', page.text)[1]
    return client.post("/sign-in", data={"csrf": secret, "token": token, "next": "/"})


def posts(client) -> list[str]:
    """Return every path that takes what is sent, with something in place of its parts."""
    found = [route for route in client.app.routes if isinstance(route, Route) and "POST" in (route.methods or ())]
    assert len(found) > 3
    return [re.sub(r"\{[^}]*\}", "1", route.path) for route in found]


def test_every_answer_has_a_policy_without_unsafe_words(desk):
    for path in ("/", "/static/desk.css", "/nothing-here", "/photographs?job=x"):
        headers = desk.get(path).headers
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"


def test_no_template_has_inline_styles_scripts_or_handlers():
    templates = sorted((Path(guard.__file__).parents[1] / "templates").glob("*.html"))
    assert len(templates) > 5
    for template in templates:
        text = template.read_text("utf-8")
        assert not re.search(r"\sstyle=|\son[a-z]+=|<style|javascript:", text), template.name
        tags = re.findall(r"<script[^>]*>", text)
        assert all("src=" in tag or 'type="application/json"' in tag for tag in tags), template.name


def test_no_page_names_an_address_outside(desk):
    for file in (Path(guard.__file__).parents[1] / "static").glob("*.*"):
        assert not re.search(r"https?://(?!www\.w3\.org)", file.read_text("utf-8")), file.name
    for path in ("/", "/queue", "/objects", "/screenings", "/about"):
        assert not re.search(r"(src|href|action)=\"(https?:)?//", desk.get(path).text), path


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8765", "127.0.0.1:9", "localhost.evil.example:8765", ""]
)
def test_a_name_that_is_not_the_desks_is_refused(desk, host):
    """Else a page of another site could have its name point to this machine, and read what it likes."""
    answer = desk.get("/", headers={"host": host})
    assert answer.status_code == 400 and "answers to no other name" in answer.text


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765", "LOCALHOST:8765", "[::1]:8765"])
def test_the_names_of_this_machine_are_the_desks(desk, host):
    assert desk.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9"},
        {"origin": "https://127.0.0.1:8765"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_nothing_that_another_site_sends_is_done(desk, headers):
    secret = csrf_of(desk)
    for path in posts(desk):
        answer = desk.post(path, data={"csrf": secret, "name": "Mallory"}, headers=headers)
        assert answer.status_code == 403 and "another site" in answer.text, path
    assert "Mallory" not in desk.get("/").text


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_can_link_here_and_not_make_the_desk_work_for_its_pages(desk, site):
    there = {"sec-fetch-site": site}
    assert desk.get("/", headers=there | {"sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}).status_code == 403
    assert desk.get("/", headers=there | {"sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}).status_code == 403
    assert (
        desk.get("/", headers=there | {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}).status_code == 200
    )


def test_every_form_needs_the_secret_of_the_browser(data, inbox):
    with open_desk(data, allowed=(inbox,)) as desk:
        csrf_of(desk)
        for path in [path for path in posts(desk) if not path.startswith("/api")]:
            for secret in ({}, {"csrf": ""}, {"csrf": "wrong"}, {"csrf": "é"}):
                answer = desk.post(path, data=secret, headers={"origin": HOME})
                assert answer.status_code == 403 and "too old" in answer.text, path


def test_a_form_in_odd_letters_is_no_mistake_of_the_program(desk):
    body = b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nA_\r\n--x--\r\n'
    for charset in ("punycode", "undefined", "unicode_escape"):
        kind = f"multipart/form-data; boundary=x; charset={charset}"
        answer = desk.post("/name", content=body, headers={"content-type": kind, "x-csrf-token": csrf_of(desk)})
        assert answer.status_code in (200, 400) and "mistake" not in answer.text, charset
        answer = desk.post("/api/photographs", content=body, headers={"content-type": kind, "origin": HOME})
        assert answer.status_code in (400, 422) and "mistake" not in answer.text, charset


def test_a_secret_of_one_browser_is_none_of_another(data, desk):
    with open_desk(data) as other:
        csrf_of(other)
        assert other.post("/name", data={"csrf": csrf_of(desk), "name": "Eve"}).status_code == 403


def test_reading_changes_nothing(desk, data):
    gets = [route for route in desk.app.routes if isinstance(route, Route) and "POST" not in (route.methods or ())]
    for route in gets:
        assert set(route.methods or ()) <= {"GET", "HEAD"}
    for path in posts(desk):
        assert desk.get(f"{path}?name=Eve&accept=1").status_code in (200, 404, 405), path
    assert "Eve" not in desk.get("/").text


def test_without_a_token_nobody_gets_in(guarded):
    for path in ("/", "/queue", "/objects", "/verdicts/1/picture", "/photographs?job=1"):
        answer = guarded.get(path, follow_redirects=False)
        assert answer.status_code == 303 and answer.headers["location"].startswith("/sign-in"), path
    for path in posts(guarded):
        if not path.startswith(guard.PUBLIC):
            assert guarded.post(path).status_code == 401, path
    assert guarded.get("/api/anything").json() == {"error": "Who are you? Sign in with your token."}
    assert guarded.get("/static/desk.css").status_code == 200


def test_a_token_lets_in_and_says_who_comes(guarded):
    assert "not known" in sign_in(guarded, "wrong" * 9).text
    assert guarded.get("/", follow_redirects=False).status_code == 303
    assert "Anna Berg" in sign_in(guarded, ANNA).text
    assert guarded.get("/", follow_redirects=False).status_code == 200
    cookie = next(cookie for cookie in guarded.cookies.jar if cookie.name == "artifact")
    assert cookie.has_nonstandard_attr("HttpOnly") or cookie.has_nonstandard_attr("httponly")
    assert ANNA not in str(cookie.value)


def test_a_viewer_looks_and_decides_nothing(guarded, inbox):
    sign_in(guarded, LOOKS)
    page = guarded.get("/")
    assert page.status_code == 200 and "viewer" in page.text and 'type="file"' not in page.text
    secret = csrf_of(guarded)
    for path in posts(guarded):
        if path not in guard.FOR_VIEWERS and not path.startswith("/invited/"):
            assert guarded.post(path, data={"csrf": secret}).status_code == 403, path


def test_a_program_comes_with_its_token_in_a_header(guarded):
    answer = guarded.get("/", headers={"authorization": f"Bearer {ANNA}"})
    assert answer.status_code == 200
    assert guarded.get("/", headers={"authorization": "Bearer nothing"}, follow_redirects=False).status_code == 303


def test_a_code_signs_in_at_another_device_once(guarded, data):
    sign_in(guarded, ANNA)
    shown = guarded.post("/phone", data={"csrf": csrf_of(guarded)}).text
    assert "<svg" in shown
    path = re.search(r"http://127\.0\.0\.1:8765(/invited/[\w-]+)", shown)[1]
    guarded.cookies.clear()
    page = guarded.get(path)
    assert page.status_code == 200 and guarded.get("/", follow_redirects=False).status_code == 303
    secret = re.search(r'name="csrf" value="([^"]+)"', page.text)[1]
    assert guarded.post(path, data={"csrf": "wrong"}).status_code == 403
    assert "Anna Berg" in guarded.post(path, data={"csrf": secret}).text
    again = guarded.post(path, data={"csrf": csrf_of(guarded)})
    assert again.status_code == 403 and "was used" in again.text


def test_a_code_is_good_for_minutes_only(monkeypatch):
    invitations = Invitations()
    code = invitations.invite("digest", "Anna")
    then = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: then + GOOD_FOR + 1)
    assert invitations.take(code) is None


def test_whoever_leaves_is_out(guarded):
    sign_in(guarded, ANNA)
    kept = dict(guarded.cookies)
    guarded.post("/sign-out", data={"csrf": csrf_of(guarded)})
    assert guarded.get("/", follow_redirects=False).status_code == 303
    guarded.cookies.clear()
    guarded.cookies.update(kept)  # also where somebody has kept the cookie
    assert guarded.get("/", follow_redirects=False).status_code == 303


def test_a_token_that_was_taken_away_lets_nobody_in_any_more(data):
    with open_desk(data, tokens=TOKENS) as client:
        sign_in(client, ANNA)
        cookies = dict(client.cookies)
    with open_desk(data, tokens=TOKENS[1:]) as client:
        client.cookies.update(cookies)
        assert client.get("/", follow_redirects=False).status_code == 303
    with open_desk(data, tokens=TOKENS) as client:  # and a desk that was only restarted knows its people still
        client.cookies.update(cookies)
        assert client.get("/").status_code == 200


def test_trying_tokens_is_slow(guarded, monkeypatch):
    answers = [sign_in(guarded, f"{number:020}").status_code for number in range(12)]
    assert answers[0] == 403 and answers[-1] == 503


@pytest.mark.parametrize(
    "target", ["//evil.example", "/..//evil.example", "https://evil.example", "\\\\evil", "/\\evil.example", "/a\nb"]
)
def test_signing_in_leads_nowhere_else(guarded, target):
    page = guarded.get("/sign-in", params={"next": target})
    secret = re.search(r'name="csrf" value="([^"]+)"', page.text)[1]
    form = {"csrf": secret, "token": ANNA, "next": target}
    assert guarded.post("/sign-in", data=form, follow_redirects=False).headers["location"] == "/"


def test_more_than_the_limit_is_not_taken(data, inbox):
    with open_desk(data, most_bytes=10_000) as client:
        files = [("photo", ("large.jpg", b"x" * 50_000))]
        secret = csrf_of(client)
        answer = client.post("/photographs", data={"csrf": secret}, files=files)
        assert answer.status_code == 413 and "--max-upload" in answer.text

        def pieces():
            yield from (b"x" * 1000 for _ in range(50))  # without a length in the header

        answer = client.post(
            "/photographs", content=pieces(), headers={"content-type": "multipart/form-data; boundary=a"}
        )
        assert answer.status_code == 413
        assert not list((data / "desk").glob("photographs/**/*.jpg"))


def run_apart(coroutine) -> None:
    """Run a coroutine in a thread of its own: in this one a browser of other tests may have a loop."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, coroutine).result()


def test_what_is_sent_too_slowly_is_given_up():
    async def never():
        await asyncio.sleep(60)

    async def first_part():
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def tried():
        receive = guard._limited(never, 10, 60)
        with pytest.raises(Refused, match="too slowly"):
            await receive()
        assert (await guard._limited(first_part, 10, 60)())["body"] == b"x"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(guard, "SLOWEST", 0.05)
        run_apart(tried())


def test_all_that_is_sent_has_to_come_in_time_not_only_each_part():
    async def drop():
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def tried():
        receive = guard._limited(drop, 10_000, 0.1)
        with pytest.raises(Refused, match="too slowly"):
            for _ in range(100):
                await receive()

    run_apart(tried())


def test_one_client_cannot_take_every_place(data, monkeypatch):
    monkeypatch.setattr(guard, "OF_ONE", 0)
    with open_desk(data) as client:
        answer = client.get("/")
        assert answer.status_code == 503 and answer.headers["retry-after"]


def test_whoever_has_not_signed_in_sends_little(guarded):
    answer = guarded.post("/sign-in", data={"token": "x" * 50_000})
    assert answer.status_code == 413


def test_too_many_requests_are_told_when_to_come_again(desk, monkeypatch):
    monkeypatch.setattr(guard, "time", SimpleNamespace(monotonic=lambda: 0.0))  # all of them in one moment
    statuses = [desk.get("/static/icon.svg") for _ in range(700)]
    late = [answer for answer in statuses if answer.status_code == 503]
    assert late and int(late[0].headers["retry-after"]) > 0
    assert statuses[0].status_code == 200


def test_a_mistake_of_the_program_is_a_sentence_and_a_line_in_the_terminal(desk, monkeypatch, capsys):
    monkeypatch.setattr(Service, "can_write", property(lambda self: 1 / 0), raising=False)
    answer = desk.get("/")
    assert answer.status_code == 500 and guard.UNFORESEEN in answer.text
    assert "unsafe" not in answer.headers["content-security-policy"]
    said = capsys.readouterr().err
    assert said.startswith("artifact: GET /: a mistake of this program, ZeroDivisionError") and said.count("\n") == 1


def test_rates_fill_up_again_and_forget_the_oldest():
    rates = Rates(per_second=1000.0, burst=2.0, most=2)
    assert [rates.allows("a"), rates.allows("a")] == [True, True]
    assert rates.allows("b") and rates.allows("c")
    assert len(rates._left) == 2


def test_the_diary_says_who_did_what(desk, data):
    send(desk, "/name", name="Ms. Berg")
    lines = [json.loads(line) for line in (data / "desk/diary.jsonl").read_text().splitlines()]
    assert (lines[-1]["name"], lines[-1]["did"], lines[-1]["role"]) == ("Ms. Berg", "said their name", "reviewer")


def test_tokens_are_read_from_a_file(tmp_path):
    file = tmp_path / "tokens"
    file.write_text(f"# people\nreviewer {ANNA} Anna Berg\n\nviewer {LOOKS}   # the reading room\n")
    assert read_tokens(file) == TOKENS
    assert find_token(TOKENS, digest_of(LOOKS)) == TOKENS[1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names nobody"),
        ("owner " + ANNA, "begin with viewer or reviewer"),
        ("viewer short", "16 letters"),
        ("viewer", "16 letters"),
    ],
)
def test_a_token_file_that_says_too_little_is_refused(tmp_path, text, said):
    file = tmp_path / "tokens"
    file.write_text(text)
    with pytest.raises(ArtifactError, match=said):
        read_tokens(file)


@pytest.mark.parametrize(
    "more",
    [{"host": "0.0.0.0"}, {"host": "192.168.1.5"}, {"host": "::"}, {"address": "https://desk.example/"}],
)
def test_what_others_can_reach_needs_tokens(data, more):
    with pytest.raises(ArtifactError, match="--token-file"):
        settings(data, **more)
    assert settings(data, tokens=TOKENS, **more).tokens


def test_behind_a_proxy_links_cookies_and_origins_have_its_address(data):
    with open_desk(data, tokens=TOKENS, address="https://desk.example/artifact") as client:
        client.base_url = "https://desk.example"
        client.headers["host"] = "desk.example"
        answer = client.get("/artifact/objects", follow_redirects=False)
        assert answer.headers["location"] == "/artifact/sign-in?next=/objects"
        page = client.get("/artifact/sign-in")
        assert 'href="/artifact/static/desk.css"' in page.text
        cookie = page.headers["set-cookie"]
        assert "path=/artifact;" in cookie and "secure" in cookie
        assert "samesite=lax" in cookie, "else a link from elsewhere comes without it, and signs its reader out"
