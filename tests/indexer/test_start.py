"""What a training starts from is the encoder that was named, with trained weights, or one clear line."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from indexer.training.export import export_encoder  # noqa: E402
from indexer.training.start import Start, open_start  # noqa: E402
from retrieval.encoder.encoder import DEFAULT_FOLDER, DESCRIPTION, load_encoder, read_description  # noqa: E402
from retrieval.encoder.network import EmbeddingNetwork  # noqa: E402
from retrieval.encoder.preprocessing import Preprocessing  # noqa: E402
from retrieval.errors import UnusableEncoder  # noqa: E402
from tests.pictures import painting  # noqa: E402

SHAPE = Preprocessing(64, 48, (0.4,) * 3, (0.3,) * 3, interpolation="bilinear")
TOWER = "artifact-test-tower"  # a model small enough for a test


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a small encoder with a projection."""
    torch.manual_seed(0)
    network = EmbeddingNetwork("tf_efficientnet_lite0", projection=16).eval()
    path: Path = tmp_path_factory.mktemp("encoder")
    export_encoder(network, path, preprocessing=SHAPE)
    return path


@pytest.fixture
def copied(folder: Path, tmp_path: Path) -> Path:
    """A copy of it, to be damaged."""
    return Path(shutil.copytree(folder, tmp_path / "mine"))


def prepared(preprocessing: Preprocessing) -> np.ndarray:
    return np.stack([preprocessing(painting(seed)) for seed in range(2)])


def assert_like_the_encoder(start: Start, spec: str) -> None:
    """Its vectors are those that the loaded encoder gives."""
    encoder, pictures = load_encoder(spec), prepared(start.preprocessing)
    assert encoder.preprocessing == start.preprocessing
    with torch.no_grad():
        vectors = start.network(torch.from_numpy(pictures))
    np.testing.assert_allclose(vectors.numpy(), encoder.encode_prepared(pictures), atol=1e-3)
    assert np.linalg.norm(vectors[0] - vectors[1]) > 0.01


def test_the_default_encoder_opens():
    start = open_start("default")
    assert start.spec == "default" and start.network.has_stages
    assert start.preprocessing == Preprocessing(**read_description(DEFAULT_FOLDER)["preprocessing"])
    assert_like_the_encoder(start, "default")


def test_a_folder_opens_with_its_projection(folder):
    start = open_start(str(folder))
    assert start.spec == str(folder)
    assert json.dumps(asdict(start.preprocessing)) == json.dumps(asdict(SHAPE))
    assert start.network.projection == 16
    assert_like_the_encoder(start, str(folder))


def test_a_folder_says_nothing_of_what_is_compared_place_by_place(folder):
    keys = {"schema", "architecture", "power", "projection", "dim", "preprocessing", "files"}
    assert set(read_description(folder)) == keys


def test_a_folder_of_an_older_version_opens_as_the_same_encoder(copied):
    older = {
        "global_weight": 0.3,
        "combined_threshold": {"value": 0.4, "rate": 0.05, "count": 30},
        "most_median": 0.2,
        "comparison": "one",
        "local": False,
    }
    pictures, now = prepared(SHAPE), load_encoder(str(copied))
    (copied / DESCRIPTION).write_text(json.dumps(read_description(copied) | older))
    then = load_encoder(str(copied))
    assert then.fingerprint == now.fingerprint
    assert np.array_equal(then.encode_prepared(pictures), now.encode_prepared(pictures))
    assert_like_the_encoder(open_start(str(copied)), str(copied))


def test_looking_at_pictures_changes_nothing(folder):
    start = open_start(str(folder))
    before = {name: value.clone() for name, value in start.network.state_dict().items()}
    pictures = torch.from_numpy(prepared(SHAPE))
    together, alone = start.network(pictures), start.network(pictures[:1])
    assert torch.allclose(together[:1], alone, atol=1e-5)  # no statistics of the batch
    assert all(torch.equal(value, before[name]) for name, value in start.network.state_dict().items())


# -- what is refused


@pytest.mark.parametrize("spec", ["nowhere", "/no/such/folder", "hf-hub:org/model", "ViT-B-32", ""])
def test_a_name_of_nothing_is_an_error(spec, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnusableEncoder) as found:
        open_start(spec)
    assert repr(spec) in str(found.value) and "\n" not in str(found.value)
    assert "open_clip:NAME@TAG" in str(found.value)  # what to give


def test_a_folder_without_a_description_is_an_error(tmp_path):
    with pytest.raises(UnusableEncoder, match="give the folder of an encoder"):
        open_start(str(tmp_path))


def test_damaged_weights_are_refused(copied):
    weights = copied / "model.safetensors"
    damaged = bytearray(weights.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    weights.write_bytes(damaged)
    with pytest.raises(UnusableEncoder, match=r"model\.safetensors is damaged or was changed") as found:
        open_start(str(copied))
    assert "\n" not in str(found.value)


def test_missing_weights_are_an_error(copied):
    (copied / "model.safetensors").unlink()
    with pytest.raises(UnusableEncoder, match=r"model\.safetensors: No such file"):
        open_start(str(copied))


def test_weights_of_another_network_are_refused(copied):
    described = read_description(copied) | {"architecture": "tf_efficientnet_lite2"}
    (copied / DESCRIPTION).write_text(json.dumps(described))
    with pytest.raises(UnusableEncoder, match=r"cannot load .*model\.safetensors") as found:
        open_start(str(copied))
    assert "\n" not in str(found.value)


@pytest.mark.parametrize(
    ("text", "says"), [("{", "cannot be read"), ('{"schema": "artifact-encoder/9"}', "another version")]
)
def test_a_broken_description_is_refused(copied, text, says):
    (copied / DESCRIPTION).write_text(text)
    with pytest.raises(UnusableEncoder, match=says):
        open_start(str(copied))


def test_what_openvino_loads_is_not_needed(copied):
    for name in ("openvino.xml", "openvino.bin"):
        (copied / name).unlink()
    assert open_start(str(copied)).network.projection == 16


# -- open_clip


@pytest.fixture(scope="module")
def tower(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The spec of a small tower, known to open_clip by a name, and of a checkpoint of it."""
    open_clip = pytest.importorskip("open_clip")
    folder: Path = tmp_path_factory.mktemp("tower")
    text = {"context_length": 8, "vocab_size": 64, "width": 32, "heads": 2, "layers": 1}
    vision = {"image_size": 32, "layers": 2, "width": 64, "head_width": 32, "patch_size": 8}
    config = {"embed_dim": 24, "vision_cfg": vision, "text_cfg": text}
    (folder / f"{TOWER}.json").write_text(json.dumps(config))
    open_clip.add_model_config(folder / f"{TOWER}.json")
    torch.manual_seed(1)
    torch.save(open_clip.create_model(TOWER, pretrained=None).state_dict(), folder / "weights.pt")
    yield f"open_clip:{TOWER}@{folder / 'weights.pt'}"
    open_clip.factory._MODEL_CONFIGS.pop(TOWER)


def test_an_open_clip_tower_opens(tower):
    start = open_start(tower)
    assert start.spec == tower and not start.network.has_stages
    assert start.network.architecture == f"open_clip:{TOWER}" and start.network.projection is None
    assert start.preprocessing.width == start.preprocessing.height == 32 and not start.network.training
    assert_like_the_encoder(start, tower)


def test_an_open_clip_tower_without_weights_is_refused(tower):
    name = tower.partition("@")[0]
    for spec in (name, f"{name}@no_such_tag", f"{name}@/no/such/file.pt"):
        with pytest.raises(UnusableEncoder, match="say which weights"):
            open_start(spec)
    with pytest.raises(UnusableEncoder, match="knows no model"):
        open_start("open_clip:ViT-Z-99@tag")
