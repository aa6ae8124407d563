"""The threshold of the local distance: from a second genuine photograph where there is one, else a re-photograph."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from indexer import genuine_places as module  # noqa: E402
from indexer.genuine_places import OBJECTS, SIDE, again, local_distance, place_threshold  # noqa: E402
from indexer.labels import LabelledPhoto  # noqa: E402
from indexer.rephotograph import rephotograph  # noqa: E402
from retrieval.calibration import Threshold, authenticity_threshold  # noqa: E402
from retrieval.divergence import Divergence, diverge  # noqa: E402
from retrieval.encoder import Encoder  # noqa: E402
from retrieval.features import features_of, features_of_probe  # noqa: E402
from retrieval.images import Photograph, read_photograph  # noqa: E402
from retrieval.network import EmbeddingNetwork  # noqa: E402
from retrieval.preprocessing import Preprocessing  # noqa: E402
from retrieval.registration import Registration, register  # noqa: E402
from retrieval.torch_engine import TorchEngine  # noqa: E402
from tests.conftest import tiny_encoder  # noqa: E402
from tests.test_registration import painting  # noqa: E402


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


def measured(one: Photograph, other: Photograph, encoder: Encoder) -> float:
    """Return the local distance as a query measures it."""
    registration = register(features_of(one), features_of_probe(other))
    assert isinstance(registration, Registration)
    judging = replace(encoder, local_threshold=Threshold(0.4, 0.05, 30))
    found = diverge(one, other, registration, judging, global_distance=0.3)
    assert isinstance(found, Divergence) and found.local_distance > 0
    return found.local_distance


@pytest.fixture
def distances(monkeypatch: pytest.MonkeyPatch) -> dict[str, float | None]:
    """The local distance of each object, by its id, in place of a measurement."""
    known: dict[str, float | None] = {}

    def local_distance(photos, encoder, *, seed):
        assert len({photo.object_id for photo in photos}) == 1 and all(photo.genuine for photo in photos)
        return known[photos[0].object_id]

    monkeypatch.setattr(module, "local_distance", local_distance)
    return known


# -- the distance of an object


def ready(encoder: Encoder) -> Encoder:
    return replace(encoder, local_threshold=module.ANY)


def test_two_photographs_of_an_object_are_compared(photos, encoder):
    pair = labelled(photos, "a", "a again")
    wanted = measured(read(photos["a"]), read(photos["a again"]), encoder)
    assert local_distance(pair, ready(encoder), seed=0) == wanted
    assert local_distance(pair, ready(encoder), seed=1) == wanted  # nothing is simulated
    assert local_distance([*pair, *labelled(photos, "b")], ready(encoder), seed=0) == wanted  # the first two


def test_a_single_photograph_is_compared_with_a_re_photograph_of_it(photos, encoder):
    (alone,) = labelled(photos, "b")
    exemplar = read(photos["b"])
    for seed in (0, 1):
        wanted = measured(exemplar, again(exemplar, seed=seed), encoder)
        assert local_distance([alone], ready(encoder), seed=seed) == wanted
    assert local_distance([alone], ready(encoder), seed=0) != wanted


def test_photographs_that_do_not_register_have_no_distance(photos, encoder):
    assert local_distance(labelled(photos, "d", "d, another"), ready(encoder), seed=0) is None


def test_a_work_that_is_too_small_on_a_photograph_has_no_distance(photos, encoder, tmp_path):
    painting(1).resize((140, 108)).save(tmp_path / "small.png")
    pair = [*labelled(photos, "a"), LabelledPhoto(tmp_path / "small.png", "a", True)]
    assert isinstance(register(features_of(read(pair[0].path)), features_of_probe(read(pair[1].path))), Registration)
    assert local_distance(pair, ready(encoder), seed=0) is None


def test_an_encoder_without_stages_has_no_distances(photos):
    assert local_distance(labelled(photos, "a"), tiny_encoder(), seed=0) is None


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


# -- the threshold


def test_each_object_counts_once_if_it_registers(photos, encoder):
    given = labelled(photos, "a", "b", "a again", "c", "d", "d, another")
    found = place_threshold(given, encoder, seed=5)
    assert found == Threshold(None, 0.05, 3)  # a, b, c are too few for a threshold
    with_a_threshold = replace(encoder, local_threshold=Threshold(0.001, 0.05, 30))
    assert place_threshold(given, with_a_threshold, seed=5) == found


def test_the_threshold_is_that_of_the_measured_distances(photos, encoder, monkeypatch):
    monkeypatch.setattr(module, "authenticity_threshold", lambda found: authenticity_threshold(found, rate=0.5))
    given = labelled(photos, "a", "b", "a again")
    found = place_threshold(given, encoder, seed=5)
    exemplar = read(photos["b"])
    pair = measured(read(photos["a"]), read(photos["a again"]), encoder)
    alone = measured(exemplar, again(exemplar, seed=5), encoder)
    assert found == Threshold(max(pair, alone), 0.5, 2) and pair != alone


def test_forgeries_are_not_looked_at(photos, encoder):
    forged = labelled(photos, "d, another", genuine=False)
    assert place_threshold([*forged, *labelled(photos, "b", "d")], encoder, seed=5).count == 2
    assert place_threshold(forged, encoder, seed=5) == Threshold(None, 0.05, 0)


@pytest.mark.parametrize("unregistered", [0, 5])
def test_a_genuine_photograph_falls_beyond_it_at_the_usual_rate(encoder, distances, unregistered):
    random = np.random.default_rng(0)
    known = random.uniform(0.1, 0.9, 60).tolist() + [None] * unregistered
    distances.update({f"object {number}": value for number, value in enumerate(known)})
    given = [LabelledPhoto(Path("a.jpg"), object_id, True) for object_id in distances for _ in range(2)]
    found = place_threshold(given, encoder, seed=0)
    assert found == authenticity_threshold(np.array(known[:60])) and found.count == 60
    assert sum(value > found.value for value in known[:60]) == 2 < 0.05 * 60
    assert found == place_threshold(given[::-1], encoder, seed=1)  # all are taken, in whatever order


@pytest.mark.parametrize("count", [0, 18, 19])
def test_nineteen_objects_are_needed(encoder, distances, count):
    distances.update({str(number): 0.5 for number in range(count)})
    given = [LabelledPhoto(Path("a.jpg"), object_id, True) for object_id in distances]
    assert place_threshold(given, encoder, seed=0) == Threshold(0.5 if count == 19 else None, 0.05, count)


def test_of_many_objects_some_are_drawn_by_the_seed(encoder, distances):
    distances.update({str(number): float(number) for number in range(3 * OBJECTS)})
    given = [LabelledPhoto(Path("a.jpg"), object_id, True) for object_id in distances]
    found = place_threshold(given, encoder, seed=0)
    assert found.count == OBJECTS and found == place_threshold(given, encoder, seed=0)
    assert found.value != place_threshold(given, encoder, seed=1).value
    assert found.value == pytest.approx(0.95 * 3 * OBJECTS, rel=0.05)  # not the first ones
