"""The folder that a training leaves: the encoder, its card and figures, whole or not at all."""

import errno
import json
import os
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("timm")

from indexer.training.held_back import evaluate_held_back  # noqa: E402
from indexer.training.history import EpochRecord  # noqa: E402
from indexer.training.plan import TrainingPlan, rows_showing  # noqa: E402
from indexer.training.publish import KEPT, TrainingResult, publish_encoder  # noqa: E402
from retrieval.encoder.encoder import DESCRIPTION  # noqa: E402
from tests.indexer.plans import SPLIT, Known, content  # noqa: E402


@pytest.fixture
def trained(plan: TrainingPlan, known: Known) -> TrainingResult:
    rows = rows_showing(plan, known.pool, SPLIT.test)
    found = evaluate_held_back(known, rows, rows)
    record = EpochRecord("head", 1, 0.5, 0.4, 0.01, 1.2, 0.9, 0.1, 0.95, 2.0, 10, True)
    return TrainingResult([record], {}, found, found, True, [])


@pytest.fixture
def finished(plan: TrainingPlan) -> TrainingPlan:
    """The folder of a training that has only to be published."""
    (plan.work / "encoder").mkdir(parents=True)
    for name in ("model.safetensors", "openvino.bin", "openvino.xml", DESCRIPTION):
        (plan.work / "encoder" / name).write_text(name)
    for name in ("plan.json", "split.json", "history.jsonl", "pool.npy", "pool.json", "checkpoint.json"):
        (plan.work / name).write_text(name)
    (plan.work / "checkpoint-2.safetensors").write_text("numbers")
    (plan.work / "tensorboard").mkdir()
    (plan.work / "tensorboard" / "events").write_text("events")
    return plan


def test_an_encoder_is_published_with_its_card_and_figures_and_nothing_else_is_left(finished, trained):
    publish_encoder(finished, trained, {"curves.png": b"picture"})
    own = {DESCRIPTION, "model.safetensors", "openvino.bin", "openvino.xml"}
    found = content(finished.out)
    assert set(found) == own | {"README.md", "metrics.json", "curves.png"} | {
        f"training/{name}" for name in ("plan.json", "split.json", "history.jsonl", "tensorboard/events")
    }
    assert {name.split("/")[1] for name in found if "/" in name} == set(KEPT)
    assert all(found[name] == name.encode() for name in own) and found["curves.png"] == b"picture"
    metrics = json.loads(found["metrics.json"])
    assert metrics["after"] == trained.after.as_dict() and metrics["threshold"] == trained.after.threshold
    assert metrics["held_back"] == "test" and "combination" not in metrics
    assert metrics["counts"]["objects"] == 3 and b"artifact train" in found["README.md"]


@pytest.mark.parametrize("at", range(1, 8))
def test_a_folder_becomes_an_encoder_with_the_last_file(finished, trained, monkeypatch, at):
    calls, known = count(1), os.replace

    def replaced(source: Path, target: Path) -> None:
        if next(calls) == at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))
        known(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", replaced)
        with pytest.raises(OSError, match="No space left"):
            publish_encoder(finished, trained, {"curves.png": b"picture"})
    assert next(calls) == at + 1 and not (finished.out / DESCRIPTION).exists()
    assert (finished.work / "checkpoint.json").exists() and (finished.work / "pool.npy").exists()
    for path in finished.out.iterdir():  # as the next run writes them again
        if path.is_file():
            (finished.work / "encoder" / path.name).write_bytes(path.read_bytes())
    publish_encoder(finished, trained, {"curves.png": b"picture"})
    assert (finished.out / DESCRIPTION).read_text() == DESCRIPTION
    assert {path.name for path in finished.work.iterdir()} == set(KEPT)


def test_figures_of_validation_objects_are_not_called_those_of_a_test(finished, trained):
    publish_encoder(finished, replace(trained, tested=False), {})
    metrics = json.loads((finished.out / "metrics.json").read_text())
    assert metrics["held_back"] == "validation"
