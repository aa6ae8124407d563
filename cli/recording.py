"""Record verdicts as they are made; where that is not possible, say so once and go on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer

from retrieval.judge import Judge, Verdict
from retrieval.verdicts import VerdictLog

Record = Callable[[Verdict, str | None], list[int]]


@contextmanager
def recording(judge: Judge) -> Iterator[Record]:
    """Give a function that keeps a verdict, and the object that was asked for, and returns its numbers."""
    if not os.access(judge.data, os.W_OK):
        typer.echo(f"not recorded: {judge.data} cannot be written", err=True)
        yield lambda verdict, asked: []
        return
    with VerdictLog.opened(judge.data) as log:
        yield lambda verdict, asked: log.add(verdict, judge, asked=asked)
