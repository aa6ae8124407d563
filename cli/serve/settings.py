"""How the desk is to be served: where, to whom, and within which limits."""

from __future__ import annotations

import hashlib
import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from cli.runs.judging_options import LookingOptions
from retrieval.errors import ArtifactError

SHORTEST = 16  # letters of a token


class Role(StrEnum):
    """What somebody may do: look, or look and decide."""

    VIEWER = "viewer"
    REVIEWER = "reviewer"


@dataclass(frozen=True, slots=True)
class Token:
    """What lets somebody in; of the token itself only the hash is kept."""

    digest: str  # SHA-256, in hexadecimal
    role: Role
    name: str  # empty: whoever comes with it says their own


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the desk is served."""

    data: Path
    host: str
    port: int
    judging: LookingOptions
    address: str | None = None  # under which people reach it, where that is another than host and port
    tokens: tuple[Token, ...] = ()  # none: whoever reaches it is a reviewer
    allowed: tuple[Path, ...] = ()  # folders whose photographs may be screened, resolved
    most_bytes: int = 200_000_000  # of one request

    def __post_init__(self) -> None:
        if not self.tokens and not (is_loopback(self.host) and (self.address is None or self._is_local_address)):
            raise ArtifactError(
                "Others can reach this address, so the desk needs --token-file FILE: a line for each person, "
                "`reviewer TOKEN NAME` or `viewer TOKEN`."
            )

    @property
    def _is_local_address(self) -> bool:
        return is_loopback(urlsplit(self.address or "").hostname or "")

    @property
    def prefix(self) -> str:
        """The path under which the desk lies, without a slash at its end."""
        return urlsplit(self.address).path.rstrip("/") if self.address else ""

    @property
    def is_secure(self) -> bool:
        """Whether people reach it by https, so that cookies go no other way."""
        return bool(self.address) and urlsplit(self.address).scheme == "https"

    @property
    def origins(self) -> frozenset[str]:
        """The origins that pages of the desk have; requests of others' pages are refused."""
        if self.address:
            parts = urlsplit(self.address)
            return frozenset({f"{parts.scheme}://{parts.netloc}".lower()})
        names = {"localhost", "127.0.0.1", "[::1]"} if is_loopback(self.host) else {bracketed(self.host)}
        return frozenset(f"http://{name}:{self.port}" for name in names)

    @property
    def hosts(self) -> frozenset[str] | None:
        """The hosts, with their ports, that a request may name; None: any, as the desk listens on every address."""
        if self.address is None and not is_loopback(self.host) and is_any(self.host):
            return None
        return frozenset(urlsplit(origin).netloc for origin in self.origins)

    @property
    def link(self) -> str:
        """The address to open."""
        if self.address:
            return f"{self.address.rstrip('/')}/"
        host = socket.gethostname() if is_any(self.host) else bracketed(self.host)
        return f"http://{host}:{self.port}/"


def checked_address(address: str | None) -> str | None:
    """Return an address of the web as it was given; raises ArtifactError for what is none."""
    if address is None:
        return None
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ArtifactError(f"{address} is no address such as https://desk.museum.example/artifact.")
    return address


def checked_folders(folders: Sequence[Path]) -> tuple[Path, ...]:
    """Return folders as they are on the disk, links followed; raises ArtifactError for what is no folder."""
    for folder in folders:
        if not folder.is_dir():
            raise ArtifactError(f"{folder} is no folder; --allow names one whose photographs may be screened.")
    return tuple(folder.resolve() for folder in folders)


def is_loopback(host: str) -> bool:
    """Say whether only this machine reaches a host."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def is_any(host: str) -> bool:
    """Say whether a host stands for every address of this machine."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def bracketed(host: str) -> str:
    """Return a host as an address of the web has it."""
    return f"[{host}]" if ":" in host else host


def digest_of(token: str) -> str:
    """Return the hash by which a token is known."""
    return hashlib.sha256(token.encode()).hexdigest()


def read_tokens(file: Path) -> tuple[Token, ...]:
    """Read who may come in: `ROLE TOKEN [NAME]` a line, `#` begins a remark; raises ArtifactError."""
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ArtifactError(f"The token file {file} cannot be read: {error}") from error
    found = []
    for number, line in enumerate(lines, 1):
        role, token, name = [*line.partition("#")[0].split(maxsplit=2), "", "", ""][:3]
        if not role:
            continue
        if role not in tuple(Role):
            raise ArtifactError(f"{file}, line {number}: begin with viewer or reviewer, then the token, then a name.")
        if len(token) < SHORTEST:
            raise ArtifactError(
                f"{file}, line {number}: a token has {SHORTEST} letters or more. One is made by: "
                "python3 -c 'import secrets; print(secrets.token_urlsafe())'"
            )
        found.append(Token(digest_of(token), Role(role), name.strip()))
    if not found:
        raise ArtifactError(f"{file} names nobody: a line for each person, `reviewer TOKEN NAME` or `viewer TOKEN`.")
    return tuple(found)
