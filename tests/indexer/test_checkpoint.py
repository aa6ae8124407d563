"""A training that was killed goes on from its checkpoint as if it had not been; a failed write leaves the old one."""

import json
import os
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from indexer.training import checkpoint as checkpoint_module  # noqa: E402
from indexer.training.checkpoint import SCHEMA, Checkpoint, load_checkpoint, save_checkpoint  # noqa: E402

OPTIMIZERS = {
    "sgd": lambda groups: torch.optim.SGD(groups, lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-4),
    "plain sgd": lambda groups: torch.optim.SGD(groups, lr=0.1),
    "adamw": lambda groups: torch.optim.AdamW(groups, lr=0.1, weight_decay=0.01),
    "amsgrad": lambda groups: torch.optim.AdamW(groups, lr=0.1, amsgrad=True),
}
EACH = pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS.keys())


class Run:
    """A network that is trained on pictures drawn from the number of the step, in two groups at two rates."""

    def __init__(self, make=OPTIMIZERS["sgd"]) -> None:
        torch.manual_seed(3)
        self.network = torch.nn.Sequential(
            torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Flatten(), torch.nn.Linear(16, 2)
        ).to(memory_format=torch.channels_last)
        groups = [
            {"params": list(self.network[3].parameters()), "lr": 0.05},
            {"params": list(self.network[:2].parameters()), "lr": 0.01},
        ]
        self.optimizer = make(groups)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, lambda step: 1 / (1 + step))
        self.steps = 0

    def go(self, steps: int) -> None:
        for _ in range(steps):
            pictures = torch.randn(5, 3, 4, 4, generator=torch.Generator().manual_seed(self.steps))
            self.optimizer.zero_grad()
            self.network(pictures).square().mean().backward()
            self.optimizer.step()
            self.schedule.step()
            self.steps += 1

    def state(self) -> dict:
        return {name: value.clone() for name, value in self.network.state_dict().items()}

    def checkpoint(self, epoch: int = 4) -> Checkpoint:
        best = {name: value.clone() + 1 for name, value in self.network.state_dict().items()}
        state = self.optimizer.state_dict(), self.schedule.state_dict()
        return Checkpoint(epoch, 0.75, self.state(), best, *state, [(3, 9, True), (4, 5, False)])

    def restore(self, found: Checkpoint) -> None:
        self.network.load_state_dict(found.network)
        self.optimizer.load_state_dict(found.optimizer)
        self.schedule.load_state_dict(found.schedule)


def same(one: dict, other: dict) -> bool:
    return one.keys() == other.keys() and all(
        one[name].dtype == other[name].dtype and torch.equal(one[name], other[name]) for name in one
    )


def saved(path: Path, epoch: int = 4) -> Checkpoint:
    """Save what a run is after as many steps as epochs, and return it."""
    run = Run()
    run.go(epoch)
    checkpoint = run.checkpoint(epoch)
    save_checkpoint(path, checkpoint)
    return checkpoint


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_without_a_file_there_is_no_checkpoint(tmp_path):
    assert load_checkpoint(tmp_path / "checkpoint.json") is None


@EACH
def test_all_comes_back_as_it_was(tmp_path, make):
    run, path = Run(make), tmp_path / "checkpoint.json"
    run.go(3)
    wanted = run.checkpoint()
    save_checkpoint(path, wanted)
    found = load_checkpoint(path)
    assert (found.epoch, found.best_score, found.same) == (4, 0.75, [(3, 9, True), (4, 5, False)])
    assert same(found.network, wanted.network) and same(found.best, wanted.best)
    assert not same(found.network, found.best)
    assert found.network["1.num_batches_tracked"].dtype == torch.int64  # not only floats
    state = {
        number: kept for number, kept in wanted.optimizer["state"].items() if any(v is not None for v in kept.values())
    }
    assert found.optimizer["state"].keys() == state.keys()
    for number, kept in state.items():
        assert same(found.optimizer["state"][number], kept)
    assert json.loads(path.read_text())["schema"] == SCHEMA


@EACH
def test_a_run_that_goes_on_is_one_that_was_not_stopped(tmp_path, make):
    whole, first, second = Run(make), Run(make), Run(make)
    whole.go(7)
    first.go(4)
    save_checkpoint(tmp_path / "checkpoint.json", first.checkpoint())
    second.go(2)  # whatever it was
    second.restore(load_checkpoint(tmp_path / "checkpoint.json"))
    second.steps = 4
    second.go(3)
    assert same(second.state(), whole.state()) and not same(first.state(), whole.state())
    assert [group["lr"] for group in second.optimizer.param_groups] == [
        group["lr"] for group in whole.optimizer.param_groups
    ]
    assert second.schedule.get_last_lr() == whole.schedule.get_last_lr() != first.schedule.get_last_lr()


def test_a_run_before_its_first_step_comes_back(tmp_path):
    save_checkpoint(tmp_path / "checkpoint.json", Run().checkpoint(0))
    whole, second = Run(), Run()
    second.go(3)
    second.restore(load_checkpoint(tmp_path / "checkpoint.json"))
    assert load_checkpoint(tmp_path / "checkpoint.json").optimizer["state"] == {}
    assert same(second.state(), whole.state())


@pytest.mark.parametrize("score", [float("-inf"), 0.1 + 0.2, -1e-300])
def test_any_score_comes_back_exactly(tmp_path, score):
    run = Run()
    state = run.optimizer.state_dict(), run.schedule.state_dict()
    save_checkpoint(tmp_path / "checkpoint.json", Checkpoint(1, score, run.state(), {}, *state, []))
    found = load_checkpoint(tmp_path / "checkpoint.json")
    assert found.best_score == score and found.best == {} and found.same == []


def test_numbers_that_are_no_tensors_come_back_too(tmp_path):
    run = Run(OPTIMIZERS["adamw"])
    run.go(2)
    state = run.optimizer.state_dict()
    for number, kept in state["state"].items():
        kept["step"] = 2 + number
        kept["nothing"] = None
    save_checkpoint(
        tmp_path / "checkpoint.json", Checkpoint(2, 0.0, run.state(), {}, state, run.schedule.state_dict(), [])
    )
    found = load_checkpoint(tmp_path / "checkpoint.json").optimizer["state"]
    assert {number: kept["step"] for number, kept in found.items()} == {number: 2 + number for number in range(6)}
    assert all(kept.keys() == {"step", "exp_avg", "exp_avg_sq"} for kept in found.values())


# -- files


def test_the_numbers_of_the_last_epoch_replace_those_before(tmp_path):
    path = tmp_path / "checkpoint.json"
    for other in ("other-1.safetensors", "model.safetensors", "checkpoint.log"):
        (tmp_path / other).write_bytes(b"not ours")
    saved(path, 1)
    assert "checkpoint-1.safetensors" in names(tmp_path)
    wanted = saved(path, 2)
    assert names(tmp_path) == sorted(
        ["checkpoint.json", "checkpoint-2.safetensors", "other-1.safetensors", "model.safetensors", "checkpoint.log"]
    )
    assert same(load_checkpoint(path).network, wanted.network)


class DiskFull(OSError):
    """What a write runs into."""


def failing(real, at: int):
    """Return a function that writes half of what it should the `at`-th time it is called, and raises."""
    calls = []

    def write(*arguments, **options):
        calls.append(arguments)
        if len(calls) != at:
            return real(*arguments, **options)
        for argument in arguments:
            if isinstance(argument, Path) and argument.suffix == ".new":
                argument.write_bytes(b'{"schema": ')
        raise DiskFull

    return write


@pytest.mark.parametrize(
    ("owner", "name", "at"),
    [(checkpoint_module, "save_file", 1), (os, "replace", 1), (os, "replace", 2), (Path, "write_text", 1)],
    ids=["numbers", "naming the numbers", "naming the description", "description"],
)
def test_a_write_that_fails_leaves_what_was_before(tmp_path, monkeypatch, owner, name, at):
    path = tmp_path / "checkpoint.json"
    wanted = saved(path, 1)
    with monkeypatch.context() as patched, pytest.raises(DiskFull):
        patched.setattr(owner, name, failing(getattr(owner, name), at))
        saved(path, 2)
    found = load_checkpoint(path)
    assert found.epoch == 1 and same(found.network, wanted.network) and same(found.best, wanted.best)
    assert not [file for file in names(tmp_path) if file.endswith(".new")]
    wanted = saved(path, 2)
    assert load_checkpoint(path).epoch == 2 and same(load_checkpoint(path).network, wanted.network)
    assert names(tmp_path) == ["checkpoint-2.safetensors", "checkpoint.json"]


@pytest.mark.parametrize("at", [1, 2])
def test_a_first_write_that_fails_leaves_no_checkpoint(tmp_path, monkeypatch, at):
    path = tmp_path / "checkpoint.json"
    with monkeypatch.context() as patched, pytest.raises(DiskFull):
        patched.setattr(os, "replace", failing(os.replace, at))
        saved(path, 1)
    assert load_checkpoint(path) is None
