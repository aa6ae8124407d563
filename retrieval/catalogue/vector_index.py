"""The FAISS index of a revision: derived from the catalogue, rebuilt at will."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from retrieval.catalogue.catalogue import Catalogue
from retrieval.errors import CatalogueBusy


def vectors_path(data: Path, revision: int) -> Path:
    """Return the file that holds the vectors of a revision."""
    return data / f"vectors-{revision}.faiss"


def build_vectors(ids: np.ndarray, vectors: np.ndarray) -> Any:
    """Return an exact index of float32 vectors (n, dim) that answers with ids, int64 of shape (n,)."""
    index = faiss.IndexIDMap2(faiss.IndexFlatIP(vectors.shape[1]))
    index.add_with_ids(vectors, ids)
    return index


def write_vectors(index: Any, data: Path, revision: int) -> None:
    """Write a revision's index, whole or not at all, and remove the indexes of other revisions."""
    write_index(index, vectors_path(data, revision))
    remove_strays(data, revision)


def write_index(index: Any, target: Path) -> None:
    """Write a FAISS index, whole or not at all; raises CatalogueBusy where the disk is full."""
    temporary = target.with_suffix(".part")
    try:
        faiss.write_index(index, str(temporary))
    except RuntimeError as error:
        raise CatalogueBusy(
            f"{temporary} cannot be written; is the disk full? Make room, then run the command again."
        ) from error
    os.replace(temporary, target)


def stray_files(data: Path, revision: int) -> list[Path]:
    """Return the files of other revisions, and of runs that were killed while writing one."""
    return strays(vectors_path(data, revision), "vectors-*")


def strays(keep: Path, names: str) -> list[Path]:
    """Return the derived files beside one, finished or not, whose stems have names like that."""
    suffixes = ("faiss", "lists", "part")
    return sorted(path for suffix in suffixes for path in keep.parent.glob(f"{names}.{suffix}") if path != keep)


def remove_strays(data: Path, revision: int) -> None:
    """Remove the index files of other revisions."""
    for path in stray_files(data, revision):
        path.unlink(missing_ok=True)


def has_vectors(catalogue: Catalogue) -> bool:
    """Say whether the file of the catalogue's revision is there, at the size that its vectors take."""
    encoder = catalogue.encoder
    if encoder is None:
        return False
    empty = build_vectors(np.empty(0, np.int64), np.empty((0, encoder.dim), np.float32))
    size = len(faiss.serialize_index(empty)) + catalogue.count_vectors() * (4 * encoder.dim + 8)
    path = vectors_path(catalogue.data, catalogue.revision)
    return path.is_file() and path.stat().st_size == size


def read_vectors(catalogue: Catalogue) -> Any:
    """Return the index of the catalogue's revision; built from the truth where its file does not fit."""
    try:
        if has_vectors(catalogue):
            index: Any = faiss.read_index(str(vectors_path(catalogue.data, catalogue.revision)))
            if np.array_equal(faiss.vector_to_array(index.id_map), catalogue.vector_ids()):
                return index
    except (RuntimeError, OSError):  # damaged, or a writer has just removed it
        pass
    return build_vectors(*catalogue.vectors())
