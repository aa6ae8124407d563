"""Let somebody who is signed in at one device sign in at another, by a code that is good once and for a short time."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass

GOOD_FOR = 300.0  # seconds
MOST = 100  # invitations that are open


@dataclass(frozen=True, slots=True)
class Invitation:
    """Whose token a code stands for, and until when."""

    digest: str
    name: str
    until: float


class Invitations:
    """The codes that are good now."""

    def __init__(self) -> None:
        self._open: dict[str, Invitation] = {}
        self._lock = threading.Lock()

    def invite(self, digest: str, name: str) -> str:
        """Return a new code for a token, by its hash, and the name of who has it."""
        code, now = secrets.token_urlsafe(12), time.monotonic()
        with self._lock:
            known = [(key, one) for key, one in self._open.items() if one.until > now]
            self._open = dict(known[-MOST + 1 :])
            self._open[code] = Invitation(digest, name, now + GOOD_FOR)
        return code

    def take(self, code: str) -> Invitation | None:
        """Return what a code stands for, which is good no more then; None where it is not, or was too late."""
        with self._lock:
            found = self._open.pop(code, None)
        return found if found is not None and found.until > time.monotonic() else None
