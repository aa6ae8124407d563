"""Write what the comparison network is trained on: pictures of works, and real photographs on their exemplars.

Pictures: the museum's works that no benchmark asks about, reproductions by artists that are not held out, Chinese
paintings, and references of the sources of other people's photographs. Photographs: those of all sources but the one
that is kept out. `python -m tests.bench.comparison_recipe FOLDER`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from retrieval.comparing.divergence import across
from retrieval.comparing.registration import Registration, find_registration
from retrieval.photographs.features import features_of, features_of_probe
from retrieval.photographs.images import read_photograph
from tests.bench import shared_data
from tests.bench.divergence import Case, museum_cases, pair_cases
from tests.bench.recipe import known_artists, museum_works
from tests.bench.wave2 import GENUINE, KEPT_OUT, genuine_cases

TAUGHT = tuple(source for source in GENUINE if source != KEPT_OUT)
SHARES = {"museum": 4, "artists": 3, "chinese": 1.5, "wave2": 1.5}  # of the pictures, by drawing some more often
DRAWN = 4000
LEAST_ACROSS = 140  # pixels of the photograph across the work


def cases() -> Iterator[tuple[str, Case]]:
    """Yield each genuine photograph that may be learned from, with the name of its source."""
    yield from (("reproductions", case) for case in pair_cases(shared_data("reproductions")))
    yield from (("museum", case) for case in museum_cases(shared_data("museum")))
    for source in TAUGHT:
        yield from ((source, case) for case in genuine_cases(source))


def works() -> list[Path]:
    """Return the pictures of works, those of some sources more than once."""
    sources = {
        "museum": [path for path, _ in museum_works()],
        "artists": [path for path, _ in known_artists()],
        "chinese": sorted(shared_data("chinese").glob("*.jpg")),
        "wave2": [case.exemplar for source in TAUGHT for case in genuine_cases(source)],
    }
    random, total = np.random.default_rng(0), sum(SHARES.values())
    return [
        paths[index]
        for name, paths in sources.items()
        for index in random.integers(len(paths), size=round(DRAWN * SHARES[name] / total))
    ]


def main() -> None:
    """Register the photographs, and write works.txt and pairs.npz into the folder named on the command line."""
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    columns: dict[str, list] = {name: [] for name in ("exemplar", "photo", "homography", "source")}
    for source, case in cases():
        one, other = (read_photograph(path, short_side=260) for path in (case.exemplar, case.probe))
        found = find_registration(features_of(one), features_of_probe(other))
        if isinstance(found, Registration) and across(other, found) >= LEAST_ACROSS:
            values = (str(case.exemplar.resolve()), str(case.probe.resolve()), found.homography, source)
            for name, value in zip(columns, values, strict=True):
                columns[name].append(value)
    np.savez(out / "pairs.npz", **{name: np.array(values) for name, values in columns.items()})
    (out / "works.txt").write_text("".join(f"{path.resolve()}\n" for path in works()), encoding="utf-8")
    print(f"{len(columns['photo'])} photographs, {DRAWN} pictures of works")


if __name__ == "__main__":
    main()
