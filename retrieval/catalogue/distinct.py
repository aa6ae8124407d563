"""Find what a column holds, each value once, by leaps through its index."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def distinct(database: Any, table: str, column: str) -> Iterator[str]:
    """Yield the different texts of the first column of an index, in order, without those that are empty."""
    sql = f"SELECT min({column}) FROM {table} WHERE {column} > ?"
    last = ""
    while (found := database.execute(sql, [last]).fetchone()[0]) is not None:
        yield found
        last = found
