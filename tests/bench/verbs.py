"""What the commands that judge nothing take as a catalogue grows, each in a process of its own.

The catalogues are those of `tests.bench.growth`. Reading commands are given five times, and the middle one counts;
those that change something once.
"""

from __future__ import annotations

import statistics
from pathlib import Path

from tests.bench import report, shared_data
from tests.bench.growth import ADDED, ROUNDS, added, asking, catalogues, command_of, taken_out, timed

PRUNED = 10  # of the photographs that were added
READING = {
    "status": ("status",),
    "list": ("list", "--limit", "20"),
    "show": ("show", "drawn-00001234"),
    "check --quick": ("check", "--quick"),
}
CHANGING = ("add 100", "none more", "prune 10", "remove 1")
COLUMNS = ("works", *(f"{name} s" for name in (*READING, "list the last", *CHANGING)), "MB at most")


def reading(data: Path, size: int) -> tuple[list[float], float]:
    """Return the seconds of each command that changes nothing, and the megabytes of the largest."""
    last = ("list", "--limit", "20", "--after", f"drawn-{size - 279 - 21:08}")
    commands = [*READING.values(), last]
    found = [[timed(*command, "--data", str(data)) for _ in range(ROUNDS)] for command in commands]
    seconds = [statistics.median(seconds for seconds, _ in runs) for runs in found]
    return seconds, max(peak for runs in found for _, peak in runs)


def changing(data: Path, folder: Path) -> tuple[list[float], float]:
    """Return the seconds of each command that changes the catalogue, which is as it was after them, and their peak."""
    new = sorted((shared_data("reproductions") / "images").rglob("*.jpg"))[-ADDED:]
    times = added(data, new, folder)
    photos = sorted(folder.iterdir())
    for photo in photos[:PRUNED]:
        photo.unlink()
    times.append(timed("index", str(folder), "--data", str(data), "--prune"))
    times.append(timed("remove", photos[-1].stem, "--data", str(data)))
    taken_out(data, folder)
    return [seconds for seconds, _ in times], max(peak for _, peak in times)


def main() -> None:
    """Print a row for each size."""
    options = asking(__doc__).parse_args()
    rows = []
    for size, data, place in catalogues(options):
        (read, small), (changed, large) = reading(data, size), changing(data, place / "new")
        rows.append([size, *read, *changed, max(small, large)])
    report("verbs", COLUMNS, rows, command=command_of("verbs", options))


if __name__ == "__main__":
    main()
