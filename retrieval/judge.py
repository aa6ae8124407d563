"""Answer probes: open the catalogue, find the nearest objects, confirm and compare them, decide."""

from __future__ import annotations

from collections import ChainMap, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from retrieval.calibration import Calibration, Thresholds
from retrieval.catalogue import Catalogue, EncoderRecord, Photo
from retrieval.confirmation import DEPTH, confirm, confirm_one
from retrieval.decision import Basis, Decision, decide
from retrieval.divergence import Divergence, NotCompared, diverge
from retrieval.encoder import Encoder, cpu_count, load_encoder
from retrieval.errors import CatalogueMissing, EncoderMismatch, UnreadableImage
from retrieval.features import features_of_probe
from retrieval.images import DEFAULT_MAX_MEGAPIXELS, Photograph, read_photograph, sha256_of
from retrieval.quality import poor
from retrieval.registration import Registration
from retrieval.search import Match, exact_distance, nearest_objects
from retrieval.stream import Embedded, embed_photographs
from retrieval.vectors import read_vectors


@dataclass(frozen=True, slots=True)
class Work:
    """One work on a photograph: where it is (x, y, width, height in pixels of the upright photo) and what it is."""

    region: tuple[int, int, int, int]
    decision: Decision
    matches: tuple[Match, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """All that is said of one photograph; `error` says why nothing could be."""

    photo: Path
    sha256: str | None
    works: tuple[Work, ...]
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Judge:
    """An encoder and one revision of the catalogue in `data`, ready to judge photographs."""

    data: Path
    encoder: Encoder
    revision: int
    thresholds: Thresholds | None  # provisional ones
    index: Any
    photos: dict[int, Photo]
    exemplars: dict[str, list[Photo]]  # by object
    calibration: Calibration | None = None  # the last one

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
        self, paths: Iterable[Path], *, k: int, apart: bool = False, max_megapixels: float = DEFAULT_MAX_MEGAPIXELS
    ) -> Iterator[Verdict]:
        """Yield the verdict of every photograph, in order; an unreadable one gets a verdict with its error.

        With `apart`, exemplars that are the very photograph are left out.
        """

        def matches_of(item: Embedded, _: str) -> list[Match]:
            return self._confirmed(item, k, apart=apart)

        return self._judged(((path, "") for path in paths), matches_of, max_megapixels)

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
        return self._judged(pairs, lambda item, of: [self._match_with(item, of, apart=apart)], max_megapixels)

    def _judged(
        self,
        asked: Iterable[tuple[Path, str]],
        matches_of: Callable[[Embedded, str], list[Match]],
        max_megapixels: float,
    ) -> Iterator[Verdict]:
        """Yield the verdict of each photograph, given its matches; decoding, encoding and comparing overlap."""
        objects: deque[str] = deque()

        def paths() -> Iterator[Path]:
            for path, object_id in asked:
                objects.append(object_id)
                yield path

        def verdict(embedded: Embedded, object_id: str) -> Verdict:
            return self._verdict(embedded, lambda item: matches_of(item, object_id), max_megapixels)

        with ThreadPoolExecutor(cpu_count(), thread_name_prefix="judge") as pool:
            waiting: deque[Future[Verdict]] = deque()
            try:
                for embedded in self._embedded(paths(), max_megapixels):
                    waiting.append(pool.submit(verdict, embedded, objects.popleft()))
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

    def _embedded(self, paths: Iterable[Path], max_megapixels: float) -> Iterator[Embedded]:
        return embed_photographs(paths, self.encoder, extract=features_of_probe, max_megapixels=max_megapixels)

    def _verdict(
        self, embedded: Embedded, matches_of: Callable[[Embedded], list[Match]], max_megapixels: float
    ) -> Verdict:
        photograph = embedded.photograph
        if photograph is None:
            return Verdict(embedded.path, _hash_or_none(embedded.path), (), str(embedded.error))
        matches = [self._compared(match, photograph, max_megapixels) for match in matches_of(embedded)]
        decision = decide(matches, self.basis, poor=poor(photograph))
        region = (0, 0, photograph.width, photograph.height)
        return Verdict(embedded.path, photograph.sha256, (Work(region, decision, tuple(matches)),))

    def _confirmed(self, embedded: Embedded, k: int, *, apart: bool) -> list[Match]:
        """Return the k best objects: those that registration confirms, then the nearest."""
        assert embedded.features is not None and embedded.photograph is not None, "asked for above"
        photos: dict[int, Photo] = self.photos
        exemplars: Mapping[str, list[Photo]] = self.exemplars
        if apart:
            itself = embedded.photograph.sha256
            owners = {photo.object_id for photo in photos.values() if photo.sha256 == itself}
            others = {key: [photo for photo in exemplars[key] if photo.sha256 != itself] for key in owners}
            photos = {photo_id: photo for photo_id, photo in photos.items() if photo.sha256 != itself}
            exemplars = ChainMap(others, self.exemplars)
        nearest = nearest_objects(self.index, photos, embedded.vectors[0], k=max(k, DEPTH))
        with Catalogue.reading(self.data) as catalogue:  # features go by content: another revision does no harm
            return confirm(nearest, embedded.features, exemplars, catalogue.features)[:k]

    def _match_with(self, embedded: Embedded, object_id: str, *, apart: bool = False) -> Match:
        """Return an object by the exemplar that the photograph is registered to, or else by the nearest."""
        assert embedded.photograph is not None
        itself = embedded.photograph.sha256 if apart else None
        exemplars = [photo for photo in self.exemplars[object_id] if photo.sha256 != itself]
        distances = {
            photo.file: exact_distance(embedded.vectors[0], self.index.reconstruct(photo.photo_id))
            for photo in exemplars
        }
        nearest = min(distances, key=lambda file: distances[file])
        assert embedded.features is not None, "asked for above"
        with Catalogue.reading(self.data) as catalogue:
            match = Match(object_id, nearest, distances[nearest])
            return confirm_one(match, embedded.features, exemplars, catalogue.features, mirrored=True)

    def _compared(self, match: Match, probe: Photograph, max_megapixels: float) -> Match:
        """Return a match with the comparison place by place, where it is registered."""
        if not isinstance(match.registration, Registration):
            return match
        return replace(match, divergence=self._divergence(match, match.registration, probe, max_megapixels))

    def _divergence(
        self, match: Match, registration: Registration, probe: Photograph, max_megapixels: float
    ) -> Divergence | NotCompared:
        indexed = next(photo for photo in self.exemplars[match.object_id] if photo.file == match.exemplar)
        short_side = self.encoder.preprocessing.short_side
        try:
            exemplar = read_photograph(match.exemplar, short_side=short_side, max_megapixels=max_megapixels)
        except UnreadableImage as error:
            return NotCompared(f"the exemplar {match.exemplar} cannot be read: {error}")
        if exemplar.sha256 != indexed.sha256:
            return NotCompared(f"the exemplar {match.exemplar} was changed since; run `artifact index` again")
        limits = self.basis.thresholds
        threshold = limits.combined.value if limits is not None and limits.combined is not None else None
        return diverge(exemplar, probe, registration, self.encoder, global_distance=match.distance, threshold=threshold)


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
        exemplars: defaultdict[str, list[Photo]] = defaultdict(list)
        for photo in photos.values():
            exemplars[photo.object_id].append(photo)
        return Judge(
            data=data,
            encoder=encoder,
            revision=catalogue.revision,
            thresholds=catalogue.thresholds(),
            index=read_vectors(catalogue),
            photos=photos,
            exemplars=exemplars,
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
