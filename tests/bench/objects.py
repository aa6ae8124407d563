"""How quick the catalogue is searched and browsed with 100,000 objects, beside one with 1,000.

    python -m tests.bench.objects [--objects 100000]

Every figure is the median of five, in milliseconds, in one run; the last column is the larger by the smaller.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from retrieval.catalogue.browsing import ids_after, status_counts
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.lookups import objects_of
from retrieval.catalogue.rows import Changes
from retrieval.catalogue.search import count_matching, matching
from tests.conftest import exemplar

PAGE = 48
ASKED = ("o", "oil", "oil on canvas", "1850.50", "ba", "bado 18", "神奈川", "oil 神奈川", "zzz")


def fill(data: Path, count: int) -> None:
    """Write a catalogue of made-up objects with eighteen words or more each."""
    draw = random.Random(0)
    words = ["".join(draw.choice("bdfgklmnprst") + draw.choice("aeiou") for _ in range(3)) for _ in range(5000)]
    ids = [f"{1800 + number % 200}.{number}" for number in range(count)]
    metadata = {
        key: {
            "title": " ".join(draw.choices(words, k=4)),
            "maker": " ".join(draw.choices(words, k=2)),
            "materials": draw.choice(["oil on canvas", "oil on panel", "etching", "bronze"]),
            "status": draw.choice(["", "", "", "stolen", "sold"]),
            "description": " ".join([*draw.choices(words, k=12), draw.choice(["富嶽三十六景 神奈川沖浪裏", ""])]),
        }
        for key in ids
    }
    rows = [exemplar(key, sha256=f"{number:064x}") for number, key in enumerate(ids)]
    with Catalogue.writing(data) as catalogue:
        catalogue.apply(Changes(put=rows, metadata=metadata))


def took(run: Callable[[], object]) -> float:
    """Return how long something takes, in milliseconds."""
    times = []
    for _ in range(5):
        begun = time.perf_counter()
        run()
        times.append(1000 * (time.perf_counter() - begun))
    return statistics.median(times)


def measured(data: Path) -> dict[str, float]:
    """Return how long each page takes to be found."""
    with Catalogue.reading(data) as catalogue:

        def searched(text: str) -> None:
            objects_of(catalogue, matching(catalogue, text, limit=PAGE))
            count_matching(catalogue, text)

        found = {f"search {text}": took(lambda text=text: searched(text)) for text in ASKED}
        found["browse the first"] = took(lambda: objects_of(catalogue, ids_after(catalogue, limit=PAGE)))
        found["browse the last"] = took(lambda: objects_of(catalogue, ids_after(catalogue, "1999", limit=PAGE)))
        found["count the statuses"] = took(lambda: status_counts(catalogue))
        return found


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=100_000)
    count = parser.parse_args().objects
    with tempfile.TemporaryDirectory() as folder:
        found = []
        for size in (1000, count):
            begun = time.perf_counter()
            fill(Path(folder) / str(size), size)
            print(f"{size:,} objects written in {time.perf_counter() - begun:.1f} s")
            found.append(measured(Path(folder) / str(size)))
    small, large = found
    print(f"{'':<22}{'1,000':>9}{count:>11,}{'ratio':>8}")
    for name, value in large.items():
        print(f"{name:<22}{small[name]:>7.1f}ms{value:>9.1f}ms{value / small[name]:>8.1f}")


if __name__ == "__main__":
    main()
