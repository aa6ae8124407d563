"""FAISS indexes that propose the contents nearest to a vector, mapped from their files, and searched as one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import faiss
import numpy as np

from retrieval.catalogue.content_keys import content_keys
from retrieval.errors import CatalogueBusy

EXACT = "Flat"
ASKED_FOR = 4  # times as many are proposed as are wanted, where the index is not exact


class Proposing(Protocol):
    """What proposes the contents nearest to vectors."""

    @property
    def exact(self) -> bool:
        """Whether it proposes the very nearest."""

    def __len__(self) -> int: ...

    def search(self, vectors: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Return inner products, float32 (n, count), most first, and keys of contents, int64; -1: there are no more."""


@dataclass(frozen=True, slots=True)
class VectorIndex:
    """An index of FAISS, the factory string that it was made by, and how it is searched."""

    index: Any
    kind: str = EXACT
    parameters: Mapping[str, int] = field(default_factory=dict)
    recall: float | None = None  # measured as it was made; None: it is exact

    @property
    def exact(self) -> bool:
        """Whether it proposes the very nearest."""
        return self.kind == EXACT

    def __len__(self) -> int:
        return int(self.index.ntotal)

    def search(self, vectors: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Return inner products, float32 (n, count), most first, and keys of contents, int64; -1: there are no more."""
        similarities, keys = self.index.search(np.ascontiguousarray(vectors, np.float32), count)
        return similarities, keys


@dataclass(frozen=True, slots=True)
class Vectors:
    """The vectors of a revision: what proposes the nearest, and what they are exactly."""

    parts: Sequence[Proposing]
    exact: Callable[[Iterable[str]], Mapping[str, np.ndarray]]  # by the hash of a content; what has none is left out

    @classmethod
    def of(cls, vectors: np.ndarray, hashes: Sequence[str]) -> Vectors:
        """Return vectors, float32 (n, dim), that are in memory, given the hashes of their contents."""
        known = dict(zip(hashes, vectors, strict=True))
        index = VectorIndex(build_vectors(content_keys(hashes), vectors))
        return cls((index,), lambda asked: {sha256: known[sha256] for sha256 in asked if sha256 in known})

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    @property
    def margin(self) -> int:
        """How many times as many have to be proposed as are wanted."""
        return 1 if all(part.exact for part in self.parts) else ASKED_FOR

    def nearest(self, vectors: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Return inner products with vectors (n, dim), float32 (n, at most `count`), most first, and keys of contents.

        A key of -1 says that there are no more.
        """
        found = [part.search(vectors, min(count, len(part))) for part in self.parts if len(part)]
        if not found:
            return np.empty((len(vectors), 0), np.float32), np.empty((len(vectors), 0), np.int64)
        similarities, keys = (np.concatenate(column, axis=1) for column in zip(*found, strict=True))
        if len(found) > 1:
            order = np.argsort(-similarities, axis=1, kind="stable")[:, :count]
            similarities, keys = np.take_along_axis(similarities, order, 1), np.take_along_axis(keys, order, 1)
        return similarities, keys


def build_vectors(keys: np.ndarray, vectors: np.ndarray) -> Any:
    """Return an exact index of vectors, float32 (n, dim), that answers with their keys, int64 (n,)."""
    index = faiss.IndexIDMap(faiss.IndexFlatIP(vectors.shape[1]))
    index.add_with_ids(np.ascontiguousarray(vectors, np.float32), keys)
    return index


def searched_with(found: VectorIndex) -> VectorIndex:
    """Return an index after setting in it how it is searched."""
    for name, value in found.parameters.items():
        faiss.ParameterSpace().set_index_parameter(found.index, name, value)
    return found


def write_index(index: Any, target: Path) -> None:
    """Write a FAISS index, whole or not at all; raises CatalogueBusy where the disk is full."""
    temporary = target.with_suffix(".part")
    try:
        faiss.write_index(index, str(temporary))
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())  # before it is named: it is not read again to see whether all came
    except (RuntimeError, OSError) as error:
        temporary.unlink(missing_ok=True)
        raise CatalogueBusy(
            f"{temporary} cannot be written; is the disk full? Make room, then run the command again."
        ) from error
    os.replace(temporary, target)


def map_index(path: Path, kind: str, parameters: Mapping[str, int], recall: float | None) -> VectorIndex | None:
    """Map the index in a file into memory; None where it is missing or damaged."""
    try:
        index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
        return searched_with(VectorIndex(index, kind, parameters, recall))
    except (RuntimeError, OSError):
        return None
