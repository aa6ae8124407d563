"""Make the index of some vectors: of the kind that fits their number, and as good as its measured recall says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import faiss
import numpy as np

from retrieval.catalogue.vector_index import ASKED_FOR, EXACT, Proposing, VectorIndex, searched_with
from retrieval.errors import UnknownIndex

EXACT_UP_TO = 200_000  # contents: looking at each takes 0.1 s and 400 MB
MEMORY = 2_000_000_000  # bytes that an index may take, where nobody says otherwise
RECALL = 0.99  # of the ten nearest, in a shortlist
GAIN = 0.002  # of recall by searching twice as long; where it is less, codes are too coarse, and longer is in vain
TRAINED_ON = 40  # vectors for each list, as FAISS advises
_SAMPLE, _NEAREST, _AWAY = 256, 10, 0.5  # vectors that recall is measured on, how many each, how far beside
_FEWEST = 39 * 16  # vectors that lists are trained on
_CODE = r"(Flat|SQ[468]|SQfp16|PQ[1-9]\d{0,2}(x4)?(np)?)"
_KINDS = re.compile(
    rf"Flat|HNSW([2-9]|[1-9]\d{{1,2}})(,(Flat|SQ[468]))?|IVF[1-9]\d{{0,5}}(_HNSW([2-9]|[1-9]\d))?,{_CODE}"
)

Batches = Callable[[], Iterable[tuple[np.ndarray, np.ndarray]]]  # keys int64 (n,) and vectors float32 (n, dim)


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
    """Raise UnknownIndex for a factory string of FAISS that is not of a kind used here, for vectors of `dim` numbers.

    These are flat ones, graphs, and inverted files of whole vectors, of scalar and of product quantisers.
    """
    wrong = UnknownIndex(
        f"{kind!r} is no index that is used here for vectors of {dim} numbers. Name a factory string of FAISS such as "
        "IVF4096,SQ8 or IVF4096,PQ64np or HNSW32, or Flat, or `auto`."
    )
    if not _KINDS.fullmatch(kind):
        raise wrong
    try:
        _empty(kind, dim)
    except RuntimeError as error:
        raise wrong from error


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
    searched the longer until a shortlist has `RECALL` of their ten nearest, or longer helps no more.
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
    """Return the index searched as long as it takes for its recall, measured, and as long as that helps."""
    name, most = ("nprobe", lists) if lists else ("efSearch", 4096)
    value = 8 if lists else 64
    best, reached = None, 0.0
    while True:
        found = searched_with(VectorIndex(index, kind, {name: value} if lists or "HNSW" in kind else {}))
        recall = recall_of(found, asked, nearest)
        if best is not None and recall < min(RECALL, reached + GAIN):
            return searched_with(best)
        best, reached = replace(found, recall=round(recall, 4)), recall
        if recall >= RECALL or value >= most or not found.parameters:
            return best
        value = min(2 * value, most)


def recall_of(found: Proposing, asked: np.ndarray, nearest: np.ndarray) -> float:
    """Return the share of the nearest, keys int64 (n, k), of vectors (n, dim) that are in a shortlist of an index."""
    if not nearest.size:
        return 1.0
    _, keys = found.search(asked, min(ASKED_FOR * nearest.shape[1], len(found)))
    hits = [len(np.intersect1d(one, other)) for one, other in zip(keys, nearest, strict=True)]
    return float(np.sum(hits) / nearest.size)
