"""Keep what photographs are judged by open: anew when the catalogue has changed, and no longer than it is used."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

from cli.runs.judging_options import LookingOptions
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.database import DATABASE as CATALOGUE
from retrieval.judging.edition import Edition
from retrieval.machine import cpu_count
from retrieval.verdicts.log import DATABASE, VerdictLog
from retrieval.verdicts.watching import fits

IDLE = 60.0  # seconds without a photograph, after which an edition that is in the way of a writer is let go


class Editions:
    """The edition of now, for all threads.

    While it is open, what others write to the catalogue stays in the log of the database, which grows by it.
    """

    def __init__(self, data: Path, judging: LookingOptions) -> None:
        self._data, self._judging = data, judging
        self._edition: Edition | None = None
        self._log: tuple[int, int] | None = None
        self._used = 0.0
        self._closing = threading.Event()
        self._of: tuple[object, ...] = ()
        self._decided: tuple[int, ...] = ()
        self._lock = threading.Lock()

    def current(self) -> Edition:
        """Return the edition of the last revision and calibration; raises ArtifactError where there is none."""
        with self._lock:
            now, decided = self._state(), self._last_decisions()
            if self._edition is None or now != self._of:
                self._log = self._log_now()  # before: what is written meanwhile counts as written since
                self._edition = self._judging.open_edition(self._data, parallel=cpu_count())
            elif decided != self._decided:  # reviewers may have found that the calibration no longer fits
                self._edition = replace(self._edition, misfit=not fits(self._data, self._edition.calibration))
            self._of, self._decided, self._used = now, decided, time.monotonic()
            return self._edition

    def tend(self, *, every: float = IDLE / 2) -> None:
        """Let go what is not used, in a thread of its own, until this is closed."""

        def tending() -> None:
            while not self._closing.wait(every):
                self.let_go()

        threading.Thread(target=tending, name="editions", daemon=True).start()

    def let_go(self, *, idle: float = IDLE) -> None:
        """Forget an edition that nobody asked for lately, if somebody wrote the catalogue since it was opened."""
        with self._lock:
            if self._edition is not None and time.monotonic() - self._used >= idle and self._log != self._log_now():
                self._edition = None

    def close(self) -> None:
        """End the thread that lets go."""
        self._closing.set()

    def _log_now(self) -> tuple[int, int] | None:
        """Return the size of the database's log, and when it was written; None where nothing is in it."""
        try:
            status = (self._data / f"{CATALOGUE}-wal").stat()
        except OSError:
            return None
        return (status.st_size, status.st_mtime_ns) if status.st_size else None

    def _state(self) -> tuple[object, ...]:
        with Catalogue.reading(self._data) as catalogue:
            last = catalogue.calibration()
            return catalogue.revision, last and last.number

    def _last_decisions(self) -> tuple[int, ...]:
        """Return the last numbers of reviews and withdrawals; a log of an earlier version may have none."""
        if not (self._data / DATABASE).is_file():
            return ()
        with VerdictLog.reading(self._data) as log:
            tables = [name for name in ("reviews", "withdrawals") if name in log.db.table_names()]
            sql = "SELECT coalesce(max(number), 0) FROM {}"
            return tuple(log.db.execute(sql.format(table)).fetchone()[0] for table in tables)
