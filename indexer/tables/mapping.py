"""Read what a user says of the columns of a table: FIELD=COLUMN."""

from __future__ import annotations

from collections.abc import Sequence

from retrieval.errors import BadTable


def read_mapping(pairs: Sequence[str], fields: Sequence[str]) -> dict[str, str]:
    """Return the column of each field, as `status=Statut` gives it; raises BadTable for what is no such pair."""
    mapping: dict[str, str] = {}
    for pair in pairs:
        field, equals, column = pair.partition("=")
        name = field.strip().casefold()
        if not equals or name not in fields:
            raise BadTable(f"--map {pair!r} is no FIELD=COLUMN; the fields are {', '.join(fields)}.")
        mapping[name] = column.strip()
    return mapping
