"""The forecast of a training: pictures, disk, memory and time, measured on a few."""

import shutil
import time
from dataclasses import replace
from itertools import count
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("timm")

from indexer.training.forecast import SPARE, make_forecast  # noqa: E402
from indexer.training.run import make_pool  # noqa: E402
from retrieval.errors import ArtifactError  # noqa: E402
from tests.indexer.plans import content, tower  # noqa: E402


def test_it_is_foreseen_how_many_pictures_there_are_and_how_much_they_take(plan):
    plan.work.mkdir(parents=True)
    found = make_forecast(plan)
    rows = 14 * 2 + 13 * 2  # each photo and its view; the copies of the genuine ones
    assert found.pictures == rows and found.megabytes == pytest.approx(rows * 64 * 48 * 3 / 1e6)


def test_what_is_frozen_is_foreseen_as_what_it_makes(plan):
    plan = replace(plan, options=replace(plan.options, unfreeze=8))
    plan.work.mkdir(parents=True)
    found = make_forecast(plan)
    pool = make_pool(plan, on_progress=lambda done, total: None)
    assert pool.frozen == 1
    assert found.megabytes * 1e6 == pool.features.nbytes and found.pictures == len(pool.rows)


def test_memory_is_foreseen_by_the_size_of_a_batch(plan):
    plan.work.mkdir(parents=True)
    few, many = (make_forecast(replace(plan, options=replace(plan.options, objects=count))) for count in (100, 1100))
    step = many.memory - few.memory
    twice = make_forecast(replace(plan, options=replace(plan.options, objects=2100))).memory - many.memory
    assert few.memory > 100 and step > 0  # torch alone takes more
    assert twice == pytest.approx(step, rel=0.1)


def test_the_time_is_foreseen_from_what_a_few_take(plan, monkeypatch):
    clock = count(0.0, 8.0)  # making the pictures of four photos takes 8 seconds, learning from them too
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    plan.work.mkdir(parents=True)
    few = 4 * 4
    plan = replace(plan, options=replace(plan.options, epochs=10, photos=3, forgeries=0))
    rows = len(plan.rows)
    assert make_forecast(plan).seconds == pytest.approx(rows * 8 / few + 10 * (6 * 3 + rows / 5) * 8 / few)
    copies = replace(plan, options=replace(plan.options, forgeries=2))
    assert make_forecast(copies).seconds == pytest.approx(rows * 8 / few + 10 * (6 * 5 + rows / 5) * 8 / few)


@pytest.mark.parametrize("unfreeze", [0, 99])
def test_a_forecast_changes_nothing(plan, unfreeze):
    plan = replace(plan, options=replace(plan.options, unfreeze=unfreeze))
    plan.work.mkdir(parents=True)
    make_forecast(plan)
    assert not content(plan.out)
    for name, value in plan.start.network.state_dict(keep_vars=True).items():
        assert torch.equal(value, tower().state_dict()[name]) and value.grad is None


@pytest.mark.parametrize("there", [0, 100_000])
def test_a_full_disk_is_foreseen(plan, monkeypatch, there):
    plan.work.mkdir(parents=True)
    (plan.work / "pool.npy").write_bytes(bytes(there))  # that will be written over
    needed = int(len(plan.rows) * 64 * 48 * 3 * SPARE)
    disk = SimpleNamespace(free=needed + 1 - there)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: disk)
    assert make_forecast(plan).pictures == len(plan.rows)
    disk.free -= 2
    with pytest.raises(ArtifactError, match=r"GB are free in .*--views and --copies"):
        make_forecast(plan)
