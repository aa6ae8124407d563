"""What a screening is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cli.screening.forms import ScreenFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreeningOptions:
    """What is to be said of photographs, how long each may be read, and what is to be written."""

    k: int  # objects to name for each work
    several: bool  # works on one photograph are judged one by one
    time_limit: float  # seconds
    form: ScreenFormat
    out: Path | None
    bom: bool
    exclude: tuple[str, ...] = ()  # patterns of what is left out of a folder
    watching: bool = False  # a folder, in which no progress is drawn: alerts are said as they come
    bell: bool = False  # at each alert
    notify: str | None = None  # program that is given the record of each alert
    beside: Path | None = None  # folder that names in a table or list are relative to; None: its own
    records: Path | None = None  # file that the records are written to too, as lines of JSON
    map: tuple[str, ...] = ()  # the columns of fields in a table of lots: FIELD=COLUMN
