"""Look at one photograph: find the works on it, and compare each with what it may be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np

from retrieval.catalogue import Catalogue, Photo
from retrieval.confirmation import confirm_one
from retrieval.decision import OF_AN_OBJECT
from retrieval.divergence import Divergence, NotCompared, diverge
from retrieval.errors import UnreadableImage
from retrieval.features import CLOSER, Features, features_of_probe
from retrieval.finding import Found
from retrieval.frames import bounds, corners_of, cut_out, outside, pictures_beside
from retrieval.images import Photograph, read_photograph
from retrieval.quality import poor
from retrieval.reading import Order
from retrieval.registration import Registration
from retrieval.search import Match
from retrieval.sightings import Sighting
from retrieval.stream import Embedded, Reading, no_features
from retrieval.works import Work, settle

if TYPE_CHECKING:
    from retrieval.judge import Judge

CLOSEST = 4.0  # times the usual pixels along a side, at most, with which several works on one photograph are looked at


class Look:
    """One photograph being judged."""

    def __init__(self, judge: Judge, item: Embedded, read: Reading, max_megapixels: float, apart: bool) -> None:
        assert item.photograph is not None
        self.judge, self.item, self.read, self.max_megapixels = judge, item, read, max_megapixels
        self.photograph = item.photograph
        self.finder = judge.finder.without(item.photograph.sha256) if apart else judge.finder
        self.size = (item.photograph.width, item.photograph.height)

    @cached_property
    def features(self) -> Features:
        """The features of a probe, found when they are first asked for."""
        return features_of_probe(self.photograph)

    @cached_property
    def closer_features(self) -> Features:
        """Finer features, found when they are first asked for."""
        times = CLOSER.side / self.judge.encoder.preprocessing.short_side
        return features_of_probe(self._seen_closer(times), CLOSER)

    @cached_property
    def poor(self) -> str | None:
        """Why the photograph is too poor to be judged, if it is."""
        return poor(self.photograph)

    def works(self, k: int, *, several: bool) -> tuple[Work, ...]:
        """Return the works on the photograph, each with its k best objects."""
        assert self.item.features is not None, "asked for above"
        with Catalogue.reading(self.judge.data) as catalogue:  # features go by content: another revision does no harm
            found = self.finder.works(
                self.item.features,
                self.item.vectors[0],
                probe=lambda: self.features,
                closer=lambda: self.closer_features,
                k=k,
                several=several,
                limit=self._limit(),
                features_of=catalogue.features,
            )
            outlines = [work.outline for work in found if work.outline is not None]
            beside = pictures_beside(self.photograph, self.features, outlines) if several and outlines else []
            vectors = self.judge.encoder.encode([cut_out(self.photograph, quad) for quad in beside])
            found += [
                self.finder.framed(quad, self.closer_features, vector, k=k, features_of=catalogue.features)
                for quad, vector in zip(beside, vectors, strict=True)
            ]
        if len(found) == 1:
            return (self._sighted(self._work(found[0]), self.item.vectors[0], lambda: self.item.features),)
        return tuple(self._seen_alone(found, k))

    def _limit(self) -> float | None:
        """Return the distance up to which an object may be meant by a photograph that has no votes."""
        limits = self.judge.basis.thresholds
        return None if limits is None else limits.match.value

    def _seen_alone(self, found: Sequence[Found], k: int) -> Iterator[Work]:
        """Yield works with the distances that they have each by itself, cut out of the photograph."""
        quads = [self._corners(work) for work in found]
        smallest = min(min(bounds(quad, self.size)[2:]) for quad in quads)
        self.photograph = self._seen_closer(min(self.size) / smallest)
        vectors = self.judge.encoder.encode([cut_out(self.photograph, quad) for quad in quads])
        for work, quad, vector in zip(found, quads, vectors, strict=True):
            yield self._sighted(self._work(self._at(work, vector, k)), vector, partial(self._inside, quad))

    def _inside(self, quad: np.ndarray) -> Features:
        """Return the features inside of a quadrangle, or not far from it."""
        return self.closer_features.among(~outside([quad], self.closer_features.points))

    def _sighted(self, work: Work, vector: np.ndarray, features: Callable[[], Features | None]) -> Work:
        """Return a work, if it is of no object, with how it looks and where it was seen before."""
        registered = work.matches and isinstance(work.matches[0].registration, Registration)
        if registered or work.decision.outcome in OF_AN_OBJECT or not (shown := features()):
            return work
        sighting, earlier = Sighting(vector, shown), self.judge.sightings
        return replace(work, sighting=sighting, seen=() if earlier is None else earlier.like(sighting))

    def _seen_closer(self, times: float) -> Photograph:
        """Return the photograph read again with so many times the pixels along a side, if it is still there."""
        side = round(self.judge.encoder.preprocessing.short_side * min(times, CLOSEST))
        with suppress(UnreadableImage):
            closer = self.read(Order(self.photograph.path, side, self.max_megapixels, no_features)).photograph
            if closer.sha256 == self.photograph.sha256:
                return closer
        return self.photograph

    def _corners(self, work: Found) -> np.ndarray:
        """Return the corners of a work on the photograph, float64 (4, 2), clockwise from its top left."""
        if not work.matches:
            assert work.outline is not None
            return work.outline
        registration, exemplar = work.matches[0].registration, self._exemplar(work.matches[0])
        assert isinstance(registration, Registration)
        return corners_of(registration.homography, (exemplar.width, exemplar.height))

    def _at(self, work: Found, vector: np.ndarray, k: int) -> Found:
        """Return a work with distances to its own vector, and what else is near to that."""
        registered = [
            replace(
                self.finder.match(match.object_id, vector), registration=match.registration, exemplar=match.exemplar
            )
            for match in work.matches
            if isinstance(match.registration, Registration)
        ]
        known = {match.object_id for match in registered}
        near = [match for match in self.finder.nearest(vector, k) if match.object_id not in known]
        return replace(work, matches=(*registered, *near)[:k])

    def compared_with(self, object_id: str) -> Work:
        """Return what is said of the photograph against one object, by the exemplar that it is registered to."""
        return self._work(Found((self._confirmed(object_id),)))

    def _confirmed(self, object_id: str) -> Match:
        match = self.finder.match(object_id, self.item.vectors[0])
        with Catalogue.reading(self.judge.data) as catalogue:
            return confirm_one(match, self.features, self.finder.exemplars[object_id], catalogue.features)

    def _work(self, found: Found) -> Work:
        region = (0, 0, *self.size) if found.outline is None else bounds(found.outline, self.size)
        matches = [self._compared(match) for match in found.matches]
        return settle(
            region,
            found.outline,
            matches,
            self.judge.basis,
            self.judge.register,
            poor=self.poor,
            compared_with=self._other,
        )

    def _other(self, object_id: str) -> Match | None:
        """Return the photograph compared with another object; None where that is not catalogued."""
        return self._compared(self._confirmed(object_id)) if object_id in self.finder.exemplars else None

    def _compared(self, match: Match) -> Match:
        """Return a match with the comparison place by place, where it is registered."""
        if not isinstance(match.registration, Registration):
            return match
        return replace(match, divergence=self._divergence(match, match.registration))

    def _exemplar(self, match: Match) -> Photo:
        return next(photo for photo in self.finder.exemplars[match.object_id] if photo.file == match.exemplar)

    def _divergence(self, match: Match, registration: Registration) -> Divergence | NotCompared:
        encoder, limits = self.judge.encoder, self.judge.basis.thresholds
        side = encoder.preprocessing.short_side
        try:
            exemplar = read_photograph(match.exemplar, short_side=side, max_megapixels=self.max_megapixels)
        except UnreadableImage as error:
            return NotCompared(f"the exemplar {match.exemplar} cannot be read: {error}")
        if exemplar.sha256 != self._exemplar(match).sha256:
            return NotCompared(f"the exemplar {match.exemplar} was changed since; run `artifact index` again")
        threshold = limits.combined.value if limits is not None and limits.combined is not None else None
        return diverge(
            exemplar, self.photograph, registration, encoder, global_distance=match.distance, threshold=threshold
        )
