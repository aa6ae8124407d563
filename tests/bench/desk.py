"""How quickly `artifact screen` judges photographs, beside its stages alone; and its memory over 100,000 files."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from retrieval.encoder.stream import EmbeddedPhotograph
from retrieval.judging.edition import Edition, open_edition
from retrieval.judging.look import Look
from retrieval.machine import cpu_count
from retrieval.photographs.features import glance_at
from retrieval.photographs.reader_process import Order, ReadPhotograph, read_here, reading_apart
from tests.bench import report
from tests.bench.staging import fresh
from tests.bench.watching import Watched, thinned, watch


def rate(run: Callable[[], object], count: int) -> float:
    """Return photographs a second of something done to `count` of them."""
    start = time.perf_counter()
    run()
    return count / (time.perf_counter() - start)


def stages(edition: Edition, paths: Sequence[Path]) -> dict[str, float]:
    """Return photographs a second of each stage alone, on all cores."""
    orders = [Order(path, edition.encoder.preprocessing.short_side, 500.0, glance_at) for path in paths]
    found: dict[str, float] = {}
    with ThreadPoolExecutor(cpu_count()) as pool:
        with reading_apart() as read:
            list(pool.map(read, orders[: 2 * cpu_count()]))  # now the readers have started
            reads: list[ReadPhotograph] = []
            found["reading, with features"] = rate(lambda: reads.extend(pool.map(read, orders)), len(orders))
        prepared = np.stack([edition.encoder.preprocessing(item.photograph.image) for item in reads])
        vectors: list[np.ndarray] = []
        found["encoding"] = rate(lambda: vectors.extend(edition.encoder.encode_prepared(prepared)), len(orders))
        items = [
            EmbeddedPhotograph(path, item.photograph, vector[None], item.features)
            for path, item, vector in zip(paths, reads, vectors, strict=True)
        ]

        def judged(item: EmbeddedPhotograph) -> object:
            return Look(edition, item, read_here, 500.0, False).works(5, several=True)

        found["searching, registering, comparing"] = rate(lambda: list(pool.map(judged, items)), len(orders))
    return found


def screened(folder: Path, data: Path, place: Path) -> Watched:
    """Screen a folder as a whole process."""
    out = place / "day.jsonl"
    done = watch("screen", str(folder), "--data", str(data), "--out", str(out), journal=place / "day.jsonl.part")
    assert done.status == 0, done.said
    return done


def many(paths: Sequence[Path], folder: Path, count: int, distinct: int) -> Path:
    """Return a folder of so many files, so many of them distinct: these, each with another number after its end."""
    made: list[Path] = []
    for number in range(count):
        inside = folder / f"{number // 1000:03}"
        inside.mkdir(parents=True, exist_ok=True)
        file = inside / f"{number:06}.jpg"
        if number < distinct:
            file.write_bytes(paths[number % len(paths)].read_bytes() + str(number).encode())
            made.append(file)
        else:
            file.hardlink_to(made[number % distinct])
    return folder


def main() -> None:
    """Print photographs a second by stage and for the whole, and the memory over many files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="data folder of a catalogue, as tests.bench.day --keep leaves it")
    parser.add_argument("photos", type=Path, help="folder of readable photographs")
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--distinct", type=int, default=2000, help="of these files, the others are the same again")
    arguments = parser.parse_args()
    paths = sorted(arguments.photos.glob("*.jpg"))
    with tempfile.TemporaryDirectory(dir=arguments.photos.parent) as name:
        data = fresh(arguments.data, Path(name, "data"))
        alone = stages(open_edition(data, parallel=cpu_count()), paths)
        whole = screened(arguments.photos, data, Path(name))
        limit = 1 / sum(1 / value for value in alone.values())
        rows = [[stage, value] for stage, value in alone.items()]
        rows += [["limit of all together on the same cores", limit], ["whole process", len(paths) / whole.seconds]]
        some = many(paths, Path(name, "many"), arguments.files, arguments.distinct)
        flood = screened(some, data, Path(name))
    report(
        "desk",
        ("stage", "photos/s"),
        rows,
        share_of_limit=round(len(paths) / whole.seconds / limit, 3),
        peak_mb=round(whole.peak),
        files=f"{arguments.files}, {arguments.distinct} distinct, in {flood.seconds:.0f} s, peak {flood.peak:.0f} MB",
        memory_over_files=thinned(flood.curve),
        command=f"python -m tests.bench.desk DATA PHOTOS --files {arguments.files} --distinct {arguments.distinct}",
    )


if __name__ == "__main__":
    main()
