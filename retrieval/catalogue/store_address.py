"""Where a store of vectors is: `milvus://[user:password@]host[:port]/collection`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from retrieval.errors import UnusableStore

SCHEMES = {"milvus": False, "milvus+tls": True}  # whether what is sent is encrypted
PORT = 19530  # of Milvus, where none is named
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
        try:
            parts = urlsplit(text.strip())
            port = PORT if parts.port is None else parts.port
        except ValueError:
            raise _wrong("its host or its port is none") from None
        collection = parts.path.removeprefix("/")
        if parts.scheme not in SCHEMES:
            raise _wrong("it begins neither with milvus:// nor with milvus+tls://")
        if not parts.hostname or not port:
            raise _wrong("it names no host, or the port 0")
        if parts.query or parts.fragment or not COLLECTION.fullmatch(collection):
            raise _wrong("a collection is named in letters of English, digits and underscores, a digit not first")
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


def _wrong(what: str) -> UnusableStore:
    return UnusableStore(
        f"The address of the store cannot be read: {what}. Write milvus://host:port/collection, with user:password@ "
        "before the host where the server asks for them (a / @ : or % in them as %2F %40 %3A %25), or milvus+tls://"
    )
