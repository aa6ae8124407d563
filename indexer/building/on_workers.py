"""Have photographs read and encoded by the workers of a Dask scheduler; this process alone writes."""

from __future__ import annotations

import logging
import pickle
import time
import warnings
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

from indexer.building.embedding import Manner, embed_here
from indexer.building.worker_side import Answer, Answers, Asked, Needed, embed_batch, installed, looks_of, proof_of
from indexer.building.working_pictures import read_and_keep
from retrieval.encoder.stream import BATCH, EmbeddedPhotograph
from retrieval.errors import ArtifactError, UnreadableImage, UnusableWorkers
from retrieval.extras import DISTRIBUTION, how_to_install, program_version
from retrieval.photographs.features import features_of
from retrieval.photographs.reader_process import Order

TIMEOUT = 5.0  # seconds, for a scheduler to answer
PATIENCE = 20.0  # seconds without any worker: one that was killed may be started again
ASK_EVERY = 1.0  # seconds, whether there is still a worker
GATHER = 60.0  # seconds, for the answers to a batch to come over a slow network
AHEAD = 2  # batches under way or waiting, for each thread of a worker
EMBED = f"__import__({embed_batch.__module__!r}, fromlist=['']).{embed_batch.__name__}(theirs, packed)"
KEPT = "What was done is kept, the same command goes on from there"


@contextmanager
def workers_at(address: str, *, device: str = "cpu", patience: float = PATIENCE) -> Iterator[Workers]:
    """Give the workers of the scheduler at an address, as in tcp://HOST:PORT; raises UnusableWorkers."""
    try:
        import distributed
    except ImportError as error:
        raise UnusableWorkers(f"--dask needs {error.name}, of the extra `dask`: {how_to_install('dask')}.") from error
    _hush()
    try:
        with warnings.catch_warnings(action="ignore"):  # of versions, which each worker compares
            client = distributed.Client(address, timeout=TIMEOUT)
    except Exception as error:  # among others an AssertionError, where no machine has that name
        raise UnusableWorkers(
            f"No Dask scheduler answers at {address} within {TIMEOUT:g} s: is `dask scheduler` running there?"
        ) from error
    try:
        yield Workers(client, address, device, patience)
    finally:
        with suppress(Exception):
            client.close(timeout=TIMEOUT)  # the scheduler forgets what it was asked for


def _hush() -> None:
    """Keep what the library remarks about connections off the terminal: errors are said in a line."""
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in ("distributed", "tornado", "asyncio"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)


@dataclass(frozen=True, slots=True)
class Workers:
    """The workers of a scheduler, which read and encode photographs."""

    client: Any
    address: str
    device: str
    patience: float

    def __call__(self, paths: Iterable[Path], manner: Manner) -> Iterator[EmbeddedPhotograph]:
        """Yield what `embed_here` does, bit for bit and in the same order; raises UnusableWorkers.

        A batch is what this process would encode together. What a worker could not read is read here again, and what
        is found here counts: a worker may be short of memory, or lack a decoder.
        """
        encoder = manner.encoder
        needed = Needed(encoder.spec, encoder.precision, self.device, encoder.fingerprint, proof_of(encoder))
        asked = (Asked(needed, batch, manner.views, manner.side, manner.max_megapixels) for batch in _batches(paths))
        with closing(self._in_order(asked)) as answered:
            for batch, answers in answered:
                _check_seen(answers)
                settled = _settled(answers, manner)
                if settled is None:
                    yield from embed_here(batch.paths, manner)
                for answer in settled or ():
                    if answer.pictures is not None:
                        answer.pictures.keep(manner.data)
                    yield answer.item

    def _in_order(self, asked: Iterable[Asked]) -> Generator[tuple[Asked, Answers]]:
        """Yield the answers to each batch in order, with a few batches a thread under way or waiting."""
        waiting: deque[tuple[Asked, Any]] = deque()
        with self._in_a_line():
            for batch in asked:
                waiting.append((batch, self._submit(batch)))
                if len(waiting) > AHEAD * sum(self.client.nthreads().values()):
                    yield self._first(waiting)
            while waiting:
                yield self._first(waiting)

    def _submit(self, batch: Asked) -> Any:
        """Ask for a batch by what every Python has: a worker dies of a function that it cannot import."""
        given = {"theirs": installed(), "packed": pickle.dumps(batch)}
        return self.client.submit(eval, EMBED, given, key=f"artifact-{uuid4().hex}")

    def _first(self, waiting: deque[tuple[Asked, Any]]) -> tuple[Asked, Answers]:
        batch, future = waiting.popleft()
        return batch, self._result(future)

    def _result(self, future: Any) -> Answers:
        """Wait for the answers to a batch while there is a worker; what a killed one was doing, another does."""
        from distributed import wait

        since = time.monotonic()
        while True:
            with suppress(TimeoutError):
                wait([future], timeout=ASK_EVERY)
                if future.status == "finished":
                    return future.result(timeout=GATHER)
            if future.status == "error":
                raise future.exception(timeout=GATHER)
            now = time.monotonic()
            if self.client.nthreads():
                since = now
            elif now - since >= self.patience:
                raise UnusableWorkers(f"No Dask worker is at {self.address}. {KEPT}, with workers or without --dask.")

    @contextmanager
    def _in_a_line(self) -> Iterator[None]:
        """Say in a line what became of the scheduler or of a worker."""
        from distributed import KilledWorker
        from distributed.comm import CommClosedError

        try:
            yield
        except ArtifactError:
            raise
        except KilledWorker as error:
            raise UnusableWorkers(
                f"Several Dask workers ended, one after the other, over the same photographs. {KEPT}."
            ) from error
        except Exception as error:
            if isinstance(error, CancelledError | CommClosedError) or self.client.status != "running":
                raise UnusableWorkers(f"The Dask scheduler at {self.address} went away. {KEPT}.") from error
            other = self._of_another_version() if isinstance(error, ImportError | AttributeError) else None
            raise UnusableWorkers(other or f"A Dask worker failed ({_said(error)}). {KEPT}.") from error

    def _of_another_version(self) -> str | None:
        """Say which worker has no artifact, or one that may not know what it is asked; None where all have this one."""
        for worker, found in self.client.run(version, DISTRIBUTION, on_error="return").items():
            if found != program_version():
                has = f"artifact {found}" if isinstance(found, str) else "no artifact"
                return f"The Dask worker {worker} has {has}, this machine has {installed()}: install the same on each."
        return None


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".partition("\n")[0]


def _batches(paths: Iterable[Path]) -> Iterator[tuple[Path, ...]]:
    left = iter(paths)
    while batch := tuple(islice(left, BATCH)):
        yield batch


def _check_seen(answers: Answers) -> None:
    """Raise UnusableWorkers where a worker found no file, or another one, in the place of one that is here."""
    for answer in answers.each:
        path = answer.item.path
        here = looks_of(path)
        if here is None or here == answer.looks:
            continue
        if answer.looks is None:
            found = "no such file"
        elif answer.looks[0] != here[0]:
            found = f"a file of {answer.looks[0]:,} bytes, not of {here[0]:,},"
        else:
            found = "another file of the same size"
        raise UnusableWorkers(
            f"The Dask worker {answers.worker} finds {found} at {path}: the folder must be at the same path on each "
            f"worker. {KEPT}."
        )


def _settled(answers: Answers, manner: Manner) -> Sequence[Answer] | None:
    """Return the answers, with errors as they are found here; None where a photograph can be read here after all."""
    settled = []
    for answer in answers.each:
        if answer.item.error is not None:
            error = _error_here(answer.item.path, manner)
            if error is None:
                return None
            answer = replace(answer, item=replace(answer.item, error=error))
        settled.append(answer)
    return settled


def _error_here(path: Path, manner: Manner) -> UnreadableImage | None:
    read = read_and_keep(manner.data, manner.side, manner.run)
    try:
        read(Order(path, manner.encoder.preprocessing.short_side, manner.max_megapixels, features_of))
    except UnreadableImage as error:
        return error
    return None
