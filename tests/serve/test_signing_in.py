"""What somebody finds who signs in, and how they are known."""

import re
from urllib.parse import urlencode

import pytest

from tests.serve.conftest import csrf_of, open_desk
from tests.serve.test_guard import ANNA, LOOKS, TOKENS, sign_in


@pytest.fixture
def guarded(data):
    """A client of a desk that asks for tokens; nobody has signed in."""
    with open_desk(data, tokens=TOKENS) as client:
        yield client


@pytest.mark.parametrize(
    "wanted",
    [
        "/queue?outcome=divergent&text=caf%C3%A9+%26+b..c&from=50",
        f"/queue?{urlencode({'text': '//evil.example?next=/about#x'})}",
        "/verdicts/1?after=2",
    ],
)
def test_signing_in_leads_to_the_very_page_that_was_asked_for(guarded, wanted):
    page = guarded.get(wanted)
    assert str(page.url.path) == "/sign-in"
    secret, target = (re.search(f'name="{name}" value="([^"]*)"', page.text)[1] for name in ("csrf", "next"))
    form = {"csrf": secret, "token": ANNA, "next": target.replace("&amp;", "&")}
    assert guarded.post("/sign-in", data=form, follow_redirects=False).headers["location"] == wanted


def test_a_name_is_that_of_the_token_or_of_the_session_and_no_header_gives_another(guarded):
    unnamed = {"authorization": f"Bearer {LOOKS}", "x-reviewer": "Mallory"}
    assert "Mallory" not in guarded.get("/", headers=unnamed).text


def test_a_script_that_is_there_already_is_not_sent_again_and_a_page_never_kept(guarded):
    first = guarded.get("/static/desk.css")
    assert first.headers["cache-control"] == "no-cache"  # asked for each time, by its mark
    again = guarded.get("/static/desk.css", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert guarded.get("/sign-in").headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("token", "said"), [(ANNA, "Use the camera of your phone"), (LOOKS, "Sign in at your phone")])
def test_whoever_is_signed_in_is_led_to_sign_in_at_their_phone(guarded, token, said):
    sign_in(guarded, token)
    assert f'<a href="/phone">{said}</a>' in guarded.get("/").text
    assert f"<h1>{said}</h1>" in guarded.get("/phone").text
    assert "<svg" in guarded.post("/phone", data={"csrf": csrf_of(guarded)}).text
