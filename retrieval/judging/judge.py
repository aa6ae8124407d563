"""Answer probes: open the catalogue, find the works on them, confirm and compare them, decide."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.rows import EncoderRecord, Photo
from retrieval.catalogue.standing import Register
from retrieval.catalogue.vector_index import read_vectors
from retrieval.catalogue.vote_index import read_votes
from retrieval.encoder.encoder import Encoder, load_encoder
from retrieval.encoder.stream import Embedded, Reading, embed_photographs, no_features
from retrieval.errors import CatalogueMissing, EncoderMismatch, UnreadableImage
from retrieval.finding.finder import Finder
from retrieval.finding.sightings import Sightings
from retrieval.judging.decision import Basis
from retrieval.judging.look import Look
from retrieval.judging.work import Work
from retrieval.machine import cpu_count
from retrieval.photographs.features import glance_at
from retrieval.photographs.images import DEFAULT_MAX_MEGAPIXELS, sha256_of
from retrieval.photographs.reader_process import Extract, read_here
from retrieval.statistics.calibration import Calibration, Thresholds


@dataclass(frozen=True, slots=True)
class Probe:
    """A photograph to be judged, and the object that it is said to show."""

    path: Path
    claim: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """All that is said of one photograph; `error` says why nothing could be.

    `claim` is what is said of it against the object that it is said to show, whatever else is near.
    """

    photo: Path
    sha256: str | None
    works: tuple[Work, ...]
    error: str | None = None
    claim: Work | None = None


@dataclass(frozen=True, slots=True)
class Judge:
    """An encoder and one revision of the catalogue in `data`, ready to judge photographs."""

    data: Path
    encoder: Encoder
    revision: int
    thresholds: Thresholds | None  # provisional ones
    finder: Finder
    register: Register
    calibration: Calibration | None = None  # the last one
    sightings: Sightings | None = None  # of earlier screenings; None: nobody asks for them

    @property
    def index(self) -> Any:
        """The vectors of the exemplars, by their ids."""
        return self.finder.index

    @property
    def photos(self) -> Mapping[int, Photo]:
        """The exemplars by their ids."""
        return self.finder.photos

    @property
    def exemplars(self) -> Mapping[str, Sequence[Photo]]:
        """The exemplars by object."""
        return self.finder.exemplars

    @property
    def basis(self) -> Basis:
        """What photographs are judged by: the calibration, or else provisional thresholds."""
        provisional, shipped = self.thresholds, self.encoder.combined_threshold
        usual = Basis(provisional and replace(provisional, combined=shipped))
        if self.calibration is None or provisional is None:
            return usual
        out_of_date = self.calibration.out_of_date(self.encoder.fingerprint, len(self.exemplars))
        if self.calibration.encoder != self.encoder.fingerprint:  # its distances do not compare
            return replace(usual, out_of_date=out_of_date)
        limits = self.calibration.thresholds
        if limits.combined is None or limits.combined.value is None:
            limits = replace(limits, combined=shipped)
        if limits.match.value is None:
            limits = replace(limits, match=provisional.match)
        return Basis(limits, self.calibration, out_of_date)

    def judge_all(
        self,
        probes: Iterable[Path | Probe],
        *,
        k: int,
        several: bool = False,
        apart: bool = False,
        read: Reading = read_here,
        max_megapixels: float = DEFAULT_MAX_MEGAPIXELS,
    ) -> Iterator[Verdict]:
        """Yield the verdict of every photograph, in order; an unreadable one gets a verdict with its error.

        With `several`, each work on a photograph is found and judged by itself. With `apart`, exemplars that are the
        very photograph are left out. A claim must name an object of the catalogue.
        """

        def judged(item: Embedded, probe: Probe) -> tuple[tuple[Work, ...], Work | None]:
            looking = Look(self, item, read, max_megapixels, apart)
            claim = looking.compared_with(probe.claim) if probe.claim is not None else None
            return looking.works(k, several=several), claim

        asked = (probe if isinstance(probe, Probe) else Probe(probe) for probe in probes)
        return self._judged(asked, judged, glance_at, read, max_megapixels)

    def compare_all(
        self,
        pairs: Iterable[tuple[Path, str]],
        *,
        apart: bool = False,
        max_megapixels: float = DEFAULT_MAX_MEGAPIXELS,
    ) -> Iterator[Verdict]:
        """Yield the verdict of each photograph against one object of the catalogue, its only match, in order.

        With `apart`, exemplars that are the very photograph are left out; the object must have others.
        """

        def judged(item: Embedded, probe: Probe) -> tuple[tuple[Work, ...], Work | None]:
            assert probe.claim is not None
            return (Look(self, item, read_here, max_megapixels, apart).compared_with(probe.claim),), None

        asked = (Probe(path, object_id) for path, object_id in pairs)
        return self._judged(asked, judged, no_features, read_here, max_megapixels)

    def _judged(
        self,
        asked: Iterable[Probe],
        judged: Callable[[Embedded, Probe], tuple[tuple[Work, ...], Work | None]],
        extract: Extract,
        read: Reading,
        max_megapixels: float,
    ) -> Iterator[Verdict]:
        """Yield the verdict of each photograph; reading, encoding and comparing overlap."""
        probes: deque[Probe] = deque()

        def paths() -> Iterator[Path]:
            for probe in asked:
                probes.append(probe)
                yield probe.path

        def verdict(item: Embedded, probe: Probe) -> Verdict:
            if item.photograph is None:
                return Verdict(item.path, _hash_or_none(item.path), (), str(item.error))
            works, claim = judged(item, probe)
            return Verdict(item.path, item.photograph.sha256, works, claim=claim)

        stream = embed_photographs(paths(), self.encoder, extract=extract, read=read, max_megapixels=max_megapixels)
        with ThreadPoolExecutor(cpu_count(), thread_name_prefix="judge") as pool:
            waiting: deque[Future[Verdict]] = deque()
            try:
                for embedded in stream:
                    waiting.append(pool.submit(verdict, embedded, probes.popleft()))
                    if len(waiting) > 2 * cpu_count():
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()

    def compare(self, path: Path, object_id: str, *, max_megapixels: float = DEFAULT_MAX_MEGAPIXELS) -> Verdict:
        """Return the verdict of a photograph against one object, its only match; raises UnknownObject."""
        with Catalogue.reading(self.data) as catalogue:
            catalogue.object(object_id)
        (verdict,) = self.compare_all([(path, object_id)], max_megapixels=max_megapixels)
        return verdict


def open_judge(data: Path, *, encoder_spec: str | None = None, device: str = "cpu", parallel: int = 1) -> Judge:
    """Return a judge over the catalogue in `data`, with the encoder that made it.

    `encoder_spec` names that encoder anew where its files have moved. Raises CatalogueMissing and EncoderMismatch.
    """
    with Catalogue.reading(data) as catalogue:
        record = catalogue.encoder
        if record is None:
            raise CatalogueMissing(f"The catalogue in {data} is empty. Run `artifact index FOLDER` first.")
        encoder = load_recorded(record, spec=encoder_spec, device=device, parallel=parallel)
        photos = {photo.photo_id: photo for photo in catalogue.photos() if photo.photo_id is not None}
        return Judge(
            data=data,
            encoder=encoder,
            revision=catalogue.revision,
            thresholds=catalogue.thresholds(),
            finder=Finder.of(read_vectors(catalogue), read_votes(catalogue), photos),
            register=Register.of(catalogue.objects()),
            calibration=catalogue.calibration(),
        )


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


def _hash_or_none(path: Path) -> str | None:
    try:
        return sha256_of(path)
    except UnreadableImage:
        return None
