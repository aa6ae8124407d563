"""The page of a screening, on records made by hand: order, escaping, pictures, bars, and nothing from outside."""

import base64
import hashlib
import io
import re
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from cli.output.text import plain
from cli.pages import screening_entries as entries
from cli.pages.parts import SIGNS, DistanceBar
from cli.pages.screening import render_screening
from cli.pages.templating import environment
from cli.pictures.thumbnails import thumbnail
from cli.records.artifact_1 import outcomes
from cli.records.triage import ALERTS, Priority
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.rows import Changes, Photo
from retrieval.outcome import UNREADABLE, Outcome
from tests.page import Page
from tests.records import match_record, photograph_record, work_record

HOSTILE = "<script>alert(1)</script>\"'&amp;\u202egpj.\udcff.jpg"
REMARK = "provisional thresholds, not calibrated on labelled photographs: match at 5% false matches from 30 objects"


def picture(path: Path, colour: str = "teal", size: tuple[int, int] = (300, 200)) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def match(object_id: str = "7", exemplar: object = "gone.png", distance: float = 0.3, **changed: Any) -> dict[str, Any]:
    return match_record(object_id, distance, exemplar=str(exemplar), **changed)


def work(
    outcome: str, *matches: dict[str, Any], region: Sequence[int] = (0, 0, 300, 200), **changed: Any
) -> dict[str, Any]:
    reasons = [f"a reason for {outcome}", REMARK]
    return work_record(outcome, *matches, region=list(region), reasons=reasons) | changed


def record(photo: object, *works: dict[str, Any], sha256: str | None = None, **changed: Any) -> Any:
    return photograph_record(photo, *works, sha256=sha256, **changed)


def ignore(done: int, total: int) -> None:
    pass


def render(
    records: list[Any],
    folder: Path,
    data: Path | None = None,
    on_progress: Callable[[int, int], None] = ignore,
    **options: Any,
) -> str:
    counts = Counter(outcome for found in records for outcome in outcomes(found))
    data = data or folder / "no catalogue"
    pieces = render_screening(
        lambda: iter(records), counts, folder=folder, data=data, on_progress=on_progress, **options
    )
    page = "".join(pieces)
    page.encode()  # no lone surrogate is left
    Page(page)
    return page


def catalogue(data: Path, *photos: Photo, **metadata: str) -> Path:
    with Catalogue.writing(data) as opened:
        opened.apply(Changes(put=photos, metadata={photo.object_id: metadata for photo in photos}))
    return data


def photo_of(object_id: str, file: Path, sha256: str) -> Photo:
    return Photo(object_id, str(file.parent), file.name, sha256, 1, 1, 300, 200)


def articles(page: str) -> list[str]:
    return re.findall(r"<article.*?</article>", page, re.DOTALL)


def test_every_outcome_has_a_sign(tmp_path: Path) -> None:
    assert set(SIGNS) == {*Outcome, UNREADABLE}
    assert len(set(SIGNS.values())) == len(SIGNS)


def test_every_priority_has_a_card_with_its_count(tmp_path: Path) -> None:
    given = [record(tmp_path / str(i), work("divergent", match())) for i in range(1200)]
    cards = re.findall(
        r'<li data-rank="([\w-]+)">(<a href="#[\w-]+">|<div>)<strong>([\d,]+)</strong>\n<span class="badge">'
        r'<span aria-hidden="true">(.)</span> ([\w -]+)</span>\n<span class="phrase">([^<]+)</span>',
        render([*given, record(tmp_path / "b", work("consistent", match(), alert="stolen"))], tmp_path),
    )
    counts = {Priority.STOLEN: "1", Priority.DIVERGENT: "1,200"}
    assert cards == [
        (
            rank.slug,
            f'<a href="#{rank.slug}">' if rank in counts else "<div>",
            counts.get(rank, "0"),
            rank.sign,
            rank,
            rank.phrase,
        )
        for rank in Priority
    ]


def test_entries_follow_what_needs_a_person_and_all_are_there(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    given = ["no-match", "consistent", "unreadable", "divergent", "inconclusive"] * 2
    records = [
        record(tmp_path / f"{i}-{outcome}.png", error="truncated: it ends early")
        if outcome == UNREADABLE
        else record(tmp_path / f"{i}-{outcome}.png", work(outcome, match(distance=0.9)))
        for i, outcome in enumerate(given)
    ]
    records.append(record(tmp_path / "10-stolen.png", work("consistent", match(), alert="stolen")))
    page = render(records, tmp_path, on_progress=lambda done, total: seen.append((done, total)))
    order = [
        "stolen",
        *(o for o in ("divergent", "unreadable", "inconclusive", "consistent", "no-match") for _ in "ab"),
    ]
    assert re.findall(r"<bdi>\d+-([\w-]+)\.png</bdi></h3>", page) == order
    assert re.findall(r'<section id="([\w-]+)"', page) == list(dict.fromkeys(order))
    assert re.findall(r"<h2>.*?</span> (\d+) <small>", page) == ["1", "2", "2", "2", "2", "2"]
    assert page.count("truncated: it ends early") == 2
    assert seen == [(i, 11) for i in range(1, 12)]


def test_the_heading_says_what_the_judgements_rest_on(tmp_path: Path) -> None:
    tiny = work("inconclusive", match())
    tiny["reasons"] = ["too small"]
    records = [
        record(tmp_path / "b", error="x"),
        record(tmp_path / "t", tiny),
        record(tmp_path / "a", work("consistent", match())),
    ]
    page = render(records, tmp_path)
    heading = Page(page[page.index("<header>") : page.index("</header>") + 9]).text
    for said in ("net-0123abcd", "revision 5", "authenticity 0.400, match 0.800", f"{REMARK}.", str(tmp_path)):
        assert said in heading
    assert page.count(REMARK) == 1  # above all, not in every entry
    assert page.count("(thresholds are provisional)") == 1


def test_thresholds_without_a_remark_are_still_said(tmp_path: Path) -> None:
    calibrated = work("consistent", match())
    calibrated["reasons"] = ["within"]
    page = render([record(tmp_path / "a", calibrated), record(tmp_path / "b", error="x")], tmp_path)
    assert "authenticity 0.400, match 0.800" in page
    assert "provisional)" not in page


def test_an_empty_screening_is_a_whole_page(tmp_path: Path) -> None:
    page = render([], tmp_path)
    assert "There are no photographs in this folder." in page
    assert not articles(page)
    assert "authenticity none, match none" in page


def everything_from_outside(folder: Path, hostile: str, outcome: str, **changed: Any) -> dict[str, Any]:
    """Return a record in which every text is hostile."""
    near = [match(hostile, folder / hostile), match(hostile, "y", 0.6)]
    changed |= {
        "lot": {hostile: hostile, "sale": hostile, "house": hostile, "maker": hostile, "url": f"javascript:{hostile}"},
        "seen_before": [{"date": hostile, "photo": hostile, "lot": {"lot": hostile}, "verdict": 3, "by": "photo"}],
        "sha256": '"><script>',
        "verdicts": [17],
    }
    if outcome == UNREADABLE:
        claim = {"claimed": hostile, "object_id": None, "work": None, "reason": hostile}
        return record(folder / hostile, error=hostile, **changed, claim=claim)
    forgery = {"object_id": hostile, "exemplar": hostile, "distance": 0.1, "combined": None}
    judged = work(outcome, *near, status=hostile, forgery=forgery, alert=None) | {"reasons": [hostile]}
    claim = {"claimed": hostile, "object_id": hostile, "work": judged, "reason": None}
    return record(folder / hostile, judged, **changed, claim=claim)


@pytest.mark.parametrize("outcome", ["divergent", "consistent", "no-match", "inconclusive", "unreadable"])
def test_text_from_outside_stays_text(tmp_path: Path, outcome: str) -> None:
    folder = tmp_path / '<i onclick="x()">'
    found = everything_from_outside(folder, HOSTILE, outcome) | {"encoder": HOSTILE}
    again = found | {"photo": str(folder / f"2{HOSTILE}"), "same_as": found["photo"]}
    text = render([found, again], folder, evidence=lambda found, index: HOSTILE, reviews=[HOSTILE])
    page, safe = Page(text), "<script>alert(1)</script>\"'&amp;\ufffdgpj.?.jpg"
    assert page.tags["script"] == 1 and page.tags["i"] == 0
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert not [value for _, name, value in page.attributes if name == "href" and "script:" in value]
    assert page.text.count(safe) > 15
    assert "\u202e" not in text and safe not in text
    known = {"class", "id", "data-rank", "data-sale", "data-house", "aria-hidden", "aria-label", "role", "href", "src"}
    known |= {"width", "height", "alt", "x", "y", "x1", "x2", "y1", "y2", "text-anchor", "value", "name", "content"}
    known |= {"hidden", "type", "placeholder", "autocomplete", "spellcheck", "lang", "charset", "http-equiv", "title"}
    assert {name for _, name, _ in page.attributes} <= known


def test_only_the_script_of_the_page_may_run(tmp_path: Path) -> None:
    page = render([], tmp_path)
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    hashed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{hashed}'; base-uri 'none'; form-action 'none'" in page
    assert not re.search(r"innerHTML|insertAdjacent|document\.write|eval|fetch|XMLHttp|import", script)


def test_titles_from_the_catalogue_are_shown_and_stay_text(tmp_path: Path) -> None:
    exemplar = tmp_path / "cat" / "7.png"
    photo = photo_of("7", exemplar, picture(exemplar))
    data = catalogue(tmp_path / "data", photo, title="<b>The\n  Reader</b>", maker='A. "Nobody" & Son')
    page = render(
        [record(tmp_path / "p.png", work("divergent", match("7", exemplar), match("8", "x", 0.55)))], tmp_path, data
    )
    assert "&lt;b&gt;The Reader&lt;/b&gt;, A. &#34;Nobody&#34; &amp; Son" in page
    assert "<li><bdi>8</bdi> 0.550</li>" in page


def test_an_object_that_has_gone_keeps_its_id(tmp_path: Path) -> None:
    exemplar = tmp_path / "cat" / "7.png"
    data = catalogue(tmp_path / "data", photo_of("7", exemplar, picture(exemplar)))
    page = render([record(tmp_path / "p.png", work("divergent", match("1984.12", exemplar)))], tmp_path, data)
    assert "<bdi>1984.12</bdi>" in page
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "catalogue.db").write_bytes(b"not a database" * 100)
    assert "<bdi>7</bdi>" in render(
        [record(tmp_path / "p.png", work("divergent", match()))], tmp_path, tmp_path / "broken"
    )


def test_pictures_are_inside_the_page_and_nothing_else_is_asked_for(tmp_path: Path) -> None:
    exemplar, probe = tmp_path / "cat" / "7.png", tmp_path / "in" / "p.png"
    photo = photo_of("7", exemplar, picture(exemplar, size=(400, 900)))
    found = record(probe, work("divergent", match("7", exemplar)), sha256=picture(probe))
    text = render([found], tmp_path / "in", catalogue(tmp_path / "data", photo))
    page = Page(text)
    sources = [value for _, name, value in page.attributes if name == "src"]
    sizes = [Image.open(io.BytesIO(base64.b64decode(source.split(",")[1]))).size for source in sources]
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
    assert sizes == [(220, 147), (98, 220)]
    rest = re.sub(r'src="data:[^"]+"', "", text).replace("http-equiv", "")
    assert not re.search(r"http|[^\s]//|url\(|@import|<link|<script [^>]|<iframe|<base", rest)
    assert all(value.startswith("#") for _, name, value in page.attributes if name == "href")
    (policy,) = (value for tag, name, value in page.attributes if tag == "meta" and "default-src" in value)
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-")


def test_an_unknown_object_is_one_small_picture_and_not_shown_as_a_match(tmp_path: Path) -> None:
    exemplar, probe = tmp_path / "cat" / "7.png", tmp_path / "p.png"
    data = catalogue(tmp_path / "data", photo_of("7", exemplar, picture(exemplar)))
    unknown = work("no-match", match("7", exemplar, distance=1.1), match("8", "x", 1.2))
    (article,) = articles(render([record(probe, unknown, sha256=picture(probe))], tmp_path, data))
    assert article.startswith('<article class="compact">')
    assert re.findall(r'width="(\d+)" height="(\d+)" alt', article) == [("96", "64")]
    assert "the nearest object is at global distance 1.100, match threshold 0.800</p>" in article
    assert "<svg" not in article and "a reason for" not in article


def test_a_consistent_work_is_compact(tmp_path: Path) -> None:
    (article,) = articles(render([record(tmp_path / "p.png", work("consistent", match(), match("8")))], tmp_path))
    assert article.startswith('<article class="compact">')
    assert article.count("<figure") == 2 and article.count("<svg") == 1
    assert "a reason for" not in article and "next nearest" not in article


def test_an_unknown_object_that_needs_a_person_stays_no_match(tmp_path: Path) -> None:
    claim = {"claimed": "K 7", "object_id": "7", "work": work("divergent", match("7", "7.png", 0.95)), "reason": None}
    found = record(tmp_path / "p.png", work("no-match", match("9", "9.png", 1.1)), claim=claim)
    (article,) = articles(render([found], tmp_path))
    assert re.findall(r"<figcaption>(.*?)</figcaption>", article) == [
        "probe",
        "claimed: <bdi>7.png</bdi>",
    ]
    assert "the nearest object is at global distance 1.100" in article and "<bdi>9" not in article
    assert "claimed to be K 7: not upheld, ! divergent a reason for divergent" in Page(article).text
    assert re.findall(r'aria-label="distance ([\d.]+)', article) == ["0.950"]


def test_a_claim_is_not_said_twice_where_the_work_is_what_it_was_compared_with(tmp_path: Path) -> None:
    same = work("divergent", match("7", "7.png", 0.95))
    claim = {"claimed": "K 7", "object_id": "7", "work": same, "reason": None}
    (article,) = articles(render([record(tmp_path / "p.png", same, claim=claim)], tmp_path))
    assert "claimed to be K 7: not upheld" in Page(article).text
    assert article.count("a reason for divergent") == article.count("<svg") == 1


@pytest.mark.parametrize(
    ("compared", "reason", "section", "said"),
    [
        (work("consistent", match()), None, "consistent", "upheld, ≈ consistent a reason for consistent"),
        (None, "there is no object K 7", "claim-not-upheld", "not verified, there is no object K 7"),
    ],
)
def test_what_became_of_a_claim_is_said(
    tmp_path: Path, compared: Any, reason: str | None, section: str, said: str
) -> None:
    claim = {"claimed": "K 7", "object_id": "7", "work": compared, "reason": reason}
    page = render([record(tmp_path / "p.png", work("consistent", match()), claim=claim)], tmp_path)
    assert f'<section id="{section}"' in page
    assert f"claimed to be K 7: {said}" in Page(articles(page)[0]).text


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_stands_above_everything(tmp_path: Path, alert: Priority) -> None:
    found = record(tmp_path / "p.png", work("consistent", match(), alert=str(alert), status="Stolen, 1990"))
    page = render([found], tmp_path)
    (article,) = articles(page)
    assert re.match(rf'<article class="">\n<p class="alert" data-rank="{alert.slug}"><strong>', article)
    said = (
        "shows a known forgery, 7"
        if alert == "known forgery"
        else f"is consistent with a work registered as {alert}, 7"
    )
    assert f"{alert} This {said}." in Page(article).text
    assert '<span class="status">Stolen, 1990</span>' in article and "≈</span> consistent" in article
    header = Page(page[page.index("<header>") : page.index("</header>") + 9]).text
    assert f"1 alert 1 {alert}" in header and "no alerts" not in header
    assert "no alerts" in render([record(tmp_path / "p.png", work("divergent", match()))], tmp_path)


def test_an_alert_that_is_undecided_says_so_with_the_case(tmp_path: Path) -> None:
    entry = {"object_id": "8", "status": "Stolen", "case_number": "17/03", "theft_date": "2003", "theft_place": "Oslo"}
    entry |= {"authority": "", "contact": "<desk@example.org>"}
    judged = work("divergent", match(), alert="stolen", alert_certainty="undecided", register_entry=entry)
    (article,) = articles(render([record(tmp_path / "p.png", judged)], tmp_path))
    said = (
        "This shows a work registered as stolen, 8; original or copy undecided. Case 17/03; theft 2003, Oslo; contact"
    )
    assert said in Page(article).text and "&lt;desk@example.org&gt;." in article


def test_a_known_forgery_is_said_with_both_distances(tmp_path: Path) -> None:
    places = {"combined": 0.7, "combined_threshold": 0.5, "threshold": 0.5, "places": []}
    forgery = {"object_id": "F 1", "exemplar": "f.png", "distance": 0.12, "combined": 0.21}
    judged = work("divergent", match(divergence=places), alert="known forgery", forgery=forgery)
    (article,) = articles(render([record(tmp_path / "p.png", judged)], tmp_path))
    said = "to the known forgery F 1: distance 0.120, combined 0.210; to 7: distance 0.300, combined 0.700"
    assert said in Page(article).text
    assert "known forgery: <bdi>f.png</bdi>" in article and article.count("<figure") == 3


def test_the_lot_is_shown_and_the_page_can_be_filtered_by_it(tmp_path: Path) -> None:
    lot = {"sale": "May & June", "estimate": "200-300", "lot": "12", "house": "Koller", "url": "https://x.org/?a=1&b=2"}
    records = [
        record(tmp_path / "a.png", work("divergent", match()), lot=lot | {"maker": ""}, verdicts=[41]),
        record(tmp_path / "b.png", work("no-match", match()), lot={"sale": "April"}),
        record(tmp_path / "c.png", error="truncated", lot=None),
    ]
    page = render(records, tmp_path)
    first, last, second = articles(page)
    assert "lot 12 · sale May & June · house Koller · url https://x.org/?a=1&b=2 · estimate 200-300" in Page(first).text
    assert '<a href="https://x.org/?a=1&amp;b=2" rel="noreferrer">' in first and "verdict 41" in first
    assert first.startswith('<article class="" data-sale="May &amp; June" data-house="Koller">')
    assert second.startswith('<article class="compact" data-sale="April">')
    assert last.startswith('<article class="compact bare">')
    assert re.findall(r'<option value="([^"]*)">', page) == ["", "April", "May &amp; June", "", "Koller"]
    assert "<select" not in render(records[2:], tmp_path)


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//x.org", "http://a b", "https://[", "x"]
)
def test_an_address_that_does_not_lead_to_the_web_is_only_text(tmp_path: Path, url: str) -> None:
    (article,) = articles(render([record(tmp_path / "a", work("divergent", match()), lot={"url": url})], tmp_path))
    assert f"url {url}" in Page(article).text and "href" not in article


def test_an_entry_is_headed_by_lot_and_title_and_says_first_what_to_tell_a_client(tmp_path: Path) -> None:
    lot = {"lot": "12", "title": "A Harbour <b>"}
    found = work("divergent", match(distance=0.5))
    (article,) = articles(render([record(tmp_path / "p.png", found, lot=lot)], tmp_path))
    assert "</span> <bdi>lot 12, A Harbour &lt;b&gt;</bdi> <small><bdi>p.png</bdi>" in article
    text = Page(article).text
    assert "It resembles 7, but less than a genuine photograph does." in text
    assert "The global distance 0.500 is beyond its threshold 0.400." in text
    (article,) = articles(render([record(tmp_path / "p.png", work("no-match", match(), match("8")))], tmp_path))
    assert "</span> <bdi>p.png</bdi></h3>" in article


def test_pictures_and_alerts_lead_to_the_evidence_and_the_alerts_above_to_their_section(tmp_path: Path) -> None:
    found = record(tmp_path / "p.png", work("consistent", match(), alert="stolen"))
    page = render([found], tmp_path, evidence=lambda record, index: "day_evidence/1.html")
    (article,) = articles(page)
    assert article.count('<a href="day_evidence/1.html">') == 4  # the alert, two pictures, the word
    assert '<a href="#stolen">1 stolen</a>' in page
    assert "day_evidence" not in render([found], tmp_path)


def test_the_tiles_add_up_to_the_works(tmp_path: Path) -> None:
    given = [
        record(tmp_path / "1", work("consistent", match(), alert="stolen"), work("no-match", match())),
        record(tmp_path / "2", work("divergent", match()), same_as="1"),
        record(tmp_path / "3", error="truncated"),
    ]
    page = render(given, tmp_path)
    cards = page[page.index('<ul class="cards">') : page.index("</ul>", page.index('<ul class="cards">'))]
    assert sum(map(int, re.findall(r"<strong>(\d+)</strong>", cards))) == 4
    assert "Each of the 4 works counts once" in page


def test_what_a_person_decided_is_said(tmp_path: Path) -> None:
    review = {"verdict": 3, "date": "2025-03-01T09:00:00+00:00", "name": "J. Doe", "outcome": "consistent"}
    review |= {"object_id": "7", "reason": "cleaned", "settles": True}
    page = render([record(tmp_path / "p.png", work("divergent", match(), review=review))], tmp_path)
    assert '<section id="decided-before"' in page and '<section id="divergent"' not in page
    assert "reviewed by J. Doe on 2025-03-01, consistent with 7: cleaned" in Page(page).text


def test_what_was_seen_before_is_said(tmp_path: Path) -> None:
    earlier = {
        "date": "2025-03-01T09:00:00+00:00",
        "photo": "/m/1.jpg",
        "lot": {"lot": "9"},
        "verdict": 3,
        "by": "object",
    }
    page = render([record(tmp_path / "p.png", work("consistent", match()), seen_before=[earlier])], tmp_path)
    assert '<section id="seen-before"' in page
    assert '<p class="seen">seen before, this object on 2025-03-01: lot 9, verdict 3</p>' in page


def test_identical_files_are_a_line_beneath_the_first_and_not_drawn_again(tmp_path: Path) -> None:
    def found(name: str, **changed: Any) -> Any:
        return record(tmp_path / name, work("divergent", match()), verdicts=[1], **changed)

    first, copy = str(tmp_path / "a.png"), {"sale": "June", "lot": "7"}
    claim = {"claimed": "9", "object_id": "9", "work": work("divergent", match("9")), "reason": None}
    records = [
        found("a.png"),
        found("b.png"),
        found("c.png", same_as=first, lot=copy),
        found("d.png", same_as=first),
        found("e.png", same_as=first, claim=claim),
    ]
    page = render(records, tmp_path)
    groups = [re.findall(r"<bdi>(\w)\.png</bdi>", re.sub("<figcaption>.*?<", "", each)) for each in articles(page)]
    assert groups == [["a", "c", "d"], ["e", "a"], ["b"]]  # another claim is another thing to look at
    assert page.count("<figure") == 2 + 3 + 2
    assert '<li data-sale="June">the same file: <bdi>c.png</bdi> · lot <b><bdi>7</bdi></b>' in page
    assert "5 photographs, 3 identical files judged once; 5 works" in page


def test_a_page_of_evidence_is_linked_as_a_path(tmp_path: Path) -> None:
    asked: list[tuple[str, int]] = []

    def evidence(found: Any, index: int) -> str | None:
        asked.append((found["photo"], index))
        return "javascript: #1?/\udcff.html" if index else None

    given = [record("a", work("divergent", match()), work("divergent", match())), record("b", error="truncated")]
    page = render(given, tmp_path, evidence=evidence)
    assert re.findall(r'<a href="([^"#]+)">evidence</a>', page) == ["javascript%3A%20%231%3F/%FF.html"]
    assert asked == [("a", 0), ("a", 1)]


def test_the_reviews_so_far_are_summed_up(tmp_path: Path) -> None:
    said = "Reviews so far: 38 accepted, of 40. None is random."
    assert said in render([], tmp_path, reviews=["38 accepted, of 40.", "None is random."])
    assert "Reviews so far" not in render([], tmp_path)


def test_pictures_end_where_a_page_would_grow_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "PICTURED", 2)
    monkeypatch.setattr("cli.pages.screening.PICTURED", 2)
    given = [record(tmp_path / str(i), work("divergent", match())) for i in range(3)]
    page = render(given, tmp_path)
    assert [article.count("<figure") for article in articles(page)] == [2, 2, 0]
    assert "Only the first 2 entries have pictures." in page
    assert "have pictures" not in render(given[:2], tmp_path)


def test_words_that_claim_too_much_are_not_used(tmp_path: Path) -> None:
    page = render([record(tmp_path / "p", work(outcome, match())) for outcome in Outcome], tmp_path)
    assert not re.search(r"\b(fakes?|faked|authentic|original)\b", Page(page).text, re.IGNORECASE)
    for said in ("suspected forgery, copy or alteration", "unknown object", "do not prove", "A person must decide"):
        assert said in " ".join(page.split())


def test_a_file_that_cannot_be_shown_says_why(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.png"
    damaged.write_bytes(b"\x89PNG\r\n\x1a\n damaged")
    changed, exemplar = tmp_path / "changed.png", tmp_path / "cat" / "7.png"
    picture(changed)
    picture(exemplar)
    data = catalogue(tmp_path / "data", photo_of("7", exemplar, "0" * 64))
    records = [
        record(tmp_path / "gone.png", work("divergent", match())),
        record(damaged, work("consistent", match())),
        record(changed, work("inconclusive", match("7", exemplar)), sha256="f" * 64),
    ]
    page = render(records, tmp_path, data)
    assert "<img" not in page
    missing = re.findall(r'<div class="missing">(.*?)</div>', page)
    assert len(missing) == 6
    assert "no such file" in missing[0] and "truncated" in missing[4]
    assert "has changed" in missing[2] and "has changed" in missing[3]


def test_two_works_on_a_photograph_are_two_entries_with_their_own_region(tmp_path: Path) -> None:
    probe = tmp_path / "two.png"
    image = Image.new("RGB", (1200, 600), "red")
    image.paste("blue", (600, 0, 1200, 600))
    image.save(probe)
    works = [work("no-match", match(), region=(0, 0, 590, 600)), work("divergent", match(), region=(610, 0, 590, 600))]
    page = render([record(probe, *works)], tmp_path)
    assert re.findall(r"work (\d) of 2", page) == ["2", "1"]
    colours = []
    for source in re.findall(r'src="data:image/jpeg;base64,([^"]+)"', page):
        shown = Image.open(io.BytesIO(base64.b64decode(source)))
        assert abs(shown.width / shown.height - 590 / 600) < 0.02
        colours.append(shown.getpixel((shown.width // 2, shown.height // 2)))
    assert [colour.index(max(colour)) for colour in colours if isinstance(colour, tuple)] == [2, 0]


@pytest.mark.parametrize("region", [(0, 0, 1, 1), (2999, 1999, 1, 1), (0, 1000, 3000, 1000)])
def test_a_region_at_the_edge_is_not_padded(tmp_path: Path, region: tuple[int, ...]) -> None:
    picture(tmp_path / "white.png", "white", (3000, 2000))
    shown = thumbnail(str(tmp_path / "white.png"), None, region)
    pixels = Image.open(io.BytesIO(base64.b64decode(shown.uri.split(",")[1])))
    assert pixels.size == shown.size
    assert pixels.convert("L").getextrema()[0] > 250  # type: ignore[operator]


def test_a_thumbnail_carries_nothing_of_the_file_but_its_pixels(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x013B] = 6, "secret"  # turned by a quarter; a name
    Image.new("RGB", (300, 200), "teal").save(tmp_path / "turned.jpg", exif=exif)
    shown = thumbnail(str(tmp_path / "turned.jpg"), None)
    data = base64.b64decode(shown.uri.split(",")[1])
    assert shown.size == (147, 220)
    assert b"secret" not in data and not Image.open(io.BytesIO(data)).getexif()


@pytest.mark.parametrize(
    ("distance", "match_threshold", "authenticity_threshold", "end"),
    [
        (0.3, 0.8, 0.4, 0.96),
        (1.5, 0.8, 0.4, 1.8),
        (0.3, 0.5, 0.6, 0.72),
        (1.9, 0.8, 0.4, 2.0),  # no distance is larger
        (0.5, None, 0.6, 0.72),
        (0.5, 0.6, None, 0.72),
        (0.5, None, None, 0.6),
        (0.0, None, None, 1.0),
        (0.0, 0.0, 0.0, 1.0),
    ],
)
def test_a_bar_is_drawn_to_scale(
    distance: float, match_threshold: float | None, authenticity_threshold: float | None, end: float
) -> None:
    bar = DistanceBar(distance, authenticity_threshold, match_threshold)
    drawn = environment().get_template("parts.html").module.bar(bar)
    page = Page(drawn)
    found = {(tag, name): value for tag, name, value in page.attributes if tag == "rect"}
    lines = re.findall(r'<line class="(\w+)" x1="([\d.]+)%" x2="([\d.]+)%"', drawn)
    labels = re.findall(r'<text x="([\d.]+)%"[^>]*>(\w+) ([\d.]+)</text>', drawn)
    known = {"authenticity": authenticity_threshold, "match": match_threshold}
    expected = {name: value for name, value in known.items() if value is not None}
    assert page.text.strip().endswith(f"{end:.2f}")
    assert float(found["rect", "width"].rstrip("%")) == pytest.approx(100 * distance / end, abs=0.01)
    assert {name: float(x) for name, x, _ in lines} == pytest.approx(
        {name: 100 * value / end for name, value in expected.items()}, abs=0.01
    )
    assert {name: float(said) for _, name, said in labels} == expected
    assert [x for x, _, _ in labels] == [x for _, x, _ in lines] == [x2 for _, _, x2 in lines]


def test_records_and_pieces_are_not_kept(tmp_path: Path) -> None:
    count, size = 500, 50_000

    def records() -> Iterator[Any]:
        for i in range(count):
            yield record(tmp_path / f"{i}.png", work("divergent", match(str(i))), extra="x" * size)

    tracemalloc.start()
    pieces = render_screening(
        records, {"divergent": count}, folder=tmp_path, data=tmp_path / "none", on_progress=ignore
    )
    written = sum(piece.count("<article") for piece in pieces)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert written == count
    assert peak < count * size / 5


def test_records_are_read_twice(tmp_path: Path) -> None:
    reads = 0

    def records() -> Iterator[Any]:
        nonlocal reads
        reads += 1
        yield record(tmp_path / "a.png", work("divergent", match()))

    "".join(render_screening(records, {"divergent": 1}, folder=tmp_path, data=tmp_path, on_progress=ignore))
    assert reads == 2


def test_spaces_of_every_width_and_joined_emoji_stay_and_what_turns_or_breaks_a_line_does_not() -> None:
    kept = "du\u00a012 mai, 山水\u3000图, \U0001f468\u200d\U0001f3a8"
    assert plain(kept) == kept
    assert plain("a\u202eb\nc\u2028d\u2066\0") == "a�b�c�d��"


def test_a_page_reads_itself_again_only_while_its_folder_is_watched(tmp_path: Path) -> None:
    found = [record(tmp_path / "p.png", work("consistent", match()))]
    again = '<meta http-equiv="refresh" content="10">'
    assert again in render(found, tmp_path, reload=10.0) and "refresh" not in render(found, tmp_path)
