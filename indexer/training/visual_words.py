"""Train the visual words by which local features are looked up.

`python -m indexer.training.visual_words OUT FOLDER...` does it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from indexer.inputs.walk import walk_folder
from retrieval.catalogue.vote_lists import CODE_BYTES
from retrieval.machine import cpu_count
from retrieval.photographs.features import features_of
from retrieval.photographs.images import read_photograph

WORDS = 4096
SAMPLE = 300_000  # features
LINKS = 16  # from each word, in the graph by which the nearest word is found (Malkov and Yashunin, PAMI 2020)
CONSIDERED = 16  # words on the way to it: 99 % of the features get the nearest one, in a quarter of the time
CONSIDERED_TO_LINK = 200
SHORT_SIDE = 260


def train_words(descriptors: np.ndarray, *, words: int = WORDS, seed: int = 0) -> Any:
    """Return an empty index trained on descriptors, uint8 (n, 128): k-means words, product quantisation within."""
    rows = np.random.default_rng(seed).permutation(len(descriptors))[:SAMPLE]
    graph = faiss.IndexHNSWFlat(128, LINKS)
    graph.hnsw.efConstruction, graph.hnsw.efSearch = CONSIDERED_TO_LINK, CONSIDERED
    index: Any = faiss.IndexIVFPQ(graph, 128, words, CODE_BYTES, 8)
    exhaustive = faiss.IndexFlatL2(128)
    index.clustering_index = exhaustive  # while it is trained; it does not own it
    index.cp.niter, index.cp.max_points_per_centroid, index.cp.seed = 12, 64, seed
    index.train(descriptors[rows].astype(np.float32))
    index.clustering_index = None
    return index


def descriptors_below(folders: Sequence[Path]) -> np.ndarray:
    """Return the descriptors of every photograph below some folders, uint8 (n, 128)."""
    paths = [
        folder / name
        for folder in folders
        for name, item in walk_folder(folder).photographs
        if not isinstance(item, str)
    ]

    def described(path: Path) -> np.ndarray:
        return features_of(read_photograph(path, short_side=SHORT_SIDE)).descriptors

    with ThreadPoolExecutor(cpu_count()) as pool:
        return np.concatenate(list(pool.map(described, paths)))


def main() -> None:
    """Train on the photographs below the folders and write the index."""
    out, *folders = map(Path, sys.argv[1:])
    faiss.write_index(train_words(descriptors_below(folders)), str(out))


if __name__ == "__main__":
    main()
