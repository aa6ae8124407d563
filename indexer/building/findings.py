"""Find what is odd about new exemplars: works that several objects hold, and objects that hold several works."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from indexer.building.neighbours import Neighbours, Works
from indexer.building.same_work import Pair, SameWork
from indexer.inputs.layout_guesses import shows_another_side
from retrieval.catalogue.rows import Photo
from retrieval.finding.nearest import exact_distance

MOST = 100  # objects that hold several works: more would take long to register and tell no more
LOOKED_AT = 50  # photographs of an object
UNLIKE = 0.8  # farther than this are photographs of one object nothing like each other, where there is no threshold


@dataclass(frozen=True, slots=True)
class OnePicture:
    """Objects that share one picture, and a file of it."""

    object_ids: tuple[str, ...]
    file: str


@dataclass(frozen=True, slots=True)
class OneWork:
    """Two objects that show one work: by so many points that agree, 0 where the pictures look the same."""

    object_ids: tuple[str, str]
    files: tuple[str, str]
    points: int


@dataclass(frozen=True, slots=True)
class SeveralWorks:
    """An object of whose photographs some are nothing like any other of it."""

    object_id: str
    files: tuple[str, ...]
    photos: int


@dataclass(frozen=True, slots=True)
class Findings:
    """What is odd about new exemplars."""

    pictures: tuple[OnePicture, ...] = ()
    works: tuple[OneWork, ...] = ()
    objects: tuple[SeveralWorks, ...] = ()


NOTHING = Findings()


def find_oddities(
    neighbours: Neighbours,
    new: Collection[str],
    same: SameWork,
    *,
    near: float | None,
    forgeries: Collection[str] = (),
) -> Findings:
    """Return what is odd about the exemplars whose contents, by sha256, are new.

    Registered is what lies nearer than `near`, None: each with its nearest; so many pairs as the match threshold passes
    by, and no more. Of known `forgeries` it is not odd that they look like others.
    """
    fresh = [photo for sha256 in new for photo in neighbours.of_content(sha256)]
    fresh.sort(key=lambda photo: photo.photo_id or 0)
    genuine = [photo for photo in fresh if photo.object_id not in forgeries]
    found = _works(neighbours, genuine, same, near)
    works = tuple(item for item in found if not set(item.object_ids) & set(forgeries))
    objects = tuple(islice(_objects(neighbours, sorted({photo.object_id for photo in fresh}), same, near), MOST))
    return Findings(tuple(_pictures(fresh)), works, objects)


def _pictures(fresh: Sequence[Photo]) -> Iterator[OnePicture]:
    holders: defaultdict[str, dict[str, Photo]] = defaultdict(dict)
    for photo in fresh:
        holders[photo.sha256].setdefault(photo.object_id, photo)
    for found in holders.values():
        if len(found) > 1:
            first, *_ = names = sorted(found)
            yield OnePicture(tuple(names), found[first].path)


def _works(neighbours: Neighbours, fresh: Sequence[Photo], same: SameWork, near: float | None) -> Iterator[OneWork]:
    """Yield the pairs of objects that show one work: each new exemplar with the nearest of another picture."""
    seen: set[frozenset[str]] = set()
    for pair in neighbours.nearest(fresh, Works(neighbours).differ):
        if pair is None or (near is not None and pair.distance >= near):
            continue
        if pair.objects not in seen and (found := same.shown_by(pair)) is not None:
            seen.add(pair.objects)
            one, two = sorted((pair.photo, pair.other), key=lambda photo: photo.object_id)
            yield OneWork((one.object_id, two.object_id), (one.path, two.path), found.points)


def _objects(
    neighbours: Neighbours, among: Sequence[str], same: SameWork, near: float | None
) -> Iterator[SeveralWorks]:
    """Yield the objects of which half of the photographs, two or more, are nothing like any other of the object."""
    for object_id in among:
        photos = sorted(neighbours.objects[object_id], key=lambda photo: photo.sha256)
        known = neighbours.vectors.exact({photo.sha256 for photo in photos[:LOOKED_AT]})
        held = [photo for photo in photos[:LOOKED_AT] if photo.sha256 in known]
        far = _far_pairs(held, known, UNLIKE if near is None else near)
        if _are_many(far, held):  # registered only then, as that takes its time
            alone = sorted(pair.photo.path for pair in far if same.shown_by(pair) is None)
            if _are_many(alone, held):
                yield SeveralWorks(object_id, tuple(alone), len(held))


def _far_pairs(held: Sequence[Photo], known: Mapping[str, np.ndarray], far: float) -> list[Pair]:
    """Return each photograph of an object with the nearest other one, where that lies far and is no other side."""
    pairs = []
    for photo in held:
        others = [
            Pair(exact_distance(known[photo.sha256], known[other.sha256]), photo, other)
            for other in held
            if other is not photo
        ]
        pairs += [min(others, key=lambda pair: pair.distance)] if others else []
    return [pair for pair in pairs if pair.distance >= far and not shows_another_side(pair.photo.path)]


def _are_many(some: Sequence[Any], held: Sequence[Photo]) -> bool:
    return len(some) > 1 and 2 * len(some) >= len(held)
