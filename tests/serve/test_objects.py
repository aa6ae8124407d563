"""The catalogue on the desk: browsed, searched, and each object with all that was ever matched to it."""

import json
import re
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import expect

from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.rows import Changes
from retrieval.outcome import Outcome
from retrieval.verdicts.log import VerdictLog
from retrieval.verdicts.reviews import accepting, add_review, overruling
from tests.conftest import exemplar
from tests.page import Page as Markup
from tests.serve.conftest import FORGED, FORGERY, STOLEN, artifact, open_desk, opened, serving

ODD = [
    "a/b",
    "a b",
    "ünï",
    "..",
    ".",
    "a/../b",
    "/slash",
    "a//b",
    "50%",
    "what?",
    "a#b",
    "a&b=c",
    "a\\b",
    "1984.12.",
    "<i>",
    "日本",
]


def shown(client, path: str, *, status: int = 200) -> Markup:
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    return Markup(answer.text)


def links(page: Markup, beginning: str) -> list[str]:
    found = [value for tag, name, value in page.attributes if (tag, name) == ("a", "href")]
    return [value for value in found if value.startswith(beginning)]


def ids(page: Markup) -> list[str]:
    """Return the ids of the objects that a page of the catalogue lists."""
    return [unquote(urlsplit(link).path.removeprefix("/objects/")) for link in links(page, "/objects/")]


def verdicts(page: Markup) -> list[int]:
    """Return the numbers of the verdicts that a page leads to, in order."""
    found = (re.fullmatch(r"/verdicts/(\d+)", link) for link in links(page, "/verdicts/"))
    return list(dict.fromkeys(int(match[1]) for match in found if match))


def add(data, *object_ids: str, **metadata: str) -> None:
    """Put objects into a catalogue that have no file."""
    rows = [exemplar(key, sha256=f"s{key}", path=f"{number}.png") for number, key in enumerate(object_ids)]
    with Catalogue.writing(data) as catalogue:
        catalogue.apply(Changes(put=rows, metadata={key: metadata for key in object_ids}))


def test_all_objects_are_browsed_page_by_page_in_order_and_back(desk, data):
    add(data, *(f"x{number:03}" for number in range(100)))
    with Catalogue.reading(data) as catalogue:
        everything = [item.object_id for item in catalogue.objects()]
    seen, path, backs = [], "/objects", []
    while path:
        page = shown(desk, path)
        seen += ids(page)
        backs += links(page, "/objects?before=")
        path = next(iter(links(page, "/objects?after=")), "")
    assert seen == everything and len(seen) == 109
    assert ids(shown(desk, backs[-1])) == everything[48:96]
    assert ids(shown(desk, backs[0])) == everything[:48]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=oest", []),
        ("q=Ost", ["05"]),
        ("q=hafen", ["05"]),
        ("q=police", [STOLEN]),
        ("q=two+sisters+1984.2", [STOLEN]),
        ("q=%22%27%3B--*", []),
        ("status=stolen", [STOLEN]),
        ("status=known+forgery", [FORGERY]),
        ("q=sisters&status=stolen", [STOLEN]),
        ("q=sisters&status=known+forgery", []),
    ],
)
def test_objects_are_found_by_words_and_status(desk, query, found):
    page = shown(desk, f"/objects?{query}")
    assert ids(page) == found
    assert f"{len(found)} object{'' if len(found) == 1 else 's'}" in page.text


def test_what_is_found_is_what_the_command_line_lists(desk, data):
    words = "known forgery"
    listed = json.loads(artifact("list", "--search", words, "--data", data, "--format", "json"))
    assert ids(shown(desk, f"/objects?q={words}")) == [item["object_id"] for item in listed] != []


def test_a_long_search_is_paged(desk, data):
    add(data, *(f"x{number:03}" for number in range(60)), title="Wave")
    first = shown(desk, "/objects?q=wave")
    (on,) = links(first, "/objects?q=")
    rest = shown(desk, on)
    assert len(ids(first)) == 48 and len(ids(rest)) == 12 and not set(ids(first)) & set(ids(rest))
    assert links(rest, "/objects?q=") == ["/objects?q=wave&from=0"]


def test_an_empty_catalogue_and_an_empty_search_say_what_to_do(desk, data):
    assert "try fewer or shorter words" in " ".join(shown(desk, "/objects?q=zzz").text.split())
    with Catalogue.writing(data) as catalogue:
        catalogue.apply(Changes(gone=[photo.photo_id for photo in catalogue.photos() if photo.photo_id]))
    assert "artifact index FOLDER" in shown(desk, "/objects").text


@pytest.mark.parametrize("query", ["from=x", "from=-1", "from=99999999999", "status=nothing"])
def test_an_address_that_means_nothing_is_said(desk, query):
    assert desk.get(f"/objects?{query}").status_code in (404, 422)


def test_a_page_of_an_object_says_all_that_is_known(desk, data):
    page = shown(desk, f"/objects/{STOLEN}")
    for words in (
        "Two Sisters",
        "Anna Berg",
        "Accession number",
        "1984.2",
        "▲",
        "Stolen",
        "Authority",
        "Police of Bremen",
    ):
        assert words in page.text, words
    assert any("/exemplars/" in value and "side=960" in value for _, name, value in page.attributes if name == "src")
    assert links(shown(desk, f"/objects/{FORGERY}"), "/objects/") == [f"/objects/{FORGED}"]


def test_the_history_of_a_status_is_shown(desk, data):
    for status in ("missing", "recovered 2020", ""):
        with Catalogue.writing(data) as catalogue:
            metadata = {"title": "Two Sisters"} | ({"status": status} if status else {})
            catalogue.apply(Changes(metadata={STOLEN: metadata}))
    text = " ".join(shown(desk, f"/objects/{STOLEN}").text.split())
    for before, after in (("Stolen", "missing"), ("missing", "recovered 2020"), ("recovered 2020", "nothing")):
        assert f"Status {before} {after}" in text


def matched(data, object_id: str) -> list[int]:
    """Return the verdicts that an object's page has to list, worked out by a plain loop."""
    with VerdictLog.reading(data) as log:
        return [
            entry.number
            for entry in log.entries()
            if (entry.object_id == object_id and entry.outcome != "no-match")
            or (entry.alert and entry.alert_object == object_id)
        ]


@pytest.mark.parametrize("object_id", [STOLEN, FORGED, FORGERY, "05", "06", "00"])
def test_every_photograph_ever_matched_is_listed_the_newest_first(desk, data, object_id):
    page = shown(desk, f"/objects/{object_id}")
    listed = verdicts(page)
    assert listed == matched(data, object_id)
    assert listed or "No photograph was matched" in page.text


def test_reviews_are_shown_and_what_a_person_names_counts_as_matched(desk, data):
    number = matched(data, "05")[0]
    with VerdictLog.reading(data) as log:
        add_review(log, accepting(log.entry(number), name="Anna", reason="seen"))
        add_review(
            log, overruling(log.entry(number), Outcome.CONSISTENT, object_id="00", name="Ben", reason="it is 00")
        )
    assert "accept by Anna" in shown(desk, "/objects/05").text
    page = shown(desk, "/objects/00")
    assert "overrule by Ben" in page.text and "it is 00" in page.text and f"/verdicts/{number}" in links(page, "/verd")


def test_many_verdicts_are_paged(desk, data):
    with VerdictLog.reading(data) as log:
        entry = log.entry(matched(data, "05")[0])
        log.add([entry] * 30)
    path, seen = "/objects/05", []
    while path:
        page = shown(desk, path)
        seen += verdicts(page)
        path = next((link for link in links(page, "/objects/05?before=")), "")
    assert seen == matched(data, "05") and len(seen) > 30


def test_a_catalogue_without_verdicts_has_pages_of_objects(data):
    for file in data.glob("verdicts.db*"):
        file.unlink()
    with open_desk(data) as desk:
        assert "No photograph was matched" in shown(desk, "/objects/05").text


def test_an_object_that_there_is_not_is_said_with_the_nearest(desk):
    assert "Did you mean 05" in shown(desk, "/objects/051", status=404).text
    assert shown(desk, "/objects/", status=404) and shown(desk, "/object", status=404)


@pytest.mark.slow
def test_every_id_has_an_address_that_works_in_a_browser(data, chromium):
    add(data, *ODD, title="Odd")
    with serving(data) as served, opened(chromium) as page:
        page.goto(f"{served.address}/objects?q=odd")
        found = page.locator(".objects a").evaluate_all("links => links.map(link => link.href)")
        assert len(found) == len(ODD)
        heads = []
        for link in found:
            page.goto(link)
            heads.append(page.locator("h1 bdi").first.text_content())
        assert sorted(heads) == sorted(ODD)


@pytest.mark.slow
def test_the_list_follows_what_is_typed(data, chromium):
    with serving(data) as served, opened(chromium) as page:
        page.goto(f"{served.address}/objects")
        page.locator("#words").type("hafen", delay=20)
        expect(page.locator(".objects li")).to_have_count(1)
        assert page.url.endswith("q=hafen&status=") and page.locator("#words").input_value() == "hafen"
        page.locator("#words").fill("")
        expect(page.locator(".objects li")).to_have_count(9)
        page.locator("#status").select_option("stolen")
        expect(page.locator(".objects li")).to_have_count(1)
        page.locator(".objects a").click()
        assert page.locator("h1").text_content().startswith(STOLEN)
