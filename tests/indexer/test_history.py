"""The record of a training: written, torn by a kill, read, cut back, and said in a line."""

import math
import sys
from dataclasses import asdict, replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.training.history import (
    HEADER,
    EpochRecord,
    append,
    best_epoch,
    duration,
    line,
    log,
    read,
    tensorboard_writer,
    total,
    truncate,
)
from retrieval.errors import ArtifactError


def record(epoch: int = 1, **changed: Any) -> EpochRecord:
    made = EpochRecord("tower", epoch, 0.25, 0.5, 0.01, 1.2, 0.8, 0.1, 0.95, 12.5, 640, False)
    return replace(made, **changed)


def written(path: Path, *records: EpochRecord) -> Path:
    for each in records:
        append(path, each)
    return path


def test_what_is_written_is_read(tmp_path: Path) -> None:
    records = [record(1), record(2, phase='p"\n\u00e9\udcff', loss=1 / 3, best=True)]
    assert read(written(tmp_path / "history.jsonl", *records)) == records


def test_there_is_nothing_to_read_before_the_first_epoch(tmp_path: Path) -> None:
    assert read(tmp_path / "history.jsonl") == []
    truncate(tmp_path / "history.jsonl", 3)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_no_number_is_valid_json_and_read_as_nan(tmp_path: Path, value: float) -> None:
    path = written(tmp_path / "history.jsonl", record(eer=value))
    assert b'"eer": null' in path.read_bytes()
    assert math.isnan(read(path)[0].eer)


def test_wherever_a_kill_cuts_the_last_line_it_is_dropped_and_written_again(tmp_path: Path) -> None:
    path = written(tmp_path / "history.jsonl", record(1))
    first = path.read_bytes()
    whole = written(path, record(2)).read_bytes()
    for end in range(len(first), len(whole)):
        path.write_bytes(whole[:end])
        assert read(path) == [record(1)]
        append(path, record(2))
        assert path.read_bytes() == whole


def test_a_resumed_run_does_not_double_lines(tmp_path: Path) -> None:
    path = written(tmp_path / "history.jsonl", record(1), record(2), record(3))
    path.write_bytes(path.read_bytes() + b'{"phase": "tow')
    truncate(path, 2)
    written(path, record(3, loss=0.1))
    assert [(each.epoch, each.loss) for each in read(path)] == [(1, 0.25), (2, 0.25), (3, 0.1)]
    truncate(path, 0)
    assert read(path) == []
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "bad", [b"", b"[]", b"null", b"{}", b"\xff", b'{"phase": "head", "epoch": 1}', b"epoch 1", b'"text"']
)
def test_a_line_that_is_no_record_is_named(tmp_path: Path, bad: bytes) -> None:
    path = written(tmp_path / "history.jsonl", record(1))
    path.write_bytes(path.read_bytes() + bad + b"\n")
    with pytest.raises(
        ArtifactError, match=r"history\.jsonl line 2 is no record of an epoch.*move the file away"
    ) as said:
        read(path)
    assert "\n" not in str(said.value)


@pytest.mark.parametrize(("name", "value"), [("epoch", 1.5), ("epoch", True), ("best", 1), ("loss", "x"), ("phase", 3)])
def test_a_value_of_another_kind_is_refused(tmp_path: Path, name: str, value: Any) -> None:
    path = tmp_path / "history.jsonl"
    append(path, EpochRecord(**{**asdict(record()), name: value}))
    with pytest.raises(ArtifactError, match="line 1"):
        read(path)


def test_the_epoch_kept_is_the_last_that_was_the_best_so_far() -> None:
    records = [record(1, best=True), record(2, best=True), record(3)]
    assert best_epoch(records) is records[1]
    assert best_epoch(records[2:]) is None


def test_a_line_says_each_figure_under_its_name() -> None:
    said = line(record(7, phase="semi-hard, tower", best=True, active=0.415, seconds=3725.4))
    assert said.split() == [
        "7",
        "semi-hard,…",
        "0.2500",
        "42%",
        "1.0e-02",
        "1.200",
        "0.800",
        "10.0%",
        "0.950",
        "1:02:05",
        "*",
    ]
    for name, cell in (
        ("loss", "0.2500"),
        ("active", "42%"),
        ("rate", "1.0e-02"),
        ("recall@1", "0.800"),
        ("AUC", "0.950"),
    ):
        assert HEADER.index(name) + len(name) == said.index(cell) + len(cell)


shares = st.floats(0, 1) | st.just(math.nan)


@given(
    st.integers(1, 99_999), st.text(max_size=30), st.floats(0, 99_999) | st.just(math.nan), shares, shares,
    st.floats(1e-9, 99), st.floats(0, 35_999), st.booleans(),
)  # fmt: skip
def test_a_line_never_exceeds_80_columns(
    epoch: int, phase: str, loss: float, share: float, other: float, rate: float, seconds: float, best: bool
) -> None:
    made = EpochRecord(phase, epoch, loss, share, rate, 2 * other, other, share, other, seconds, 640, best)
    assert len(line(made)) <= 80


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.4, "0:00"), (59.6, "1:00"), (61, "1:01"), (3599.7, "1:00:00"), (36061, "10:01:01")]
)
def test_a_duration(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_the_total() -> None:
    assert total([record(1)]) == "1 epoch, 640 views, 0:12"
    assert total([record(epoch, seconds=1800) for epoch in (1, 2, 3)]) == "3 epochs, 1,920 views, 1:30:00"


class Writer:
    """Stands for the writer of torch; keeps what it was told."""

    def __init__(self, folder: str, purge_step: int) -> None:
        self.made, self.told, self.flushed = (folder, purge_step), {}, 0

    def add_scalar(self, name: str, value: float, step: int) -> None:
        self.told[name] = value, step

    def flush(self) -> None:
        self.flushed = len(self.told)


def with_module(monkeypatch: pytest.MonkeyPatch, module: Any) -> None:
    for name in ("torch", "torch.utils"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)


def test_tensorboard_is_told_what_is_known_of_each_epoch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with_module(monkeypatch, SimpleNamespace(SummaryWriter=Writer))
    writer = tensorboard_writer(tmp_path, after=4)
    assert writer is not None and writer.made == (str(tmp_path), 5)
    log(writer, record(5, auc=math.nan))
    assert writer.told == {
        "training/loss": (0.25, 5),
        "training/active": (0.5, 5),
        "training/rate": (0.01, 5),
        "training/spread": (1.2, 5),
        "validation/recall_at_1": (0.8, 5),
        "validation/eer": (0.1, 5),
    }
    assert writer.flushed == 6


def test_without_tensorboard_there_is_no_log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with_module(monkeypatch, None)  # as where it is not installed
    assert tensorboard_writer(tmp_path / "log") is None
    log(None, record())
    assert list(tmp_path.iterdir()) == []
