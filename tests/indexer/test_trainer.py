"""The training loop: repeatable, resumable, head first, the best epoch kept, and a collapse that stops it."""

import math
from copy import deepcopy
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("timm")

from indexer.metric_learning.encoder_figures import Summary  # noqa: E402
from indexer.metric_learning.losses import distances  # noqa: E402
from indexer.metric_learning.mining import MINERS  # noqa: E402
from indexer.training import trainer as train_module  # noqa: E402
from indexer.training.history import EpochRecord  # noqa: E402
from indexer.training.options import LOSSES, SCHEDULE, TrainingOptions  # noqa: E402
from indexer.training.phases import (  # noqa: E402
    FADE,
    HEAD,
    TOWER,
    WARM_UP,
    make_optimizer,
    rate_share,
    trainable_groups,
)
from indexer.training.pool import PLAIN, REPHOTOGRAPH, PictureRow, Pool  # noqa: E402
from indexer.training.trainer import Trainer  # noqa: E402
from retrieval.encoder.network import EmbeddingNetwork  # noqa: E402
from retrieval.encoder.preprocessing import Preprocessing  # noqa: E402
from retrieval.errors import Collapsed  # noqa: E402

SHAPE = Preprocessing(64, 64, (0.5,) * 3, (0.5,) * 3)
OBJECTS, TRAINED = 16, 11
QUICK = TrainingOptions(head_epochs=2, epochs=2, unfreeze=1, objects=6, photos=2, seed=3)


@cache
def untrained() -> EmbeddingNetwork:
    torch.manual_seed(0)
    return EmbeddingNetwork("tf_efficientnet_lite0", projection=8).eval()


def network() -> EmbeddingNetwork:
    return deepcopy(untrained())


@pytest.fixture(scope="module")
def pool() -> Pool:
    """What a frozen tower made of 16 objects: four genuine pictures and two forgeries of each, near their object."""
    random = np.random.default_rng(0)
    rows, values = [], []
    for number in range(OBJECTS):
        centre = random.random((320, 2, 2))
        for index, kind in enumerate([PLAIN, REPHOTOGRAPH, REPHOTOGRAPH, REPHOTOGRAPH, "oil", "oil"]):
            rows.append(PictureRow(number, number, kind != "oil", kind, index))
            values.append(centre + random.normal(0, 0.35, centre.shape) + 0.2 * (kind == "oil"))
    parts = len(network().parts())
    return Pool(tuple(rows), np.stack(values).astype(np.float16), parts - 1)


def trainer(pool: Pool, folder: Path, options: TrainingOptions = QUICK, agree=lambda one, other: False) -> Trainer:
    folder.mkdir(exist_ok=True)
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


def trained(pool: Pool, folder: Path, options: TrainingOptions = QUICK) -> tuple[Trainer, list[EpochRecord]]:
    found = trainer(pool, folder, options)
    return found, list(found.run(nothing))


def weights(found: Trainer) -> dict[str, bytes]:
    return {name: value.numpy().tobytes() for name, value in found.network.state_dict().items()}


def untimed(records: list[EpochRecord]) -> list[EpochRecord]:
    return [replace(record, seconds=0.0) for record in records]


def scored(monkeypatch: pytest.MonkeyPatch, *recalls: float) -> None:
    """Let validation find these: before the first epoch, and after each."""
    left = iter(recalls)
    monkeypatch.setattr(Trainer, "summary", lambda *_: Summary(next(left), 0.0, 1.0, 1.0))


def test_the_rate_rises_then_falls_as_half_a_cosine():
    steps = 200
    shares = [rate_share(step, steps) for step in range(steps + 1)]
    warm = round(WARM_UP * steps)
    assert shares[:warm] == pytest.approx([(step + 1) / warm for step in range(warm)])
    assert shares[warm] == 1.0 and shares[-1] == pytest.approx(0.0, abs=1e-9)
    assert shares[(steps + warm) // 2] == pytest.approx(0.5) and np.diff(shares[warm:]).max() < 0
    assert rate_share(0, 1) == 1.0


def test_the_same_seed_gives_the_same_weights_bit_for_bit(pool, tmp_path):
    one, first = trained(pool, tmp_path / "a")
    other, second = trained(pool, tmp_path / "b")
    assert weights(one) == weights(other) and untimed(first) == untimed(second)
    assert weights(trained(pool, tmp_path / "c", replace(QUICK, seed=4))[0]) != weights(one)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_a_stopped_training_goes_on_to_the_same_end(pool, tmp_path, epochs, optimizer):
    options = replace(QUICK, optimizer=optimizer, rate=0.02 if optimizer == "sgd" else 0.001, keep="last")
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
    seen = {}
    for record in found.run(nothing):
        now = found.network.state_dict()
        seen[record.epoch] = (record.phase, {name for name in now if not torch.equal(now[name], before[name])})
    assert [phase for phase, _ in seen.values()] == [HEAD, HEAD, TOWER, TOWER]
    assert seen[2][1] == {"project.weight", "project.bias"}
    last = {name for name in seen[4][1] if not name.startswith("project")}
    assert last and all(name.startswith(("tower.conv_head", "tower.bn2")) for name in last)
    assert not any("running" in name for name in last)


def test_deeper_parts_are_trained_more_slowly():
    groups = trainable_groups(network(), TOWER, frozen=len(network().parts()) - 3, rate=0.5)
    assert [group["lr"] for group in groups] == pytest.approx([0.5 * FADE**depth for depth in range(4)])
    assert len(trainable_groups(network(), HEAD, frozen=0, rate=0.5)) == 1


def test_the_best_epoch_by_validation_is_kept(pool, tmp_path, monkeypatch):
    scored(monkeypatch, 0.1, 0.5, 0.9, 0.3, 0.2)
    found = trainer(pool, tmp_path)
    states, best = [], []
    for record in found.run(nothing):
        states.append({name: value.clone() for name, value in found.network.state_dict().items()})
        best.append(record.best)
    assert best == [True, True, False, False]
    assert all(torch.equal(value, states[1][name]) for name, value in found.network.state_dict().items())
    assert not torch.equal(states[1]["project.weight"], states[3]["project.weight"])


def test_a_training_that_never_helps_leaves_the_network_as_it_was(pool, tmp_path, monkeypatch):
    scored(monkeypatch, 0.9, 0.5, 0.5, 0.5, 0.5)
    found, records = trained(pool, tmp_path)
    assert not any(record.best for record in records)
    before = network().state_dict()
    assert all(torch.equal(value, before[name]) for name, value in found.network.state_dict().items())


def test_the_last_epoch_is_kept_where_that_is_asked_for(pool, tmp_path, monkeypatch):
    scored(monkeypatch, 0.9, 0.5, 0.4, 0.3, 0.2)
    found = trainer(pool, tmp_path, replace(QUICK, keep="last"))
    for _ in found.run(nothing):
        last = {name: value.clone() for name, value in found.network.state_dict().items()}
    assert all(torch.equal(value, last[name]) for name, value in found.network.state_dict().items())
    assert not torch.equal(last["project.weight"], network().state_dict()["project.weight"])


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_weights_are_interpolated_between_the_start_and_the_best(pool, tmp_path, share):
    start = trainer(pool, tmp_path / "start").network.state_dict()
    whole = trained(pool, tmp_path / "whole", replace(QUICK, keep="last"))[0].network.state_dict()
    mixed = trained(pool, tmp_path / "mixed", replace(QUICK, keep="last", interpolate=share))[0].network.state_dict()
    assert any(not torch.equal(start[name], value) for name, value in whole.items())
    for name, value in mixed.items():
        assert torch.allclose(value.float(), (1 - share) * start[name] + share * whole[name], atol=1e-6)


def test_the_weights_of_the_start_are_known_again_after_a_stop(pool, tmp_path):
    options = replace(QUICK, keep="last", interpolate=0.5)
    whole = weights(trained(pool, tmp_path / "whole", options)[0])
    running = trainer(pool, tmp_path / "stopped", options).run(nothing)
    next(running), next(running)
    again = trainer(pool, tmp_path / "stopped", options)
    assert again.epochs_done == 1 and len(list(again.run(nothing))) == 3
    assert weights(again) == whole


def test_the_tower_is_trained_from_the_best_head(pool, tmp_path, monkeypatch):
    scored(monkeypatch, 0.1, 0.5, 0.3, 0.2, 0.2)
    found = trainer(pool, tmp_path, replace(QUICK, rate=1e-8))  # at which a phase changes next to nothing
    heads = []
    for record in found.run(nothing):
        heads.append(found.network.project.weight.detach().clone())
        if record.epoch == 1:
            found.best = {name: value + 1.0 for name, value in found.best.items()}
    assert torch.allclose(heads[1], heads[0], atol=1e-4) and torch.allclose(heads[2], heads[0] + 1.0, atol=1e-4)


def test_the_best_epoch_is_kept_after_a_stop(pool, tmp_path, monkeypatch):
    scored(monkeypatch, 0.1, 0.5, 0.3, 0.2)
    running = (begun := trainer(pool, tmp_path)).run(nothing)
    assert next(running).best
    first = {name: value.clone() for name, value in begun.network.state_dict().items()}
    next(running), next(running)
    again = trainer(pool, tmp_path)
    assert again.epochs_done == 2  # the third was told of and not saved
    scored(monkeypatch, 0.4, 0.4)
    assert not any(record.best for record in again.run(nothing))
    assert all(torch.equal(value, first[name]) for name, value in again.network.state_dict().items())


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
    distance = distances(torch.from_numpy(found.tower.embed(rows))).numpy()
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
    alike = replace(QUICK, index_mining=False)  # neighbours that change places would make other batches
    full = trained(pool, tmp_path / "full", alike)[1]
    half = trained(pool, tmp_path / "half", replace(alike, precision="bf16"))[1]
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


def test_gradients_of_an_unlucky_batch_are_cut(pool, tmp_path, monkeypatch):
    options = replace(QUICK, head_epochs=1, epochs=0, losses=("supervised-contrastive",), rate=1.0, keep="last")
    free = moved(trained(pool, tmp_path / "free", options)[0])
    monkeypatch.setattr("indexer.training.phases.LONGEST_GRADIENT", 1e-3)
    short = moved(trained(pool, tmp_path / "short", options)[0])
    assert 0 < short < 0.1 * free


def moved(found: Trainer) -> float:
    return float((found.network.project.weight - network().project.weight).detach().norm())


def test_sgd_with_momentum_is_the_default_and_adamw_an_option():
    groups = trainable_groups(network(), HEAD, frozen=0, rate=0.5)
    found = make_optimizer(TrainingOptions().optimizer, groups, rate=0.5)
    assert isinstance(found, torch.optim.SGD) and found.defaults["momentum"] == 0.9
    assert isinstance(make_optimizer("adamw", groups, rate=0.5), torch.optim.AdamW)


def test_each_step_is_told_and_takes_its_share_of_the_rate(pool, tmp_path, monkeypatch):
    rates, told = [], []
    known = torch.optim.SGD.step
    monkeypatch.setattr(
        torch.optim.SGD,
        "step",
        lambda self, *more: rates.append([group["lr"] for group in self.param_groups]) or known(self, *more),
    )
    options = replace(QUICK, head_epochs=3, epochs=2, unfreeze=1, rate=0.5)
    records = list(trainer(pool, tmp_path, options).run(lambda done, total: told.append((done, total))))
    steps = told[0][1]
    assert told == [(done, steps) for _ in range(5) for done in range(1, steps + 1)] and steps > 1
    head, tower = rates[: 3 * steps], rates[3 * steps :]
    assert head == [pytest.approx([0.5 * rate_share(step, 3 * steps)]) for step in range(3 * steps)]
    assert tower == [
        pytest.approx([0.5 * rate_share(step, 2 * steps), 0.5 * FADE * rate_share(step, 2 * steps)])
        for step in range(2 * steps)
    ]
    assert records[2].rate == records[4].rate == 0.0 and records[0].rate > records[1].rate > 0


def test_the_schedule_mines_semi_hard_triplets_and_then_batch_hard_ones_in_each_phase(pool, tmp_path, monkeypatch):
    used = []
    known = train_module.make_miner
    monkeypatch.setattr(train_module, "make_miner", lambda name, **more: used.append(name) or known(name, **more))
    trained(pool, tmp_path, replace(QUICK, head_epochs=4, epochs=2))
    assert used == ["semi-hard", "semi-hard", "batch-hard", "batch-hard", "semi-hard", "batch-hard"]


def test_an_epoch_draws_other_pictures_of_every_object(pool, tmp_path):
    found = trainer(pool, tmp_path)
    first, second = (np.concatenate(list(found._batches(epoch, None))) for epoch in (0, 1))
    assert set(found.objects[first]) == set(found.objects[second]) == set(range(TRAINED))
    assert set(first) != set(second) and set(first) <= set(found.training)


def test_an_epoch_goes_about_once_through_the_pictures(pool, tmp_path):
    found = trainer(pool, tmp_path, replace(QUICK, photos=2, epochs=0))  # four genuine pictures of each object
    assert [record.views for record in found.run(nothing)] == [TRAINED * 2 * 2] * 2
    found = trainer(pool, tmp_path / "all", replace(QUICK, photos=4, epochs=0))
    assert [record.views for record in found.run(nothing)] == [TRAINED * 4] * 2


def test_the_nearest_wrong_plain_photos_are_found(pool, tmp_path):
    found = trainer(pool, tmp_path)
    source = found.tower
    near = found._neighbours(source)
    plain = [row for row in found.training if pool.rows[row].kind == PLAIN]
    vectors = source.embed(found.training)
    for place, row in enumerate(found.training):
        if row not in plain:
            assert (near[place] == -1).all()
            continue
        away = {
            other: float(np.linalg.norm(vectors[place] - vectors[np.flatnonzero(found.training == other)[0]]))
            for other in plain
            if other != row
        }
        wanted = sorted(away, key=lambda other: away[other])[: near.shape[1]]
        assert [away[other] for other in found.training[near[place]]] == pytest.approx(
            [away[other] for other in wanted]
        )


def test_pairs_found_to_be_one_work_are_not_checked_again_after_a_stop(pool, tmp_path):
    asked = []

    def agree(one: int, other: int) -> bool:
        asked.append((one, other))
        return len(asked) % 2 == 0

    options = replace(QUICK, head_epochs=2, epochs=0, rate=1e-8)
    begun = trainer(pool, tmp_path, options, agree)
    running = begun.run(nothing)
    next(running), next(running)
    checked = begun.same.checked
    assert checked == len(asked) > 1
    again = trainer(pool, tmp_path, options, agree)
    assert again.epochs_done == 1 and len(list(again.run(nothing))) == 1
    assert again.same.checked == checked == len(asked) and again.same.confirmed == begun.same.confirmed


@pytest.mark.slow
def test_with_nothing_frozen_all_parts_learn_from_the_pixels(tmp_path):
    random = np.random.default_rng(1)
    rows, pixels = [], []
    for number in range(8):
        centre = random.integers(0, 256, (3, 4, 4)).repeat(16, 1).repeat(16, 2)
        for index in range(2):
            rows.append(PictureRow(number, number, True, REPHOTOGRAPH if index else PLAIN, index))
            pixels.append(np.clip(centre + random.normal(0, 20, centre.shape), 0, 255).astype(np.uint8))
    found = Trainer(
        network(),
        SHAPE,
        Pool(tuple(rows), np.stack(pixels), 0),
        training=np.arange(8),
        validation=np.arange(8, 16),
        options=replace(QUICK, unfreeze=99, head_epochs=0, epochs=1, keep="last", rate=0.1),
        agree=lambda one, other: False,
        checkpoint=tmp_path / "checkpoint.json",
    )
    vectors = found.tower.embed(np.arange(16))
    pictures = SHAPE.scaled(np.stack(pixels).transpose(0, 2, 3, 1))
    with torch.no_grad():
        assert np.allclose(vectors, network()(torch.from_numpy(pictures)).numpy(), atol=1e-5)
    before = {name: value.clone() for name, value in found.network.named_parameters()}
    assert [record.phase for record in found.run(nothing)] == [TOWER]
    assert all(not torch.equal(value, before[name]) for name, value in found.network.named_parameters())


def test_without_any_part_to_train_only_the_head_is(pool, tmp_path):
    found, records = trained(pool, tmp_path, replace(QUICK, unfreeze=0))
    assert [record.phase for record in records] == [HEAD, HEAD]
    found, records = trained(pool, tmp_path / "none", replace(QUICK, head_epochs=0, epochs=0))
    assert records == [] and weights(found) == weights(trainer(pool, tmp_path / "none"))
