"""Judge one photograph by another, which is taken as the exemplar, without a catalogue."""

from __future__ import annotations

import math
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from retrieval.catalogue.rows import Photo
from retrieval.catalogue.standing import Register
from retrieval.catalogue.vector_index import Vectors
from retrieval.comparing.network import default_description
from retrieval.encoder.encoder import Encoder
from retrieval.encoder.stream import Reading, embed_photographs
from retrieval.errors import ExemplarAway, UnreadableImage
from retrieval.finding.confirmation import FeaturesOf
from retrieval.finding.finder import Finder
from retrieval.judging.decision import Basis, Decision
from retrieval.judging.edition import Edition
from retrieval.judging.judge import Verdict, compare_all
from retrieval.judging.work import Work
from retrieval.outcome import Outcome
from retrieval.photographs.features import Features, features_of
from retrieval.photographs.images import read_photograph
from retrieval.photographs.numbered import NumberedPicture
from retrieval.photographs.photograph import Photograph
from retrieval.photographs.quality import poor
from retrieval.photographs.reader_process import read_here
from retrieval.statistics.calibration import FALSE_ALARM_RATE, FALSE_MATCH_RATE, Threshold, Thresholds

NO_CATALOGUE = 0  # the revision of what is judged without one


@dataclass(frozen=True, slots=True)
class OneExemplar(Edition):
    """What photographs are judged by where nothing is indexed: one photograph, as the only exemplar of one object."""

    shown: Photograph | None = None
    found: Features | None = None

    @property
    def basis(self) -> Basis:
        """What photographs are judged by: the threshold of the combined distance that comes with the program."""
        assert self.thresholds is not None
        return Basis(replace(self.thresholds, combined=default_description().threshold), alone=True)

    @contextmanager
    def features(self) -> Iterator[FeaturesOf]:
        """Give the features of the exemplar."""
        assert self.shown is not None and self.found is not None
        found = {self.shown.sha256: self.found}
        yield lambda wanted: {sha256: found[sha256] for sha256 in wanted if sha256 in found}

    def exemplars_named(self, names: Collection[str]) -> list[Path]:
        """Return the exemplar, where it has one of the names."""
        files = (photo.file for photos in self.exemplars.values() for photo in photos)
        return [file for file in files if file.name.casefold() in names]

    def metadata(self, object_id: str) -> Mapping[str, str]:
        """Return nothing: nobody said anything of it."""
        return {}

    def read_exemplar(
        self, object_id: str, file: Path, *, short_side: int, max_megapixels: float = math.inf, compared: bool = False
    ) -> Photograph:
        """Return the exemplar as it was read, to be compared; for people, or a closer look, read it again.

        Raises ExemplarAway.
        """
        assert self.shown is not None
        if compared and not self.closely:
            return self.shown
        try:
            again = read_photograph(
                file, short_side=short_side, max_megapixels=max_megapixels, picture=self.shown.picture
            )
        except UnreadableImage as error:
            raise ExemplarAway(str(error)) from error
        if again.sha256 != self.shown.sha256:
            raise ExemplarAway(f"{file} has changed since it was compared")
        return again


def taken_as_exemplar(
    exemplar: Path | NumberedPicture,
    name: str,
    encoder: Encoder,
    *,
    read: Reading = read_here,
    max_megapixels: float,
) -> OneExemplar:
    """Return what photographs are judged by, with one photograph as the exemplar, of what has a name.

    Raises UnreadableImage.
    """
    (item,) = embed_photographs([exemplar], encoder, extract=features_of, read=read, max_megapixels=max_megapixels)
    if item.photograph is None:
        raise UnreadableImage(f"{exemplar}: {item.error}")
    assert item.features is not None
    shown, status = item.photograph, item.path.stat()
    photo = Photo(
        object_id=name,
        folder=str(shown.path.parent),
        path=shown.path.name,
        sha256=shown.sha256,
        bytes=status.st_size,
        modified_ns=status.st_mtime_ns,
        width=shown.width,
        height=shown.height,
        photo_id=0,
    )
    one = Threshold(None, FALSE_MATCH_RATE, 1), Threshold(None, FALSE_ALARM_RATE, 1)
    return OneExemplar(
        data=Path(os.devnull),
        encoder=encoder,
        revision=NO_CATALOGUE,
        thresholds=Thresholds(*one),
        finder=Finder.of(Vectors.of(item.vectors, [photo.sha256]), (), [photo]),
        register=Register.of([]),
        shown=shown,
        found=item.features.as_stored(),
    )


def judged_by(
    edition: OneExemplar, photo: Path | NumberedPicture, *, read: Reading = read_here, max_megapixels: float
) -> Verdict:
    """Return the verdict of a photograph by the one that is taken as the exemplar."""
    (name,) = edition.exemplars
    (verdict,) = compare_all(edition, [(photo, name)], read=read, max_megapixels=max_megapixels)
    return replace(verdict, works=tuple(_said(work, verdict, name, edition) for work in verdict.works))


def _said(work: Work, verdict: Verdict, name: str, edition: OneExemplar) -> Work:
    """Return a work with what there is to say where the exemplar is just another photograph."""
    shown = edition.shown
    assert shown is not None
    decision = work.decision
    if (why := poor(shown)) is not None:
        decision = Decision(Outcome.INCONCLUSIVE, (f"of {name}: {why}",))
    same = (verdict.sha256, verdict.picture) == (shown.sha256, shown.picture)
    said = (f"{name}, named first, is taken as the exemplar", *(("both are the same file",) if same else ()))
    return replace(work, decision=replace(decision, reasons=(*decision.reasons, *said)))
