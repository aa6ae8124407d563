"""Tell which contents segments have to hold, which they hold, and which of these belong to no exemplar any more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from retrieval.catalogue.among import rows_among
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.content_keys import content_keys
from retrieval.catalogue.contents import EncodedContents
from retrieval.catalogue.vote_lists import VoteLists

AT_ONCE = 20_000  # contents that are looked at in one step: 60 MB of votes


@dataclass(frozen=True, slots=True)
class Waiting:
    """Some contents that may have come or gone, sorted out."""

    new: list[str]  # of exemplars, and in no segment
    back: list[str]  # of exemplars, and in one
    gone: list[str]  # in one, and of no exemplar

    @classmethod
    def of(cls, catalogue: Catalogue, hashes: Sequence[str], lists: Sequence[VoteLists]) -> Waiting:
        """Sort out contents; one of an exemplar without a whole vector is as if there were no exemplar."""
        sql = "SELECT sha256 FROM photos WHERE sha256 IN ({marks})"
        of_exemplars = {sha256 for (sha256,) in rows_among(catalogue.db, sql, hashes)}
        wanted = EncodedContents.of(catalogue).among(of_exemplars).keys()
        keys = content_keys(hashes)
        held = np.any([one.holds(keys) for one in lists], axis=0) if lists else np.zeros(len(keys), bool)
        pairs = list(zip(hashes, held.tolist(), strict=True))
        return cls(
            [sha256 for sha256, is_held in pairs if sha256 in wanted and not is_held],
            [sha256 for sha256, is_held in pairs if sha256 in wanted and is_held],
            [sha256 for sha256, is_held in pairs if sha256 not in wanted and is_held],
        )


def pages_of(catalogue: Catalogue, table: str) -> Iterator[list[str]]:
    """Yield the contents that a table names, each once, in the order of their hashes, some at a time."""
    sql = f"SELECT DISTINCT sha256 FROM {table} WHERE sha256 > ? ORDER BY sha256 LIMIT {AT_ONCE}"
    last = ""
    while page := [sha256 for (sha256,) in catalogue.db.execute(sql, [last])]:
        yield page
        last = page[-1]
