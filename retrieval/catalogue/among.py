"""Ask the database for the rows of many values at a time: not one by one, and without reading all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeVar

from sqlite_utils import Database

T = TypeVar("T")
AT_ONCE = 900  # values of one statement: what any SQLite takes


def batches(values: Iterable[T], size: int = AT_ONCE) -> Iterator[list[T]]:
    """Yield values in lists of a size at most, in their order."""
    left = iter(values)
    while some := list(islice(left, size)):
        yield some


def rows_among(database: Database, sql: str, values: Iterable[Any], *more: Any) -> Iterator[tuple]:
    """Yield the rows of a statement for values that stand where it says `{marks}`, each once, before any `more`."""
    for some in batches(dict.fromkeys(values)):
        yield from database.execute(sql.format(marks=_marks(some)), [*some, *more])


def dicts_among(database: Database, sql: str, values: Iterable[Any], *more: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the same rows by the names of their columns."""
    for some in batches(dict.fromkeys(values)):
        yield from database.query(sql.format(marks=_marks(some)), [*some, *more])


def do_among(database: Database, sql: str, values: Iterable[Any]) -> int:
    """Run a statement that changes rows for values that stand where it says `{marks}`; return how many it changed."""
    return sum(database.execute(sql.format(marks=_marks(some)), some).rowcount for some in batches(values))


def _marks(values: list[Any]) -> str:
    return ", ".join("?" * len(values))
