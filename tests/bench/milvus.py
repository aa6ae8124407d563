"""What a catalogue in a Milvus server costs: putting, memory, disk, and a search at k = 40 beside exact FAISS.

The vectors are drawn around centres, as photographs of alike objects lie around each other; probes are noisy copies of
stored ones. Needs the wheels `milvus` and `pymilvus` (`make milvus` makes an environment that has them). Searches are
measured twice: while the server keeps the vectors in segments that grow, and after it has built their index.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from retrieval.catalogue.milvus import SETTLES, MilvusVectors, StoredVector
from retrieval.catalogue.milvus_collection import VECTOR
from retrieval.catalogue.store_address import StoreAddress
from tests.bench import report
from tests.milvus_server import MilvusProcess

DIM, K = 512, 40
PROBES, ROUNDS = 200, 200
AT_ONCE = 10_000  # vectors that are drawn in one step
SPREAD, NOISE = 1.0, 0.5  # of works around a centre, of a probe around a work; as long as the vector itself


def unit(vectors: np.ndarray) -> np.ndarray:
    """Return vectors of length 1, float32."""
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def drawn(count: int, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return vectors (count, DIM), their keys (count,), and probes (PROBES, DIM)."""
    random = np.random.default_rng(seed)
    centres = unit(random.standard_normal((max(1, count // 100), DIM)))
    vectors = np.empty((count, DIM), dtype=np.float32)
    for start in range(0, count, AT_ONCE):
        around = centres[random.integers(len(centres), size=min(AT_ONCE, count - start))]
        vectors[start : start + AT_ONCE] = unit(around + noise(random, around.shape, SPREAD))
    probes = vectors[random.integers(count, size=PROBES)]
    return vectors, random.integers(2**60, size=count), unit(probes + noise(random, probes.shape, NOISE))


def noise(random: np.random.Generator, shape: tuple[int, ...], length: float) -> np.ndarray:
    """Return noise of about a length in each row."""
    return length * random.standard_normal(shape, dtype=np.float32) / np.sqrt(shape[1])


def put(store: MilvusVectors, vectors: np.ndarray, keys: np.ndarray) -> float:
    """Store all vectors; return the seconds."""
    start = time.perf_counter()
    store.put([StoredVector(*pair) for pair in zip(keys.tolist(), vectors, strict=True)])
    return time.perf_counter() - start


def searched(store: MilvusVectors, probes: np.ndarray, right: np.ndarray) -> dict[str, float]:
    """Return how long a search takes, one probe after the other and all at once, and how much of the right is found."""
    times = []
    for row in range(ROUNDS):
        start = time.perf_counter()
        store.search(probes[row % len(probes)][None], K)
        times.append(time.perf_counter() - start)
    start = time.perf_counter()
    _, keys = store.search(probes, K)
    together = (time.perf_counter() - start) / len(probes)
    found = {"ms": 1000 * float(np.median(times)), "p95": 1000 * float(np.quantile(times, 0.95))}
    found["each of many"] = 1000 * together
    return found | {f"recall@{k}": recall(keys[:, :k], right[:, :k]) for k in (1, 10, K)}


def strongly(store: MilvusVectors, probes: np.ndarray) -> float:
    """Return the milliseconds of a search just after a write, which waits for what was written."""
    times = []
    for probe in probes[:10]:
        start = time.perf_counter()
        store.search(probe[None], K)
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times))


def recall(keys: np.ndarray, right: np.ndarray) -> float:
    """Return the share of the right keys, (n, k), that are among those found."""
    return float(np.mean([np.isin(one, other).mean() for one, other in zip(right, keys, strict=True)]))


def exact(vectors: np.ndarray, keys: np.ndarray, probes: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the right keys (n, K), and the milliseconds of one search in FAISS, exact and on one thread."""
    faiss.omp_set_num_threads(1)
    index = faiss.IndexFlatIP(DIM)
    index.add(vectors)
    start = time.perf_counter()
    for probe in probes[:50]:
        index.search(probe[None], K)
    milliseconds = 1000 * (time.perf_counter() - start) / 50
    return keys[index.search(probes, K)[1]], milliseconds


def index_built(address: StoreAddress, count: int) -> float:
    """Seal what grows and wait for its index, as a server does on its own when time passes; return the seconds."""
    from pymilvus import MilvusClient

    start = time.perf_counter()
    client: Any = MilvusClient(address.uri)
    client.flush(address.collection)
    while True:
        state = client.describe_index(address.collection, VECTOR)
        if state["indexed_rows"] >= count:  # some may be indexed again soon, when segments are compacted
            break
        time.sleep(1)
    client.close()
    return time.perf_counter() - start


def measured(count: int, folder: Path) -> list[Any]:
    """Return the row of so many vectors."""
    vectors, keys, probes = drawn(count)
    right, flat = exact(vectors, keys, probes)
    server = MilvusProcess(folder)
    try:
        start = time.perf_counter()
        server.start()
        up, empty = time.perf_counter() - start, server.memory()
        address = StoreAddress("127.0.0.1", "bench", port=server.port)
        with MilvusVectors(address, dim=DIM, fingerprint="bench", timeout=60) as store:
            rate = count / put(store, vectors, keys)
            strong = strongly(store, probes)
            time.sleep(SETTLES)
            growing = searched(store, probes, right)
            built = index_built(address, count)
            time.sleep(SETTLES)
            sealed = searched(store, probes, right)
            start = time.perf_counter()
            listed = sum(map(len, store.key_pages()))
            listing = time.perf_counter() - start
            assert listed == store.count() == count
            row = [count, up, empty, rate, strong, *growing.values(), built, *sealed.values(), flat, listing]
            return [*row, server.memory(), server.disk()]
    finally:
        server.kill()


def main() -> None:
    """Print a row for each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", type=int, nargs="*", default=[100_000], help="vectors")
    sizes = parser.parse_args().sizes
    rows = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            rows.append(measured(size, Path(folder)))
    search = ("ms", "p95 ms", "each of many ms", "recall@1", "recall@10", f"recall@{K}")
    columns = (
        *("vectors", "start s", "empty MB", "put per s", "strong ms"),
        *(f"growing {name}" for name in search),
        "index s",
        *(f"indexed {name}" for name in search),
        *("faiss ms", "list keys s", "MB", "disk MB"),
    )
    report("milvus", columns, rows, command=f"python -m tests.bench.milvus {' '.join(map(str, sizes))}")


if __name__ == "__main__":
    main()
