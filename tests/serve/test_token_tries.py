"""Whoever tries tokens in a header is slowed down as at the form, and whoever has one is not."""

import time

import pytest

from cli.serve.settings import Role, Token, digest_of
from tests.serve.conftest import open_desk

KNOWN = "anna-" + "a" * 20


@pytest.fixture
def guarded(data):
    """A client of a desk that asks for tokens."""
    with open_desk(data, tokens=(Token(digest_of(KNOWN), Role.REVIEWER, "Anna Berg"),)) as client:
        yield client


def asked(client, token: str, path: str = "/api/status"):
    return client.get(path, headers={"authorization": f"Bearer {token}"})


@pytest.mark.parametrize("path", ["/api/status", "/static/desk.css"])
def test_trying_tokens_in_a_header_is_slow_and_a_right_one_does_not_show_then(guarded, monkeypatch, path):
    statuses = [asked(guarded, f"{number:020}", path).status_code for number in range(12)]
    assert 503 not in statuses[:10] and statuses[10:] == [503, 503]
    refused = asked(guarded, KNOWN)
    assert refused.status_code == 503 and refused.headers["retry-after"] == "60" and "Too many tries" in refused.text
    assert guarded.get("/sign-in").status_code == 200
    then = time.monotonic()
    monkeypatch.setattr("cli.serve.people.guard.time.monotonic", lambda: then + 60)
    assert asked(guarded, KNOWN).status_code == 200


def test_a_token_that_is_known_is_not_counted(guarded):
    assert {asked(guarded, KNOWN).status_code for _ in range(30)} == {200}
    assert asked(guarded, "wrong" * 9).status_code == 401
