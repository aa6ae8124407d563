"""The HTML report, on records made by hand: order, escaping, pictures, bars, and nothing from outside."""

import base64
import hashlib
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from cli.output import UNREADABLE, outcomes
from cli.report import SIGNS, bar, render_html, thumbnail
from retrieval.catalogue import Catalogue, Changes, Photo
from retrieval.decision import Outcome
from tests.page import Page

HOSTILE = "<script>alert(1)</script>\"'&amp;\u202egpj.\udcff.jpg"
REMARK = "provisional thresholds, not calibrated on labelled photographs: match at 5% false matches from 30 objects"


def picture(path: Path, colour: str = "teal", size: tuple[int, int] = (300, 200)) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def match(object_id: str = "7", exemplar: object = "gone.png", distance: float = 0.3, **changed: Any) -> dict[str, Any]:
    return {
        "rank": 1,
        "object_id": object_id,
        "exemplar": str(exemplar),
        "distance": distance,
        "match_threshold": 0.8,
        "authenticity_threshold": 0.4,
    } | changed


def work(outcome: str, *matches: dict[str, Any], region: Sequence[int] = (0, 0, 300, 200)) -> dict[str, Any]:
    reasons = [f"a reason for {outcome}", REMARK]
    return {"region": list(region), "outcome": outcome, "reasons": reasons, "matches": list(matches)}


def record(photo: object, *works: dict[str, Any], sha256: str | None = None, error: str | None = None) -> Any:
    return {
        "schema": "artifact/1",
        "photo": str(photo),
        "sha256": sha256,
        "works": list(works),
        "encoder": "net-0123abcd",
        "revision": 5,
        "calibration": None,
        "error": error,
    }


def ignore(done: int, total: int) -> None:
    pass


def render(
    records: list[Any], folder: Path, data: Path | None = None, on_progress: Callable[[int, int], None] = ignore
) -> str:
    counts = Counter(outcome for found in records for outcome in outcomes(found))
    data = data or folder / "no catalogue"
    page = "".join(render_html(lambda: iter(records), counts, folder=folder, data=data, on_progress=on_progress))
    page.encode()  # no lone surrogate is left
    Page(page)
    return page


def catalogue(data: Path, *photos: Photo, **metadata: str) -> Path:
    with Catalogue.writing(data) as opened:
        opened.apply(Changes(put=photos, metadata={photo.object_id: metadata for photo in photos}))
    return data


def photo_of(object_id: str, file: Path, sha256: str) -> Photo:
    return Photo(object_id, str(file.parent), file.name, sha256, 1, 1, 300, 200)


def test_every_outcome_has_a_sign_and_a_card(tmp_path: Path) -> None:
    assert set(SIGNS) == {*Outcome, UNREADABLE}
    assert len(set(SIGNS.values())) == len(SIGNS)
    page = render([], tmp_path)
    cards = page[page.index('<ul class="cards">') : page.index('<p class="guide">')]
    shown = re.findall(
        r'<li class="([\w-]+)"><strong>0</strong>\n<a.*?aria-hidden="true">(.)</span> ([\w-]+)</a>', cards
    )
    assert shown == [(outcome, sign, outcome) for outcome, sign in SIGNS.items()]


def test_entries_follow_what_needs_a_person_and_all_are_there(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    given = ["no-match", "consistent", "unreadable", "divergent", "inconclusive"] * 2
    records = [
        record(tmp_path / f"{i}-{outcome}.png", error="truncated: it ends early")
        if outcome == UNREADABLE
        else record(tmp_path / f"{i}-{outcome}.png", work(outcome, match()))
        for i, outcome in enumerate(given)
    ]
    page = render(records, tmp_path, on_progress=lambda done, total: seen.append((done, total)))
    order = [outcome for outcome in SIGNS for _ in range(2)]
    assert order[::2] == ["divergent", "inconclusive", "unreadable", "consistent", "no-match"]
    assert re.findall(r"<bdi>\d-([\w-]+)\.png</bdi></h3>", page) == order
    assert re.findall(r'<section id="([\w-]+)"', page) == order[::2]
    assert page.count("<h2>divergent: 2</h2>") == 1
    assert page.count("truncated: it ends early") == 2
    assert seen == [(i, 10) for i in range(1, 11)]


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
    assert "<article>" not in page
    assert "authenticity none, match none" in page


@pytest.mark.parametrize("outcome", ["divergent", "consistent", "no-match", "inconclusive", "unreadable"])
def test_text_from_outside_stays_text(tmp_path: Path, outcome: str) -> None:
    folder = tmp_path / '<i onclick="x()">'
    if outcome == UNREADABLE:
        found = record(folder / HOSTILE, error=HOSTILE, sha256='"><script>')
    else:
        near = [match(HOSTILE, folder / HOSTILE), match(HOSTILE, "y", 0.6)]
        found = record(folder / HOSTILE, work(outcome, *near), sha256='"><script>')
        found["works"][0]["reasons"] = [HOSTILE]
    found["encoder"] = HOSTILE
    page = Page(render([found], folder))
    assert page.tags["script"] == page.tags["i"] == 0
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert "<script>alert(1)</script>\"'&amp;\ufffdgpj.?.jpg" in page.text
    assert "\u202e" not in page.text


def test_titles_from_the_catalogue_are_shown_and_stay_text(tmp_path: Path) -> None:
    exemplar = tmp_path / "cat" / "7.png"
    photo = photo_of("7", exemplar, picture(exemplar))
    data = catalogue(tmp_path / "data", photo, title="<b>The\n  Reader</b>", maker='A. "Nobody" & Son')
    page = render(
        [record(tmp_path / "p.png", work("consistent", match("7", exemplar), match("8", "x", 0.55)))], tmp_path, data
    )
    assert "&lt;b&gt;The Reader&lt;/b&gt;, A. &quot;Nobody&quot; &amp; Son" in page
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
    found = record(probe, work("consistent", match("7", exemplar)), sha256=picture(probe))
    text = render([found], tmp_path / "in", catalogue(tmp_path / "data", photo))
    page = Page(text)
    sources = [value for _, name, value in page.attributes if name == "src"]
    sizes = [Image.open(io.BytesIO(base64.b64decode(source.split(",")[1]))).size for source in sources]
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
    assert sizes == [(220, 147), (98, 220)]
    rest = re.sub(r'src="data:[^"]+"', "", text).replace("http-equiv", "")
    assert not re.search(r"http|//|url\(|@import|<link|<script|<iframe|<base", rest)
    assert all(value.startswith("#") for _, name, value in page.attributes if name == "href")
    (policy,) = (value for tag, name, value in page.attributes if tag == "meta" and "default-src" in value)
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'unsafe-inline'")


def test_an_unknown_object_is_not_shown_as_a_match(tmp_path: Path) -> None:
    page = render([record(tmp_path / "p.png", work("no-match", match(distance=1.1), match("8", "x", 1.2)))], tmp_path)
    article = page[page.index("<article>") : page.index("</article>")]
    assert "nearest, not a match" in article
    assert '<figure class="aside">' in article
    assert '<p class="object">nearest: <b>' in article


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
        record(changed, work("no-match", match("7", exemplar)), sha256="f" * 64),
    ]
    page = render(records, tmp_path, data)
    assert "<img" not in page
    missing = re.findall(r'<div class="missing">(.*?)</div>', page)
    assert len(missing) == 6
    assert "no such file" in missing[0] and "truncated" in missing[2]
    assert "has changed" in missing[4] and "has changed" in missing[5]


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
    drawn = bar(
        match(distance=distance, match_threshold=match_threshold, authenticity_threshold=authenticity_threshold)
    )
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
    alive: set[int] = set()

    class Followed(dict[str, Any]):
        def __init__(self, found: dict[str, Any]) -> None:
            super().__init__(found)
            alive.add(id(self))

        def __del__(self) -> None:
            alive.discard(id(self))

    def records() -> Iterator[Any]:
        for i in range(200):
            yield Followed(record(tmp_path / f"{i}.png", work("divergent", match(str(i)))))

    counts = {"divergent": 200}
    most = 0
    for _ in render_html(records, counts, folder=tmp_path, data=tmp_path / "none", on_progress=ignore):
        most = max(most, len(alive))
    assert 0 < most < 10


def test_records_are_read_once_an_outcome(tmp_path: Path) -> None:
    reads = 0

    def records() -> Iterator[Any]:
        nonlocal reads
        reads += 1
        yield record(tmp_path / "a.png", work("divergent", match()))

    "".join(render_html(records, {"divergent": 1}, folder=tmp_path, data=tmp_path, on_progress=ignore))
    assert reads <= 1 + len(SIGNS)
