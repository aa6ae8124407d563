"""Count what the statuses of all objects come to, and name the objects one by one, without reading all."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.distinct import distinct
from retrieval.catalogue.status_words import ALARMS, Status, understood


@dataclass(frozen=True, slots=True)
class Statuses:
    """How the statuses that raise an alarm, and those that are doubtful, are written, in an open catalogue."""

    catalogue: Catalogue
    alarming: dict[Status, Sequence[str]]
    doubtful: Sequence[str]

    @classmethod
    def of(cls, catalogue: Catalogue) -> Statuses:
        """Return those of a catalogue; each way of writing is looked at once."""
        alarming: dict[Status, list[str]] = {status: [] for status in ALARMS}
        doubtful = []
        for text in distinct(catalogue.db, "objects", "status"):
            found = understood(text.strip())
            if found.status in alarming:
                alarming[found.status].append(text)
            if found.doubt:
                doubtful.append(text)
        return cls(catalogue, {status: texts for status, texts in alarming.items() if texts}, doubtful)

    def count(self, texts: Sequence[str]) -> int:
        """Return how many objects have one of some statuses, as they are written."""
        sql = "SELECT count(*) FROM objects WHERE status IN (SELECT value FROM json_each(?))"
        return int(self.catalogue.db.execute(sql, [json.dumps(texts)]).fetchone()[0])

    def alarms(self) -> dict[Status, int]:
        """Return how many objects raise each alarm, where any does."""
        return {status: self.count(texts) for status, texts in self.alarming.items()}

    def ids(self, status: Status) -> Iterator[str]:
        """Yield the objects that raise an alarm, in order."""
        return (object_id for object_id, _ in self._rows(self.alarming.get(status, ())))

    def doubts(self, *, limit: int = -1) -> Iterator[tuple[str, str]]:
        """Yield the objects whose status is doubtful, in order, each with what is doubtful; -1: all of them."""
        return ((object_id, understood(text.strip()).doubt) for object_id, text in self._rows(self.doubtful, limit))

    def _rows(self, texts: Sequence[str], limit: int = -1) -> Iterator[tuple[str, str]]:
        sql = """SELECT object_id, status FROM objects WHERE status IN (SELECT value FROM json_each(?))
                 ORDER BY object_id LIMIT ?"""
        return iter(self.catalogue.db.execute(sql, [json.dumps(texts), limit]))
