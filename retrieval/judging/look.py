"""Look at one photograph: find the works on it, and compare each with what it may be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from retrieval.catalogue.rows import Photo
from retrieval.comparing.divergence import Divergence, NoExemplar, NotCompared, diverge, why_not
from retrieval.comparing.registration import Registration
from retrieval.encoder.stream import EmbeddedPhotograph, Reading, no_features
from retrieval.errors import ExemplarAway, UnreadableImage
from retrieval.finding.charts import is_chart
from retrieval.finding.confirmation import FeaturesOf
from retrieval.finding.finder import FoundWork
from retrieval.finding.frames import bounds, corners_of, cut_out, outside, pictures_beside
from retrieval.finding.match import Match
from retrieval.finding.sightings import Sighting
from retrieval.judging.condition import condition_of
from retrieval.judging.decision import decide
from retrieval.judging.edition import Edition
from retrieval.judging.small import why_small
from retrieval.judging.stability import is_flag, measured_again, steadied
from retrieval.judging.work import Work, meant, settle
from retrieval.outcome import OF_AN_OBJECT, Outcome
from retrieval.photographs.features import CLOSER, PART, Features, extract_features, features_of_probe
from retrieval.photographs.photograph import Photograph
from retrieval.photographs.quality import poor, shows_nothing
from retrieval.photographs.reader_process import Order

SMALL = 0.45  # of a photograph's area: a picture on it that may not have been seen for all that is around it
SEEMS_KNOWN = 0.95  # distance from an object; 9 % of 300 photographs of unknown works had a small picture so near
CLOSEST = 4.0  # times the usual pixels along a side with which small works are looked at


class Look:
    """One photograph being judged; what is said of one object or work does not depend on what was asked before."""

    def __init__(
        self, edition: Edition, item: EmbeddedPhotograph, read: Reading, max_megapixels: float, apart: bool
    ) -> None:
        assert item.photograph is not None
        self.edition, self.item, self.read, self.max_megapixels = edition, item, read, max_megapixels
        self.photograph = item.photograph
        self.finder = edition.finder.without(item.photograph.sha256) if apart else edition.finder
        self.size = (item.photograph.width, item.photograph.height)
        self._poor: dict[tuple[int, int], str | None] = {}  # by the size of what was read
        self._exemplars: dict[tuple[str, Path], Photograph] = {}  # a flag is measured four times
        self._divergences: dict[object, Divergence | NotCompared] = {}  # a claim is often the object found
        self._again: dict[object, list[tuple[str, Match]]] = {}  # and a flag twice then

    def _glance(self) -> Features:
        """Return the features at a glance, with which a probe is read."""
        assert self.item.features is not None, "a probe is read with its features"
        return self.item.features

    @cached_property
    def features(self) -> Features:
        """The features of the photograph as a probe, found when they are first asked for."""
        return features_of_probe(self.photograph)

    @cached_property
    def closer(self) -> Photograph:
        """The photograph read again with CLOSEST times the pixels along a side, if it is still there."""
        side = round(CLOSEST * self.edition.encoder.preprocessing.short_side)
        shown = self.photograph
        with suppress(UnreadableImage):
            found = self.read(Order(shown.path, side, self.max_megapixels, no_features, shown.picture)).photograph
            if found.sha256 == self.photograph.sha256:
                return found
        return self.photograph

    @property
    def _looked_at(self) -> Photograph:
        """The photograph as a work that has it for itself is compared by it."""
        return self.closer if self.edition.closely else self.photograph

    @cached_property
    def closer_features(self) -> Features:
        """Finer features of the photograph, found when they are first asked for."""
        return features_of_probe(self.closer, CLOSER)

    def works(self, k: int, *, several: bool) -> tuple[Work, ...]:
        """Return the works on the photograph, each with its k best objects."""
        with self.edition.features() as features_of:
            found = self.finder.works(
                self._glance(),
                self.item.vectors[0],
                probe=lambda: self.features,
                closer=lambda: self.closer_features,
                k=k,
                several=several,
                limit=self._limit(),
                features_of=features_of,
            )
            if several:
                found = self._with_framed(found, k, features_of)
            found = [replace(work, matches=meant(work.matches, k, self.edition.register)) for work in found]
        if len(found) == 1:
            work = self._work(found[0], self._looked_at)
            return (self._sighted(work, self.item.vectors[0], self._glance),)
        return tuple(self._seen_alone(found, k))

    def _with_framed(self, found: list[FoundWork], k: int, features_of: FeaturesOf) -> list[FoundWork]:
        """Return the works found and the pictures in frames beside them, each of which is looked up by itself.

        Where nothing was found, small pictures are looked for on the whole photograph, as on a page or a screen; the
        pictures are told only where one of them shows an object. A chart or a ruler beside a work is no work.
        """
        outlines = [work.outline for work in found if work.outline is not None]
        if outlines:
            quads = pictures_beside(self.photograph, self._glance(), outlines, closer=lambda: self.features)
        else:
            quads = pictures_beside(self.photograph, self._glance(), [], largest=SMALL)
        pictures = [cut_out(self.photograph, quad) for quad in quads]
        vectors = self.edition.encoder.encode(pictures)
        framed = [self._framed(quad, vector, k, features_of) for quad, vector in zip(quads, vectors, strict=True)]
        framed = [
            work
            for work, picture in zip(framed, pictures, strict=True)
            if any(match.registered for match in work.matches) or not is_chart(picture)
        ]
        if outlines:
            return [*found, *framed]
        return sorted(framed, key=lambda work: not work.matches) if any(work.matches for work in framed) else found

    def _framed(self, quad: np.ndarray, vector: np.ndarray, k: int, features_of: FeaturesOf) -> FoundWork:
        """Return what a picture in a quadrangle, float64 (4, 2), is, by its embedding."""
        if not any(match.distance <= SEEMS_KNOWN for match in self.finder.nearest(vector, 1)):
            return FoundWork((), quad)
        return self.finder.framed(quad, self._inside(quad), vector, k=k, features_of=features_of)

    def _limit(self) -> float | None:
        """Return the distance up to which an object may be meant by a photograph that has no votes."""
        limits = self.edition.basis.thresholds
        return None if limits is None else limits.match.value

    def _seen_alone(self, found: Sequence[FoundWork], k: int) -> Iterator[Work]:
        """Yield works with the distances that they have each by itself, cut out of the photograph."""
        quads = [self._corners(work) for work in found]
        vectors = self.edition.encoder.encode([cut_out(self.closer, quad) for quad in quads])
        for alone, quad, vector in zip(found, quads, vectors, strict=True):
            work = self._work(self._at(alone, vector, k), self.closer, quad)
            yield self._sighted(work, vector, partial(self._features_in, quad))

    def _inside(self, quad: np.ndarray) -> Features:
        """Return the features in the rectangle around a quadrangle, found by looking closer there."""
        x, y, width, height = bounds(quad, self.size)
        scale = self.closer.image.width / self.closer.width
        left, top, right, bottom = (round(scale * value) for value in (x, y, x + width, y + height))
        found = extract_features(self.closer.image.crop((left, top, right, bottom)), (width, height), detail=PART)
        return Features(found.points + np.array([x, y], np.float32), found.descriptors, self.size)

    def _features_in(self, quad: np.ndarray) -> Features:
        """Return the features of the whole that lie in a quadrangle or not far from it."""
        return self.features.among(~outside([quad], self.features.points))

    def _sighted(self, work: Work, vector: np.ndarray, features: Callable[[], Features | None]) -> Work:
        """Return a work; one of no object gets how it looks and where it was seen before."""
        registered = work.matches and work.matches[0].registered
        if registered or work.decision.outcome in OF_AN_OBJECT or not (shown := features()):
            return work
        sighting, earlier = Sighting(vector, shown), self.edition.sightings
        return replace(work, sighting=sighting, seen=() if earlier is None else earlier.like(sighting))

    def _corners(self, work: FoundWork) -> np.ndarray:
        """Return the corners of a work on the photograph, float64 (4, 2), clockwise from its top left."""
        if not work.matches:
            assert work.outline is not None
            return work.outline
        registration, exemplar = work.matches[0].registered, self._exemplar(work.matches[0])
        assert registration is not None
        return corners_of(registration.homography, (exemplar.width, exemplar.height))

    def _at(self, work: FoundWork, vector: np.ndarray, k: int) -> FoundWork:
        """Return a work with distances to its own vector, and the other objects near that vector."""
        registered = [
            replace(
                self.finder.match(match.object_id, vector), registration=match.registration, exemplar=match.exemplar
            )
            for match in work.matches
            if match.registered
        ]
        known = {match.object_id for match in registered}
        near = [match for match in self.finder.nearest(vector, k) if match.object_id not in known]
        return replace(work, matches=(*registered, *near)[: max(k, len(registered))])

    def compared_with(self, object_id: str) -> Work:
        """Return what is said of the photograph against one object, by the exemplar that it is registered to."""
        return self._work(FoundWork((self._confirmed(object_id),)), self._looked_at)

    def _confirmed(self, object_id: str) -> Match:
        with self.edition.features() as features_of:
            return self.finder.confirmed(
                object_id,
                self._glance(),
                self.item.vectors[0],
                probe=lambda: self.features,
                features_of=features_of,
            )

    def _work(self, found: FoundWork, photograph: Photograph, quad: np.ndarray | None = None) -> Work:
        """Return what is said of a work, compared by the photograph as it was read first, or closer.

        `quad`, float64 (4, 2), is what the work's vector is of; None: the whole photograph.
        """
        region = (0, 0, *self.size) if found.outline is None else bounds(found.outline, self.size)
        matches = [self._compared(match, photograph) for match in found.matches]
        work = settle(
            region,
            found.outline,
            matches,
            self.edition.basis,
            self.edition.register,
            poor=self._why_poor(photograph) or self._why_empty(matches, whole=quad is None),
            compared_with=partial(self._other, photograph),
        )
        if not is_flag(work):
            return work
        flagged = work.matches[0]
        if (inputs := _inputs(flagged, photograph)) not in self._again:
            self._again[inputs] = measured_again(
                flagged, photograph, quad, edition=self.edition, finder=self.finder, compare=self._divergence
            )
        return steadied(work, self._again[inputs], self.edition.basis)

    def _why_empty(self, matches: Sequence[Match], *, whole: bool) -> str | None:
        """Return why the global distance says nothing: the exemplar is empty, or all but a part of the photograph."""
        if not matches or matches[0].registered is not None:
            return None
        if decide(matches, self.edition.basis).outcome is Outcome.NO_MATCH:
            return why_small(self._glance(), self.size) if whole else None
        best = matches[0]
        with suppress(ExemplarAway):
            if shows_nothing(self._read_exemplar(best).image):
                said = f"the exemplar of {best.object_id} shows nothing to compare with"
                return f"{said}; one that shows the work would help"
        return None

    def _why_poor(self, photograph: Photograph) -> str | None:
        """Return why the photograph, as it was read first or closer, is too poor to be judged, if it is."""
        size = photograph.image.size
        if size not in self._poor:
            self._poor[size] = poor(photograph)
        return self._poor[size]

    def _other(self, photograph: Photograph, object_id: str) -> Match | None:
        """Return the photograph compared with another object; None where that object is not catalogued."""
        return self._compared(self._confirmed(object_id), photograph) if object_id in self.finder.exemplars else None

    def _compared(self, match: Match, photograph: Photograph) -> Match:
        """Return a match with the comparison place by place, where it is registered."""
        registration = match.registered
        if registration is None:
            return match
        match = replace(match, condition=condition_of(registration, photograph))
        inputs = _inputs(match, photograph)
        if inputs not in self._divergences:
            self._divergences[inputs] = self._divergence(match, registration, photograph)
        changed = self.edition.files.changed(self._exemplar(match))
        return replace(match, divergence=self._divergences[inputs], file_changed=changed)

    def _exemplar(self, match: Match) -> Photo:
        return self.edition.exemplar(match.object_id, match.exemplar)

    def _read_exemplar(self, match: Match) -> Photograph:
        """Return the exemplar of a match as it is compared, read once for the photograph; raises ExemplarAway."""
        key = match.object_id, match.exemplar
        if key not in self._exemplars:
            side = self.edition.encoder.preprocessing.short_side * (CLOSEST if self.edition.closely else 1)
            self._exemplars[key] = self.edition.read_exemplar(
                *key, short_side=round(side), max_megapixels=self.max_megapixels, compared=True
            )
        return self._exemplars[key]

    def _divergence(self, match: Match, registration: Registration, photograph: Photograph) -> Divergence | NotCompared:
        limits, closely = self.edition.basis.thresholds, self.edition.closely
        limit = limits.combined_of(match.condition) if limits is not None else None
        threshold, whole = limit.value if limit is not None else None, match.distance
        if (refusal := why_not(photograph, registration)) is not None:
            return refusal
        try:
            exemplar = self._read_exemplar(match)
        except ExemplarAway as error:
            return NoExemplar(str(error))
        return diverge(exemplar, photograph, registration, global_distance=whole, threshold=threshold, closely=closely)


def _inputs(match: Match, photograph: Photograph) -> object:
    """Return what a comparison of a photograph, as it was read first or closer, depends on."""
    registration = match.registered
    lying = None if registration is None else registration.homography.tobytes()
    return match.exemplar, match.distance, lying, photograph.image.size
