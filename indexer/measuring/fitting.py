"""Set thresholds on the distances of photographs that were measured against their objects."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from indexer.inputs.labels import dependent_groups
from indexer.measuring.conditions import pools
from retrieval.judging.condition import CONDITIONS
from retrieval.judging.edition import Edition
from retrieval.moment import now
from retrieval.statistics.calibration import (
    CalibratedDistance,
    Calibration,
    ConditionClass,
    lower_bound,
    objects_needed,
    upper_bound,
)
from retrieval.statistics.likelihood import fit_ratio

LABELLED, EXEMPLARS, SIMULATED = "labelled", "exemplars", "simulated"


@dataclass(frozen=True, slots=True)
class Case:
    """A photograph to be measured against an object of the catalogue."""

    path: Path
    object_id: str
    genuine: bool
    source: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class Distances:
    """What was measured of a case; `combined` is None where it was not compared place by place."""

    case: Case
    sha256: str
    whole: float
    combined: float | None
    condition: str | None = None  # of the photograph


def fit(
    edition: Edition,
    genuine: Sequence[Distances],
    copies: Sequence[Distances],
    unknown: np.ndarray,
    false_match: float,
    false_alarm: float,
) -> Calibration:
    """Return the calibration of what was measured."""
    groups = _groups([*genuine, *copies])
    units = _units(genuine, groups)
    copied = list(zip(groups[len(genuine) :], copies, strict=True))
    seen = _photographed(units)
    sources = Counter(some[0].case.source for some in units.values())
    return Calibration(
        date=now(),
        encoder=edition.measured_by,
        revision=edition.revision,
        objects=len(edition.exemplars),
        sources={source: sources[source] for source in (LABELLED, EXEMPLARS, SIMULATED)},
        copies=len(copies),
        match=lower_bound(unknown, false_match),
        combined=_fit_one(units, copied, lambda item: item.combined, false_alarm),
        whole=_fit_one(units, copied, lambda item: item.whole, false_alarm),
        conditions={name: len(some) for name, some in seen.items()},
        classes=_classes(units, copied, seen, false_alarm),
        photographs={item.sha256: item.case.object_id for item in (*genuine, *copies) if item.case.source != SIMULATED},
    )


def _photographed(units: Mapping[str, Sequence[Distances]]) -> dict[str, set[str]]:
    """Return the units that were photographed in each condition, and compared place by place."""
    return {
        name: {group for group, some in units.items() if any(_is_in(item, (name,)) for item in some)}
        for name in CONDITIONS
    }


def _classes(
    units: Mapping[str, Sequence[Distances]],
    copies: Sequence[tuple[str, Distances]],
    seen: Mapping[str, set[str]],
    false_alarm: float,
) -> tuple[ConditionClass, ...]:
    """Return what is known of the combined distance in each condition, or in several where they have to be pooled."""

    def of(pool: Sequence[str]) -> CalibratedDistance:
        return _fit_one(units, copies, lambda item: item.combined if _is_in(item, pool) else None, false_alarm)

    found = pools(seen, needed=objects_needed(false_alarm)) if any(seen.values()) else []
    return tuple(ConditionClass(pool, of(pool)) for pool in found)


def _is_in(item: Distances, pool: Sequence[str]) -> bool:
    return item.combined is not None and item.condition in pool


def _groups(found: Sequence[Distances]) -> list[str]:
    """Return for each photograph the first of the objects that depend on each other: of one object, or one group."""
    groups = dependent_groups(([item.case.object_id], item.case.group) for item in found)
    first: dict[str, str] = {}
    for group, item in zip(groups, found, strict=True):
        first.setdefault(group, item.case.object_id)
    return [first[group] for group in groups]


def _units(genuine: Sequence[Distances], groups: Sequence[str]) -> Mapping[str, list[Distances]]:
    """Return the photographs of each group, in an order that means nothing and is always the same: by content."""
    units: defaultdict[str, list[Distances]] = defaultdict(list)
    for group, item in zip(groups, genuine, strict=False):  # the copies stand behind
        units[group].append(item)
    return {group: sorted(some, key=lambda item: item.sha256) for group, some in units.items()}


def _fit_one(
    units: Mapping[str, Sequence[Distances]],
    copies: Sequence[tuple[str, Distances]],
    of: Callable[[Distances], float | None],
    false_alarm: float,
) -> CalibratedDistance:
    """Return the threshold and what else is known of one of the distances.

    Each unit gives one value: the first photograph's that has the distance. Copies stand beside their groups.
    """
    firsts = [(group, distance) for group, some in units.items() if (distance := _first(some, of)) is not None]
    values = np.array([distance for _, distance in firsts])
    copied = [(group, distance) for group, item in copies if (distance := of(item)) is not None]
    wrong = np.array([distance for _, distance in copied])
    ratio = fit_ratio(values, [group for group, _ in firsts], wrong, [group for group, _ in copied])
    return CalibratedDistance(upper_bound(values, false_alarm), tuple(sorted(values.tolist())), ratio)


def _first(some: Sequence[Distances], of: Callable[[Distances], float | None]) -> float | None:
    """Return the distance of the first photograph that has it."""
    return next((distance for item in some if (distance := of(item)) is not None), None)
