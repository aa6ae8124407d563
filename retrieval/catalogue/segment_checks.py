"""Compare segments with what the catalogue holds, all of both."""

from __future__ import annotations

from collections.abc import Iterator

import faiss
import numpy as np

from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.content_keys import vectors_of_keys
from retrieval.catalogue.segment_contents import Waiting, pages_of
from retrieval.catalogue.segmenting import open_sound
from retrieval.catalogue.segments import OpenSegment, Segment, is_whole, segments_of
from retrieval.catalogue.store import known_address, open_store
from retrieval.catalogue.store_statuses import agree
from retrieval.catalogue.unsound_files import unsound_files
from retrieval.catalogue.vote_index import empty_index


def unsound_segments(catalogue: Catalogue) -> Iterator[str]:
    """Say what of the segments does not agree with the catalogue."""
    found = open_sound(catalogue)
    if found is None:
        yield "vectors and votes were missing"
        return
    for segment, item in zip(segments_of(catalogue) or (), found, strict=True):
        if item is None or not is_whole(catalogue.data, segment, words=empty_index().nlist):
            yield unsound_files(catalogue.data, segment, words=empty_index().nlist)
        elif not _agrees(catalogue, item):
            yield f"{_names(catalogue, segment)} did not agree with the database"
    sound = [item.lists for item in found if item is not None]
    pages = pages_of(catalogue, "photos")
    if len(sound) == len(found) and any(Waiting.of(catalogue, page, sound).new for page in pages):
        yield "vectors and votes of some photographs were missing"


def _names(catalogue: Catalogue, segment: Segment) -> str:
    vectors = segment.kind if segment.vectors is None else segment.vectors_path(catalogue.data).name
    return f"{vectors} and {segment.votes_path(catalogue.data).name}"


def _agrees(catalogue: Catalogue, item: OpenSegment) -> bool:
    """Say whether an exact index has the vectors that the catalogue has, another one as many.

    Of contents that belong to no exemplar any more the catalogue may have none.
    """
    if item.vectors is None:
        return len(item.lists.keys) == item.segment.contents and _is_stored(catalogue, item)
    if not len(item.vectors) == len(item.lists.keys) == item.segment.contents:
        return False
    if not item.vectors.exact:
        return True
    keys = faiss.vector_to_array(item.vectors.index.id_map)
    held = faiss.downcast_index(item.vectors.index.index)
    if not np.array_equal(keys, item.lists.keys):
        return False
    for some, vectors in vectors_of_keys(catalogue, keys):
        if not np.array_equal(held.reconstruct_batch(np.searchsorted(keys, some)), vectors):
            return False
    return True


def _is_stored(catalogue: Catalogue, item: OpenSegment) -> bool:
    """Say whether a store has the vectors of a segment, and the statuses beside them, as the catalogue has them."""
    with open_store(catalogue, known_address(catalogue, item.segment.kind), to_read=True) as store:
        for keys, vectors in vectors_of_keys(catalogue, item.lists.keys):
            found = store.get(keys.tolist())
            held = [found[key] for key in keys.tolist() if key in found]
            if len(held) < len(keys) or not np.array_equal(held, vectors):
                return False
            if not agree(catalogue, store, keys.tolist()):
                return False
    return True
