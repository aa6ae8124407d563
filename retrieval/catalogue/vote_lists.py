"""Keep, for each visual word, the features of exemplars that are of it: eight bytes a feature, in one file.

The file is mapped into memory: of a large one the keys of contents are read, eight bytes each, and then only the lists
that a photograph asks for; readers share its pages.
"""

from __future__ import annotations

import mmap
import os
import struct
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from retrieval.errors import CatalogueBusy

CODE_BYTES = 4  # of a feature, beside the row of its exemplar: more features find more than longer codes
_MAGIC = b"artifact votes 2"
_HEADER = struct.Struct("<16sIQQIII")  # magic, words, contents, entries, checksums of the entries, of all before
_AT = 64  # where the arrays begin
_AT_ONCE = 4_000_000  # entries that are merged in one step: 100 MB


@dataclass(frozen=True, slots=True, eq=False)
class VoteLists:
    """The features of exemplars, sorted by their visual words."""

    keys: np.ndarray  # int64 (contents,), by row, ascending; those without features too
    starts: np.ndarray  # int64 (words + 1,): where the list of each word begins, and the last one ends
    rows: np.ndarray  # uint32 (entries,): of the content in `keys`
    codes: np.ndarray  # uint8 (entries, CODE_BYTES): how the feature differs from its word

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def of(
        cls, contents: np.ndarray, keys: np.ndarray, words: np.ndarray, codes: np.ndarray, *, count: int
    ) -> VoteLists:
        """Return lists of features, given for each the key of its content, its word of `count`, and its code.

        `contents` are all the keys, also of contents without a feature.
        """
        contents, order = np.unique(contents.astype(np.int64)), np.argsort(words, kind="stable")
        starts = np.searchsorted(words[order], np.arange(count + 1)).astype(np.int64)
        return cls(contents, starts, np.searchsorted(contents, keys[order]).astype(np.uint32), codes[order])

    def holds(self, keys: np.ndarray) -> np.ndarray:
        """Say of each key, int64 (n,), whether its content is here: bool (n,). Of a large file little is read."""
        if not len(self.keys):
            return np.zeros(len(keys), bool)
        return self.keys[np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)] == keys


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Lists of which some contents are left out, and what the rows of the others become."""

    lists: VoteLists
    kept: np.ndarray | None  # bool (contents,); None: all
    becomes: np.ndarray  # uint32 (contents,)

    def lengths(self) -> np.ndarray:
        """Return how many entries each word has, int64 (words,)."""
        lengths = np.diff(self.lists.starts)
        if self.kept is None:
            return lengths
        counts = [np.bincount(self.entries(*words)[0], minlength=len(lengths)) for words in _steps([self.lists])]
        return np.sum(counts, axis=0)

    def entries(self, first: int, end: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return words, new rows and codes of the entries of some words."""
        where = slice(self.lists.starts[first], self.lists.starts[end])
        words = np.repeat(np.arange(first, end), np.diff(self.lists.starts[first : end + 1]))
        rows, codes = self.lists.rows[where], self.lists.codes[where]
        if self.kept is not None:
            chosen = self.kept[rows]
            words, rows, codes = words[chosen], rows[chosen], codes[chosen]
        return words, self.becomes[rows], codes


@dataclass(frozen=True, slots=True, eq=False)
class Merged:
    """Lists brought together into one, word by word: a part of them is in memory at a time."""

    keys: np.ndarray
    starts: np.ndarray
    parts: Sequence[_Part]

    @classmethod
    def of(
        cls,
        lists: Sequence[VoteLists],
        more: Sequence[VoteLists] = (),
        *,
        without: np.ndarray | None = None,
        of: Callable[[np.ndarray], np.ndarray] = lambda keys: np.ones(len(keys), bool),
    ) -> Merged:
        """Return what some lists hold together: some without the contents of keys, int64 (n,), and more, with all.

        No content is then in two of them. `of` says of keys, int64 (n,), which are taken at all: bool (n,).
        """
        gone = np.empty(0, np.int64) if without is None else without
        both = [*lists, *more]
        kept = [of(one.keys) & ~np.isin(one.keys, gone) for one in lists] + [of(one.keys) for one in more]
        keys = np.sort(np.concatenate([one.keys[chosen] for one, chosen in zip(both, kept, strict=True)]))
        parts = [
            _Part(one, None if chosen.all() else chosen, np.searchsorted(keys, one.keys).astype(np.uint32))
            for one, chosen in zip(both, kept, strict=True)
        ]
        lengths = np.sum([part.lengths() for part in parts], axis=0)
        return cls(keys, np.concatenate([[0], np.cumsum(lengths)]), parts)

    def steps(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the rows and the codes of some words after another."""
        for first, end in _steps([part.lists for part in self.parts]):
            found = [part.entries(first, end) for part in self.parts]
            words, rows, codes = (np.concatenate(column) for column in zip(*found, strict=True))
            order = np.argsort(words, kind="stable")
            yield rows[order], codes[order]

    def in_memory(self) -> VoteLists:
        """Return the lists."""
        rows, codes = (np.concatenate(column) for column in zip(*self.steps(), strict=True))
        return VoteLists(self.keys, self.starts, rows, codes)


def _steps(lists: Sequence[VoteLists]) -> Iterator[tuple[int, int]]:
    """Yield ranges of words that have so many entries that they can be handled in one step."""
    starts = np.sum([one.starts for one in lists], axis=0)
    first, words = 0, len(starts) - 1
    while first < words:
        end = max(first + 1, int(np.searchsorted(starts, starts[first] + _AT_ONCE, side="right")) - 1)
        yield first, end
        first = end


def write_lists(merged: Merged, target: Path) -> None:
    """Write lists, whole or not at all; raises CatalogueBusy where the disk is full."""
    temporary = target.with_suffix(f".{os.getpid()}-{threading.get_ident()}.part")
    count = int(merged.starts[-1])
    rows_at = _AT + 8 * (len(merged.starts) + len(merged.keys))
    sums = [0, 0]
    try:
        with temporary.open("wb") as file:
            done = 0
            for rows, codes in merged.steps():
                for number, (part, at) in enumerate(((rows, rows_at), (codes, rows_at + 4 * count))):
                    file.seek(at + 4 * done)
                    file.write(_bytes(part))
                    sums[number] = zlib.crc32(_bytes(part), sums[number])
                done += len(rows)
            file.truncate(rows_at + (4 + CODE_BYTES) * count)
            file.seek(0)
            file.write(_header(merged.starts, merged.keys, count, sums).ljust(_AT, b"\0"))
            for part in (merged.starts, merged.keys):
                file.write(_bytes(part))
            file.flush()
            os.fsync(file.fileno())  # before it is named: its entries are not read again to see whether they came
        os.replace(temporary, target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise CatalogueBusy(
            f"{temporary} cannot be written: {error.strerror}. Make room, then run the command again."
        ) from error


def _header(starts: np.ndarray, keys: np.ndarray, entries: int, sums: Sequence[int]) -> bytes:
    counts = len(starts) - 1, len(keys), entries
    return _HEADER.pack(_MAGIC, *counts, *sums, _checksum(counts, sums, starts, keys))


def _checksum(counts: Sequence[int], sums: Sequence[int], starts: np.ndarray, keys: np.ndarray) -> int:
    """Return the checksum of all but the entries, and of their own checksums."""
    found = zlib.crc32(repr((tuple(counts), tuple(sums))).encode())
    return zlib.crc32(_bytes(keys), zlib.crc32(_bytes(starts), found))


def _bytes(part: np.ndarray) -> memoryview | bytes:
    return np.ascontiguousarray(part).data.cast("B") if part.size else b""


def read_lists(path: Path, *, words: int, whole: bool = False) -> VoteLists | None:
    """Map the lists in a file, over so many words; None where it is missing, damaged, or of another kind.

    The entries themselves are read only to see whether the file is `whole`.
    """
    try:
        with path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError):
        return None
    if len(data) < _AT:
        return None
    magic, count, contents, entries, *sums, checksum = _HEADER.unpack_from(data)
    if magic != _MAGIC or count != words or len(data) != _AT + 8 * (words + 1 + contents) + (4 + CODE_BYTES) * entries:
        return None
    keys_at, rows_at = _AT + 8 * (words + 1), _AT + 8 * (words + 1 + contents)
    lists = VoteLists(
        np.frombuffer(data, np.int64, contents, keys_at),
        np.frombuffer(data, np.int64, words + 1, _AT),
        np.frombuffer(data, np.uint32, entries, rows_at),
        np.frombuffer(data, np.uint8, entries * CODE_BYTES, rows_at + 4 * entries).reshape(entries, CODE_BYTES),
    )
    if _checksum((count, contents, entries), sums, lists.starts, lists.keys) != checksum:
        return None
    if whole and [zlib.crc32(_bytes(part)) for part in (lists.rows, lists.codes)] != sums:
        return None
    return lists
