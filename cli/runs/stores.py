"""What `artifact store copy` does, and what it says."""

from __future__ import annotations

from pathlib import Path

import typer

from cli.output.progress import progress
from cli.output.text import plain
from cli.runs.searching_options import check_store
from indexer.building.store_copy import copy_vectors
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.database import check_there
from retrieval.catalogue.store import FILES
from retrieval.catalogue.store_address import StoreAddress


def run_copy(source: str, target: str, data: Path) -> None:
    """Copy vectors and say how many, with the checksum that both sides have."""
    check_store(source, "FROM")
    check_store(target, "TO")
    if source == target:
        raise typer.BadParameter("FROM and TO are the same. Name two, such as files and milvus://HOST:PORT/COLLECTION")
    check_there(data)
    with progress("Copying") as show, Catalogue.writing(data) as catalogue:
        copied = copy_vectors(catalogue, source, target, on_progress=show)
    names = " to ".join(plain(text if text == FILES else str(StoreAddress.parse(text))) for text in (source, target))
    vectors = f"{copied.vectors:,} {'vector' if copied.vectors == 1 else 'vectors'}"
    typer.echo(f"{vectors} copied from {names}; checksum {copied.checksum}")
