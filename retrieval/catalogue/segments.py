"""What is derived from the catalogue lies in segments: vectors and votes of some contents, in files that never change.

A run that adds a little writes a little: a new segment, or one that takes the place of small ones. Which segments there
are is said in the database, in the step that makes a revision; files that it does not name are left over.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.shards import folder_of, shard_folders
from retrieval.catalogue.vector_index import EXACT, VectorIndex, map_index
from retrieval.catalogue.vote_lists import VoteLists, read_lists

SMALL = 10_000  # contents up to which segments are always brought together
RATIO = 8  # a segment is joined to newer ones once they have more than so large a part of its contents
LEFT_BEHIND = 0.2  # of the contents of all segments that may belong to no exemplar any more
VOTES_VERSION = 2  # of features, of which the votes are made
_SETTING = "segments"
LOOKED_AT = 65_536  # bytes at both ends of a file by which it is known


@dataclass(frozen=True, slots=True)
class FileMark:
    """By what a file is known without reading all of it: its size, and a checksum of its beginning and its end."""

    size: int
    sum: int

    @classmethod
    def of(cls, path: Path) -> FileMark:
        """Return the mark of a file; raises OSError."""
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            first = file.read(LOOKED_AT)
            file.seek(max(0, size - LOOKED_AT))
            return cls(size, zlib.crc32(file.read(LOOKED_AT), zlib.crc32(first)))

    def fits(self, path: Path) -> bool:
        """Say whether a file is there and is the one marked."""
        try:
            return FileMark.of(path) == self
        except OSError:
            return False


@dataclass(frozen=True, slots=True)
class Segment:
    """The vectors and votes of so many contents, by the number in the names of their files."""

    number: int
    contents: int
    vectors: FileMark | None  # None: they are in a store
    votes: FileMark
    kind: str = EXACT  # of the index of vectors, or the address of the store
    parameters: Mapping[str, int] = field(default_factory=dict)  # by which it is searched
    recall: float | None = None  # of a shortlist; None: it is exact
    checksum: int = 0  # of all of the file of vectors
    shard: int | None = None  # in the folder of which the files lie; None: in that of the catalogue

    def vectors_path(self, data: Path) -> Path:
        """Return the file of its vectors."""
        return vectors_path(folder_of(data, self.shard), self.number)

    def votes_path(self, data: Path) -> Path:
        """Return the file of its votes."""
        return votes_path(folder_of(data, self.shard), self.number)


@dataclass(frozen=True, slots=True)
class OpenSegment:
    """A segment with its files, mapped into memory."""

    segment: Segment
    vectors: VectorIndex | None  # None: they are in a store
    lists: VoteLists


def vectors_path(data: Path, number: int) -> Path:
    """Return the file that holds the vectors of a segment, in its folder."""
    return data / f"vectors-{number}.faiss"


def votes_path(data: Path, number: int) -> Path:
    """Return the file that holds the votes of a segment, in its folder."""
    return data / f"votes{VOTES_VERSION}-{number}.lists"


def segments_of(catalogue: Catalogue) -> tuple[Segment, ...] | None:
    """Return the segments of the catalogue, the largest first; None where none were ever made."""
    text = catalogue.setting(_SETTING)
    if text is None:
        return None
    return tuple(
        Segment(**item | {"vectors": _mark(item["vectors"]), "votes": FileMark(**item["votes"])})
        for item in json.loads(text)["segments"]
    )


def _mark(item: Mapping[str, int] | None) -> FileMark | None:
    return None if item is None else FileMark(**item)


def last_number(catalogue: Catalogue) -> int:
    """Return the number of the segment that was made last; 0 where none was."""
    return int(json.loads(catalogue.setting(_SETTING) or "{}").get("last", 0))


def set_segments(catalogue: Catalogue, segments: Sequence[Segment], *, last: int) -> None:
    """Say which segments there are, and the number of the last one made."""
    ordered = sorted(segments, key=lambda item: (-item.contents, item.number))
    value = json.dumps({"last": last, "segments": [asdict(item) for item in ordered]})
    if catalogue.setting(_SETTING) != value:
        catalogue.db["settings"].upsert({"key": _SETTING, "value": value}, pk="key")


def open_segment(data: Path, segment: Segment, *, words: int) -> OpenSegment | None:
    """Map the files of a segment into memory; None where they are missing, or not those that were written."""
    lists = read_lists(segment.votes_path(data), words=words) if _is_there(data, segment) else None
    if lists is None or segment.vectors is None:
        return None if lists is None else OpenSegment(segment, None, lists)
    index = map_index(segment.vectors_path(data), segment.kind, segment.parameters, segment.recall)
    return None if index is None else OpenSegment(segment, index, lists)


def _is_there(data: Path, segment: Segment) -> bool:
    """Say whether the files of a segment are those that were written."""
    files = (segment.vectors_path(data), segment.vectors), (segment.votes_path(data), segment.votes)
    return all(mark.fits(path) for path, mark in files if mark is not None)


def is_whole(data: Path, segment: Segment, *, words: int) -> bool:
    """Say whether the files of a segment are as they were written, all of them read."""
    vectors = segment.vectors is None or checksum_of(segment.vectors_path(data)) == segment.checksum
    return vectors and read_lists(segment.votes_path(data), words=words, whole=True) is not None


def checksum_of(path: Path) -> int:
    """Return the checksum of all of a file; raises OSError."""
    found = 0
    with path.open("rb") as file:
        while part := file.read(2**20):
            found = zlib.crc32(part, found)
    return found


def joined(segments: Sequence[Segment], new: int, *, left_behind: int = 0, parts: int = 1) -> list[Segment]:
    """Return the segments that so many new contents are brought together with, so that there are never many.

    They are those of one of so many `parts` of the catalogue. Where too many of their contents belong to no exemplar
    any more, it is all of them.
    """
    total = sum(item.contents for item in segments)
    if left_behind > LEFT_BEHIND * total:
        return list(segments)
    found: list[Segment] = []
    for item in sorted(segments, key=lambda item: item.contents):
        if item.contents > max(SMALL // parts, RATIO * new):
            break
        found.append(item)
        new += item.contents
    return found


def stray_files(data: Path, segments: Sequence[Segment]) -> list[Path]:
    """Return the derived files of no segment: of earlier ones, and of runs that were killed while writing one."""
    kept = {item.votes_path(data) for item in segments}
    kept |= {item.vectors_path(data) for item in segments if item.vectors is not None}
    folders = [data, *shard_folders(data)]
    found = (path for folder in folders for name in ("vectors-*", "votes*-*") for path in folder.glob(name))
    return sorted(path for path in found if path.suffix in (".faiss", ".lists", ".part") and path not in kept)


def remove_strays(data: Path, segments: Sequence[Segment]) -> None:
    """Remove the derived files of no segment; one that cannot be removed does no harm, and stays."""
    for path in stray_files(data, segments):
        with suppress(OSError):
            path.unlink()
