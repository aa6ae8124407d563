"""Say in a line what nobody foresaw: too little memory, no room for temporary files, a mistake of this program."""

from __future__ import annotations

import errno
import os
import tempfile

from retrieval.errors import ArtifactError
from retrieval.machine import memory_limit

LEAST, OF_AN_ENCODER = 600e6, 2000e6  # bytes of address space; with less, libraries crash without a word
OF_MEMORY = ("failed to map segment", "cannot allocate memory", "bad_alloc", "start new thread", "insufficient memory")
TRACEBACK = "ARTIFACT_TRACEBACK"


def refuse_little_memory(*, with_encoder: bool) -> None:
    """Raise ArtifactError where this process may not have the memory that it needs."""
    limit, needed = memory_limit(), OF_AN_ENCODER if with_encoder else LEAST
    if limit is not None and limit < needed:
        raise ArtifactError(
            f"This process may have {limit / 1e6:,.0f} MB of memory (ulimit -v); it needs {needed / 1e6:,.0f} MB."
        )


def os_error_words(error: OSError) -> str:
    """Return what the system says, and of which file."""
    said = error.strerror or str(error)
    if error.filename:
        return f"{said}: {os.fsdecode(error.filename)}"
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return f"{said}; temporary files lie in {tempfile.gettempdir()}" if full else said


def unforeseen_words(error: Exception) -> str:
    """Return what to say of an error that is no ArtifactError."""
    said = " ".join(f"{type(error).__name__}: {error}".split())
    if isinstance(error, MemoryError) or any(sign in said.casefold() for sign in OF_MEMORY):
        return f"there is too little memory ({said})"
    return f"a mistake of this program, {said}; set {TRACEBACK}=1 to see where"
