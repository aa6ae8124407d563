"""Watch a folder for photographs, and leave alone any that is still being written."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from indexer.inputs.lots import Lot, read_lots
from retrieval.errors import ArtifactError

SETTLED = 2.0  # seconds since a file was last written, before it is taken


def watched(
    folder: Path,
    every: float,
    is_done: Callable[[Lot], bool],
    *,
    exclude: Collection[str] = (),
    on_trouble: Callable[[str], None] = lambda problem: None,
    wait: Callable[[float], None] = time.sleep,
) -> Iterator[list[Lot]]:
    """Yield, every so many seconds, the photographs that are new, and of the same size as the time before.

    What keeps the folder from being looked through, such as a wrong pattern in its `.artifactignore`, is told once.
    """
    told: set[str] = set()
    sizes: dict[Path, int] = {}
    while True:
        waiting: dict[Path, int] = {}
        arrived = []
        lots, trouble = _present(folder, exclude)
        if trouble and trouble not in told:
            told.add(trouble)
            on_trouble(trouble)
        for lot in lots:
            if is_done(lot):
                continue
            size, age = _size_and_age(lot.path)
            if sizes.get(lot.path) == size and not 0 <= age < SETTLED:  # a camera's clock may be ahead
                arrived.append(lot)
            else:
                waiting[lot.path] = size
        sizes = waiting
        yield arrived
        wait(every)


def _present(folder: Path, exclude: Collection[str]) -> tuple[list[Lot], str]:
    """Return the photographs of a folder, and why it cannot be looked through."""
    try:
        return list(read_lots(folder, exclude=exclude)), ""
    except ArtifactError as error:
        return [], str(error)


def _size_and_age(path: Path) -> tuple[int, float]:
    try:
        status = path.stat()
    except OSError:
        return -1, SETTLED
    return status.st_size, time.time() - status.st_mtime
