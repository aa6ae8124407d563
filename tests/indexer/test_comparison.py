"""Training the comparison: pairs, examples, the loss against a plain loop, learning, and the exported network."""

import json
import math

import numpy as np
import pytest
from safetensors.numpy import load_file

torch = pytest.importorskip("torch")

from indexer.comparison.examples import Examples, Material, make_examples, read_examples, shuffled, tower  # noqa: E402
from indexer.comparison.network import Head  # noqa: E402
from indexer.comparison.pairs import GENUINE, SIMULATED, RealPair, real_pair, simulated_pair  # noqa: E402
from indexer.comparison.training import (  # noqa: E402
    HARDEST,
    HEAD,
    MARGIN,
    PEAKED,
    WHOLE,
    Options,
    comparison_loss,
    export_network,
    train_head,
    whole_of,
)
from indexer.simulation.rephotograph import rephotograph  # noqa: E402
from retrieval.comparing.evidence import PLACES_ACROSS, STATES, Evidence  # noqa: E402
from retrieval.comparing.network import (  # noqa: E402
    DESCRIPTION,
    FOLDER,
    ComparisonNetwork,
    default_network,
    read_description,
)
from retrieval.comparing.surface import SIDE  # noqa: E402
from tests.pictures import both, painting, write_paintings  # noqa: E402


@pytest.fixture(scope="module")
def material(tmp_path_factory) -> Material:
    """Six paintings, and a real photograph of one."""
    folder = tmp_path_factory.mktemp("works")
    write_paintings(folder / "works", 6)
    works = tuple(sorted((folder / "works").iterdir()))
    photo = rephotograph(painting(0), seed=3)
    photo.save(folder / "photo.png")
    pair = RealPair(works[0], folder / "photo.png", both(painting(0), photo).homography, "a source")
    return Material(works, (pair,), seed=1)


def test_pairs_say_what_was_altered(material):
    made = [simulated_pair(material.works, np.random.default_rng(seed)) for seed in range(8)]
    made += [real_pair(material.pairs[0], material.works, np.random.default_rng(seed)) for seed in range(8)]
    pairs = [pair for pair in made if pair is not None]
    assert {pair.source for pair in pairs} == {SIMULATED, "a source"} and len({pair.kind for pair in pairs}) > 2
    for pair in pairs:
        assert pair.evidence.states.shape == (STATES, PLACES_ACROSS, PLACES_ACROSS)
        assert (pair.altered.max() > 0) == (pair.kind != GENUINE) and pair.altered.max() <= 1.0
        assert not (pair.altered == 0).any() or pair.visible[pair.altered == 0].mean() < 1.0


def test_the_tower_is_the_one_that_the_shipped_network_looks_through():
    pictures = torch.from_numpy(np.stack([np.asarray(painting(seed).resize((SIDE, SIDE))) for seed in range(2)]))
    evidence = Evidence(
        pictures.permute(0, 3, 1, 2).float().numpy(),
        np.zeros((STATES, PLACES_ACROSS, PLACES_ACROSS), np.float32),
        np.ones((PLACES_ACROSS, PLACES_ACROSS), bool),
        np.ones((SIDE, SIDE), bool),
        0.0,
        np.zeros((PLACES_ACROSS, PLACES_ACROSS), np.float32),
    )
    network, head = tower(), load_file(FOLDER / HEAD)
    network.head.load_state_dict({name: torch.from_numpy(value).float() for name, value in head.items()})
    given = (evidence.pictures, evidence.states[None], evidence.inside[None].astype(np.float32))
    with torch.inference_mode():
        ours = network(*map(torch.from_numpy, given)).numpy()
    tower.cache_clear()  # other tests want a head that has learned nothing
    np.testing.assert_allclose(ours, default_network()(evidence), atol=0.02)
    assert ours.std() > 0.1


def test_examples_are_made_once_and_the_same_again(material, tmp_path):
    told = []
    make_examples(material, tmp_path / "one", 6, on_progress=lambda done, total: told.append((done, total)))
    (path,) = (tmp_path / "one").iterdir()
    before = path.stat().st_mtime_ns
    make_examples(material, tmp_path / "one", 6)
    assert path.stat().st_mtime_ns == before and told == [(6, 6)]
    examples = read_examples(tmp_path / "one")
    channels = tower().head.reduce.in_channels
    assert examples.evidence.shape[1:] == (channels, PLACES_ACROSS, PLACES_ACROSS)
    assert not (examples.altered & examples.unaltered).any() and not (examples.altered & ~examples.inside).any()
    random = [np.random.default_rng([1, number]) for number in range(6)]
    first = next(pair for pair in (simulated_pair(material.works, random[0]),))
    assert first is None or np.allclose(examples.evidence[0][-STATES:], first.evidence.states, atol=0.02)


def made_up(count: int, channels: int = 8) -> Examples:
    """Return pairs of which the altered ones differ in the first channel, in one corner."""
    random = np.random.default_rng(0)
    evidence = random.normal(0, 1, (count, channels, PLACES_ACROSS, PLACES_ACROSS)).astype(np.float16)
    altered = np.zeros((count, PLACES_ACROSS, PLACES_ACROSS), bool)
    altered[::2, 4:9, 5:12] = True
    evidence[:, 0][altered] += 6
    inside = np.ones_like(altered)
    inside[:, :2] = False
    source = np.array([SIMULATED, SIMULATED, "a", "a"] * (count // 4))
    return Examples(evidence, inside, altered, ~altered & inside, source)


def test_the_loss_is_that_of_a_plain_loop():
    torch.manual_seed(0)
    logits = torch.randn(4, 7, 7) * 2
    altered = torch.zeros(4, 7, 7, dtype=torch.bool)
    altered[0, 1:3, 2], altered[2, 5, 5] = True, True
    inside = torch.ones_like(altered)
    inside[:, 0] = False
    unaltered = ~altered & inside
    unaltered[1, 3] = False  # neither: teaches nothing
    found = comparison_loss(logits, inside, altered, unaltered)

    def cross(logit: float, wanted: bool) -> float:
        return math.log1p(math.exp(-logit if wanted else logit))

    wrong, right, wholes = [], [], whole_of(logits, inside)
    for pair in range(4):
        places = [(y, x) for y in range(7) for x in range(7)]
        bad = [cross(float(logits[pair, y, x]), True) for y, x in places if altered[pair, y, x]]
        good = [cross(float(logits[pair, y, x]), False) if unaltered[pair, y, x] else 0.0 for y, x in places]
        wrong += [sum(bad) / len(bad)] if bad else []
        right.append(sum(sorted(good)[-HARDEST:]) / HARDEST + sum(good) / int(unaltered[pair].sum()))
    copies = [0, 2]
    value = 0.7 * sum(wrong) / 2 + 0.5 * sum(right) / 4
    value += 0.5 * sum(cross(float(wholes[pair]) - WHOLE, pair in copies) for pair in range(4)) / 4
    beyond = [cross(-(float(wholes[one]) - float(wholes[other]) + MARGIN), True) for one in (1, 3) for other in copies]
    assert float(found) == pytest.approx(value + 0.3 * sum(beyond) / 4, rel=1e-5)


def test_the_whole_is_a_soft_maximum_of_places_with_those_around():
    logits, inside = torch.randn(1, 6, 6), torch.ones(1, 6, 6, dtype=torch.bool)
    inside[0, 0] = False
    values = []
    for y in range(1, 6):
        for x in range(6):
            near = [
                float(logits[0, v, u])
                for v in range(max(1, y - 1), min(6, y + 2))
                for u in range(max(0, x - 1), min(6, x + 2))
            ]
            values.append(math.exp(PEAKED * sum(near) / len(near)))
    assert float(whole_of(logits, inside)[0]) == pytest.approx(math.log(sum(values)) / PEAKED, rel=1e-4)


@pytest.mark.slow
def test_a_head_learns_what_was_altered_and_repeats():
    examples, heads, losses = made_up(32), [], []
    for _ in range(2):
        torch.manual_seed(0)
        heads.append(Head(8))
        train_head(examples, heads[-1], Options(epochs=12, batch=8), on_epoch=lambda _, loss: losses.append(loss))
    assert len(losses) == 24 and losses[11] == losses[23] < 0.3 * losses[0]
    with torch.inference_mode():
        values = torch.from_numpy(examples.evidence.astype(np.float32))
        one, other = (head(values, torch.from_numpy(examples.inside)) for head in heads)
    assert torch.equal(one, other)
    logits = one.numpy()
    assert np.median(logits[examples.altered]) > 1.0 and np.median(logits[examples.unaltered]) < -1.0


def test_batches_are_half_simulated():
    examples = made_up(400)
    rows = np.concatenate(list(shuffled(examples, batch=20, steps=100, random=np.random.default_rng(0))))
    assert (examples.source[rows] == SIMULATED).mean() == pytest.approx(0.5, abs=0.04)


def test_the_exported_network_says_what_the_torch_one_says(material, tmp_path):
    network = tower()
    export_network(network, tmp_path)
    described = json.loads((tmp_path / DESCRIPTION).read_text())
    threshold = {"value": 0.4, "rate": 0.05, "count": 100}
    (tmp_path / DESCRIPTION).write_text(json.dumps({**described, "threshold": threshold}))
    loaded = ComparisonNetwork(tmp_path)
    pair = next(found for seed in range(9) if (found := simulated_pair(material.works, np.random.default_rng(seed))))
    evidence = pair.evidence
    with torch.inference_mode():
        arrays = evidence.pictures, evidence.states[None], evidence.inside[None].astype(np.float32)
        wanted = network(*map(torch.from_numpy, arrays)).numpy()
    assert np.abs(loaded(evidence) - wanted).max() < 0.02 and np.array_equal(loaded(evidence), loaded(evidence))
    assert read_description(tmp_path).threshold.value == 0.4
