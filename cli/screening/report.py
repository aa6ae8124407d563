"""Write what a screening comes to: a table, JSON, CSV or a page."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import typer

from cli.output.progress import progress
from cli.output.streams import print_pieces
from cli.output.terminal import wants_colour
from cli.output.text import plain
from cli.output.writing import write_whole
from cli.records.artifact_1 import PhotographRecord
from cli.records.lines import each_work, render_csv, render_jsonl, render_table
from cli.records.triage import triaged
from cli.screening.evidence_pages import PageKey
from cli.screening.forms import ScreenFormat
from cli.screening.journal import Journal
from cli.screening.screening_options import ScreeningOptions
from retrieval.judging.edition import Edition


@dataclass(slots=True)
class ScreeningReport:
    """Prints records, and writes those of a journal as often as it is asked to; each page of evidence is made once."""

    journal: Journal
    edition: Edition
    options: ScreeningOptions
    source: Path
    max_megapixels: float
    _pages: dict[PageKey, str] = field(default_factory=dict)

    def put_out(self, records: Iterator[PhotographRecord], *, live: bool) -> None:
        """Print records as they come, unless they are written at the end; a table only where that is `live`.

        Any other table is printed when all is judged, or the rest interrupted, what needs a person first.
        """
        options = self.options
        if options.out is None and options.form is ScreenFormat.TABLE and not live:
            try:
                deque(records, maxlen=0)
            finally:
                print_pieces(render_table(triaged(self.journal.records), colour=wants_colour()), data=False)
        elif options.out is None and options.form is not ScreenFormat.HTML:
            jsonl = options.form is ScreenFormat.JSONL
            pieces = render_jsonl(records) if jsonl else _rendered(each_work(records), options)
            print_pieces(pieces, data=options.form is not ScreenFormat.TABLE)
        for _ in records:
            pass

    def write(self, *, reload: float | None = None) -> None:
        """Write the whole report from the journal, in one step, what needs a person first.

        A page reads itself again after `reload` seconds, for as long as there may be more.
        """
        journal, options = self.journal, self.options
        if options.records is not None:
            lines = render_jsonl(journal.records())
            write_whole(options.records, (line.encode() for line in lines), quiet=reload is not None)
        if options.form is ScreenFormat.HTML:
            self._write_page(reload)
        elif options.out is not None:
            jsonl = options.form is ScreenFormat.JSONL
            pieces = render_jsonl(journal.records()) if jsonl else _rendered(triaged(journal.records), options)
            write_whole(options.out, (piece.encode() for piece in pieces), quiet=reload is not None)

    def _write_page(self, reload: float | None) -> None:
        from cli.pages.screening import render_screening
        from cli.records.review_words import review_lines
        from cli.screening.evidence_pages import page_key, write_pages

        journal, edition, out = self.journal, self.edition, self.options.out
        drawn = not self.options.watching
        if out is not None:
            several, limit = self.options.several, self.max_megapixels
            write_pages(self._pages, journal, edition, out, several=several, max_megapixels=limit, drawn=drawn)
        with progress("Writing the report", drawn=drawn) as show:
            pieces = render_screening(
                journal.records,
                journal.counts,
                folder=self.source,
                data=edition.data,
                on_progress=show,
                evidence=lambda record, index: self._pages.get(page_key(record, index)),
                reviews=review_lines(edition.data),
                reload=reload,
            )
            if out is None:
                print_pieces(pieces, data=True)
            else:
                write_whole(out, (piece.encode() for piece in pieces), quiet=True)
        if out is not None and reload is None:  # below the bar, not behind it
            typer.echo(f"wrote {plain(str(out))}", err=True)


def _rendered(works: Iterable[tuple[PhotographRecord, int | None]], options: ScreeningOptions) -> Iterator[str]:
    if options.form is ScreenFormat.CSV:
        return render_csv(works, bom=options.bom)
    return render_table(works, colour=options.out is None and wants_colour())
