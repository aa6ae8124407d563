"""One revision of a catalogue, opened for judging: its encoder, its finder, its thresholds, what its register says."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from retrieval.catalogue.alarms import Alarms
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.content_keys import vectors_of
from retrieval.catalogue.database import said_plainly
from retrieval.catalogue.exemplar_files import ExemplarFiles
from retrieval.catalogue.exemplars import Anew, Asked, Held
from retrieval.catalogue.lookups import alarming_objects, exemplars_named
from retrieval.catalogue.made_in_memory import say_made_in_memory
from retrieval.catalogue.pictures import read_exemplar
from retrieval.catalogue.rows import EncoderRecord, Photo
from retrieval.catalogue.segmenting import Found, Opened, complete_segments, hold_all, open_sound, with_what_is_new
from retrieval.catalogue.standing import Register
from retrieval.catalogue.vector_index import Vectors
from retrieval.comparing.network import default_description, measured_by
from retrieval.encoder.encoder import Encoder, load_encoder
from retrieval.errors import CatalogueMissing, EncoderMismatch
from retrieval.finding.confirmation import FeaturesOf
from retrieval.finding.finder import Finder
from retrieval.finding.sightings import Sightings
from retrieval.judging.decision import Basis
from retrieval.photographs.photograph import Photograph
from retrieval.statistics.calibration import Calibration, Thresholds

TRIES = 3  # to open a revision whose files a writer does not remove meanwhile


@dataclass(frozen=True, slots=True)
class Edition:
    """All that photographs are judged by: an encoder and one revision of the catalogue in `data`."""

    data: Path
    encoder: Encoder
    revision: int
    thresholds: Thresholds | None  # provisional ones
    finder: Finder
    register: Register
    calibration: Calibration | None = None  # the last one
    misfit: bool = False  # reviewers found that the calibration no longer fits the photographs
    sightings: Sightings | None = None  # of earlier screenings; None: nobody asks for them
    closely: bool = False  # works are looked at in parts too, at the resolution that both files have
    files: ExemplarFiles = field(default_factory=ExemplarFiles)

    @property
    def exemplars(self) -> Mapping[str, Sequence[Photo]]:
        """The exemplars by object."""
        return self.finder.exemplars

    def exemplar(self, object_id: str, file: Path) -> Photo:
        """Return the exemplar of an object that lies in a file."""
        return next(photo for photo in self.exemplars[object_id] if photo.file == file)

    def read_exemplar(
        self, object_id: str, file: Path, *, short_side: int, max_megapixels: float = math.inf, compared: bool = False
    ) -> Photograph:
        """Read the exemplar of an object that lies in a file, as it was indexed; raises ExemplarAway.

        What is `compared` is read as exactly as it is there; else a picture for people does.
        """
        photo = self.exemplar(object_id, file)
        return read_exemplar(self.data, photo, short_side=short_side, max_megapixels=max_megapixels, compared=compared)

    @contextmanager
    def features(self) -> Iterator[FeaturesOf]:
        """Give what returns the features of exemplars; they go by content, so another revision does no harm."""
        with Catalogue.reading(self.data) as catalogue:
            yield catalogue.features

    def metadata(self, object_id: str) -> Mapping[str, str]:
        """Return what the catalogue says of an object."""
        with Catalogue.reading(self.data) as catalogue:
            return catalogue.object(object_id).metadata

    def exemplars_named(self, names: Collection[str]) -> list[Path]:
        """Return the files of exemplars that have one of some names, case folded."""
        with Catalogue.reading(self.data) as catalogue:
            return exemplars_named(catalogue, names)

    @property
    def measured_by(self) -> str:
        """What distances are measured by, encoder and comparison network: those of others do not compare."""
        return measured_by(self.encoder.fingerprint, closely=self.closely)

    @property
    def basis(self) -> Basis:
        """What photographs are judged by: the calibration, or else provisional thresholds."""
        provisional, shipped = self.thresholds, default_description().threshold
        usual = Basis(provisional and replace(provisional, combined=shipped))
        if self.calibration is None or provisional is None:
            return usual
        out_of_date = self.calibration.out_of_date(self.measured_by, len(self.exemplars))
        if self.calibration.encoder != self.measured_by:  # its distances do not compare
            return replace(usual, out_of_date=out_of_date)
        limits = self.calibration.thresholds
        if limits.combined is None or limits.combined.value is None:
            limits = replace(limits, combined=shipped)
        if limits.match.value is None:
            limits = replace(limits, match=provisional.match)
        return Basis(limits, self.calibration, out_of_date, self.misfit)


def open_edition(data: Path, *, encoder_spec: str | None = None, device: str = "cpu", parallel: int = 1) -> Edition:
    """Return the last revision of the catalogue in `data`, with the encoder that made the catalogue.

    `encoder_spec` names that encoder anew where its files have moved. Raises CatalogueMissing and EncoderMismatch.
    """
    with said_plainly(data), ThreadPoolExecutor(1, thread_name_prefix="load") as aside:
        held, found = _held(data)
        catalogue = held.catalogue
        record = catalogue.encoder
        if record is None:
            raise CatalogueMissing(f"The catalogue in {data} is empty. Run `artifact index FOLDER` first.")
        loading = aside.submit(load_recorded, record, spec=encoder_spec, device=device, parallel=parallel)
        finder, register = _looked_up_in(held, found)
        return Edition(
            data=data,
            encoder=loading.result(),
            revision=catalogue.revision,
            thresholds=catalogue.thresholds(),
            finder=finder,
            register=register,
            calibration=catalogue.calibration(),
        )


def _held(data: Path) -> tuple[Held, Found]:
    """Hold the last revision with its segments, complete where they can be, opened once: a writer may remove files."""
    for _ in range(TRIES):
        held = Held(data)
        found = held.ask(open_sound)
        if held.ask(partial(hold_all, found=found)):
            return held, found
        del held  # a reader would keep what is being written in the log
        complete_segments(data)
    held = Held(data)
    return held, held.ask(open_sound)


def _looked_up_in(held: Held, found: Found) -> tuple[Finder, Register]:
    """Return what photographs are looked up in; it is read whole where keeping it open would do harm."""
    catalogue = held.catalogue
    say_made_in_memory(catalogue, found)
    opened, alarming = with_what_is_new(catalogue, found), alarming_objects(catalogue)
    if held.hinders_nobody:
        vectors = _vectors(opened, held)
        finder = Finder.over(vectors, opened.votes, held, Alarms(alarming, held, vectors))
        return finder, Register.of(alarming, held.object)
    anew = Anew(held.catalogue.data)  # what goes by content is right in another revision too
    vectors = _vectors(opened, anew)
    finder = Finder.of(vectors, opened.votes, catalogue.photos(), Alarms(alarming, anew, vectors))
    return finder, Register.of(catalogue.objects())


def _vectors(opened: Opened, asked: Asked) -> Vectors:
    return Vectors(opened.vectors, lambda hashes: asked.ask(lambda catalogue: vectors_of(catalogue, hashes)))


def load_recorded(
    record: EncoderRecord,
    *,
    spec: str | None = None,
    precision: str | None = None,
    device: str,
    parallel: int,
) -> Encoder:
    """Load the encoder that made a catalogue; raises EncoderMismatch where what is loaded is another one."""
    encoder = load_encoder(
        spec or record.spec, precision=precision or record.precision, device=device, parallel=parallel
    )
    if encoder.fingerprint != record.fingerprint:
        raise EncoderMismatch(
            f"This catalogue was made with the encoder {record.fingerprint}, not {encoder.fingerprint}: their "
            "distances do not compare. To use the other one, index again into a new folder: "
            "artifact index FOLDER --data NEW_FOLDER --encoder ENCODER"
        )
    return encoder
