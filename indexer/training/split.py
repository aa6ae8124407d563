"""Part the objects: some to train on, some to validate on, some to be held back for the test."""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from indexer.inputs.labels import LabelledPhotos
from retrieval.errors import ArtifactError

PARTS = ("training", "validation", "test")
FEWEST = 3  # objects in a part: with fewer, its figures and their intervals say nothing


class BadSplit(ArtifactError):
    """A split that cannot be made, or does not fit the labels."""


@dataclass(frozen=True, slots=True)
class Split:
    """The ids of the objects of each part, in order; no object, nor a group of them, is in two parts."""

    training: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    @property
    def parts(self) -> dict[str, tuple[str, ...]]:
        """The ids by the name of the part."""
        return {part: getattr(self, part) for part in PARTS}

    @property
    def summary(self) -> str:
        """How many objects each part has, in words."""
        return ", ".join(f"{len(ids):,} objects for {part}" for part, ids in self.parts.items())


def split_by_object(
    labelled: LabelledPhotos,
    *,
    validation: float = 0.15,
    test: float = 0.15,
    seed: int = 0,
    groups: Mapping[str, str] | None = None,
    held_out: Collection[str] = (),
) -> Split:
    """Return a split of the objects with these shares for validation and test, at random but the same for a seed.

    Objects with several genuine photographs and objects with forgeries are spread evenly over the parts. `groups`
    maps an object to its artist or writer: all objects of a group come into one part. `held_out` names objects and
    groups that belong to the test; they count in its share and may exceed it. Raises BadSplit where a part would have
    fewer than 3 objects (a test of none may be asked for).
    """
    _check_shares(validation, test)
    units = _units(sorted(labelled.object_ids), groups or {})
    held = _held(units, held_out)
    number = len(labelled.object_ids)
    n_held = sum(len(units[key]) for key in held)
    wanted_test = max(0.0, test * number - n_held)
    wanted_validation = (number - n_held - wanted_test) * validation / (1 - test)
    wanted = np.array([number - n_held - wanted_test - wanted_validation, wanted_validation, wanted_test])
    parts: tuple[list[str], list[str], list[str]] = ([], [], [])
    rest = [units[key] for key in sorted(units.keys() - held)]
    for unit in _in_strata(rest, labelled, seed):
        placed = np.array([len(part) for part in parts])
        due = wanted * (placed.sum() + len(unit)) / max(number - n_held, 1) - placed
        parts[int(np.argmax(due))].extend(unit)
    parts[2].extend(object_id for key in held for object_id in units[key])
    split = Split(*(tuple(sorted(part)) for part in parts))
    _check_sizes(split, dict(zip(PARTS, (1 - validation - test, validation, test), strict=True)))
    return split


def _check_shares(validation: float, test: float) -> None:
    if not (0 < validation < 1 and 0 <= test < 1 and validation + test < 1):
        raise BadSplit(
            f"The shares of validation ({validation:g}) and test ({test:g}) must leave some objects to train on: give "
            "numbers between 0 and 1 whose sum is below 1; only that of the test may be 0."
        )


def _units(objects: Sequence[str], groups: Mapping[str, str]) -> dict[tuple[str, str], list[str]]:
    """Return what stays together: the objects of each group, and each object without a group by itself."""
    units: dict[tuple[str, str], list[str]] = {}
    for object_id in objects:
        key = ("group", groups[object_id]) if object_id in groups else ("object", object_id)
        units.setdefault(key, []).append(object_id)
    return units


def _held(units: Mapping[tuple[str, str], list[str]], held_out: Collection[str]) -> set[tuple[str, str]]:
    names = {key: {key[1], *objects} for key, objects in units.items()}
    unknown = sorted(set(held_out).difference(*names.values()))
    if unknown:
        raise BadSplit(f"Nothing to hold out: there is no object or group {_some(unknown)} among the labels.")
    return {key for key, known in names.items() if not known.isdisjoint(held_out)}


def _in_strata(units: Sequence[list[str]], labelled: LabelledPhotos, seed: int) -> list[list[str]]:
    """Return the units by (has several genuine photographs, has forgeries), shuffled within each of the four."""
    genuine: dict[str, int] = dict.fromkeys(labelled.object_ids, 0)
    forged = {photo.object_id for photo in labelled.photos if not photo.genuine}
    for photo in labelled.photos:
        genuine[photo.object_id] += photo.genuine

    def stratum(unit: list[str]) -> tuple[bool, bool]:
        return any(genuine[object_id] > 1 for object_id in unit), not forged.isdisjoint(unit)

    order = np.random.default_rng(seed).permutation(len(units))
    return sorted((units[index] for index in order), key=stratum)


def _check_sizes(split: Split, shares: Mapping[str, float]) -> None:
    needed = max(math.ceil(round(FEWEST / share, 6)) for share in shares.values() if share)
    number = sum(len(part) for part in split.parts.values())
    for part, object_ids in split.parts.items():
        if len(object_ids) < FEWEST and (object_ids or shares[part]):
            raise BadSplit(
                f"Of {_objects(number)}, {len(object_ids)} would be for the {part}, which needs {FEWEST}. These shares "
                f"need {needed} objects or more, and groups that leave enough to each part."
            )


def write_split(path: Path, split: Split) -> None:
    """Write a split as JSON, whole or not at all; raises BadSplit where that fails."""
    temporary = path.with_name(f"{path.name}.new")
    try:
        temporary.write_text(json.dumps(asdict(split), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise BadSplit(f"{path} cannot be written: {error.strerror}.") from error


def read_split(path: Path, labelled: LabelledPhotos) -> Split:
    """Return the split in a file; raises BadSplit where the file is damaged or parts other objects."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadSplit(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError:  # no JSON, or no UTF-8
        found = None
    if not isinstance(found, dict) or not all(_is_part(found.get(part)) for part in PARTS):
        raise BadSplit(f"{path} is not a split: it must hold lists of object ids as {', '.join(PARTS)}. Remove it.")
    split = Split(*(tuple(sorted(found[part])) for part in PARTS))
    objects = Counter(name for part in split.parts.values() for name in part)
    faults = {
        "puts into two parts": sorted(name for name, times in objects.items() if times > 1),
        "lacks": sorted(set(labelled.object_ids) - set(objects)),
        "knows, but the labels do not,": sorted(set(objects) - set(labelled.object_ids)),
    }
    for fault, names in faults.items():
        if names:
            raise BadSplit(f"{path} {fault} {_objects(len(names))}: {_some(names)}. Remove it to split anew.")
    return split


def _is_part(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _objects(number: int) -> str:
    return f"{number:,} object{'s' * (number != 1)}"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (" ..." if len(names) > 3 else "")
