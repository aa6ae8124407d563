"""FAISS indexes that propose the contents nearest to a vector: exact ones, and faster ones whose recall is measured."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import faiss
import numpy as np

from retrieval.catalogue.content_keys import content_keys
from retrieval.errors import CatalogueBusy, UnknownIndex

EXACT = "Flat"
EXACT_UP_TO = 200_000  # contents: looking at each takes 0.1 s and 400 MB
MEMORY = 2_000_000_000  # bytes that an index may take, where nobody says otherwise
RECALL = 0.99  # of the ten nearest, in a shortlist
ASKED_FOR = 4  # times as many are proposed as are wanted, where the index is not exact
TRAINED_ON = 40  # vectors for each list, as FAISS advises
_SAMPLE, _NEAREST, _AWAY = 256, 10, 0.5  # vectors that recall is measured on, how many each, how far beside
_FEWEST = 39 * 16  # vectors that lists are trained on

Batches = Callable[[], Iterable[tuple[np.ndarray, np.ndarray]]]  # keys int64 (n,) and vectors float32 (n, dim)


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


def kind_for(count: int, dim: int, memory: int = MEMORY) -> str:
    """Return the factory string of an index for so many vectors of `dim` that takes no more than `memory` bytes."""
    if count < _FEWEST or (count <= EXACT_UP_TO and 4 * dim * count <= memory):
        return EXACT
    lists = f"IVF{min(2 ** round(np.log2(4 * np.sqrt(count))), count // 39)}"
    few = 8 if dim % 8 == 0 else 1  # numbers that a byte stands for, at most
    codes = {"SQ8": dim, "SQ4": dim // 2} | {f"PQ{size}np": size for size in (2 * dim // few, dim // few)}
    fitting = [code for code, size in codes.items() if (size + 8) * count <= memory] or [*codes][-1:]
    return f"{lists},{fitting[0]}"


def check_kind(kind: str, dim: int) -> None:
    """Raise UnknownIndex where FAISS makes no index of a factory string for inner products of `dim` numbers."""
    try:
        _empty(kind, dim)
    except RuntimeError as error:
        raise UnknownIndex(
            f"{kind!r} is no index that FAISS knows for vectors of {dim} numbers. Name a factory string such as "
            "IVF4096,SQ8 or HNSW32, or Flat, or `auto`."
        ) from error


def fewest_for(kind: str, dim: int) -> int:
    """Return how many vectors an index of a factory string has to be trained on; 0 where it needs no training."""
    index = _empty(kind, dim)
    return 0 if index.is_trained else max(_FEWEST, 39 * _lists(index))


def _empty(kind: str, dim: int) -> Any:
    """Return an empty index that takes keys."""
    index = faiss.index_factory(dim, kind, faiss.METRIC_INNER_PRODUCT)
    return index if "IVF" in kind else faiss.IndexIDMap(index)


def make_index(kind: str, count: int, dim: int, batches: Batches) -> VectorIndex:
    """Return the index of `count` vectors of `dim`, which `batches` gives as often as it is asked.

    What is not exact is measured on some of the vectors, moved aside a little as another photograph would be, and
    searched the longer until a shortlist has `RECALL` of their ten nearest.
    """
    index = _empty(kind, dim)
    if kind == EXACT:
        for keys, vectors in batches():
            index.add_with_ids(vectors, keys)
        return VectorIndex(index)
    lists = _lists(index)
    if not index.is_trained:
        index.train(_sample(batches(), count, max(TRAINED_ON * lists, 10_000)))
    asked = _moved_aside(_sample(batches(), count, _SAMPLE))
    nearest = _Nearest(asked)
    for keys, vectors in batches():
        index.add_with_ids(vectors, keys)
        nearest.look_at(keys, vectors)
    return _repaired(index, kind, lists, asked, nearest.keys)


def _lists(index: Any) -> int:
    """Return the number of lists of an inverted file, 0 for another index."""
    try:
        return int(faiss.extract_index_ivf(index).nlist)
    except RuntimeError:
        return 0


def _sample(batches: Iterable[tuple[np.ndarray, np.ndarray]], count: int, wanted: int) -> np.ndarray:
    """Return about so many vectors, evenly from all: they are in the order of hashes, that is, in none."""
    step, at, found = max(1, count // wanted), 0, []
    for keys, vectors in batches:
        found.append(vectors[-at % step :: step])
        at += len(keys)
    return np.concatenate(found)


def _moved_aside(vectors: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(0).standard_normal(vectors.shape)
    moved = vectors + _AWAY * noise / np.linalg.norm(noise, axis=1, keepdims=True)
    return (moved / np.linalg.norm(moved, axis=1, keepdims=True)).astype(np.float32)


class _Nearest:
    """The keys nearest to some vectors among all that were looked at."""

    def __init__(self, asked: np.ndarray) -> None:
        self._asked = asked
        self._similarities = np.empty((len(asked), 0), np.float32)
        self.keys = np.empty((len(asked), 0), np.int64)

    def look_at(self, keys: np.ndarray, vectors: np.ndarray) -> None:
        """Look at more."""
        similarities = np.concatenate([self._similarities, self._asked @ vectors.T], axis=1)
        names = np.concatenate([self.keys, np.broadcast_to(keys, (len(self._asked), len(keys)))], axis=1)
        best = np.argsort(-similarities, axis=1)[:, :_NEAREST]
        self._similarities = np.take_along_axis(similarities, best, 1)
        self.keys = np.take_along_axis(names, best, 1)


def _repaired(index: Any, kind: str, lists: int, asked: np.ndarray, nearest: np.ndarray) -> VectorIndex:
    """Return the index searched as long as it takes for its recall, measured."""
    name, most = ("nprobe", lists) if lists else ("efSearch", 4096)
    value = 8 if lists else 64
    while True:
        found = searched_with(VectorIndex(index, kind, {name: value} if lists or "HNSW" in kind else {}))
        recall = recall_of(found, asked, nearest)
        if recall >= RECALL or value >= most or not found.parameters:
            return VectorIndex(index, kind, found.parameters, round(recall, 4))
        value = min(2 * value, most)


def searched_with(found: VectorIndex) -> VectorIndex:
    """Return an index after setting in it how it is searched."""
    for name, value in found.parameters.items():
        faiss.ParameterSpace().set_index_parameter(found.index, name, value)
    return found


def recall_of(found: Proposing, asked: np.ndarray, nearest: np.ndarray) -> float:
    """Return the share of the nearest, keys int64 (n, k), of vectors (n, dim) that are in a shortlist of an index."""
    if not nearest.size:
        return 1.0
    _, keys = found.search(asked, min(ASKED_FOR * nearest.shape[1], len(found)))
    hits = [len(np.intersect1d(one, other)) for one, other in zip(keys, nearest, strict=True)]
    return float(np.sum(hits) / nearest.size)


def write_index(index: Any, target: Path) -> None:
    """Write a FAISS index, whole or not at all; raises CatalogueBusy where the disk is full."""
    temporary = target.with_suffix(".part")
    try:
        faiss.write_index(index, str(temporary))
    except RuntimeError as error:
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


def in_batches(keys: np.ndarray, vectors: np.ndarray, size: int = 4096) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield vectors that are in memory some at a time."""
    for start in range(0, len(keys), size):
        yield keys[start : start + size], vectors[start : start + size]
