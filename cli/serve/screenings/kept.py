"""Keep each screening of the desk in a folder, with a small file that says what it is and how far it came."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from cli.output.writing import is_held
from cli.screening.journal import journal_of

STATE = "screening.json"
REPORT, RECORDS, LOG = "report.html", "records.jsonl", "log.txt"
EVIDENCE = "report_evidence"
SOURCE = "source"  # folder of the table that was sent


class State(StrEnum):
    """How far a screening has come."""

    WAITING = "waiting"
    RUNNING = "running"
    STOPPING = "stopping"  # as somebody asked, which is only said and never kept
    STOPPED = "stopped"  # by somebody
    INTERRUPTED = "interrupted"  # the desk was closed, or a process was killed
    FAILED = "failed"
    DONE = "done"

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes of it by itself."""
        return self not in (State.WAITING, State.RUNNING, State.STOPPING)

    @property
    def goes_on(self) -> bool:
        """Whether it can be taken up again."""
        return self in (State.STOPPED, State.INTERRUPTED, State.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Screening:
    """A screening, as its file says."""

    number: int
    folder: str  # that is screened, or in which the photographs of the table are; links followed
    shown: str  # the folder, as it was offered
    table: str = ""  # name of the table that was sent; empty: the folder itself is screened
    who: str = ""
    begun: str = ""  # moment
    ended: str = ""
    exclude: tuple[str, ...] = ()
    closely: bool = False
    total: int = 0  # photographs, before their pages are counted
    state: State = State.WAITING
    problem: str = ""  # a sentence
    standing: dict[str, Any] = field(default_factory=dict)  # what it came to, once it is over

    @property
    def name(self) -> str:
        """What people call it."""
        return self.table or self.shown


class Folders:
    """The folders of all screenings, by their numbers."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def make(self) -> int:
        """Make the folder of a new screening, and return its number; raises OSError."""
        self.root.mkdir(parents=True, exist_ok=True)
        number = max(self.numbers(), default=0)
        while True:
            number += 1
            try:
                self.of(number).mkdir()
            except FileExistsError:  # of another desk on the same data
                continue
            return number

    def of(self, number: int) -> Path:
        """Return the folder of a number."""
        return self.root / str(int(number))

    def numbers(self) -> list[int]:
        """Return all numbers, the newest first."""
        names = [item.name for item in self.root.iterdir()] if self.root.is_dir() else []
        return sorted((int(name) for name in names if name.isascii() and name.isdigit()), reverse=True)

    def drop(self, number: int) -> None:
        """Remove what was made for a screening that is not to be."""
        shutil.rmtree(self.of(number), ignore_errors=True)

    def write(self, screening: Screening) -> None:
        """Keep what is known of a screening, whole or as it was before."""
        file = self.of(screening.number) / STATE
        temporary = file.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
        temporary.write_text(json.dumps(asdict(screening), indent=1), "utf-8")
        os.replace(temporary, file)

    def read(self, number: int) -> Screening | None:
        """Return what is known of a screening; None where there is none."""
        try:
            known = json.loads((self.of(number) / STATE).read_text("utf-8"))
            names = {one.name for one in fields(Screening)}
            kept = {name: value for name, value in known.items() if name in names}
            return Screening(**kept | {"exclude": tuple(known["exclude"]), "state": State(known["state"])})
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def all(self) -> Iterator[Screening]:
        """Yield what is known of all screenings, the newest first."""
        yield from filter(None, map(self.read, self.numbers()))

    def source_of(self, screening: Screening) -> Path:
        """Return what is screened: the table that was sent, or a folder."""
        return self.of(screening.number) / SOURCE / screening.table if screening.table else Path(screening.folder)

    def found_state(self, number: int) -> State:
        """Return the state that the files of a screening show, where nobody here runs it."""
        folder = self.of(number)
        if is_held(folder / REPORT):
            return State.RUNNING
        return State.DONE if is_written(folder) else State.INTERRUPTED


def is_written(folder: Path) -> bool:
    """Say whether a screening has come to its end: its report is there, and its journal gone."""
    report = folder / REPORT
    return report.is_file() and (folder / RECORDS).is_file() and not journal_of(report).exists()
