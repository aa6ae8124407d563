"""Write down who did what at the desk, a line of JSON each."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from retrieval.moment import now

LOOKED_AT = 100_000  # bytes from the end, for the last entries
LARGEST = 20_000_000  # bytes, after which a new file is begun; one earlier file is kept


class Diary:
    """The file of what was done; one that cannot be written stops nothing."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()

    def note(self, who: str, did: str, *, role: str, client: str, **more: object) -> None:
        """Add that somebody did something, with whatever says more of it."""
        line = json.dumps({"date": now(), "name": who, "role": role, "from": client, "did": did, **more})
        with self._lock:
            try:
                if self._file.exists() and self._file.stat().st_size > LARGEST:
                    self._file.replace(self._file.with_suffix(".1.jsonl"))
                with self._file.open("a", encoding="utf-8") as file:
                    file.write(line + "\n")
            except OSError:
                return

    def last(self, count: int) -> list[dict[str, Any]]:
        """Return the last entries, the newest first."""
        try:
            with self._file.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - LOOKED_AT))
                lines = file.read().decode(errors="replace").splitlines()
        except OSError:
            return []
        return list(islice(_entries(reversed(lines)), count))


def _entries(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield what lines hold that are whole."""
    for line in lines:
        with suppress(ValueError):
            entry = json.loads(line)
            if isinstance(entry, dict) and {"date", "name", "did"} <= entry.keys():
                yield entry
