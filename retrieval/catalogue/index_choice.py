"""Choose the kind of the index of vectors: by how many there are and the memory it may take, or as somebody said."""

from __future__ import annotations

from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.vector_index import EXACT, MEMORY, check_kind, fewest_for, kind_for

AUTO = "auto"
_KIND, _MEMORY = "index_kind", "index_memory"


def asked_kind(catalogue: Catalogue) -> str:
    """Return the factory string that was asked for, or `auto`."""
    return catalogue.setting(_KIND) or AUTO


def memory(catalogue: Catalogue) -> int:
    """Return the bytes that the index of vectors may take in memory."""
    return int(catalogue.setting(_MEMORY) or MEMORY)


def choose(catalogue: Catalogue, *, kind: str | None = None, memory: int | None = None) -> None:
    """Keep a factory string, or `auto`, and bytes of memory for all indexes to come; raises UnknownIndex."""
    encoder = catalogue.encoder
    if kind is not None and kind != AUTO and encoder is not None:
        check_kind(kind, encoder.dim)
    for key, value in ((_KIND, kind), (_MEMORY, memory)):
        if value is not None:
            catalogue.db["settings"].upsert({"key": key, "value": str(value)}, pk="key")


def chosen_kind(catalogue: Catalogue, count: int) -> str:
    """Return the factory string for so many vectors; too few to train an index are looked at one by one."""
    encoder = catalogue.encoder
    assert encoder is not None
    kind = asked_kind(catalogue)
    if kind == AUTO:
        return kind_for(count, encoder.dim, memory(catalogue))
    return kind if count >= fewest_for(kind, encoder.dim) else EXACT
