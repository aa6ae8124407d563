"""Thresholds of their own for objects with enough genuine photographs, against one threshold for all: signatures.

Of each of 100 splits, one half of the writers says how writers differ and how far a genuine signature lies beyond its
writer's level; of the other, held-back half, a few signatures of each writer say what that level is, and all the others
are judged, genuine and forged.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from retrieval.statistics.calibration import upper_bound
from retrieval.statistics.metrics import bootstrap_by_group
from tests.bench import report
from tests.bench.coverage import indexed, measured, signatures

SPLITS = 100
KNOWN = (4, 8)  # genuine signatures that say what a writer's level is
PROMISE = 0.2  # what 15 writers can carry
ByWriter = Mapping[str, Sequence[float]]
ENOUGH = 3  # genuine photographs of an object, besides its exemplar
FEWEST = 5  # such objects; with fewer it cannot be told how objects differ


def pull_of(distances: Mapping[str, Sequence[float]]) -> float | None:
    """Return how many photographs of an object weigh as much as what is known of all objects; None: do not tell apart.

    `distances` holds those of the genuine photographs of each object. The ratio of the variance within objects to the
    variance between them, by the method of moments (Searle, Casella and McCulloch, Variance Components, 3.6).
    """
    several = [np.asarray(some, float) for some in distances.values() if len(some) >= ENOUGH]
    if len(several) < FEWEST:
        return None
    counts = np.array([len(some) for some in several])
    means = np.array([some.mean() for some in several])
    total, objects = int(counts.sum()), len(several)
    within = sum(float(((some - some.mean()) ** 2).sum()) for some in several) / (total - objects)
    grand = float(np.average(means, weights=counts))
    usual = (total - float((counts**2).sum()) / total) / (objects - 1)
    between = (float((counts * (means - grand) ** 2).sum()) / (objects - 1) - within) / usual
    return within / between if between > 0 else None


def level_of(distances: Sequence[float], overall: float, pull: float | None) -> float:
    """Return how much farther than usual genuine photographs of an object lie, drawn towards 0 where there are few.

    The empirical Bayes estimate (Efron and Morris, Journal of the American Statistical Association 1975).
    """
    if pull is None or len(distances) < ENOUGH:
        return 0.0
    return float(len(distances) / (len(distances) + pull) * (np.mean(distances) - overall))


def errors(genuine: ByWriter, forged: ByWriter, known: int, split: int) -> list[tuple[str, float, float, float, float]]:
    """Return, for each writer held back, false alarms and misses by one threshold for all, and by its own."""
    names = sorted(genuine)
    order = np.random.default_rng(split).permutation(len(names))
    teachers, others = ([names[at] for at in half] for half in (order[: len(names) // 2], order[len(names) // 2 :]))
    taught = {name: list(genuine[name]) for name in teachers}
    pull = pull_of(taught)
    overall = float(np.mean([np.mean(some) for some in taught.values()]))
    firsts = {name: some[0] for name, some in taught.items()}
    for_all = upper_bound(np.array(list(firsts.values())), PROMISE).value
    beyond = [firsts[name] - level_of(taught[name][1 : 1 + known], overall, pull) for name in teachers]
    excess = upper_bound(np.array(beyond), PROMISE).value
    assert for_all is not None and excess is not None
    found = []
    for name in others:
        own = excess + level_of(genuine[name][:known], overall, pull)
        tested, wrong = np.array(genuine[name][known:]), np.array(forged[name])
        found.append(
            (name, *((float(np.mean(tested > limit)), float(np.mean(wrong <= limit))) for limit in (for_all, own)))
        )
    return [(name, *one, *other) for name, one, other in found]


def main() -> None:
    """Measure the signatures, split the writers, and print both errors with and without thresholds of their own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--signatures", type=Path, default=Path("build/signatures"), help="of tests.bench.signatures")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        cases = signatures(given.signatures / "prepared", Path(folder) / "writers")
        edition = indexed(Path(folder) / "writers", Path(folder) / "data", str(given.signatures / "encoder"))
        found = measured(edition, cases)
    genuine, forged = defaultdict(list), defaultdict(list)
    for item in found:
        (genuine if item.case.genuine else forged)[item.case.object_id].append(item.whole)
    rows = []
    for known in KNOWN:
        splits = [row for split in range(SPLITS) for row in errors(genuine, forged, known, split)]
        names = [name for name, *_ in splits]
        for at, what in enumerate(
            ("one for all: false alarms", "one for all: misses", "their own: false alarms", "their own: misses"), 1
        ):
            figure = bootstrap_by_group([row[at] for row in splits], names, lambda some: float(np.mean(some)))
            rows.append([known, what, figure.n, figure.value, f"[{figure.low:.3f}, {figure.high:.3f}]"])
        gain = bootstrap_by_group([row[2] - row[4] for row in splits], names, lambda some: float(np.mean(some)))
        rows.append([known, "misses fewer by their own", gain.n, gain.value, f"[{gain.low:.3f}, {gain.high:.3f}]"])
    columns = ("signatures known of a writer", "thresholds", "writers", "share", "95 % interval")
    report("own_thresholds", columns, rows, promise=PROMISE, command="python -m tests.bench.own_thresholds")


if __name__ == "__main__":
    main()
