"""Page through what waits for a person: filtered, in an order, and never more of it than a page at once."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from math import isfinite

from retrieval.errors import ArtifactError
from retrieval.verdicts.log import VerdictLog
from retrieval.verdicts.waiting import order_of_verdict, refresh

ANY = "any"  # alert
NO_ALERT = "none"
MOST_NAMES = 300  # sales or houses to choose from
_WORD = re.compile(r"\w+")


class BadFilter(ArtifactError):
    """Something to filter by that is no date, no number, or no place in the queue."""


class Order(StrEnum):
    """In which order verdicts wait."""

    URGENT = "urgent"
    LATEST = "latest"

    @property
    def columns(self) -> str:
        """The columns that are sorted by, which tell every two verdicts apart."""
        return "rank, far, last" if self is Order.URGENT else "last"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a verdict lies in the queue."""

    rank: int
    far: float
    last: int

    def values(self, order: Order) -> list[float]:
        """Return what an order compares."""
        return [self.rank, self.far, self.last] if order is Order.URGENT else [self.last]

    def __str__(self) -> str:
        return f"{self.rank}:{self.far!r}:{self.last}"

    @classmethod
    def of(cls, text: str) -> Place:
        """Return a place that was written as text; raises BadFilter."""
        try:
            rank, far, last = text.split(":")
            place = cls(int(rank), float(far), int(last))
        except ValueError:
            raise BadFilter(f"{text[:40]!r} is no place in the queue. Begin at its top.") from None
        if not (isfinite(place.far) and abs(place.last) < 2**63 and abs(place.rank) < 2**63):
            raise BadFilter("There is no such place in the queue. Begin at its top.")
        return place


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which verdicts to list; what is empty leaves none out."""

    outcome: str = ""
    alert: str = ""  # a status, ANY or NO_ALERT
    sale: str = ""
    house: str = ""
    since: date | None = None  # the first day, where this machine is
    until: date | None = None  # the last day
    least: float | None = None  # distance
    most: float | None = None
    text: str = ""
    objects: tuple[str, ...] = ()  # whose metadata have the text

    def where(self) -> tuple[str, list[object]]:
        """Return the condition in SQL, and its values."""
        parts: list[tuple[str, object]] = []
        for name in ("outcome", "sale", "house"):
            if value := getattr(self, name):
                parts.append((f"{name} = ?", value))
        if self.alert and self.alert not in (ANY, NO_ALERT):
            parts.append(("alert = ?", self.alert))
        for condition, value in (
            ("date >= ?", self.since and _midnight(self.since)),
            ("date < ?", self.until and _midnight(self.until, days=1)),
            ("distance >= ?", self.least),
            ("distance <= ?", self.most),
        ):
            if value is not None:
                parts.append((condition, value))
        conditions, values = [condition for condition, _ in parts], [value for _, value in parts]
        if self.alert in (ANY, NO_ALERT):
            conditions.append(f"alert IS {'NOT ' if self.alert == ANY else ''}NULL")
        if self.text:
            conditions.append(_WITH_TEXT)
            values += [_match(self.text), json.dumps(self.objects)]
        return " AND ".join(conditions) or "1", values


_WITH_TEXT = """(number IN (SELECT rowid FROM waiting_words WHERE waiting_words MATCH ?)
    OR object_id IN (SELECT value FROM json_each(?)))"""


@dataclass(frozen=True, slots=True)
class QueuePage:
    """Verdicts that wait, of how many, and what lies before and behind them."""

    numbers: tuple[int, ...]
    total: int  # that the filter lists
    earlier: int  # before the first of the page
    before: Place | None  # None: the page is the first
    after: Place | None  # None: the page is the last


@dataclass(frozen=True, slots=True)
class Counts:
    """How many verdicts wait in all, by outcome, alert, sale and house; the most frequent first."""

    total: int
    outcomes: dict[str, int]
    alerts: dict[str, int]
    sales: dict[str, int]
    houses: dict[str, int]


def read_page(
    log: VerdictLog,
    which: Filter,
    order: Order,
    *,
    size: int,
    after: Place | None = None,
    before: Place | None = None,
) -> QueuePage:
    """Return the page that follows a place, or precedes one, else the first; raises CatalogueBusy.

    Where nothing follows any more, the page is the last.
    """
    refresh(log)
    where, values = which.where()
    total = _count(log, where, values)
    found = _read(log, where, values, order, size, place=before or after, backwards=before is not None)
    if before is not None and len(found) < size:  # the first page is a whole one
        found = _read(log, where, values, order, size, place=None, backwards=False)
    if after is not None and not found:
        found = _read(log, where, values, order, size, place=None, backwards=True)
    if not found:
        return QueuePage((), total, total, None, None)
    first, last = found[0][1], found[-1][1]
    earlier = _count(log, f"{where} AND {_compared(order, '<')}", [*values, *first.values(order)])
    more = earlier + len(found) < total
    numbers = tuple(number for number, _ in found)
    return QueuePage(numbers, total, earlier, first if earlier else None, last if more else None)


def neighbours(log: VerdictLog, which: Filter, order: Order, number: int) -> tuple[int | None, int | None]:
    """Return what waits before and after a verdict, whether that waits itself or not; raises UnknownVerdict."""
    refresh(log)
    where, values = which.where()
    place = Place(*order_of_verdict(log, number))
    before = _read(log, where, values, order, 1, place=place, backwards=True)
    after = _read(log, where, values, order, 1, place=place, backwards=False)
    return before[0][0] if before else None, after[0][0] if after else None


def count_waiting(log: VerdictLog) -> Counts:
    """Return how many verdicts wait, and of what kinds; raises CatalogueBusy."""
    refresh(log)
    outcomes, alerts, sales, houses = (_counted(log, name) for name in ("outcome", "alert", "sale", "house"))
    return Counts(sum(outcomes.values()), outcomes, alerts, sales, houses)


def waits_within(log: VerdictLog, number: int) -> int | None:
    """Return the verdict on several photographs that waits, and on one decision of which this verdict's hangs too."""
    sql = "SELECT max(whole) FROM waiting_parts JOIN waiting ON waiting.number = whole WHERE part = ?"
    found: int | None = log.db.execute(sql, [number]).fetchone()[0]
    return found


def waits(log: VerdictLog, number: int) -> bool:
    """Say whether a verdict waits for a person; raises CatalogueBusy."""
    refresh(log)
    return log.db.execute("SELECT 1 FROM waiting WHERE number = ?", [number]).fetchone() is not None


def _counted(log: VerdictLog, name: str) -> dict[str, int]:
    sql = f"""SELECT {name}, count(*) FROM waiting WHERE {name} IS NOT NULL
              GROUP BY {name} ORDER BY count(*) DESC, {name} LIMIT {MOST_NAMES}"""
    return dict(log.db.execute(sql).fetchall())


def _count(log: VerdictLog, where: str, values: Sequence[object]) -> int:
    return int(log.db.execute(f"SELECT count(*) FROM waiting WHERE {where}", values).fetchone()[0])


def _read(
    log: VerdictLog,
    where: str,
    values: Sequence[object],
    order: Order,
    size: int,
    *,
    place: Place | None,
    backwards: bool,
) -> list[tuple[int, Place]]:
    """Return verdicts with their places, in the order, from a place on or up to it."""
    beyond = f" AND {_compared(order, '<' if backwards else '>')}" if place else ""
    by = ", ".join(f"{name} DESC" if backwards else name for name in order.columns.split(", "))
    sql = f"SELECT number, rank, far, last FROM waiting WHERE {where}{beyond} ORDER BY {by} LIMIT ?"
    rows = log.db.execute(sql, [*values, *(place.values(order) if place else ()), size]).fetchall()
    return [(number, Place(*at)) for number, *at in (rows[::-1] if backwards else rows)]


def _compared(order: Order, sign: str) -> str:
    marks = ", ".join("?" for _ in order.columns.split(", "))
    return f"({order.columns}) {sign} ({marks})"


def _midnight(day: date, *, days: int = 0) -> str:
    """Return when a day begins where this machine is, or so many days later, as dates are kept."""
    try:
        begins = datetime(day.year, day.month, day.day) + timedelta(days=days)
        return begins.astimezone(UTC).isoformat(timespec="seconds")
    except (OverflowError, ValueError):
        return f"{day.isoformat()}T24"


def _match(text: str) -> str:
    """Return what the table of words is asked for: every word of a text, as the beginning of a word."""
    return " AND ".join(f'"{word}"*' for word in _WORD.findall(text)[:24]) or '""'
