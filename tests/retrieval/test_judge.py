"""A photograph against one object or against all: from files to a verdict."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter, ImageOps

from indexer.simulation.alterations import alter
from indexer.simulation.rephotograph import rephotograph
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.pictures import read_exemplar
from retrieval.comparing.divergence import Divergence, NoExemplar, local_limit, shipped_threshold
from retrieval.comparing.network import default_description
from retrieval.comparing.registration import NotRegistered, Registration
from retrieval.encoder.encoder import load_encoder
from retrieval.errors import UnknownObject
from retrieval.finding.match import Match
from retrieval.judging import edition as editions
from retrieval.judging import stability
from retrieval.judging.decision import Basis
from retrieval.judging.edition import Edition, open_edition
from retrieval.judging.judge import Probe, Verdict, compare, compare_all, judge_all
from retrieval.outcome import Outcome
from retrieval.statistics.calibration import CalibratedDistance, Calibration, ConditionClass, Threshold, Thresholds
from tests.conftest import aged, index
from tests.pictures import PLACES, painting, with_plate, write_paintings


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
def edition(museum) -> Edition:
    return open_edition(museum / "data", parallel=2)


def only(verdict: Verdict) -> tuple[Outcome, str, Match]:
    """Return the outcome, the reasons and the one match of a verdict."""
    assert verdict.error is None
    (work,) = verdict.works
    (match,) = work.matches
    return work.decision.outcome, "; ".join(work.decision.reasons), match


@pytest.mark.parametrize(
    ("photo", "outcome", "said"),
    [
        ("genuine", "consistent", "is within the authenticity threshold 0."),
        ("altered", "divergent", "at the worst of"),
        ("labelled", "consistent", "left out as no part of the picture: plate on"),
        ("mirrored", "consistent", "points agree with 02, mirrored; the combined distance"),
    ],
)
def test_a_photograph_of_the_object_named_is_compared_place_by_place(museum, edition, photo, outcome, said):
    found, reasons, match = only(compare(edition, museum / f"{photo}.jpg", "02"))
    assert found == outcome and said in reasons
    assert match.object_id == "02" and match.exemplar.name == "02.png"
    assert isinstance(match.registration, Registration) and match.registration.mirrored == (photo == "mirrored")
    assert isinstance(match.divergence, Divergence) and match.divergence.global_distance == match.distance
    assert (match.divergence.combined_distance > shipped_threshold()) == (photo == "altered")
    assert (match.divergence.local_distance > match.divergence.limit) == (photo == "altered")


@pytest.mark.parametrize("photo", ["genuine", "unknown"])
def test_a_photograph_of_another_work_is_not_registered_and_why_is_said(museum, edition, photo):
    found, reasons, match = only(compare(edition, museum / f"{photo}.jpg", "04"))
    assert isinstance(match.registration, NotRegistered) and "10 are needed" in match.registration.reason
    assert match.object_id == "04" and match.exemplar.name == "04.png" and match.divergence is None
    assert found is Outcome.INCONCLUSIVE and "too few objects (5)" in reasons


def test_an_unknown_object_is_an_error_and_stays_one(museum, edition):
    for _ in range(2):
        with pytest.raises(UnknownObject, match="No object '77' in the catalogue"):
            compare(edition, museum / "genuine.jpg", "77")


@pytest.mark.parametrize("photo", ["broken.jpg", "missing.jpg", ""])
def test_an_unreadable_photograph_is_an_error_of_its_own_verdict(museum, edition, photo):
    verdict = compare(edition, museum / photo, "02")
    assert verdict.error and not verdict.works
    assert (verdict.sha256 is not None) == (photo == "broken.jpg")


def test_a_photograph_above_the_limit_is_refused(museum, edition):
    verdict = compare(edition, museum / "genuine.jpg", "02", max_megapixels=0.1)
    assert "megapixels, more than the 0.1 allowed" in verdict.error and not verdict.works


CHANGES = {
    "deleted": Path.unlink,
    "damaged": lambda file: file.write_bytes(file.read_bytes()[:999]),
    "another": lambda file: painting(50, (260, 200)).save(file),
}


def one_work(museum: Path, root: Path, pictures: int | None = None) -> tuple[Edition, Path]:
    """Return an edition of one work of the museum, and its file."""
    (root / "works").mkdir()
    aged(Path(shutil.copy(museum / "works/02.png", root / "works")))
    index(root / "works", root / "data", encoder=load_encoder(parallel=2), pictures=pictures)
    return open_edition(root / "data"), root / "works/02.png"


@pytest.mark.parametrize("change", CHANGES)
def test_an_exemplar_is_compared_as_it_was_indexed_whatever_became_of_its_file(museum, tmp_path, change):
    edition, exemplar = one_work(museum, tmp_path)
    for photo, outcome in (("genuine", Outcome.CONSISTENT), ("altered", Outcome.DIVERGENT)):
        found, said, match = only(compare(edition, museum / f"{photo}.jpg", "02"))
        assert found is outcome and "has changed" not in said
        if exemplar.exists():
            before = exemplar.read_bytes()
            CHANGES[change](exemplar)
        again, said_again, match_again = only(compare(edition, museum / f"{photo}.jpg", "02"))
        assert again is outcome and match_again.compared.combined_distance == match.compared.combined_distance
        is_said = f"the file of the exemplar, {exemplar}, has changed since it was indexed" in said_again
        assert is_said == (change != "deleted")
        exemplar.write_bytes(before)
        aged(exemplar)
        assert only(compare(edition, museum / f"{photo}.jpg", "02"))[1] == said  # written again, but the same


@pytest.mark.parametrize("change", CHANGES)
def test_without_a_working_picture_an_exemplar_that_is_away_decides_nothing(museum, tmp_path, change):
    edition, exemplar = one_work(museum, tmp_path, pictures=0)
    CHANGES[change](exemplar)
    for photo in ("genuine", "altered"):
        found, reasons, match = only(compare(edition, museum / f"{photo}.jpg", "02"))
        assert isinstance(match.registration, Registration)  # by what was stored of it
        assert isinstance(match.divergence, NoExemplar) and match.without_exemplar == match.divergence
        assert found is Outcome.INCONCLUSIVE and reasons.endswith("is now: artifact move OLD NEW")
        why = {"deleted": "no such file", "another": "it has changed since it was indexed"}.get(change, "(")
        assert f"points agree with 02; the exemplar {exemplar} is away and no working picture" in reasons
        assert why in reasons and "distance" not in reasons
        (verdict,) = judge_all(edition, [museum / f"{photo}.jpg"], k=3)
        assert verdict.works[0].matches[0].divergence == match.divergence


def test_of_several_exemplars_the_registered_one_is_compared(museum, tmp_path):
    """The object's other photograph shows its back, and may be the nearer one by the encoder."""
    for name, picture in (("02/a.png", painting(60)), ("02/b.png", painting(2)), ("03.png", painting(3))):
        (tmp_path / "works" / name).parent.mkdir(parents=True, exist_ok=True)
        picture.save(tmp_path / "works" / name)
        aged(tmp_path / "works" / name)
    index(tmp_path / "works", tmp_path / "data", encoder=load_encoder())
    found, _, match = only(compare(open_edition(tmp_path / "data"), museum / "genuine.jpg", "02"))
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


def test_many_are_judged_as_one_is_and_in_order(museum, edition):
    photos = [museum / f"{name}.jpg" for name in ("altered", "broken", "genuine", "unknown", "labelled", "altered")]
    verdicts = list(judge_all(edition, photos, k=2))
    assert [verdict.photo for verdict in verdicts] == photos
    outcomes = [str(verdict.works[0].decision.outcome) if verdict.works else verdict.error for verdict in verdicts]
    error = compare(edition, museum / "broken.jpg", "02").error
    assert outcomes == ["divergent", error, "consistent", "inconclusive", "consistent", "divergent"]
    assert alike(verdicts[0], verdicts[5])
    for verdict in verdicts[:3]:
        assert alike(verdict, next(judge_all(edition, [verdict.photo], k=2)))
    for verdict in (verdicts[0], verdicts[2]):
        assert verdict.works[0].matches[0].object_id == "02" and len(verdict.works[0].matches) == 2


def test_judging_may_be_broken_off(museum, edition):
    running = judge_all(edition, [museum / "genuine.jpg"] * 6, k=1)
    assert next(running).works
    running.close()
    assert only(compare(edition, museum / "genuine.jpg", "02"))[0] is Outcome.CONSISTENT


def test_a_photograph_compares_with_its_object_as_a_query_does(museum, edition):
    _, _, compared = only(compare(edition, museum / "altered.jpg", "02"))
    (verdict,) = judge_all(edition, [museum / "altered.jpg"], k=1)
    _, _, queried = only(verdict)
    assert compared.distance == queried.distance
    assert np.array_equal(compared.divergence.map, queried.divergence.map, equal_nan=True)


def test_a_photograph_too_small_to_judge_is_inconclusive_without_error(museum, edition, tmp_path):
    Image.open(museum / "genuine.jpg").resize((60, 50)).save(tmp_path / "small.png")
    found, reasons, _ = only(compare(edition, tmp_path / "small.png", "02"))
    assert found is Outcome.INCONCLUSIVE and "only 60 x 50 pixels" in reasons


@pytest.mark.parametrize(("spoilt", "said"), [("dark", "too dark: its light parts"), ("blurred", "too blurred: 0.")])
def test_a_photograph_too_poor_to_judge_is_inconclusive_but_shows_what_it_was_compared_with(
    museum, edition, tmp_path, spoilt, said
):
    image = Image.open(museum / "genuine.jpg")
    spoiling = {"dark": image.point(lambda value: value // 9), "blurred": image.filter(ImageFilter.GaussianBlur(9))}
    spoiling[spoilt].save(tmp_path / "poor.png")
    verdict = compare(edition, tmp_path / "poor.png", "02")
    found, _, match = only(verdict)
    (reason,) = verdict.works[0].decision.reasons
    assert found is Outcome.INCONCLUSIVE and reason.startswith(f"the photograph is {said}")
    assert "would help" in reason and match.object_id == "02" and match.exemplar.name == "02.png"


# -- how steady a flag is


def test_a_flag_is_measured_again_and_nothing_else_is(museum, edition):
    found, reasons, match = only(compare(edition, museum / "altered.jpg", "02"))
    assert found is Outcome.DIVERGENT and [one.variant for one in match.again] == [
        "recompressed",
        "cropped",
        "rescaled",
    ]
    distances = [one.distance for one in match.again]
    assert all(0.0 < abs(distance - match.decisive) < 0.1 for distance in distances) and len(set(distances)) == 3
    least, most = match.range
    assert f"the combined distance is {least:.3f} to {most:.3f}" in reasons and least <= match.decisive <= most
    assert only(compare(edition, museum / "genuine.jpg", "02"))[2].again == ()


def test_a_flag_reads_its_exemplar_once(museum, edition, monkeypatch):
    read = []
    monkeypatch.setattr(editions, "read_exemplar", lambda *of, **how: read.append(of) or read_exemplar(*of, **how))
    assert only(compare(edition, museum / "altered.jpg", "02"))[2].again
    assert len(read) == 1


def test_a_flag_on_the_object_claimed_is_measured_again_once(museum, edition, monkeypatch):
    asked: list[str] = []
    known = stability.variants
    monkeypatch.setattr(stability, "variants", lambda shown: asked.append(shown.path.name) or known(shown))
    (verdict,) = judge_all(edition, [Probe(museum / "altered.jpg", "02")], k=1)
    assert asked == ["altered.jpg"] and verdict.claim.matches[0].again == verdict.works[0].matches[0].again != ()


def test_a_flag_that_does_not_hold_on_another_crop_or_file_is_inconclusive(museum, edition):
    _, _, match = only(compare(edition, museum / "altered.jpg", "02"))
    threshold = match.range[0] + 1e-6
    assert threshold < match.decisive
    at_the_edge = replace(edition, calibration=calibration(edition, threshold))
    found, reasons, match = only(compare(at_the_edge, museum / "altered.jpg", "02"))
    assert found is Outcome.INCONCLUSIVE and reasons.startswith("the flag does not hold: the photograph is consistent ")
    assert "is beyond the authenticity threshold" in reasons
    (verdict,) = judge_all(at_the_edge, [museum / "altered.jpg"], k=1)
    assert (
        verdict.works[0].decision.outcome is Outcome.INCONCLUSIVE and verdict.works[0].matches[0].again == match.again
    )


# -- many at once, and apart from themselves


def test_many_are_compared_each_with_the_object_named_for_it_and_in_order(museum, edition):
    names = ["genuine", "altered", "broken", "genuine", "mirrored", "genuine"]
    objects = ["02", "02", "02", "04", "02", "02"]
    asked = [(museum / f"{name}.jpg", object_id) for name, object_id in zip(names, objects, strict=True)]
    verdicts = list(compare_all(edition, asked))
    assert [verdict.photo for verdict in verdicts] == [path for path, _ in asked]
    assert alike(verdicts[0], verdicts[5])
    for verdict, (path, object_id) in zip(verdicts, asked, strict=True):
        assert alike(verdict, compare(edition, path, object_id))
        if verdict.error is None:
            assert only(verdict)[2].object_id == object_id


@pytest.fixture(scope="module")
def several(tmp_path_factory) -> Edition:
    """An edition of two works, the first with two photographs and a copy of the second of them."""
    root = tmp_path_factory.mktemp("several")
    (root / "works/02").mkdir(parents=True)
    painting(2).save(root / "works/02/a.png")
    rephotograph(painting(2), seed=8).save(root / "works/02/b.png")
    shutil.copy(root / "works/02/b.png", root / "works/02/c.png")
    painting(3).save(root / "works/03.png")
    for path in (root / "works").rglob("*.png"):
        aged(path)
    index(root / "works", root / "data", encoder=load_encoder(parallel=2))
    return open_edition(root / "data", parallel=2)


def test_an_exemplar_is_its_own_nearest_unless_it_is_judged_apart(several):
    folder = several.exemplars["03"][0].file.parent
    exemplar = folder / "02/a.png"
    for apart, nearest in ((False, {"a.png"}), (True, {"b.png", "c.png"})):
        (compared,) = compare_all(several, [(exemplar, "02")], apart=apart)
        (queried,) = judge_all(several, [exemplar], k=2, apart=apart)
        for verdict in (compared, queried):
            match = verdict.works[0].matches[0]
            assert match.object_id == "02" and match.exemplar.name in nearest
            assert (match.distance < 1e-3) is not apart
    (copied,) = compare_all(several, [(folder / "02/b.png", "02")], apart=True)
    assert copied.works[0].matches[0].exemplar.name == "a.png"  # the copy is the very photograph too
    (alone,) = judge_all(several, [folder / "03.png"], k=2, apart=True)
    assert [match.object_id for match in alone.works[0].matches] == ["02"]


# -- with a calibration


def calibration(edition: Edition, combined: float | None, **changed: Any) -> Calibration:
    """Return a calibration of the edition's catalogue, whose match threshold is 0.1."""
    genuine = (0.05, 0.1, 0.2) if combined else ()
    values: dict[str, Any] = {
        "date": "2031-05-06T07:08:09+02:00",
        "encoder": edition.measured_by,
        "revision": edition.revision,
        "objects": 5,
        "sources": {"labelled": 5, "exemplars": 0, "simulated": 0},
        "copies": 0,
        "match": Threshold(0.1, 0.02, 149, 0.95),
        "combined": CalibratedDistance(Threshold(combined, 0.05, 59, 0.95), genuine),
        "whole": CalibratedDistance(Threshold(0.15, 0.05, 59, 0.95), (0.05, 0.1, 0.2)),
        "number": 4,
    }
    return Calibration(**(values | changed))


def test_a_judge_without_a_calibration_judges_by_provisional_thresholds(edition):
    assert edition.calibration is None
    assert edition.basis == Basis(replace(edition.thresholds, combined=default_description().threshold))


@pytest.mark.parametrize(
    ("photo", "threshold", "outcome"),
    [("genuine", 0.005, "divergent"), ("genuine", 0.6, "consistent"), ("altered", 1.5, "consistent")],
)
def test_a_calibrated_judge_uses_the_threshold_of_its_calibration(museum, edition, photo, threshold, outcome):
    calibrated = replace(edition, calibration=calibration(edition, threshold))
    before = only(compare(edition, museum / f"{photo}.jpg", "02"))[2].divergence
    verdict = compare(calibrated, museum / f"{photo}.jpg", "02")
    found, reasons, match = only(verdict)
    assert found == outcome and f"the authenticity threshold {threshold:.3f}" in reasons
    assert (
        "calibration 4 of 2031-05-06, with 95% confidence: at most 5% false alarms from 59 objects, out of 5" in reasons
    )
    assert "provisional" not in reasons and "out of date" not in reasons
    assert match.divergence.combined_distance == before.combined_distance  # nothing is measured otherwise
    assert match.divergence.limit == local_limit(
        threshold, match.divergence.local_distance, match.divergence.combined_distance
    )
    decision = verdict.works[0].decision
    assert decision.p_value == calibrated.calibration.combined.p_value(before.combined_distance)
    (queried,) = judge_all(calibrated, [museum / f"{photo}.jpg"], k=1)
    assert alike(queried, verdict)


def test_a_calibrated_judge_knows_an_unknown_work_of_a_catalogue_too_small_to_know_one(museum, edition):
    assert only(compare(edition, museum / "unknown.jpg", "04"))[0] is Outcome.INCONCLUSIVE
    verdict = compare(replace(edition, calibration=calibration(edition, 0.5)), museum / "unknown.jpg", "04")
    found, reasons, _ = only(verdict)
    assert found is Outcome.NO_MATCH and "beyond the match threshold 0.100" in reasons
    assert "at most 2% false matches from 149" in reasons and "provisional" not in reasons
    assert (verdict.works[0].decision.p_value, verdict.works[0].decision.likelihood_ratio) == (None, None)


def test_where_nothing_could_be_compared_by_places_the_threshold_of_the_encoder_stays(museum, edition):
    calibrated = replace(edition, calibration=calibration(edition, None))
    assert calibrated.basis.thresholds == Thresholds(
        calibrated.calibration.match, calibrated.calibration.whole.threshold, default_description().threshold
    )
    verdict = compare(calibrated, museum / "genuine.jpg", "02")
    found, reasons, _ = only(verdict)
    assert (
        found is Outcome.CONSISTENT
        and f"threshold {shipped_threshold():.3f}; provisional threshold of the combined" in reasons
    )
    assert verdict.works[0].decision.p_value is None


@pytest.mark.parametrize(("then", "of_date"), [(4, False), (5, True), (6, True), (7, False)])
def test_a_catalogue_that_has_changed_much_makes_its_calibration_out_of_date(museum, edition, then, of_date):
    calibrated = replace(edition, calibration=calibration(edition, 0.6, objects=then))
    found, reasons, _ = only(compare(calibrated, museum / "genuine.jpg", "02"))
    assert found is Outcome.CONSISTENT and "threshold 0.600" in reasons and "calibration 4 of 2031" in reasons
    said = f"calibration out of date: the catalogue had {then} objects then and has 5 now"
    assert (said not in reasons) == of_date == (calibrated.basis.out_of_date is None)


def test_a_calibration_of_another_encoder_is_not_used_and_said_to_be_out_of_date(museum, edition):
    other = replace(edition, calibration=calibration(edition, 0.02, encoder="net-00"))
    found, reasons, _ = only(compare(other, museum / "genuine.jpg", "02"))
    assert (
        found is Outcome.CONSISTENT and f"threshold {shipped_threshold():.3f}" in reasons and "provisional" in reasons
    )
    said = f"it was made with the encoder net-00, not {edition.measured_by}"
    assert f"calibration out of date: {said}" in reasons and "p-value" not in reasons
    assert other.basis == replace(edition.basis, out_of_date=said)


def test_a_calibration_does_not_complete_an_index_run_that_was_broken_off(museum, edition):
    broken = replace(edition, thresholds=None, calibration=calibration(edition, 0.6))
    assert broken.basis == Basis(None)
    found, reasons, _ = only(compare(broken, museum / "genuine.jpg", "02"))
    assert found is Outcome.INCONCLUSIVE and "run `artifact index` again" in reasons


def test_the_last_calibration_of_the_catalogue_is_the_one_that_counts(museum, edition, tmp_path):
    shutil.copytree(museum / "data", tmp_path / "data")
    with Catalogue.writing(tmp_path / "data") as catalogue:
        catalogue.add_calibration(calibration(edition, 0.02))
        last = catalogue.add_calibration(calibration(edition, 0.6))
    opened = open_edition(tmp_path / "data")
    assert opened.calibration == last == calibration(edition, 0.6, number=2)
    assert opened.basis == Basis(last.thresholds, last)
    assert "calibration 2 of" in only(compare(opened, museum / "genuine.jpg", "02"))[1]


@pytest.fixture(scope="module")
def sheet(tmp_path_factory) -> Path:
    """A catalogue of a painting and of a blank sheet, and photographs of a wall with a switch on it."""
    root = tmp_path_factory.mktemp("sheet")
    (root / "works").mkdir()
    Image.new("RGB", (400, 300), (236, 232, 224)).save(root / "works" / "blank.png")
    painting(1).save(root / "works" / "painted.png")
    wall = Image.new("RGB", (400, 300), (230, 228, 224))
    wall.paste((90, 90, 90), (320, 200, 340, 225))
    wall.save(root / "wall.png")
    index(root / "works", root / "data", encoder=load_encoder())
    return root


@pytest.mark.parametrize("object_id", ["blank", "painted"])
def test_no_photograph_is_near_an_exemplar_that_shows_nothing(sheet, object_id):
    found = Threshold(2.0, 0.05, 100)
    edition = replace(open_edition(sheet / "data"), thresholds=Thresholds(found, found))

    decided, reasons, match = only(compare(edition, sheet / "wall.png", object_id))

    assert match.registered is None and decided is Outcome.INCONCLUSIVE
    assert ("the exemplar of blank shows nothing to compare with" in reasons) == (object_id == "blank")


def test_the_threshold_of_its_condition_decides_and_says_which_places_are_beyond(museum, edition):
    """The work is some 450 pixels across; each condition has a threshold of its own."""
    _, _, match = only(compare(edition, museum / "genuine.jpg", "02"))
    assert match.condition == "small"
    known = CalibratedDistance(Threshold(9.0, 0.05, 60, 0.95), (0.1,) * 60)
    own = CalibratedDistance(Threshold(match.decisive / 2, 0.05, 60, 0.95), (0.1,) * 60)
    classes = tuple(
        ConditionClass((name,), own if name == "small" else known) for name in ("small", "surrounded", "close")
    )
    counts = {"small": 60, "surrounded": 60, "close": 60}
    calibration = Calibration(
        "2031-05-06", edition.measured_by, 1, 5, {"labelled": 60}, 0, Threshold(0.5, 0.01, 300, 0.95),
        known, known, 3, counts, classes,
    )  # fmt: skip
    limits = Thresholds(Threshold(0.5, 0.05, 60), Threshold(0.5, 0.05, 60))
    found, reasons, again = only(
        compare(replace(edition, calibration=calibration, thresholds=limits), museum / "genuine.jpg", "02")
    )
    assert found is Outcome.DIVERGENT and "condition of the photograph: small" in reasons
    measured = again.compared.local_distance, again.compared.combined_distance
    assert again.compared.limit == local_limit(own.threshold.value, *measured)
