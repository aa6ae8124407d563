"""Answer probes: open the catalogue, find the nearest objects, confirm them, decide."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retrieval.calibration import Thresholds
from retrieval.catalogue import Catalogue, EncoderRecord, Photo
from retrieval.confirmation import DEPTH, confirm
from retrieval.decision import Decision, decide
from retrieval.encoder import Encoder, load_encoder
from retrieval.errors import CatalogueMissing, EncoderMismatch, UnreadableImage
from retrieval.features import features_of_probe
from retrieval.images import DEFAULT_MAX_MEGAPIXELS, sha256_of
from retrieval.search import Match, nearest_objects
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
        for embedded in embed_photographs(
            paths, self.encoder, extract=features_of_probe, max_megapixels=max_megapixels
        ):
            yield self._verdict(embedded, k)

    def _verdict(self, embedded: Embedded, k: int) -> Verdict:
        photograph = embedded.photograph
        if photograph is None:
            return Verdict(embedded.path, _hash_or_none(embedded.path), (), str(embedded.error))
        matches = self._matches(embedded, k)
        size = (photograph.width, photograph.height)
        work = Work((0, 0, *size), decide(matches, self.thresholds, size=size), tuple(matches))
        return Verdict(embedded.path, photograph.sha256, (work,))

    def _matches(self, embedded: Embedded, k: int) -> list[Match]:
        """Return the k best objects: those that registration confirms, then the nearest."""
        nearest = nearest_objects(self.index, self.photos, embedded.vectors[0], k=max(k, DEPTH))
        assert embedded.features is not None, "asked for above"
        with Catalogue.reading(self.data) as catalogue:  # features go by content: another revision does no harm
            return confirm(nearest, embedded.features, self.exemplars, catalogue.features)[:k]


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
