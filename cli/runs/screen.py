"""What `artifact screen` does: judge photographs as they come, and write what needs a person first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cli.output.writing import check_targets
from cli.records.artifact_1 import PhotographRecord
from cli.records.lines import each_work, render_jsonl
from cli.records.recorder import recording
from cli.screening.desk import Desk
from cli.screening.forms import ScreenFormat
from cli.screening.journal import Journal
from cli.screening.output import Output, _print, _rendered
from cli.screening.wanted import Wanted
from cli.screening.watched_folder import watched
from indexer.inputs.lots import Claims, read_lots
from retrieval.catalogue.catalogue import Catalogue
from retrieval.errors import ArtifactError
from retrieval.judging.edition import Edition, open_edition
from retrieval.machine import cpu_count
from retrieval.photographs.reader_process import reading_apart

if TYPE_CHECKING:
    pass


def run_screen(
    source: Path,
    data: Path,
    *,
    wanted: Wanted,
    every: float | None,
    encoder: str | None,
    device: str,
) -> Mapping[str, int]:
    """Judge every photograph of a source and write the records; return how many there are of each outcome.

    With `every`, a folder is looked through again after so many seconds, until it is interrupted.
    """
    if every is not None and not source.is_dir():
        raise ArtifactError(f"{source} is no folder: only a folder can be watched.")
    lots = read_lots(source)
    check_targets([wanted.out], chain([source], (lot.path for lot in read_lots(source))))

    def opened() -> Edition:
        return open_edition(data, encoder_spec=encoder, device=device, parallel=cpu_count())

    edition = opened()
    heading = {
        "source": str(source.resolve()),
        "encoder": edition.encoder.fingerprint,
        "revision": edition.revision,
        "calibration": edition.calibration and edition.calibration.number,
        "k": wanted.k,
        "several": wanted.several,
        "max_megapixels": wanted.max_megapixels,
    }
    with Journal.beside(wanted.out, heading) as journal:
        if len(journal):
            typer.echo(f"going on after {len(journal)} photographs already judged", err=True)
        output = Output(journal, edition, wanted, source)
        since = journal.started if journal.taken_up else None
        with recording(edition, since=since) as recorder, reading_apart(wanted.time_limit) as read:
            desk = Desk(recorder.remembering(), journal, recorder, read, wanted, _claims(data))
            if every is None:
                _put_out(desk.screen(lots, sum(1 for _ in read_lots(source))), wanted)
            else:
                _watch(desk, output, every, opened)
        output.write()
        if every is None:
            journal.discard()
        _say(journal.counts, journal.alerts)
        return journal.counts


def _put_out(records: Iterator[PhotographRecord], wanted: Wanted) -> None:
    """Print records as they come, unless they are written at the end."""
    if wanted.out is None and wanted.form is not ScreenFormat.HTML:
        jsonl = wanted.form is ScreenFormat.JSONL
        _print(render_jsonl(records) if jsonl else _rendered(each_work(records), wanted))
    for _ in records:
        pass


def _watch(desk: Desk, output: Output, every: float, opened: Callable[[], Edition]) -> None:
    """Screen what comes into a folder until it is interrupted, and write the output after each time.

    What comes after the catalogue was indexed or calibrated again is judged by what that is now.
    """
    typer.echo(f"watching {output.source}; Ctrl-C ends it", err=True)

    def arriving() -> Iterator[PhotographRecord]:
        with suppress(KeyboardInterrupt):
            for arrived in watched(output.source, every, desk.is_done):
                if arrived and _is_out_of_date(output.edition):
                    output.edition = opened()
                    desk.go_by(output.edition, _claims(output.edition.data))
                yield from desk.screen(arrived, len(desk.journal) + len(arrived))
                if arrived and desk.wanted.out is not None:
                    output.write()

    _put_out(arriving(), desk.wanted)


def _is_out_of_date(edition: Edition) -> bool:
    with Catalogue.reading(edition.data) as catalogue:
        last = catalogue.calibration()
        now = catalogue.revision, last and last.number
    return now != (edition.revision, edition.calibration and edition.calibration.number)


def _claims(data: Path) -> Claims:
    with Catalogue.reading(data) as catalogue:
        return Claims({item.object_id: item.metadata.get("accession", "") for item in catalogue.objects()})


def _say(counts: Mapping[str, int], alerts: Mapping[str, int]) -> None:
    if raised := _listed(alerts):
        typer.echo(f"ALERT: {raised}", err=True)
    total = sum(counts.values())
    typer.echo(f"{total} works: {_listed(counts)}" if total else "no photographs there", err=True)


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()) if count)
