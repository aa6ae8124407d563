"""A flag measured again on the photograph made a little different."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from retrieval.catalogue.status_words import Status
from retrieval.comparing.registration import Registration, project
from retrieval.finding.match import Again, Match
from retrieval.judging.decision import Basis, Decision
from retrieval.judging.stability import is_flag, steadied, variants
from retrieval.judging.work import Work
from retrieval.outcome import Outcome
from retrieval.photographs.photograph import Photograph
from retrieval.statistics.calibration import Threshold, Thresholds
from tests.pictures import painting

BASIS = Basis(Thresholds(Threshold(0.9, 0.05, 40), Threshold(0.4, 0.05, 40)))  # divergent from 0.4 to 0.9


def photograph(scale: int = 4) -> Photograph:
    """Return a photograph that was read at a fraction of its own size, 520 x 400."""
    image = painting(3)
    return Photograph(Path("a.jpg"), "0" * 64, scale * image.width, scale * image.height, image)


def lying(homography: np.ndarray, *, exemplar: float, probe: float) -> Registration:
    return Registration(homography, 40, np.ones((40, 4), np.float32), exemplar, probe, 0.001, mirrored=False)


def flagged(*again: float) -> Work:
    work = Work((0, 0, 9, 9), Decision(Outcome.DIVERGENT, ("far",), p_value=0.01), (match(0.5), match(0.6)))
    return steadied(work, [("recompressed", match(distance)) for distance in again], BASIS)


def match(distance: float) -> Match:
    return Match("7", Path("7.png"), distance)


def test_variants_are_the_same_every_time_and_each_differs_a_little():
    first, again = variants(photograph()), variants(photograph())
    assert [one.name for one in first] == ["recompressed", "cropped", "rescaled"]
    for one, other in zip(first, again, strict=True):
        assert one.photograph.image.tobytes() == other.photograph.image.tobytes()
        shown = np.asarray(one.photograph.image.resize((520, 400)), float)
        assert 0.5 < np.abs(shown - np.asarray(painting(3), float)).mean() < 40
    assert [one.photograph.image.size for one in first] == [(520, 400), (500, 384), (416, 320)]
    assert [(one.photograph.width, one.photograph.height) for one in first] == [
        (2080, 1600),
        (2000, 1536),
        (2080, 1600),
    ]


def test_what_is_cropped_begins_at_its_origin():
    _, cropped, _ = variants(photograph())
    assert cropped.origin == (40.0, 32.0)
    assert np.array_equal(np.asarray(cropped.photograph.image), np.asarray(painting(3))[8:392, 10:510])


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_registration_says_of_a_variant_what_it_says_of_the_photograph(number):
    """The work is 1,040 x 800 pixels in the middle: it is seen whole, and a quarter of the photograph."""
    onto, size = np.array([[2.0, 0.0, 520.0], [0.0, 2.0, 400.0], [0.0, 0.0, 1.0]]), (520, 400)
    variant = variants(photograph())[number]
    found = variant.moved(lying(onto, exemplar=1.0, probe=0.25), size, (2080, 1600))
    points = np.array([(0.0, 0.0), (519.0, 399.0)])
    assert np.allclose(project(found.homography, points), project(onto, points) - variant.origin)
    assert np.allclose(found.matched, np.array([1, 1, 1 - variant.origin[0], 1 - variant.origin[1]]))
    assert found.overlap_exemplar == pytest.approx(1.0, abs=1e-6)
    pixels = found.overlap_probe * variant.photograph.width * variant.photograph.height
    assert pixels == pytest.approx(1040 * 800)


def test_a_crop_takes_its_share_of_a_work_that_fills_the_photograph():
    onto = np.diag([4.0, 4.0, 1.0])
    onto[:2, 2] = 1.5  # the first pixel of the photograph is a fourth of the exemplar's
    cropped = variants(photograph())[1]
    found = cropped.moved(lying(onto, exemplar=1.0, probe=1.0), (520, 400), (2080, 1600))
    assert found.overlap_exemplar == pytest.approx(2000 * 1536 / (2080 * 1600), rel=1e-5)
    assert found.overlap_probe == pytest.approx(1.0, rel=1e-5)


def test_what_lay_within_the_pixels_cropped_leaves_nothing_that_could_be_divided_by():
    onto = np.array([[0.05, 0.0, 5.0], [0.0, 0.05, 5.0], [0.0, 0.0, 1.0]])
    found = variants(photograph())[1].moved(lying(onto, exemplar=1.0, probe=0.001), (520, 400), (2080, 1600))
    assert 0 < found.overlap_exemplar < 1e-3 and found.overlap_probe > 0


def test_a_flag_that_holds_says_in_which_range():
    work = flagged(0.52, 0.47, 0.61)
    assert work.decision.outcome is Outcome.DIVERGENT and work.decision.p_value == 0.01
    assert work.decision.reasons[0] == "far"
    assert work.decision.reasons[1].endswith("the global distance is 0.470 to 0.610")
    assert work.matches[0].again[1] == Again("recompressed", 0.47, Outcome.DIVERGENT)
    assert work.matches[0].range == (0.47, 0.61) and work.matches[1].again == ()


@pytest.mark.parametrize(("distance", "outcome"), [(0.39, "consistent"), (0.91, "no-match")])
def test_a_flag_that_does_not_hold_is_inconclusive_and_carries_no_strength(distance, outcome):
    work = flagged(0.52, distance, 0.61)
    assert work.decision.outcome is Outcome.INCONCLUSIVE and work.decision.p_value is None
    first, second, _ = work.decision.reasons
    assert first.startswith(f"the flag does not hold: the photograph is {outcome} recompressed; ") and second == "far"
    assert "would help" in first


def test_only_what_is_divergent_by_its_distance_is_a_flag():
    work = flagged(0.5)
    assert is_flag(work)
    assert not is_flag(Work(work.region, work.decision, work.matches, alert=Status.KNOWN_FORGERY))
    assert not is_flag(Work(work.region, Decision(Outcome.CONSISTENT, ("near",)), work.matches))


def test_a_small_picture_is_cropped_by_a_pixel_at_least():
    small = Photograph(Path("a.jpg"), "0" * 64, 20, 10, Image.new("RGB", (20, 10)))
    assert [one.photograph.image.size for one in variants(small)] == [(20, 10), (18, 8), (16, 8)]
