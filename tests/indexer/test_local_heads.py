"""The training of the distance place by place: what it asks for, by plain loops, and that only the heads learn it."""

import threading
from itertools import product
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from indexer.training import local_heads as local_module  # noqa: E402
from indexer.training.local_heads import (  # noqa: E402
    BATCH,
    HARDEST,
    MARGIN,
    NEIGHBOUR_MARGIN,
    LocalOptions,
    in_advance,
    less_median,
    local_loss,
    neighbour_hinge,
    place_distances,
    train_local,
)
from indexer.training.local_triples import Triple, triple_makers  # noqa: E402
from retrieval.comparing.divergence import (  # noqa: E402
    PLACES_ACROSS,
    USUAL_MEDIAN,
    _distances,
    _resized,
    _spread,
)
from retrieval.encoder.encoder import MOST_MEDIAN  # noqa: E402
from retrieval.encoder.network import EmbeddingNetwork  # noqa: E402
from retrieval.encoder.preprocessing import Preprocessing  # noqa: E402
from retrieval.errors import ArtifactError  # noqa: E402
from tests.pictures import painting  # noqa: E402

SHAPE = Preprocessing(64, 64, (0.5,) * 3, (0.5,) * 3)
GRID = (PLACES_ACROSS, PLACES_ACROSS)
KINDS = ("removed", "inserted", "oil", "redrawn")
SHAPES = [(6, 16, 16), (5, 8, 8), (4, 4, 4)]  # channels, rows and columns of three stages


def tiny() -> EmbeddingNetwork:
    torch.manual_seed(0)
    return EmbeddingNetwork("tf_efficientnet_lite0", projection=16).eval()


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("photos")
    for number in range(10):
        painting(number, (130, 100)).save(folder / f"{number}.png")
    return [folder / f"{number}.png" for number in range(10)]


@pytest.fixture(scope="module")
def triples(paths: list[Path]) -> list[Triple]:
    return [make() for make in triple_makers(paths, KINDS, SHAPE, seed=50, epoch=0)]


def maps(seed: int, count: int = 2, shapes=SHAPES) -> list["torch.Tensor"]:
    """Return unit features of some stages."""
    generator = torch.Generator().manual_seed(seed)
    stages = [torch.randn(count, *shape, generator=generator) for shape in shapes]
    return [torch.nn.functional.normalize(stage, dim=1) for stage in stages]


def features(network: EmbeddingNetwork, pictures: list[np.ndarray]) -> list["torch.Tensor"]:
    """Return the unit features that are compared, of each stage."""
    with torch.no_grad():
        stages = network.stages(torch.from_numpy(SHAPE.scaled(np.stack(pictures))))[0]
        return [torch.nn.functional.normalize(stage, dim=1) for stage in network.compared(stages)]


# -- the distance


def measured(one, other) -> np.ndarray:
    """Return the mean of the stages as `retrieval.comparing.divergence` takes it, where all is to be seen."""
    everywhere = np.ones(GRID, bool)
    stages = [_spread(_resized(_distances(*stage)), everywhere) for stage in zip(one, other, strict=True)]
    return np.mean(stages, axis=0)


@pytest.mark.parametrize("sides", [(33, 17), (16, 8, 4), (66, 33, 9), (1,)])
def test_the_distance_at_each_place_is_the_one_that_is_measured(sides):
    shapes = [(7, side, side) for side in sides]
    one, other = maps(1, shapes=shapes), maps(2, shapes=shapes)
    found = place_distances(one, other).numpy()
    assert found.shape == (2, *GRID) and found.dtype == np.float32
    for row in range(2):
        # unit or not: it is the direction that is compared
        scaled = [[3 * stage[row].numpy() for stage in maps_] for maps_ in (one, other)]
        inner = (slice(1, -1),) * 2  # the outermost places are never compared
        np.testing.assert_allclose(found[row][inner], measured(*scaled)[inner], atol=2e-4)


def test_a_stage_that_is_averaged_unevenly_is_measured_nearly_the_same():
    """65 places of the default encoder's first stage go into 33 by weights here and by whole places there."""
    random = np.random.default_rng(0)
    coarse = random.standard_normal((2, 12, 20, 20)).astype(np.float32)
    fine = torch.nn.functional.interpolate(torch.from_numpy(coarse), (65, 65), mode="bilinear")
    one, other = fine[:1], fine[1:]
    unit = [torch.nn.functional.normalize(stage, dim=1) for stage in (one, other)]
    found = place_distances(unit[:1], unit[1:]).numpy()[0]
    wanted = measured([one[0].numpy()], [other[0].numpy()])
    inner = (slice(1, -1),) * 2
    assert np.abs(found - wanted)[inner].max() < 0.05 * wanted.mean() < 0.3 * np.ptp(wanted)


def test_the_same_features_lie_nowhere_apart():
    found = place_distances(maps(1), maps(1))
    assert found.shape == (2, *GRID) and float(found.max()) <= 1.1e-4


def test_what_differs_alike_everywhere_does_so_at_the_border_too():
    one, other = torch.zeros(1, 2, 9, 9), torch.zeros(1, 2, 9, 9)
    one[:, 0], other[:, 1] = 1.0, 1.0
    torch.testing.assert_close(place_distances([one], [other]), torch.full((1, *GRID), 2.0**0.5))


@pytest.mark.parametrize(
    ("shift", "all_over", "taken"),
    [
        (0.0, False, 0.3),
        (MOST_MEDIAN - 0.31, False, MOST_MEDIAN - 0.01),
        (MOST_MEDIAN - 0.29, False, USUAL_MEDIAN),
        (0.0, True, USUAL_MEDIAN),
    ],
)
def test_the_median_of_what_is_shown_is_taken_away_or_a_usual_one(shift, all_over, taken):
    distance, shown = torch.full(GRID, 9.0), torch.zeros(GRID, dtype=torch.bool)
    distance[4, :5] = torch.tensor([0.1, 0.5, 0.3, 0.2, 2.0]) + shift
    shown[4, :5] = True
    found = less_median(distance, shown, all_over)
    torch.testing.assert_close(found, distance - taken)


def test_what_is_all_over_is_told_from_a_gradient_and_the_median_passes_it_on():
    distance = torch.tensor([[0.1, 0.2, 0.6]], requires_grad=True)
    shown = torch.ones(1, 3, dtype=torch.bool)
    less_median(distance, shown, False)[0, 2].backward()
    assert distance.grad.tolist() == [[0.0, -1.0, 1.0]]


# -- the losses


def plain_neighbours(exemplars, genuine, away: tuple[int, ...]) -> float:
    """Look at each place with four others around it, in double precision."""
    stages = []
    for one, other, step in zip(exemplars, genuine, away, strict=True):
        costs = []
        for picture, row, column in product(*(range(size) for size in (len(one), *one.shape[2:]))):
            if not (step <= row < one.shape[2] - step and step <= column < one.shape[3] - step):
                continue
            place = one[picture, :, row, column].double()
            around = [(row + step, column), (row - step, column), (row, column + step), (row, column - step)]
            own, *wrong = (float((place - other[picture, :, r, c]).norm()) for r, c in [(row, column), *around])
            costs.append(max(0.0, own - min(wrong) + NEIGHBOUR_MARGIN))
        stages.append(sum(costs) / len(costs))
    return sum(stages) / len(stages)


@pytest.mark.parametrize(("sides", "away"), [((16, 8, 4), (1, 1, 1)), ((33, 17), (3, 2)), ((65,), (6,))])
def test_a_place_is_nearer_to_its_own_than_to_those_around_it(sides, away):
    shapes = [(5, side, side) for side in sides]
    exemplars, genuine = maps(1, count=1, shapes=shapes), maps(2, count=1, shapes=shapes)
    near = [torch.nn.functional.normalize(a + 0.7 * b, dim=1) for a, b in zip(exemplars, genuine, strict=True)]
    for other in (genuine, near):
        wanted = plain_neighbours(exemplars, other, away)
        assert float(neighbour_hinge(exemplars, other)) == pytest.approx(wanted, abs=1e-5) and wanted > 0.001
    assert float(neighbour_hinge(exemplars, near)) < float(neighbour_hinge(exemplars, genuine))


def plain_loss(network: EmbeddingNetwork, triples: list[Triple]) -> tuple[float, float]:
    """Return the loss and the active share, with a loop over pairs of places."""
    costs, active = [], []
    exemplars, genuine, copies = (
        features(network, [getattr(triple, name) for triple in triples]) for name in ("exemplar", "genuine", "copy")
    )
    calm, strange = place_distances(exemplars, genuine).numpy(), place_distances(exemplars, copies).numpy()
    for number, triple in enumerate(triples):
        usual, wanted = [], []
        shown, altered = triple.shown, triple.altered & triple.shown[1]
        seen = [sorted(each[number][mask].tolist()) for each, mask in zip((calm, strange), shown, strict=True)]
        medians = [values[(len(values) - 1) // 2] if values else 0.0 for values in seen]
        medians = [USUAL_MEDIAN if triple.all_over or median > MOST_MEDIAN else median for median in medians]
        for row, column in product(range(PLACES_ACROSS), repeat=2):
            if shown[0][row, column]:
                usual.append(calm[number, row, column] - medians[0])
            if altered[row, column]:
                wanted.append(strange[number, row, column] - medians[1])
        usual, wanted = sorted(usual)[-HARDEST:], sorted(wanted)[len(wanted) // 2 :]
        pairs = [max(0.0, high - low + MARGIN) for high in usual for low in wanted]
        if pairs:
            costs.append(sum(pairs) / len(pairs))
            active.append(costs[-1] > 0)
    aside = float(neighbour_hinge(exemplars, genuine))
    return sum(costs) / max(len(costs), 1) + aside, sum(active) / max(len(active), 1)


def test_the_loss_is_that_of_a_plain_loop(triples):
    network = tiny()
    heads = network.add_local()
    with torch.no_grad():
        for head in heads:
            head.project.weight.add_(0.05 * torch.randn(head.project.weight.shape))
    assert {triple.all_over for triple in triples} == {True, False}
    loss, active = local_loss(network, SHAPE, triples, "cpu")
    assert (float(loss.detach()), active) == pytest.approx(plain_loss(network, triples), abs=2e-5)
    assert float(loss.detach()) > 0 and active > 0


def with_masks(triple: Triple, shown: int, altered: int) -> Triple:
    """Return the triple with so many places of the genuine probe shown, and so many of the copy altered."""
    masks = []
    for count in (shown, altered):
        mask = np.zeros(GRID, bool)
        mask.ravel()[500 : 500 + count] = True
        masks.append(mask)
    return Triple(triple.exemplar, triple.genuine, triple.copy, (masks[0], np.ones(GRID, bool)), masks[1])


@pytest.mark.parametrize(("shown", "altered"), [(1, 1), (HARDEST - 1, 3), (HARDEST, 1), (HARDEST + 1, 9)])
def test_few_places_are_enough(triples, shown, altered):
    network, few = tiny(), [with_masks(triple, shown, altered) for triple in triples[:2]]
    network.add_local()
    loss, active = local_loss(network, SHAPE, few, "cpu")
    assert (float(loss.detach()), active) == pytest.approx(plain_loss(network, few), abs=2e-5)
    loss.backward()
    assert all(torch.isfinite(value.grad).all() for value in network.local.parameters())


@pytest.mark.parametrize(("shown", "altered"), [(0, 5), (5, 0), (0, 0)])
def test_a_triple_that_shows_nothing_is_left_out(triples, shown, altered):
    network, nothing = tiny(), [with_masks(triple, shown, altered) for triple in triples[:2]]
    network.add_local()
    loss, active = local_loss(network, SHAPE, nothing, "cpu")
    exemplars, genuine = (features(network, [getattr(t, name) for t in nothing]) for name in ("exemplar", "genuine"))
    assert float(loss.detach()) == pytest.approx(float(neighbour_hinge(exemplars, genuine)), abs=1e-6)
    assert active == 0.0
    loss.backward()  # there is something to learn all the same
    assert any(value.grad.abs().max() > 0 for value in network.local.parameters())
    mixed, share = local_loss(network, SHAPE, [*nothing, with_masks(triples[2], 50, 50)], "cpu")
    assert (float(mixed.detach()), share) == pytest.approx(
        plain_loss(network, [*nothing, with_masks(triples[2], 50, 50)]), abs=2e-5
    )


# -- the heads


def test_fresh_heads_change_nothing():
    network, pictures = tiny(), [SHAPE.fitted(painting(seed)) for seed in range(3)]
    before, vectors = features(network, pictures), network(torch.from_numpy(SHAPE.scaled(np.stack(pictures))))
    heads = network.add_local()
    assert len(heads) == 3
    for one, other in zip(before, features(network, pictures), strict=True):
        assert torch.equal(one, other)
    assert torch.equal(network(torch.from_numpy(SHAPE.scaled(np.stack(pictures)))), vectors)
    with torch.no_grad():
        heads[1].project.bias.add_(0.1)
    changed = [torch.equal(*stage) for stage in zip(before, features(network, pictures), strict=True)]
    assert changed == [True, False, True]


def test_only_the_heads_learn(paths):
    network = tiny()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    (record,) = train_local(network, SHAPE, paths[:4], KINDS, LocalOptions(epochs=1, rate=0.1), on_step=lambda *_: None)
    after = network.state_dict()
    assert record.loss > 0
    heads = {name for name in after if name.startswith("local.")}
    assert heads == after.keys() - before.keys() and len(heads) == 6
    assert all(torch.equal(after[name], value) for name, value in before.items())
    for name, value in network.named_parameters():
        assert value.requires_grad == (name in heads)
        assert (value.grad is not None and value.grad.abs().max() > 0) == (name in heads)
    fresh = tiny()
    fresh.add_local()
    assert all(not torch.equal(after[name], fresh.state_dict()[name]) for name in heads)


def test_a_few_steps_bring_the_loss_down(paths, triples, monkeypatch):
    """On a problem that stays the same from epoch to epoch."""
    monkeypatch.setattr(local_module, "triple_makers", lambda *_, **__: [lambda t=t: t for t in triples[:BATCH]])
    records = list(train_local(tiny(), SHAPE, paths, KINDS, LocalOptions(epochs=12), on_step=lambda *_: None))
    losses = [record.loss for record in records]
    assert losses == sorted(losses, reverse=True) and losses[-1] < 0.85 * losses[0]


def test_a_training_repeats_and_another_seed_is_another(paths):
    def trained(seed: int) -> tuple[list, list[bytes]]:
        network, options = tiny(), LocalOptions(epochs=2, photos=3, seed=seed)
        records = list(train_local(network, SHAPE, paths, KINDS, options, on_step=lambda *_: None))
        return records, [value.detach().numpy().tobytes() for value in network.local.parameters()]

    assert trained(1) == trained(1)
    assert trained(1) != trained(2)


@pytest.mark.parametrize(("photos", "steps"), [(1000, 2), (8, 1)])
def test_records_and_steps_are_told(paths, photos, steps):
    assert BATCH == 8 and len(paths) == 10
    told: list[tuple[int, int]] = []
    options = LocalOptions(epochs=2, photos=photos)
    records = list(train_local(tiny(), SHAPE, paths, KINDS, options, on_step=lambda *step: told.append(step)))
    assert [record.epoch for record in records] == [1, 2]
    assert told == [(step + 1, 2 * steps) for step in range(2 * steps)]
    assert all(record.loss > 0 and 0 <= record.active <= 1 for record in records)


def test_the_rate_falls_from_step_to_step(paths, monkeypatch):
    rates: list[float] = []

    class Noting(torch.optim.SGD):
        def step(self, *arguments):
            rates.append(self.param_groups[0]["lr"])
            return super().step(*arguments)

    monkeypatch.setattr(torch.optim, "SGD", Noting)
    options = LocalOptions(epochs=4, photos=1, rate=0.1)
    list(train_local(tiny(), SHAPE, paths, KINDS, options, on_step=lambda *_: None))
    assert rates == pytest.approx([0.05 * (1 + np.cos(np.pi * step / 4)) for step in range(4)])


def test_each_epoch_draws_its_photos_anew(paths, monkeypatch):
    seen, real = [], local_module.triple_makers

    def noted(*arguments, **options):
        seen.append((options["seed"], options["epoch"]))
        return real(*arguments, **options)

    monkeypatch.setattr(local_module, "triple_makers", noted)
    list(train_local(tiny(), SHAPE, paths, KINDS, LocalOptions(epochs=3, photos=1, seed=7), on_step=lambda *_: None))
    assert seen == [(7, 0), (7, 1), (7, 2)]


# -- what is made in advance


@pytest.mark.parametrize("count", [0, 1, BATCH, BATCH + 1, 5 * BATCH + 3])
def test_batches_come_in_order_and_each_triple_once(count):
    made = []

    def maker(number: int):
        return lambda: made.append(number) or number

    batches = list(in_advance([maker(number) for number in range(count)]))
    assert [number for batch in batches for number in batch] == sorted(made) == list(range(count))
    assert [len(batch) for batch in batches[:-1]] == [BATCH] * (len(batches) - 1)


def test_only_a_few_are_made_in_advance():
    lock, made = threading.Lock(), []

    def make() -> int:
        with lock:
            made.append(1)
        return len(made)

    batches = in_advance([make] * (10 * BATCH))
    for number in range(4):
        next(batches)
        assert len(made) <= (number + 3) * BATCH
    batches.close()
    assert len(made) < 10 * BATCH


def test_a_photo_that_cannot_be_read_stops_the_training(paths, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no photograph")
    with pytest.raises(ArtifactError, match=r"broken\.jpg: not a photograph"):
        list(train_local(tiny(), SHAPE, [*paths, broken], KINDS, LocalOptions(epochs=1), on_step=lambda *_: None))
