"""Open and hash what is a regular file, and put in plain words why something cannot be read."""

import hashlib
import io
import os
import stat
import struct
from pathlib import Path

from retrieval.errors import UnreadableImage


def open_regular(path: Path) -> io.BufferedReader:
    """Open a file, refusing pipes and devices without waiting for them."""
    no_wait = getattr(os, "O_NONBLOCK", 0)
    file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | no_wait))  # noqa: SIM115
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise UnreadableImage("not a regular file")
    return file


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal; raises UnreadableImage if they cannot be read."""
    try:
        with open_regular(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError) as error:
        raise UnreadableImage(in_plain_words(error)) from error


_UNREAD = "of an unsupported kind: the decoders installed here do not read it"
_SAID = {  # what libraries say, in part, and what it means
    "Input/output error": "truncated: a part of it lies beyond the end of the file",  # of LibRaw
    "decoder error -": "damaged: its pixels cannot be decoded",
    "Please build `libjxl`": "damaged: libjxl cannot decode it",
    "has not been built in": _UNREAD,
    "Not implemented": _UNREAD,
}
_OF_PYTHON = (TypeError, LookupError, ArithmeticError, AttributeError, AssertionError, UnicodeDecodeError)


def in_plain_words(error: Exception) -> str:
    """Say on one printable line, without the path, what a decoder or the system ran into."""
    if isinstance(error, MemoryError):
        return "too little memory to decode it"
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be opened: {error.strerror.lower()}"
    if isinstance(error, struct.error):
        return "truncated: its headers end too early"
    if isinstance(error, _OF_PYTHON):
        return "damaged: its headers make no sense"
    said = error.args[0].decode(errors="replace") if error.args and isinstance(error.args[0], bytes) else str(error)
    if known := next((words for part, words in _SAID.items() if part in said), None):
        return known
    text = "".join(c if c.isprintable() else " " for c in said or type(error).__name__)
    text = " ".join(text.split())[:200]
    cut = isinstance(error, EOFError) or "truncated" in text.lower() or "end of file" in text
    return f"{'truncated' if cut else 'damaged'}: {text}"
