"""Record verdicts as they are made; where that is not possible, say so once and go on."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import typer

from retrieval.judging.judge import Judge, Verdict
from retrieval.verdicts.log import VerdictLog, read_sightings
from retrieval.verdicts.recorded import Recorded


@dataclass(frozen=True, slots=True)
class Recorder:
    """Keeps verdicts, and knows what was said earlier; without a log it does neither."""

    judge: Judge
    log: VerdictLog | None
    since: str | None = None  # from when on (ISO 8601) a run that was killed may have kept what is judged again now

    def keep(self, verdict: Verdict, *, asked: str | None = None, lot: Mapping[str, str] | None = None) -> list[int]:
        """Keep a verdict, with the object that was asked for or the lot; return the numbers of its works."""
        return [] if self.log is None else self.log.add(verdict, self.judge, asked=asked, lot=lot, since=self.since)

    def earlier(self, verdict: Verdict, *, before: str) -> list[Recorded]:
        """Return what was said before a moment (ISO 8601) of the same photograph, objects or works."""
        return [] if self.log is None else self.log.earlier(verdict, before=before)

    def remembering(self) -> Judge:
        """Return the judge with the works that were seen so far."""
        if self.log is None:
            return self.judge
        self.log.forget()
        return replace(self.judge, sightings=read_sightings(self.judge.data, self.judge.encoder.fingerprint))


@contextmanager
def recording(judge: Judge, *, since: str | None = None) -> Iterator[Recorder]:
    """Give a recorder of what a judge says, which keeps nothing twice that was kept since a moment (ISO 8601)."""
    if not os.access(judge.data, os.W_OK):
        typer.echo(f"not recorded: {judge.data} cannot be written", err=True)
        yield Recorder(judge, None)
        return
    with VerdictLog.opened(judge.data) as log:
        yield Recorder(judge, log, since)
