"""Answer probes: open the catalogue, find the nearest objects, confirm and compare them, decide."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from retrieval.calibration import Thresholds
from retrieval.catalogue import Catalogue, EncoderRecord, Photo
from retrieval.confirmation import DEPTH, confirm, confirm_one
from retrieval.decision import Decision, decide
from retrieval.divergence import Divergence, NotCompared, diverge
from retrieval.encoder import Encoder, cpu_count, load_encoder
from retrieval.errors import CatalogueMissing, EncoderMismatch, UnreadableImage
from retrieval.features import features_of_probe
from retrieval.images import DEFAULT_MAX_MEGAPIXELS, Photograph, read_photograph, sha256_of
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
    thresholds: Thresholds | None
    index: Any
    photos: dict[int, Photo]
    exemplars: dict[str, list[Photo]]  # by object

    def judge_all(
        self, paths: Iterable[Path], *, k: int, max_megapixels: float = DEFAULT_MAX_MEGAPIXELS
    ) -> Iterator[Verdict]:
        """Yield the verdict of every photograph, in order; an unreadable one gets a verdict with its error."""

        def verdict(embedded: Embedded) -> Verdict:
            return self._verdict(embedded, lambda item: self._confirmed(item, k), max_megapixels)

        with ThreadPoolExecutor(cpu_count(), thread_name_prefix="judge") as pool:
            waiting: deque[Future[Verdict]] = deque()
            try:
                for embedded in self._embedded(paths, max_megapixels):
                    waiting.append(pool.submit(verdict, embedded))
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
        (embedded,) = self._embedded([path], max_megapixels)
        return self._verdict(embedded, lambda item: [self._match_with(item, object_id)], max_megapixels)

    def _embedded(self, paths: Iterable[Path], max_megapixels: float) -> Iterator[Embedded]:
        return embed_photographs(paths, self.encoder, extract=features_of_probe, max_megapixels=max_megapixels)

    def _verdict(
        self, embedded: Embedded, matches_of: Callable[[Embedded], list[Match]], max_megapixels: float
    ) -> Verdict:
        photograph = embedded.photograph
        if photograph is None:
            return Verdict(embedded.path, _hash_or_none(embedded.path), (), str(embedded.error))
        matches = [self._compared(match, photograph, max_megapixels) for match in matches_of(embedded)]
        size = (photograph.width, photograph.height)
        decision = decide(matches, self.thresholds, size=size, local_threshold=self.encoder.local_threshold)
        return Verdict(embedded.path, photograph.sha256, (Work((0, 0, *size), decision, tuple(matches)),))

    def _confirmed(self, embedded: Embedded, k: int) -> list[Match]:
        """Return the k best objects: those that registration confirms, then the nearest."""
        nearest = nearest_objects(self.index, self.photos, embedded.vectors[0], k=max(k, DEPTH))
        assert embedded.features is not None, "asked for above"
        with Catalogue.reading(self.data) as catalogue:  # features go by content: another revision does no harm
            return confirm(nearest, embedded.features, self.exemplars, catalogue.features)[:k]

    def _match_with(self, embedded: Embedded, object_id: str) -> Match:
        """Return an object by the exemplar that the photograph is registered to, or else by the nearest."""
        distances = {
            self.photos[photo_id].file: exact_distance(embedded.vectors[0], self.index.reconstruct(photo_id))
            for photo_id, photo in self.photos.items()
            if photo.object_id == object_id
        }
        nearest = min(distances, key=lambda file: distances[file])
        assert embedded.features is not None, "asked for above"
        with Catalogue.reading(self.data) as catalogue:
            match = Match(object_id, nearest, distances[nearest])
            return confirm_one(match, embedded.features, self.exemplars[object_id], catalogue.features, mirrored=True)

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
        return diverge(exemplar, probe, registration, self.encoder, global_distance=match.distance)


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
            data, encoder, catalogue.revision, catalogue.thresholds(), read_vectors(catalogue), photos, exemplars
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
