"""Say that what photographs are found by is made in memory, where files of it are missing and none can be written."""

from __future__ import annotations

import logging
from shlex import quote

from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.database import can_write
from retrieval.catalogue.segmenting import Found
from retrieval.catalogue.segments import segments_of

SOME = 100  # contents, which take half a second


def say_made_in_memory(catalogue: Catalogue, found: Found) -> None:
    """Say of how many, and what to do, where it takes more than a moment, given the segments that are opened."""
    if (count := _made_in_memory(catalogue, found)) <= SOME:
        return
    why = "another run writes the catalogue, or a disk is full or read-only. The next command that can writes it."
    if not can_write(data := catalogue.data):
        check = f"artifact check --data {quote(str(data))}"
        why = f"{data} cannot be written. Let somebody who may write it run `{check}` once."
    log = logging.getLogger(__name__)
    log.warning("What %s photographs are found by is missing, and made in memory each time: %s", f"{count:,}", why)


def _made_in_memory(catalogue: Catalogue, found: Found) -> int:
    """Return about how many contents no sound segment holds."""
    if found is None:
        return catalogue.counts()[1]
    (waiting,) = catalogue.db.execute("SELECT count(*) FROM unsegmented").fetchone()
    known = zip(segments_of(catalogue) or (), found, strict=True)
    return int(waiting) + sum(segment.contents for segment, item in known if item is None)
