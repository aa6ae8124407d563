"""Find the catalogued works on a photograph: votes and embedding propose objects, registration confirms them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from retrieval.catalogue.alarms import Alarms
from retrieval.catalogue.exemplars import Held, Without, grouped, photos_by_content, photos_by_object
from retrieval.catalogue.key_of_content import content_key
from retrieval.catalogue.rows import Photo
from retrieval.catalogue.vector_index import Vectors
from retrieval.catalogue.vote_index import Ballot, cast_votes
from retrieval.catalogue.vote_lists import VoteLists
from retrieval.comparing.registration import NotRegistered, outline
from retrieval.errors import CatalogueDamaged
from retrieval.finding.confirmation import FeaturesOf, agreeing, confirm, confirm_one
from retrieval.finding.frames import outside, overlap
from retrieval.finding.match import Match
from retrieval.finding.nearest import Near, exact_distance, nearest_alarming, nearest_objects
from retrieval.photographs.features import Features

NEAREST = 5  # objects, by their embedding, that are registered
VOTED = 8  # objects, by votes, that are registered
ALARMING = 3  # objects that raise an alarm, by embedding and by votes, that are registered however many are before them
LEAST_VOTES = 0.05  # of an object that is registered for its votes
PLAUSIBLE = 0.2  # votes from which a photograph may show an object; of eight unknown works among 10,000 none had 0.34
SURE = 60  # points that agree at a glance: 66 of 68 such outlines lie within 1 % of those that a closer look finds
IMPLAUSIBLE = NotRegistered("its details look like those of no catalogued object")
MOST_WORKS = 12  # on one photograph
APART = 0.3  # of the smaller of two outlines that may overlap; more, and they are of one work


@dataclass(frozen=True, slots=True, eq=False)
class FoundWork:
    """A work on a photograph: the objects that it may be, best first, and where it lies.

    Beyond the k best that were asked for stand others that are registered.
    """

    matches: tuple[Match, ...]
    outline: np.ndarray | None = None  # float64 (n, 2), a convex polygon in pixels; None: not registered


@dataclass(frozen=True, slots=True)
class Finder:
    """What a photograph is looked up in: vectors and votes of one revision, and whose exemplars they are."""

    vectors: Vectors
    votes: Sequence[VoteLists]
    exemplars: Mapping[str, Sequence[Photo]]  # by object
    contents: Mapping[int, Sequence[Photo]]  # by the key of their content
    alarms: Alarms | None = None  # objects that no crowd of others may hide; None: there are none

    @classmethod
    def of(
        cls, vectors: Vectors, votes: Sequence[VoteLists], photos: Iterable[Photo], alarms: Alarms | None = None
    ) -> Finder:
        """Return the finder over some exemplars; what else is in the indexes is passed over."""
        return cls(vectors, votes, *grouped(photos), alarms or None)

    @classmethod
    def over(cls, vectors: Vectors, votes: Sequence[VoteLists], held: Held, alarms: Alarms | None = None) -> Finder:
        """Return the finder over all exemplars of a catalogue, which are fetched when they are asked for."""
        return cls(vectors, votes, photos_by_object(held), photos_by_content(held), alarms or None)

    def without(self, sha256: str) -> Finder:
        """Return the finder without the exemplars that are this very file."""
        key = content_key(sha256)
        if key not in self.contents:
            return self
        had = {photo.object_id: self.exemplars[photo.object_id] for photo in self.contents[key]}
        left = {object_id: [photo for photo in photos if photo.sha256 != sha256] for object_id, photos in had.items()}
        alike = [photo for photo in self.contents[key] if photo.sha256 != sha256]
        return replace(
            self,
            exemplars=Without(self.exemplars, {object_id: photos or None for object_id, photos in left.items()}),
            contents=Without(self.contents, {key: alike or None}),
        )

    def match(self, object_id: str, vector: np.ndarray) -> Match:
        """Return an object by the nearest of its exemplars; raises CatalogueDamaged where none has a vector."""
        photos = self.exemplars[object_id]
        known = self.vectors.exact({photo.sha256 for photo in photos})
        distances = {
            photo.file: exact_distance(vector, known[photo.sha256]) for photo in photos if photo.sha256 in known
        }
        if not distances:
            raise CatalogueDamaged(f"{object_id} has no sound vector. Run `artifact check` to see what to do.")
        nearest = min(distances, key=lambda file: distances[file])
        return Match(object_id, nearest, distances[nearest])

    def nearest(self, vector: np.ndarray, k: int) -> list[Match]:
        """Return the k objects nearest to a unit vector (dim,), nearest first."""
        return nearest_objects(self.vectors, self.contents, vector, k=k)

    def _near(self, vector: np.ndarray, nearest: Sequence[Match]) -> Near:
        """Return objects near to a vector with the nearest of those that raise an alarm."""
        return Near(nearest, nearest_alarming(nearest, self.alarms, self.contents, vector, k=ALARMING))

    def works(
        self,
        glance: Features,
        vector: np.ndarray,
        *,
        probe: Callable[[], Features],
        closer: Callable[[], Features],
        k: int,
        several: bool,
        limit: float | None,
        features_of: FeaturesOf,
    ) -> list[FoundWork]:
        """Return the works on a photograph, the best first, each with its k best objects; one is always returned.

        `glance` are features at a glance, `vector` the embedding of the whole; `probe` finds the features
        of a probe, and `closer` finer ones, for objects that have votes and are not registered. `limit` is the
        distance up to which an object may be meant, None where no such distance is known. Where neither votes nor
        distance make an object plausible, nothing is registered.
        """
        ballot = cast_votes(self.votes, glance.descriptors)
        nearest = self.nearest(vector, max(k, NEAREST))
        voted = self._voted(ballot)
        if max(voted.values(), default=0.0) < PLAUSIBLE:
            some = glance.among(np.arange(len(glance)) % 2 == 0).mirrored()  # enough for a work that is the photograph
            turned = self._voted(cast_votes(self.votes, some.descriptors))
            voted = dict(sorted((turned | voted).items(), key=lambda item: -item[1]))
        plausible = max(voted.values(), default=0.0) >= PLAUSIBLE
        far = limit is not None and nearest and nearest[0].distance > limit
        if far and not plausible and any(map(len, self.votes)):
            return [FoundWork(tuple(replace(match, registration=IMPLAUSIBLE) for match in nearest[:k]))]
        likely, looks, near = self._likely(voted), [probe, closer], self._near(vector, nearest)
        matches = self._confirmed(glance, vector, near, likely, features_of, mirrored=False) if plausible else []
        if not matches or agreeing(matches[0]) < SURE:
            matches = self._confirmed(probe(), vector, near, likely, features_of)
            if plausible and not agreeing(matches[0]):
                looks, glance = [closer], closer()  # a small work has few features at a glance, and few votes
                ballot = cast_votes(self.votes, glance.descriptors)
                likely = list(dict.fromkeys([*self._likely(self._voted(ballot)), *likely]))
                matches = self._confirmed(glance, vector, near, likely, features_of)
        if not several or not matches or not agreeing(matches[0]):
            return [self._found(first(matches, k), glance.size)]
        return self._several(looks, glance, vector, ballot, matches, k, features_of)

    def confirmed(
        self,
        object_id: str,
        glance: Features,
        vector: np.ndarray,
        *,
        probe: Callable[[], Features],
        features_of: FeaturesOf,
    ) -> Match:
        """Return one object, registered to the photograph as `works` would register it, if it can be."""
        match, photos = self.match(object_id, vector), self.exemplars[object_id]
        found = confirm_one(match, glance, photos, features_of, mirrored=False)
        return found if agreeing(found) >= SURE else confirm_one(match, probe(), photos, features_of)

    def framed(
        self, quad: np.ndarray, features: Features, vector: np.ndarray, *, k: int, features_of: FeaturesOf
    ) -> FoundWork:
        """Return what a picture in a quadrangle, float64 (4, 2), of a photograph is, by its embedding and features.

        A work with matches is registered; one with none is unknown.
        """
        near = self._near(vector, self.nearest(vector, max(k, NEAREST)))
        matches = self._confirmed(features, vector, near, [], features_of)
        return (
            self._found(first(matches, k), features.size) if matches and agreeing(matches[0]) else FoundWork((), quad)
        )

    def _voted(self, ballot: Ballot, among: np.ndarray | None = None) -> dict[str, float]:
        """Return the objects with enough votes, most first, by the best of their exemplars: no more than are asked for.

        Those that were found before may be among them, so that there are some more than are registered. Behind them
        stand as many again at most that raise an alarm.
        """
        found: dict[str, float] = {}
        for key, votes in ballot.count(among, least=LEAST_VOTES):
            if len(found) >= VOTED + MOST_WORKS:
                if self.alarms is None or len(found) >= 2 * (VOTED + MOST_WORKS):
                    break
                if key not in self.alarms.keys:
                    continue
            for photo in self.contents.get(key, ()):
                found.setdefault(photo.object_id, votes)
        return found

    def _likely(self, voted: Mapping[str, float]) -> list[str]:
        """Return the objects with the most votes, of those that raise an alarm too, that are registered for them."""
        alarming = self.alarms.objects if self.alarms else ()
        wanted = [object_id for object_id in voted if object_id in alarming]
        return list(dict.fromkeys([*list(voted)[:VOTED], *wanted[:ALARMING]]))

    def _confirmed(
        self,
        probe: Features,
        vector: np.ndarray,
        near: Near,
        voted: Sequence[str],
        features_of: FeaturesOf,
        *,
        mirrored: bool = True,
    ) -> list[Match]:
        """Return all that was proposed: the objects that are registered, best first, then the others by distance."""
        proposed = {match.object_id: match for match in (*near.nearest, *near.alarming)}
        proposed |= {object_id: self.match(object_id, vector) for object_id in voted if object_id not in proposed}
        order = dict.fromkeys([*voted, *(match.object_id for match in (*near.nearest[:NEAREST], *near.alarming))])
        found = [proposed.pop(object_id) for object_id in order]
        tried = confirm(found, probe, self.exemplars, features_of, mirrored=mirrored)
        confirmed = [match for match in tried if agreeing(match)]
        rest = [*(match for match in tried if not agreeing(match)), *proposed.values()]
        return confirmed + sorted(rest, key=lambda match: (match.distance, match.object_id))

    def _found(self, matches: Sequence[Match], size: tuple[int, int]) -> FoundWork:
        return FoundWork(tuple(matches), self._outline(matches[0], size) if matches else None)

    def _outline(self, match: Match, size: tuple[int, int]) -> np.ndarray | None:
        """Return where the exemplar of a match lies on a photograph of `size`."""
        if match.registered is None:
            return None
        photo = next(photo for photo in self.exemplars[match.object_id] if photo.file == match.exemplar)
        return outline(match.registered.homography, (photo.width, photo.height), size)

    def _several(
        self,
        looks: Sequence[Callable[[], Features]],
        glance: Features,
        vector: np.ndarray,
        ballot: Ballot,
        matches: Sequence[Match],
        k: int,
        features_of: FeaturesOf,
    ) -> list[FoundWork]:
        """Take the features of each work found away, and ask the rest for another, until there is none.

        `looks` find the features of the photograph, each closer than the one before.
        """
        found = [self._found(matches, glance.size)]
        while len(found) < MOST_WORKS:
            outlines = [work.outline for work in found if work.outline is not None]
            voted = self._voted(ballot, outside(outlines, glance.points))
            taken = {work.matches[0].object_id for work in found}
            more = {object_id: votes for object_id, votes in voted.items() if object_id not in taken}
            if not more:
                break
            features = looks[0]()
            rest = features.among(outside(outlines, features.points))
            tried = [
                confirm_one(self.match(object_id, vector), rest, self.exemplars[object_id], features_of)
                for object_id in self._likely(more)
            ]
            apart = [
                work
                for match in tried
                if agreeing(match) and not _overlaps(work := self._found([match], glance.size), outlines)
            ]
            if apart:
                best = max(apart, key=lambda work: agreeing(work.matches[0]))
                found.append(self._with_alarming(best, apart))
            elif len(looks) > 1 and max(more.values()) >= PLAUSIBLE:
                looks = looks[1:]
            else:
                break
        if len(found) == 1:
            return [replace(found[0], matches=first(found[0].matches, k))]
        whole, *others = found
        alone = [match for match in whole.matches if not _elsewhere(match, others)]
        return [replace(whole, matches=first(alone, k)), *others]

    def _with_alarming(self, best: FoundWork, apart: Sequence[FoundWork]) -> FoundWork:
        """Return a work with those of others that raise an alarm and lie where it does: it may be any of them."""
        if self.alarms is None or best.outline is None:
            return best
        same = (work for work in apart if work is not best and _overlaps(work, [best.outline]))
        alarming = (match for work in same for match in work.matches if match.object_id in self.alarms.objects)
        return replace(best, matches=(*best.matches, *alarming))


def first(matches: Sequence[Match], k: int) -> tuple[Match, ...]:
    """Return the k best of some matches, and all others that are registered: one of them may be stolen."""
    return (*matches[:k], *(match for match in matches[k:] if match.registered))


def _elsewhere(match: Match, works: Sequence[FoundWork]) -> bool:
    return any(match.object_id == work.matches[0].object_id for work in works)


def _overlaps(work: FoundWork, outlines: Sequence[np.ndarray]) -> bool:
    """Say whether a work lies where another one does."""
    assert work.outline is not None
    return any(overlap(work.outline, other) > APART for other in outlines)
