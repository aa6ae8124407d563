"""Set how an encoder's two distances are combined, their threshold, and the highest median, from real genuine pairs.

The threshold is the smallest that lets 95 % of 67 pairs pass: reproductions, and clean photographs of the museum.
The highest median leaves one of those beyond, and none of the photographs with plates and noise. Both are written into
the folder's encoder.json: `python -m tests.bench.genuine FOLDER`. They are figures of development, not of a test.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from indexer.measuring.combination import ANY, combine
from retrieval.comparing.divergence import Divergence, combined_distance, diverge
from retrieval.encoder.encoder import DESCRIPTION, Encoder, load_encoder
from retrieval.finding.nearest import exact_distance
from retrieval.machine import cpu_count
from retrieval.photographs.images import read_photograph
from tests.bench import report, shared_data
from tests.bench.divergence import CLEAN, PLATES, Case, museum_cases, pair_cases, passing
from tests.bench.encoders import registration_of

SHARE = 0.95


def measured(case: Case, encoder: Encoder) -> tuple[float, float, float] | None:
    """Return the global and the local distance and the median of a genuine pair; None where it cannot be compared."""
    registration = registration_of(case)
    if registration is None:
        return None
    side = encoder.preprocessing.short_side
    one, other = (read_photograph(path, short_side=side) for path in (case.exemplar, case.probe))
    whole = exact_distance(*encoder.encode([one.image, other.image]))
    found = diverge(one, other, registration, encoder, global_distance=whole)
    return (whole, found.local_distance, found.median) if isinstance(found, Divergence) else None


def distances_of(cases: Sequence[Case], encoder: Encoder) -> np.ndarray:
    """Return the global and local distances and the medians of genuine pairs, (n, 3)."""
    with ThreadPoolExecutor(cpu_count()) as pool:
        found = pool.map(partial(measured, encoder=encoder), cases)
        return np.array([pair for pair in found if pair is not None])


def main() -> None:
    """Measure the pairs, and write what they set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    museum = [*museum_cases(shared_data("museum"))]
    clean = [*pair_cases(shared_data("reproductions")), *(case for case in museum if case.kind in CLEAN)]
    dirty = [case for case in museum if case.kind in PLATES]
    encoder = replace(load_encoder(str(folder), parallel=cpu_count()), combined_threshold=ANY, most_median=math.inf)
    medians = [distances_of(cases, encoder)[:, 2] for cases in (clean, dirty)]
    most = max(float(np.sort(medians[0])[-2]), float(medians[1].max()))
    most = math.ceil(100 * most) / 100
    pairs = distances_of(clean, replace(encoder, most_median=most))[:, :2]
    weight = combine(pairs).global_weight
    combined = [combined_distance(whole, local, weight) for whole, local in pairs.tolist()]
    value = math.ceil(1000 * passing(combined, SHARE)) / 1000
    description = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
    threshold = {"value": value, "rate": round(1 - SHARE, 2), "count": len(pairs)}
    description |= {"global_weight": weight, "combined_threshold": threshold, "most_median": most}
    (folder / DESCRIPTION).write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
    rows = [["clean pairs", len(pairs), weight, value, most], ["with plates and noise", len(medians[1]), "", "", ""]]
    report("genuine", ("pairs", "compared", "global weight", "threshold", "highest median"), rows)


if __name__ == "__main__":
    main()
