"""What `artifact recheck` does, and `artifact index` where works came to be stolen: search what was seen earlier."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer

from cli.output.interruption import saying
from cli.output.progress import progress
from cli.output.terminal import alarming
from cli.records.alert_words import entry_words, words_of
from cli.records.artifact_1 import dumps
from cli.records.lines import offer_words
from cli.records.of_verdict import entry_record
from cli.runs.judging_options import JudgingOptions
from indexer.inputs.names import composed
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.standing import Register
from retrieval.errors import ArtifactError
from retrieval.judging.edition import Edition
from retrieval.machine import cpu_count
from retrieval.photographs.reader_process import PATIENT, reading_apart
from retrieval.verdicts.entry import LogEntry
from retrieval.verdicts.log import DATABASE, VerdictLog, can_record
from retrieval.verdicts.recheck import Recheck, recheck
from retrieval.verdicts.wanted import wanted_objects, wanted_since

SHOWN = 20
SEARCHES_ON = "what was found is kept, and `artifact review` lists it; the same command searches on"


def run_recheck(data: Path, object_ids: Sequence[str], *, judging: JudgingOptions, as_json: bool) -> int:
    """Search all that was seen for the stolen and missing objects, or for some; return how many alerts were raised."""
    with Catalogue.reading(data) as catalogue:
        asked = [catalogue.object(composed(object_id)).object_id for object_id in object_ids]
        wanted = wanted_objects(catalogue)
    if unknown := [object_id for object_id in asked if object_id not in wanted]:
        raise ArtifactError(
            f"{unknown[0]} is registered neither as stolen nor as missing: there is nothing to recheck."
        )
    if not can_record(data):
        raise ArtifactError(f"{data} cannot be written, so alerts could not be kept. Copy it, or ask its owner.")
    found = _searched(data, asked or list(wanted), wanted, judging)
    if as_json:
        typer.echo(dumps([entry.to_json() for entry in found.alerts], indent=2))
    else:
        _say(found, data)
    return len(found.alerts)


def recheck_what_is_new(data: Path, judging: JudgingOptions) -> None:
    """Search all that was seen for what came to be stolen or missing since the last search, and say what was found."""
    if not (data / DATABASE).is_file() or not can_record(data):
        return
    with Catalogue.reading(data) as catalogue:
        wanted = wanted_objects(catalogue)
    with VerdictLog.opened(data) as log:
        known = log.rechecked()
    new = [object_id for object_id, state in wanted.items() if known.get(object_id) != state]
    if new:
        _say(_searched(data, new, wanted, judging), data)
    elif known.keys() - wanted.keys():  # found again: should it be stolen once more, it is searched for once more
        with VerdictLog.opened(data) as log:
            log.set_rechecked(wanted)


def recheck_since(edition: Edition, judging: JudgingOptions) -> int:
    """Search what was seen for what came to be stolen or missing since an edition was opened, by which it was judged.

    Return how many alerts were raised. The search of `artifact index` knows nothing of what a screening logs after it.
    """
    with Catalogue.reading(edition.data) as catalogue:
        if catalogue.revision == edition.revision or not can_record(edition.data):
            return 0
        wanted = wanted_objects(catalogue)
    new = wanted_since(edition, wanted)
    if not new:
        return 0
    found = _searched(edition.data, new, wanted, judging)
    if found.alerts:
        _say(found, edition.data, err=True)
    return len(found.alerts)


def _searched(data: Path, objects: Sequence[str], wanted: dict[str, str], judging: JudgingOptions) -> Recheck:
    """Search for some objects, and note of each that this was done."""
    if not objects:
        return Recheck(0, 0)
    edition = judging.open_edition(data, parallel=cpu_count())
    with (
        saying(SEARCHES_ON),
        VerdictLog.opened(data) as log,
        reading_apart(PATIENT) as read,
        progress("Looking back") as show,
    ):

        def note(some: Sequence[str]) -> None:
            done = {object_id: wanted[object_id] for object_id in some}
            log.set_rechecked({name: state for name, state in (log.rechecked() | done).items() if name in wanted})

        pixels = judging.max_megapixels
        return recheck(edition, log, objects, read=read, max_megapixels=pixels, on_progress=show, on_searched=note)


def _say(found: Recheck, data: Path, *, err: bool = False) -> None:
    """Say what a search came to: the alerts first, a line each, with what the register says of the case."""
    with Catalogue.reading(data) as catalogue:
        alerted = [entry.alerted for entry in found.alerts[:SHOWN] if entry.alerted]
        register = Register.of(catalogue.objects(alerted))
    for entry in found.alerts[:SHOWN]:
        case = entry_words(entry_record(register.entry(entry.alerted))) if entry.alerted else ""
        typer.echo(alarming(_line(entry) + (f"; {case}" if case else "")), err=err)
    if len(found.alerts) > SHOWN:
        typer.echo(f"  ... and {len(found.alerts) - SHOWN} more; `artifact review` lists them", err=err)
    objects = "1 stolen or missing object" if found.objects == 1 else f"{found.objects:,} stolen or missing objects"
    works = "1 work" if found.searched == 1 else f"{found.searched:,} works"
    count = len(found.alerts)
    raised = "no new alert" if not count else f"{count} new alert{'' if count == 1 else 's'}, open in `artifact review`"
    typer.echo(f"looked back at {works} seen earlier, for {objects}: {raised}", err=err)


def _line(entry: LogEntry) -> str:
    words = words_of(entry.alert, entry.alert_certainty, entry.alerted)
    where = f" ({offer})" if (offer := offer_words(entry.lot)) else ""
    return (
        f"ALERT, {entry.alert}: {entry.name}{where} {words}; verdict {entry.number}, seen as verdict {entry.recheck_of}"
    )
