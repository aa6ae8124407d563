"""What the desk says to programs where judging a photograph fails, by a mistake of its own or as was foreseen."""

import threading
import time

import pytest

from cli.serve.people.guard import UNFORESEEN
from retrieval.errors import ArtifactError, StoreAway


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (ZeroDivisionError("oh"), 500, UNFORESEEN),
        (ArtifactError("The file is torn."), 422, "The file is torn."),
        (StoreAway("The store is away."), 503, "The store is away."),
    ],
)
def test_only_what_was_foreseen_is_the_fault_of_who_asks(desk, monkeypatch, capsys, error, status, sentence):
    def judge(*_: object) -> None:
        raise error

    monkeypatch.setattr("cli.serve.api.photographs.judge", judge)
    answer = desk.post("/api/photographs?wait=60&name=a.jpg", content=b"x", headers={"Content-Type": "image/jpeg"})
    assert answer.status_code == status and answer.json() == {"error": sentence}
    assert ("Retry-After" in answer.headers) == (status == 503)
    said = capsys.readouterr().err
    assert said.count("\n") == (status == 500) and ("ZeroDivisionError: oh" in said) == (status == 500)


def test_a_photograph_that_could_not_be_judged_is_not_asked_for_again_and_again(desk, monkeypatch):
    began = threading.Event()

    def judge(*_: object) -> None:
        began.wait(60)
        raise StoreAway("The store is away.")

    monkeypatch.setattr("cli.serve.api.photographs.judge", judge)
    answer = desk.post("/api/photographs?wait=0&name=a.jpg", content=b"x", headers={"Content-Type": "image/jpeg"})
    assert answer.status_code == 202
    began.set()
    until = time.monotonic() + 60
    while (found := desk.get(answer.json()["at"])).status_code == 202 and time.monotonic() < until:
        time.sleep(0.02)
    assert found.status_code == 422 and found.json() == {"error": "The store is away."}
    assert "Retry-After" not in found.headers
