"""Put photographs that people bring where they can be judged, and keep only those that are to be kept."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from starlette.datastructures import UploadFile

from retrieval.errors import ArtifactError, CatalogueBusy

LONGEST = 120  # bytes of a name
AT_A_TIME = 1 << 20
DAY = 86_400.0  # seconds, after which nothing stays that is not to be kept
MOST = 5_000_000_000  # bytes of what is not to be kept; beyond them the oldest goes
BROUGHT = "brought"  # what lists of photographs show as the folder of a photograph
_KEPT = ".kept"


@dataclass(frozen=True, slots=True)
class Upload:
    """A photograph that was brought: where it lies, and the hash of its bytes."""

    path: Path
    sha256: str


class Uploads:
    """The folder of what was brought: one for each content, under its hash."""

    def __init__(self, folder: Path, *, on_drop: Callable[[str], None]) -> None:
        self._folder, self._on_drop = folder, on_drop  # which is told the hash of what is gone
        self._brought: set[str] = set()
        self._forget_stale()

    def take(self, file: BinaryIO, name: str) -> Upload:
        """Copy what was sent under its name, whole or not at all; raises ArtifactError."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            temporary = self._folder / f".{os.getpid()}-{time.monotonic_ns()}.part"
            try:
                sha256 = copied(file, temporary)
                path = self._folder_of(sha256) / BROUGHT / plain_name(name)
                path.parent.mkdir(parents=True, exist_ok=True)
                os.replace(temporary, path)
                os.utime(path.parent.parent)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            raise CatalogueBusy(f"The photograph cannot be put into {self._folder}: {error.strerror}") from error
        self._brought.add(sha256)
        self._forget_stale()
        return Upload(path, sha256)

    def keep(self, sha256: str) -> None:
        """Keep a photograph also after the desk is closed; raises ArtifactError where it is gone."""
        folder = self._folder_of(sha256)
        if not folder.is_dir():
            raise ArtifactError("The photograph is no longer here. Bring it once more.")
        (folder / _KEPT).touch()

    def is_kept(self, sha256: str) -> bool:
        """Say whether a photograph stays."""
        return (self._folder_of(sha256) / _KEPT).exists()

    def close(self) -> None:
        """Remove what was brought and is not to be kept."""
        for sha256 in self._brought:
            self._drop(self._folder_of(sha256))

    def _forget_stale(self) -> None:
        """Remove what is too old or too much, and what a killed desk left behind."""
        with suppress(OSError):
            for part in self._folder.glob(".*.part"):
                if time.time() - part.stat().st_mtime > DAY:
                    part.unlink(missing_ok=True)
            loose = [folder for folder in self._folder.glob("??/*") if not (folder / _KEPT).exists()]
            held = 0
            for folder in sorted(loose, key=lambda folder: folder.stat().st_mtime, reverse=True):
                held += sum(file.stat().st_size for file in folder.glob("*/*"))
                if held > MOST or time.time() - folder.stat().st_mtime > DAY:
                    self._drop(folder)

    def _drop(self, folder: Path) -> None:
        if folder.is_dir() and not (folder / _KEPT).exists():
            shutil.rmtree(folder, ignore_errors=True)
            self._on_drop(folder.name)

    def _folder_of(self, sha256: str) -> Path:
        assert len(sha256) == 64 and sha256.isalnum(), "a hash, which no path is"
        return self._folder / sha256[:2] / sha256


def sent_name(file: UploadFile) -> str:
    """Return the name of a file of a form; browsers write three signs of it as `%22`, `%0D` and `%0A`, and no other."""
    return (file.filename or "").replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")


def plain_name(name: str) -> str:
    """Return the name of a file that was sent as one that lies in its folder and nowhere else."""
    last = name.replace("\\", "/").rpartition("/")[2]
    clean = "".join(letter if letter.isprintable() else "_" for letter in last).strip().lstrip(".")
    stem, dot, suffix = clean.rpartition(".")
    stem, suffix = (stem, dot + suffix) if dot else (clean, "")
    suffix = suffix if len(suffix.encode()) <= 16 else ""
    return (stem.encode()[: LONGEST - len(suffix.encode())].decode(errors="ignore") or "photograph") + suffix


def copied(file: BinaryIO, target: Path) -> str:
    """Copy a file, and return its hash; it is on the disk when this returns."""
    found = hashlib.sha256()
    with target.open("wb") as out:
        while block := file.read(AT_A_TIME):
            found.update(block)
            out.write(block)
        out.flush()
        os.fsync(out.fileno())
    return found.hexdigest()
