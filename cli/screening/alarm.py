"""Raise the alerts of a screening as they come: a line, a bell, a program that tells somebody."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
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
        """Give the same records, each of which raises its alerts as it passes; what was begun is brought to its end."""
        with ThreadPoolExecutor(1, thread_name_prefix="notify") as aside:
            yield self._passing(records, aside)

    def _passing(self, records: Iterator[PhotographRecord], aside: ThreadPoolExecutor) -> Iterator[PhotographRecord]:
        for record in records:
            if lines := alert_lines(record):
                for line in lines if self.said else ():
                    typer.echo(alarming(line), err=True)
                if self.bell:
                    typer.echo(BELL, nl=False, err=True)
                if self.program:
                    aside.submit(self._notify, record)
            yield record

    def _notify(self, record: PhotographRecord) -> None:
        """Run the program with the record on its standard input, and say in a line where that fails."""
        if problem := _run(self.program, dumps(record).encode() + b"\n", self.patience):
            typer.echo(plain(f"--notify {self.program[0]}: {problem}; the alert stands in the report"), err=True)


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


def _run(program: Sequence[str], given: bytes, patience: float) -> str:
    """Return why a program failed; empty where it did not. What it prints is not shown, but for its first error."""
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
            return error.strerror or str(error)
        try:
            running.communicate(given, timeout=patience)
        except subprocess.TimeoutExpired:
            with suppress(OSError, AttributeError):  # Windows has no groups of processes
                os.killpg(running.pid, signal.SIGKILL)
            running.kill()
            running.wait()
            return f"it took longer than {patience:g} s and was ended"
        except OSError as error:
            return error.strerror or str(error)
        return "" if running.returncode == 0 else f"it failed with {running.returncode}{_first_line(said)}"


def _first_line(said: IO[bytes]) -> str:
    said.seek(0)
    line = said.readline(400).decode(errors="replace").strip()
    return f" ({line})" if line else ""
