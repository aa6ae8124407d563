"""Make the examples that the comparison is learned from, once: what the head sees of each pair, kept in files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from indexer.comparison.network import CHANNELS, ComparisonNetwork, Head
from indexer.comparison.pairs import GENUINE, RealPair, TrainingPair, real_pair, simulated_pair
from indexer.comparison.tower import load_tower
from retrieval.machine import cpu_count, import_cv2

A_FILE = 200  # pairs
ALTERED, UNALTERED = 0.3, 0.02  # share of a place from which it counts as altered, and up to which as not
VISIBLE = 4.0  # grey levels


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """What the head learns from, n pairs."""

    evidence: np.ndarray  # float16 (n, channels, rows, columns)
    inside: np.ndarray  # bool (n, rows, columns)
    altered: np.ndarray  # bool (n, rows, columns): visibly; places neither altered nor unaltered teach nothing
    unaltered: np.ndarray  # bool (n, rows, columns)
    source: np.ndarray  # (n,) names

    @property
    def is_copy(self) -> np.ndarray:
        """Which pairs are of a copy, bool (n,)."""
        return np.asarray(self.altered.any(axis=(1, 2)))


@dataclass(frozen=True, slots=True)
class Material:
    """What pairs are made of: pictures of works, and real photographs; all by one seed."""

    works: tuple[Path, ...]
    pairs: tuple[RealPair, ...]
    seed: int

    def pair(self, number: int) -> TrainingPair | None:
        """Return the pair of a number, odd ones real; the same for the same number and seed."""
        random = np.random.default_rng([self.seed, number])
        if number % 2 == 0 or not self.pairs:
            return simulated_pair(self.works, random)
        sources = sorted({pair.source for pair in self.pairs})
        weights = np.sqrt([sum(pair.source == source for pair in self.pairs) for source in sources])
        source = random.choice(sources, p=weights / weights.sum())
        some = [pair for pair in self.pairs if pair.source == source]
        return real_pair(some[random.integers(len(some))], self.works, random)


def make_examples(
    material: Material, folder: Path, count: int, *, on_progress: Callable[[int, int], None] = lambda done, total: None
) -> None:
    """Make `count` pairs in files of A_FILE, but for those that an earlier run has made in this folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(cpu_count()) as pool:
        for start in range(0, count, A_FILE):
            numbers = range(start, min(start + A_FILE, count))
            path = folder / f"seed-{material.seed}-{start:06}-{numbers.stop:06}.npz"
            if not path.exists():
                found = pool.map(_example, [material] * len(numbers), numbers, chunksize=10)
                _save(path, [example for example in found if example is not None])
            on_progress(min(start + A_FILE, count), count)


def read_examples(folder: Path) -> Examples:
    """Return all examples in a folder; a copy of which nothing is to be seen is left out."""
    parts = [np.load(path) for path in sorted(folder.glob("*.npz"))]
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0].files}
    inside = whole["inside"]
    altered = (whole["altered"] > ALTERED) & (whole["visible"] > VISIBLE) & inside
    kept = (whole["kind"] == GENUINE) | altered.any(axis=(1, 2))
    unaltered = (whole["altered"] < UNALTERED) & inside
    return Examples(whole["evidence"][kept], inside[kept], altered[kept], unaltered[kept], whole["source"][kept])


@cache
def tower() -> ComparisonNetwork:
    """Return the network with a head that has learned nothing yet, on the tower that comes with the program."""
    torch.set_num_threads(1)  # the processes are many
    return ComparisonNetwork(load_tower(), Head(CHANNELS)).eval()


def _example(material: Material, number: int) -> dict[str, np.ndarray] | None:
    try:
        pair = material.pair(number)
    except import_cv2().error:  # a place too thin to be painted out, a homography that cannot be solved
        return None
    if pair is None:
        return None
    with torch.inference_mode():
        features = tower().features(torch.from_numpy(pair.evidence.pictures))[0].numpy()
    return {
        "evidence": np.concatenate([features, pair.evidence.states]).astype(np.float16),
        "inside": pair.evidence.inside,
        "altered": pair.altered.astype(np.float16),
        "visible": pair.visible.astype(np.float16),
        "kind": np.array(pair.kind),
        "source": np.array(pair.source),
    }


def _save(path: Path, examples: Sequence[dict[str, np.ndarray]]) -> None:
    """Write a file whole or not at all."""
    being_written = path.with_suffix(".part")
    with being_written.open("wb") as file:
        columns: dict[str, Any] = {name: np.stack([one[name] for one in examples]) for name in examples[0]}
        np.savez(file, **columns)
    being_written.replace(path)


def shuffled(examples: Examples, *, batch: int, steps: int, random: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield the rows of each batch: half of them simulated, and of the others each source by the root of its count."""
    names, counts = np.unique(examples.source, return_counts=True)
    weights = np.sqrt(counts)
    real = names != "simulated"
    share = np.where(real, 0.5 * weights / max(weights[real].sum(), 1e-9), 0.5 if real.any() else 1.0)
    rows = {name: np.flatnonzero(examples.source == name) for name in names}
    for _ in range(steps):
        drawn = random.choice(names, batch, p=share / share.sum())
        yield np.array([random.choice(rows[name]) for name in drawn])
