"""Write segments again: with what is new, without what is gone, as the kind and in the place that they shall be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.content_keys import content_keys, vectors_of_keys
from retrieval.catalogue.index_choice import chosen_kind
from retrieval.catalogue.index_making import make_index
from retrieval.catalogue.segment_contents import pages_of
from retrieval.catalogue.segments import FileMark, OpenSegment, Segment, checksum_of, joined, vectors_path, votes_path
from retrieval.catalogue.shards import Part, parts_of
from retrieval.catalogue.store import open_store, put_into, store_of
from retrieval.catalogue.store_statuses import forget_changes
from retrieval.catalogue.vector_index import write_index
from retrieval.catalogue.vote_lists import Merged, VoteLists, write_lists

ALL = Part()


@dataclass(frozen=True, slots=True)
class Rewriting:
    """What happens to the segments of one part of a catalogue: some stay, others are written again with what is new."""

    part: Part
    kept: Sequence[OpenSegment]
    chosen: Sequence[OpenSegment]  # those that lie elsewhere too: they may hold what belongs here
    new: Sequence[VoteLists]

    @classmethod
    def of(
        cls,
        catalogue: Catalogue,
        part: Part,
        sound: Sequence[OpenSegment],
        new: Sequence[VoteLists],
        *,
        parts: int,
    ) -> Rewriting:
        """Say what happens in one of so many parts of a catalogue."""
        fresh = [lists for lists in new if part.holds(lists.keys).any()]
        own = [item for item in sound if item.segment.shard == part.shard]
        chosen = _to_be_joined(catalogue, part, own, fresh, parts)
        apart = {other.shard for other in parts_of(parts)}
        misplaced = [item for item in sound if item.segment.shard not in apart]
        return cls(part, [item for item in own if item not in chosen], [*chosen, *misplaced], fresh)

    @property
    def changes(self) -> bool:
        """Whether a segment is written."""
        return bool(self.chosen or self.new)

    def merged(self, catalogue: Catalogue) -> Merged:
        """Return what the segment that is written holds."""
        sql = "SELECT sha256 FROM left_behind WHERE sha256 >= ? AND sha256 < ?"
        gone = [sha256 for (sha256,) in catalogue.db.execute(sql, self.part.hashes)]
        without = np.concatenate([content_keys(gone), *(lists.keys for lists in self.new)])
        return Merged.of([item.lists for item in self.chosen], self.new, without=without, of=self.part.holds)

    def stored(self, catalogue: Catalogue) -> np.ndarray:
        """Return the keys, int64 (n,), of segments to be joined whose vectors are in the store as they are."""
        address = str(store_of(catalogue))
        held = [item.lists.keys for item in self.chosen if item.segment.kind == address]
        again = np.concatenate([lists.keys for lists in self.new] or [np.empty(0, np.int64)])
        found = np.setdiff1d(np.concatenate([np.empty(0, np.int64), *held]), again)
        return found[self.part.holds(found)]


def _to_be_joined(
    catalogue: Catalogue, part: Part, own: Sequence[OpenSegment], new: Sequence[VoteLists], parts: int
) -> list[OpenSegment]:
    """Return the segments to be written again: with what is new, without what is gone, as the kind they shall be."""
    count = sum(int(np.count_nonzero(part.holds(lists.keys))) for lists in new)
    sql = "SELECT count(*) FROM left_behind WHERE sha256 >= ? AND sha256 < ?"
    (left_behind,) = catalogue.db.execute(sql, part.hashes).fetchone()
    segments = joined([item.segment for item in own], count, left_behind=left_behind, parts=parts)
    return [
        item
        for item in own
        if (item.segment in segments and (count or (left_behind and _has_left_behind(catalogue, item))))
        or any(item.lists.holds(lists.keys).any() for lists in new)
        or item.segment.kind != chosen_kind(catalogue, item.segment.contents)
    ]


def _has_left_behind(catalogue: Catalogue, item: OpenSegment) -> bool:
    return any(item.lists.holds(content_keys(page)).any() for page in pages_of(catalogue, "left_behind"))


def write_segment(
    catalogue: Catalogue, number: int, merged: Merged, *, part: Part = ALL, stored: np.ndarray | None = None
) -> Segment:
    """Write the files of a segment of some lists of votes, and of the vectors of their contents, in a part.

    Where these belong in a store they are put there, but for those of some keys, int64 (n,), that are `stored` already.
    """
    folder, count = part.folder(catalogue.data), len(merged.keys)
    write_lists(merged, votes_path(folder, number))
    votes = FileMark.of(votes_path(folder, number))
    kind, encoder, store = chosen_kind(catalogue, count), catalogue.encoder, store_of(catalogue)
    assert encoder is not None
    if store is not None:
        lacking = merged.keys if stored is None else merged.keys[~np.isin(merged.keys, stored)]
        with open_store(catalogue, store) as opened:
            put_into(catalogue, opened, vectors_of_keys(catalogue, lacking))
        forget_changes(catalogue, lacking.tolist())
        return Segment(number, count, None, votes, kind, shard=part.shard)
    made = make_index(kind, count, encoder.dim, partial(vectors_of_keys, catalogue, merged.keys))
    path = vectors_path(folder, number)
    write_index(made.index, path)
    mark, whole = FileMark.of(path), checksum_of(path)
    return Segment(number, count, mark, votes, made.kind, dict(made.parameters), made.recall, whole, part.shard)
