"""The whole program beside an earlier commit of it, in one run: seconds of the processor, and of the clock."""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench import ROOT, report, shared_data


@dataclass(frozen=True, slots=True)
class Spent:
    """What a process and its children took, in seconds."""

    processor: float
    clock: float


@contextmanager
def checked_out(commit: str) -> Iterator[Path]:
    """Give a folder with the files of a commit."""
    with tempfile.TemporaryDirectory() as name:
        archive = subprocess.run(["git", "archive", commit], cwd=ROOT, check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x"], cwd=name, input=archive, check=True)
        yield Path(name)


def artifact(house: Path, *arguments: str) -> Spent:
    """Run the command line that lies in a folder."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-m", "cli.main", *arguments]
    subprocess.run(command, cwd=house, env=environment, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Spent(processor, time.perf_counter() - start)


def spent(house: Path, photos: Path, place: Path) -> dict[str, Spent]:
    """Return what indexing, screening and one query took, in a folder for each program."""
    catalogue, data = shared_data("museum") / "catalogue", place / "data"
    shutil.rmtree(data, ignore_errors=True)  # with what it remembers of earlier screenings
    one = next(iter(sorted(photos.iterdir())))
    return {
        "index": artifact(house, "index", str(catalogue), "--data", str(data)),
        "screen": artifact(house, "screen", str(photos), "--data", str(data), "--format", "jsonl"),
        "query": artifact(house, "query", str(one), "--data", str(data)),
    }


def main() -> None:
    """Print medians over rounds in which the two take turns, and how many times as long the earlier one takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commit", help="of this repository")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="screen one in so many photographs")
    options = parser.parse_args()
    with checked_out(options.commit) as earlier, tempfile.TemporaryDirectory() as name:
        photos = Path(name, "photos")
        photos.mkdir()
        for path in sorted((shared_data("museum") / "queries").glob("*.jpg"))[:: options.every]:
            shutil.copy(path, photos)
        rounds: list[tuple[dict[str, Spent], dict[str, Spent]]] = []
        for _ in range(options.rounds):
            rounds.append((spent(earlier, photos, Path(name, "earlier")), spent(ROOT, photos, Path(name, "now"))))
        count = len(list(photos.iterdir()))
    rows = []
    for what in rounds[0][0]:
        for unit in ("processor", "clock"):
            before, now = (statistics.median(getattr(both[turn][what], unit) for both in rounds) for turn in (0, 1))
            rows.append([what, unit, before, now, before / now])
    report(
        "beside",
        ("what", "seconds of the", options.commit, "now", "times"),
        rows,
        photographs_screened=count,
        command=f"python -m tests.bench.beside {options.commit} --rounds {options.rounds} --every {options.every}",
    )


if __name__ == "__main__":
    main()
