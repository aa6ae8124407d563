"""All that the desk has open while it is served."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from cli.serve.comparing.comparisons import Comparisons
from cli.serve.editions import Editions
from cli.serve.jobs import Jobs
from cli.serve.people.diary import Diary
from cli.serve.people.invitations import Invitations
from cli.serve.people.signed_out import SignedOut
from cli.serve.screenings.running import Screenings
from cli.serve.settings import Settings
from cli.serve.small_pictures import SmallPictures
from cli.serve.uploads import Uploads
from retrieval.catalogue.database import can_write
from retrieval.machine import cpu_count
from retrieval.photographs.reader_process import PATIENT, Reader
from retrieval.verdicts.log import DATABASE, VerdictLog
from retrieval.verdicts.waiting import refresh

REPORTS = "reports"  # folder in the data folder, of pages that commands have written


class Service:
    """The edition, the jobs, the readers of photographs, and the folders of one data folder."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.folder = settings.data / "desk"  # of all that only the desk keeps
        self.can_write = can_write(settings.data)
        if self.can_write:
            self.folder.mkdir(mode=0o700, exist_ok=True)  # names, and photographs that are not published
            with suppress(OSError):  # of a disk that knows no rights
                self.folder.chmod(0o700)
            (settings.data / REPORTS).mkdir(exist_ok=True)  # so that a command can write there
        self.editions = Editions(settings.data, settings.judging)
        self.jobs = Jobs(cpu_count())
        self.reader = Reader()
        self._counter = Reader(PATIENT)  # of what folders hold, which may be many photographs
        self.small = SmallPictures(self.cache / "small")
        self.uploads = Uploads(self.folder / "photographs", on_drop=self.small.forget)
        self.invitations = Invitations()
        self.signed_out = SignedOut(self.folder / "signed-out")
        self.comparisons = Comparisons(
            settings.data,
            self.cache if self.can_write else None,
            self.editions,
            max_megapixels=settings.judging.max_megapixels,
        )
        self.diary = Diary(self.folder / "diary.jsonl")
        self.screenings = Screenings(
            self.folder / "screenings", settings.data, settings.judging, settings.allowed, self._counter.run
        )
        self.is_ending: Callable[[], bool] = lambda: False  # nobody is kept waiting while the desk is being closed

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.settings.data

    @property
    def cache(self) -> Path:
        """The folder of what can be made again, and may be deleted at any time."""
        return self.folder / "cache"

    def key(self) -> str:
        """Return the secret that cookies are signed with; one that cannot be kept is made anew each time."""
        file = self.folder / "key"
        with suppress(OSError):
            if not file.exists():
                temporary = file.with_suffix(f".{os.getpid()}")
                temporary.touch(mode=0o600)
                temporary.write_text(secrets.token_urlsafe(32), "ascii")
                os.replace(temporary, file)
            if kept := file.read_text("ascii").strip():
                return kept
        return secrets.token_urlsafe(32)

    def get_ready(self) -> None:
        """Open what the first photograph needs, so that nobody waits for it."""
        self.reader.get_ready(1)
        self.editions.tend()
        self.jobs.submit("opening the catalogue", self._open_edition)
        self.jobs.submit("listing what waits", self._list_waiting)

    def _open_edition(self) -> None:
        """Open the edition; the job that does so is remembered, and has to hold nothing of it."""
        self.editions.current()

    def _list_waiting(self) -> None:
        """Bring the list of what waits up to date, which takes seconds where 100,000 verdicts are listed anew."""
        if self.can_write and (self.data / DATABASE).is_file():
            with VerdictLog.opened(self.data) as log:
                refresh(log)

    def close(self) -> None:
        """Wait for what is being judged, and remove what is not to be kept."""
        self.screenings.close()
        self._counter.close()
        self.editions.close()
        self.comparisons.stop()
        self.jobs.close()  # before the reader: a photograph whose reader is gone would be recorded as damaged
        self.reader.close()
        self.uploads.close()
        self.comparisons.close()
