"""Choose the conditions of photographs that get a threshold of their own, by their counts alone."""

from __future__ import annotations

from collections.abc import Mapping, Set


def pools(objects: Mapping[str, Set[str]], *, needed: int) -> list[tuple[str, ...]]:
    """Return the conditions, each alone or with others: a partition, by which each photograph has one threshold.

    `objects` are those photographed in each condition. A condition with `needed` of them stands alone; the others are
    pooled, and where the pool has too few, with the smallest that stand alone. What is chosen by counts, not by
    distances, keeps a conformal threshold true in each pool (Mondrian conformal prediction: Vovk, Gammerman and Shafer
    2005, 4.5).
    """
    alone = sorted((name for name in objects if len(objects[name]) >= needed), key=lambda name: -len(objects[name]))
    pool = [name for name in objects if name not in alone]
    while pool and alone and len(set().union(*(objects[name] for name in pool))) < needed:
        pool.append(alone.pop())
    apart: list[tuple[str, ...]] = [(name,) for name in objects if name in alone]
    return [*apart, tuple(name for name in objects if name in pool)] if pool else apart
