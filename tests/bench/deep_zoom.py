"""How long a comparison in the browser takes to be made and to be found again, for scans of so many megapixels.

    python -m tests.bench.deep_zoom [MEGAPIXELS ...] [--json FILE]

An exemplar of that size (a TIFF) and a photograph of a quarter of it; the time of making everything is compared with
that of reading the exemplar whole once. Memory is the most that the child process had, where /proc tells.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import tifffile

from cli.runs.judging_options import LookingOptions
from cli.serve.comparing.comparisons import Comparisons
from cli.serve.editions import Editions
from retrieval.photographs.images import read_photograph
from retrieval.verdicts.log import VerdictLog
from tests.pictures import SIZE, painting
from tests.serve.conftest import artifact


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured with one size."""

    megapixels: float
    read: float  # seconds, the exemplar once
    first: float  # seconds, all pictures of the comparison
    again: float  # seconds, where it is there
    child: float  # megabytes, at most
    kept: float  # megabytes on the disk
    tiles: int


def scan(file: Path, megapixels: float) -> None:
    """Write a painting as a TIFF of so many megapixels, with the grain of a scan."""
    scale = (megapixels * 1e6 / (SIZE[0] * SIZE[1])) ** 0.5
    pixels = cv2.resize(np.asarray(painting(7)), None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    grain = np.random.default_rng(1).integers(0, 24, (1024, 1024, 3), np.uint8)
    for top in range(0, len(pixels), 1024):
        for left in range(0, pixels.shape[1], 1024):
            part = pixels[top : top + 1024, left : left + 1024]
            cv2.add(part, grain[: part.shape[0], : part.shape[1]], dst=part)
    tifffile.imwrite(file, pixels, photometric="rgb", rowsperstrip=64)


def measure(megapixels: float, folder: Path) -> Figures:
    """Make one comparison of scans of this size."""
    (folder / "works").mkdir()
    scan(folder / "works/scan.tif", megapixels)
    scan(folder / "photograph.tif", megapixels / 4)
    artifact("index", folder / "works", "--data", folder / "data")
    artifact("query", folder / "photograph.tif", "--data", folder / "data", code=None)
    with VerdictLog.reading(folder / "data") as log:
        (entry,) = log.entries()
    start = time.perf_counter()
    read_photograph(folder / "works/scan.tif", short_side=1_000_000)
    read = time.perf_counter() - start
    editions = Editions(folder / "data", LookingOptions())
    editions.current()
    comparisons = Comparisons(folder / "data", folder / "cache", editions, max_megapixels=500.0)
    start = time.perf_counter()
    making = comparisons.make(entry)
    assert making.job is not None
    making.job.finished.wait()
    first = time.perf_counter() - start
    assert not making.job.error, making.job.error
    start = time.perf_counter()
    assert comparisons.find(entry)
    again = time.perf_counter() - start
    child = max((_peak(each.process.pid) for each in comparisons.maker.reader._children), default=0.0)
    comparisons.close()
    files = [file for file in (folder / "cache").rglob("*") if file.is_file()]
    kept = sum(file.stat().st_size for file in files) / 1e6
    tiles = sum(file.suffix in (".jpg", ".png") for file in files)
    return Figures(megapixels, read, first, again, child, kept, tiles)


def _peak(process: int) -> float:
    status = Path(f"/proc/{process}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1e3 for line in lines if line.startswith("VmHWM")), 0.0)


def main() -> None:
    """Measure, print a table and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("megapixels", type=float, nargs="*", default=[1.0, 25.0, 100.0])
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    found = []
    print(f"{'MP':>6} {'read':>7} {'first':>7} {'/ read':>7} {'again':>8} {'child':>8} {'kept':>8} {'tiles':>6}")
    for megapixels in asked.megapixels:
        with tempfile.TemporaryDirectory() as folder:
            one = measure(megapixels, Path(folder))
        found.append(asdict(one))
        print(
            f"{one.megapixels:6g} {one.read:6.2f}s {one.first:6.2f}s {one.first / one.read:7.1f} "
            f"{1000 * one.again:6.1f}ms {one.child:6,.0f}MB {one.kept:6,.0f}MB {one.tiles:6,}"
        )
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
