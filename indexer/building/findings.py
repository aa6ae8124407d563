"""Find what is odd about new exemplars: works that several objects hold, and objects that hold several works."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from indexer.building.same_work import Pair, SameWork, work_numbers
from indexer.inputs.layout_guesses import shows_another_side
from retrieval.catalogue.rows import Photo
from retrieval.finding.nearest import exact_distance, nearest_others

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
    ids: np.ndarray,
    vectors: np.ndarray,
    photos: Mapping[int, Photo],
    new: Collection[str],
    same: SameWork,
    *,
    near: float | None,
    forgeries: Collection[str] = (),
) -> Findings:
    """Return what is odd about the exemplars whose contents, by sha256, are new.

    `vectors` are float32 (n, dim). Registered is what lies nearer than `near`, None: each with its nearest; so many
    pairs as the match threshold passes by, and no more. Of known `forgeries` it is not odd that they look like others.
    """
    rows = [photos[int(photo_id)] for photo_id in ids]
    fresh = [row for row, photo in enumerate(rows) if photo.sha256 in new]
    pictures = tuple(_pictures(rows, new))
    genuine = [row for row in fresh if rows[row].object_id not in forgeries]
    found = _works(rows, vectors, genuine, same, near)
    works = tuple(item for item in found if not set(item.object_ids) & set(forgeries))
    objects = tuple(islice(_objects(rows, vectors, {rows[row].object_id for row in fresh}, same, near), MOST))
    return Findings(pictures, works, objects)


def _pictures(rows: Sequence[Photo], new: Collection[str]) -> Iterator[OnePicture]:
    holders: defaultdict[str, dict[str, Photo]] = defaultdict(dict)
    for photo in rows:
        if photo.sha256 in new:
            holders[photo.sha256].setdefault(photo.object_id, photo)
    for found in holders.values():
        if len(found) > 1:
            first, *_ = names = sorted(found)
            yield OnePicture(tuple(names), found[first].path)


def _works(
    rows: Sequence[Photo], vectors: np.ndarray, fresh: Sequence[int], same: SameWork, near: float | None
) -> Iterator[OneWork]:
    """Yield the pairs of objects that show one work: each new exemplar with the nearest of another picture."""
    numbers = work_numbers(rows)
    seen: set[frozenset[str]] = set()
    for row, other in zip(fresh, nearest_others(vectors, numbers, fresh).tolist(), strict=True):
        pair = _pair(rows, vectors, row, other)
        if row == other or pair.objects in seen or (near is not None and pair.distance >= near):
            continue
        if (found := same.shown_by(pair)) is not None:
            seen.add(pair.objects)
            one, two = sorted((pair.photo, pair.other), key=lambda photo: photo.object_id)
            yield OneWork((one.object_id, two.object_id), (one.path, two.path), found.points)


def _objects(
    rows: Sequence[Photo], vectors: np.ndarray, among: Collection[str], same: SameWork, near: float | None
) -> Iterator[SeveralWorks]:
    """Yield the objects of which half of the photographs, two or more, are nothing like any other of the object."""
    by_object: defaultdict[str, list[int]] = defaultdict(list)
    for row, photo in enumerate(rows):
        if photo.object_id in among:
            by_object[photo.object_id].append(row)
    for object_id, all_held in sorted(by_object.items()):
        held = sorted(all_held, key=lambda row: rows[row].sha256)[:LOOKED_AT]
        far = _far_pairs(rows, vectors, held, UNLIKE if near is None else near)
        if _are_many(far, held):  # registered only then, as that takes its time
            alone = sorted(pair.photo.path for pair in far if same.shown_by(pair) is None)
            if _are_many(alone, held):
                yield SeveralWorks(object_id, tuple(alone), len(held))


def _far_pairs(rows: Sequence[Photo], vectors: np.ndarray, held: Sequence[int], far: float) -> list[Pair]:
    """Return each photograph of an object with the nearest other one, where that lies far and is no other side."""
    nearest = nearest_others(vectors[held], np.arange(len(held)), range(len(held))).tolist()
    pairs = [_pair(rows, vectors, row, held[at]) for row, at in zip(held, nearest, strict=True) if held[at] != row]
    return [pair for pair in pairs if pair.distance >= far and not shows_another_side(pair.photo.path)]


def _are_many(some: Sequence[Any], held: Sequence[int]) -> bool:
    return len(some) > 1 and 2 * len(some) >= len(held)


def _pair(rows: Sequence[Photo], vectors: np.ndarray, row: int, other: int) -> Pair:
    return Pair(exact_distance(vectors[row], vectors[other]), rows[row], rows[other])
