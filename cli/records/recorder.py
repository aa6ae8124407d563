"""Record verdicts as they are made; where that is not possible, say so once and go on."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import typer

from retrieval.judging.edition import Edition
from retrieval.judging.judge import Verdict
from retrieval.outcome import OF_AN_OBJECT
from retrieval.verdicts.entry import LogEntry, entries_of
from retrieval.verdicts.log import VerdictLog, read_sightings


@dataclass(frozen=True, slots=True)
class Recorder:
    """Keeps verdicts, and knows what was said earlier; without a log it does neither."""

    edition: Edition
    log: VerdictLog | None
    since: str | None = None  # from when on (ISO 8601) a run that was killed may have kept what is judged again now

    def keep(self, verdict: Verdict, *, asked: str | None = None, lot: Mapping[str, str] | None = None) -> list[int]:
        """Keep a verdict, with the object that was asked for or the lot; return the numbers of its works."""
        if self.log is None:
            return []
        entries = entries_of(verdict, self.edition, asked=asked, lot=lot)
        return self.log.add(entries, [work.sighting for work in verdict.works], since=self.since)

    def earlier(self, verdict: Verdict, *, before: str) -> list[LogEntry]:
        """Return what was said before a moment (ISO 8601) of the same photograph, objects or works."""
        if self.log is None:
            return []
        object_ids = [work.matches[0].object_id for work in verdict.works if work.decision.outcome in OF_AN_OBJECT]
        seen = [number for work in verdict.works for number in work.seen]
        return self.log.earlier(verdict.sha256, object_ids=object_ids, seen=seen, before=before)

    def remembering(self) -> Edition:
        """Return the edition with the works that were seen so far."""
        if self.log is None:
            return self.edition
        self.log.forget()
        return replace(self.edition, sightings=read_sightings(self.edition.data, self.edition.encoder.fingerprint))


@contextmanager
def recording(edition: Edition, *, since: str | None = None) -> Iterator[Recorder]:
    """Give a recorder of verdicts by an edition; nothing is kept twice that was kept since a moment (ISO 8601)."""
    if not os.access(edition.data, os.W_OK):
        typer.echo(f"not recorded: {edition.data} cannot be written", err=True)
        yield Recorder(edition, None)
        return
    with VerdictLog.opened(edition.data) as log:
        yield Recorder(edition, log, since)
