"""Keep what photographs are judged by open, and open it anew when the catalogue has changed."""

from __future__ import annotations

import threading
from dataclasses import replace
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
                self._edition, self._of = self._judging.open_edition(self._data, parallel=cpu_count()), now
            else:  # reviewers may have found since that the calibration no longer fits; nothing else is opened for that
                self._edition = replace(self._edition, misfit=not fits(self._data, self._edition.calibration))
            return self._edition

    def _state(self) -> tuple[object, ...]:
        with Catalogue.reading(self._data) as catalogue:
            last = catalogue.calibration()
            return catalogue.revision, last and last.number
