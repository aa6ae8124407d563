"""Score normalisation: the distance less that to the nearest background objects, by embeddings alone.

Museum queries, unknown works among them, with the labels mended that look wrong to us; GAP before and after.
`python -m tests.bench.normalisation build/imagenet default` compares encoders.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np

from retrieval.encoder.encoder import Encoder, load_encoder
from retrieval.machine import cpu_count
from retrieval.statistics.metrics import (
    Estimate,
    RankedQuery,
    bootstrap_by_group,
    global_average_precision,
    tied_groups,
)
from retrieval.statistics.verification import with_width
from tests.bench import report, shared_data
from tests.bench.encoders import distances_between, vectors_of
from tests.bench.museum import MISLABELLED, truths

BACKGROUND = (0, 1, 3, 10, 30)
WEIGHTS = (0.5, 1.0)


def normalised(distances: np.ndarray, background: int, weight: float) -> np.ndarray:
    """Return distances, (n, m), less those of each row's nearest but one and on, on average and weighted."""
    if not background:
        return distances
    return distances - weight * np.sort(distances, axis=1)[:, 1 : 1 + background].mean(axis=1, keepdims=True)


def figures(encoder: Encoder) -> list[list]:
    """Return a row for each normalisation."""
    museum = shared_data("museum")
    works = sorted((museum / "catalogue").glob("*.jpg"))
    truth = truths(museum) | {photo: frozenset({work}) for photo, work in MISLABELLED.items()}
    known = vectors_of(works, encoder)[:, 0]
    asked = distances_between(vectors_of([museum / "queries" / photo for photo in truth], encoder)[:, 0], known)
    groups = list(tied_groups(truth).values())
    names = [path.stem for path in works]
    rows = []
    for background, weight in [(0, 0.0), *((count, weight) for count in BACKGROUND[1:] for weight in WEIGHTS)]:
        found = normalised(asked, background, weight)
        answers = [
            RankedQuery(shown, ((names[int(row.argmin())], float(row.min())),))
            for shown, row in zip(truth.values(), found, strict=True)
        ]
        gap = estimate(answers, groups)
        rows.append([background, weight, gap.value, f"[{gap.low:.3f}, {gap.high:.3f}]", gap.n])
    return rows


def estimate(answers: Sequence[RankedQuery], groups: Sequence[str]) -> Estimate:
    """Return GAP with its interval by object."""
    return with_width(bootstrap_by_group(answers, groups, global_average_precision))


def main() -> None:
    """Print the figures of each encoder named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("encoders", nargs="*", default=["default"])
    rows = []
    for name in parser.parse_args().encoders:
        rows += [[name, *row] for row in figures(load_encoder(name, parallel=cpu_count()))]
    columns = ("encoder", "background", "weight", "GAP", "95 % interval", "objects")
    report("normalisation", columns, rows, command="python -m tests.bench.normalisation build/imagenet default")


if __name__ == "__main__":
    main()
