"""Turn images into unit vectors."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from retrieval.encoder.preprocessing import Preprocessing
from retrieval.errors import UnusableEncoder

if TYPE_CHECKING:
    from retrieval.encoder.openvino_engine import OpenVinoEngine
    from retrieval.encoder.torch_engine import TorchEngine

DEFAULT = "default"
DEFAULT_FOLDER = Path(__file__).parent / "default_encoder"
DESCRIPTION = "encoder.json"
SCHEMA = "artifact-encoder/1"

Engine = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, slots=True)
class Encoder:
    """A loaded encoder. `spec` is the name it was asked for by, `fingerprint` says what it is."""

    spec: str
    fingerprint: str
    dim: int
    preprocessing: Preprocessing
    precision: str
    engine: Engine

    def encode(self, images: Sequence[Image.Image]) -> np.ndarray:
        """Return the unit vectors of RGB images, float32 of shape (n_images, dim)."""
        if not images:
            return np.empty((0, self.dim), np.float32)
        return self.encode_prepared(np.stack([self.preprocessing(image) for image in images]))

    def encode_prepared(self, pictures: np.ndarray) -> np.ndarray:
        """Return the unit vectors of preprocessed pictures, (n, 3, height, width) -> (n, dim), float32."""
        return self.engine(pictures)


def load_encoder(spec: str = DEFAULT, *, precision: str = "fp32", device: str = "cpu", parallel: int = 1) -> Encoder:
    """Load an encoder; raises UnusableEncoder, and never returns random weights.

    `spec` is "default", the folder of one of our own encoders, or what `load_open_clip` takes. `precision` is "fp32"
    or "bf16", `device` "cpu" or "cuda", `parallel` the number of pictures encoded side by side on the CPU.
    """
    spec = _from_anywhere(spec)
    folder = DEFAULT_FOLDER if spec == DEFAULT else Path(spec)
    if (folder / DESCRIPTION).is_file():
        return _load_own(spec, folder, precision=precision, device=device, parallel=parallel)
    if spec.startswith(("open_clip:", "hf-hub:")) or folder.exists():
        return _load_open_clip(spec, precision=precision, device=device)
    raise UnusableEncoder(
        f"no encoder {spec!r}: give the folder of an encoder or of an open_clip checkpoint, open_clip:NAME@TAG, "
        "or hf-hub:ORG/MODEL"
    )


def _from_anywhere(spec: str) -> str:
    """Return a spec with its path, if it has one, made absolute: a catalogue is asked from other folders too."""
    name, mark, path = spec.partition("@") if spec.startswith("open_clip:") else ("", "", spec)
    return f"{name}{mark}{Path(path).resolve()}" if path and spec != DEFAULT and Path(path).exists() else spec


def _load_own(spec: str, folder: Path, *, precision: str, device: str, parallel: int) -> Encoder:
    description = read_description(folder)
    preprocessing = Preprocessing(**description["preprocessing"])
    exported = None if device == "cuda" else _openvino(folder, description, preprocessing, precision, parallel)
    engine = _torch(folder, description, precision, device) if exported is None else exported
    return Encoder(
        spec=spec,
        fingerprint=fingerprint(
            f"{description['architecture']}-gem{description['power']:g}",
            description["files"]["model.safetensors"],
            preprocessing,
            precision,
        ),
        dim=description["dim"],
        preprocessing=preprocessing,
        precision=precision,
        engine=engine,
    )


def _openvino(
    folder: Path, description: dict[str, Any], preprocessing: Preprocessing, precision: str, parallel: int
) -> OpenVinoEngine | None:
    """Return the OpenVINO engine of an encoder folder, or None where OpenVINO is not installed."""
    from retrieval.encoder.openvino_engine import OpenVinoEngine, import_openvino

    try:
        import_openvino()
    except ImportError:
        return None
    for name in ("openvino.xml", "openvino.bin"):
        verify(folder / name, description)
    shape = (3, preprocessing.height, preprocessing.width)
    return OpenVinoEngine(folder / "openvino.xml", shape=shape, precision=precision, parallel=parallel)


def _torch(folder: Path, description: dict[str, Any], precision: str, device: str) -> TorchEngine:
    from retrieval.encoder.torch_engine import TorchEngine, load_own_network

    weights = folder / "model.safetensors"
    verify(weights, description)
    return TorchEngine(load_own_network(weights, description), device=device, precision=precision)


def _load_open_clip(spec: str, *, precision: str, device: str) -> Encoder:
    from retrieval.encoder.torch_engine import TorchEngine, load_open_clip

    module, architecture, weights, preprocessing = load_open_clip(spec)
    engine = TorchEngine(module, device=device, precision=precision)
    blank = np.zeros((1, 3, preprocessing.height, preprocessing.width), np.float32)
    return Encoder(
        spec=spec,
        fingerprint=fingerprint(architecture, weights, preprocessing, precision),
        dim=engine(blank).shape[1],
        preprocessing=preprocessing,
        precision=precision,
        engine=engine,
    )


def fingerprint(architecture: str, weights: str, preprocessing: Preprocessing, precision: str) -> str:
    """Return what tells one encoder from another: architecture, weights hash, preprocessing, precision.

    bf16 counts as another encoder than fp32: its vectors lie up to a tenth away.
    """
    parts = {"weights": weights, "preprocessing": asdict(preprocessing)}
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    return f"{architecture}-{precision}-{digest[:16]}"


def read_description(folder: Path) -> dict[str, Any]:
    """Return the `encoder.json` of an encoder folder; raises UnusableEncoder."""
    try:
        description = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        schema = description["schema"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnusableEncoder(f"{folder / DESCRIPTION} cannot be read: {error}") from error
    if schema != SCHEMA:
        raise UnusableEncoder(f"{folder}: made for another version of this program ({schema}, not {SCHEMA})")
    return dict(description)


def verify(path: Path, description: Mapping[str, Any]) -> None:
    """Raise UnusableEncoder unless the file is the one that the description was written for."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UnusableEncoder(f"{path}: {error.strerror}") from error
    if found != description["files"].get(path.name):
        raise UnusableEncoder(f"{path} is damaged or was changed: its hash is not the one in {DESCRIPTION}")
