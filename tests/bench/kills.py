"""Kill `artifact index` and `artifact screen` at random moments: nothing is lost, nothing doubled, no traceback."""

from __future__ import annotations

import argparse
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.bench import report
from tests.conftest import state
from tests.test_registration import painting

ENDED = (0, 3)  # exit codes of runs to the end: all could be read, or not
ARTIFACT = str(Path(sys.executable).with_name("artifact"))
IN_A_ROW = 4  # kills before a run is let to its end


def pictures(folder: Path, count: int) -> Path:
    """Return a folder of small pictures: two identical ones, two broken ones, one with an odd name."""
    folder.mkdir()
    for number in range(count):
        painting(number, (320, 260)).save(folder / f"{number:02}.png")
    shutil.copy(folder / "00.png", folder / "again.png")
    painting(90, (320, 260)).save(folder / 'odd\n"name" \u202e.jpg')
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    (folder / "empty.png").write_bytes(b"")
    return folder


def run(command: list[str], kill: tuple[signal.Signals, float] | None = None) -> tuple[int, str, float]:
    """Run `artifact`, perhaps with a signal after so many seconds; return exit code, stderr and seconds."""
    start = time.monotonic()
    process = subprocess.Popen([ARTIFACT, *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        _, said = process.communicate(timeout=kill[1] if kill else None)
    except subprocess.TimeoutExpired:
        assert kill is not None, "only those have a limit"
        process.send_signal(kill[0])
        _, said = process.communicate()
    return process.returncode, said, time.monotonic() - start


def answers(out: Path) -> list[tuple]:
    """Return what a screening says of each photograph, in the order of names."""
    records = [json.loads(line) for line in out.read_text().splitlines()]
    return sorted(
        (item["photo"], item["same_as"] is None, [work["outcome"] for work in item["works"]]) for item in records
    )


def tried(
    command: list[str], fresh: Callable[[], None], result: Callable[[], object], kills: int, chance: random.Random
) -> Counter[str]:
    """Kill a command so many times, and count what was wrong with what the next runs made of it."""
    counts: Counter[str] = Counter()
    fresh()
    _, _, seconds = run(command)
    expected = result()
    fresh()
    while counts["kills"] < kills:
        for _ in range(chance.randint(1, IN_A_ROW)):
            how = chance.choice([signal.SIGKILL, signal.SIGINT])
            code, said, _ = run(command, (how, chance.uniform(0.0, seconds)))
            counts["kills" if code not in ENDED else "ended before"] += 1
            counts[how.name] += code not in ENDED
            if "Traceback" in said:
                counts["tracebacks"] += 1
                print(said, file=sys.stderr)
            counts["wrong exit codes"] += code not in (*ENDED, -signal.SIGKILL, -signal.SIGINT, 130)
        code, said, _ = run(command)
        counts["runs to the end"] += 1
        counts["tracebacks"] += "Traceback" in said
        counts["wrong exit codes"] += code not in ENDED
        counts["wrong results"] += result() != expected
        fresh()
    return counts


def main() -> None:
    """Print what was counted for both commands."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        works, incoming = pictures(root / "works", 12), pictures(root / "incoming", 16)
        data, out, base = root / "data", root / "day/x.jsonl", root / "base"
        run(["index", str(works), "--data", str(base)])

        def fresh() -> None:
            for folder in (data, out.parent):
                shutil.rmtree(folder, ignore_errors=True)
            out.parent.mkdir()

        def leftovers() -> list[str]:
            return sorted(path.name for path in [*out.parent.iterdir(), *data.glob("*.part")])

        def screened() -> object:
            return answers(out), leftovers()

        half = arguments.kills // 2
        index = tried(
            ["index", str(works), "--data", str(data)], fresh, lambda: (state(data), leftovers()), half, chance
        )
        command = ["screen", str(incoming), "--data", str(base), "--out", str(out)]
        screen = tried(command, fresh, screened, arguments.kills - half, chance)
    columns = ("kills", "SIGKILL", "SIGINT", "ended before", "runs to the end", "wrong results")
    columns += ("tracebacks", "wrong exit codes")
    rows = [[name, *(counts[column] for column in columns)] for name, counts in (("index", index), ("screen", screen))]
    report("kills", ("command", *columns), rows, command=f"python -m tests.bench.kills --kills {arguments.kills}")


if __name__ == "__main__":
    main()
