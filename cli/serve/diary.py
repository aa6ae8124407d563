"""Write down who did what at the desk, a line of JSON each."""

from __future__ import annotations

import json
import threading
from pathlib import Path

from retrieval.moment import now

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
