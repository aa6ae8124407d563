"""Benchmarks: each prints a table and writes build/bench/NAME.json; run one with `python -m tests.bench.NAME`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data"
RESULTS = ROOT / "build" / "bench"


def shared_data(name: str) -> Path:
    """Return a folder of the real data, or end with the reason where it is not here."""
    folder = SHARED / name
    if not folder.is_dir():
        sys.exit(f"skipped: needs the real photographs in {folder}, which are not here")
    return folder


def report(name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], **more: Any) -> None:
    """Print a table and write it, with whatever else was measured, as JSON."""
    rows = [list(row) for row in rows]
    cells = [
        list(columns),
        *([f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row] for row in rows),
    ]
    widths = [max(len(row[column]) for row in cells) for column in range(len(columns))]
    for row in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    for key, value in more.items():
        print(f"{key}: {value}")
    RESULTS.mkdir(parents=True, exist_ok=True)
    found = {"rows": [dict(zip(columns, row, strict=True)) for row in rows], **more}
    (RESULTS / f"{name}.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
