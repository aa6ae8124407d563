"""Keep what photographs are judged by open, and open it anew when the catalogue has changed."""

from __future__ import annotations

import threading
from pathlib import Path

from cli.runs.judging_options import LookingOptions
from retrieval.catalogue.catalogue import Catalogue
from retrieval.judging.edition import Edition
from retrieval.machine import cpu_count
from retrieval.verdicts.watching import fits


class Editions:
    """The edition of now, for all threads."""

    def __init__(self, data: Path, judging: LookingOptions) -> None:
        self._data, self._judging = data, judging
        self._edition: Edition | None = None
        self._of: tuple[object, ...] = ()
        self._lock = threading.Lock()

    def current(self) -> Edition:
        """Return the edition of the last revision and calibration; raises ArtifactError where there is none."""
        with self._lock:
            now = self._state()
            if self._edition is None or now != self._of:
                self._edition = self._judging.open_edition(self._data, parallel=cpu_count())
                self._of = now
            return self._edition

    def _state(self) -> tuple[object, ...]:
        with Catalogue.reading(self._data) as catalogue:
            last = catalogue.calibration()
            return catalogue.revision, last and last.number, fits(self._data, last)
