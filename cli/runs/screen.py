"""What `artifact screen` does: judge photographs as they come, and write what needs a person first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import typer

from cli.output.interruption import GOES_ON, saying
from cli.output.left_out_words import left_out_lines
from cli.output.terminal import alarming
from cli.output.text import counted, plain
from cli.output.writing import alone_at, check_targets
from cli.records.alert_words import UNDECIDED
from cli.records.artifact_1 import PhotographRecord, Tally
from cli.records.away_words import not_compared
from cli.records.recorder import recording
from cli.records.review_words import misfit_line
from cli.runs.judging_options import LookingOptions
from cli.runs.recheck import recheck_since
from cli.screening.alarm import Alarm, program_of
from cli.screening.desk import Desk
from cli.screening.journal import Journal
from cli.screening.piped_list import Source, source_name, source_on_disk
from cli.screening.report import ScreeningReport
from cli.screening.screening_options import ScreeningOptions
from cli.screening.watched_folder import watched
from indexer.inputs.lots import FIELDS, Claims, Lot, read_lots
from indexer.inputs.walk import LeftOut
from indexer.tables.mapping import read_mapping
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.database import check_there
from retrieval.errors import ArtifactError
from retrieval.judging.edition import Edition
from retrieval.machine import cpu_count
from retrieval.photographs.reader_process import reading_apart

QUICKEST = 5.0  # seconds, after which a page that is watched reads itself again


def run_screen(
    source: Path, data: Path, *, options: ScreeningOptions, judging: LookingOptions, every: float | None = None
) -> Tally:
    """Judge every photograph of a source and write the records; return what they came to.

    With `every`, a folder is looked through again after so many seconds, until the user interrupts.
    """
    if every is not None and not source.is_dir():
        raise ArtifactError(f"{source} is no folder: only a folder can be watched.")
    alarm = Alarm(every is not None, options.bell, program_of(options.notify))
    check_there(data)  # a folder may be large, and far away
    with source_on_disk(source) as found:
        listed = _beside(found, options.beside)
        lots = _lots(listed, options)
    if every is not None:
        lots.clear()  # a watched folder is looked through again
    kept = GOES_ON if options.out is not None else "without --out FILE the same command begins anew"
    with saying(kept), alone_at(options.out):
        edition = judging.open_edition(data, parallel=cpu_count())
        heading = _heading(listed.identity, edition, options, judging)
        with Journal.beside(options.out, heading) as journal:
            if len(journal):
                typer.echo(f"going on after {counted(len(journal), 'photograph')} already judged", err=True)
            report = ScreeningReport(journal, edition, options, source, judging.max_megapixels)
            with _open_desk(report, lots) as desk:
                come = desk.screen(lots, len(lots)) if every is None else _watch(desk, report, every, judging)
                with alarm.raising(come) as records:
                    report.put_out(records, live=every is not None)
                    report.write()  # before what is to be told of alerts yet, which may take long
            if every is None:
                journal.discard()
            say_what_it_came_to(journal, source)
            if line := misfit_line(data, report.edition.calibration):
                typer.echo(line, err=True)
            later = recheck_since(report.edition, judging)
            return Tally(journal.counts, journal.alerts.total() + later)


def _beside(source: Source, folder: Path | None) -> Source:
    """Return a source whose names are relative to a folder, if one is asked for; raises ArtifactError."""
    if folder is None:
        return source
    if source.file.is_dir() or not folder.is_dir():
        raise ArtifactError(f"--beside {folder}: it names the folder of the photographs of a table or list.")
    return replace(source, beside=folder, identity=f"{source.identity} beside {folder.resolve()}")


def _lots(source: Source, options: ScreeningOptions) -> list[Lot]:
    """Return the photographs of a source; raises ArtifactError where the output would take the place of one."""
    found = read_lots(
        source.file,
        beside=source.beside,
        exclude=options.exclude,
        mapping=read_mapping(options.map, FIELDS),
        on_left_out=_say_left_out,
        on_note=_say_note,
    )
    lots = list(found)  # in memory 0.4 kB a file, 0.7 a row of a table
    check_targets([options.out, options.records], chain([source.file], (lot.path for lot in lots)))
    return lots


def _say_note(note: str) -> None:
    typer.echo(plain(note), err=True)


def _say_left_out(left_out: LeftOut) -> None:
    for line in left_out_lines(left_out):
        typer.echo(line, err=True)


def _heading(source: str, edition: Edition, options: ScreeningOptions, judging: LookingOptions) -> dict[str, Any]:
    """Return what must be the same for a run to go on from an interrupted one."""
    return {
        "source": source,
        "encoder": edition.encoder.fingerprint,
        "revision": edition.revision,
        "calibration": edition.calibration and edition.calibration.number,
        "k": options.k,
        "several": options.several,
        "together": True,  # a journal of an earlier version has nothing of it
        "max_megapixels": judging.max_megapixels,
        "closely": edition.closely,
    }


@contextmanager
def _open_desk(report: ScreeningReport, lots: Sequence[Lot]) -> Iterator[Desk]:
    """Open the desk that judges the photographs of a report: its log of verdicts, its readers, its claims."""
    edition, journal, options = report.edition, report.journal, report.options
    since = journal.started if journal.taken_up else None
    with recording(edition, since=since) as recorder, reading_apart(options.time_limit) as read:
        remembering, claims = recorder.remembering(), _claims(edition.data, lots)
        yield Desk(remembering, journal, recorder, read, options, report.max_megapixels, claims, read.count)


def _watch(desk: Desk, report: ScreeningReport, every: float, judging: LookingOptions) -> Iterator[PhotographRecord]:
    """Say that a folder is watched, and return the records of what comes into it."""
    typer.echo(f"watching {plain(str(report.source))}; Ctrl-C ends it", err=True)
    return _arriving(desk, report, every, judging)


def _arriving(desk: Desk, report: ScreeningReport, every: float, judging: LookingOptions) -> Iterator[PhotographRecord]:
    """Yield the records of what comes into a folder until the user interrupts, and write the report after each time.

    A catalogue that was indexed or calibrated meanwhile judges the photographs that come from then on.
    """
    with suppress(KeyboardInterrupt):
        exclude = report.options.exclude
        for arrived in watched(report.source, every, desk.is_done, exclude=exclude, on_trouble=_say_note):
            if arrived and _is_out_of_date(report.edition):
                recheck_since(report.edition, judging)
                report.edition = judging.open_edition(report.edition.data, parallel=cpu_count())
                desk.go_by(report.edition, _claims(report.edition.data, arrived))
            if arrived:  # else nothing would be shown but a bar
                yield from desk.screen(arrived, len(desk.journal) + len(arrived))
            if arrived and report.options.out is not None:
                report.write(reload=max(every, QUICKEST))
    yield from desk.journal.fresh()  # kept, and not told of when the interruption came


def _is_out_of_date(edition: Edition) -> bool:
    with Catalogue.reading(edition.data) as catalogue:
        last = catalogue.calibration()
        now = catalogue.revision, last and last.number
    return now != (edition.revision, edition.calibration and edition.calibration.number)


def _claims(data: Path, lots: Sequence[Lot]) -> Claims:
    """Return what finds the objects that lots claim to be; where none claims anything, nothing is read."""
    if not any(lot.claim for lot in lots):
        return Claims({})
    with Catalogue.reading(data) as catalogue:
        return Claims({item.object_id: item.metadata.get("accession", "") for item in catalogue.objects()})


def say_what_it_came_to(journal: Journal, source: Path) -> None:
    """Say how many alerts there are, and how many works of each outcome."""
    counts = journal.counts
    if raised := _listed(journal.alerts):
        unsure = f" ({UNDECIDED}: {journal.undecided})" if journal.undecided else ""
        typer.echo(alarming(f"ALERT: {raised}{unsure}"), err=True)
    total = sum(counts.values())
    if not total:
        typer.echo(f"No photograph was found in {plain(source_name(source))}.", err=True)
        return
    rest = f"; {not_compared(journal.away)}" if journal.away else ""
    typer.echo(f"{counted(total, 'work')}: {_listed(counts)}{rest}", err=True)


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()) if count)
