"""The FAISS index of a revision: derived from the catalogue, rebuilt at will."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from retrieval.catalogue import Catalogue


def vectors_path(data: Path, revision: int) -> Path:
    """Return the file that holds the vectors of a revision."""
    return data / f"vectors-{revision}.faiss"


def build_vectors(ids: np.ndarray, vectors: np.ndarray) -> Any:
    """Return an exact index of float32 vectors (n, dim) that answers with ids, int64 of shape (n,)."""
    index = faiss.IndexIDMap2(faiss.IndexFlatIP(vectors.shape[1]))
    index.add_with_ids(vectors, ids)
    return index


def write_vectors(index: Any, data: Path, revision: int) -> None:
    """Write a revision's index, whole or not at all, and remove those of other revisions."""
    target = vectors_path(data, revision)
    temporary = target.with_suffix(".part")
    faiss.write_index(index, str(temporary))
    os.replace(temporary, target)
    for other in stray_files(data, revision):
        other.unlink(missing_ok=True)


def stray_files(data: Path, revision: int) -> list[Path]:
    """Return the files of other revisions, and of runs that were killed while writing one."""
    keep = vectors_path(data, revision)
    return sorted(path for suffix in ("faiss", "part") for path in data.glob(f"vectors-*.{suffix}") if path != keep)


def read_vectors(catalogue: Catalogue) -> Any:
    """Return the index of the catalogue's revision; where its file is missing or damaged, built from the truth."""
    try:
        return faiss.read_index(str(vectors_path(catalogue.data, catalogue.revision)))
    except RuntimeError:
        return build_vectors(*catalogue.vectors())
