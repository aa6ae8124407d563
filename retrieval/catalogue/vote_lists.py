"""Keep, for each visual word, the features of exemplars that are of it: eight bytes a feature, in one file.

The file is mapped into memory: it is opened in a time that does not grow with it, readers share its pages, and of a
large one only the lists that a photograph asks for are read.
"""

from __future__ import annotations

import mmap
import os
import struct
import threading
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from retrieval.errors import CatalogueBusy

CODE_BYTES = 4  # of a feature, beside the row of its exemplar: more features find more than longer codes
_MAGIC = b"artifact votes 2"
_HEADER = struct.Struct("<16sIQQIII")  # magic, words, contents, entries, checksums of the entries, of all before
_AT = 64  # where the arrays begin


@dataclass(frozen=True, slots=True, eq=False)
class VoteLists:
    """The features of exemplars, sorted by their visual words."""

    keys: np.ndarray  # int64 (contents,), by row
    starts: np.ndarray  # int64 (words + 1,): where the list of each word begins, and the last one ends
    rows: np.ndarray  # uint32 (entries,): of the content in `keys`
    codes: np.ndarray  # uint8 (entries, CODE_BYTES): how the feature differs from its word

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def of(cls, keys: np.ndarray, words: np.ndarray, codes: np.ndarray, *, count: int) -> VoteLists:
        """Return lists of features, given for each the key of its content, its word of `count`, and its code."""
        order = np.argsort(words, kind="stable")
        contents, rows = np.unique(keys, return_inverse=True)
        starts = np.searchsorted(words[order], np.arange(count + 1)).astype(np.int64)
        return cls(contents.astype(np.int64), starts, rows[order].astype(np.uint32), codes[order])


def merged(lists: VoteLists, more: VoteLists, *, without: np.ndarray) -> VoteLists:
    """Return the lists with more contents, and without some of their own: bool (contents,)."""
    lengths = np.zeros(len(lists.starts) - 1, np.int64)
    kept = ~without[lists.rows] if without.any() else None
    for word in range(len(lengths)):
        own = slice(lists.starts[word], lists.starts[word + 1])
        lengths[word] = own.stop - own.start if kept is None else np.count_nonzero(kept[own])
    starts = np.concatenate([[0], np.cumsum(lengths + np.diff(more.starts))])
    rows, codes = np.empty(starts[-1], np.uint32), np.empty((starts[-1], CODE_BYTES), np.uint8)
    renumbered = (np.cumsum(~without) - 1).astype(np.uint32)
    first_new = np.uint32(np.count_nonzero(~without))
    for word, length in enumerate(lengths):
        own, new = (slice(found.starts[word], found.starts[word + 1]) for found in (lists, more))
        middle = starts[word] + length
        chosen = slice(None) if kept is None else kept[own]
        rows[starts[word] : middle] = renumbered[lists.rows[own][chosen]]
        codes[starts[word] : middle] = lists.codes[own][chosen]
        rows[middle : starts[word + 1]] = more.rows[new] + first_new
        codes[middle : starts[word + 1]] = more.codes[new]
    return VoteLists(np.concatenate([lists.keys[~without], more.keys]), starts, rows, codes)


def write_lists(lists: VoteLists, target: Path) -> None:
    """Write lists, whole or not at all; raises CatalogueBusy where the disk is full."""
    temporary = target.with_suffix(f".{os.getpid()}-{threading.get_ident()}.part")  # readers may write it too
    try:
        with temporary.open("wb") as file:
            file.write(_header(lists).ljust(_AT, b"\0"))
            for part in (lists.starts, lists.keys, lists.rows, lists.codes):
                file.write(_bytes(part))
            file.flush()
            os.fsync(file.fileno())  # before it is named: its entries are not read again to see whether they came
        os.replace(temporary, target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise CatalogueBusy(
            f"{temporary} cannot be written: {error.strerror}. Make room, then run the command again."
        ) from error


def _header(lists: VoteLists) -> bytes:
    counts = len(lists.starts) - 1, len(lists.keys), len(lists)
    sums = zlib.crc32(_bytes(lists.rows)), zlib.crc32(_bytes(lists.codes))
    return _HEADER.pack(_MAGIC, *counts, *sums, _checksum(counts, sums, lists.starts, lists.keys))


def _checksum(counts: tuple[int, ...], sums: tuple[int, ...], starts: np.ndarray, keys: np.ndarray) -> int:
    """Return the checksum of all but the entries, and of their own checksums."""
    found = zlib.crc32(repr((counts, sums)).encode())
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
    if _checksum((count, contents, entries), tuple(sums), lists.starts, lists.keys) != checksum:
        return None
    if whole and _header(lists) != data[: _HEADER.size]:
        return None
    return lists
