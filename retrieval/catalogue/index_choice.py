"""Choose the kind of the index of vectors: by how many there are and the memory it may take, or as somebody said."""

from __future__ import annotations

from dataclasses import dataclass

from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.index_making import MEMORY, check_kind, fewest_for, kind_for
from retrieval.catalogue.shards import ask_for_shards, count_asked
from retrieval.catalogue.store import FILES, set_store, store_of
from retrieval.catalogue.store_address import StoreAddress
from retrieval.catalogue.vector_index import EXACT

AUTO = "auto"
_KIND, _MEMORY = "index_kind", "index_memory"


def asked_kind(catalogue: Catalogue) -> str:
    """Return the factory string that was asked for, or `auto`."""
    return catalogue.setting(_KIND) or AUTO


def memory(catalogue: Catalogue) -> int:
    """Return the bytes that the index of vectors may take in memory."""
    return int(catalogue.setting(_MEMORY) or MEMORY)


@dataclass(frozen=True, slots=True)
class Searching:
    """How somebody asks vectors to be searched; None: as before."""

    kind: str | None = None  # a factory string of FAISS, or `auto`
    memory: int | None = None  # bytes that an index may take
    store: str | None = None  # the address of a server, or `files`
    shards: int | None = None  # folders among which what is derived, and features, are divided
    remake_shards: bool = False  # those that are lost


AS_BEFORE = Searching()


def check_choice(asked: Searching, dim: int) -> None:
    """Refuse what cannot be for vectors of `dim` numbers; raises UnknownIndex and UnusableStore."""
    if asked.kind is not None and asked.kind != AUTO:
        check_kind(asked.kind, dim)
    if asked.store is not None and asked.store != FILES:
        StoreAddress.parse(asked.store)


def choose(catalogue: Catalogue, asked: Searching) -> None:
    """Keep how vectors are searched from now on, all of it or nothing, once shards are as they are asked for."""
    if asked.shards is not None:
        ask_for_shards(catalogue, asked.shards)
    with catalogue.db.atomic():
        for key, value in ((_KIND, asked.kind), (_MEMORY, asked.memory)):
            if value is not None:
                catalogue.db["settings"].upsert({"key": key, "value": str(value)}, pk="key")
        if asked.store is not None:
            set_store(catalogue, asked.store)


def chosen_kind(catalogue: Catalogue, count: int) -> str:
    """Return the factory string for so many vectors, or the address of the store that has them.

    Too few to train an index are looked at one by one.
    """
    encoder, store = catalogue.encoder, store_of(catalogue)
    assert encoder is not None
    if store is not None:
        return str(store)
    kind = asked_kind(catalogue)
    if kind == AUTO:
        return kind_for(count, encoder.dim, memory(catalogue) // count_asked(catalogue))
    return kind if count >= fewest_for(kind, encoder.dim) else EXACT
