"""Do what takes long in a few threads, one after the other, and refuse what would wait too long."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cli.output.unforeseen import unforeseen_words
from retrieval.errors import ArtifactError

WAITING = 24  # jobs, at most
REMEMBERED = 200  # finished jobs


class Busy(ArtifactError):
    """Too much waits already; `after` is when to try again, in seconds."""

    after = 5


class JobState(StrEnum):
    """How far a job has come."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(slots=True, eq=False)
class Job:
    """Something that is done in the background."""

    number: str  # that nobody can guess
    what: str
    owner: str = ""
    state: JobState = JobState.WAITING
    result: Any = None
    error: str = ""  # a sentence
    failure: ArtifactError | None = None  # that can happen to a user
    mistake: Exception | None = None  # of the program, by which it failed
    finished: threading.Event = field(default_factory=threading.Event)

    @property
    def is_over(self) -> bool:
        """Whether it is done, or failed."""
        return self.finished.is_set()


class Jobs:
    """Jobs that wait, run and are over, by their numbers."""

    def __init__(self, workers: int, *, most: int = WAITING) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="desk")
        self._most = most
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._lock = threading.Lock()

    def submit(self, what: str, run: Callable[[], Any], *, owner: str = "") -> Job:
        """Have something done, and return at once; raises Busy."""
        return self.submit_all([(what, run)], owner=owner)[0]

    def submit_all(self, wanted: Sequence[tuple[str, Callable[[], Any]]], *, owner: str = "") -> list[Job]:
        """Have all of some things done, or none of them, so that whoever is refused can send all again; raises Busy."""
        with self._lock:
            if len(self.waiting()) + len(wanted) > self._most:
                raise Busy("The desk has more to do than it can: try again in a few seconds.")
            jobs = [Job(secrets.token_urlsafe(9), what, owner) for what, _ in wanted]
            self._jobs.update((job.number, job) for job in jobs)
            self._forget()
        for job, (_, run) in zip(jobs, wanted, strict=True):
            future: Future[None] = self._pool.submit(self._run, job, run)
            future.add_done_callback(lambda done, job=job: job.finished.set())  # type: ignore[misc]
        return jobs

    def get(self, number: str) -> Job | None:
        """Return a job; None where there is none, or it was forgotten."""
        return self._jobs.get(number)

    def waiting(self) -> list[Job]:
        """Return the jobs that are not begun, the next one first."""
        return [job for job in list(self._jobs.values()) if job.state is JobState.WAITING]

    def ahead_of(self, job: Job) -> int:
        """Return how many jobs come before one that waits."""
        waiting = self.waiting()
        return waiting.index(job) if job in waiting else 0

    def close(self) -> None:
        """Begin no more jobs, and wait for those that run."""
        self._pool.shutdown(cancel_futures=True)

    def _run(self, job: Job, run: Callable[[], Any]) -> None:
        job.state = JobState.RUNNING
        try:
            job.result = run()
            job.state = JobState.DONE
        except ArtifactError as error:
            job.error, job.state = str(error), JobState.FAILED
            job.failure = type(error)(str(error))  # a new one: the frames of this one hold what was opened
        except Exception as error:
            job.error, job.mistake, job.state = unforeseen_words(error), error, JobState.FAILED

    def _forget(self) -> None:
        over = [number for number, job in self._jobs.items() if job.is_over]
        for number in over[: max(0, len(over) - REMEMBERED)]:
            del self._jobs[number]
