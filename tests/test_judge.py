"""A photograph against one object or against all: from files to a verdict."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from indexer.alterations import alter
from indexer.rephotograph import rephotograph
from retrieval.decision import Outcome
from retrieval.divergence import Divergence, NotCompared
from retrieval.encoder import load_encoder
from retrieval.errors import UnknownObject
from retrieval.judge import Judge, Verdict, open_judge
from retrieval.registration import NotRegistered, Registration
from retrieval.search import Match
from tests.conftest import aged, index
from tests.test_overlays import PLACES, with_plate
from tests.test_registration import painting, write_paintings


@pytest.fixture(scope="module")
def museum(tmp_path_factory) -> Path:
    """A catalogue of five paintings in `data`, too few for global thresholds, and photographs of the third."""
    root = tmp_path_factory.mktemp("museum")
    write_paintings(root / "works", 5)
    work, altered = painting(2), alter(painting(2), "removed", area=0.05, donor=painting(9), seed=2)
    photos = {
        "genuine": work,
        "altered": altered.image,
        "labelled": with_plate(work, PLACES["below"])[0],
        "mirrored": ImageOps.mirror(work),
        "unknown": painting(99),
    }
    for seed, (name, picture) in enumerate(photos.items()):
        rephotograph(picture, seed=seed).save(root / f"{name}.jpg", quality=92)
    (root / "broken.jpg").write_bytes(b"\xff\xd8\xff no photograph")
    index(root / "works", root / "data", encoder=load_encoder(parallel=2))
    return root


@pytest.fixture(scope="module")
def judge(museum) -> Judge:
    return open_judge(museum / "data", parallel=2)


def only(verdict: Verdict) -> tuple[Outcome, str, Match]:
    """Return the outcome, the reasons and the one match of a verdict."""
    assert verdict.error is None
    (work,) = verdict.works
    (match,) = work.matches
    return work.decision.outcome, "; ".join(work.decision.reasons), match


@pytest.mark.parametrize(
    ("photo", "outcome", "said"),
    [
        ("genuine", "consistent", "is within the authenticity threshold 0.424"),
        ("altered", "divergent", "at the worst of"),
        ("labelled", "consistent", "left out as no part of the picture: plate on"),
        ("mirrored", "consistent", "points agree with 02, mirrored; the local distance"),
    ],
)
def test_a_photograph_of_the_object_named_is_compared_place_by_place(museum, judge, photo, outcome, said):
    found, reasons, match = only(judge.compare(museum / f"{photo}.jpg", "02"))
    assert found == outcome and said in reasons
    assert match.object_id == "02" and match.exemplar.name == "02.png"
    assert isinstance(match.registration, Registration) and match.registration.mirrored == (photo == "mirrored")
    assert isinstance(match.divergence, Divergence) and match.divergence.global_distance == match.distance


@pytest.mark.parametrize("photo", ["genuine", "unknown"])
def test_a_photograph_of_another_work_is_not_registered_and_why_is_said(museum, judge, photo):
    found, reasons, match = only(judge.compare(museum / f"{photo}.jpg", "04"))
    assert isinstance(match.registration, NotRegistered) and "10 are needed" in match.registration.reason
    assert match.object_id == "04" and match.exemplar.name == "04.png" and match.divergence is None
    assert found is Outcome.INCONCLUSIVE and "too few objects (5)" in reasons


def test_an_unknown_object_is_an_error_and_stays_one(museum, judge):
    for _ in range(2):
        with pytest.raises(UnknownObject, match="No object '77' in the catalogue"):
            judge.compare(museum / "genuine.jpg", "77")


@pytest.mark.parametrize("photo", ["broken.jpg", "missing.jpg", ""])
def test_an_unreadable_photograph_is_an_error_of_its_own_verdict(museum, judge, photo):
    verdict = judge.compare(museum / photo, "02")
    assert verdict.error and not verdict.works
    assert (verdict.sha256 is not None) == (photo == "broken.jpg")


def test_a_photograph_above_the_limit_is_refused(museum, judge):
    verdict = judge.compare(museum / "genuine.jpg", "02", max_megapixels=0.1)
    assert "megapixels, more than the 0.1 allowed" in verdict.error and not verdict.works


@pytest.mark.parametrize("change", ["deleted", "damaged", "another"])
def test_an_exemplar_that_is_not_as_indexed_is_not_compared_and_why_is_said(museum, tmp_path, change):
    (tmp_path / "works").mkdir()
    aged(Path(shutil.copy(museum / "works/02.png", tmp_path / "works")))
    index(tmp_path / "works", tmp_path / "data", encoder=load_encoder(parallel=2))
    judge, exemplar = open_judge(tmp_path / "data"), tmp_path / "works/02.png"
    if change == "deleted":
        exemplar.unlink()
    elif change == "damaged":
        exemplar.write_bytes(exemplar.read_bytes()[:999])
    else:
        painting(50, (260, 200)).save(exemplar)
    said = "cannot be read: " if change in ("deleted", "damaged") else "was changed since; run `artifact index` again"
    found, reasons, match = only(judge.compare(museum / "genuine.jpg", "02"))
    assert isinstance(match.registration, Registration)  # by what was stored of it
    assert isinstance(match.divergence, NotCompared)
    assert match.divergence.reason.startswith(f"the exemplar {exemplar} ") and said in match.divergence.reason
    assert found is Outcome.INCONCLUSIVE and "too few objects" in reasons
    (verdict,) = judge.judge_all([museum / "genuine.jpg"], k=3)
    assert verdict.works[0].matches[0].divergence == match.divergence


def test_of_several_exemplars_the_registered_one_is_compared(museum, tmp_path):
    """The object's other photograph shows its back, and may be the nearer one by the encoder."""
    for name, picture in (("02/a.png", painting(60)), ("02/b.png", painting(2)), ("03.png", painting(3))):
        (tmp_path / "works" / name).parent.mkdir(parents=True, exist_ok=True)
        picture.save(tmp_path / "works" / name)
        aged(tmp_path / "works" / name)
    index(tmp_path / "works", tmp_path / "data", encoder=load_encoder())
    found, _, match = only(open_judge(tmp_path / "data").compare(museum / "genuine.jpg", "02"))
    assert found is Outcome.CONSISTENT and match.exemplar.name == "b.png"


def alike(one: Verdict, other: Verdict) -> bool:
    """Say whether two verdicts say the same; arrays do not compare."""

    def said(verdict: Verdict) -> object:
        return [
            (work.region, work.decision, [(m.object_id, m.exemplar, m.distance) for m in work.matches])
            for work in verdict.works
        ]

    maps = [
        [m.divergence.map for work in verdict.works for m in work.matches if isinstance(m.divergence, Divergence)]
        for verdict in (one, other)
    ]
    same = all(np.array_equal(*pair, equal_nan=True) for pair in zip(*maps, strict=True))
    return same and (one.photo, one.sha256, one.error, said(one)) == (
        other.photo,
        other.sha256,
        other.error,
        said(other),
    )


def test_many_are_judged_as_one_is_and_in_order(museum, judge):
    photos = [museum / f"{name}.jpg" for name in ("altered", "broken", "genuine", "unknown", "labelled", "altered")]
    verdicts = list(judge.judge_all(photos, k=2))
    assert [verdict.photo for verdict in verdicts] == photos
    outcomes = [str(verdict.works[0].decision.outcome) if verdict.works else verdict.error for verdict in verdicts]
    error = judge.compare(museum / "broken.jpg", "02").error
    assert outcomes == ["divergent", error, "consistent", "inconclusive", "consistent", "divergent"]
    assert alike(verdicts[0], verdicts[5])
    for verdict in verdicts[:3]:
        assert alike(verdict, next(judge.judge_all([verdict.photo], k=2)))
    for verdict in (verdicts[0], verdicts[2]):
        assert verdict.works[0].matches[0].object_id == "02" and len(verdict.works[0].matches) == 2


def test_judging_may_be_broken_off(museum, judge):
    running = judge.judge_all([museum / "genuine.jpg"] * 6, k=1)
    assert next(running).works
    running.close()
    assert only(judge.compare(museum / "genuine.jpg", "02"))[0] is Outcome.CONSISTENT


def test_a_photograph_compares_with_its_object_as_a_query_does(museum, judge):
    _, _, compared = only(judge.compare(museum / "altered.jpg", "02"))
    (verdict,) = judge.judge_all([museum / "altered.jpg"], k=1)
    _, _, queried = only(verdict)
    assert compared.distance == queried.distance
    assert np.array_equal(compared.divergence.map, queried.divergence.map, equal_nan=True)


def test_a_photograph_too_small_to_judge_is_inconclusive_without_error(museum, judge, tmp_path):
    Image.open(museum / "genuine.jpg").resize((60, 50)).save(tmp_path / "small.png")
    found, reasons, _ = only(judge.compare(tmp_path / "small.png", "02"))
    assert found is Outcome.INCONCLUSIVE and "only 60 x 50 pixels" in reasons
