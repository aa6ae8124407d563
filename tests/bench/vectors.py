"""What proposes the nearest of many vectors: its time to build, its size, its recall, and how quickly it answers.

Vectors are drawn around those of the museum's photographs, and probes around some of them, as another photograph of a
work lies beside its exemplar. The index is the one that `artifact index` would choose; its shortlists are compared with
all vectors, its time with that of FAISS alone, and, where asked for, with hnswlib at the same recall.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.index_making import MEMORY, RECALL, kind_for, make_index
from retrieval.catalogue.vector_index import ASKED_FOR, VectorIndex, Vectors, map_index, write_index
from tests.bench import report, shared_data
from tests.bench.museum import artifact

AT_ONCE = 20_000  # vectors that are drawn in one step
SPREAD = 0.5  # of the noise on a vector, as long as the vector itself
AWAY = 0.5  # of a probe from the vector that it is drawn around
PROBES, NEAREST = 200, 10
COLUMNS = ("vectors", "index", "recall@10", "built s", "MB", "ms", "of FAISS alone", "hnswlib ms", "hnswlib recall")


def museum_vectors() -> np.ndarray:
    """Return the vectors of the museum's exemplars, float32 (n, dim)."""
    with tempfile.TemporaryDirectory() as name:
        artifact("index", str(shared_data("museum") / "catalogue"), "--data", name, "--pictures", "none")
        with Catalogue.reading(Path(name)) as catalogue:
            return catalogue.vectors()[1]


def drawn(own: np.ndarray, count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield keys and vectors, the same each time."""
    for start in range(0, count, AT_ONCE):
        random = np.random.default_rng(start)
        size = min(AT_ONCE, count - start)
        noise = random.standard_normal((size, own.shape[1]), dtype=np.float32) / np.sqrt(own.shape[1])
        vectors = own[random.integers(len(own), size=size)] + SPREAD * noise
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        yield np.arange(start, start + size), vectors.astype(np.float32)


def probes_around(own: np.ndarray, count: int) -> np.ndarray:
    """Return probes around some of the vectors, float32 (PROBES, dim)."""
    step, found = max(1, count // PROBES), []
    for keys, vectors in drawn(own, count):
        found.append(vectors[keys % step == 7 % step])
    some = np.concatenate(found)[:PROBES]
    noise = np.random.default_rng(1).standard_normal(some.shape)
    moved = some + AWAY * noise / np.linalg.norm(noise, axis=1, keepdims=True)
    return (moved / np.linalg.norm(moved, axis=1, keepdims=True)).astype(np.float32)


def nearest(own: np.ndarray, count: int, probes: np.ndarray) -> np.ndarray:
    """Return the keys of the vectors nearest to each probe, int64 (PROBES, NEAREST), all of them looked at."""
    best = np.full((len(probes), NEAREST), -np.inf)
    names = np.full((len(probes), NEAREST), -1)
    for keys, vectors in drawn(own, count):
        both = np.concatenate([best, probes @ vectors.T], axis=1)
        order = np.argpartition(-both, NEAREST - 1, axis=1)[:, :NEAREST]
        names = np.take_along_axis(
            np.concatenate([names, np.broadcast_to(keys, (len(probes), len(keys)))], 1), order, 1
        )
        best = np.take_along_axis(both, order, 1)
    return names


def recall(found: Callable[[np.ndarray], np.ndarray], probes: np.ndarray, wanted: np.ndarray) -> float:
    """Return the share of the nearest that is found, one probe after the other."""
    return float(np.mean([np.isin(keys, found(probe)).mean() for probe, keys in zip(probes, wanted, strict=True)]))


def milliseconds(found: Callable[[np.ndarray], Any], probes: np.ndarray) -> float:
    """Return how long a probe takes, the middle one of all."""
    times = []
    for probe in probes:
        start = time.perf_counter()
        found(probe)
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times))


def of_hnswlib(
    own: np.ndarray, count: int, probes: np.ndarray, wanted: np.ndarray, asked: int, least: float
) -> tuple[float, float]:
    """Return the milliseconds and the recall of hnswlib, asked for as many and searched until it has that recall."""
    import hnswlib

    index = hnswlib.Index("ip", own.shape[1])
    index.init_index(count, ef_construction=200, M=16)
    for keys, vectors in drawn(own, count):
        index.add_items(vectors, keys)
    index.set_num_threads(1)

    def search(probe: np.ndarray) -> np.ndarray:
        return index.knn_query(probe[None], asked)[0][0]

    effort, reached = asked, 0.0
    while reached < least and effort < 4096:
        index.set_ef(effort)
        reached = recall(search, probes, wanted)
        effort = round(1.2 * effort)
    return milliseconds(search, probes), reached


def measured(own: np.ndarray, count: int, kind: str, *, hnswlib: bool) -> list[Any]:
    """Return the row of a table for so many vectors."""
    start = time.perf_counter()
    made = make_index(kind, count, own.shape[1], partial(drawn, own, count))
    built = time.perf_counter() - start
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "vectors-1.faiss"
        write_index(made.index, path)
        megabytes = path.stat().st_size / 1e6
        mapped = map_index(path, made.kind, made.parameters, made.recall)
        assert isinstance(mapped, VectorIndex)
        del made
        probes = probes_around(own, count)
        wanted = nearest(own, count, probes)
        faiss.omp_set_num_threads(1)
        vectors = Vectors([mapped], lambda hashes: {})
        asked = NEAREST * vectors.margin
        ours = partial(_shortlist, vectors, asked)
        reached = recall(ours, probes, wanted)
        alone, with_us = zip(
            *((milliseconds(lambda probe: mapped.index.search(probe[None], asked), probes), milliseconds(ours, probes))
              for _ in range(5)), strict=True
        )  # fmt: skip
    other = of_hnswlib(own, count, probes, wanted, asked, min(reached, RECALL)) if hnswlib else ("", "")
    searched = " ".join(f"{name}={value}" for name, value in mapped.parameters.items())
    ratio = float(np.median(with_us) / np.median(alone))
    return [count, f"{kind} {searched}".strip(), reached, built, megabytes, float(np.median(with_us)), ratio, *other]


def _shortlist(vectors: Vectors, asked: int, probe: np.ndarray) -> np.ndarray:
    return vectors.nearest(probe[None], asked)[1][0]


def main() -> None:
    """Print a row for each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", type=int, nargs="*", default=[10_000, 100_000], help="vectors")
    parser.add_argument("--kind", help=f"a factory string of FAISS, each searched until its recall is {RECALL}")
    parser.add_argument("--memory", type=int, default=MEMORY, help="bytes that the index may take")
    parser.add_argument("--hnswlib", action="store_true", help="compare with hnswlib, which has to be installed")
    options = parser.parse_args()
    own = museum_vectors()
    rows = [
        measured(own, size, options.kind or kind_for(size, own.shape[1], options.memory), hnswlib=options.hnswlib)
        for size in options.sizes
    ]
    given = [f"--kind {options.kind}"] * bool(options.kind) + ["--hnswlib"] * options.hnswlib
    given += [f"--memory {options.memory}"] * (options.memory != MEMORY)
    command = " ".join(["python -m tests.bench.vectors", *map(str, options.sizes), *given])
    report("vectors", COLUMNS, rows, shortlist=NEAREST * ASKED_FOR, command=command)


if __name__ == "__main__":
    main()
