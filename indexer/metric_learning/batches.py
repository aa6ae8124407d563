"""Make the batches of an epoch: photos of a few objects, drawn at random or easily confused with one another."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def object_batches(
    objects: np.ndarray,
    genuine: np.ndarray,
    *,
    count: int,
    photos: int,
    forgeries: int,
    seed: int,
    epoch: int,
    neighbours: np.ndarray | None = None,
) -> Iterator[np.ndarray]:
    """Yield the rows of each batch, int64: every object with a genuine photo once an epoch, at most `count` a batch.

    `objects` is int64 (n,), `genuine` bool (n,). An object gives up to `photos` genuine photos and up to `forgeries`
    forgeries, drawn anew each epoch; the same for the same seed and epoch. The batches differ by one object at most.
    `neighbours`, int64 (n, k) from `nearest_wrong`, puts each object with objects it is confused with: of 2,000 random
    vectors, 32 a batch and k = 3, three in four then meet their nearest, and one in a hundred otherwise.
    """
    random = np.random.default_rng([seed, epoch])
    true, forged = _rows_by_object(objects, genuine), _rows_by_object(objects, ~genuine)
    order = random.permutation(sorted(true))
    if neighbours is not None:
        order = np.array(_walk(order.tolist(), _confused(objects, neighbours)), np.int64)
    for members in np.array_split(order, max(1, -(-len(order) // count))) if len(order) else ():
        drawn = [_draw(true[number], photos, random) for number in members.tolist()]
        drawn += [_draw(forged[number], forgeries, random) for number in members.tolist() if number in forged]
        yield np.concatenate(drawn)


def _rows_by_object(objects: np.ndarray, which: np.ndarray) -> dict[int, np.ndarray]:
    """Return the rows of each object, of the rows in a mask, bool (n,)."""
    rows = np.flatnonzero(which)
    rows = rows[np.argsort(objects[rows], kind="stable")]
    numbers, starts = np.unique(objects[rows], return_index=True)
    return dict(zip(numbers.tolist(), np.split(rows, starts[1:]), strict=True)) if len(rows) else {}


def _confused(objects: np.ndarray, neighbours: np.ndarray) -> dict[int, list[int]]:
    """Return the other objects that each is confused with: the nearest of every photo first, then the next."""
    rows, ranks = np.nonzero(neighbours >= 0)
    by_rank = np.argsort(ranks, kind="stable")
    others = objects[neighbours[rows, ranks]]
    confused: dict[int, dict[int, None]] = {}
    for one, other in zip(objects[rows][by_rank].tolist(), others[by_rank].tolist(), strict=True):
        if one != other:
            confused.setdefault(one, {})[other] = None
    return {one: list(near) for one, near in confused.items()}


def _walk(order: list[int], near: dict[int, list[int]]) -> list[int]:
    """Return the objects in another order: each is followed by its nearest that is left, and so on.

    Where no near object is left the walk goes back to the last object that has one left, or on in the given order.
    """
    left = set(order)
    walked: list[int] = []
    for start in order:
        ahead = [start]
        while ahead:
            here = ahead.pop()
            if here in left:
                left.remove(here)
                walked.append(here)
                ahead.extend(other for other in reversed(near.get(here, [])) if other in left)
    return walked


def _draw(rows: np.ndarray, most: int, random: np.random.Generator) -> np.ndarray:
    return random.permutation(rows)[:most]
