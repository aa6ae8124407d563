"""Read, once, a list that is piped in: by standard input, a named pipe or the `<(...)` of a shell."""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from retrieval.errors import ArtifactError, BadTable

STANDARD_INPUT = Path("-")
DEVICES = (Path("/dev"), Path("/dev/fd"))  # folders of streams; others below, such as /dev/shm, hold files


@dataclass(frozen=True, slots=True)
class Source:
    """Where the photographs of a screening are listed, and what tells it from every other source."""

    file: Path  # or folder
    beside: Path | None  # what names in a list are relative to; None: its own folder
    identity: str


@contextmanager
def source_on_disk(source: Path) -> Iterator[Source]:
    """Give a source as it is on disk; a list that is piped in lies in a temporary file as long as the block."""
    if not _is_piped(source):
        yield Source(source, None, str(source.resolve()))
        return
    try:
        content = sys.stdin.buffer.read() if source == STANDARD_INPUT else source.read_bytes()
    except OSError as error:
        raise ArtifactError(f"{source} cannot be read: {error.strerror}") from error
    with tempfile.TemporaryDirectory(prefix="artifact-") as folder:
        file = Path(folder, source_name(source) if source == STANDARD_INPUT else "piped list")  # as its lines are named
        file.write_bytes(content)
        try:
            yield Source(file, Path.cwd(), f"{hashlib.sha256(content).hexdigest()} in {Path.cwd()}")
        except BadTable as error:
            raise BadTable(str(error).replace(str(file), source_name(source))) from error


def source_name(source: Path) -> str:
    """Return what messages call a source."""
    return "standard input" if source == STANDARD_INPUT else str(source)


def _is_piped(source: Path) -> bool:
    if source == STANDARD_INPUT:
        return True
    return source.exists() and not source.is_dir() and (source.parent in DEVICES or not source.is_file())
