"""Keep what photographs are judged by open, and open it anew when the catalogue has changed."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

from cli.runs.judging_options import LookingOptions
from retrieval.catalogue.catalogue import Catalogue
from retrieval.judging.edition import Edition
from retrieval.machine import cpu_count
from retrieval.verdicts.log import DATABASE, VerdictLog
from retrieval.verdicts.watching import fits


class Editions:
    """The edition of now, for all threads."""

    def __init__(self, data: Path, judging: LookingOptions) -> None:
        self._data, self._judging = data, judging
        self._edition: Edition | None = None
        self._of: tuple[object, ...] = ()
        self._decided: tuple[int, ...] = ()
        self._lock = threading.Lock()

    def current(self) -> Edition:
        """Return the edition of the last revision and calibration; raises ArtifactError where there is none."""
        with self._lock:
            now, decided = self._state(), self._last_decisions()
            if self._edition is None or now != self._of:
                self._edition = self._judging.open_edition(self._data, parallel=cpu_count())
            elif decided != self._decided:  # reviewers may have found that the calibration no longer fits
                self._edition = replace(self._edition, misfit=not fits(self._data, self._edition.calibration))
            self._of, self._decided = now, decided
            return self._edition

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
