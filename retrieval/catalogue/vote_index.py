"""Let the local features of a photograph vote for the exemplars that look like it somewhere.

An inverted file of visual words (Sivic and Zisserman, ICCV 2003) with product quantisation (Jegou et al., PAMI 2011),
as FAISS has it. It finds a work that is a small part of a photograph, among ten thousand, where the embedding of the
whole does not; what it names is then registered. Derived from the catalogue like the vectors, rebuilt at will.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.vector_index import strays, write_index
from retrieval.photographs.features import VERSION

WORDS = (
    Path(__file__).parent / "words.faiss"
)  # the trained, empty index; `python -m indexer.training.visual_words` makes it
PROBED = 1  # words near each feature whose lists are looked through; more cost more and found nothing more
NEIGHBOURS = 16  # features of exemplars that each feature of a photograph is compared with
AT_ONCE = 200  # exemplars added in one step


@dataclass(frozen=True, slots=True, eq=False)
class Ballot:
    """The votes of a photograph's features: for each, which exemplar it looks like, and how much more than others."""

    voters: np.ndarray  # int64 (n,): rows of the features
    exemplars: np.ndarray  # int64 (n,): keys of the contents
    weights: np.ndarray  # float32 (n,), 0 to 1

    def count(self, among: np.ndarray | None = None) -> list[tuple[int, float]]:
        """Return the exemplars by key with their sum of votes, most first; `among` is bool (features,)."""
        counted = slice(None) if among is None else among[self.voters]
        keys, numbers = np.unique(self.exemplars[counted], return_inverse=True)
        sums = np.bincount(numbers, self.weights[counted], minlength=len(keys))
        order = np.argsort(-sums, kind="stable")
        return [(int(keys[row]), float(sums[row])) for row in order]


def content_key(sha256: str) -> int:
    """Return the number by which the index knows a content: the first 60 bits of its hash."""
    return int(sha256[:15], 16)


def cast_votes(index: Any, descriptors: np.ndarray) -> Ballot:
    """Return the votes of descriptors, uint8 (n, 128).

    A feature votes once for an exemplar, the more the nearer it is there than to the last of its neighbours.
    """
    faiss.omp_set_num_threads(1)  # of this thread: photographs are what goes side by side
    if not len(descriptors) or not index.ntotal:
        return Ballot(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))
    how: Any = faiss.SearchParametersIVF()
    how.nprobe = PROBED
    distances, keys = index.search(descriptors.astype(np.float32), min(NEIGHBOURS, index.ntotal), params=how)
    distances[keys < 0] = 0.0
    farthest = distances.max(axis=1, keepdims=True)
    weights = np.where(keys < 0, 0.0, 1.0 - distances / np.maximum(farthest, 1e-6)).astype(np.float32)
    voters = np.repeat(np.arange(len(keys)), keys.shape[1])
    order = np.lexsort((keys.ravel(), voters))  # stable: the nearest of each exemplar stays first
    first = np.ones(len(order), bool)
    first[1:] = (np.diff(keys.ravel()[order]) != 0) | (np.diff(voters[order]) != 0)
    kept = order[first & (weights.ravel()[order] > 0)]
    return Ballot(voters[kept], keys.ravel()[kept], weights.ravel()[kept])


def votes_path(data: Path, revision: int) -> Path:
    """Return the file that holds the index of a revision."""
    return data / f"votes{VERSION}-{revision}.faiss"


def empty_index() -> Any:
    """Return the trained index with nothing in it."""
    return _opened(WORDS)


def read_votes(catalogue: Catalogue) -> Any:
    """Return the index of the catalogue's revision; built from the truth where its file is missing or damaged."""
    return bring_up_to_date(catalogue, _first_sound([votes_path(catalogue.data, catalogue.revision)]))


def write_votes(catalogue: Catalogue) -> None:
    """Write the index of the catalogue's revision, whole or not at all, from an earlier one; remove all others."""
    if not is_current(catalogue):
        earlier = _first_sound(catalogue.data.glob(f"votes{VERSION}-*.faiss"))
        write_index(bring_up_to_date(catalogue, earlier), votes_path(catalogue.data, catalogue.revision))
    for stray in stray_votes(catalogue.data, catalogue.revision):
        stray.unlink(missing_ok=True)


def is_current(catalogue: Catalogue) -> bool:
    """Say whether the file of the catalogue's revision is there, whole, and holds just its exemplars."""
    index = _read(votes_path(catalogue.data, catalogue.revision))
    return index is not None and _held(index) == {content_key(sha256) for sha256 in catalogue.with_any_feature()}


def stray_votes(data: Path, revision: int) -> list[Path]:
    """Return the files of other revisions, and of runs that were killed while writing one."""
    return strays(votes_path(data, revision), "votes*-*")


def bring_up_to_date(catalogue: Catalogue, index: Any) -> Any:
    """Return the index with what is new in the catalogue and without what is gone from it."""
    wanted = {content_key(sha256): sha256 for sha256 in sorted(catalogue.with_any_feature())}
    held = _held(index)
    if gone := held - wanted.keys():
        index.remove_ids(faiss.IDSelectorBatch(np.array(sorted(gone), np.int64)))
    new = [sha256 for key, sha256 in wanted.items() if key not in held]
    for start in range(0, len(new), AT_ONCE):
        _add(index, catalogue, new[start : start + AT_ONCE])
    return index


def _add(index: Any, catalogue: Catalogue, contents: Iterable[str]) -> None:
    features = catalogue.features(contents)
    described = {content_key(sha256): item.descriptors for sha256, item in features.items() if len(item)}
    if described:
        keys = np.repeat(np.array(list(described), np.int64), [len(rows) for rows in described.values()])
        index.add_with_ids(np.concatenate(list(described.values())).astype(np.float32), keys)


def _held(index: Any) -> Collection[int]:
    """Return the keys of the contents in an index."""
    lists = index.invlists
    found: set[int] = set()
    for number in range(index.nlist):
        if size := lists.list_size(number):
            found.update(faiss.rev_swig_ptr(lists.get_ids(number), size).tolist())
    return found


def _first_sound(paths: Iterable[Path]) -> Any:
    """Return the index in the first of some files that can be read, or else one with nothing in it."""
    for path in paths:
        if (index := _read(path)) is not None:
            return index
    return empty_index()


def _read(path: Path) -> Any:
    with suppress(RuntimeError):
        index = _opened(path)
        if isinstance(index, faiss.IndexIVFPQ):
            return index
    return None


def _opened(path: Path) -> Any:
    """Read an index without the 64 MB table that FAISS computes for it: that takes longer than it saves."""
    return faiss.read_index(str(path), faiss.IO_FLAG_SKIP_PRECOMPUTE_TABLE)
