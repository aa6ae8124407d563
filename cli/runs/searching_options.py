"""How vectors are to be searched, as options and arguments say it; what is none is a mistake of usage."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from cli.runs.indexing_options import IndexingOptions
from retrieval.catalogue.index_choice import Searching
from retrieval.catalogue.shards import MOST
from retrieval.catalogue.store import FILES
from retrieval.catalogue.store_address import StoreAddress
from retrieval.errors import UnknownIndex, UnusableStore

LEAST_MEMORY = 1_000_000  # bytes


def searching_of(options: IndexingOptions) -> Searching:
    """Return how vectors are to be searched; raises BadParameter."""
    if options.store is not None:
        check_store(options.store, "--store")
    memory, shards = _bytes(options.memory), _shards(options.shards)
    return Searching(options.faiss, memory, options.store, shards, options.remake_shards)


def check_store(text: str, name: str) -> None:
    """Refuse what is no address of a store, given as an option or an argument; raises BadParameter."""
    try:
        if text != FILES:
            StoreAddress.parse(text)
    except UnusableStore as error:
        raise typer.BadParameter(str(error), param_hint=name) from None


@contextmanager
def refusing_kinds() -> Iterator[None]:
    """Refuse a kind of index that is none, which is known once there is an encoder; raises BadParameter."""
    try:
        yield
    except UnknownIndex as error:
        raise typer.BadParameter(str(error), param_hint="--faiss") from None


def _bytes(asked: str | None) -> int | None:
    """Return the bytes of a size such as 4GB; None where none is said; raises BadParameter."""
    if asked is None:
        return None
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)\s*([kMGT]?)i?B?", asked.strip(), re.IGNORECASE)
    size = int(float(found[1]) * 1000 ** " kmgt".index(found[2].lower() or " ")) if found else 0
    if size < LEAST_MEMORY:
        raise typer.BadParameter("--memory is a size of 1MB or more, as in --memory 500MB or --memory 4GB")
    return size


def _shards(asked: str | None) -> int | None:
    """Return the number of shards that was asked for; None where none is said; raises BadParameter."""
    if asked is None:
        return None
    if not asked.isdecimal() or not 0 < int(asked) <= MOST:
        raise typer.BadParameter(f"--shards is a number from 1 to {MOST}, as in --shards 8")
    return int(asked)
