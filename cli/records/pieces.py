"""Write JSON as it comes, so that a list may be longer than memory holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from cli.records.artifact_1 import dumps

INDENT = 2
AT_ONCE = 200  # pieces


@dataclass(frozen=True, slots=True)
class Listed:
    """A list in JSON whose elements come one at a time."""

    items: Iterable[Any]


@dataclass(frozen=True, slots=True)
class Keyed:
    """An object in JSON whose keys come one at a time, each with its value."""

    items: Iterable[tuple[str, Any]]


def json_pieces(value: Any, *, margin: str = "") -> Iterator[str]:
    """Yield the JSON of a value in pieces, the same text as `dumps` makes with an indent of two.

    `Listed` and `Keyed` may be the value, its values where it is a mapping, and what stands in another of them.
    """
    inner = margin + " " * INDENT
    match value:
        case Listed(items):
            pieces = (("", item) for item in items)
            yield from _within("[]", pieces, inner, margin)
        case Keyed(items):
            yield from _within("{}", ((f"{dumps(key)}: ", item) for key, item in items), inner, margin)
        case Mapping() if any(isinstance(item, Listed | Keyed) for item in value.values()):
            yield from json_pieces(Keyed(value.items()), margin=margin)
        case _:
            yield dumps(value, indent=INDENT).replace("\n", f"\n{margin}")


def _within(ends: str, items: Iterable[tuple[str, Any]], inner: str, margin: str) -> Iterator[str]:
    opened = False
    for key, item in items:
        yield f"{',' if opened else ends[0]}\n{inner}{key}"
        yield from json_pieces(item, margin=inner)
        opened = True
    yield f"\n{margin}{ends[1]}" if opened else ends


def json_lines(value: Any) -> Iterator[str]:
    """Yield the JSON of a value, and the end of its last line, in texts of some length."""
    pieces = json_pieces(value)
    while some := "".join(islice(pieces, AT_ONCE)):
        yield some
    yield "\n"


def value_of(value: Any) -> Any:
    """Return a value with all lists in it, to be written at once."""
    match value:
        case Listed(items):
            return [value_of(item) for item in items]
        case Keyed(items):
            return {key: value_of(item) for key, item in items}
        case Mapping():
            return {key: value_of(item) for key, item in value.items()}
        case _:
            return value
