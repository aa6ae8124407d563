"""The forms of a screening's output."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from retrieval.errors import ArtifactError


class ScreenFormat(StrEnum):
    """Forms of a screening."""

    TABLE = "table"
    JSONL = "jsonl"
    CSV = "csv"
    HTML = "html"


def form_of(out: Path | None) -> ScreenFormat:
    """Return the form that a file's ending asks for; raises ArtifactError where none is known for it."""
    forms = {".html": ScreenFormat.HTML, ".htm": ScreenFormat.HTML, ".csv": ScreenFormat.CSV}
    forms |= {".jsonl": ScreenFormat.JSONL, ".json": ScreenFormat.JSONL}
    forms |= {".txt": ScreenFormat.TABLE, "": ScreenFormat.TABLE}
    ending = out.suffix.lower() if out else ""
    if ending not in forms:
        raise ArtifactError(f"{out} ends like no form of a screening: use .html, .csv, .jsonl or .txt, or --format.")
    return forms[ending]
