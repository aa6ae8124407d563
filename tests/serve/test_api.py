"""The desk for programs says what the command line says, keeps what is decided, and is what its description says."""

import json
import re
import shlex
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis.errors import Unsatisfiable
from jsonschema import Draft202012Validator
from schemathesis.checks import CHECKS
from schemathesis.generation import GenerationMode

from cli.serve.api.description import OPERATIONS, description
from cli.serve.api.routes import ROUTES
from cli.serve.settings import Role, Token, digest_of
from retrieval.verdicts.log import VerdictLog
from tests.serve.conftest import FORGERY, HOME, ROOT, STOLEN, Served, artifact, open_desk, serving
from tests.serve.test_objects import ODD, add

LOOKER, DECIDER = "viewer-token-0123456789", "reviewer-token-0123456789"
AS_JSON = {"Content-Type": "application/json"}
TOKENS = (Token(digest_of(LOOKER), Role.VIEWER, ""), Token(digest_of(DECIDER), Role.REVIEWER, "Anna"))


def said(data: Path, *arguments: object) -> object:
    """Return what the command line says in JSON."""
    return json.loads(artifact(*arguments, "--data", data, "--format", "json"))


def got(client, path: str, status: int = 200, **more) -> object:
    answer = client.get(f"/api/{path}", **more)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def pages(client, path: str) -> list:
    """Return all records from a first page on, by the addresses in `Link`."""
    found, address = [], f"/api/{path}"
    while address:
        answer = client.get(address)
        assert answer.status_code == 200, answer.text
        found.append(answer.json())
        address = answer.links["next"]["url"] if "next" in answer.links else ""
    return found


def decide(client, number: int, **body) -> object:
    return client.post(f"/api/verdicts/{number}/reviews", json={"seen": None, "name": "Ben"} | body)


@pytest.mark.parametrize(
    ("path", "command"),
    [
        ("verdicts", ["verdicts", "-n", 1000]),
        ("verdicts?limit=3", ["verdicts", "-n", 3]),
        ("verdicts?outcome=divergent", ["verdicts", "--outcome", "divergent"]),
        ("verdicts?photo=stolen", ["verdicts", "--photo", "stolen"]),
        ("verdicts/1", ["verdict", 1]),
        ("review", ["review", "--all"]),
        ("objects", ["list"]),
        ("objects?search=two+sisters", ["list", "--search", "two sisters"]),
        ("objects?search=stolen", ["list", "--search", "stolen"]),
        (f"objects/{STOLEN}", ["show", STOLEN]),
        (f"object?id={FORGERY}", ["show", FORGERY]),
        ("status", ["status"]),
    ],
)
def test_it_says_what_the_command_line_says(desk, data, path, command):
    expected = said(data, *command)
    assert got(desk, path) == expected and expected


def test_verdicts_on_an_object_are_those_of_its_page(desk):
    found = got(desk, f"verdicts?object={STOLEN}")
    assert found and all(STOLEN in (item["object_id"], item["alert_object"]) for item in found)
    assert [item for item in found if item["outcome"] == "consistent"] == got(
        desk, f"verdicts?object={STOLEN}&outcome=consistent"
    )


@pytest.mark.parametrize("path", ["verdicts", "review", "objects", "objects?search=o"])
def test_pages_follow_each_other(desk, path):
    whole = got(desk, path)
    two = pages(desk, f"{path}{'&' if '?' in path else '?'}limit=2")
    assert (
        [item for page in two for item in page] == whole and len(whole) > 1 and {len(page) for page in two[:-1]} <= {2}
    )


def test_a_photograph_is_judged_as_by_a_query(desk, data, inbox):
    expected = said(data, "query", inbox / "wall.jpg", "-k", 5)
    sent = {"photo": ("wall.jpg", (inbox / "wall.jpg").read_bytes(), "image/jpeg")}
    form = desk.post("/api/photographs?wait=60", files=sent)
    raw = desk.post(
        "/api/photographs?wait=60&name=wall.jpg", content=(inbox / "wall.jpg").read_bytes(),
        headers={"Content-Type": "image/jpeg"},
    )  # fmt: skip
    for answer in (form, raw):
        assert answer.status_code == 200, answer.text
        record = answer.json()
        assert Path(record["photo"]).name == "wall.jpg" and len(record["verdicts"]) == 2
        for found, wanted in zip(record["works"], expected["works"], strict=True):
            assert (found["outcome"], found["alert"]) == (wanted["outcome"], wanted["alert"])
            near = [match["object_id"] for match in wanted["matches"]]
            assert [match["object_id"] for match in found["matches"]] == near
    assert set(record) == set(expected)


def test_a_photograph_that_takes_longer_is_asked_for_later(desk, inbox):
    answer = desk.post("/api/photographs?wait=0", files={"photo": ("a.jpg", (inbox / "fine.jpg").read_bytes())})
    assert answer.status_code == 202 and answer.headers["retry-after"]
    address = answer.headers["location"]
    assert answer.json()["at"] == address
    until = time.monotonic() + 60
    while desk.get(address).status_code == 202 and time.monotonic() < until:
        time.sleep(0.1)
    assert desk.get(address).json()["works"][0]["matches"][0]["object_id"] == "05"
    assert got(desk, "photographs/nothing", 404)["error"]


def test_one_object_is_asked_for_and_what_is_no_photograph_is_said(desk, inbox):
    fine = {"photo": ("a.jpg", (inbox / "fine.jpg").read_bytes())}
    assert desk.post("/api/photographs?object=nine", files=fine).status_code == 404
    asked = desk.post("/api/photographs?object=04&wait=60", files=fine).json()
    assert [match["object_id"] for match in asked["works"][0]["matches"]] == ["04"]
    broken = desk.post("/api/photographs?wait=60", files={"photo": ("b.jpg", b"\xff\xd8\xff")}).json()
    assert broken["error"] and broken["works"] == []
    assert desk.post("/api/photographs", files={"other": ("a.jpg", b"x")}).status_code == 422
    assert desk.post("/api/photographs", content=b"", headers={"Content-Type": "image/jpeg"}).status_code == 422
    assert desk.post("/api/photographs", content=b"x", headers={"Content-Type": "text/plain"}).status_code == 415
    assert desk.post("/api/photographs", content=b"x").status_code == 415
    bad = {"Content-Type": "multipart/form-data; boundary=x"}
    assert desk.post("/api/photographs", content=b"no form", headers=bad).status_code in (400, 422)


def test_decisions_are_kept_and_seen_by_the_command_line(desk, data):
    number = got(desk, "review")[0]["number"]
    answer = decide(desk, number, decision="overrule", outcome="consistent", object_id="05", reason="cleaned")
    assert answer.status_code == 201, answer.text
    assert answer.json() == said(data, "verdict", number) == got(desk, f"verdicts/{number}")
    (kept,) = answer.json()["reviews"]
    assert (kept["name"], kept["outcome"], kept["object_id"]) == ("Ben", "consistent", "05")
    assert number not in [item["number"] for item in got(desk, "review")]


def test_a_decision_that_is_sent_twice_is_kept_and_stands_in_the_diary_once(desk, data):
    number = got(desk, "review")[0]["number"]
    answers = [decide(desk, number, decision="accept", name="Ann") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201] and len(answers[1].json()["reviews"]) == 1
    assert (data / "desk/diary.jsonl").read_text().count('"decided"') == 1


def test_the_second_to_decide_is_told_of_the_first(desk):
    number = got(desk, "review")[0]["number"]
    first = decide(desk, number, decision="accept", name="Ann")
    second = decide(desk, number, decision="accept")
    assert (first.status_code, second.status_code) == (201, 409)
    assert "Ann decided" in second.json()["error"] and decide(desk, number, decision="accept", name="Ann").is_success
    seen = got(desk, f"verdicts/{number}")["reviews"][-1]["number"]
    again = decide(desk, number, decision="overrule", outcome="inconclusive", reason="blurred", seen=seen)
    assert again.status_code == 201 and len(again.json()["reviews"]) == 2


def test_of_many_decisions_at_once_one_is_kept(desk, data):
    number = got(desk, "review")[0]["number"]
    answers = []

    def accept(name: str) -> None:
        answers.append(decide(desk, number, decision="accept", name=name).status_code)

    threads = [threading.Thread(target=accept, args=[f"P{row}"]) for row in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [201] + [409] * 7
    assert len(got(desk, f"verdicts/{number}")["reviews"]) == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"decision": "perhaps"}, 422),
        ({"decision": "accept", "name": None}, 422),
        ({"decision": "accept", "name": " "}, 422),
        ({"decision": "accept", "outcome": "no-match"}, 422),
        ({"decision": "overrule"}, 422),
        ({"decision": "overrule", "outcome": "fake", "reason": "x"}, 422),
        ({"decision": "overrule", "outcome": "no-match"}, 422),
        ({"decision": "overrule", "outcome": "consistent", "object_id": "nine", "reason": "x"}, 404),
        ({"decision": "accept", "seen": True}, 422),
        ({"decision": "accept", "colour": "red"}, 422),
        ({"decision": "accept", "reason": "\ud800"}, 400),
    ],
)
def test_what_is_no_decision_is_said_and_not_kept(desk, data, body, status):
    number = got(desk, "verdicts?outcome=divergent")[0]["number"]
    body = json.dumps({"seen": None, "name": "Ben"} | body)
    answer = desk.post(f"/api/verdicts/{number}/reviews", content=body, headers=AS_JSON)
    assert (answer.status_code, list(answer.json())) == (status, ["error"]), answer.text
    assert got(desk, f"verdicts/{number}")["reviews"] == []


def test_a_verdict_or_an_object_that_there_is_not_is_said(desk):
    for path in ("verdicts/999", f"verdicts/{10**30}", "verdicts/x", "objects/nine", "object?id=nine", "nothing"):
        assert got(desk, path, 404)["error"]
    assert decide(desk, 999, decision="accept").status_code == 404
    assert desk.post("/api/verdicts/1/reviews", content=b"{", headers=AS_JSON).status_code == 400
    assert desk.post("/api/verdicts/1/reviews", data={"decision": "accept"}).status_code == 415
    assert desk.delete("/api/verdicts/1").status_code == 405
    for query in ("limit=0", "limit=x", "limit=9999", "before=-1", "outcome=fake"):
        assert got(desk, f"verdicts?{query}", 422)["error"]


def test_any_id_has_an_address(desk, data):
    add(data, *ODD)
    for object_id in ODD:
        assert got(desk, "object", params={"id": object_id})["object_id"] == object_id
    ids = [item["object_id"] for page in pages(desk, "objects?limit=4") for item in page]
    assert len(ids) == 9 + len(ODD) == len(set(ids))


def test_only_a_token_lets_in_and_a_viewer_decides_nothing(data):
    with open_desk(data, host="0.0.0.0", tokens=TOKENS) as desk:
        assert got(desk, "verdicts", 401)["error"]
        look, do = ({"Authorization": f"Bearer {token}"} for token in (LOOKER, DECIDER))
        number = got(desk, "review", headers=look)[0]["number"]
        path, body = f"/api/verdicts/{number}/reviews", {"decision": "accept", "seen": None, "name": "Nobody"}
        assert desk.post(path, json=body, headers=look).status_code == 403
        kept = desk.post(path, json=body, headers=do)
        assert kept.json()["reviews"][-1]["name"] == "Anna"


def test_a_page_of_another_site_decides_nothing_and_a_cookie_alone_does_not_suffice(desk, data, inbox):
    desk.get("/")  # the browser has a cookie from now on
    photo = {"photo": ("a.jpg", (inbox / "fine.jpg").read_bytes())}
    with VerdictLog.reading(data) as log:
        before = len(log.entries())
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {}):
        answer = desk.post("/api/photographs", files=photo, headers=headers)
        assert answer.status_code == 403 and answer.json()["error"]
        assert desk.post("/api/verdicts/1/reviews", json={"decision": "accept"}, headers=headers).status_code == 403
    with VerdictLog.reading(data) as log:
        assert len(log.entries()) == before
    for headers in ({"Origin": HOME}, {"X-CSRF-Token": "1"}):
        assert desk.post("/api/photographs?wait=60", files=photo, headers=headers).status_code == 200


def test_a_catalogue_without_verdicts_has_none(data):
    for file in data.glob("verdicts.db*"):
        file.unlink()
    with open_desk(data) as desk:
        assert got(desk, "verdicts") == got(desk, "review") == []
        assert got(desk, "verdicts/1", 404)["error"]


def test_the_description_has_every_address_and_is_sound(desk):
    described = got(desk, "openapi.json")
    addresses = {
        (method, route.path.replace(":path", "").replace(":int", "").lower())
        for route in ROUTES
        for method in route.methods - {"HEAD"}
    }
    shown = {(operation.method.upper(), operation.path.lower()) for operation in OPERATIONS}
    assert addresses - shown == {("GET", "/api/openapi.json")} and shown <= addresses
    for shape in described["components"]["schemas"].values():
        Draft202012Validator.check_schema(shape)
    assert described["paths"] == json.loads(json.dumps(description()["paths"]))


def documented() -> list[str]:
    """Return the commands that the documentation shows."""
    text = (ROOT / "docs/api.md").read_text("utf-8").replace("\\\n", " ")
    return [line for block in re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S) for line in block.splitlines()]


@pytest.mark.slow
def test_every_command_of_the_documentation_works(data, inbox, tmp_path):
    here = {"1984.12": "05", "durer+1498": "hafen+ost"}  # what stands for what in this catalogue
    shutil.copyfile(inbox / "fine.jpg", tmp_path / "photo.jpg")
    described = description()["paths"]
    asked = set()
    with serving(data) as served:
        for command in documented():
            for shown, meant in (here | {"http://127.0.0.1:8765": served.address}).items():
                command = command.replace(shown, meant)
            name, *words = shlex.split(command)
            assert name == "curl"
            result = subprocess.run(
                ["curl", "-w", "\n%{http_code}", *words], cwd=tmp_path, capture_output=True, text=True, check=True
            )
            body, _, status = result.stdout.rpartition("\n")
            assert status in ("200", "201"), (command, result.stdout)
            assert json.loads(body) or "verdicts?" in command or "screenings" in command, command
            asked.add(re.search(r"/api/[a-z.]+", command)[0])
    assert asked >= {re.match(r"/api/[a-z]+", path)[0] for path in described}


@pytest.fixture(scope="module")
def server(works, tmp_path_factory) -> Iterator[Served]:
    """A server on a copy of the catalogue, for all that the description can think of."""
    with serving(shutil.copytree(works / "data", tmp_path_factory.mktemp("described") / "data")) as served:
        yield served


NAMES = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
@pytest.mark.parametrize("name", [operation.name for operation in OPERATIONS])
def test_the_desk_is_what_its_description_says(server, name, mode):
    """Requests made from the description, sound and unsound ones: no other status or shape, and no error of ours."""
    schema = schemathesis.openapi.from_url(f"{server.address}/api/openapi.json")
    operation = schema.find_operation_by_id(name)
    checks = [CHECKS.get_one(check) for check in NAMES]
    answers = []

    @given(case=operation.as_strategy(generation_mode=mode))
    @hypothesis_settings(
        max_examples=15, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    def run(case):
        answers.append(case.call_and_validate(checks=checks).status_code)

    try:
        run()
    except Unsatisfiable:  # a path without parameters has no unsound ones
        assert mode is GenerationMode.NEGATIVE
    assert server.process.poll() is None and (answers or mode is GenerationMode.NEGATIVE)
