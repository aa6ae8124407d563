"""Set the threshold of the combined distance by genuine photographs of several sources.

Of each source with enough pairs, the conformal limit that a genuine photograph falls beyond at most at 5 %; the
largest of them becomes the threshold of the network that comes with the program, in its comparison.json. The source
that is kept out of all choices is kept out of this one. They are figures of development, not of a test.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from retrieval.comparing.divergence import Divergence, diverge
from retrieval.comparing.network import DESCRIPTION, FOLDER
from retrieval.machine import cpu_count
from retrieval.photographs.images import read_photograph
from retrieval.statistics.calibration import FALSE_ALARM_RATE, Threshold, authenticity_threshold
from tests.bench import report
from tests.bench.comparison_recipe import cases
from tests.bench.divergence import Case, registered

LEAST_PAIRS = 20  # of a source; fewer cannot carry the rate
COLUMNS = ("source", "pairs", "objects", "limit")
BySource = Mapping[str, list[tuple[str, float]]]  # object and combined distance of each pair that was compared


def combined_distance(case: Case) -> float | None:
    """Return the combined distance of a genuine pair; None where it cannot be compared."""
    one, other = (read_photograph(path, short_side=260) for path in (case.exemplar, case.probe))
    registration = registered(one, other)
    if registration is None:
        return None
    found = diverge(one, other, registration, global_distance=0.0, threshold=math.inf)  # the shipped one is to be set
    return found.combined_distance if isinstance(found, Divergence) else None


def measured(given: Iterable[tuple[str, Case]]) -> BySource:
    """Return the distances of the pairs that can be compared, by source."""
    sources, pairs = zip(*given, strict=True)
    found: dict[str, list[tuple[str, float]]] = {}
    with ThreadPoolExecutor(cpu_count()) as pool:
        for source, case, distance in zip(sources, pairs, pool.map(combined_distance, pairs), strict=True):
            if distance is not None:
                found.setdefault(source, []).append((case.group, distance))
    return found


def limits_of(found: BySource) -> dict[str, Threshold]:
    """Return the limit of each source that has enough pairs."""
    return {
        source: authenticity_threshold(np.array([distance for _, distance in pairs]))
        for source, pairs in found.items()
        if len(pairs) >= LEAST_PAIRS
    }


def objects(pairs: Iterable[tuple[str, float]]) -> int:
    """Return how many objects some pairs are of."""
    return len({group for group, _ in pairs})


def threshold_of(limits: Mapping[str, Threshold]) -> dict[str, float]:
    """Return the largest limit, rounded up, as comparison.json holds it."""
    worst = max(limits.values(), key=lambda limit: limit.value or 0.0)
    assert worst.value is not None
    return {"value": math.ceil(1000 * worst.value) / 1000, "rate": worst.rate, "count": worst.count}


def write_threshold(file: Path, threshold: Mapping[str, float | None], sources: Mapping[str, float | None]) -> None:
    """Write the threshold, and the limits of the sources, into a description, beside what stands there."""
    described = json.loads(file.read_text(encoding="utf-8"))
    described |= {"threshold": threshold, "sources": sources}
    file.write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Measure the pairs, and write what they set."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    file = FOLDER / DESCRIPTION
    if "threshold" not in json.loads(file.read_text(encoding="utf-8")):  # as training leaves it
        write_threshold(file, {"value": None, "rate": FALSE_ALARM_RATE, "count": 0}, {})
    found = measured(cases())
    limits = limits_of(found)
    threshold = threshold_of(limits)
    write_threshold(file, threshold, {source: limit.value for source, limit in limits.items()})
    rows = [
        [source, len(pairs), objects(pairs), limits[source].value if source in limits else "too few pairs"]
        for source, pairs in found.items()
    ]
    report("genuine", COLUMNS, rows, threshold=threshold, command="python -m tests.bench.genuine")


if __name__ == "__main__":
    main()
