"""The training loop: repeatable, resumable, head first, the best epoch kept, and a collapse that stops it."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("timm")

from indexer.evaluation import Summary  # noqa: E402
from indexer.history import EpochRecord  # noqa: E402
from indexer.losses import distances  # noqa: E402
from indexer.mining import MINERS  # noqa: E402
from indexer.pool import PLAIN, REPHOTOGRAPH, Pool, Row  # noqa: E402
from indexer.train import FADE, HEAD, LOSSES, SCHEDULE, TOWER, WARM_UP, Options, Trainer, rate_share  # noqa: E402
from retrieval.errors import Collapsed  # noqa: E402
from retrieval.network import EmbeddingNetwork  # noqa: E402
from retrieval.preprocessing import Preprocessing  # noqa: E402

SHAPE = Preprocessing(64, 64, (0.5,) * 3, (0.5,) * 3)
OBJECTS, TRAINED = 16, 11
QUICK = Options(head_epochs=2, epochs=2, unfreeze=1, objects=6, photos=2, seed=3)


def network(seed: int = 0) -> EmbeddingNetwork:
    torch.manual_seed(seed)
    return EmbeddingNetwork("tf_efficientnet_lite0", projection=8).eval()


@pytest.fixture(scope="module")
def pool() -> Pool:
    """What a frozen tower made of 16 objects: four genuine pictures and two forgeries of each, near their object."""
    random = np.random.default_rng(0)
    rows, values = [], []
    for number in range(OBJECTS):
        centre = random.random((320, 2, 2))
        for index, kind in enumerate([PLAIN, REPHOTOGRAPH, REPHOTOGRAPH, REPHOTOGRAPH, "oil", "oil"]):
            rows.append(Row(number, number, kind != "oil", kind, index))
            values.append(centre + random.normal(0, 0.35, centre.shape) + 0.2 * (kind == "oil"))
    parts = len(network().parts())
    return Pool(tuple(rows), np.stack(values).astype(np.float16), parts - 1)


def trainer(pool: Pool, folder: Path, options: Options = QUICK, agree=lambda one, other: False) -> Trainer:
    objects = pool.objects
    return Trainer(
        network(),
        SHAPE,
        pool,
        training=np.flatnonzero(objects < TRAINED),
        validation=np.flatnonzero(objects >= TRAINED),
        options=options,
        agree=agree,
        checkpoint=folder / "checkpoint.json",
    )


def nothing(done: int, total: int) -> None:
    """Be told of a step and do nothing."""


def trained(pool: Pool, folder: Path, options: Options = QUICK) -> tuple[Trainer, list[EpochRecord]]:
    found = trainer(pool, folder, options)
    return found, list(found.run(nothing))


def weights(found: Trainer) -> dict[str, bytes]:
    return {name: value.numpy().tobytes() for name, value in found.network.state_dict().items()}


def untimed(records: list[EpochRecord]) -> list[EpochRecord]:
    return [replace(record, seconds=0.0) for record in records]


def test_the_rate_rises_then_falls_as_half_a_cosine():
    steps = 200
    shares = [rate_share(step, steps) for step in range(steps + 1)]
    warm = round(WARM_UP * steps)
    assert shares[:warm] == pytest.approx([(step + 1) / warm for step in range(warm)])
    assert shares[warm] == 1.0 and shares[-1] == pytest.approx(0.0, abs=1e-9)
    assert shares[(steps + warm) // 2] == pytest.approx(0.5) and np.diff(shares[warm:]).max() < 0
    assert rate_share(0, 1) == 1.0


def test_the_same_seed_gives_the_same_weights_bit_for_bit(pool, tmp_path):
    (one, first), (other, second) = (
        trained(pool, tmp_path / name) for name in ("a", "b") if not (tmp_path / name).mkdir()
    )
    assert weights(one) == weights(other) and untimed(first) == untimed(second)
    _make(tmp_path / "c")
    assert weights(trained(pool, tmp_path / "c", replace(QUICK, seed=4))[0]) != weights(one)


def _make(folder: Path) -> None:
    folder.mkdir()


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_a_stopped_training_goes_on_to_the_same_end(pool, tmp_path, epochs, optimizer):
    options = replace(QUICK, optimizer=optimizer, rate=0.02 if optimizer == "sgd" else 0.001)
    for name in ("whole", "parts"):
        (tmp_path / name).mkdir()
    whole, records = trained(pool, tmp_path / "whole", options)
    begun = trainer(pool, tmp_path / "parts", options)
    running = begun.run(nothing)
    found = [next(running) for _ in range(epochs)]
    with pytest.raises(RuntimeError, match="stopped"):
        running.throw(RuntimeError("stopped"))  # the record was told of, and its checkpoint not written
    again = trainer(pool, tmp_path / "parts", options)
    assert again.epochs_done == epochs - 1
    found = found[: epochs - 1] + list(again.run(nothing))
    assert untimed(found) == untimed(records) and weights(again) == weights(whole)
    done = trainer(pool, tmp_path / "parts", options)
    assert done.epochs_done == 4 and list(done.run(nothing)) == [] and weights(done) == weights(whole)


def test_the_head_is_trained_first_and_then_the_last_parts_too(pool, tmp_path):
    found = trainer(pool, tmp_path)
    before = {name: value.clone() for name, value in found.network.state_dict().items()}
    found.best_score = -math.inf
    seen = {}
    for record in found.run(nothing):
        now = found.network.state_dict()
        seen[record.epoch] = (record.phase, {name for name in now if not torch.equal(now[name], before[name])})
    assert [phase for phase, _ in seen.values()] == [HEAD, HEAD, TOWER, TOWER]
    assert seen[2][1] == {"project.weight", "project.bias"}
    last = {name for name in seen[4][1] if not name.startswith("project")}
    assert last and all(name.startswith(("tower.conv_head", "tower.bn2")) for name in last)
    assert not any("running" in name for name in last)


def test_deeper_parts_are_trained_more_slowly(pool, tmp_path):
    options = replace(QUICK, unfreeze=3, rate=0.5)
    deeper = Pool(pool.rows, pool.features, len(network().parts()) - 3)
    groups = trainer(deeper, tmp_path, options)._trainable(TOWER)
    assert [group["lr"] for group in groups] == pytest.approx([0.5 * FADE**depth for depth in range(4)])
    assert len(trainer(deeper, tmp_path, options)._trainable(HEAD)) == 1


def test_the_best_epoch_by_validation_is_kept(pool, tmp_path, monkeypatch):
    recalls = iter([0.1, 0.5, 0.9, 0.3, 0.2])  # before, and after each epoch
    monkeypatch.setattr(Trainer, "summary", lambda *_: Summary(next(recalls), 0.0, 1.0, 1.0))
    found = trainer(pool, tmp_path)
    states, best = [], []
    for record in found.run(nothing):
        states.append({name: value.clone() for name, value in found.network.state_dict().items()})
        best.append(record.best)
    assert best == [True, True, False, False]
    assert all(torch.equal(value, states[1][name]) for name, value in found.network.state_dict().items())
    assert not torch.equal(states[1]["project.weight"], states[3]["project.weight"])


def test_a_training_that_never_helps_leaves_the_network_as_it_was(pool, tmp_path, monkeypatch):
    recalls = iter([0.9, 0.5, 0.5, 0.5, 0.5])
    monkeypatch.setattr(Trainer, "summary", lambda *_: Summary(next(recalls), 0.0, 1.0, 1.0))
    found, records = trained(pool, tmp_path)
    assert not any(record.best for record in records)
    before = network().state_dict()
    assert all(torch.equal(value, before[name]) for name, value in found.network.state_dict().items())


@pytest.mark.parametrize("miner", [*MINERS, SCHEDULE])
@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_and_miner_draws_genuine_pictures_together(pool, tmp_path, loss, miner):
    options = replace(QUICK, losses=(loss,), miner=miner, head_epochs=6, epochs=0, spread=0.0, forgeries=1, rate=0.1)
    found = trainer(pool, tmp_path, options)
    before = ratio(found)
    for record in found.run(nothing):
        assert math.isfinite(record.loss) and 0 <= record.active <= 1 and 0 < record.spread < 2 and record.views > 0
    found._restore(trainer(pool, tmp_path, options).resumed)  # the last epoch, whatever validation says
    assert ratio(found) < 0.97 * before


def ratio(found: Trainer) -> float:
    """Return the mean distance of genuine training pairs over that of wrong ones."""
    rows = found.training
    distance = distances(torch.from_numpy(found.embed(rows, found.tower_source()))).numpy()
    genuine, objects = found.genuine[rows], found.objects[rows]
    same = (objects[:, None] == objects) & genuine[:, None] & genuine & ~np.eye(len(rows), dtype=bool)
    wrong = (objects[:, None] != objects) | (genuine[:, None] != genuine)
    return float(distance[same].mean() / distance[wrong].mean())


def test_without_forgeries_in_a_batch_no_copy_is_learned_from(pool, tmp_path):
    for forgeries in (0, 2):
        found = trainer(pool, tmp_path, replace(QUICK, forgeries=forgeries))
        rows = np.concatenate(list(found._batches(0, None)))
        assert found.genuine[rows].all() == (forgeries == 0)
        assert set(found.objects[rows]) == set(range(TRAINED))


def test_photos_of_one_work_under_two_names_are_no_negatives(pool, tmp_path):
    asked = []
    found = trainer(
        pool, tmp_path, replace(QUICK, epochs=0), agree=lambda one, other: asked.append((one, other)) or True
    )
    list(found.run(nothing))
    assert asked and all(pool.objects[one] != pool.objects[other] for one, other in asked)
    assert found.same.confirmed == {tuple(sorted(map(int, pool.objects[list(pair)]))) for pair in asked}


def test_bf16_trains_nearly_the_same(pool, tmp_path):
    for name in ("full", "half"):
        (tmp_path / name).mkdir()
    alike = replace(QUICK, index_mining=False)  # neighbours that change places would make other batches
    full = trained(pool, tmp_path / "full", alike)[1]
    half = trained(pool, tmp_path / "half", replace(alike, bf16=True))[1]
    assert half[0].loss == pytest.approx(full[0].loss, rel=0.05) and half[0].loss != full[0].loss


def test_a_loss_that_is_no_number_stops_it_with_advice(pool, tmp_path):
    broken = pool.features.copy()
    broken[:6] = np.nan
    found = trainer(Pool(pool.rows, broken, pool.frozen), tmp_path, replace(QUICK, index_mining=False))
    found.validation = np.flatnonzero(pool.objects >= TRAINED)
    with pytest.raises(Collapsed, match=r"no number.*Lower the rate"):
        list(found.run(nothing))


def test_embeddings_that_collapse_stop_it_with_advice(pool, tmp_path):
    options = replace(QUICK, losses=("contrastive",), apart=0.0, spread=0.0, head_epochs=200, epochs=0, rate=1.0)
    with pytest.raises(Collapsed, match="Lower the rate"):
        list(trainer(pool, tmp_path, options).run(nothing))
