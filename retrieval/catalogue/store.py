"""A server in which a catalogue keeps what proposes the nearest vectors, in place of an index in its folder.

The database holds the truth, exact vectors among it, and says which store is searched. What opens a store lies beside
it: `store.token`, a line `HOST:PORT TOKEN` for each server, which only its owner may read, and `store.pem`, the
certificates that TLS shall trust.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.retrying import Patience
from retrieval.catalogue.store_address import StoreAddress
from retrieval.catalogue.store_statuses import statuses_of

if TYPE_CHECKING:
    from retrieval.catalogue.milvus import MilvusVectors

FILES = "files"  # what a store is called that is none: the indexes lie in the folder of the catalogue
TOKEN, CERTIFICATES = "store.token", "store.pem"
WRITING = Patience(120.0)  # of who keeps much: a server that was killed comes back within that
OPENING, READING = Patience(15.0), Patience(60.0)  # of who asks: before anything is begun, and after
_SETTING = "store"


def store_of(catalogue: Catalogue) -> StoreAddress | None:
    """Return the store in which vectors are searched; None for the files of the folder."""
    text = catalogue.setting(_SETTING) or FILES
    return None if text == FILES else known_address(catalogue, text)


def known_address(catalogue: Catalogue, text: str) -> StoreAddress:
    """Return an address with what opens it, as the folder of the catalogue keeps it; raises UnusableStore."""
    certificates = catalogue.data / CERTIFICATES
    address = StoreAddress.parse(text, certificates=certificates if certificates.is_file() else None)
    return replace(address, token=address.token or _tokens(catalogue).get(address.server, ""))


def set_store(catalogue: Catalogue, text: str) -> None:
    """Keep in which store vectors are searched from now on, or `files`; raises UnusableStore."""
    address = None if text == FILES else StoreAddress.parse(text)
    if address is not None and address.token:
        _keep_token(catalogue, address)
    catalogue.db["settings"].upsert({"key": _SETTING, "value": FILES if address is None else str(address)}, pk="key")


def try_store(catalogue: Catalogue, text: str) -> None:
    """Connect once to a store that somebody names; raises StoreAway, EncoderMismatch and UnusableStore."""
    if text != FILES:
        open_store(catalogue, known_address(catalogue, text), to_read=True).close()


def _tokens(catalogue: Catalogue) -> dict[str, str]:
    """Return the token of each server, so that none is sent to another one."""
    path = catalogue.data / TOKEN
    lines = path.read_text().splitlines() if path.is_file() else []
    return {server: token.strip() for server, _, token in (line.strip().partition(" ") for line in lines)}


def _keep_token(catalogue: Catalogue, address: StoreAddress) -> None:
    tokens = _tokens(catalogue) | {address.server: address.token}
    descriptor = os.open(catalogue.data / TOKEN, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.writelines(f"{server} {token}\n" for server, token in tokens.items())


def open_store(catalogue: Catalogue, address: StoreAddress, *, to_read: bool = False) -> MilvusVectors:
    """Connect to a store; raises StoreAway, EncoderMismatch and UnusableStore.

    Who connects only `to_read` waits for less long where the store is away.
    """
    from retrieval.catalogue.milvus import MilvusVectors

    encoder = catalogue.encoder
    assert encoder is not None
    opening, patience = (OPENING, READING) if to_read else (WRITING, WRITING)
    return MilvusVectors(address, dim=encoder.dim, fingerprint=encoder.fingerprint, patience=patience, opening=opening)


def put_into(catalogue: Catalogue, store: MilvusVectors, batches: Iterable[tuple[np.ndarray, np.ndarray]]) -> None:
    """Put vectors, float32 (n, dim), into a store by their keys, int64 (n,), with the statuses of what they show.

    What is there already is put again.
    """
    from retrieval.catalogue.milvus import StoredVector

    for keys, vectors in batches:
        statuses = statuses_of(catalogue, keys.tolist())
        pairs = zip(keys.tolist(), vectors, strict=True)
        store.put([StoredVector(key, vector, statuses.get(key, ())) for key, vector in pairs])


@dataclass(frozen=True, slots=True)
class StoredVectors:
    """What a store proposes of the contents of a catalogue."""

    store: MilvusVectors
    count: int
    statuses: tuple[str, ...] | None = None  # of which a content has to have one; None: it may have any, or none

    @property
    def exact(self) -> bool:
        """Whether it proposes the very nearest: a server's index does so nearly always."""
        return False

    def __len__(self) -> int:
        return self.count

    def search(self, vectors: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Return inner products, float32 (n, count), most first, and keys of contents, int64; -1: there are no more."""
        return self.store.search(vectors, count, self.statuses)
