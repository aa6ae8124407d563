"""`artifact train`: from labels to an encoder that can be indexed with, resumable; one line for what goes wrong."""

import errno
import filecmp
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

torch = pytest.importorskip("torch")
pytest.importorskip("timm")

import cli.runs.train as command  # noqa: E402
from cli.main import app  # noqa: E402
from indexer.training.export import export_encoder  # noqa: E402
from indexer.training.publish import KEPT  # noqa: E402
from indexer.training.start import open_start  # noqa: E402
from retrieval.encoder.encoder import load_encoder  # noqa: E402
from retrieval.encoder.network import EmbeddingNetwork  # noqa: E402
from retrieval.encoder.preprocessing import Preprocessing  # noqa: E402
from retrieval.extras import how_to_install  # noqa: E402
from tests.pictures import painting  # noqa: E402

SHAPE = Preprocessing(64, 64, (0.5,) * 3, (0.5,) * 3)
QUICK = ("--views", "1", "--copies", "1", "--kinds", "oil,moved", "--dim", "8", "--batch-objects", "6", "--seed", "2")
QUICK += ("--head-epochs", "1", "--epochs", "1", "--unfreeze", "1", "--validation", "0.25", "--test", "0.25")
FILES = {"README.md", "curves.png", "encoder.json", "metrics.json", "model.safetensors", "openvino.bin", "openvino.xml"}
FILES |= {"training", "training.html"}
runner = CliRunner()


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small encoder that knows nothing."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("start")
    export_encoder(EmbeddingNetwork("tf_efficientnet_lite0").eval(), folder, preprocessing=SHAPE)
    return folder


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("catalogue")
    for number in range(12):
        painting(number, (130, 100)).save(folder / f"K-{number:02}.png")
    return folder


@pytest.fixture(scope="module")
def made(start: Path, catalogue: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """An encoder that was trained without a break, and what was said."""
    out = tmp_path_factory.mktemp("made") / "encoder"
    return out, run(catalogue, start, out).output


def run(source: Path, start: Path, out: Path, *more: str, code: int = 0):
    result = runner.invoke(app, ["train", str(source), "--encoder", str(start), "--out", str(out), *QUICK, *more])
    assert result.exit_code == code, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def alike(one: Path, other: Path) -> bool:
    """Say whether two files have the same bytes: to print in what they differ takes minutes."""
    return filecmp.cmp(one, other, shallow=False)


def refused(source: Path, start: Path, out: Path, *more: str) -> str:
    """Return the one line on stderr of a training that cannot be; nothing that looks like an encoder is left."""
    result = run(source, start, out, *more, code=1)
    lines = result.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("artifact: "), result.stderr
    assert not (out / "encoder.json").exists()
    return lines[0]


@pytest.mark.slow
def test_it_says_what_it_does_and_what_came_of_it(made):
    out, said = made
    lines = said.splitlines()
    assert lines[0] == "12 objects, 12 genuine photographs, 0 forgeries"
    assert lines[1] == "6 objects for training, 3 objects for validation, 3 objects for test"
    assert lines[2].startswith("36 pictures; it takes ") and lines[2].endswith(" minute")
    assert sum(line.lstrip().startswith(("1 head", "2 tower")) for line in lines) == 2
    figures = [line.split()[0] for line in lines[lines.index(next(x for x in lines if "before" in x)) + 1 :]]
    assert {"accuracy", "precision", "recall", "F1", "EER", "AUC", "recall@1", "mAP", "GAP"} <= set(figures)
    assert f"artifact index CATALOGUE --encoder {out}" in lines[-1]
    assert max(map(len, (line for line in lines if str(out) not in line))) <= 80


@pytest.mark.slow
def test_the_folder_is_an_encoder_and_nothing_half_written_is_left(made, catalogue, tmp_path):
    out, _ = made
    assert {path.name for path in out.iterdir()} == FILES
    assert {path.name for path in (out / "training").iterdir()} <= {*KEPT}
    encoder = load_encoder(str(out))
    assert encoder.dim == 8
    images = [Image.open(path).convert("RGB") for path in sorted(catalogue.iterdir())]
    vectors = encoder.encode(images)
    network = open_start(str(out)).network
    with torch.inference_mode():
        own = network(torch.from_numpy(np.stack([SHAPE(image) for image in images]))).numpy()
    assert np.abs(vectors - own).max() < 1e-3
    result = runner.invoke(app, ["index", str(catalogue), "--encoder", str(out), "--data", str(tmp_path / "data")])
    assert result.exit_code == 0 and "12 objects" in result.output


def test_its_figures_card_and_pages_agree(made):
    out, _ = made
    metrics = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["held_back"] == "test" and metrics["counts"]["objects"] == 3
    for side in ("before", "after"):
        assert all(0 <= figure["low"] <= figure["value"] <= figure["high"] for figure in metrics[side].values())
    card, page = ((out / name).read_text(encoding="utf-8") for name in ("README.md", "training.html"))
    value = f"{metrics['after']['eer']['value']:.3f}"
    assert value in card and value in page and "artifact train" in card
    assert json.loads((out / "training" / "split.json").read_text())["test"]
    assert Image.open(out / "curves.png").width > 300
    assert "https:" not in page and "http:" not in page.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.slow
def test_the_same_seed_gives_the_same_encoder(made, start, catalogue, tmp_path):
    run(catalogue, start, tmp_path / "again")
    for name in ("model.safetensors", "openvino.bin"):
        assert alike(tmp_path / "again" / name, made[0] / name)
    run(catalogue, start, tmp_path / "other", "--seed", "3")
    assert not alike(tmp_path / "other" / "model.safetensors", made[0] / "model.safetensors")


@pytest.mark.slow
@pytest.mark.parametrize("at", ["first epoch", "second epoch"])
def test_an_interrupted_training_goes_on_to_the_same_encoder(made, start, catalogue, tmp_path, monkeypatch, at):
    out = tmp_path / "encoder"

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        known = command.TerminalDisplay._epoch
        wanted = 1 if at == "first epoch" else 2
        patched.setattr(
            command.TerminalDisplay,
            "_epoch",
            lambda self, record: stop() if record.epoch == wanted else known(self, record),
        )
        result = run(catalogue, start, out, code=130)
    assert "Traceback" not in result.output and not (out / "encoder.json").exists()
    if at != "first epoch":
        assert "it differs in: options" in refused(catalogue, start, out, "--rate", "0.5")
    going_on = run(catalogue, start, out).output
    assert ("going on after epoch" in going_on) == (at != "first epoch")
    assert alike(out / "model.safetensors", made[0] / "model.safetensors")
    told = [json.loads(line)["epoch"] for line in (out / "training" / "history.jsonl").read_text().splitlines()]
    assert told == [1, 2]


@pytest.mark.slow
def test_a_killed_training_goes_on_to_the_same_encoder(made, start, catalogue, tmp_path):
    out = tmp_path / "encoder"
    arguments = ["train", str(catalogue), "--encoder", str(start), "--out", str(out), *QUICK]
    process = subprocess.Popen([sys.executable, "-m", "cli.main", *arguments], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (out / "training" / "checkpoint.json").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (out / "encoder.json").exists()
    run(catalogue, start, out)
    assert alike(out / "model.safetensors", made[0] / "model.safetensors")


@pytest.mark.slow
def test_labelled_forgeries_are_learned_from_and_held_back(start, catalogue, tmp_path):
    rows = ["photo,object_id,label"]
    for number in range(12):
        rows.append(f"{catalogue / f'K-{number:02}.png'},K-{number:02},1")
        painting(number + 50, (130, 100)).save(tmp_path / f"forged-{number}.png")
        rows.append(f"forged-{number}.png,K-{number:02},0")
    labels = tmp_path / "labels.csv"
    labels.write_text("\n".join(rows) + "\n", encoding="utf-8")
    said = run(labels, start, tmp_path / "out", "--hold-out", "K-0[0-2]", "--copies", "0").output
    assert "12 objects, 12 genuine photographs, 12 forgeries" in said
    assert "AUC forgeries" in said
    split = json.loads((tmp_path / "out" / "training" / "split.json").read_text(encoding="utf-8"))
    assert split["test"] == ["K-00", "K-01", "K-02"]
    plan = json.loads((tmp_path / "out" / "training" / "plan.json").read_text(encoding="utf-8"))
    assert plan["options"]["forgeries"] == command.FORGERIES
    again = run(labels, start, tmp_path / "again", "--split", str(tmp_path / "out" / "training" / "split.json")).output
    assert "6 objects for training, 3 objects for validation, 3 objects for test" in again


def test_what_cannot_be_trained_is_said_in_one_line(made, start, catalogue, tmp_path):
    few = tmp_path / "few"
    few.mkdir()
    for number in range(3):
        shutil.copy(catalogue / f"K-{number:02}.png", few)
    bad = tmp_path / "bad.csv"
    bad.write_text("photo,object_id,label\nnone.png,A,1\n", encoding="utf-8")
    one_class = tmp_path / "forgeries.csv"
    one_class.write_text(f"photo,object_id,label\n{catalogue / 'K-00.png'},A,0\n", encoding="utf-8")
    out = tmp_path / "out"
    assert "already" in run(catalogue, start, made[0], code=1).stderr
    assert "needs 3" in refused(few, start, out)
    assert "line 2: there is no photo none.png" in refused(bad, start, out)
    assert "no genuine photograph" in refused(one_class, start, out)
    assert "There is no" in refused(tmp_path / "nowhere", start, out)
    assert "--size 12: give width and height" in refused(catalogue, start, out, "--size", "12")
    assert "--hold-out Z*: no object" in refused(catalogue, start, out, "--hold-out", "Z*")
    assert "sculpted" in refused(catalogue, start, out, "--kinds", "sculpted")
    assert "cannot train from" in refused(catalogue, tmp_path / "no-encoder", out)
    if not torch.cuda.is_available():
        assert "no CUDA device" in refused(catalogue, start, out, "--device", "cuda")


@pytest.mark.slow
def test_an_unreadable_photo_is_named(start, catalogue, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(catalogue, broken)
    (broken / "K-05.png").write_bytes(b"\x89PNG\r\n\x1a\n no more")
    assert "K-05.png" in refused(broken, start, tmp_path / "out")


@pytest.mark.slow
def test_a_full_disk_is_foreseen_or_said(start, catalogue, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 10, 1000))
        assert "are free in" in refused(catalogue, start, tmp_path / "out")
    with monkeypatch.context() as patched:

        def full(*_: object, **__: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "checkpoint.new")

        patched.setattr("indexer.training.trainer.save_checkpoint", full)
        assert "No space left on device" in refused(catalogue, start, tmp_path / "out")
    assert "wrote" in run(catalogue, start, tmp_path / "out").output


@pytest.mark.parametrize("module", ["timm", "matplotlib"])
def test_without_the_extra_it_says_which_to_install(start, catalogue, tmp_path, monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    assert how_to_install("train") in refused(catalogue, start, tmp_path / "out")
    assert not (tmp_path / "out").exists()
