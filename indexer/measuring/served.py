"""Tell the photographs that served a calibration from others: on the first, figures are too good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from indexer.inputs.queries import Query
from retrieval.errors import UnreadableImage
from retrieval.photographs.files import sha256_of
from retrieval.statistics.calibration import Calibration


@dataclass(frozen=True, slots=True)
class Served:
    """Photographs that served a calibration, and the others, some of which show an object that served it."""

    served: Sequence[Query]
    others: Sequence[Query]
    of_its_objects: int  # of the others


def told_apart(queries: Sequence[Query], calibration: Calibration | None) -> Served:
    """Tell photographs apart by their content; a file that cannot be read served nothing."""
    known = {} if calibration is None else calibration.photographs
    if not known:
        return Served((), queries, 0)
    objects = frozenset(known.values())
    served = [query for query in queries if _content(query) in known]
    paths = {query.path for query in served}
    others = [query for query in queries if query.path not in paths]
    return Served(served, others, sum(bool(query.objects & objects) for query in others))


def _content(query: Query) -> str | None:
    try:
        return sha256_of(query.path)
    except UnreadableImage:
        return None
