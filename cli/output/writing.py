"""Write a file whole or not at all, and say early where that cannot be done."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from filelock import FileLock, Timeout

from cli.output.text import plain
from retrieval.errors import ArtifactError

if TYPE_CHECKING:
    from retrieval.judging.edition import Edition


def check_targets(targets: Iterable[Path | None], photographs: Iterable[Path]) -> None:
    """Raise ArtifactError where a file could not be written, or would take the place of a photograph."""
    known = tuple(photographs)  # each target is compared with all of them
    for out in targets:
        if out is not None and (reason := _refusal(out, known)):
            raise ArtifactError(f"cannot write {out}: {reason}")


def exemplars_at(targets: Iterable[Path], edition: Edition) -> list[Path]:
    """Return the exemplars that one of some files may be, by their names; where no file is there, none is asked for."""
    there = [out for out in targets if out.exists()]
    names = {name.casefold() for out in there for name in (out.name, out.resolve().name)}
    return edition.exemplars_named(names) if names else []


def _refusal(out: Path, photographs: Iterable[Path]) -> str:
    if not out.parent.is_dir():
        return f"there is no folder {out.parent}"
    if out.is_dir():
        return "it is a folder"
    if out.exists() and not out.is_file():
        return "it is no regular file"
    if not os.access(out.parent, os.W_OK):
        return f"{out.parent} may not be written to"
    if out.exists() and any(file.exists() and out.samefile(file) for file in photographs):
        return "it is one of the photographs, or a list of them; choose another name"
    return ""


@contextmanager
def alone_at(out: Path | None) -> Iterator[None]:
    """Hold the one right to write a file, which ends with this process at the latest; raises ArtifactError."""
    if out is None:
        yield
        return
    held = _lock_of(out)
    lock = FileLock(held, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise ArtifactError(f"Another run is writing {out}. Wait until it ends, or name another file.") from error
    try:
        yield
    finally:
        with suppress(PermissionError):  # of Windows, where it is removed as it is released
            held.unlink(missing_ok=True)
        lock.release()


def is_held(out: Path) -> bool:
    """Say whether a run is writing a file now."""
    held = _lock_of(out)
    if not held.exists():
        return False
    lock = FileLock(held, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        return True
    lock.release()
    return False


def _lock_of(out: Path) -> Path:
    return out.with_name(f"{out.name}.lock")


def write_whole(out: Path, pieces: Iterable[bytes], *, quiet: bool = False) -> None:
    """Write a file beside its place, then put it there, and say so; leave nothing behind where that fails."""
    temporary = out.with_name(f"{out.name}.new")
    try:
        with temporary.open("wb") as file:
            file.writelines(pieces)
        os.replace(temporary, out)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None and error.strerror:  # as of a disk that is full
            raise ArtifactError(f"cannot write {out}: {error.strerror}") from error
        raise
    if not quiet:
        typer.echo(f"wrote {plain(str(out))}", err=True)
