"""What `artifact status` and `index` say of how vectors are searched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.feature_rows import division_of
from retrieval.catalogue.index_choice import AUTO, asked_kind, memory
from retrieval.catalogue.index_making import kind_for
from retrieval.catalogue.segments import Segment, segments_of
from retrieval.catalogue.shards import count_asked, is_moving, unusable_shards
from retrieval.catalogue.vector_index import EXACT


def searching_json(catalogue: Catalogue) -> dict[str, Any]:
    """Return how the vectors of a catalogue are searched, as JSON has it."""
    segments = [_segment(item) for item in segments_of(catalogue) or ()]
    count = division_of(catalogue.db).count
    shards = {
        "count": count,
        "asked": count_asked(catalogue),
        "moving": is_moving(catalogue),
        "missing": unusable_shards(catalogue),
    }
    return {"asked": asked_kind(catalogue), "memory": memory(catalogue), "shards": shards, "segments": segments}


def _segment(item: Segment) -> dict[str, Any]:
    return {
        "vectors": item.contents,
        "shard": item.shard,
        "kind": item.kind,
        "parameters": dict(item.parameters),
        "recall": item.recall,
        "bytes": {"vectors": item.vectors.size if item.vectors else 0, "votes": item.votes.size},
    }


def searching_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines on how vectors are searched: those of the largest segment first, and others like it with it."""
    alike: dict[str, list[Mapping[str, Any]]] = {}
    for item in found["segments"]:
        alike.setdefault(_manner(item), []).append(item)
    for manner, items in alike.items():
        recalls = [item["recall"] for item in items if item["recall"] is not None]
        recall = "exact" if items[0]["kind"] == EXACT else "a server of its own"
        if recalls:
            recall = f"{min(recalls):.1%} of the nearest ten in a shortlist"
        vectors, votes = (sum(item["bytes"][name] for item in items) / 1e6 for name in ("vectors", "votes"))
        many = f", in {len(items)} segments" if len(items) > 1 else ""
        total = sum(item["vectors"] for item in items)
        word = "vector" if total == 1 else "vectors"
        yield f"searched: {total:,} {word} by {manner}{many} ({recall}); {vectors:,.1f} MB, votes {votes:,.1f} MB"
    yield from shard_lines(found["shards"])
    asked = found["asked"]
    if asked not in (AUTO, EXACT) and any(item["kind"] == EXACT for item in found["segments"]):
        yield f"  asked for is {asked}; where that has too few vectors to learn from, all are looked at"


def _manner(item: Mapping[str, Any]) -> str:
    return item["kind"] + "".join(f", {name} {value}" for name, value in item["parameters"].items())


def shard_lines(shards: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line on the shards, where there are any."""
    if shards["count"] > 1:
        going_on = "divides" if shards["asked"] > 1 else "brings together"
        later = f"; the next `artifact index` {going_on} what a run left" if shards["moving"] else ""
        yield f"shards: {shards['count']}, in the folder shards{later}"
    if shards["missing"]:
        names = ", ".join(f"{number:02d}" for number in shards["missing"])
        yield f"  not there, or not as they should be: {names}; nothing is judged until they are mounted or restored"


def memory_lines(catalogue: Catalogue) -> Iterator[str]:
    """Yield that the largest index takes more memory than it may: no kind is as small, or it was asked for by name."""
    encoder, may = catalogue.encoder, memory(catalogue) // count_asked(catalogue)
    sizes = [(item.vectors.size, item) for item in segments_of(catalogue) or () if item.vectors]
    if encoder is None or not sizes:
        return
    size, item = max(sizes, key=lambda found: found[0])
    takes, each = f"takes {size / 1e6:,.1f} MB", " for each shard" if count_asked(catalogue) > 1 else ""
    if size <= may:
        return
    if asked_kind(catalogue) != AUTO and item.kind == asked_kind(catalogue):
        yield f"{item.kind}, which was asked for, {takes}: more than the {may / 1e6:,.1f} MB of --memory{each}."
    elif item.kind == kind_for(item.contents, encoder.dim, 0):
        yield (
            f"No index is as small as the {may / 1e6:,.1f} MB of --memory{each}: the smallest of {item.contents:,} "
            f"vectors, {item.kind}, {takes}."
        )
