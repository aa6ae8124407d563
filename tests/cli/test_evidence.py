"""The evidence as a page and as a picture, on evidence made by hand: what is said, drawn, marked, and never let in."""

import base64
import hashlib
import io
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageColor

from cli.evidence import picture as evidence_picture
from cli.evidence.evidence import Evidence, EvidenceAlert, Origin
from cli.evidence.gather import _alert
from cli.evidence.page import render_evidence
from cli.evidence.picture import draw_evidence
from cli.pictures import strips
from cli.pictures.maps import colours, draw_map, enlarged_part, fitted_picture, scale_end, spread_map, surroundings
from cli.pictures.strips import WIDTH, drawable_text
from retrieval.catalogue.standing import RegisterEntry
from retrieval.catalogue.status_words import Status
from retrieval.comparing.divergence import Divergence, NotCompared, Place
from retrieval.comparing.network import default_description
from retrieval.comparing.overlays import Overlay
from retrieval.comparing.registration import NotRegistered, Registration
from retrieval.errors import UnreadableImage
from retrieval.extras import program_version
from retrieval.finding.finder import IMPLAUSIBLE
from retrieval.finding.match import Again, Match
from retrieval.judging.decision import Basis, Decision
from retrieval.judging.work import Certainty, Work
from retrieval.outcome import Outcome
from retrieval.photographs.photograph import Photograph
from retrieval.statistics.calibration import CalibratedDistance, Calibration, Threshold, Thresholds
from tests.conftest import picture
from tests.page import Page

HOSTILE = "<script>alert(1)</script>\"'&amp;\u202egpj.\udcff.jpg"
SIZE = (400, 300)  # of the exemplar's own pixels; its picture is half as large
LIMIT = 0.4  # of the local distance, with what the global one is weighted to
WEIGHTED = 0.15


def photograph(number: int, name: str, size: tuple[int, int] = SIZE) -> Photograph:
    return Photograph(Path(name), "ab" * 32, *size, picture(number, size=(size[0] // 2, size[1] // 2)))


def local_map() -> np.ndarray:
    """Return a map that is 0.1, 0.6 in the place (10..14, 5..9) of 20 x 20, and unknown in its last two columns."""
    values = np.full((20, 20), 0.1, np.float32)
    values[5:10, 10:15] = 0.6
    values[:, 18:] = np.nan
    return values


def divergence(**changed: Any) -> Divergence:
    values: dict[str, Any] = {
        "global_distance": 0.3,
        "local_distance": 0.6,
        "combined_distance": math.hypot(WEIGHTED, 0.6),
        "limit": LIMIT,
        "detail": 0.02,
        "map": local_map(),
        "compared": 0.9,
        "hidden": 0.03,
        "places": (Place((200, 75, 100, 75), 0.6), Place((0, 0, 40, 30), 0.35)),
        "overlays": (Overlay("plate", (320, 240, 60, 30), 0.015),),
        "homography": np.eye(3),
        "resolved": np.full((20, 20), 0.02, np.float32),
    }
    return Divergence(**(values | changed))


def registration(**changed: Any) -> Registration:
    points = np.random.default_rng(0).uniform(0, SIZE, (90, 2)).astype(np.float32)
    found = Registration(np.eye(3), 90, np.hstack([points, points]), 0.97, 0.71, 0.0009, mirrored=False)
    return replace(found, **changed)


def basis(limit: float | None = LIMIT, *, match: float | None = 0.8, authenticity: float | None = 0.5) -> Basis:
    """Return provisional thresholds, that of the combined distance at this limit of the local one."""
    counts = (301, 299) if match else (6, 6)
    limits = (Threshold(match, 0.05, counts[0]), Threshold(authenticity, 0.05, counts[1]))
    return Basis(Thresholds(*limits, None if limit is None else Threshold(math.hypot(WEIGHTED, limit), 0.05, 170)))


def calibrated() -> Basis:
    calibration = Calibration(
        date="2031-05-06T07:08:09+02:00",
        encoder="net-0123abcd",
        revision=5,
        objects=301,
        sources={"labelled": 0, "exemplars": 52, "simulated": 7},
        copies=0,
        match=Threshold(0.8, 0.01, 299, 0.95),
        combined=CalibratedDistance(Threshold(math.hypot(WEIGHTED, LIMIT), 0.05, 59, 0.95), (0.1, 0.2)),
        whole=CalibratedDistance(Threshold(0.5, 0.05, 59, 0.95), (0.1, 0.2)),
        number=3,
    )
    return Basis(calibration.thresholds, calibration)


def evidence(*, limit: float = LIMIT, **changed: Any) -> Evidence:
    """Return evidence against a registered photograph that diverges, changed."""
    match = Match("1984.12", Path("front.jpg"), 0.3, registration(), divergence(limit=limit))
    exemplar, probe = photograph(1, "front.jpg"), photograph(2, "lot-7.jpg")
    values: dict[str, Any] = {
        "match": replace(match, **changed.pop("matched", {})),
        "decision": Decision(Outcome.DIVERGENT, ("combined distance 0.618 is beyond the threshold",)),
        "basis": basis(limit),
        "probe": probe,
        "exemplar": exemplar,
        "pair": (exemplar.image, probe.image),
        "metadata": {"title": "The Reader", "maker": "A. Nobody", "provenance": "attic"},
        "encoder": "net-0123abcd",
        "revision": 5,
    }
    return Evidence(**(values | changed))


UNREGISTERED = {"registration": NotRegistered("only 4 matching points, 10 are needed"), "divergence": None}
UNTRIED = {"registration": IMPLAUSIBLE, "divergence": None}
UNCOMPARED = {"divergence": NotCompared("only 3% of the exemplar is to be seen on the photograph")}
NO_LOCAL: dict[str, Any] = {"basis": basis(None)}
CASES: dict[str, dict[str, Any]] = {
    "divergent": {},
    "consistent": {"decision": Decision(Outcome.CONSISTENT, ("near",)), "limit": 0.7},
    "unregistered": {"matched": UNREGISTERED, "pair": None, "decision": Decision(Outcome.NO_MATCH, ("far",))},
    "untried": {"matched": UNTRIED, "pair": None, "decision": Decision(Outcome.NO_MATCH, ("far",))},
    "uncompared": {"matched": UNCOMPARED, "decision": Decision(Outcome.CONSISTENT, ("near",))},
    "no thresholds": {"basis": Basis(None), "decision": Decision(Outcome.INCONCLUSIVE, ("index again",))},
    "too few": {"basis": basis(match=None, authenticity=None)},
    "calibrated": {"basis": calibrated()},
    "no local distance": {"matched": {"divergence": NotCompared("this encoder has no local distance")}} | NO_LOCAL,
    "exemplar gone": {"exemplar": UnreadableImage("no such file"), "pair": None},
}


def render(shown: Evidence) -> str:
    text = "".join(render_evidence(shown))
    text.encode()  # no lone surrogate is left
    return text


def words(text: str) -> str:
    """Return what a page says."""
    return " ".join(Page(text).text.split())


def pictures_of(text: str) -> dict[str, Image.Image]:
    """Return the pictures of a page by what they are said to show."""
    found = re.findall(r'<img src="data:image/jpeg;base64,([^"]+)" alt="([^"]*)"', text)
    return {alt: Image.open(io.BytesIO(base64.b64decode(data))) for data, alt in found}


def difference(one: Image.Image, other: Image.Image) -> float:
    """Return the mean absolute difference of two pictures of about one size, in grey levels."""
    return float(np.asarray(ImageChops.difference(one, other.resize(one.size))).mean())


@pytest.mark.parametrize("case", CASES)
def test_every_case_is_a_whole_page_and_a_picture(case: str) -> None:
    shown = evidence(**CASES[case])
    page = Page(render(shown))
    text = " ".join(page.text.split())
    assert page.tags["main"] == page.tags["script"] == 1
    for said in ("lot-7.jpg", "1984.12", str(shown.decision.outcome), *shown.decision.reasons, "The Reader, A. Nobody"):
        assert said in text
    assert "attic" in text and "do not prove" in text
    drawn = draw_evidence(shown)
    assert drawn.width == WIDTH and drawn.mode == "RGB" and 400 < drawn.height < 3000


def test_a_registered_pair_is_judged_by_the_combined_distance() -> None:
    shown = evidence()
    rendered = render(shown)
    page, text = Page(rendered), words(rendered)
    assert shown.judged_by == ("combined distance", math.hypot(WEIGHTED, 0.6), math.hypot(WEIGHTED, LIMIT))
    assert "the combined distance 0.618 to the genuine exemplar is beyond the threshold 0.427" in text
    assert "5% false alarms on 170 genuine pairs" in text
    assert ("svg", "aria-label", "distance 0.618; authenticity threshold 0.427") in page.attributes
    values = {figure.name: figure.value for figure in shown.figures()}
    assert list(values)[:5] == [
        "combined distance",
        "combined threshold",
        "local distance",
        "local limit",
        "global distance",
    ]
    assert list(values.values())[:5] == ["0.618", "0.427", "0.600", "0.400", "0.300"]
    assert shown.remarks == ()
    pictures = pictures_of(rendered)
    assert {"exemplar", "photograph", "map of local distances over the exemplar"} < set(pictures)
    assert difference(pictures["exemplar"], shown.exemplar.image) < 4  # type: ignore[union-attr]
    assert difference(pictures["photograph"], shown.probe.image) < 4


@pytest.mark.parametrize(
    ("case", "remark"),
    [
        ("unregistered", "could not be registered: only 4 matching points, 10 are needed. Nothing was compared"),
        ("untried", "were not registered: its details look like those of no catalogued object. Nothing was compared"),
        ("uncompared", "could not be compared: only 3% of the exemplar is to be seen on the photograph. Nothing was"),
    ],
)
def test_what_was_not_compared_is_judged_by_the_global_distance_and_says_why(case: str, remark: str) -> None:
    shown = evidence(**CASES[case])
    text = render(shown)
    page = Page(text)
    assert shown.judged_by == ("global distance", 0.3, 0.5)
    assert remark in words(text)
    assert ("svg", "aria-label", "distance 0.300; authenticity threshold 0.500; match threshold 0.800") in (
        page.attributes
    )
    assert "map" not in " ".join(pictures_of(text)) and 'class="places"' not in text
    names = " ".join(figure.name for figure in shown.figures())
    assert "local" not in names and "combined" not in names
    assert ('class="frame stage"' in text) == ("Matched points" in words(text)) == (case == "uncompared")


def test_an_alert_stands_above_the_heading_and_the_outcome() -> None:
    said = "This is consistent with a work registered as stolen, 1984.12. Case 7 & 8."
    text = render(evidence(**CASES["consistent"], alert=EvidenceAlert("stolen", said)))
    assert said.replace("&", "&amp;") in text
    assert text.index('role="alert"') < text.index("<h1>") < text.index("consistent</span>")
    assert 'role="alert"' not in render(evidence())


@pytest.mark.parametrize(
    "certainty, words", [(Certainty.CONSISTENT, "is consistent with"), (Certainty.UNDECIDED, "shows")]
)
def test_the_alert_names_the_object_and_the_case_of_the_register(certainty, words) -> None:
    entry = RegisterEntry("9", "stolen", case_number="A-7", authority="Carabinieri TPC")
    decision, match = Decision(Outcome.DIVERGENT, ()), Match("1984.12", Path("front.jpg"), 0.3)
    found = _alert(Work((0, 0, 1, 1), decision, (match,), alert=Status.STOLEN, certainty=certainty, entry=entry))
    assert (
        found is not None and found.status == "stolen" and found.words.startswith(f"This {words} a work registered as")
    )
    assert "stolen, 9" in found.words and found.words.endswith("Case A-7; authority Carabinieri TPC.")
    assert _alert(Work((0, 0, 1, 1), decision, (match,))) is None


def test_without_a_threshold_none_is_invented() -> None:
    shown = evidence(**CASES["no local distance"] | {"basis": Basis(None)})
    said = words(render(shown))
    assert "could not be compared: this encoder has no local distance. Nothing was" in said
    values = {figure.name: figure.value for figure in shown.figures()}
    assert values["match threshold"] == values["authenticity threshold"] == "none"
    assert shown.judged_by == ("global distance", 0.3, None)
    assert "too few for 5% false matches on 6 objects" in words(render(evidence(**CASES["too few"])))
    registered = evidence(**CASES["no thresholds"])
    assert registered.judged_by == ("combined distance", math.hypot(WEIGHTED, 0.6), None)
    assert {figure.value for figure in registered.figures() if "threshold" in figure.name} == {"none"}


def test_calibrated_thresholds_name_the_photographs_that_they_were_set_on() -> None:
    shown = evidence(**CASES["calibrated"])
    said = words(render(shown))
    genuine = "false alarms on 59 objects (52 other exemplars, 7 simulated re-photographs)"
    assert said.count(f"set for 5% {genuine}") == 2 and "set for 1% false matches on 299 objects" in said
    assert "genuine pairs" not in said
    assert shown.judged_by == evidence().judged_by


def test_a_threshold_that_the_calibration_could_not_set_is_not_said_to_be_of_its_photographs() -> None:
    known = calibrated()
    assert known.thresholds is not None
    limits = replace(known.thresholds, combined=Threshold(math.hypot(WEIGHTED, LIMIT), 0.05, 170))
    said = words(render(evidence(basis=replace(known, thresholds=limits))))
    assert "set for 5% false alarms on 170 genuine pairs" in said and "on 170 objects" not in said


def test_small_rates_are_not_rounded_away() -> None:
    known = calibrated()
    assert known.thresholds is not None
    limits = replace(known.thresholds, match=Threshold(0.8, 0.001, 2999, 0.95))
    said = words(render(evidence(basis=replace(known, thresholds=limits))))
    assert "set for 0.1% false matches on 2999" in said


def test_an_exemplar_that_has_gone_leaves_the_figures() -> None:
    shown = evidence(**CASES["exemplar gone"])
    text = render(shown)
    assert "The exemplar cannot be shown: no such file." in words(text)
    assert set(pictures_of(text)) == {"photograph"} and "<image" not in text
    assert "the combined distance 0.618" in shown.verdict and "cannot be shown</div>" in text


@pytest.mark.parametrize("case", ["divergent", "unregistered", "uncompared", "exemplar gone"])
def test_text_from_outside_stays_text(case: str) -> None:
    decision = Decision(Outcome.DIVERGENT, (HOSTILE,))
    given = CASES[case] | {"decision": decision, "encoder": HOSTILE, "metadata": {HOSTILE: HOSTILE, "title": HOSTILE}}
    shown = evidence(**given)
    reasons: dict[str, Any] = {}
    if case == "unregistered":
        reasons["registration"] = NotRegistered(HOSTILE)
    if case == "uncompared":
        reasons["divergence"] = NotCompared(HOSTILE)
    if shown.divergence:
        reasons["divergence"] = divergence(overlays=(Overlay(HOSTILE, (1, 1, 9, 9), 0.1),))
    exemplar = UnreadableImage(HOSTILE) if case == "exemplar gone" else replace(shown.exemplar, path=Path(HOSTILE))  # type: ignore[type-var]
    match = replace(shown.match, object_id=HOSTILE, exemplar=Path(HOSTILE), **reasons)
    shown = replace(shown, match=match, exemplar=exemplar, probe=replace(shown.probe, path=Path(HOSTILE)))
    text = render(shown)
    page = Page(text)
    assert page.tags["script"] == 1
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert "<script>alert(1)<" not in text and "\u202e" not in text
    assert page.text.count("\ufffdgpj") > 8
    draw_evidence(shown)


def test_the_page_asks_for_nothing_and_runs_its_own_script_only() -> None:
    text = render(evidence())
    page = Page(text)
    (policy,) = (value for _, _, value in page.attributes if value.startswith("default-src"))
    script = text[text.index("<script>") + len("<script>") : text.index("</script>")]
    hashed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy.startswith("default-src 'none'; img-src data:; ") and f"script-src 'sha256-{hashed}';" in policy
    rest = re.sub(r'(src|href)="data:image/jpeg[^"]+"', "", text).replace("http-equiv", "").replace("// ", "")
    assert not re.search(r"http|//|url\(|@import|<link|<iframe|<base|srcset", rest)
    assert all(value.startswith("data:image/jpeg;base64,") for _, name, value in page.attributes if name == "href")


def test_the_threshold_is_marked_at_its_place_on_the_scale() -> None:
    for limit, end in ((0.4, 0.612), (0.6, 0.75), (0.1, 0.612)):
        text = render(evidence(limit=limit))
        (side, left) = re.findall(r'<span class="(mark[^"]*)" style="left:([\d.]+)%">threshold', text)[0]
        assert float(left) == pytest.approx(100 * limit / end, abs=0.01)
        assert side == ("mark left" if limit > end / 2 else "mark")  # the words stay within the scale
        assert scale_end(local_map(), limit) == pytest.approx(end)
    assert scale_end(np.array([[-0.1, np.nan]]), 0.4) == 0.5


def test_places_and_overlays_are_outlined_where_they_are() -> None:
    text = render(evidence())
    on_map = text[text.index('<figure class="map">') : text.index('<ol class="places">')]
    boxes = re.findall(
        r'<span class="box (\w+)[^"]*" style="left:(.*?)%;top:(.*?)%;width:(.*?)%;height:(.*?)%"><b>(.*?)</b>', on_map
    )
    assert [(kind, label, *map(float, shares)) for kind, *shares, label in boxes] == [
        ("overlay", "plate", 80.0, 80.0, 15.0, 10.0),
        ("place", "1", 50.0, 25.0, 25.0, 25.0),
        ("place", "2", 0.0, 0.0, 10.0, 10.0),
    ]
    assert "plate 1.5%" in words(on_map[: on_map.index("</figure>") + 9])
    said = words(text)
    assert "1: local distance 0.600, beyond the threshold" in said
    assert "2: local distance 0.350, within the threshold" in said


@pytest.mark.parametrize(
    ("box", "label"),
    [
        ((100, 100, 50, 50), ""),
        ((100, 0, 50, 50), "below"),
        ((100, 0, 50, 300), "inside"),
        ((300, 100, 50, 50), "right"),
        ((300, 0, 50, 50), "right below"),
    ],
)
def test_a_label_lies_where_it_has_room(box: tuple[int, int, int, int], label: str) -> None:
    text = render(evidence(matched={"divergence": divergence(places=(Place(box, 0.5),), overlays=())}))
    assert f'<span class="{f"box place {label}".strip()}" style="left:{box[0] / 4:.2f}%' in text


def test_a_place_is_enlarged_from_both_pictures_and_outlined_in_them() -> None:
    shown = evidence()
    text = render(shown)
    around = surroundings((200, 75, 100, 75), SIZE)
    assert around == (150, 12, 200, 200)
    places = text[text.index('<ol class="places">') :]
    found = re.findall(r"left:(.*?)%;top:(.*?)%;width:(.*?)%;height:(.*?)%", places)[0]
    expected = [length / 2 for length in (50, 63, 100, 75)]
    assert [float(share) for share in found] == pytest.approx(expected, abs=0.01)
    for name, image in zip(("exemplar", "photograph"), shown.pair or (), strict=True):
        part = image.crop((75, 6, 175, 106))  # of the picture at half the size
        assert difference(pictures_of(text)[f"place 1, {name}"], part) < 8
        assert difference(pictures_of(text)[f"place 2, {name}"], part) > 20


@pytest.mark.parametrize("size", [(400, 300), (333, 1999), (1999, 333), (40, 30)])
def test_what_surrounds_a_place_never_leaves_the_picture(size: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    for _ in range(200):
        x, y = random.integers(0, size)
        width, height = random.integers(1, np.array(size) - (x, y) + 1)
        left, top, side, other = surroundings((int(x), int(y), int(width), int(height)), size)
        assert side == other > 0 and left >= 0 and top >= 0 and left + side <= size[0] and top + side <= size[1]
        image = Image.new("RGB", (int(random.integers(1, 500)), int(random.integers(1, 500))))
        assert enlarged_part(image, (left, top, side, side), size, 20).size == (20, 20)


def test_at_most_six_places_are_shown() -> None:
    places = tuple(Place((10 * n, 10, 10, 10), 0.9 - n / 100) for n in range(9))
    text = render(evidence(matched={"divergence": divergence(places=places)}))
    assert pictures_of(text).keys() >= {f"place {n}, exemplar" for n in range(1, 7)}
    assert "place 7, exemplar" not in pictures_of(text)


@pytest.mark.parametrize(("size", "shape"), [((400, 300), ""), ((1000, 300), "wide"), ((300, 1000), "tall")])
def test_pictures_are_laid_out_by_their_proportions(size: tuple[int, int], shape: str) -> None:
    exemplar = photograph(1, "e.jpg", size)
    text = render(evidence(exemplar=exemplar, pair=(exemplar.image, exemplar.image)))
    assert f'<div class="views {shape}"' in text
    assert f"--ratio:{size[0] / size[1]:.4f}" in text


def test_a_mirrored_photograph_is_said_to_be_turned_back() -> None:
    turned = {"registration": registration(mirrored=True)}
    assert "it was mirrored, and is turned back" in words(render(evidence(matched=turned)))
    assert "mirrored, and" not in words(render(evidence()))


def test_matched_points_are_joined_where_they_are() -> None:
    matched = np.array([[0, 0, 399, 299], [199.5, 149.5, 199.5, 149.5]], np.float32)
    text = render(evidence(matched={"registration": registration(matched=matched, inliers=2)}))
    assert 'viewBox="0 0 1624 600"' in text  # two pictures of 800 x 600 and 24 between them
    assert "M1.0 1.0L1623.0 599.0M400.0 300.0L1224.0 300.0" in text
    assert '<svg x="824" width="800" height="600">' in text and "M0.0 0.0L800.0 0.0L800.0 600.0L0.0 600.0Z" in text
    assert "2 of 2 matched points joined" in text
    assert "30 of 90 matched points joined" in render(evidence())


def test_the_map_is_drawn_to_scale_hatched_and_outlined() -> None:
    ground = Image.new("RGB", (400, 400), "#808080")
    drawn = np.asarray(draw_map(local_map(), ground, LIMIT)).astype(int)
    end = scale_end(local_map(), LIMIT)
    low, high = (np.asarray(colours(np.array(value / end))) for value in (0.1, 0.6))
    veil = (drawn[150, 250] - drawn[30, 30]) / (high - low)
    assert veil == pytest.approx(veil.mean(), abs=0.02) and 0.5 < veil.mean() < 0.9  # one share of each colour
    hatch = drawn[:, 380].sum(axis=1)
    assert len(set(hatch)) == 2 and 0.2 < (hatch == hatch.min()).mean() < 0.5
    assert np.ptp(drawn[20, 370], axis=0) == 0  # grey
    black, white = (drawn == 0).all(axis=2), (drawn == 255).all(axis=2)
    rows, columns = np.nonzero(black | white)
    assert 190 < columns.min() < 206 and 294 < columns.max() < 310 and 90 < rows.min() < 106 and 194 < rows.max() < 210
    inside = spread_map(local_map(), (400, 400)) > LIMIT
    assert not (black & inside).any() and not (white & ~inside).any() and black.sum() > 300 and white.sum() > 300
    calm = np.asarray(draw_map(local_map(), ground, 0.7))
    assert not ((calm == 0).all(axis=2) | (calm == 255).all(axis=2)).any()  # nothing is beyond that


def test_colours_grow_lighter_evenly() -> None:
    light = colours(np.linspace(0, 1, 50)) @ (0.2126, 0.7152, 0.0722)
    assert (np.diff(light) > 0).all() and light[0] < 30 and light[-1] > 200
    assert (colours(np.array([-0.2, 1.7])) == colours(np.array([0.0, 1.0]))).all()


def test_a_map_is_spread_without_the_unknown_leaking_in() -> None:
    values = spread_map(np.array([[0.5, np.nan], [0.5, 0.5]], np.float32), (40, 40))
    assert np.isnan(values[:20, 20:]).all() and not np.isnan(values[20:]).any() and not np.isnan(values[:, :20]).any()
    assert np.nanmax(values) == pytest.approx(0.5) and np.nanmin(values) == pytest.approx(0.5)


@pytest.mark.parametrize(("case", "columns"), [("divergent", 3), ("uncompared", 2), ("unregistered", 2)])
def test_the_picture_holds_the_photographs_and_the_colour_of_the_outcome(case: str, columns: int) -> None:
    shown = evidence(**CASES[case])
    drawn = draw_evidence(shown)
    colour = {"divergent": "#a3211b", "consistent": "#1f653a", "no-match": "#27567f"}[shown.decision.outcome]
    assert drawn.getpixel((45, 65)) == ImageColor.getrgb(colour)
    width = (WIDTH - 80 - 24 * (columns - 1)) // columns
    pixels = np.asarray(drawn.convert("L")).astype(float)
    (first, exact), (second, also) = (
        _top_of(pixels[:, left : left + width], image)
        for left, image in ((40, photograph(1, "").image), (40 + width + 24, photograph(2, "").image))
    )
    assert first == second and exact == also == 0


def _top_of(pixels: np.ndarray, image: Image.Image) -> tuple[int, float]:
    """Return the row at which a picture lies in a column of pixels, and how far it differs from what is there."""
    width = pixels.shape[1]
    wanted = np.asarray(fitted_picture(image, width, 620).convert("L")).astype(float)
    found = [np.abs(pixels[top : top + len(wanted), : wanted.shape[1]] - wanted).mean() for top in range(100, 300)]
    return 100 + int(np.argmin(found)), float(min(found))


def test_the_picture_grows_with_what_it_has_to_say() -> None:
    whole, bare = draw_evidence(evidence()), draw_evidence(evidence(**CASES["unregistered"]))
    long = evidence(metadata={"title": "A long title " * 60})
    assert draw_evidence(long).height > whole.height + 60
    assert whole.height != bare.height


def test_letters_that_the_font_lacks_are_spelt_not_boxes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strips, "FONTS", ())  # Pillow's own font, which knows ASCII
    strips.font.cache_clear()
    try:
        assert drawable_text("Édouard Manet, 1863") == "Edouard Manet, 1863"
        assert drawable_text("王-7") == "\\u738b-7"
        said: list[str] = []
        paragraph = strips.paragraph
        monkeypatch.setattr(
            evidence_picture, "paragraph", lambda text, *a, **b: said.append(text) or paragraph(text, *a, **b)
        )
        draw_evidence(evidence(matched={"object_id": "1984.12"}, metadata={"title": "清明上河圖"}))
        assert any("letters that are not in the font" in text for text in said)
        assert any("1984.12" in text for text in said) and not any("清" in text for text in said)
    finally:
        strips.font.cache_clear()


@pytest.mark.parametrize("text", ["word " * 80, "W" * 300, "", "short"])
def test_text_is_broken_within_its_width_and_none_is_lost(text: str) -> None:
    font = strips.font(20)
    broken = strips.broken_lines(text, font, 300)
    assert all(font.getlength(line) <= 300 for line in broken.split("\n"))
    assert broken.replace("\n", "").replace(" ", "") == text.replace(" ", "")


def test_the_range_of_a_flag_stands_among_the_figures():
    again = (Again("recompressed", 0.48, Outcome.DIVERGENT), Again("cropped", None, Outcome.DIVERGENT))
    shown = evidence(matched={"again": again})
    combined = shown.match.decisive
    (figure,) = [figure for figure in shown.figures() if figure.name == "range"]
    assert figure.value == f"0.480 to {combined:.3f}" and figure.meaning.endswith("recompressed 0.480, cropped none")
    assert not [figure for figure in evidence().figures() if figure.name == "range"]


def test_the_page_says_what_it_was_made_with_and_leads_back() -> None:
    shown = evidence(
        **CASES["calibrated"], exemplar_sha256="cd" * 32, origin=Origin(17, "lot 12, A Harbour", "../today.html")
    )
    page = "".join(render_evidence(shown))
    text = " ".join(Page(page).text.split())
    assert '<a href="../today.html">' in page and "lot 12, A Harbour" in text and "Verdict17" in text.replace(" ", "")
    assert "ab" * 32 in text and "cd" * 32 in text
    assert default_description().fingerprint in text and f"artifact {program_version()}" in text
    assert set(shown.versions) == {"Program", "Encoder", "Comparison network", "Calibration", "Catalogue"}
    assert shown.versions["Calibration"].isdigit()
    assert evidence().versions["Calibration"] == "none, provisional thresholds"
    assert "counter(pages)" in page and "prefers-color-scheme: dark" in page
    assert "the report</a>" not in "".join(render_evidence(evidence()))
