"""Decoders of the extra `formats`, and what is said where it is not installed."""

import importlib
from typing import Any

from retrieval.errors import UnreadableImage
from retrieval.extras import how_to_install

EXTRA = "formats"


def import_decoder(module: str, kind: str) -> Any:
    """Import a module of the extra; raises UnreadableImage, which says how to get it, where it is missing."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise missing(kind) from error


def missing(kind: str) -> UnreadableImage:
    """Return what says that a kind of picture needs the extra."""
    return UnreadableImage(f"reading {kind} needs the extra `{EXTRA}`: {how_to_install(EXTRA)}")


def unsupported(kind: str) -> UnreadableImage:
    """Return what says that a kind of picture is not read at all."""
    return UnreadableImage(f"of an unsupported kind: {kind}")
