"""Run the screenings of the desk one after the other, each in a process of its own, and end them with the desk."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

from cli.output.unforeseen import unforeseen_words
from cli.runs.judging_options import LookingOptions
from cli.serve.jobs import Busy
from cli.serve.screenings.command import begun, command_of, last_line
from cli.serve.screenings.kept import Folders, Screening, State, is_written
from cli.serve.screenings.sources import count_lots
from cli.serve.screenings.standing import LiveStanding, Standing, final_standing
from cli.serve.uploads import copied, plain_name
from retrieval.errors import ArtifactError, CatalogueBusy, UnreadableImage
from retrieval.moment import now

T = TypeVar("T")
InChild = Callable[[Callable[[], T]], T]  # runs what may crash or take long in a process that may be ended
MOST_WAITING = 10
ENDS_WITHIN = 15.0  # seconds after it was asked to, before a process is killed; what it kept is whole all the same


class Screenings:
    """All screenings of a data folder: what is kept of them, and those that wait or run here."""

    def __init__(
        self, root: Path, data: Path, judging: LookingOptions, allowed: Sequence[Path], run_apart: InChild[int]
    ) -> None:
        self.folders = Folders(root)
        self._data, self._judging, self._allowed, self._apart = data, judging, allowed, run_apart
        self._waiting: deque[int] = deque()
        self._running: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._since_ns = 0
        self._live: LiveStanding | None = None
        self._elsewhere: dict[int, LiveStanding] = {}  # of processes that are not of this desk
        self._stopped: set[int] = set()
        self._ending = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def begin(self, screening: Screening, table: BinaryIO | None) -> Screening:
        """Take in a screening, `table` being what was sent under its name; raises ArtifactError, and keeps nothing."""
        self._refuse_too_many()
        number = self.folders.make()
        try:
            kept = replace(screening, number=number, begun=now(), table=plain_name(screening.table) if table else "")
            if table is not None:
                target = self.folders.source_of(kept)
                target.parent.mkdir()
                copied(table, target)
            kept = replace(kept, total=self._counted(kept))
            self.folders.write(kept)
            self._wait(number)
        except BaseException as error:
            self.folders.drop(number)
            if isinstance(error, OSError):
                raise CatalogueBusy(f"The screening cannot be kept in {self.folders.root}: {error.strerror}") from error
            raise
        return kept

    def go_on(self, number: int) -> None:
        """Take up a screening that was stopped or interrupted; one that is under way already goes on as it is."""
        with self._changed:  # so that of two who ask at once only one has it go on
            screening = self.get(number)
            if screening is None or not screening.state.goes_on:
                return
            self._refuse_too_many()  # before anything is written
            self.folders.write(replace(screening, state=State.WAITING, problem="", ended="", standing={}))
            self._wait(number)

    def stop(self, number: int) -> None:
        """End a screening that waits or runs here; what it has done is kept."""
        with self._changed:
            if number in self._waiting:
                self._waiting.remove(number)
                self._end(number, State.STOPPED)
            elif number == self._running:
                self._stopped.add(number)
                self._interrupt()

    def get(self, number: int) -> Screening | None:
        """Return a screening with the state that it has in truth; None where there is none."""
        was_here = self.is_here(number)  # before and after: it may end, or be taken up, while its state is read
        kept = self.folders.read(number)
        if kept is None or kept.state.is_over:
            return kept
        if was_here or self.is_here(number):
            is_stopped = number in self._stopped and number not in self._waiting
            return replace(kept, state=State.STOPPING) if is_stopped else kept
        found = self.folders.found_state(number)  # of a desk that was killed, or of another one
        return kept if found is kept.state else replace(kept, state=found)

    def all(self) -> list[Screening]:
        """Return all screenings, the newest first."""
        return [found for number in self.folders.numbers() if (found := self.get(number)) is not None]

    def is_here(self, number: int) -> bool:
        """Say whether a screening waits or runs here, so that it can be stopped."""
        return number == self._running or number in self._waiting

    def ahead_of(self, number: int) -> int:
        """Return how many screenings come before one that waits."""
        with self._changed:
            place = self._waiting.index(number) if number in self._waiting else 0
            return place + (self._running is not None)

    def standing(self, screening: Screening) -> Standing:
        """Return what a screening has come to."""
        if screening.standing:
            return Standing.from_dict(screening.standing)
        live, folder = self._live, self.folders.of(screening.number)
        if screening.number == self._running and live is not None:
            return live.now(self._since_ns)
        if screening.state is State.WAITING:
            return Standing()
        if screening.state is State.RUNNING:
            return self._elsewhere.setdefault(screening.number, LiveStanding(folder)).now()
        found = final_standing(folder)
        with self._changed, suppress(OSError):  # not where somebody has just had it go on
            if screening.state.is_over and not self.is_here(screening.number):
                self.folders.write(replace(screening, standing=found.as_dict()))
        return found

    def close(self) -> None:
        """End what runs, so that it can go on later."""
        with self._changed:
            self._ending = True
            self._interrupt()
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(ENDS_WITHIN + 5)

    def _refuse_too_many(self) -> None:
        if len(self._waiting) >= MOST_WAITING:
            raise Busy(f"{MOST_WAITING} screenings wait already. Try again when one of them has run.")

    def _counted(self, screening: Screening) -> int:
        """Return how many photographs a screening has, if all of them may be read; raises ArtifactError."""
        beside = Path(screening.folder) if screening.table else None
        source = self.folders.source_of(screening)
        try:
            return self._apart(partial(count_lots, source, beside, self._allowed, screening.exclude))
        except UnreadableImage as error:
            as_what = " as a table or a list of photographs" if screening.table else ""
            raise ArtifactError(f"{source.name} cannot be read{as_what}: {error}.") from error

    def _wait(self, number: int) -> None:
        with self._changed:
            if self._ending:
                raise Busy("The desk is being closed.")
            self._refuse_too_many()
            self._waiting.append(number)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run_all, name="screenings", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def _interrupt(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)

    def _run_all(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ending)
                if self._ending:
                    for number in self._waiting:
                        self._end(number, State.INTERRUPTED)
                    return
                number = self._running = self._waiting.popleft()
            state, problem = State.FAILED, ""
            try:
                state, problem = self._run(number)
            except ArtifactError as error:
                problem = str(error)
            except Exception as error:
                problem = unforeseen_words(error)
            if self._ending and state is State.FAILED:  # what it was asked for was ended with the desk
                state, problem = State.INTERRUPTED, ""
            self._end(number, state, problem)
            with self._changed:
                self._running = self._process = self._live = None
                self._stopped.discard(number)  # whoever asked as it ended anyway does not stop it when it goes on

    def _run(self, number: int) -> tuple[State, str]:
        """Run a screening until it ends; return how it ended, and what is wrong if anything is."""
        screening, folder = self.folders.read(number), self.folders.of(number)
        assert screening is not None, "it was written before it waited"
        total = self._counted(screening)  # once more: a link may have come since
        self._live, self._since_ns = LiveStanding(folder), time.time_ns()
        source = self.folders.source_of(screening)
        with self._changed:
            if self._ending or number in self._stopped:
                return (State.INTERRUPTED if self._ending else State.STOPPED), ""
            process = begun(command_of(screening, source, folder, self._data, self._judging), folder)
            self._process = process
            self.folders.write(replace(screening, state=State.RUNNING, total=total))
        self._wait_for(number, process)
        if is_written(folder):
            return State.DONE, ""
        if number in self._stopped:
            return State.STOPPED, ""
        if self._ending or process.returncode < 0:
            return State.INTERRUPTED, ""
        return State.FAILED, last_line(folder)

    def _wait_for(self, number: int, process: subprocess.Popen[bytes]) -> None:
        """Wait until a process has ended; kill it where it was asked to end and does not."""
        asked_at = 0.0
        while True:
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.5)
                break
            if self._ending or number in self._stopped:
                asked_at = asked_at or time.monotonic()
                if time.monotonic() - asked_at > ENDS_WITHIN:
                    process.kill()
        assert process.stdin is not None
        process.stdin.close()

    def _end(self, number: int, state: State, problem: str = "") -> None:
        """Write down how a screening ended; where that cannot be written, its files show it all the same."""
        kept, standing = self.folders.read(number), {}
        if kept is None:
            return
        with suppress(OSError, ValueError):  # a disk that is full cuts a line of the records short
            standing = final_standing(self.folders.of(number)).as_dict()
        with suppress(OSError):
            self.folders.write(replace(kept, state=state, problem=problem, ended=now(), standing=standing))
