"""Tell whether two exemplars of different objects show one and the same work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.rows import Photo
from retrieval.comparing.registration import NEEDED, Registration, find_registration

ALIKE = 0.3  # nearer than this, two are one even if neither can be laid over the other; different works: 0.57 and more


@dataclass(frozen=True, slots=True)
class Pair:
    """Exemplars of two objects, and their distance."""

    distance: float
    photo: Photo
    other: Photo

    @property
    def objects(self) -> frozenset[str]:
        """The ids of both objects."""
        return frozenset({self.photo.object_id, self.other.object_id})


@dataclass(frozen=True, slots=True)
class Same:
    """That a pair shows one work: by how many points that agree, 0 for one picture with nothing to be laid over."""

    points: int


class SameWork:
    """Says of pairs whether they show one work, each pair of contents registered once."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._known: dict[frozenset[str], Same | None] = {}

    def shown_by(self, pair: Pair) -> Same | None:
        """Return what says that a pair shows one work; None for two works."""
        contents = frozenset({pair.photo.sha256, pair.other.sha256})
        if contents not in self._known:
            self._known[contents] = self._compared(sorted(contents), pair.distance) if len(contents) == 2 else Same(0)
        return self._known[contents]

    def _compared(self, contents: Sequence[str], distance: float) -> Same | None:
        features = self._catalogue.features(contents)
        if len(features) < 2:
            return None
        one, other = (features[sha256] for sha256 in contents)
        if min(len(one), len(other)) >= NEEDED:
            found = find_registration(one, other)
            if isinstance(found, Registration):
                return Same(found.inliers)
        return Same(0) if distance < ALIKE else None
