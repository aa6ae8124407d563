"""Find the columns of a table that raise an alarm, and warn of those that were not understood to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from indexer.tables.columns import Columns
from indexer.tables.table import Row, Table
from retrieval.catalogue.standing import THEFT_DATE
from retrieval.catalogue.status_words import ALARMS, understood

NO = {"", "0", "n", "no", "non", "nein", "false", "falsch", "faux", "falso", "-", "none", "keine", "n/a", "nil"}
YES = {
    "1",
    "x",
    "y",
    "yes",
    "j",
    "ja",
    "o",
    "oui",
    "s",
    "si",
    "sí",
    "true",
    "wahr",
    "vrai",
    "vero",
    "verdadero",
    "✓",
    "✔",
    "☑",
}
BESIDE = frozenset([
    "is", "was", "reported", "registered", "date", "year", "since", "on", "when", "flag", "seit", "am", "datum", "jahr",
    "depuis", "le", "annee", "année", "desde", "fecha", "ano", "año", "dal", "data",
])  # fmt: skip  # around an alarm in the name of a column
SHORT = 4  # words of a cell that can be nothing but a status
LIKE_A_STATUS = re.compile(
    r"stat|zustand|theft|stol|loss|missing|verlust|estado|stato|etat|état|alarm|alert|diebstahl|vol\b|robo|furto", re.I
)


def alarm_columns(columns: Columns) -> list[str]:
    """Return the columns whose name itself is an alarm, as `Stolen` or `Vermisst seit`: their cells say yes or no."""
    return [name for name in columns.others if understood(name).status in ALARMS and _is_bare(name)]


def _is_bare(name: str) -> bool:
    """Say whether the name of a column is one word beside what tells when: `Missing since`, not `Missing parts`."""
    return len([word for word in re.findall(r"\w+", name.casefold().replace("_", " ")) if word not in BESIDE]) == 1


def status_of(row: Row, alarms: Sequence[str]) -> str:
    """Return the status of a row, where one is written; a column `Stolen` with yes or a date in it is one.

    So is a date of theft under any name, but only where no status is written: a work found again keeps that date.
    """
    status = row["status"]
    if understood(status).status in ALARMS:
        return status
    for name in alarms:
        if row[name].casefold() not in NO:
            said = name if row[name].casefold() in YES else f"{name}: {row[name]}"
            return f"{said}; {status}" if status else said
    stolen_on = row[THEFT_DATE]
    return status if status or stolen_on.casefold() in NO else f"stolen: {stolen_on}"


def alarms_elsewhere(source: str, table: Table) -> Iterator[str]:
    """Yield a warning of each column that speaks of stolen or missing objects, but is not read as the status."""
    mapped = alarm_columns(table.columns)
    for name in table.columns.others:
        if name in mapped:
            continue
        lines = [row.line for row in table.rows if _raises(row[name], name)]
        if lines:
            shown = ", ".join(str(line) for line in lines[:5]) + (", ..." if len(lines) > 5 else "")
            yield (
                f"{source}: the column {name!r} reads like a status (line {shown}) but is not read as one; "
                f"--map status={name!r} reads it"
            )


def _raises(cell: str, column: str) -> bool:
    is_like_one = LIKE_A_STATUS.search(column) is not None
    is_alarm = understood(column).status in ALARMS  # else 1 may be the state of a print
    if is_like_one and cell.casefold() in (YES if is_alarm else YES - {"1"}):
        return True
    return (len(cell.split()) <= SHORT or is_like_one) and understood(cell).status in ALARMS
