"""The encoder: parity of its engines, independence of the batch, open_clip towers, and no random weights."""

import hashlib
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from retrieval.encoder import encoder as encoder_module
from retrieval.encoder.encoder import DEFAULT_FOLDER, load_encoder, read_description
from retrieval.encoder.openvino_engine import OpenVinoEngine, import_openvino
from retrieval.encoder.preprocessing import Preprocessing
from retrieval.errors import UnusableEncoder

MUSEUM = Path(__file__).parents[3] / "shared/data/museum/catalogue"


def pictures(count: int, *, seed: int = 0) -> list[Image.Image]:
    random = np.random.default_rng(seed)
    sizes = [(300, 400), (640, 480), (64, 900), (260, 260)]
    made = []
    for number in range(count):
        width, height = sizes[number % len(sizes)]
        coarse = random.integers(0, 256, (6, 5, 3), np.uint8)
        made.append(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))
    return made


@pytest.fixture(scope="module")
def museum() -> list[Image.Image]:
    if not MUSEUM.is_dir():
        pytest.skip("needs the real photographs of shared/data, which are not here")
    found = []
    for path in sorted(MUSEUM.glob("*.jpg"))[:24]:
        with Image.open(path) as image:
            found.append(image.convert("RGB"))
    return found


def test_vectors_are_unit_float32() -> None:
    vectors = load_encoder().encode(pictures(3))
    assert vectors.shape == (3, 512) and vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


def test_no_images_give_no_vectors() -> None:
    assert load_encoder().encode([]).shape == (0, 512)


def test_batch_and_cores_change_nothing() -> None:
    images = pictures(7)
    together = load_encoder(parallel=2).encode(images)
    alone = load_encoder(parallel=1)
    np.testing.assert_allclose(np.concatenate([alone.encode([image]) for image in images]), together, atol=1e-5)


def test_one_encoder_is_asked_from_several_threads() -> None:
    encoder = load_encoder(parallel=2)
    prepared = np.stack([encoder.preprocessing(image) for image in pictures(8)])
    given = [prepared[number : number + 1] for number in range(len(prepared))]
    vectors = [encoder.encode_prepared(one) for one in given]
    with ThreadPoolExecutor(8) as pool:
        for one, other in zip(vectors, pool.map(encoder.encode_prepared, given), strict=True):
            assert np.array_equal(one, other)


def test_only_the_vectors_are_asked_of_a_network_that_gives_more() -> None:
    """The stages that the shipped file gives beside them take a tenth of the time."""
    model = import_openvino().Core().read_model(DEFAULT_FOLDER / "openvino.xml")
    assert len(model.outputs) == 4
    engine = OpenVinoEngine(model, shape=(3, 260, 260), precision="fp32", parallel=1)
    assert len(model.outputs) == 1 and engine(np.zeros((2, 3, 260, 260), np.float32)).shape == (2, 512)


def test_a_description_of_an_older_version_loads_as_the_same_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    older = {"global_weight": 0.3, "combined_threshold": {"value": 0.4, "rate": 0.05, "count": 30}, "most_median": 0.2}
    described = read_description(DEFAULT_FOLDER)
    assert not older.keys() & described.keys()
    now = load_encoder()
    monkeypatch.setattr(encoder_module, "read_description", lambda folder: described | older | {"comparison": "abc"})
    assert load_encoder().fingerprint == now.fingerprint


def test_the_whole_picture_counts() -> None:
    plain = Image.new("RGB", (260, 2600), "white")
    marked = plain.copy()
    marked.paste((200, 0, 0), (0, 0, 260, 200))  # the top of a tall scroll, which a centre crop would lose
    first, second = load_encoder().encode([plain, marked])
    assert np.linalg.norm(first - second) > 0.1


def test_golden_vector() -> None:
    vector = load_encoder().encode(pictures(1))[0]
    np.testing.assert_allclose(vector[:6], GOLDEN, atol=2e-4)


@pytest.mark.slow
def test_parity_of_openvino_and_torch_on_real_photographs(museum: list[Image.Image]) -> None:
    pytest.importorskip("timm")
    ours = load_encoder(parallel=2)
    torch_engine = encoder_module._torch(DEFAULT_FOLDER, read_description(DEFAULT_FOLDER), "fp32", "cpu")
    theirs = torch_engine(np.stack([ours.preprocessing(image) for image in museum]))
    np.testing.assert_allclose(ours.encode(museum), theirs, atol=1e-3)
    assert np.linalg.norm(ours.encode(museum) - theirs, axis=1).max() < 1e-3


def test_torch_takes_over_where_openvino_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("timm")
    expected = load_encoder()
    monkeypatch.setattr(encoder_module, "_openvino", lambda *arguments: None)
    found = load_encoder()
    assert found.fingerprint == expected.fingerprint
    np.testing.assert_allclose(found.encode(pictures(2)), expected.encode(pictures(2)), atol=1e-3)


def test_bf16_is_another_encoder_and_close() -> None:
    exact, quick = load_encoder(), load_encoder(precision="bf16")
    assert exact.fingerprint != quick.fingerprint
    distances = np.linalg.norm(exact.encode(pictures(4)) - quick.encode(pictures(4)), axis=1)
    assert distances.max() < 0.25


def test_an_encoder_folder_elsewhere_is_the_same_encoder(tmp_path: Path) -> None:
    shutil.copytree(DEFAULT_FOLDER, tmp_path / "mine")
    assert load_encoder(str(tmp_path / "mine")).fingerprint == load_encoder().fingerprint


def test_a_relative_path_is_remembered_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(DEFAULT_FOLDER, tmp_path / "mine")
    monkeypatch.chdir(tmp_path)
    assert load_encoder("mine").spec == str(tmp_path / "mine")
    assert load_encoder().spec == "default"


@pytest.mark.parametrize("name", ["openvino.bin", "openvino.xml"])
def test_damaged_weights_are_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(DEFAULT_FOLDER, folder)
    damaged = bytearray((folder / name).read_bytes())
    damaged[1000] ^= 1
    (folder / name).write_bytes(damaged)
    with pytest.raises(UnusableEncoder, match="damaged"):
        load_encoder(str(folder))


def test_other_schema_and_broken_description_are_refused(tmp_path: Path) -> None:
    description = json.loads((DEFAULT_FOLDER / "encoder.json").read_text())
    (tmp_path / "encoder.json").write_text(json.dumps(description | {"schema": "artifact-encoder/9"}))
    with pytest.raises(UnusableEncoder, match="another version"):
        load_encoder(str(tmp_path))
    (tmp_path / "encoder.json").write_text("{")
    with pytest.raises(UnusableEncoder, match="cannot be read"):
        load_encoder(str(tmp_path))


def test_the_shipped_files_are_those_described_and_small() -> None:
    described = read_description(DEFAULT_FOLDER)["files"]
    for name, sha256 in described.items():
        assert hashlib.sha256((DEFAULT_FOLDER / name).read_bytes()).hexdigest() == sha256
    assert sum((DEFAULT_FOLDER / name).stat().st_size for name in described) < 30e6
    assert (DEFAULT_FOLDER / "README.md").is_file()


@pytest.mark.parametrize("spec", ["nowhere", "open-clip:ViT-B-32", "/no/such/encoder"])
def test_a_name_of_nothing_is_an_error(spec: str) -> None:
    with pytest.raises(UnusableEncoder, match="no encoder"):
        load_encoder(spec)


def test_preprocessing_pads_without_cropping() -> None:
    pad = Preprocessing(width=32, height=32, mean=(0, 0, 0), std=(1, 1, 1), fit="pad", fill=0)
    white = pad(Image.new("RGB", (100, 50), "white"))
    assert white.shape == (3, 32, 32) and white.dtype == np.float32
    np.testing.assert_allclose(white[:, 8:24], 1.0, atol=1e-6)
    np.testing.assert_allclose(white[:, :8], 0.0, atol=1e-6)


def test_preprocessing_scales_as_published() -> None:
    values = load_encoder().preprocessing(Image.new("RGB", (10, 10), (127, 255, 0)))
    np.testing.assert_allclose(values[:, 0, 0], [0.0, 1.0, -127 / 128], atol=1e-6)


# -- open_clip


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small, randomly initialised open_clip model, as `open_clip` itself saves one."""
    open_clip = pytest.importorskip("open_clip")
    torch = pytest.importorskip("torch")
    folder: Path = tmp_path_factory.mktemp("tower")
    text = {"context_length": 8, "vocab_size": 64, "width": 32, "heads": 2, "layers": 1}
    vision = {"image_size": 32, "layers": 2, "width": 64, "head_width": 32, "patch_size": 8}
    model_cfg = {"embed_dim": 24, "vision_cfg": vision, "text_cfg": text}
    preprocess_cfg = {"mean": [0.5] * 3, "std": [0.25] * 3, "interpolation": "bilinear", "resize_mode": "longest"}
    torch.manual_seed(1)
    model = open_clip.CLIP(embed_dim=24, vision_cfg=vision, text_cfg=text)
    config = {"model_cfg": model_cfg, "preprocess_cfg": preprocess_cfg}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    torch.save(model.state_dict(), folder / "open_clip_pytorch_model.bin")
    return folder


def test_a_local_open_clip_checkpoint(checkpoint: Path) -> None:
    import open_clip
    import torch

    encoder = load_encoder(str(checkpoint))
    assert encoder.preprocessing == Preprocessing(
        width=32, height=32, mean=(0.5,) * 3, std=(0.25,) * 3, interpolation="bilinear", fit="pad", fill=0
    )
    model = open_clip.create_model(f"local-dir:{checkpoint}", require_pretrained=True).eval()
    images = pictures(3)
    batch = torch.from_numpy(np.stack([encoder.preprocessing(image) for image in images]))
    with torch.no_grad():
        expected = model.encode_image(batch, normalize=True).numpy()
    np.testing.assert_allclose(encoder.encode(images), expected, atol=1e-5)
    assert encoder.dim == 24


def test_a_checkpoint_file_beside_its_description(checkpoint: Path) -> None:
    named = load_encoder(str(checkpoint / "open_clip_pytorch_model.bin"))
    assert named.fingerprint.rpartition("-")[2] == load_encoder(str(checkpoint)).fingerprint.rpartition("-")[2]


def test_a_centre_crop_becomes_a_squash(checkpoint: Path, tmp_path: Path) -> None:
    shutil.copytree(checkpoint, tmp_path / "crop")
    config = json.loads((checkpoint / "open_clip_config.json").read_text())
    config["preprocess_cfg"]["resize_mode"] = "shortest"
    (tmp_path / "crop/open_clip_config.json").write_text(json.dumps(config))
    cropped = load_encoder(str(tmp_path / "crop"))
    assert cropped.preprocessing.fit == "squash"
    assert cropped.fingerprint != load_encoder(str(checkpoint)).fingerprint


@pytest.mark.slow
def test_a_named_tower_with_a_checkpoint(tmp_path: Path) -> None:
    open_clip = pytest.importorskip("open_clip")
    import torch

    torch.manual_seed(2)
    model = open_clip.create_model("RN50", pretrained=None)
    torch.save(model.state_dict(), tmp_path / "rn50.pt")
    encoder = load_encoder(f"open_clip:RN50@{tmp_path / 'rn50.pt'}")
    assert encoder.preprocessing.width == 224 and encoder.dim == 1024
    assert encoder.fingerprint.startswith("RN50-fp32-") and encoder.spec == f"open_clip:RN50@{tmp_path / 'rn50.pt'}"


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("open_clip:ViT-Z-99", "knows no model"),
        ("open_clip:ViT-B-32", "say which weights"),
        ("open_clip:ViT-B-32@no_such_tag", "say which weights"),
        ("open_clip:ViT-B-32@/no/such/checkpoint.pt", "say which weights"),
    ],
)
def test_a_bad_open_clip_name_is_an_error(spec: str, says: str) -> None:
    pytest.importorskip("open_clip")
    with pytest.raises(UnusableEncoder, match=says):
        load_encoder(spec)


def test_missing_partial_and_foreign_weights_are_errors(checkpoint: Path, tmp_path: Path) -> None:
    import torch

    bare = tmp_path / "bare"
    bare.mkdir()
    shutil.copy(checkpoint / "open_clip_config.json", bare)
    with pytest.raises(UnusableEncoder, match="cannot load"):
        load_encoder(str(bare))
    partial = dict(list(torch.load(checkpoint / "open_clip_pytorch_model.bin").items())[:-4])
    torch.save(partial, bare / "open_clip_pytorch_model.bin")
    with pytest.raises(UnusableEncoder, match="cannot load"):
        load_encoder(str(bare))
    (bare / "open_clip_pytorch_model.bin").write_bytes(b"no checkpoint")
    with pytest.raises(UnusableEncoder, match="cannot load"):
        load_encoder(str(bare / "open_clip_pytorch_model.bin"))
    lonely = tmp_path / "lonely.pt"
    shutil.copy(checkpoint / "open_clip_pytorch_model.bin", lonely)
    with pytest.raises(UnusableEncoder, match=r"open_clip_config\.json"):
        load_encoder(str(lonely))


def test_the_hub_is_asked_only_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    open_clip_factory = pytest.importorskip("open_clip.factory")
    asked: list[str] = []

    def offline(model_id: str, **options: object) -> None:
        asked.append(model_id)
        raise OSError("offline")

    monkeypatch.setattr(open_clip_factory, "_get_hf_config", offline)
    with pytest.raises(UnusableEncoder, match="cannot load hf-hub:someone/model"):
        load_encoder("hf-hub:someone/model")
    assert asked == ["someone/model"]


GOLDEN = [0.0425, 0.01782, -0.19266, -0.0181, -0.01194, 0.06666]
