"""Which exemplars lie nearest to an exemplar, of the works that it is none of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from indexer.building.same_work import Pair
from retrieval.catalogue.exemplars import Asked, grouped, photos_by_content, photos_by_object
from retrieval.catalogue.key_of_content import content_key
from retrieval.catalogue.rows import Photo
from retrieval.catalogue.vector_index import Vectors
from retrieval.finding.nearest import ROUNDING, exact_distance

FIRST, TIMES = 8, 4  # contents that are asked for at first, and how many times as many where that is too few
AT_ONCE = 512  # exemplars whose neighbours are looked for in one step
MOST = 4_000_000  # neighbours that are held at once: 50 MB


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The exemplars of a catalogue, looked up when they are asked for, and their vectors."""

    vectors: Vectors
    objects: Mapping[str, Sequence[Photo]]
    contents: Mapping[int, Sequence[Photo]]
    by_hash: Callable[[], Iterable[Photo]]  # all, in the order of the hashes of their contents
    _met: dict[int, Sequence[Photo]] = field(default_factory=dict)  # contents that were looked up

    @classmethod
    def of(cls, vectors: Vectors, photos: Sequence[Photo]) -> Neighbours:
        """Return exemplars that are in memory; what else is in the vectors is passed over."""
        return cls(vectors, *grouped(photos), lambda: sorted(photos, key=lambda photo: photo.sha256))

    @classmethod
    def in_catalogue(cls, asked: Asked, vectors: Vectors) -> Neighbours:
        """Return the exemplars of a catalogue."""
        sql = f"SELECT {', '.join(Photo.__slots__)} FROM photos ORDER BY sha256, photo_id"

        def by_hash() -> Iterator[Photo]:
            return (Photo(**row) for row in asked.ask(lambda catalogue: catalogue.db.query(sql)))

        return cls(vectors, photos_by_object(asked), photos_by_content(asked), by_hash)

    def of_content(self, sha256: str) -> list[Photo]:
        """Return the exemplars that are a file."""
        return [photo for photo in self.contents.get(content_key(sha256), ()) if photo.sha256 == sha256]

    def nearest(self, photos: Sequence[Photo], is_other: Callable[[Photo, Photo], bool]) -> list[Pair | None]:
        """Return for some exemplars the nearest that is another, None where there is none or it has no vector.

        `is_other` is asked for an exemplar and one that lies near it.
        """
        found: list[Pair | None] = []
        for start in range(0, len(photos), AT_ONCE):
            found += self._nearest(photos[start : start + AT_ONCE], is_other)
        return found

    def _of_key(self, key: int) -> Sequence[Photo]:
        """Return the exemplars that have a content, each looked up once: some lie near many."""
        if key not in self._met:
            self._met[key] = self.contents.get(key, ())
        return self._met[key]

    def _nearest(self, photos: Sequence[Photo], is_other: Callable[[Photo, Photo], bool]) -> list[Pair | None]:
        own = self.vectors.exact({photo.sha256 for photo in photos})
        open_rows = [row for row, photo in enumerate(photos) if photo.sha256 in own]
        found: dict[int, Pair | None] = {}
        asked = min(FIRST * self.vectors.margin, len(self.vectors))
        while open_rows and asked:
            whole, at_once = asked == len(self.vectors), max(1, MOST // asked)
            for start in range(0, len(open_rows), at_once):
                some = open_rows[start : start + at_once]
                vectors = np.stack([own[photos[row].sha256] for row in some])
                for row, similarities, keys in zip(some, *self.vectors.nearest(vectors, asked), strict=True):
                    best, is_sure = self._best(photos[row], own[photos[row].sha256], similarities, keys, is_other)
                    if is_sure or whole:
                        found[row] = best
            open_rows = [row for row in open_rows if row not in found]
            asked = min(TIMES * asked, len(self.vectors))
        return [found.get(row) for row in range(len(photos))]

    def _best(
        self,
        photo: Photo,
        vector: np.ndarray,
        similarities: np.ndarray,
        keys: np.ndarray,
        is_other: Callable[[Photo, Photo], bool],
    ) -> tuple[Pair | None, bool]:
        """Return the nearest other exemplar of those proposed, and whether there can be no nearer one."""
        others: list[Photo] = []
        least = -np.inf  # the similarity below which none is as near as one that was found
        for similarity, key in zip(similarities.tolist(), keys.tolist(), strict=True):
            if similarity < least:
                break
            more = [other for other in self._of_key(key) if is_other(photo, other)]
            others += more
            if more and self.vectors.margin == 1 and least == -np.inf:
                least = similarity - ROUNDING
        known = self.vectors.exact({other.sha256 for other in others})
        near = [
            Pair(exact_distance(vector, known[other.sha256]), photo, other) for other in others if other.sha256 in known
        ]
        best = min(near, key=lambda item: (item.distance, item.other.photo_id or 0), default=None)
        edge = 2.0 - 2.0 * float(similarities[-1]) - ROUNDING
        return best, best is not None and best.distance**2 < edge


class Works:
    """Which objects are one work: those that share the content of a file, and those that are said to be one."""

    def __init__(self, neighbours: Neighbours) -> None:
        self._neighbours = neighbours
        self._numbers: dict[str, int] = {}  # of objects
        self._joined: dict[int, int] = {}
        self._first: list[Photo] = []  # the first exemplar of each, with the least id

    def of(self, photo: Photo) -> int:
        """Return the number of the work of an exemplar."""
        if photo.object_id not in self._numbers:
            self._explore(photo.object_id)
        number = self._numbers[photo.object_id]
        while number in self._joined:
            number = self._joined[number]
        return number

    def first(self, photo: Photo) -> Photo:
        """Return the first exemplar of the work of one, whatever works were joined since."""
        self.of(photo)
        return self._first[self._numbers[photo.object_id]]

    def join(self, one: int, other: int) -> None:
        """Say that one work is another."""
        if one != other:
            self._joined[one] = other

    def differ(self, one: Photo, other: Photo) -> bool:
        """Say whether two exemplars are of different works.

        An object without a number shares nothing with the first one's work: it would have got its number with that.
        """
        number = self.of(one)
        return other.object_id not in self._numbers or self.of(other) != number

    def _explore(self, object_id: str) -> None:
        """Give a number to an object, and to all that share a content with it, directly or by others."""
        number, photos, waiting = len(self._first), [], [object_id]
        seen: set[str] = set()
        self._numbers[object_id] = number
        while waiting:
            for photo in self._neighbours.objects[waiting.pop()]:
                photos.append(photo)
                if photo.sha256 in seen:
                    continue
                seen.add(photo.sha256)
                for other in self._neighbours.of_content(photo.sha256):
                    if other.object_id not in self._numbers:
                        self._numbers[other.object_id] = number
                        waiting.append(other.object_id)
        self._first.append(min(photos, key=lambda photo: photo.photo_id or 0))
