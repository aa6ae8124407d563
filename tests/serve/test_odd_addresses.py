"""Whatever stands in an address, the answer is a page or a sentence, and nothing outside is read."""

import re
from urllib.parse import quote

import pytest
from starlette.routing import Route

from cli.serve.people.guard import UNFORESEEN, Rates
from cli.serve.service import Service
from tests.serve.conftest import open_desk

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
    import shutil

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


@pytest.mark.parametrize("odd", ODD, ids=[ascii(odd)[:30] for odd in ODD])
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
