"""Copies flagged and false alarms at promises of 5 % and 1 %, on objects that the calibration never saw.

The distances: the global one, and the combined one of all places, which decides where pictures are compared so.
Calibrated in two ways: on simulated photographs of works of the museum that are in no other part of this; and on real
genuine pairs, five-fold over objects; the comparison network learned from these pairs too. Asked of: real genuine pairs
(reproductions; visitors' photographs of a museum, labels mended), simulated copies of 60 works beside genuine
photographs of them taken in the same ways, and the altered copies of one painting.
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
from retrieval.comparing.divergence import Divergence, diverge
from retrieval.encoder.encoder import Encoder, load_encoder
from retrieval.finding.nearest import exact_distance
from retrieval.machine import cpu_count
from retrieval.photographs.images import read_photograph
from retrieval.statistics.calibration import Threshold, upper_bound
from retrieval.statistics.metrics import clopper_pearson
from tests.bench import report, shared_data
from tests.bench.divergence import Case, bear_cases, museum_cases, pair_cases, registered, small, unseen_works
from tests.bench.faces import FACES

WORKS = 60  # that copies are made of
PROMISES = (0.05, 0.01)
FOLDS = 5
GENUINE, CALIBRATION = "re-photographed, genuine", "re-photographed, to calibrate on"
ALL = "all copies, simulated"
WAYS = ("global", "combined")
COLUMNS = ("calibrated on", "objects", "asked", "promised", "what", "of objects", *WAYS)


@dataclass(frozen=True, slots=True)
class MeasuredCase:
    """The distances of a pair; the combined one is None where it was not compared."""

    kind: str
    group: str
    whole: float
    combined: float | None

    def by(self, way: str) -> float | None:
        """Return one of the distances."""
        return self.whole if way == "global" else self.combined


def measured(case: Case, encoder: Encoder) -> MeasuredCase:
    """Return the distances of a case, the right object given."""
    side = encoder.preprocessing.short_side
    one, other = (read_photograph(path, short_side=side) for path in (case.exemplar, case.probe))
    whole = exact_distance(*encoder.encode([one.image, other.image]))
    registration = registered(one, other)
    found = registration and diverge(one, other, registration, global_distance=whole)
    combined = found.combined_distance if isinstance(found, Divergence) else None
    return MeasuredCase(case.kind, case.group, whole, combined)


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


def firsts(items: Sequence[MeasuredCase], way: str) -> np.ndarray:
    """Return one distance for each group."""
    found: dict[str, float] = {}
    for item in items:
        distance = item.by(way)
        if distance is not None:
            found.setdefault(item.group, distance)
    return np.array(list(found.values()))


def share(flagged: Sequence[bool]) -> str:
    """Return a share with its exact interval."""
    low, high = clopper_pearson(sum(flagged), len(flagged))
    return f"{sum(flagged) / len(flagged):.3f} [{low:.3f}, {high:.3f}]"


def is_flagged(item: MeasuredCase, way: str, limit: Threshold) -> bool:
    """Return whether a pair is beyond a threshold; what cannot be compared is not."""
    distance = item.by(way)
    assert limit.value is not None
    return distance is not None and distance > limit.value


def simulation_rows(kinds: Mapping[str, Sequence[MeasuredCase]]) -> Iterator[list]:
    """Yield the rows of the calibration on simulated photographs."""
    for asked in PROMISES:
        limits = {way: upper_bound(firsts(kinds[CALIBRATION], way), asked) for way in WAYS}
        for kind, items in kinds.items():
            if kind != CALIBRATION:
                shares = [share([is_flagged(item, way, limits[way]) for item in items]) for way in WAYS]
                yield _row("simulated photographs", limits["combined"], asked, kind, items, shares)


def real_rows(kinds: Mapping[str, Sequence[MeasuredCase]], real: Sequence[str]) -> Iterator[list]:
    """Yield the rows of the calibration on real pairs: each fold is judged by the others, copies by all of these."""
    pairs = [item for kind in real for item in kinds[kind]]
    names = sorted({item.group for item in pairs})
    fold_of = dict(zip(names, (np.random.default_rng(0).permutation(len(names)) % FOLDS).tolist(), strict=True))
    for asked in PROMISES:
        limits = {
            way: [
                upper_bound(firsts([item for item in pairs if fold_of[item.group] != fold], way), asked)
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
                    flags = [is_flagged(item, way, limits[way][fold_of[item.group]]) for item in items]
                else:
                    middle = sorted(limits[way], key=lambda limit: limit.value or 0.0)[FOLDS // 2]
                    flags = [is_flagged(item, way, middle) for item in items]
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
    real = (reproductions[0].kind, "visitors' photographs")
    rows = [*simulation_rows(kinds), *real_rows(kinds, real)]
    report("promises", COLUMNS, rows, command="python -m tests.bench.promises")


if __name__ == "__main__":
    main()
