"""Keep small pictures of photographs and exemplars, by the hashes of their files, where they may be deleted."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

MOST = 1_000_000_000  # bytes, past which the oldest go when the desk opens


class SmallPictures:
    """A folder of JPEG files; one that cannot be written keeps nothing, and stops nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._bound()

    def get(self, sha256: str, which: str, make: Callable[[], bytes]) -> bytes:
        """Return a picture of a content, made unless it is there; `which` tells it from others of this content."""
        file = self._folder / sha256[:2] / f"{sha256}-{which}.jpg"
        with suppress(OSError):
            return file.read_bytes()
        content = make()
        temporary = file.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
        with suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(content)
            os.replace(temporary, file)
        return content

    def forget(self, sha256: str) -> None:
        """Drop the pictures of a content."""
        for file in (self._folder / sha256[:2]).glob(f"{sha256}-*"):
            file.unlink(missing_ok=True)

    def _bound(self) -> None:
        with suppress(OSError):
            found = [(file.stat(), file) for file in self._folder.glob("??/*")]
            held = 0
            for status, file in sorted(found, key=lambda one: one[0].st_mtime, reverse=True):
                held += status.st_size
                if held > MOST:
                    file.unlink(missing_ok=True)
