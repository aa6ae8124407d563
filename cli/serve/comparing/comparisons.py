"""Make what the page that compares shows, once, in the background, and keep it where it may be deleted."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from cli.evidence.evidence import Origin
from cli.evidence.gather import gather
from cli.evidence.page import render_evidence
from cli.records.lines import lot_words
from cli.serve.comparing.compared_pictures import PictureMaker, Pictures
from cli.serve.comparing.comparison import exemplar_facts, facts_table, photograph_facts, registered_json, remarks_of
from cli.serve.comparing.replays import Again, judged_anew
from cli.serve.comparing.tiles import Tiles, key_of
from cli.serve.editions import Editions
from cli.serve.jobs import Job, Jobs
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.lookups import photo_of
from retrieval.errors import ArtifactError, UnreadableImage
from retrieval.photographs.files import sha256_of
from retrieval.photographs.reader_process import PATIENT, Reader
from retrieval.verdicts.entry import LogEntry

VERSION = 1  # of what is kept of a comparison
MOST_WAITING = 8
EVIDENCE = "evidence.html"


@dataclass(slots=True, eq=False)
class Making:
    """A comparison on its way: its job, and what is being done now."""

    step: str = "waits for its turn"
    job: Job | None = None

    @property
    def is_over(self) -> bool:
        """Whether it is made, or failed."""
        return self.job is not None and self.job.is_over

    @property
    def has_to_be_told(self) -> bool:
        """Whether somebody waits for it, or for why it failed."""
        return not self.is_over or bool(self.job and self.job.error)


class Comparisons:
    """The comparisons of verdicts, made one at a time: whole photographs need much memory."""

    def __init__(self, data: Path, cache: Path | None, editions: Editions, *, max_megapixels: float) -> None:
        self._own = None if cache else tempfile.TemporaryDirectory(prefix="artifact-desk-")  # nothing can be kept
        self.tiles = Tiles((cache or Path(str(self._own and self._own.name))) / "tiles")
        self._reader = Reader(PATIENT)  # its own: nothing is recorded of what it reads, so it may end at any time
        self.maker = PictureMaker(data, self.tiles, self._reader, max_megapixels)
        self.jobs = Jobs(1, most=MOST_WAITING)
        self._data, self._editions = data, editions
        self._making: dict[str, Making] = {}
        self._lock, self._closing = threading.Lock(), threading.Event()
        self.forget_gone()

    def find(self, entry: LogEntry) -> Mapping[str, Any] | None:
        """Return a comparison that is there and still holds; None: it has to be made."""
        made = self.tiles.find(_key(entry))
        if made is None or made.record["photograph_state"] != _state(Path(entry.photo)):
            return None
        record = made.record
        with Catalogue.reading(self._data) as catalogue:
            photo = photo_of(catalogue, record["photo_id"])
        if photo is None or photo.sha256 != record["exemplar_sha256"]:
            return None
        if record["working"] and _state(photo.file) != record["exemplar_state"]:  # its file may be back
            return None
        return record if all(self.tiles.find(picture["key"]) for picture in record["pictures"].values()) else None

    def make(self, entry: LogEntry) -> Making:
        """Have a comparison made, unless it is on its way; raises Busy. What has failed is returned once."""
        return self._begin(_key(entry), f"comparing verdict {entry.number}", partial(self._make, entry))

    def find_evidence(self, entry: LogEntry) -> Path | None:
        """Return the page of evidence of a verdict that is there; None: it has to be made."""
        made = self.tiles.find(_key(entry, "evidence"))
        if made is None or made.record["photograph_state"] != _state(Path(entry.photo)):
            return None
        return made.folder / EVIDENCE if made.record.get("catalogue") == self._catalogue() else None

    def make_evidence(self, entry: LogEntry) -> Making:
        """Have a page of evidence made, as `make` does a comparison."""
        what = f"writing the evidence of verdict {entry.number}"
        return self._begin(_key(entry, "evidence"), what, partial(self._make_evidence, entry))

    def on_its_way(self, entry: LogEntry, kind: str = "comparison") -> Making | None:
        """Return a comparison, or the evidence, that is being made; None: none is."""
        found = self._making.get(_key(entry, kind))
        return found if found is not None and not found.is_over else None

    def _begin(self, key: str, what: str, make: Callable[[Making], None]) -> Making:
        with self._lock:
            found = self._making.get(key)
            if found is not None and not found.is_over:
                return found
            if found is not None and found.job is not None and found.job.error:
                return self._making.pop(key)
            making = Making()
            making.job = self.jobs.submit(what, partial(make, making))
            # those that failed stay until they are told
            self._making = {key: one for key, one in self._making.items() if one.has_to_be_told} | {key: making}
            return making

    def forget_gone(self) -> None:
        """Drop what shows photographs that were brought to the desk, and are not kept."""
        brought = self._data / "desk" / "photographs"
        self.tiles.drop_where(lambda record: _is_gone(Path(record.get("of", "")), brought))

    def stop(self) -> None:
        """End what is being made."""
        self._closing.set()
        self._reader.close()

    def close(self) -> None:
        """Make no more, and drop what is not to be kept."""
        self.stop()
        self.jobs.close()
        self._reader.close()  # of a child that was begun meanwhile
        self.forget_gone()
        if self._own is not None:
            self._own.cleanup()

    def _make(self, entry: LogEntry, making: Making) -> None:
        """Make all that a comparison needs; what is there already stays."""

        state, again = self._again(entry, making)
        if again.verdict is None:
            self._check_content(entry)
        pictures = self.maker.pictures(entry, again, partial(self._say, making))
        record = self._record(entry, again, pictures) | {"photograph_state": state, "of": entry.photo}
        key = _key(entry)
        self.tiles.drop(key)
        self.tiles.make(key, lambda folder: record)
        self.tiles.bound([key, *(picture["key"] for picture in pictures.tiles.values())])

    def _make_evidence(self, entry: LogEntry, making: Making) -> None:
        """Write the page of evidence, as `artifact verdict --report` does."""
        catalogue = self._catalogue()
        state, again = self._again(entry, making)
        if again.verdict is None:
            raise ArtifactError(" ".join(again.remarks))
        self._say(making, "writing the page")
        found = gather(
            again.verdict, again.edition, max_megapixels=self.maker.max_megapixels, run=self.maker.reader.run
        )
        page = render_evidence(replace(found, origin=Origin(entry.number, lot_words(entry.lot))))

        def write(folder: Path) -> Mapping[str, Any]:
            (folder / EVIDENCE).write_text("".join(page), "utf-8", newline="")
            return {"photograph_state": state, "catalogue": catalogue, "of": entry.photo}

        key = _key(entry, "evidence")
        self.tiles.drop(key)
        self.tiles.make(key, write)
        self.tiles.bound([key])

    def _catalogue(self) -> list[int | None]:
        """Return the revision of the catalogue, and the number of its last calibration."""
        with Catalogue.reading(self._data) as catalogue:
            last = catalogue.calibration()
            return [catalogue.revision, last.number if last else None]

    def _again(self, entry: LogEntry, making: Making) -> tuple[list[int] | None, Again]:
        """Return the state of the photograph's file, and the verdict made again."""
        self._say(making, "judging the photograph again")
        state, edition = _state(Path(entry.photo)), self._editions.current()
        return state, judged_anew(entry, edition, read=self.maker.reader, max_megapixels=self.maker.max_megapixels)

    def _check_content(self, entry: LogEntry) -> None:
        """Raise UnreadableImage where a file has another content than was judged: that is not shown."""
        if self._reader.run(partial(sha256_of, Path(entry.photo))) != entry.sha256:
            raise UnreadableImage(
                f"The photograph {entry.photo} is no longer the same file that was judged, so it is not shown. Put "
                "that file back, or bring the photograph anew."
            )

    def _say(self, making: Making, step: str) -> None:
        if self._closing.is_set():
            raise ArtifactError("The desk was closed meanwhile.")
        making.step = step

    def _record(self, entry: LogEntry, again: Again, pictures: Pictures) -> dict[str, Any]:
        """Return what is written down of a comparison."""
        photo, full = again.photo, (again.photo.width, again.photo.height)
        facts = self.maker.facts(Path(entry.photo))
        known = exemplar_facts(photo, self.maker.facts(photo.file) if not pictures.working else None)
        said = photograph_facts(entry, pictures.size, facts) if facts else {}
        return {
            "photo_id": photo.photo_id,
            "exemplar": photo.file.name,
            "exemplar_sha256": photo.sha256,
            "exemplar_state": _state(photo.file),
            "working": pictures.working,
            "capped": pictures.capped,
            "full": full,
            "probe": pictures.size,
            "pictures": dict(pictures.tiles),
            "remarks": [*again.remarks, *remarks_of(again.match)],
            "facts": facts_table(known, said),
            **registered_json(again.match, full, pictures.size),
        }


def _key(entry: LogEntry, kind: str = "comparison") -> str:
    return key_of(kind, VERSION, entry.to_json())


def _state(file: Path) -> list[int] | None:
    """Return the bytes of a file and when it was changed; None where it is away."""
    try:
        status = file.stat()
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns]


def _is_gone(photo: Path, brought: Path) -> bool:
    """Say whether a photograph was brought to the desk, and is no longer there."""
    return photo.is_relative_to(brought) and not photo.is_file()
