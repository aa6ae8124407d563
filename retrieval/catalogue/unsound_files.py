"""Say which files of a segment are not as they were written."""

from __future__ import annotations

from pathlib import Path

from retrieval.catalogue.segments import Segment, checksum_of
from retrieval.catalogue.vector_index import map_index
from retrieval.catalogue.vote_lists import read_lists


def unsound_files(data: Path, segment: Segment, *, words: int) -> str:
    """Say which of the two files of a segment was missing or damaged, all of both being read."""
    vectors, votes = segment.vectors_path(data), segment.votes_path(data)
    found = {path.name: "damaged" if path.exists() else "missing" for path in (vectors, votes)}
    if segment.vectors is None or _is_sound(vectors, segment):
        del found[vectors.name]
    if segment.votes.fits(votes) and read_lists(votes, words=words, whole=True) is not None:
        del found[votes.name]
    if len(found) == 2 and len(set(found.values())) == 1:
        return f"{' and '.join(found)} were {found[votes.name]}"
    return ", ".join(f"{name} was {trouble}" for name, trouble in found.items())


def _is_sound(path: Path, segment: Segment) -> bool:
    """Say whether the file of vectors of a segment is the one that was written, and can be searched."""
    assert segment.vectors is not None
    if not segment.vectors.fits(path) or checksum_of(path) != segment.checksum:
        return False
    return map_index(path, segment.kind, segment.parameters, segment.recall) is not None
