"""What the commands that judge nothing take as a catalogue grows, each in a process of its own.

The catalogues are those of `tests.bench.growth`. Reading commands are given five times, and the middle one counts;
those that change something once.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import ROOT, report, shared_data
from tests.bench.growth import ADDED, ROUNDS, make, taken_out

PRUNED = 10  # of the photographs that were added
READING = {
    "status": ("status",),
    "list": ("list", "--limit", "20"),
    "show": ("show", "drawn-00001234"),
    "check --quick": ("check", "--quick"),
}
CHANGING = ("add 100", "none more", "prune 10", "remove 1")
COLUMNS = ("works", *(f"{name} s" for name in (*READING, "list the last", *CHANGING)), "MB at most")


def timed(*arguments: str) -> tuple[float, float]:
    """Return the seconds of a command in a process of its own, and the megabytes that it took at most."""
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "cli.main", *arguments], stdout=subprocess.DEVNULL, cwd=ROOT)
    _, status, usage = os.wait4(process.pid, 0)
    seconds, code = time.perf_counter() - start, os.waitstatus_to_exitcode(status)
    assert code == (1 if arguments[0] == "check" else 0), arguments  # the drawn photographs are not there
    return seconds, usage.ru_maxrss / 1024


def reading(data: Path, size: int) -> tuple[list[float], float]:
    """Return the seconds of each command that changes nothing, and the megabytes of the largest."""
    last = ("list", "--limit", "20", "--after", f"drawn-{size - 279 - 21:08}")
    commands = [*READING.values(), last]
    found = [[timed(*command, "--data", str(data)) for _ in range(ROUNDS)] for command in commands]
    seconds = [statistics.median(seconds for seconds, _ in runs) for runs in found]
    return seconds, max(peak for runs in found for _, peak in runs)


def changing(data: Path, folder: Path) -> tuple[list[float], float]:
    """Return the seconds of each command that changes the catalogue, which is as it was after them, and their peak."""
    folder.mkdir()
    for photo in sorted((shared_data("reproductions") / "images").rglob("*.jpg"))[-ADDED:]:
        shutil.copy(photo, folder)
    at = ("--data", str(data))
    index = ("index", str(folder), *at)
    times = [timed(*index), timed(*index)]
    photos = sorted(folder.iterdir())
    for photo in photos[:PRUNED]:
        photo.unlink()
    times += [timed(*index, "--prune"), timed("remove", photos[-1].stem, *at)]
    taken_out(data, folder)
    return [seconds for seconds, _ in times], max(peak for _, peak in times)


def main() -> None:
    """Print a row for each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", type=int, nargs="*", default=[10_000, 100_000], help="works, the museum's among them")
    parser.add_argument("--keep", type=Path, help="a folder for the catalogues, in which they stay, to be used again")
    options = parser.parse_args()
    rows = []
    for size in options.sizes:
        with tempfile.TemporaryDirectory() as name:
            data = (options.keep or Path(name)) / f"of-{size}"
            make(data, size)
            (read, small), (changed, large) = reading(data, size), changing(data, Path(name) / "new")
            rows.append([size, *read, *changed, max(small, large)])
    report("verbs", COLUMNS, rows, command=f"python -m tests.bench.verbs {' '.join(map(str, options.sizes))}")


if __name__ == "__main__":
    main()
