"""Whole-process times of `artifact --help` and `artifact query`, beside a straightforward script."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import ROOT, report, shared_data

ROUNDS = 7


def seconds(command: list[str]) -> float:
    """Return the wall-clock time of one whole process."""
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    return time.perf_counter() - start


def main() -> None:
    """Print medians over interleaved rounds, and the ratio to the script."""
    museum = shared_data("museum")
    photo = str(museum / "queries" / "qsd1_w1_00001.jpg")
    artifact = str(Path(sys.executable).with_name("artifact"))
    with tempfile.TemporaryDirectory() as data:
        subprocess.run([artifact, "index", str(museum / "catalogue"), "--data", data], check=True, capture_output=True)
        (vectors,) = Path(data).glob("vectors-*.faiss")
        commands = {
            "artifact --help": [artifact, "--help"],
            "artifact query (279 objects)": [artifact, "query", photo, "--data", data],
            "artifact query --report": [
                artifact,
                "query",
                photo,
                "--data",
                data,
                "--report",
                str(Path(data, "e.html")),
            ],
            "torch + open_clip + faiss script": [
                sys.executable,
                "-m",
                "tests.bench.straightforward",
                photo,
                str(vectors),
            ],
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(ROUNDS):
            for name, command in commands.items():
                times[name].append(seconds(command))
    medians = {name: statistics.median(found) for name, found in times.items()}
    _, ours, _, theirs = medians
    rows = [[name, min(times[name]), median, max(times[name])] for name, median in medians.items()]
    report(
        "startup",
        ("process", "least s", "median s", "most s"),
        rows,
        script_over_query=round(medians[theirs] / medians[ours], 2),
        rounds=ROUNDS,
        command="python -m tests.bench.startup",
    )


if __name__ == "__main__":
    main()
