"""Read from an address which part of the queue is asked for, and write the address of another part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from math import isfinite
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.search import matching
from retrieval.verdicts.queue import BadFilter, Filter, Order, Place

FIELDS = ("text", "outcome", "alert", "sale", "house", "since", "until", "least", "most")
MOST_OBJECTS = 10_000  # whose metadata have a text
LONGEST = 300  # letters of a field


@dataclass(frozen=True, slots=True)
class Asked:
    """Which part of the queue is asked for, as it was typed."""

    fields: Mapping[str, str] = field(default_factory=dict)  # of FIELDS, none empty
    order: Order = Order.URGENT
    after: Place | None = None
    before: Place | None = None

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Asked:
        """Return what the query of an address asks for; raises BadFilter."""
        fields = {name: value for name in FIELDS if (value := given.get(name, "").strip()[:LONGEST])}
        order = given.get("order") or Order.URGENT
        if order not in tuple(Order):
            raise BadFilter(f"The queue is sorted by one of {', '.join(Order)}.")
        after, before = (Place.of(text) if (text := given.get(name)) else None for name in ("after", "before"))
        asked = cls(fields, Order(order), after, before)
        asked.filter(None)
        return asked

    @classmethod
    def of_query(cls, query: str) -> Asked:
        """Return what a query as text asks for; raises BadFilter."""
        try:
            return cls.of(dict(parse_qsl(query, max_num_fields=40)))
        except ValueError as error:
            raise BadFilter("This is no address of the queue. Begin at its top.") from error

    @property
    def query(self) -> str:
        """The query of the address, empty where nothing is asked for."""
        given = dict(self.fields) | ({} if self.order is Order.URGENT else {"order": str(self.order)})
        places = {"after": self.after, "before": self.before}
        return urlencode(given | {name: str(place) for name, place in places.items() if place})

    @property
    def from_top(self) -> Asked:
        """The same part from its beginning."""
        return replace(self, after=None, before=None)

    def at(self, *, after: Place | None = None, before: Place | None = None) -> Asked:
        """Return the page after a place, or before one."""
        return replace(self, after=after, before=before)

    def filter(self, data: Path | None) -> Filter:
        """Return the filter, with the objects of a data folder whose metadata have the text; raises BadFilter."""
        given = self.fields
        text = given.get("text", "")
        objects: list[str] = []
        if text and data is not None:
            with Catalogue.reading(data) as catalogue:
                objects = matching(catalogue, text, limit=MOST_OBJECTS)
        return Filter(
            outcome=given.get("outcome", ""),
            alert=given.get("alert", ""),
            sale=given.get("sale", ""),
            house=given.get("house", ""),
            since=_day(given.get("since")),
            until=_day(given.get("until")),
            least=_number(given.get("least")),
            most=_number(given.get("most")),
            text=text,
            objects=tuple(objects),
        )


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise BadFilter(f"{text!r} is no date such as 2026-11-30.") from None


def _number(text: str | None) -> float | None:
    try:
        number = float(text.replace(",", ".")) if text else None
    except ValueError:
        number = float("nan")
    if number is not None and not isfinite(number):
        raise BadFilter(f"{text!r} is no distance such as 0.52.")
    return number
