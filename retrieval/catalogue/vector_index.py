"""The FAISS index of a revision: derived from the catalogue, rebuilt at will."""

from __future__ import annotations

import json
import os
import zlib
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from retrieval.catalogue.catalogue import Catalogue
from retrieval.errors import CatalogueBusy

NOTED = "vectors"  # in the settings


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


def note_vectors(catalogue: Catalogue) -> None:
    """Keep how many exemplars of this revision have a vector, and a checksum of their ids: its file is told by them."""
    note(catalogue, NOTED, catalogue.vector_ids())


def note(catalogue: Catalogue, key: str, held: np.ndarray) -> None:
    """Keep what a derived file of this revision holds, int64 (n,), as a count and a checksum."""
    value = json.dumps({"revision": catalogue.revision, "count": len(held), "sum": zlib.crc32(held.tobytes())})
    if catalogue.setting(key) != value:
        catalogue.db["settings"].upsert({"key": key, "value": value}, pk="key")


def noted(catalogue: Catalogue, key: str) -> tuple[int, int] | None:
    """Return the count and the checksum kept of this revision; None where none is, or what was noted has changed."""
    found = json.loads(catalogue.setting(key) or "{}")
    return (found["count"], found["sum"]) if found.get("revision") == catalogue.revision else None


def has_vectors(catalogue: Catalogue) -> bool:
    """Say whether the file of the catalogue's revision is there, at the size that its vectors take."""
    encoder, known = catalogue.encoder, noted(catalogue, NOTED)
    if encoder is None:
        return False
    empty = build_vectors(np.empty(0, np.int64), np.empty((0, encoder.dim), np.float32))
    count = catalogue.count_vectors() if known is None else known[0]
    path = vectors_path(catalogue.data, catalogue.revision)
    return path.is_file() and path.stat().st_size == len(faiss.serialize_index(empty)) + count * (4 * encoder.dim + 8)


def read_vectors(catalogue: Catalogue) -> Any:
    """Return the index of the catalogue's revision, mapped into memory; built from the truth where no file fits."""
    try:
        if has_vectors(catalogue):
            path = vectors_path(catalogue.data, catalogue.revision)
            index: Any = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
            ids, known = faiss.vector_to_array(index.id_map), noted(catalogue, NOTED)
            if np.array_equal(ids, catalogue.vector_ids()) if known is None else zlib.crc32(ids.data) == known[1]:
                return index
    except (RuntimeError, OSError):  # damaged, or a writer has just removed it
        pass
    return build_vectors(*catalogue.vectors())
