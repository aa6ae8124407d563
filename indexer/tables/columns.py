"""Tell which column of a table is which field, whatever its name and however it is written."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

NAMES = Path(__file__).with_name("columns.toml")
MANY = "photo"  # a field that several numbered columns may have: `Photo 1`, `Photo 2`
LONGEST = 200  # letters of the name of a column; the longest known has 45, and whole texts take long to be folded
QUOTES = "\"'“”„«»"  # what may stand around a name and is no part of it
NUMBERED = 3  # the way in which such a name fits
Rank = tuple[int, int]  # place of the name among those of its field, and the way it fits: the smaller, the better


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table: their names as they are written, and by place the fields that were understood."""

    header: tuple[str, ...]
    fields: Mapping[int, str]
    problem: str | None = None  # why they cannot be used: a column that stands twice, or is not there

    def row(self, cells: Sequence[str]) -> dict[str, str]:
        """Return the cells by field, by the name of the column where that is no field; those of one field in lines."""
        values: dict[str, str] = {}
        for place, cell in enumerate(cells[: len(self.header)]):
            name = self.fields.get(place) or self._own_name(place)
            values[name] = f"{values[name]}\n{cell}" if values.get(name) else cell
        return values

    def _own_name(self, place: int) -> str:
        """Return the name of a column that is no field, told from the field that another column is read as."""
        name = self.header[place]
        return f"{name} (column {place + 1})" if name in self.fields.values() else name

    @property
    def others(self) -> tuple[str, ...]:
        """The columns that are kept as they are."""
        return tuple(
            self._own_name(place) for place, name in enumerate(self.header) if name and place not in self.fields
        )

    @property
    def renamed(self) -> tuple[str, ...]:
        """What was understood of columns of another name, such as `title = Titel`."""
        pairs = ((field, self.header[place]) for place, field in self.fields.items())
        return tuple(f"{field} = {name}" for field, name in pairs if field != name)


@cache
def field_names() -> Mapping[str, Mapping[str, int]]:
    """Return the rank of every known name, folded, by field."""
    tables = tomllib.loads(NAMES.read_text(encoding="utf-8"))
    known = {field: [folded(name) for name in names] for table in tables.values() for field, names in table.items()}
    return {  # a list that has the field itself, as that of object_id, says where it stands
        field: {name: rank for rank, name in reversed(list(enumerate([*{folded(field)}.difference(names), *names])))}
        for field, names in known.items()
    }


def folded(name: str) -> str:
    """Return the letters and digits of a name, without accents and case."""
    return "".join(sign for sign in unicodedata.normalize("NFKD", name).casefold() if sign.isalnum())


def understood(header: Sequence[str], wanted: Sequence[str], given: Mapping[str, str] | None = None) -> Columns:
    """Return the columns with the fields `wanted` among them; `given` names the column of a field."""
    names = tuple(tidy(name) or f"column {place}" * _is_inner(header, place) for place, name in enumerate(header, 1))
    fields: dict[int, str] = {}
    problems = [_doubled(names)]
    for field, column in (given or {}).items():
        places = _called(column, names)
        fields |= dict.fromkeys(places[:1], field)
        if len(places) != 1:
            problems.append(f"has {'several columns' if places else 'no column'} {column!r}, which --map names")
    for field in wanted:
        if field not in fields.values():
            places = _places(field, names, fields)
            fields |= dict.fromkeys(places if field == MANY else places[:1], field)
            same = [place for place in places if folded(names[place]) == folded(names[places[0]])]
            if len(same) > 1:
                one, two = (f"{names[place]!r} (column {place + 1})" for place in same[:2])
                problems.append(f"has two columns for {field}, {one} and {two}")
    return Columns(names, dict(sorted(fields.items())), next(filter(None, problems), None))


def tidy(name: str) -> str:
    """Return the name of a column without marks, quotes and spaces around it."""
    return " ".join(re.sub("[\ufeff\u200b\u2060\0]", "", name).split()).strip(f"{QUOTES} ")


def _is_inner(header: Sequence[str], place: int) -> bool:
    return any(tidy(name) for name in header[place:])


def _called(column: str, names: Sequence[str]) -> list[int]:
    found = [place for place, name in enumerate(names) if name == tidy(column)]
    return found or [place for place, name in enumerate(names) if folded(name) == folded(column) != ""]


def _places(field: str, names: Sequence[str], taken: Mapping[int, str]) -> list[int]:
    """Return the places of the columns of a field: the best by name, and of photographs those numbered like it."""
    found = ((place, _rank(field, name)) for place, name in enumerate(names) if place not in taken)
    ranks = {place: rank for place, rank in found if rank is not None}
    if not ranks:
        return []
    best = min(ranks, key=lambda place: ranks[place])
    return [
        place
        for place, rank in ranks.items()
        if folded(names[place]) == folded(names[best])
        or (field == MANY and rank[0] == ranks[best][0] and NUMBERED in (rank[1], ranks[best][1]))
    ]


def _rank(field: str, name: str) -> Rank | None:
    """Return how well a name fits a field; None where it does not."""
    if name == field:
        return (-1, 0)
    if len(name) > LONGEST:
        return None
    known = field_names()[field]
    plain = re.sub(r"[(\[{].*?[)\]}]", " ", name)
    ways = [name, plain, re.split(r"[.:/]", plain)[-1]]
    if field == MANY:
        ways.append(re.sub(r"[\W_]*\d+\W*$", "", plain))
    return min(((known[key], way) for way, text in enumerate(ways) if (key := folded(text)) in known), default=None)


def _doubled(names: Sequence[str]) -> str | None:
    first: dict[str, int] = {}
    for place, name in enumerate(names):
        earlier = first.setdefault(name, place)
        if name and earlier != place:
            return f"has two columns named {name!r}, columns {earlier + 1} and {place + 1}"
    return None


def seen(names: Sequence[str], most: int = 12) -> str:
    """Return the names of columns as a message shows them."""
    shown = [repr(name) for name in names if name]
    return ", ".join(shown[:most]) + (f" and {len(shown) - most} more" if len(shown) > most else "") or "nothing"
