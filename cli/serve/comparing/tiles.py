"""Keep what was made of pictures in folders that appear whole or not at all, and that may be deleted at any time."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retrieval.errors import CatalogueBusy

MOST_BYTES = 4_000_000_000  # of all folders together
RECORD = "made.json"
KEY = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Made:
    """A folder that is there, and what was written down when it was made."""

    folder: Path
    record: Mapping[str, Any]


def key_of(*parts: object) -> str:
    """Return the key of what is made from these parts, and from nothing else."""
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()[:32]


class Tiles:
    """The folders, by their keys; the ones longest unused are dropped where they are too large together."""

    def __init__(self, folder: Path, *, most_bytes: int = MOST_BYTES) -> None:
        self._folder, self._most_bytes = folder, most_bytes
        self._lock = threading.Lock()
        self._drop_halves()

    def find(self, key: str) -> Made | None:
        """Return what was made under a key, and note that it is used; None where it is not there."""
        folder = self._folder / key
        try:
            record = json.loads((folder / RECORD).read_text("utf-8"))
        except (OSError, ValueError):
            return None
        with suppress(OSError):
            os.utime(folder)
        return Made(folder, record)

    def make(self, key: str, make: Callable[[Path], Mapping[str, Any]]) -> Made:
        """Return what is under a key, made unless it is there: `make` fills a folder and returns what to write down."""
        if (found := self.find(key)) is not None:
            return found
        half = self._folder / f".{key}-{os.getpid()}-{secrets.token_hex(4)}.part"
        try:
            half.mkdir(parents=True)
            record = make(half)
            size = sum(file.stat().st_size for file in half.rglob("*") if file.is_file())
            (half / RECORD).write_text(json.dumps({**record, "bytes": size}), "utf-8")
            self._put(half, key)
        except OSError as error:
            raise CatalogueBusy(f"The pictures cannot be put into {self._folder}: {error.strerror or error}") from error
        finally:
            shutil.rmtree(half, ignore_errors=True)
        return Made(self._folder / key, record)

    def _put(self, half: Path, key: str) -> None:
        with self._lock:
            self.drop(key)
            half.rename(self._folder / key)

    def file(self, key: str, *parts: str) -> Path:
        """Return where a file of a key lies."""
        assert KEY.fullmatch(key) and not any("/" in part or part.startswith(".") for part in parts), "ours"
        return self._folder.joinpath(key, *parts)

    def drop(self, key: str) -> None:
        """Remove what is under a key, if it is there: first out of sight, so that no half is ever seen."""
        gone = self._folder / f".{key}-{os.getpid()}-{secrets.token_hex(4)}.part"
        with suppress(OSError):
            (self._folder / key).rename(gone)
            shutil.rmtree(gone, ignore_errors=True)

    def bound(self, needed: Iterable[str] = ()) -> None:
        """Drop what was longest unused until all together are small enough; what is needed now stays."""
        kept, total = set(needed), 0
        for key, _, size in sorted(self._sizes(), key=lambda one: -one[1]):
            total += size
            if total > self._most_bytes and key not in kept:
                self.drop(key)

    def drop_where(self, is_over: Callable[[Mapping[str, Any]], bool]) -> None:
        """Drop all whose record says so."""
        for folder in self._folders():
            with suppress(OSError, ValueError):
                if is_over(json.loads((folder / RECORD).read_text("utf-8"))):
                    self.drop(folder.name)

    def _sizes(self) -> Iterable[tuple[str, float, int]]:
        for folder in self._folders():
            with suppress(OSError, ValueError, KeyError):
                size = int(json.loads((folder / RECORD).read_text("utf-8"))["bytes"])
                yield folder.name, folder.stat().st_mtime, size

    def _folders(self) -> list[Path]:
        with suppress(OSError):
            return [folder for folder in self._folder.iterdir() if KEY.fullmatch(folder.name)]
        return []

    def _drop_halves(self) -> None:
        """Remove what a killed desk left half made."""
        for half in self._folder.glob(".*.part"):
            process = half.name.split("-")[1]
            if not (process.isdigit() and int(process) != os.getpid() and _runs(int(process))):
                shutil.rmtree(half, ignore_errors=True)


def _runs(process: int) -> bool:
    """Say whether a process runs."""
    if os.name == "nt":  # where the question would end it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
