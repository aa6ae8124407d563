"""What a screening is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cli.screening.forms import ScreenFormat


@dataclass(frozen=True, slots=True)
class Wanted:
    """How photographs are to be judged, and what of it is to be written."""

    k: int
    several: bool
    max_megapixels: float
    time_limit: float
    form: ScreenFormat
    out: Path | None
    bom: bool
