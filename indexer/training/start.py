"""Open the encoder that a training starts from, with the network that torch can train."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from retrieval.encoder.encoder import DEFAULT, DEFAULT_FOLDER, DESCRIPTION, read_description, verify
from retrieval.encoder.network import OPEN_CLIP, EmbeddingNetwork
from retrieval.encoder.preprocessing import Preprocessing
from retrieval.encoder.torch_engine import load_open_clip, load_own_network
from retrieval.errors import ArtifactError, UnusableEncoder

SMALLEST_SIDE = 32  # pixels of the input


@dataclass(frozen=True, slots=True, eq=False)
class Start:
    """A network with trained weights, and what it takes."""

    spec: str
    network: EmbeddingNetwork
    preprocessing: Preprocessing


def open_start(spec: str) -> Start:
    """Return the network of the default encoder, of a folder, or of an open_clip tower; raises UnusableEncoder."""
    folder = DEFAULT_FOLDER if spec == DEFAULT else Path(spec)
    if not (folder / DESCRIPTION).is_file():
        return _open_clip(spec)
    description = read_description(folder)
    weights = folder / "model.safetensors"
    verify(weights, description)
    return Start(
        spec,
        load_own_network(weights, description).eval(),
        Preprocessing(**description["preprocessing"]),
    )


def _open_clip(spec: str) -> Start:
    if not spec.startswith(OPEN_CLIP):
        raise UnusableEncoder(
            f"cannot train from {spec!r}: give the folder of an encoder, or an open_clip tower and its weights as "
            "open_clip:NAME@TAG or open_clip:NAME@CHECKPOINT"
        )
    visual, name, _, preprocessing = load_open_clip(spec)
    network: Any = EmbeddingNetwork(f"{OPEN_CLIP}{name}")
    network.tower.load_state_dict(visual.state_dict())
    return Start(spec, network.eval(), preprocessing)


def with_size(start: Start, size: str) -> Start:
    """Return a start that takes pictures of another size, WIDTHxHEIGHT; raises ArtifactError where it cannot."""
    import torch

    width, _, height = size.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal() and min(int(width), int(height)) >= SMALLEST_SIDE):
        raise ArtifactError(f"--size {size}: give width and height in pixels, {SMALLEST_SIDE} at least, as in 260x260")
    try:
        with torch.inference_mode():
            start.network(torch.zeros(1, 3, int(height), int(width)))
    except (RuntimeError, AssertionError) as error:
        raise ArtifactError(f"--size {size}: {start.network.architecture} takes no other size than its own") from error
    return replace(start, preprocessing=replace(start.preprocessing, width=int(width), height=int(height)))
