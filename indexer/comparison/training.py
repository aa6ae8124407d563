"""Train the comparison network's head, and write the network as the program loads it.

`python -m indexer.comparison.training FOLDER`: FOLDER holds works.txt, a picture of a work a line, and pairs.npz, real
genuine photographs registered to their exemplars (`python -m tests.bench.comparison_recipe FOLDER` writes both).
Examples are made once, in FOLDER/examples; the network lies in FOLDER/network in the end.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from indexer.comparison.examples import Examples, Material, make_examples, read_examples, shuffled, tower
from indexer.comparison.network import ComparisonNetwork, Head
from indexer.comparison.pairs import RealPair
from retrieval.comparing.evidence import PLACES_ACROSS, STATES
from retrieval.comparing.logits import PEAKED
from retrieval.comparing.network import DESCRIPTION, MODEL, SCHEMA, WEIGHTS
from retrieval.comparing.surface import SIDE
from retrieval.encoder.openvino_engine import import_openvino
from retrieval.machine import cpu_count

HEAD = "head.safetensors"
HARDEST = 20  # unaltered places of a pair that count as much as all others
WHOLE = 3.0  # logit that the whole of an unaltered picture may reach
MARGIN = 1.5  # by which the whole of a copy is to be beyond the whole of a genuine photograph


@dataclass(frozen=True, slots=True)
class Options:
    """How to train."""

    pairs: int = 5000
    epochs: int = 6
    batch: int = 24
    rate: float = 4e-3
    decay: float = 1e-2
    seed: int = 0


def comparison_loss(logits: Tensor, inside: Tensor, altered: Tensor, unaltered: Tensor) -> Tensor:
    """Return the loss of some pairs: of their places, of their wholes, and of genuine ones against copies.

    Logits are (n, rows, columns), the others bool of that shape. Places: cross-entropy on what was altered, and on what
    was not, where the hardest places, mined in each pair, weigh as much as all. Wholes: cross-entropy, and, as the
    triplet loss asks, that every copy is beyond every genuine photograph of the batch by a margin.
    """
    each = functional.binary_cross_entropy_with_logits(logits, altered.float(), reduction="none")
    copies = altered.flatten(1).any(dim=1)
    wrong = (each * altered).sum((1, 2)) / altered.sum((1, 2)).clamp(min=1)
    right = (each * unaltered).flatten(1)
    hardest = right.topk(min(HARDEST, right.shape[1]), dim=1).values.mean(dim=1)
    usual = right.sum(dim=1) / unaltered.flatten(1).sum(dim=1).clamp(min=1)
    whole = whole_of(logits, inside) - WHOLE
    value = 0.7 * wrong.sum() / copies.sum().clamp(min=1) + 0.5 * (hardest + usual).mean()
    value = value + 0.5 * functional.binary_cross_entropy_with_logits(whole, copies.float())
    if copies.any() and not copies.all():
        beyond = whole[~copies][None, :] - whole[copies][:, None] + MARGIN
        value = value + 0.3 * functional.softplus(beyond).mean()
    return value


def whole_of(logits: Tensor, inside: Tensor) -> Tensor:
    """Return the evidence of the whole, a soft maximum over the places, each with those around it: (n,)."""
    mask = inside.float()[:, None]
    share = functional.avg_pool2d(mask, 3, 1, 1).clamp(min=1e-3)
    around = functional.avg_pool2d(logits[:, None] * mask, 3, 1, 1) / share
    values = around[:, 0].masked_fill(~inside, -30.0)
    return torch.logsumexp(values.flatten(1) * PEAKED, dim=1) / PEAKED


def train_head(
    examples: Examples, head: Head, options: Options, *, on_epoch: Callable[[int, float], None] = lambda *_: None
) -> None:
    """Train a head in place."""
    torch.manual_seed(options.seed)
    random = np.random.default_rng(options.seed)
    set_scale(head, examples)
    steps = options.epochs * max(1, len(examples.evidence) // options.batch)
    optimizer = torch.optim.AdamW(head.parameters(), lr=options.rate / 2, weight_decay=options.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, options.rate, steps)
    losses: list[float] = []
    for step, rows in enumerate(shuffled(examples, batch=options.batch, steps=steps, random=random), 1):
        batch = [torch.from_numpy(examples.evidence[rows].astype(np.float32))]
        batch += [torch.from_numpy(some[rows]) for some in (examples.inside, examples.altered, examples.unaltered)]
        evidence, inside, altered, unaltered = _turned(batch, random)
        loss = comparison_loss(head.train()(evidence, inside), inside, altered, unaltered)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(head.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        losses.append(float(loss.detach()))
        if step * options.epochs % steps < options.epochs:
            on_epoch(step * options.epochs // steps, float(np.mean(losses)))
            losses.clear()
    head.eval()


def set_scale(head: Head, examples: Examples) -> None:
    """Set by what mean and deviation the head's inputs are scaled: those of compared places of some examples."""
    some = slice(None, None, max(1, len(examples.evidence) // 400))
    values = examples.evidence[some].astype(np.float32).transpose(0, 2, 3, 1)[examples.inside[some]]
    head.mean.copy_(torch.from_numpy(values.mean(axis=0)))
    head.deviation.copy_(torch.from_numpy(values.std(axis=0) + 1e-3))


def _turned(tensors: list[Tensor], random: np.random.Generator) -> list[Tensor]:
    """Return tensors (n, ..., rows, columns) all mirrored and turned in one way."""
    for axis in (-1, -2):
        if random.random() < 0.5:
            tensors = [tensor.flip(axis) for tensor in tensors]
    return [tensor.transpose(-1, -2) for tensor in tensors] if random.random() < 0.5 else tensors


def export_network(network: ComparisonNetwork, folder: Path) -> None:
    """Write the network as `retrieval.comparing.network` loads it, with weights of 16 bits, and its head by itself."""
    folder.mkdir(parents=True, exist_ok=True)
    network.head.load_state_dict({name: value.half().float() for name, value in network.head.state_dict().items()})
    shapes = {"pictures": [2, 3, SIDE, SIDE], "states": [1, STATES, *2 * [PLACES_ACROSS]]}
    shapes["inside"] = [1, *2 * [PLACES_ACROSS]]
    example = tuple(torch.zeros(shape) for shape in shapes.values())
    openvino = import_openvino()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of tracing: the shapes are fixed
        model = openvino.convert_model(network.eval(), example_input=example, input=list(shapes.values()))
    openvino.save_model(model, folder / MODEL, compress_to_fp16=True)
    save_file({name: value.half() for name, value in network.head.state_dict().items()}, folder / HEAD)
    files = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in (MODEL, WEIGHTS)}
    text = json.dumps({"schema": SCHEMA, "files": files}, indent=2)
    (folder / DESCRIPTION).write_text(text + "\n", encoding="utf-8")


def read_material(folder: Path, seed: int) -> Material:
    """Return what `tests.bench.comparison_recipe` wrote."""
    works = tuple(Path(line) for line in (folder / "works.txt").read_text(encoding="utf-8").splitlines())
    kept = np.load(folder / "pairs.npz")
    columns = (kept[name] for name in ("exemplar", "photo", "homography", "source"))
    rows = zip(*columns, strict=True)
    return Material(works, tuple(RealPair(Path(a), Path(b), h, str(source)) for a, b, h, source in rows), seed)


def main() -> None:
    """Make examples, train and export."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pairs", type=int, default=Options().pairs)
    parser.add_argument("--epochs", type=int, default=Options().epochs)
    given = parser.parse_args()
    options = Options(pairs=given.pairs, epochs=given.epochs)
    examples = given.folder / "examples"
    make_examples(
        read_material(given.folder, options.seed), examples, options.pairs,
        on_progress=lambda done, total: print(f"{done:,} of {total:,} pairs", flush=True),
    )  # fmt: skip
    network = tower()
    torch.set_num_threads(cpu_count())
    train_head(
        read_examples(examples), network.head, options,
        on_epoch=lambda epoch, loss: print(f"epoch {epoch}: loss {loss:.3f}", flush=True),
    )  # fmt: skip
    export_network(network, given.folder / "network")


if __name__ == "__main__":
    main()
