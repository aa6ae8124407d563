"""A desk on a data folder that cannot be written: everything is shown, nothing is changed, and each page says so."""

import os
from pathlib import Path

import pytest

from tests.conftest import data_files
from tests.serve.conftest import csrf_of, open_desk, send

PAGES = ("/", "/queue", "/objects", "/objects/05", "/verdicts/2", "/verdicts/2/picture", "/screenings", "/about")
RECORDS = ("/api/status", "/api/review", "/api/verdicts", "/api/verdicts/2", "/api/objects/05", "/api/screenings")


@pytest.fixture
def sealed(data, monkeypatch) -> Path:
    """The data folder, which this process may only read."""
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode, **more: mode != os.W_OK and access(path, mode, **more))
    return data


def test_all_is_shown_and_nothing_is_written(sealed, inbox):
    before = data_files(sealed)
    with open_desk(sealed) as desk:
        for path in (*PAGES, *RECORDS):
            assert desk.get(path).status_code == 200, path
        assert "cannot be written" in desk.get("/").text
        secret = csrf_of(desk)
        for path, form in (("/verdicts/2/decide", {"decision": "accept"}), ("/reviews/undo", {"first": 1, "last": 1})):
            answer = desk.post(path, data={"csrf": secret, "name": "Anna", "seen": "0", **form})
            assert answer.status_code in (409, 422, 503) and "cannot be written" in answer.text, path
        files = [("photo", ("fine.jpg", (inbox / "fine.jpg").read_bytes()))]
        answer = send(desk, "/photographs", files=files)
        assert answer.status_code == 409 and "cannot be written" in answer.text
        answer = desk.post("/api/photographs", files=files, headers={"origin": "http://127.0.0.1:8765"})
        assert answer.status_code == 409 and "cannot be written" in answer.json()["error"]
    written = {name: content for name, content in data_files(sealed).items() if name not in before}
    assert {
        name for name in written if not name.startswith("desk/")
    } == set()  # there the test may write, root as it is
    assert {name: data_files(sealed)[name] for name in before} == before
