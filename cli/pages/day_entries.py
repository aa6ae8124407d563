"""Make the entries of one report: name each photograph, and show it beside what it was compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from cli.pages.day_entry import COMPACT, NOT_A_MATCH, Entry, PhotoLine, Picture
from cli.pictures.thumbnails import LARGE, SMALL, Reference, thumbnail
from cli.records.artifact_1 import Record
from cli.records.triage import Priority, claimed
from retrieval.outcome import OF_AN_OBJECT, Outcome

PICTURED = 3000  # entries with pictures; a browser opens no more


@dataclass
class Entries:
    """Makes the entries of one page; `evidence` names the page of evidence of a work, relative to this one, if any."""

    folder: Path
    reference: Reference
    remarks: tuple[str, ...]  # reasons that stand above all, not in every entry
    evidence: Callable[[Record, int], str | None]
    _made: int = field(default=0, init=False)

    def entry(self, found: Record, index: int | None, rank: Priority) -> Entry:
        """Return the entry of a work, or of a photograph that could not be read."""
        work = None if index is None else found["works"][index]
        self._made += 1
        best = work["matches"][0] if work and work["matches"] else None
        original = found.get("same_as")
        page = None if index is None else self.evidence(found, index)
        return Entry(
            found,
            index,
            self._name(found["photo"]),
            rank=rank,
            pictures=tuple(self._pictures(found, work, rank)) if work and self._made <= PICTURED else (),
            remarks=self.remarks,
            original=self._name(original) if original else "",
            evidence=quote(page, errors="surrogateescape") if page else "",
            object_title=self.reference.name(best["object_id"]) if best and rank is not Priority.NO_MATCH else "",
        )

    def identical(self, found: Record, index: int | None) -> PhotoLine:
        """Return the line of a file that is identical to that of an entry."""
        return PhotoLine(found, index, self._name(found["photo"]))

    def _name(self, photo: str) -> str:
        path = Path(photo)
        return str(path.relative_to(self.folder) if path.is_relative_to(self.folder) else path)

    def _pictures(self, found: Record, work: Record, rank: Priority) -> Iterator[Picture]:
        """Yield the probe, and what it was compared with; of an unknown work the probe alone, small."""
        side = SMALL if rank in COMPACT else LARGE
        yield Picture(thumbnail(found["photo"], found["sha256"], tuple(work["region"]), side=side), "probe")
        if rank is Priority.NO_MATCH or not work["matches"]:
            return
        for (object_id, exemplar), what in _beside(found, work).items():
            yield Picture(self.reference.thumbnail(object_id, exemplar, side), what, Path(exemplar).name)


def _beside(found: Record, work: Record) -> dict[tuple[str, str], str]:
    """Return the exemplars that a work was compared with, each once, and what they are."""
    near = "exemplar" if work["outcome"] in OF_AN_OBJECT else "nearest"
    near = NOT_A_MATCH if work["outcome"] == Outcome.NO_MATCH else near
    compared = claimed(found, work)
    beside = {
        "claimed": compared and compared["matches"] and compared["matches"][0],
        near: work["matches"][0],
        "known forgery": work.get("forgery"),
    }
    shown: dict[tuple[str, str], str] = {}
    for what, other in beside.items():
        if other:
            shown.setdefault((other["object_id"], other["exemplar"]), what)
    return shown
