"""Copies flagged and false alarms at promises of 5 % and 1 %, on objects that the calibration never saw.

The distances: global and local alone, and combined as the program does. Calibrated in two ways: on simulated
photographs of works of the museum that are in no other part of this; and on real genuine pairs, five-fold over objects.
Asked of: real genuine pairs (reproductions; visitors' photographs of a museum, labels mended), simulated copies of 60
works beside genuine photographs of them taken in the same ways, and the altered copies of one painting.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from indexer.simulation.copies import KINDS, make_copy
from indexer.simulation.rephotograph import VISITORS, draw_shot, photograph
from retrieval.comparing.divergence import Divergence, combined_distance, diverge
from retrieval.encoder.encoder import Encoder, load_encoder
from retrieval.finding.nearest import exact_distance
from retrieval.machine import cpu_count
from retrieval.photographs.images import read_photograph
from retrieval.statistics.calibration import Threshold, upper_bound
from retrieval.statistics.metrics import clopper_pearson
from tests.bench import report, shared_data
from tests.bench.divergence import Case, bear_cases, museum_cases, pair_cases, small, unseen_works
from tests.bench.encoders import registration_of
from tests.bench.faces import FACES

WORKS = 60  # that copies are made of
PROMISES = (0.05, 0.01)
FOLDS = 5
GENUINE, CALIBRATION = "re-photographed, genuine", "re-photographed, to calibrate on"
ALL = "all copies, simulated"
WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8)  # of the global distance, to choose from
WAYS = ("global", "local", "combined")
COLUMNS = ("calibrated on", "objects", "asked", "promised", "what", "of objects", *WAYS)


@dataclass(frozen=True, slots=True)
class MeasuredCase:
    """The distances of a pair; those place by place are None where it was not compared."""

    kind: str
    group: str
    whole: float
    local: float | None

    def by(self, way: str, weight: float) -> float | None:
        """Return one of the distances."""
        if way == "global" or self.local is None:
            return self.whole if way == "global" else None
        return self.local if way == "local" else combined_distance(self.whole, self.local, weight)


def measured(case: Case, encoder: Encoder) -> MeasuredCase:
    """Return the distances of a case, the right object given."""
    side = encoder.preprocessing.short_side
    one, other = (read_photograph(path, short_side=side) for path in (case.exemplar, case.probe))
    whole = exact_distance(*encoder.encode([one.image, other.image]))
    registration = registration_of(case)
    found = registration and diverge(one, other, registration, encoder, global_distance=whole)
    return MeasuredCase(case.kind, case.group, whole, found.local_distance if isinstance(found, Divergence) else None)


def simulated_cases(museum: Path, folder: Path) -> Iterator[Case]:
    """Yield photographs of works and of copies of them, and of all other works, written into `folder`."""
    unseen = unseen_works(museum, 1000)
    faces = [museum / "catalogue" / f"{work}.jpg" for work in FACES]
    chosen, others = unseen[:WORKS], [path for path in unseen[WORKS:] if path not in faces]
    for number, path in enumerate([*dict.fromkeys([*chosen, *faces]), *others]):
        original, donor = small(path), small(chosen[(number + 7) % len(chosen)])
        pictures = {CALIBRATION if path in others else GENUINE: original}
        for kind in () if path in others else KINDS:
            if (kind == "face") <= (path in faces) and (kind == "face" or path in chosen):
                made = make_copy(original, kind, seed=number, donor=donor, face=FACES.get(path.stem))
                if made is not None:
                    pictures[f"copy: {kind}"] = made.image
        for index, (kind, picture) in enumerate(pictures.items()):
            file = folder / f"{path.stem}-{index}.jpg"
            random = np.random.default_rng([number, index])
            photograph(picture, draw_shot(random, VISITORS), random).save(file, quality=95)
            yield Case(kind, path.stem, path, file)


def firsts(items: Sequence[MeasuredCase], way: str, weight: float) -> np.ndarray:
    """Return one distance for each group."""
    found: dict[str, float] = {}
    for item in items:
        distance = item.by(way, weight)
        if distance is not None:
            found.setdefault(item.group, distance)
    return np.array(list(found.values()))


def share(flagged: Sequence[bool]) -> str:
    """Return a share with its exact interval."""
    low, high = clopper_pearson(sum(flagged), len(flagged))
    return f"{sum(flagged) / len(flagged):.3f} [{low:.3f}, {high:.3f}]"


def is_flagged(item: MeasuredCase, way: str, weight: float, limit: Threshold) -> bool:
    """Return whether a pair is beyond a threshold; what cannot be compared is not."""
    distance = item.by(way, weight)
    assert limit.value is not None
    return distance is not None and distance > limit.value


def simulation_rows(kinds: Mapping[str, Sequence[MeasuredCase]], weight: float) -> Iterator[list]:
    """Yield the rows of the calibration on simulated photographs."""
    for asked in PROMISES:
        limits = {way: upper_bound(firsts(kinds[CALIBRATION], way, weight), asked) for way in WAYS}
        for kind, items in kinds.items():
            if kind != CALIBRATION:
                shares = [share([is_flagged(item, way, weight, limits[way]) for item in items]) for way in WAYS]
                yield _row("simulated photographs", limits["combined"], asked, kind, items, shares)


def real_rows(kinds: Mapping[str, Sequence[MeasuredCase]], real: Sequence[str], weight: float) -> Iterator[list]:
    """Yield the rows of the calibration on real pairs: each fold is judged by the others, copies by all of these."""
    pairs = [item for kind in real for item in kinds[kind]]
    names = sorted({item.group for item in pairs})
    fold_of = dict(zip(names, (np.random.default_rng(0).permutation(len(names)) % FOLDS).tolist(), strict=True))
    for asked in PROMISES:
        limits = {
            way: [
                upper_bound(firsts([item for item in pairs if fold_of[item.group] != fold], way, weight), asked)
                for fold in range(FOLDS)
            ]
            for way in WAYS
        }
        for kind, items in kinds.items():
            if kind in (CALIBRATION, GENUINE):
                continue
            shares = []
            for way in WAYS:
                if kind in real:
                    flags = [is_flagged(item, way, weight, limits[way][fold_of[item.group]]) for item in items]
                else:
                    middle = sorted(limits[way], key=lambda limit: limit.value or 0.0)[FOLDS // 2]
                    flags = [is_flagged(item, way, weight, middle) for item in items]
                shares.append(share(flags))
            yield _row("real pairs", limits["combined"][0], asked, kind, items, shares)


def _row(on: str, limit: Threshold, asked: float, kind: str, items: Sequence[MeasuredCase], shares: list[str]) -> list:
    return [on, limit.count, asked, limit.rate, kind, f"{len(items)} of {len({item.group for item in items})}", *shares]


def main() -> None:
    """Measure all pairs, and print the shares."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    museum = shared_data("museum")
    encoder = load_encoder(parallel=cpu_count())
    reproductions, visitors = list(pair_cases(museum.parent / "reproductions")), list(museum_cases(museum))
    bears = list(bear_cases(museum.parent / "altered" / "bearsInTheForest"))
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(cpu_count()) as pool:
        cases = [*reproductions, *visitors, *bears, *simulated_cases(museum, Path(folder))]
        found = list(pool.map(partial(measured, encoder=encoder), cases))
    kinds: dict[str, list[MeasuredCase]] = {}
    for item in found:
        kinds.setdefault("visitors' photographs" if item.kind.startswith("qsd") else item.kind, []).append(item)
    kinds[ALL] = [item for item in found if item.kind.startswith("copy")]
    weight, real = encoder.global_weight, (reproductions[0].kind, "visitors' photographs")
    rows = [*simulation_rows(kinds, weight), *real_rows(kinds, real, weight)]
    by_weight = {
        other: [row[-1] for row in (*simulation_rows(kinds, other), *real_rows(kinds, real, other)) if row[4] == ALL]
        for other in WEIGHTS
    }
    report(
        "promises",
        COLUMNS,
        rows,
        global_weight=weight,
        all_copies_by_weight=by_weight,
        command="python -m tests.bench.promises",
    )


if __name__ == "__main__":
    main()
