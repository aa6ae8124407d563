"""Write the labels that the default encoder is trained on, and its split: works that no benchmark asks about.

Training and validation: reproductions by the artists that are not held out, Chinese paintings, and the museum's works
that are on no query and of which no copies are made in a benchmark. Test: reproductions by the held-out artists, among
them every pair of pictures of one painting. `make weights` writes these and runs the training.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from indexer.simulation import copies
from tests.bench import shared_data
from tests.bench.divergence import unseen_works
from tests.bench.encoders import HELD_OUT, HELD_OUT_KINDS, WORKS
from tests.bench.faces import FACES
from tests.bench.museum import MISLABELLED, truths

KINDS = tuple(kind for kind in copies.KINDS if kind not in HELD_OUT_KINDS)  # of copies that are trained on
OTHERS = 155  # pictures by the held-out artists that are in no pair
VALIDATION = 0.1  # share of the objects that are not for the test

LabelledPhotos = tuple[Path, str]  # a photograph, and the id of its object


def museum_works() -> Iterator[LabelledPhotos]:
    """Yield the museum's works that no benchmark asks about."""
    museum = shared_data("museum")
    asked = {work for works in truths(museum).values() for work in works} | set(MISLABELLED.values())
    asked |= {path.stem for path in unseen_works(museum, WORKS)} | set(FACES)
    for path in sorted((museum / "catalogue").glob("*.jpg")):
        if path.stem not in asked:
            yield path, f"museum-{path.stem}"


def known_artists() -> Iterator[LabelledPhotos]:
    """Yield the reproductions by artists that are trained on."""
    for path in sorted((shared_data("reproductions") / "images").glob("*.jpg")):
        if path.stem.rpartition("_")[0] not in HELD_OUT:
            yield path, path.stem


def held_out_artists() -> Iterator[LabelledPhotos]:
    """Yield the pairs of the held-out artists, each an object, and some of their other pictures."""
    folder = shared_data("reproductions")
    with (folder / "pairs.csv").open(newline="", encoding="utf-8") as file:
        pairs = [(row["a"], row["b"]) for row in csv.DictReader(file)]
    object_of: dict[str, str] = {}
    for one, other in pairs:  # a picture may be in two of them
        name = object_of.get(one) or object_of.get(other) or f"held-out-{Path(one).stem}"
        object_of[one] = object_of[other] = name
    others = [path for path in sorted((folder / "images").glob("*.jpg")) if path.stem.rpartition("_")[0] in HELD_OUT]
    others = [path for path in others if path.name not in object_of]
    drawn = np.random.default_rng(0).permutation(len(others))[:OTHERS]
    yield from ((folder / "images" / name, object_id) for name, object_id in sorted(object_of.items()))
    yield from ((others[index], f"held-out-{others[index].stem}") for index in sorted(drawn.tolist()))


def main() -> None:
    """Write labels.csv and split.json into the folder named on the command line."""
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    chinese = [(path, f"chinese-{path.stem}") for path in sorted(shared_data("chinese").glob("*.jpg"))]
    learned, test = [*known_artists(), *chinese, *museum_works()], [*held_out_artists()]
    with (out / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("photo", "object_id", "label"))
        writer.writerows((str(path.resolve()), object_id, 1) for path, object_id in [*learned, *test])
    names = sorted(object_id for _, object_id in learned)
    drawn = set(np.random.default_rng(0).permutation(names)[: round(VALIDATION * len(names))].tolist())
    split = {
        "training": sorted(set(names) - drawn),
        "validation": sorted(drawn),
        "test": sorted({object_id for _, object_id in test}),
    }
    (out / "split.json").write_text(json.dumps(split, indent=1) + "\n", encoding="utf-8")
    print(", ".join(f"{len(ids):,} objects for {part}" for part, ids in split.items()))


if __name__ == "__main__":
    main()
