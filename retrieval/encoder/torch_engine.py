"""Run an encoder with torch: on CUDA, where OpenVINO is missing, and for open_clip towers."""

from __future__ import annotations

import hashlib
import importlib
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np

from retrieval.encoder.preprocessing import RESAMPLING, Preprocessing
from retrieval.errors import UnusableEncoder
from retrieval.extras import how_to_install

OPEN_CLIP_CONFIG = "open_clip_config.json"


class TorchEngine:
    """A torch module on a device: float32 (n, 3, h, w) -> unit vectors (n, dim)."""

    def __init__(self, module: Any, *, device: str, precision: str) -> None:
        torch = import_torch("torch")
        if device == "cuda" and not torch.cuda.is_available():
            raise UnusableEncoder("no CUDA device is available to torch; leave out `--device cuda`")
        self._torch, self._device, self._bf16 = torch, device, precision == "bf16"
        self._module = module.eval().to(device)

    def __call__(self, pictures: np.ndarray) -> np.ndarray:
        torch = self._torch
        with torch.inference_mode(), torch.autocast(self._device, torch.bfloat16, enabled=self._bf16):
            vectors = self._module(torch.from_numpy(pictures).to(self._device)).float()
            return cast(np.ndarray, torch.nn.functional.normalize(vectors, dim=1).cpu().numpy())


def import_torch(name: str) -> Any:
    """Import `name`, one of the modules of the extra `train`, or say which extra to install."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise UnusableEncoder(f"this encoder needs {error.name or name}: {how_to_install('train')}") from error


def load_own_network(weights: Path, description: Mapping[str, Any]) -> Any:
    """Return our network in torch, with the weights and description of an encoder folder; raises UnusableEncoder."""
    network = import_torch("retrieval.encoder.network")
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        module = network.EmbeddingNetwork(
            description["architecture"],
            power=description["power"],
            projection=description["projection"],
        )
        kept = {name: value.float() for name, value in load_file(weights).items()}
        # heads that older folders hold were for the comparison alone
        module.load_state_dict({name: value for name, value in kept.items() if not name.startswith("local.")})
    except (OSError, RuntimeError, SafetensorError) as error:
        raise UnusableEncoder(f"cannot load {weights}: {str(error).splitlines()[0]}") from error
    return module


def load_open_clip(spec: str) -> tuple[Any, str, str, Preprocessing]:
    """Load an open_clip image tower.

    `spec` is `hf-hub:ORG/MODEL`, `open_clip:NAME[@TAG_OR_CHECKPOINT]`, or the path of a checkpoint or folder beside
    an `open_clip_config.json`. Returns (module giving embeddings, architecture, hash of its weights, its own
    preprocessing). Raises UnusableEncoder for whatever does not end in trained weights.
    """
    import_torch("torchvision")
    open_clip = import_torch("open_clip")
    name, pretrained, checkpoint = _factory_arguments(spec, open_clip)
    options = {"pretrained": pretrained, "pretrained_text": False}
    with _as_one_line(spec):
        if checkpoint is None:
            model = open_clip.create_model(name, require_pretrained=True, **options)
        else:
            model = open_clip.create_model(name, load_weights=False, **options)
            open_clip.load_checkpoint(model, str(checkpoint), strict=True)
        preprocessing = _preprocessing(open_clip.get_model_preprocess_cfg(model))
    return model.visual, name.rpartition("/")[2], _weights_hash(model.visual), preprocessing


def _factory_arguments(spec: str, open_clip: Any) -> tuple[str, str | None, Path | None]:
    """Return (model name, pretrained tag, checkpoint) where open_clip's factory takes the first two."""
    if spec.startswith("hf-hub:"):
        return spec, None, None
    if not spec.startswith("open_clip:"):
        path = Path(spec)
        folder = path if path.is_dir() else path.parent
        if not (folder / OPEN_CLIP_CONFIG).is_file():
            raise UnusableEncoder(
                f"{spec}: no {OPEN_CLIP_CONFIG} there says what it is; name it: --encoder open_clip:NAME@{spec}"
            )
        return f"local-dir:{folder}", None, path if path.is_file() else None
    name, _, pretrained = spec.removeprefix("open_clip:").partition("@")
    if name not in open_clip.list_models():
        raise UnusableEncoder(f"open_clip knows no model {name!r}; `open_clip.list_models()` lists the names")
    tags = open_clip.list_pretrained_tags_by_model(name)
    if not pretrained and len(tags) == 1:
        return name, tags[0], None
    if pretrained in tags:
        return name, pretrained, None
    if pretrained and Path(pretrained).is_file():
        return name, None, Path(pretrained)
    known = ", ".join(tags) or "none"
    raise UnusableEncoder(f"{spec}: say which weights, open_clip:{name}@TAG or @CHECKPOINT; its tags: {known}")


def _preprocessing(config: dict[str, Any]) -> Preprocessing:
    """Return a model's own preprocessing, with a squash in place of a crop of the centre."""
    size = config["size"]
    height, width = (size, size) if isinstance(size, int) else size
    return Preprocessing(
        width=int(width),
        height=int(height),
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
        interpolation=config["interpolation"] if config["interpolation"] in RESAMPLING else "bicubic",
        fit="pad" if config["resize_mode"] == "longest" else "squash",
        fill=int(config["fill_color"]),
    )


@contextmanager
def _as_one_line(spec: str) -> Iterator[None]:
    """Keep open_clip's logging to ourselves and turn whatever it raises into one line."""
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except Exception as error:  # open_clip and the hub raise many classes, all for one reason: no such weights
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise UnusableEncoder(f"cannot load {spec}: {reason[0]}") from error
    finally:
        logging.disable(level)


def _weights_hash(module: Any) -> str:
    """Return the sha256 of all parameters and buffers, in the order of their names."""
    digest = hashlib.sha256()
    for name, value in sorted(module.state_dict().items()):
        digest.update(name.encode())
        digest.update(value.detach().float().contiguous().numpy().tobytes())
    return digest.hexdigest()
