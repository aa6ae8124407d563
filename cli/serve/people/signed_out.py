"""Remember which sessions were ended, as their cookies would let somebody in until they are too old."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path


class SignedOut:
    """The sessions that were ended, a line each in a file; without the file they are forgotten with the desk."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._ended: set[str] = set()
        with suppress(OSError, UnicodeDecodeError):
            self._ended.update(file.read_text("ascii").split())

    def holds(self, session: str) -> bool:
        """Say whether a session was ended; one without an id, as of an earlier version, counts as ended."""
        return not session or session in self._ended

    def end(self, session: str) -> None:
        """End a session, wherever its cookie is."""
        with self._lock, suppress(OSError):
            self._ended.add(session)
            with self._file.open("a", encoding="ascii") as file:
                file.write(f"{session}\n")
