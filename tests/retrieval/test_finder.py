"""Several works on one photograph: each is found with its outline, and unknown ones beside them too."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from retrieval.catalogue.catalogue import Catalogue
from retrieval.comparing.divergence import Divergence, diverge
from retrieval.comparing.registration import Registration
from retrieval.encoder.encoder import load_encoder
from retrieval.finding import finder as finding
from retrieval.finding.finder import Finder, FoundWork
from retrieval.finding.frames import bounds, cut_out, outside, overlap, pictures_beside
from retrieval.judging import look as looking
from retrieval.judging.edition import Edition, open_edition
from retrieval.judging.judge import Probe, judge_all
from retrieval.judging.work import Work
from retrieval.photographs.features import CLOSER, Features, features_of, features_of_probe, glance_at
from retrieval.photographs.images import read_photograph
from retrieval.photographs.photograph import Photograph
from tests.bench.pages import page_of
from tests.conftest import index
from tests.pictures import LEFT, MIDDLE, RIGHT, hung, painting, write_paintings


@pytest.fixture(scope="module")
def museum(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("several")
    write_paintings(root / "works", 8)
    index(root / "works", root / "data", encoder=load_encoder(parallel=2))
    return root


@pytest.fixture(scope="module")
def edition(museum) -> Edition:
    return open_edition(museum / "data", parallel=2)


@pytest.fixture(scope="module")
def wall(museum) -> Path:
    pictures = [(painting(5), LEFT), (painting(99), MIDDLE), (painting(2), RIGHT)]
    hung(pictures).save(museum / "wall.jpg", quality=92)
    return museum / "wall.jpg"


def share_of(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """Return intersection over union of two boxes."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    common = max(0, width) * max(0, height)
    return common / (one[2] * one[3] + other[2] * other[3] - common)


def test_each_work_on_a_wall_is_found_where_it_hangs_and_the_unknown_one_is_said(edition, wall):
    (verdict,) = judge_all(edition, [wall], k=3, several=True)
    works = {}
    for work in verdict.works:
        registered = bool(work.matches) and isinstance(work.matches[0].registration, Registration)
        works[work.matches[0].object_id if registered else "unknown"] = work
    assert sorted(works) == ["02", "05", "unknown"]
    for name, box in (("05", LEFT), ("02", RIGHT)):
        assert share_of(works[name].region, box) > 0.9, name
        assert works[name].matches[0].distance < 0.6, "it is looked at by itself, cut out of the photograph"
    assert share_of(works["unknown"].region, MIDDLE) > 0.75
    assert not any(isinstance(match.registration, Registration) for match in works["unknown"].matches)


def test_asked_for_one_work_the_photograph_is_judged_as_a_whole(edition, wall):
    (verdict,) = judge_all(edition, [wall], k=3, several=False)
    (work,) = verdict.works
    assert work.matches[0].object_id in ("02", "05") and work.matches[0].distance > 0.6


def corners(box: tuple[int, int, int, int]) -> np.ndarray:
    x, y, width, height = box
    return np.array([(x, y), (x + width, y), (x + width, y + height), (x, y + height)], float)


def looked_up(
    edition: Edition, path: Path, seen: Features, closer: Features, glance: Features | None = None
) -> list[FoundWork]:
    """Return the works found on a photograph that at first shows only some of its features."""
    photograph = read_photograph(path, short_side=260)
    with Catalogue.reading(edition.data) as catalogue:
        return edition.finder.works(
            glance or features_of(photograph),
            edition.encoder.encode([photograph.image])[0],
            probe=lambda: seen,
            closer=lambda: closer,
            k=3,
            several=True,
            limit=None,
            features_of=catalogue.features,
        )


@pytest.mark.parametrize("seen", [(), (LEFT,), (RIGHT,)])
def test_what_has_votes_and_is_not_registered_is_looked_at_closer(edition, wall, monkeypatch, seen):
    monkeypatch.setattr(finding, "SURE", 1e9)
    closer = features_of_probe(read_photograph(wall, short_side=780), CLOSER)
    first = closer.among(~outside([corners(box) for box in seen], closer.points))
    found = looked_up(edition, wall, first, closer)
    assert sorted(work.matches[0].object_id for work in found) == ["02", "05"]
    unseen = looked_up(edition, wall, first, first)
    assert sum(isinstance(work.matches[0].registration, Registration) for work in unseen) == len(seen)


def test_what_a_glance_takes_for_other_works_is_proposed_by_a_closer_look(edition, wall, monkeypatch):
    monkeypatch.setattr(finding, "VOTED", 1)
    monkeypatch.setattr(finding, "NEAREST", 0)
    closer = features_of_probe(read_photograph(wall, short_side=780), CLOSER)
    other = features_of(read_photograph(edition.exemplars["03"][0].file, short_side=260))
    places = np.random.default_rng(0).uniform((0, 0), closer.size, (len(other), 2)).astype(np.float32)
    misled = Features(places, other.descriptors, closer.size)  # its details are those of a work that is not there
    found = looked_up(edition, wall, misled, closer, misled)
    assert sorted(work.matches[0].object_id for work in found) == ["02", "05"]


def no_look() -> Features:
    pytest.fail("a glance was enough")


def test_a_work_that_a_glance_makes_sure_of_is_not_looked_at_closer(edition):
    photograph = read_photograph(edition.exemplars["03"][0].file, short_side=260)
    glance = glance_at(photograph)
    with Catalogue.reading(edition.data) as catalogue:
        (work,) = edition.finder.works(
            glance,
            edition.encoder.encode([photograph.image])[0],
            probe=no_look,
            closer=no_look,
            k=1,
            several=True,
            limit=None,
            features_of=catalogue.features,
        )
    assert work.matches[0].object_id == "03" and work.matches[0].registered.inliers > finding.SURE
    width, height = photograph.width, photograph.height
    assert overlap(work.outline, corners((0, 0, width, height))) > 0.98
    assert pictures_beside(photograph, glance, [work.outline], closer=no_look) == []


def test_a_picture_in_a_frame_is_what_it_can_be_registered_to(edition, wall):
    photograph = read_photograph(wall, short_side=780)
    features = features_of_probe(photograph, CLOSER)
    with Catalogue.reading(edition.data) as catalogue:
        for box, name in ((LEFT, "05"), (MIDDLE, None), (RIGHT, "02")):
            (vector,) = edition.encoder.encode([cut_out(photograph, corners(box))])
            inside = features.among(~outside([corners(box)], features.points))
            found = edition.finder.framed(corners(box), inside, vector, k=2, features_of=catalogue.features)
            assert [match.object_id for match in found.matches[:1]] == ([name] if name else [])
            assert len(found.matches) == (2 if name else 0)
            assert overlap(found.outline, corners(box)) > 0.95


@pytest.mark.parametrize("number, known", [(3, True), (99, False)])
def test_a_small_picture_on_a_page_is_looked_up_by_itself(edition, tmp_path, monkeypatch, number, known):
    """Where neither the votes nor the embedding of the whole page speak for an object."""
    monkeypatch.setattr("retrieval.finding.finder.PLAUSIBLE", 1e9)
    monkeypatch.setattr("retrieval.judging.look.Look._limit", lambda _: 0.0)
    page = page_of([painting(number), painting(98)], np.random.default_rng(5))
    page.image.save(tmp_path / "page.jpg", quality=92)
    (whole,) = judge_all(edition, [tmp_path / "page.jpg"], k=3, several=False)
    (verdict,) = judge_all(edition, [tmp_path / "page.jpg"], k=3, several=True)
    (alone,) = whole.works
    assert not isinstance(alone.matches[0].registration, Registration)
    if not known:
        assert [work.region for work in verdict.works] == [alone.region]
        return
    first, *others = verdict.works
    assert first.matches[0].object_id == "03" and isinstance(first.matches[0].registration, Registration)
    assert overlap(first.outline, page.outlines[0]) > 0.95
    assert others and all(work.decision.outcome in ("no-match", "inconclusive") for work in others)


def test_a_work_is_found_once_however_many_objects_show_it(museum, edition, tmp_path):
    works = tmp_path / "works"
    write_paintings(works, 4)
    painting(2).resize((300, 260)).save(works / "02-again.png")
    (works / "catalogue.csv").write_text("object_id,status\n02,stolen\n02-again,missing\n")
    index(works, tmp_path / "data", encoder=edition.encoder)
    hung([(painting(2), LEFT), (painting(1), RIGHT)]).save(tmp_path / "wall.jpg", quality=92)
    (verdict,) = judge_all(open_edition(tmp_path / "data"), [tmp_path / "wall.jpg"], k=3, several=True)
    assert len(verdict.works) == 2
    (twice,) = (work for work in verdict.works if work.matches[0].object_id != "01")
    assert {match.object_id for match in twice.matches[:2]} == {"02", "02-again"}
    (verdict,) = judge_all(open_edition(tmp_path / "data"), [works / "02-again.png"], k=1, several=False)
    best, double = verdict.works[0].matches
    assert (best.object_id, double.object_id) == ("02-again", "02"), "more than the one that was asked for"
    assert (verdict.works[0].alert, verdict.works[0].entry.object_id) == ("stolen", "02")


def test_a_work_alone_keeps_its_whole_distance_and_gets_its_region(edition, museum):
    hung([(painting(5), (200, 150, 700, 600))], size=(1100, 900)).save(museum / "one.jpg", quality=92)
    (alone,) = judge_all(edition, [museum / "one.jpg"], k=1, several=True)
    (whole,) = judge_all(edition, [museum / "one.jpg"], k=1, several=False)
    assert share_of(alone.works[0].region, (200, 150, 700, 600)) > 0.95
    assert alone.works[0].matches[0].distance == whole.works[0].matches[0].distance


def test_a_claim_is_verified_whatever_else_is_near(edition, museum):
    painting(2).save(museum / "claimed.png")
    right, wrong, none = judge_all(edition, [Probe(museum / "claimed.png", claim) for claim in ("02", "05", None)], k=1)
    assert none.claim is None
    assert right.claim.matches[0].object_id == "02" and right.claim.decision.outcome == "consistent"
    assert wrong.claim.matches[0].object_id == "05" and wrong.claim.decision.outcome != "consistent"
    assert wrong.works[0].matches[0].object_id == "02"


def said(work: Work) -> tuple:
    """Return all that is said of a work, and what is kept of its looks, as values that compare."""
    kept = work.sighting and (work.sighting.vector.tobytes(), work.sighting.features.to_bytes())
    distances = [(match.object_id, match.distance, match.decisive) for match in work.matches]
    return work.region, work.decision, distances, work.alert, kept


@pytest.mark.parametrize("voted", [True, False], ids=["voted", "by the pictures on it alone"])
def test_a_claim_changes_nothing_of_what_else_is_said(edition, wall, monkeypatch, voted):
    if not voted:  # neither votes nor the embedding of the whole speak for an object
        monkeypatch.setattr("retrieval.finding.finder.PLAUSIBLE", 1e9)
        monkeypatch.setattr("retrieval.judging.look.Look._limit", lambda _: 0.0)
    without, claimed = judge_all(edition, [Probe(wall), Probe(wall, "05")], k=3, several=True)
    assert len(without.works) == 3 and any(work.sighting for work in without.works)
    assert [said(work) for work in claimed.works] == [said(work) for work in without.works]


def test_a_claim_that_is_what_is_found_is_compared_once(edition, museum, monkeypatch):
    compared = []

    def noted(exemplar: Photograph, *rest, **more):
        compared.append(exemplar.path.stem)
        return diverge(exemplar, *rest, **more)

    monkeypatch.setattr(looking, "diverge", noted)
    painting(2).rotate(3, expand=True).save(museum / "claimed.png")
    (verdict,) = judge_all(edition, [Probe(museum / "claimed.png", "02")], k=1)
    assert compared == ["02"]
    assert verdict.claim.matches[0].divergence is verdict.works[0].matches[0].divergence
    assert isinstance(verdict.claim.matches[0].divergence, Divergence)


def test_the_finder_leaves_out_the_very_file(edition):
    (photo,) = edition.exemplars["03"]
    rest = edition.finder.without(photo.sha256)
    assert (
        isinstance(rest, Finder)
        and "03" not in rest.exemplars
        and len(rest.contents) == len(edition.finder.contents) - 1
    )
    assert edition.finder.without("0" * 64) is edition.finder


def test_outlines_overlap_by_the_smaller_of_the_two():
    square = np.array([(0.0, 0.0), (10, 0), (10, 10), (0, 10)])
    assert overlap(square, square + np.array([5, 0])) == pytest.approx(0.5)
    assert overlap(square, square / 2) == pytest.approx(1.0)
    assert overlap(square, square + np.array([20, 0])) == 0.0


def photograph(image: Image.Image) -> Photograph:
    return Photograph(Path("wall.jpg"), "0" * 64, *image.size, image)


def test_pictures_beside_are_those_with_something_in_them():
    wall = hung([(painting(1), LEFT), (Image.new("RGB", (10, 10), (90, 90, 90)), MIDDLE), (painting(2), RIGHT)])
    points = np.array([(x, y) for box in (LEFT, RIGHT) for x in range(box[0], box[0] + 300, 40) for y in (200, 300)])
    features = Features(points.astype(np.float32), np.zeros((len(points), 128), np.uint8), wall.size)
    boxes = [bounds(quad, wall.size) for quad in pictures_beside(photograph(wall), features, [])]
    assert len(boxes) == 2
    assert all(max(share_of(box, hung) for box in boxes) > 0.8 for hung in (LEFT, RIGHT))
    (only,) = pictures_beside(photograph(wall), features, [corners(LEFT)])
    assert share_of(bounds(only, wall.size), RIGHT) > 0.8
    few = replace(features, points=features.points[:5])
    assert pictures_beside(photograph(wall), few, []) == []


def test_a_picture_is_cut_out_upright():
    image = Image.new("RGB", (100, 80), "white")
    image.paste((255, 0, 0), (20, 10, 60, 40))
    cut = cut_out(photograph(image), np.array([(20.0, 10), (59, 10), (59, 39), (20, 39)]))
    assert cut.size == (39, 29) and np.asarray(cut).reshape(-1, 3).std(axis=0).max() == 0
    assert cut.getpixel((5, 5)) == (255, 0, 0)
