"""Ask for the files of exemplars, and wait only so long: a network drive may be away, and may never answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from retrieval.catalogue.rows import Photo
from retrieval.errors import UnreadableImage
from retrieval.photographs.files import sha256_of

PATIENCE = 10.0  # seconds
Answer = TypeVar("Answer")


def in_time(ask: Callable[[], Answer], *, patience: float = PATIENCE) -> Answer | None:
    """Return the answer to a question about a file; None where there is none in time, or an OSError."""
    answers: list[Answer] = []

    def put() -> None:
        try:
            answers.append(ask())
        except OSError:
            return

    asking = threading.Thread(target=put, name="ask", daemon=True)  # what hangs must not keep the program
    asking.start()
    asking.join(patience)
    return answers[0] if answers else None


class ExemplarFiles:
    """Says which exemplars' files have changed since they were indexed; a folder that does not answer is asked once."""

    def __init__(self, *, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._silent: set[str] = set()  # folders
        self._known: dict[tuple[str, int, int], bool] = {}  # whether it has changed, by content, size and time

    def changed(self, photo: Photo) -> bool:
        """Say whether the file is there, with another content; hashed only where size or time are not as indexed."""
        if photo.folder in self._silent:
            return False
        answer = in_time(partial(self._changed, photo), patience=self._patience)
        if answer is None:
            self._silent.add(photo.folder)
        return bool(answer)

    def _changed(self, photo: Photo) -> bool:
        try:
            status = photo.file.stat()
            if (status.st_size, status.st_mtime_ns) == (photo.bytes, photo.modified_ns):
                return False
            key = (photo.sha256, status.st_size, status.st_mtime_ns)
            if key not in self._known:
                self._known[key] = status.st_size != photo.bytes or sha256_of(photo.file) != photo.sha256
            return self._known[key]
        except (OSError, UnreadableImage):  # away
            return False
