"""Let the local features of a photograph vote for the exemplars that look like it somewhere.

An inverted file of visual words (Sivic and Zisserman, ICCV 2003) with product quantisation (Jegou et al., PAMI 2011),
as FAISS has it. It finds a work that is a small part of a photograph, among ten thousand, where the embedding of the
whole does not; what it names is then registered. Derived from the catalogue like the vectors, rebuilt at will.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.database import can_write, lock
from retrieval.catalogue.exemplars import content_key
from retrieval.catalogue.vector_index import note, noted, strays
from retrieval.catalogue.vote_lists import CODE_BYTES, VoteLists, merged, read_lists, write_lists
from retrieval.errors import CatalogueBusy
from retrieval.photographs.features import VERSION

WORDS = (
    Path(__file__).parent / "words.faiss"
)  # the trained, empty index; `python -m indexer.training.visual_words` makes it
NOTED = "votes"  # in the settings
NEIGHBOURS = 16  # features of exemplars that each feature of a photograph is compared with
VOTED_ON = 372  # features of an exemplar at most, that may be voted for: 3 KB
AT_ONCE = 200  # exemplars whose features are read in one step
MERGED_AT = 20_000  # exemplars added to the lists in one step


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


def cast_votes(votes: VoteLists, descriptors: np.ndarray) -> Ballot:
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


def nearest_features(votes: VoteLists, descriptors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the features of exemplars nearest to descriptors, uint8 (n, 128), among those of the same word.

    Squared distances, float32 (n, NEIGHBOURS), nearest first, and the keys of their contents, int64; -1: there are no
    more, at an infinite distance.
    """
    faiss.omp_set_num_threads(1)  # of this thread: photographs are what goes side by side
    distances = np.full((len(descriptors), NEIGHBOURS), np.inf, np.float32)
    entries = np.full((len(descriptors), NEIGHBOURS), -1, np.int64)
    index, asked = empty_index(), np.ascontiguousarray(descriptors, np.float32)
    scanner = index.get_InvertedListScanner(True, None, faiss.SearchParametersIVF())
    to_words, words = index.quantizer.search(asked, 1) if len(asked) else (np.empty((0, 1)), np.empty((0, 1), int))
    for row, word in enumerate(words[:, 0].tolist()):
        start, end = votes.starts[word : word + 2].tolist()
        if start < end:
            scanner.set_query(faiss.swig_ptr(asked[row]))
            scanner.set_list(word, float(to_words[row, 0]))
            best = faiss.swig_ptr(distances[row]), faiss.swig_ptr(entries[row])
            scanner.scan_codes(end - start, faiss.swig_ptr(votes.codes[start:end]), None, *best, NEIGHBOURS)
            entries[row] = np.where(entries[row] < 0, -1, start + (entries[row] & 0xFFFFFFFF))
    order = np.lexsort((entries, distances))
    distances, entries = np.take_along_axis(distances, order, 1), np.take_along_axis(entries, order, 1)
    rows = votes.rows[np.maximum(entries, 0)] if len(votes) else np.zeros(entries.shape, np.uint32)
    found = (entries >= 0) & (rows < len(votes.keys))  # beyond them: of a damaged file
    keys = np.full(entries.shape, -1, np.int64)
    keys[found] = votes.keys[rows[found]]
    return distances, keys


def votes_path(data: Path, revision: int) -> Path:
    """Return the file that holds the lists of a revision."""
    return data / f"votes{VERSION}-{revision}.lists"


@cache
def empty_index() -> Any:
    """Return the trained words and code books, without the 64 MB table that FAISS would compute: it saves no time."""
    return faiss.read_index(str(WORDS), faiss.IO_FLAG_SKIP_PRECOMPUTE_TABLE)


def no_votes() -> VoteLists:
    """Return lists with nothing in them."""
    words = empty_index().nlist
    none = np.empty(0, np.int64)
    return VoteLists.of(none, none, np.empty((0, CODE_BYTES), np.uint8), count=words)


def read_votes(catalogue: Catalogue) -> VoteLists:
    """Return the lists of the catalogue's revision; built from the truth as far as their file does not hold it.

    What had to be built is kept, unless somebody writes the catalogue: the next reader finds it.
    """
    path = votes_path(catalogue.data, catalogue.revision)
    found = _read(path)
    if found is not None and _is_of(catalogue, found):
        return found
    built = bring_up_to_date(catalogue, no_votes() if found is None else found)
    if found is None and can_write(catalogue.data):
        with suppress(CatalogueBusy), lock(catalogue.data):
            if _read(path) is None:
                write_lists(built, path)
    return built


def write_votes(catalogue: Catalogue) -> None:
    """Write the lists of the catalogue's revision, whole or not at all, from earlier ones; remove all others."""
    path = votes_path(catalogue.data, catalogue.revision)
    lists = _read(path)
    if lists is None or not _holds_just(catalogue, lists):
        earlier = (_read(found, whole=True) for found in sorted(catalogue.data.glob(f"votes{VERSION}-*.lists")))
        lists = bring_up_to_date(catalogue, next((found for found in earlier if found is not None), no_votes()))
        write_lists(lists, path)
    note(catalogue, NOTED, np.sort(lists.keys))
    for stray in stray_votes(catalogue.data, catalogue.revision):
        stray.unlink(missing_ok=True)


def is_current(catalogue: Catalogue, *, whole: bool = False) -> bool:
    """Say whether the file of the catalogue's revision is there and holds just its exemplars, and if it is `whole`."""
    lists = _read(votes_path(catalogue.data, catalogue.revision), whole=whole)
    return lists is not None and _holds_just(catalogue, lists)


def _holds_just(catalogue: Catalogue, lists: VoteLists) -> bool:
    """Say whether lists hold the exemplars of the catalogue that have a feature, and no others."""
    return set(lists.keys.tolist()) == _wanted(catalogue).keys()


def _is_of(catalogue: Catalogue, lists: VoteLists) -> bool:
    """Say whether lists hold what was noted of the revision, or, where nothing is noted, just its exemplars."""
    known = noted(catalogue, NOTED)
    if known is None:
        return _holds_just(catalogue, lists)
    return (len(lists.keys), zlib.crc32(np.sort(lists.keys).tobytes())) == known


def stray_votes(data: Path, revision: int) -> list[Path]:
    """Return the files of other revisions and versions, and of runs that were killed while writing one."""
    return strays(votes_path(data, revision), "votes*-*")


def bring_up_to_date(catalogue: Catalogue, lists: VoteLists) -> VoteLists:
    """Return the lists with what is new in the catalogue and without what is gone from it."""
    wanted = _wanted(catalogue)
    gone = ~np.isin(lists.keys, np.fromiter(wanted, np.int64, len(wanted)))
    new = [wanted[key] for key in sorted(wanted.keys() - set(lists.keys.tolist()))]
    for start in range(0, max(1, len(new)), MERGED_AT):
        more = _lists_of(catalogue, new[start : start + MERGED_AT])
        if gone.any() or len(more.keys):
            lists = merged(lists, more, without=gone)
            gone = np.zeros(len(lists.keys), bool)
    return lists


def _wanted(catalogue: Catalogue) -> dict[int, str]:
    """Return the contents of exemplars that have a feature, by key."""
    return {content_key(sha256): sha256 for sha256 in catalogue.with_any_feature()}


def _lists_of(catalogue: Catalogue, contents: Sequence[str]) -> VoteLists:
    """Return the lists of the features of some contents."""
    index = empty_index()
    keys, coded = [np.empty(0, np.int64)], [np.empty((0, index.sa_code_size()), np.uint8)]
    for start in range(0, len(contents), AT_ONCE):
        for sha256, item in catalogue.features(contents[start : start + AT_ONCE]).items():
            if len(item):
                some = voted_on(item.descriptors)
                keys.append(np.full(len(some), content_key(sha256)))
                coded.append(index.sa_encode(some.astype(np.float32)))
    codes = np.concatenate(coded)
    words = codes[:, :-CODE_BYTES].astype(np.int64) @ (256 ** np.arange(codes.shape[1] - CODE_BYTES))
    return VoteLists.of(np.concatenate(keys), words, codes[:, -CODE_BYTES:], count=index.nlist)


def voted_on(descriptors: np.ndarray) -> np.ndarray:
    """Return as many of an exemplar's descriptors, (n, 128), as are voted on, evenly from all."""
    count = min(len(descriptors), VOTED_ON)
    return descriptors[np.linspace(0, len(descriptors) - 1, count).round().astype(np.int64)]


def _read(path: Path, *, whole: bool = False) -> VoteLists | None:
    return read_lists(path, words=empty_index().nlist, whole=whole)
