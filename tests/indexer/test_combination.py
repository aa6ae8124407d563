"""How the distances are combined: from a second genuine photograph where there is one, else a re-photograph."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from indexer.inputs.labels import LabelledPhoto  # noqa: E402
from indexer.measuring import combination as module  # noqa: E402
from indexer.measuring.combination import (  # noqa: E402
    OBJECTS,
    SIDE,
    USUAL,
    WEIGHT,
    Combination,
    again,
    combination_of,
    combine,
    distances_of,
)
from indexer.simulation.rephotograph import rephotograph  # noqa: E402
from retrieval.comparing.divergence import Divergence, combined_distance, diverge  # noqa: E402
from retrieval.comparing.registration import Registration, find_registration  # noqa: E402
from retrieval.encoder.encoder import Encoder  # noqa: E402
from retrieval.encoder.network import EmbeddingNetwork  # noqa: E402
from retrieval.encoder.preprocessing import Preprocessing  # noqa: E402
from retrieval.encoder.torch_engine import TorchEngine  # noqa: E402
from retrieval.finding.nearest import exact_distance  # noqa: E402
from retrieval.photographs.features import features_of, features_of_probe  # noqa: E402
from retrieval.photographs.images import read_photograph  # noqa: E402
from retrieval.photographs.photograph import Photograph  # noqa: E402
from retrieval.statistics.calibration import Threshold, authenticity_threshold  # noqa: E402
from tests.conftest import tiny_encoder  # noqa: E402
from tests.pictures import painting  # noqa: E402


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    """An encoder with stages that has no threshold yet."""
    torch.manual_seed(0)
    engine = TorchEngine(EmbeddingNetwork("tf_efficientnet_lite0", projection=16), device="cpu", precision="fp32")
    shape = Preprocessing(64, 64, (0.5,) * 3, (0.5,) * 3)
    return Encoder("tiny", "tiny", 16, shape, "fp32", engine, engine.stages)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two photographs of a painting, one of each of two others, and two that have nothing in common."""
    folder = tmp_path_factory.mktemp("photos")
    pictures = {
        "a": painting(1),
        "a again": rephotograph(painting(1), seed=77),
        "b": painting(2),
        "c": painting(3),
        "d": painting(4),
        "d, another": painting(5),
    }
    for name, image in pictures.items():
        image.save(folder / f"{name}.png")
    return {name: folder / f"{name}.png" for name in pictures}


def labelled(photos: dict[str, Path], *names: str, genuine: bool = True) -> list[LabelledPhoto]:
    return [LabelledPhoto(photos[name], name[0], genuine) for name in names]


def read(path: Path) -> Photograph:
    return read_photograph(path, short_side=SIDE)


def measured(one: Photograph, other: Photograph, encoder: Encoder) -> tuple[float, float]:
    """Return the global and the local distance as a query measures them."""
    registration = find_registration(features_of(one), features_of_probe(other))
    assert isinstance(registration, Registration)
    judging = replace(encoder, combined_threshold=Threshold(0.4, 0.05, 30))
    whole = exact_distance(*encoder.encode([one.image, other.image]))
    found = diverge(one, other, registration, judging, global_distance=whole)
    assert isinstance(found, Divergence) and found.local_distance > 0 and 0 < found.global_distance == whole
    return whole, found.local_distance


@pytest.fixture
def distances(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[float, float] | None]:
    """The global and the local distance of each object, by its id, in place of a measurement."""
    known: dict[str, tuple[float, float] | None] = {}

    def distances_of(photos, encoder, *, seed):
        assert len({photo.object_id for photo in photos}) == 1 and all(photo.genuine for photo in photos)
        return known[photos[0].object_id]

    monkeypatch.setattr(module, "distances_of", distances_of)
    return known


# -- the distances of an object


def ready(encoder: Encoder) -> Encoder:
    return replace(encoder, combined_threshold=module.ANY)


def test_two_photographs_of_an_object_are_compared(photos, encoder):
    pair = labelled(photos, "a", "a again")
    wanted = measured(read(photos["a"]), read(photos["a again"]), encoder)
    assert distances_of(pair, ready(encoder), seed=0) == wanted
    assert distances_of(pair, ready(encoder), seed=1) == wanted  # nothing is simulated
    assert distances_of([*pair, *labelled(photos, "b")], ready(encoder), seed=0) == wanted  # the first two


def test_a_single_photograph_is_compared_with_a_re_photograph_of_it(photos, encoder):
    (alone,) = labelled(photos, "b")
    exemplar = read(photos["b"])
    for seed in (0, 1):
        wanted = measured(exemplar, again(exemplar, seed=seed), encoder)
        assert distances_of([alone], ready(encoder), seed=seed) == wanted
    first = distances_of([alone], ready(encoder), seed=0)
    assert first[0] != wanted[0] and first[1] != wanted[1]


def test_photographs_that_do_not_register_have_no_distances(photos, encoder):
    assert distances_of(labelled(photos, "d", "d, another"), ready(encoder), seed=0) is None


def test_a_work_that_is_too_small_on_a_photograph_has_no_distances(photos, encoder, tmp_path):
    painting(1).resize((140, 108)).save(tmp_path / "small.png")
    pair = [*labelled(photos, "a"), LabelledPhoto(tmp_path / "small.png", "a", True)]
    assert isinstance(
        find_registration(features_of(read(pair[0].path)), features_of_probe(read(pair[1].path))), Registration
    )
    assert distances_of(pair, ready(encoder), seed=0) is None


def test_an_encoder_without_stages_has_no_distances(photos):
    assert distances_of(labelled(photos, "a"), tiny_encoder(), seed=0) is None


def test_a_re_photograph_is_that_of_the_content_and_the_seed(photos, tmp_path):
    exemplar, other = read(photos["b"]), read(photos["c"])
    once = again(exemplar, seed=3)
    assert once.image.tobytes() == again(exemplar, seed=3).image.tobytes() != exemplar.image.tobytes()
    assert (once.width, once.height) == once.image.size
    assert once.image.tobytes() != again(exemplar, seed=4).image.tobytes()
    (tmp_path / "copy.png").write_bytes(photos["b"].read_bytes())
    assert once.image.tobytes() == again(read(tmp_path / "copy.png"), seed=3).image.tobytes()
    drawn_otherwise = again(replace(exemplar, sha256=other.sha256), seed=3)  # not for all contents the same
    assert once.image.tobytes() != drawn_otherwise.image.tobytes()


# -- the combination


def test_each_object_counts_once_if_it_registers(photos, encoder):
    given = labelled(photos, "a", "b", "a again", "c", "d", "d, another")
    found = combination_of(given, encoder, seed=5)
    assert found.threshold == Threshold(None, 0.05, 3)  # a, b, c are too few for a threshold
    assert found.global_weight > 0.0
    for changed in ({"combined_threshold": Threshold(0.001, 0.05, 30)}, {"global_weight": 0.9}):
        assert combination_of(given, replace(encoder, **changed), seed=5) == found


def test_the_combination_is_that_of_the_measured_distances(photos, encoder, monkeypatch):
    monkeypatch.setattr(module, "authenticity_threshold", lambda found: authenticity_threshold(found, rate=0.5))
    given = labelled(photos, "a", "b", "a again")
    found = combination_of(given, encoder, seed=5)
    exemplar = read(photos["b"])
    pair = distances_of(given[::2], ready(encoder), seed=5)
    alone = distances_of(given[1:2], ready(encoder), seed=5)
    assert pair == measured(read(photos["a"]), read(photos["a again"]), encoder)
    assert alone == measured(exemplar, again(exemplar, seed=5), encoder) and pair != alone
    combined = [combined_distance(*each, found.global_weight) for each in (pair, alone)]
    assert found == combine(np.array([pair, alone]))
    assert found.threshold == Threshold(max(combined), 0.5, 2)


def test_forgeries_are_not_looked_at(photos, encoder):
    forged = labelled(photos, "d, another", genuine=False)
    assert combination_of([*forged, *labelled(photos, "b", "d")], encoder, seed=5).threshold.count == 2
    assert combination_of(forged, encoder, seed=5) == Combination(0.0, Threshold(None, 0.05, 0))


def drawn(count: int) -> list[tuple[float, float]]:
    return np.random.default_rng(0).uniform((0.2, 0.1), (1.0, 0.9), (count, 2)).tolist()


@pytest.mark.parametrize("unregistered", [0, 5])
def test_a_genuine_photograph_falls_beyond_it_at_the_usual_rate(encoder, distances, unregistered):
    known = [*drawn(60), *[None] * unregistered]
    distances.update({f"object {number}": value for number, value in enumerate(known)})
    given = [LabelledPhoto(Path("a.jpg"), object_id, True) for object_id in distances for _ in range(2)]
    found = combination_of(given, encoder, seed=0)
    combined = [combined_distance(*pair, found.global_weight) for pair in known[:60]]
    assert found.threshold == authenticity_threshold(np.array(combined)) and found.threshold.count == 60
    assert sum(value > found.threshold.value for value in combined) == 2 < 0.05 * 60
    assert found == combination_of(given[::-1], encoder, seed=1)  # all are taken, in whatever order


@pytest.mark.parametrize("count", [0, 18, 19])
def test_nineteen_objects_are_needed(encoder, distances, count):
    distances.update({str(number): (0.4, 0.5) for number in range(count)})
    given = [LabelledPhoto(Path("a.jpg"), object_id, True) for object_id in distances]
    found = combination_of(given, encoder, seed=0)
    weight = WEIGHT * 0.5 / 0.4 if count else 0.0
    value = combined_distance(0.4, 0.5, weight) if count == 19 else None
    assert found == Combination(pytest.approx(weight), Threshold(value and pytest.approx(value), 0.05, count))


def test_of_many_objects_some_are_drawn_by_the_seed(encoder, distances):
    distances.update({str(number): (1.0, float(number)) for number in range(3 * OBJECTS)})
    given = [LabelledPhoto(Path("a.jpg"), object_id, True) for object_id in distances]
    found = combination_of(given, encoder, seed=0)
    assert found.threshold.count == OBJECTS and found == combination_of(given, encoder, seed=0)
    assert found.threshold.value != combination_of(given, encoder, seed=1).threshold.value
    usual = 0.95 * 3 * OBJECTS  # not of the first ones
    assert found.threshold.value == pytest.approx(combined_distance(1.0, usual, WEIGHT * usual), rel=0.05)
    assert found.global_weight == pytest.approx(WEIGHT * usual, rel=0.05)


def test_a_usual_global_distance_counts_a_fixed_share_of_a_usual_local_one():
    found = combine(np.array(drawn(500)))
    usual = np.quantile(drawn(500), USUAL, axis=0)
    assert found.global_weight * usual[0] == pytest.approx(WEIGHT * usual[1], abs=1e-3) and 0.0 < WEIGHT < 1.0
    twice = combine(np.array(drawn(500)) * (2.0, 1.0))  # an encoder of larger global distances
    assert twice.global_weight == pytest.approx(found.global_weight / 2, abs=1e-3)
    assert twice.threshold.value == pytest.approx(found.threshold.value, abs=2e-3)


def test_places_that_differ_less_than_the_whole_does_give_the_global_distance_no_weight():
    assert combine(np.array([(0.5, -0.1)] * 30)) == Combination(0.0, Threshold(0.0, 0.05, 30))
