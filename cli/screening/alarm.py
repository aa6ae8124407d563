"""Raise the alerts of a screening as they come: a line, a bell, a program that tells somebody."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO

import typer

from cli.output.terminal import alarming
from cli.output.text import plain
from cli.records.alert_words import alert_lines
from cli.records.artifact_1 import PhotographRecord, dumps
from retrieval.errors import ArtifactError

PATIENCE = 60.0  # seconds that the program of --notify may take
SOON = 0.5  # seconds that nobody needs to be told of
BELL = "\a"


@dataclass(frozen=True, slots=True)
class Alarm:
    """How alerts are raised: each in a line or not, with a bell, and by a program that is given the record."""

    said: bool
    bell: bool
    program: Sequence[str]  # none where it is empty
    patience: float = PATIENCE

    @contextmanager
    def raising(self, records: Iterator[PhotographRecord]) -> Iterator[Iterator[PhotographRecord]]:
        """Give the same records, each of which raises its alerts as it passes.

        Programs that were begun are brought to an end. Those that still wait are run too, unless one hangs, or the user
        interrupts: with a program that hangs, each of them would take its minute.
        """
        told: list[Future[bool]] = []
        with ThreadPoolExecutor(1, thread_name_prefix="notify") as aside:
            try:
                yield self._passing(records, aside, told)
                self._wait_for([one for one in told if not one.done()])
            finally:
                aside.shutdown(wait=False, cancel_futures=True)
                if left := sum(one.cancelled() for one in told):
                    alerts = "1 alert was" if left == 1 else f"{left} alerts were"
                    self._say(f"{alerts} not told of; the report has all")

    def _passing(
        self, records: Iterator[PhotographRecord], aside: ThreadPoolExecutor, told: list[Future[bool]]
    ) -> Iterator[PhotographRecord]:
        for record in records:
            if lines := alert_lines(record):
                for line in lines if self.said else ():
                    typer.echo(alarming(line), err=True)
                if self.bell:
                    typer.echo(BELL, nl=False, err=True)
                if self.program:
                    told.append(aside.submit(self._notify, record))
            yield record

    def _wait_for(self, told: Sequence[Future[bool]]) -> None:
        """Wait for what is to be told yet, until the program hangs."""
        if left := wait(told, timeout=SOON).not_done:
            self._say(f"waiting until {len(left)} {'alert is' if len(left) == 1 else 'alerts are'} told of")
        for one in told:
            if not one.result():
                return

    def _notify(self, record: PhotographRecord) -> bool:
        """Run the program with the record on its standard input, and return whether it ended; say where it failed."""
        problem, ended = _run(self.program, dumps(record).encode() + b"\n", self.patience)
        if problem:
            self._say(f"{problem}; the alert stands in the report")
        return ended

    def _say(self, words: str) -> None:
        typer.echo(plain(f"--notify {self.program[0]}: {words}"), err=True)


def program_of(command: str | None) -> Sequence[str]:
    """Return a program and its arguments; raises ArtifactError where there is no such program."""
    if command is None:
        return ()
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ArtifactError(f"--notify {command}: {error}") from error
    if not words or shutil.which(words[0]) is None:
        raise ArtifactError(f"--notify {command}: there is no such program, or it may not be run")
    return words


def _run(program: Sequence[str], given: bytes, patience: float) -> tuple[str, bool]:
    """Return why a program failed, empty where it did not, and whether it ended by itself.

    What it prints is not shown, but for its first error.
    """
    with tempfile.TemporaryFile() as said:
        try:
            running = subprocess.Popen(
                program,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=said,
                start_new_session=True,  # Ctrl-C ends the screening, not a letter that is being sent
            )
        except OSError as error:
            return error.strerror or str(error), True
        try:
            running.communicate(given, timeout=patience)
        except subprocess.TimeoutExpired:
            with suppress(OSError, AttributeError):  # Windows has no groups of processes
                os.killpg(running.pid, signal.SIGKILL)
            running.kill()
            running.wait()
            return f"it took longer than {patience:g} s and was ended", False
        except OSError as error:
            return error.strerror or str(error), True
        failed = f"it failed with {running.returncode}{_first_line(said)}"
        return failed if running.returncode else "", True


def _first_line(said: IO[bytes]) -> str:
    said.seek(0)
    line = said.readline(400).decode(errors="replace").strip()
    return f" ({line})" if line else ""
