"""Where a store of vectors is: `milvus://[user:password@]host[:port]/collection`."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from retrieval.errors import UnusableStore

SCHEMES = {"milvus": False, "milvus+tls": True}  # whether what is sent is encrypted
PORT = 19530  # of Milvus, where none is named
EXAMPLE = "milvus://10.0.0.7:19530/museum"
COLLECTION = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")


@dataclass(frozen=True, slots=True)
class StoreAddress:
    """A collection of a Milvus server, and what opens it; as text it holds neither password nor token."""

    host: str
    collection: str
    port: int = PORT
    tls: bool = False
    token: str = field(default="", repr=False)  # `user:password`, or an API key
    certificates: Path | None = None  # a file of those that TLS trusts, PEM, in place of those that gRPC brings

    @classmethod
    def parse(cls, text: str, *, token: str = "", certificates: Path | None = None) -> StoreAddress:
        """Return what a text says; a token that is given goes before a user and a password in the text.

        Raises UnusableStore, with a message that repeats nothing of the text: it may hold a password.
        """
        parts = _parts(text.strip())
        collection = parts.path.removeprefix("/")
        if parts.scheme not in SCHEMES:
            raise _wrong("begins neither with milvus:// nor with milvus+tls://")
        if not parts.hostname:
            raise _wrong("names no host")
        port = _port(parts)
        if not collection:
            raise _wrong("names no collection")
        if parts.query or parts.fragment or not COLLECTION.fullmatch(collection):
            raise _wrong("names a collection in other than English letters, digits and _, or with a digit first")
        own = ":".join(unquote(part) for part in (parts.username, parts.password) if part)
        tls = SCHEMES[parts.scheme]
        return cls(parts.hostname, collection, port=port, tls=tls, token=token or own, certificates=certificates)

    @property
    def server(self) -> str:
        """The host and the port, an IPv6 address in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def uri(self) -> str:
        """What pymilvus calls the server."""
        return f"{'https' if self.tls else 'http'}://{self.server}"

    def __str__(self) -> str:
        """Return the address to be shown and kept; `parse` reads it again, with the token given beside it."""
        return f"{'milvus+tls' if self.tls else 'milvus'}://{self.server}/{self.collection}"


def _parts(text: str) -> SplitResult:
    try:
        return urlsplit(text)
    except ValueError:
        raise _wrong("has a bracket that is not closed") from None


def _port(parts: SplitResult) -> int:
    with suppress(ValueError):
        if port := PORT if parts.port is None else parts.port:
            return port
    escaped = ", or a password in which a / @ : or % is not written %2F %40 %3A or %25"
    raise _wrong(f"has a port that is no number from 1 to 65535{escaped if '@' in parts.path + parts.netloc else ''}")


def _wrong(what: str) -> UnusableStore:
    return UnusableStore(f"The address of the store {what}. Write it as in {EXAMPLE}")
