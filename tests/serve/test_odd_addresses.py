"""Whatever stands in an address, the answer is a page or a sentence, and nothing outside is read."""

import csv
import re
import shutil
from urllib.parse import quote

import pytest
from starlette.routing import Route

from cli.serve.people.guard import UNFORESEEN, Rates
from cli.serve.service import Service
from retrieval.catalogue.catalogue import Catalogue
from retrieval.verdicts.log import VerdictLog
from tests.serve.conftest import artifact, bring, open_desk, send

ODD = [
    "0",
    "-1",
    "9" * 25,
    "9" * 400,
    "..",
    "../../../../etc/passwd",
    "..%2f..%2f..%2fetc%2fpasswd",
    "%00",
    "a%00b",
    "%0d%0aX-Evil: 1",
    "<script>alert(1)</script>",
    "'\"><img src=x onerror=alert(1)>",
    "é" * 300,
    "\u202egpj.exe",
    "%ff%fe",
    " ",
    "*",
    '"',
    "(NEAR AND",
]
SAMPLES = {"int": "1", "str": "x", "path": "x/y"}
EVIL = re.compile(r"<script>alert|<img src=x|root:x:0:0")


@pytest.fixture(scope="module")
def desk(works, tmp_path_factory):
    """A desk that only answers; nothing is judged."""
    data = shutil.copytree(works / "data", tmp_path_factory.mktemp("odd") / "data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Service, "get_ready", lambda self: None)
        patch.setattr(Rates, "allows", lambda self, client: True)
        with open_desk(data, allowed=(works / "inbox",)) as client:
            yield client


def gets(desk) -> list[str]:
    found = [route.path for route in desk.app.routes if isinstance(route, Route) and "GET" in (route.methods or ())]
    assert len(found) > 25
    return [path for path in found if "events" not in path]  # of those that watch: no end


def is_harmless(answer) -> bool:
    """Say whether nothing that was sent comes back as what a browser runs; it takes JSON for nothing else."""
    as_page = answer.headers.get("content-type", "").startswith("text/html")
    assert answer.headers["x-content-type-options"] == "nosniff"
    return not (as_page and EVIL.search(answer.text)) and "root:x:0:0" not in answer.text


def addresses(path: str, odd: str) -> list[str]:
    """Return a path with something odd in each of its parts, one after the other."""
    parts = re.findall(r"\{[^}]*\}", path)
    sound = [SAMPLES[part.strip("{}").partition(":")[2] or "str"] for part in parts]
    made = []
    for at in range(len(parts)):
        address = path
        for part, value in zip(parts, [*sound[:at], odd, *sound[at + 1 :]], strict=True):
            address = address.replace(part, value, 1)
        made.append(address)
    return made


@pytest.mark.parametrize("odd", [*ODD, "9" * 5000], ids=lambda odd: ascii(odd)[:30])
def test_no_address_is_a_mistake_of_the_program(desk, odd):
    sent = odd if "%" in odd else quote(odd)
    for path in gets(desk):
        for address in addresses(path, sent):
            answer = desk.get(address, follow_redirects=False)
            assert answer.status_code < 500 and UNFORESEEN not in answer.text, (address, answer.text)
            assert is_harmless(answer) and "x-evil" not in answer.headers, address
            assert "content-security-policy" in answer.headers, address


NAMES = (
    "text",
    "outcome",
    "alert",
    "sale",
    "house",
    "since",
    "until",
    "least",
    "most",
    "order",
    "q",
    "status",
    "after",
)
NAMES += ("before", "from", "limit", "search", "object", "photo", "side", "job", "next", "id", "page", "wait")


@pytest.mark.parametrize("odd", ODD, ids=[ascii(odd)[:30] for odd in ODD])
def test_no_question_is_a_mistake_of_the_program(desk, odd):
    plain = [path for path in gets(desk) if "{" not in path]
    plain += ["/verdicts/1", "/objects/05", "/verdicts/1/picture", "/api/objects/05"]
    for path in plain:
        answer = desk.get(path, params=dict.fromkeys(NAMES, odd), follow_redirects=False)
        assert answer.status_code < 500 and UNFORESEEN not in answer.text, (path, answer.text)
        assert is_harmless(answer), path
    for name in NAMES:
        for path in ("/queue", "/objects", "/api/verdicts", "/api/objects", "/api/review"):
            answer = desk.get(path, params={name: odd}, follow_redirects=False)
            assert answer.status_code < 500 and UNFORESEEN not in answer.text, (path, name, answer.text)
            assert is_harmless(answer), (path, name)


EVIL_WORDS = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'>"


def test_words_from_outside_are_shown_and_never_run(works, tmp_path):
    """Of lots, of files, of objects, of reviewers and of their reasons, on every page that shows them."""
    data = shutil.copytree(works / "data", tmp_path / "data")
    name = "<script>alert(3)<img src=x>.jpg"
    folder = tmp_path / "lots"
    folder.mkdir()
    shutil.copy(works / "inbox/changed.jpg", folder / name)
    with (folder / "lots.csv").open("w", newline="", encoding="utf-8") as file:
        columns = ("photo", "lot", "title", "sale", "house", "maker", "url", "note")
        csv.writer(file).writerows([columns, (name, *[EVIL_WORDS] * 7)])
    with Catalogue.writing(data) as catalogue:
        catalogue.db.execute("UPDATE objects SET title = ?, maker = ?, status = ?", [EVIL_WORDS] * 3)
        catalogue.db.conn.commit()
    artifact("screen", folder / "lots.csv", "--data", data, "--format", "jsonl", code=None)
    with VerdictLog.reading(data) as log:
        number = log.entries()[0].number
    with open_desk(data) as client:
        client.get("/")
        form = {"decision": "accept", "reason": EVIL_WORDS, "seen": "0"}
        send(client, f"/verdicts/{number}/decide", name=EVIL_WORDS[:70], **form)
        shown = 0
        for path in (
            "/queue",
            f"/verdicts/{number}",
            f"/verdicts/{number}/compare",
            "/objects",
            "/objects/06",
            "/about",
        ):
            answer = client.get(path)
            assert answer.status_code == 200 and is_harmless(answer), path
            shown += "&lt;script&gt;alert" in answer.text or "\\u003cscript" in answer.text
        assert shown >= 4, "the words are shown, as words"
        answer = bring(client, folder / name)
        assert is_harmless(answer) and "&lt;script&gt;" in answer.text
