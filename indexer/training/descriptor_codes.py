"""Train the codes in which the descriptors of local features are kept.

`python -m indexer.training.descriptor_codes OUT FOLDER...` does it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from indexer.training.visual_words import descriptors_below
from retrieval.photographs.descriptor_codes import CODE_BYTES

ROTATED = 8 * CODE_BYTES  # values after the rotation: eight a byte, which is what FAISS codes quickly
TURNS, SAMPLE_TURNED, SAMPLE = 12, 40_000, 120_000  # steps of the rotation; descriptors for it, and for the code books


def train_codes(descriptors: np.ndarray, *, seed: int = 0) -> Any:
    """Return an empty index to code by: a rotation and a book for each byte, trained on descriptors, uint8 (n, 128)."""
    rows = np.random.default_rng(seed).permutation(len(descriptors))[:SAMPLE]
    sample = descriptors[rows].astype(np.float32)
    rotation = faiss.OPQMatrix(128, CODE_BYTES, ROTATED)
    rotation.niter = TURNS
    rotation.train(sample[:SAMPLE_TURNED])
    books = faiss.IndexPQ(ROTATED, CODE_BYTES, 8)
    books.train(rotation.apply(sample))
    return faiss.IndexPreTransform(rotation, books)


def main() -> None:
    """Train on the photographs below the folders and write the codes."""
    out, *folders = map(Path, sys.argv[1:])
    faiss.write_index(train_codes(descriptors_below(folders)), str(out))


if __name__ == "__main__":
    main()
