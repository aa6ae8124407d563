"""Write what a screening comes to."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cli.output.progress import progress
from cli.output.writing import write_whole
from cli.records.artifact_1 import PhotographRecord
from cli.records.lines import render_csv, render_jsonl, render_table
from cli.records.triage import triaged
from cli.screening.evidence_pages import Key
from cli.screening.forms import ScreenFormat
from cli.screening.journal import Journal
from cli.screening.wanted import Wanted
from retrieval.judging.edition import Edition


@dataclass(slots=True)
class Output:
    """Writes what a screening comes to, as often as it is asked to; a page of evidence is made but once."""

    journal: Journal
    edition: Edition
    wanted: Wanted
    source: Path
    _pages: dict[Key, str] = field(default_factory=dict)

    def write(self) -> None:
        """Write the whole output from the journal, in one step, what needs a person first."""
        journal, wanted = self.journal, self.wanted
        if wanted.form is ScreenFormat.HTML:
            self._write_page()
        elif wanted.out is not None:
            jsonl = wanted.form is ScreenFormat.JSONL
            pieces = render_jsonl(journal.records()) if jsonl else _rendered(triaged(journal.records), wanted)
            write_whole(wanted.out, (piece.encode() for piece in pieces))

    def _write_page(self) -> None:
        from cli.pages.day import render_day
        from cli.records.review_words import review_lines
        from cli.screening.evidence_pages import page_key, write_pages

        journal, edition, wanted = self.journal, self.edition, self.wanted
        if wanted.out is not None:
            write_pages(self._pages, journal, edition, wanted.out, several=wanted.several, most=wanted.max_megapixels)
        with progress("Writing the report") as show:
            pieces = render_day(
                journal.records,
                journal.counts,
                folder=self.source,
                data=edition.data,
                on_progress=show,
                evidence=lambda found, index: self._pages.get(page_key(found, index)),
                reviews=review_lines(edition.data),
            )
            if wanted.out is None:
                _print(pieces)
            else:
                write_whole(wanted.out, (piece.encode() for piece in pieces))


def _rendered(works: Iterable[tuple[PhotographRecord, int | None]], wanted: Wanted) -> Iterator[str]:
    return render_csv(works, bom=wanted.bom) if wanted.form is ScreenFormat.CSV else render_table(works)


def _print(pieces: Iterable[str]) -> None:
    for piece in pieces:
        sys.stdout.write(piece)
        sys.stdout.flush()
