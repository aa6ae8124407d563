"""What `artifact status` and `index` say of how vectors are searched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.index_choice import AUTO, asked_kind, memory
from retrieval.catalogue.index_making import kind_for
from retrieval.catalogue.segments import Segment, segments_of
from retrieval.catalogue.vector_index import EXACT


def searching_json(catalogue: Catalogue) -> dict[str, Any]:
    """Return how the vectors of a catalogue are searched, as JSON has it."""
    segments = [_segment(item) for item in segments_of(catalogue) or ()]
    return {"asked": asked_kind(catalogue), "memory": memory(catalogue), "segments": segments}


def _segment(item: Segment) -> dict[str, Any]:
    return {
        "vectors": item.contents,
        "kind": item.kind,
        "parameters": dict(item.parameters),
        "recall": item.recall,
        "bytes": {"vectors": item.vectors.size if item.vectors else 0, "votes": item.votes.size},
    }


def searching_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines on how vectors are searched, the largest segment first."""
    for item in found["segments"]:
        parameters = "".join(f", {name} {value}" for name, value in item["parameters"].items())
        recall = "exact" if item["kind"] == EXACT else "a server of its own"
        if item["recall"] is not None:
            recall = f"{item['recall']:.1%} of the nearest ten in a shortlist"
        sizes = f"{item['bytes']['vectors'] / 1e6:,.1f} MB, votes {item['bytes']['votes'] / 1e6:,.1f} MB"
        vectors = f"{item['vectors']:,} {'vector' if item['vectors'] == 1 else 'vectors'}"
        yield f"searched: {vectors} by {item['kind']}{parameters} ({recall}); {sizes}"
    asked = found["asked"]
    if asked not in (AUTO, EXACT) and any(item["kind"] == EXACT for item in found["segments"]):
        yield f"  asked for is {asked}; where that has too few vectors to learn from, all are looked at"


def memory_lines(catalogue: Catalogue) -> Iterator[str]:
    """Yield that the largest index takes more memory than it may: no kind is as small, or it was asked for by name."""
    encoder, may = catalogue.encoder, memory(catalogue)
    sizes = [(item.vectors.size, item) for item in segments_of(catalogue) or () if item.vectors]
    if encoder is None or not sizes:
        return
    size, item = max(sizes, key=lambda found: found[0])
    takes = f"takes {size / 1e6:,.1f} MB"
    if size <= may:
        return
    if asked_kind(catalogue) != AUTO and item.kind == asked_kind(catalogue):
        yield f"{item.kind}, which was asked for, {takes}: more than the {may / 1e6:,.1f} MB of --memory."
    elif item.kind == kind_for(item.contents, encoder.dim, 0):
        yield (
            f"No index is as small as the {may / 1e6:,.1f} MB of --memory: the smallest of {item.contents:,} vectors, "
            f"{item.kind}, {takes}."
        )
