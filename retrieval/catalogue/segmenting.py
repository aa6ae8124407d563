"""Bring the segments of a catalogue up to date with what it holds, and open them to be searched."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from retrieval.catalogue.among import rows_among
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.content_keys import content_keys, vectors_of
from retrieval.catalogue.index_choice import chosen_kind
from retrieval.catalogue.segment_contents import AT_ONCE, Waiting, pages_of
from retrieval.catalogue.segment_writing import Rewriting, write_segment
from retrieval.catalogue.segments import (
    OpenSegment,
    Segment,
    last_number,
    open_segment,
    remove_strays,
    segments_of,
    set_segments,
    votes_path,
)
from retrieval.catalogue.shards import check_all_there, count_asked, parts_of
from retrieval.catalogue.store import StoredVectors, known_address, open_store
from retrieval.catalogue.store_leavings import note_gone, remove_gone
from retrieval.catalogue.store_updates import put_statuses
from retrieval.catalogue.vector_index import Proposing, VectorIndex, build_vectors
from retrieval.catalogue.vote_index import empty_index, lists_of
from retrieval.catalogue.vote_lists import Merged, VoteLists, read_lists, write_lists
from retrieval.errors import CatalogueBusy

MANY = 1000  # contents whose votes take seconds to be written: a person should know why
SetAside = Callable[[VoteLists], VoteLists]
Found = Sequence[OpenSegment | None] | None  # segments, mapped into memory, None for one whose files are not sound


@dataclass(frozen=True, slots=True)
class Opened:
    """What a revision is searched by: indexes of vectors, and lists of votes."""

    vectors: tuple[Proposing, ...]
    votes: tuple[VoteLists, ...]


def open_sound(catalogue: Catalogue) -> Found:
    """Return the segments, mapped into memory, None for one whose files are not sound; None where none were made.

    Raises StoreAway where a shard is not there.
    """
    check_all_there(catalogue)
    known = segments_of(catalogue)
    words = empty_index().nlist
    return None if known is None else [open_segment(catalogue.data, item, words=words) for item in known]


def is_complete(catalogue: Catalogue) -> bool:
    """Say whether all that is in the catalogue is in its segments, and their files are there."""
    return hold_all(catalogue, open_sound(catalogue))


def hold_all(catalogue: Catalogue, found: Found) -> bool:
    """Say whether segments are all sound, and hold all that is in the catalogue."""
    waiting = catalogue.db.execute("SELECT 1 FROM unsegmented LIMIT 1").fetchone()
    return waiting is None and found is not None and None not in found


def is_as_asked(catalogue: Catalogue) -> bool:
    """Say whether segments are complete, of the kind that they shall be, and where they shall lie."""
    shards = [part.shard for part in parts_of(count_asked(catalogue))]
    return is_complete(catalogue) and all(
        item.kind == chosen_kind(catalogue, item.contents) and item.shard in shards
        for item in segments_of(catalogue) or ()
    )


def open_segments(catalogue: Catalogue, *, to_read: bool = True) -> Opened:
    """Return what the catalogue is searched by.

    Raises StoreAway where vectors are in a store that cannot be reached; who writes, not only reads, waits longer.
    """
    return with_what_is_new(catalogue, open_sound(catalogue), to_read=to_read)


def with_what_is_new(catalogue: Catalogue, found: Found, *, to_read: bool = True) -> Opened:
    """Return what the catalogue is searched by, given its segments; what no sound one holds is made in memory."""
    sound = [item for item in found or () if item is not None]
    all_of_them = found is None or len(sound) < len(found)
    vectors: list[Proposing] = [item.vectors for item in sound if item.vectors is not None]
    vectors += _in_stores(catalogue, [item.segment for item in sound if item.vectors is None], to_read)
    votes = [item.lists for item in sound]
    for page in pages_of(catalogue, "photos" if all_of_them else "unsegmented"):
        if new := Waiting.of(catalogue, page, [item.lists for item in sound]).new:
            exact = vectors_of(catalogue, new)
            vectors.append(VectorIndex(build_vectors(content_keys(new), np.stack([exact[name] for name in new]))))
            votes.append(lists_of(catalogue, new))
    return Opened(tuple(vectors), tuple(votes))


def _in_stores(catalogue: Catalogue, segments: Sequence[Segment], to_read: bool) -> Iterator[StoredVectors]:
    """Yield what the store of some segments proposes."""
    for text in {item.kind for item in segments}:
        count = sum(item.contents for item in segments if item.kind == text)
        store = open_store(catalogue, known_address(catalogue, text), to_read=to_read)
        yield StoredVectors(store, count)


def complete_segments(data: Path) -> None:
    """Write what segments lack, unless somebody else writes the catalogue, or nobody can."""
    with suppress(CatalogueBusy), Catalogue.writing(data) as catalogue:
        if (count := _lacking(catalogue)) > MANY:
            log = logging.getLogger(__name__)
            log.warning("What %s photographs are found by is written, once: a minute for 10,000.", f"{count:,}")
        update_segments(catalogue)
        remove_strays(data, segments_of(catalogue) or ())
        remove_gone(catalogue)
        put_statuses(catalogue)


def _lacking(catalogue: Catalogue) -> int:
    """Return about how many contents have to be written into segments."""
    found = open_sound(catalogue)
    if found is None or None in found:
        return catalogue.counts()[1]
    return int(catalogue.db.execute("SELECT count(*) FROM unsegmented").fetchone()[0])


def update_segments(catalogue: Catalogue, *, anew: bool = False) -> None:
    """Write what is new in the catalogue into segments, and write again those whose files are not sound.

    Files come first, then the database names them, in the transaction that is open if one is: a run that is killed
    leaves files that nothing names. With `anew` all is written again. Raises CatalogueBusy where the disk is full.
    """
    with catalogue.db.atomic():
        known = [] if anew else (open_sound(catalogue) or [])
        sound = [item for item in known if item is not None]
        if anew or segments_of(catalogue) is None or len(sound) < len(known):
            catalogue.db.execute(
                "INSERT INTO unsegmented (sha256) SELECT DISTINCT sha256 FROM photos WHERE true "
                "ON CONFLICT (sha256) DO NOTHING"
            )
        number, count = last_number(catalogue), count_asked(catalogue)
        with _set_aside(catalogue.data, number + 1) as set_aside:
            new = _lists_of_new(catalogue, sound, set_aside)
            kept, segments = list[OpenSegment](), list[Segment]()
            for part in parts_of(count):
                here = Rewriting.of(catalogue, part, sound, new, parts=count)
                kept += here.kept
                if here.changes:
                    merged, stored = here.merged(catalogue), here.stored(catalogue)
                    note_gone(catalogue, np.setdiff1d(stored, merged.keys))
                    if len(merged.keys):
                        number += 1
                        segments.append(write_segment(catalogue, number, merged, part=part, stored=stored))
        set_segments(catalogue, [*(item.segment for item in kept), *segments], last=number)
        _forget(catalogue, [item.lists for item in kept])


def _lists_of_new(catalogue: Catalogue, sound: Sequence[OpenSegment], set_aside: SetAside) -> list[VoteLists]:
    """Return the votes of contents that are in no segment, or were described anew, and note what came and went."""
    lists, found = [item.lists for item in sound], list[VoteLists]()
    for page in pages_of(catalogue, "unsegmented"):
        contents = Waiting.of(catalogue, page, lists)
        with catalogue.db.atomic():
            remember = "INSERT INTO left_behind VALUES (?) ON CONFLICT DO NOTHING"
            catalogue.db.conn.executemany(remember, [[sha256] for sha256 in contents.gone])
            came = [[sha256] for sha256 in (*contents.back, *contents.new)]
            catalogue.db.conn.executemany("DELETE FROM left_behind WHERE sha256 = ?", came)
        sql = "SELECT sha256 FROM unsegmented WHERE sha256 IN ({marks}) AND anew"
        anew = [sha256 for (sha256,) in rows_among(catalogue.db, sql, contents.back)]
        if contents.new or anew:
            catalogue.feature_rows.forget_missing([*contents.new, *anew])
            made = lists_of(catalogue, sorted([*contents.new, *anew]))
            found.append(set_aside(made) if len(page) == AT_ONCE else made)
    return found


def _forget(catalogue: Catalogue, kept: Sequence[VoteLists]) -> None:
    """Forget what waited, and what was left behind in segments that are no more: in none of those that are kept."""
    catalogue.db.execute("DELETE FROM unsegmented")
    for page in pages_of(catalogue, "left_behind"):
        keys = content_keys(page)
        held = np.any([one.holds(keys) for one in kept], axis=0) if kept else np.zeros(len(keys), bool)
        gone = [[sha256] for sha256, is_held in zip(page, held.tolist(), strict=True) if not is_held]
        catalogue.db.conn.executemany("DELETE FROM left_behind WHERE sha256 = ?", gone)


@contextmanager
def _set_aside(data: Path, number: int) -> Iterator[SetAside]:
    """Give what puts lists into a file and maps it, until all are brought together."""
    paths: list[Path] = []

    def put(lists: VoteLists) -> VoteLists:
        paths.append(votes_path(data, number).with_suffix(f".{len(paths)}.part"))
        write_lists(Merged.of([lists]), paths[-1])
        found = read_lists(paths[-1], words=len(lists.starts) - 1)
        assert found is not None
        return found

    try:
        yield put
    finally:
        for path in paths:
            path.unlink(missing_ok=True)
