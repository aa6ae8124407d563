"""Say of which works the exemplar is away, so that nothing could be compared with it."""

from __future__ import annotations

from cli.output.text import plain
from cli.records.artifact_1 import PhotographRecord, away

HELP = "Bring its folder back, or say where it is now: artifact move OLD NEW"


def first_away(record: PhotographRecord) -> str | None:
    """Return the line that says, of its first work whose exemplar is away, why such works are inconclusive."""
    for work in away(record):
        exemplar = plain(work["matches"][0]["exemplar"])
        return (
            f"the exemplar {exemplar} is away and no sound working picture of it is kept: works that need such an "
            f"exemplar are inconclusive. {HELP}"
        )
    return None


def not_compared(count: int) -> str:
    """Return how many works could not be compared."""
    works, exemplars = ("1 work", "its exemplar is") if count == 1 else (f"{count:,} works", "their exemplars are")
    return f"{works} could not be compared: {exemplars} away"
