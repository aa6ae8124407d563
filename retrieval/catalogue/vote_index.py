"""Let the local features of a photograph vote for the exemplars that look like it somewhere.

An inverted file of visual words (Sivic and Zisserman, ICCV 2003) with product quantisation (Jegou et al., PAMI 2011),
as FAISS has it. It finds a work that is a small part of a photograph, among ten thousand, where the embedding of the
whole does not; what it names is then registered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.content_keys import content_keys
from retrieval.catalogue.key_of_content import content_key
from retrieval.catalogue.vote_lists import CODE_BYTES, VoteLists

WORDS = (
    Path(__file__).parent / "words.faiss"
)  # the trained, empty index; `python -m indexer.training.visual_words` makes it
NEIGHBOURS = 16  # features of exemplars that each feature of a photograph is compared with, at least
AS_MANY = 3_200_000  # features of exemplars, of 10,000 works, among which so many do
MORE = 0.6  # the power with which they grow beyond: objects that are not there get as many votes as among fewer
VOTED_ON = 372  # features of an exemplar at most, that may be voted for: 3 KB
AT_ONCE = 200  # exemplars whose features are read in one step


@dataclass(frozen=True, slots=True, eq=False)
class Ballot:
    """The votes of a photograph's features: for each, which exemplar it looks like, and how much more than others."""

    voters: np.ndarray  # int64 (n,): rows of the features
    exemplars: np.ndarray  # int64 (n,): keys of the contents
    weights: np.ndarray  # float32 (n,), 0 to 1

    def count(self, among: np.ndarray | None = None, *, least: float = 0.0) -> list[tuple[int, float]]:
        """Return the exemplars by key with their sum of votes, most first, those that have at least so many.

        `among` is bool (features,).
        """
        counted = slice(None) if among is None else among[self.voters]
        keys, numbers = np.unique(self.exemplars[counted], return_inverse=True)
        sums = np.bincount(numbers, self.weights[counted], minlength=len(keys))
        order = np.argsort(-sums, kind="stable")[: np.count_nonzero(sums >= least)]
        return [(int(keys[row]), float(sums[row])) for row in order]


def cast_votes(votes: Sequence[VoteLists], descriptors: np.ndarray) -> Ballot:
    """Return the votes of descriptors, uint8 (n, 128).

    A feature votes once for an exemplar, the more the nearer it is there than to the last of its neighbours.
    """
    distances, keys = nearest_features(votes, descriptors)
    farthest = np.where(keys < 0, 0.0, distances).max(axis=1, keepdims=True, initial=0.0)
    nearer = np.where(keys < 0, 0.0, 1.0 - distances / np.maximum(farthest, 1e-6))
    weights = (nearer**2).astype(np.float32)  # one that is much nearer speaks louder than many that are a little
    voters = np.repeat(np.arange(len(keys)), keys.shape[1])
    order = np.lexsort((keys.ravel(), voters))  # stable: the nearest of each exemplar stays first
    first = np.ones(len(order), bool)
    first[1:] = (np.diff(keys.ravel()[order]) != 0) | (np.diff(voters[order]) != 0)
    kept = order[first & (weights.ravel()[order] > 0)]
    return Ballot(voters[kept], keys.ravel()[kept], weights.ravel()[kept])


def neighbours_among(entries: int) -> int:
    """Return how many neighbours a feature is compared with among so many features of exemplars.

    Among more of them the last of a fixed number is nearer, every vote would be less, and what few objects get that are
    not there would be more than many get that are.
    """
    return round(NEIGHBOURS * max(1.0, entries / AS_MANY) ** MORE)


def nearest_features(votes: Sequence[VoteLists], descriptors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the features of exemplars nearest to descriptors, uint8 (n, 128), among those of the same word.

    Squared distances, float32 (n, `neighbours_among` all), nearest first, and the keys of their contents, int64; -1:
    there are no more, at an infinite distance.
    """
    count = neighbours_among(sum(map(len, votes)))
    faiss.omp_set_num_threads(1)  # of this thread: photographs are what goes side by side
    asked = np.ascontiguousarray(descriptors, np.float32)
    to_words, words = empty_index().quantizer.search(asked, 1) if len(asked) else (np.empty((0, 1)), np.empty((0, 1)))
    found = _nearest_in([lists for lists in votes if len(lists)], asked, words[:, 0], to_words[:, 0], count)
    if not found:
        empty = np.full((len(asked), count), -1, np.int64)
        return np.full(empty.shape, np.inf, np.float32), empty
    distances, keys = (np.concatenate(column, axis=1) for column in zip(*found, strict=True))
    order = np.argsort(distances, axis=1, kind="stable")[:, :count]
    return np.take_along_axis(distances, order, 1), np.take_along_axis(keys, order, 1)


def _nearest_in(
    votes: Sequence[VoteLists], asked: np.ndarray, words: np.ndarray, to_words: np.ndarray, count: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return for each lists so many features nearest to descriptors, float32 (n, 128), given the words of these.

    Squared distances, float32 (n, count), and keys, int64.
    """
    distances = [np.full((len(asked), count), np.inf, np.float32) for _ in votes]
    entries = [np.full((len(asked), count), -1, np.int64) for _ in votes]
    scanner = empty_index().get_InvertedListScanner(True, None, faiss.SearchParametersIVF())
    for row, word in enumerate(words.astype(np.int64).tolist()):
        scanner.set_query(faiss.swig_ptr(asked[row]))
        scanner.set_list(word, float(to_words[row]))  # once: what a word is, is the same in all lists
        for lists, near, at in zip(votes, distances, entries, strict=True):
            start, end = lists.starts[word : word + 2].tolist()
            if start < end:
                best = faiss.swig_ptr(near[row]), faiss.swig_ptr(at[row])
                scanner.scan_codes(end - start, faiss.swig_ptr(lists.codes[start:end]), None, *best, count)
                at[row] = np.where(at[row] < 0, -1, start + (at[row] & 0xFFFFFFFF))
    return [_with_keys(*found) for found in zip(votes, distances, entries, strict=True)]


def _with_keys(lists: VoteLists, distances: np.ndarray, entries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return distances, nearest first, and the keys of the contents whose entries they are to."""
    order = np.lexsort((entries, distances))
    distances, entries = np.take_along_axis(distances, order, 1), np.take_along_axis(entries, order, 1)
    rows = lists.rows[np.maximum(entries, 0)]
    found = (entries >= 0) & (rows < len(lists.keys))  # beyond them: of a damaged file
    keys = np.full(entries.shape, -1, np.int64)
    keys[found] = lists.keys[rows[found]]
    return distances, keys


@cache
def empty_index() -> Any:
    """Return the trained words and code books, without the 64 MB table that FAISS would compute: it saves no time."""
    return faiss.read_index(str(WORDS), faiss.IO_FLAG_SKIP_PRECOMPUTE_TABLE)


def lists_of(catalogue: Catalogue, hashes: Sequence[str]) -> VoteLists:
    """Return the lists of the features of some contents."""
    index = empty_index()
    keys, coded = [np.empty(0, np.int64)], [np.empty((0, index.sa_code_size()), np.uint8)]
    for start in range(0, len(hashes), AT_ONCE):
        for sha256, item in catalogue.features(hashes[start : start + AT_ONCE]).items():
            if len(item):
                some = voted_on(item.descriptors)
                keys.append(np.full(len(some), content_key(sha256)))
                coded.append(index.sa_encode(some.astype(np.float32)))
    codes = np.concatenate(coded)
    words = codes[:, :-CODE_BYTES].astype(np.int64) @ (256 ** np.arange(codes.shape[1] - CODE_BYTES))
    return VoteLists.of(content_keys(hashes), np.concatenate(keys), words, codes[:, -CODE_BYTES:], count=index.nlist)


def voted_on(descriptors: np.ndarray) -> np.ndarray:
    """Return as many of an exemplar's descriptors, (n, 128), as are voted on, evenly from all."""
    count = min(len(descriptors), VOTED_ON)
    return descriptors[np.linspace(0, len(descriptors) - 1, count).round().astype(np.int64)]
