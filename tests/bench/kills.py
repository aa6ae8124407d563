"""Kill `artifact index` and `artifact screen` at random moments, again and again, and check what they end with.

`python -m tests.bench.kills --kills 200`; what goes wrong is kept in build/bench/kills/.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench import RESULTS, ROOT, report
from tests.conftest import aged, state
from tests.pictures import painting

KEPT = RESULTS / "kills"
PICTURES, SIZE = 20, (320, 260)
START = "from cli.start import main; main()"  # as the installed command does
PATIENCE = 120.0  # seconds for a command to end by itself, or after it was interrupted
LEAVE = 5.0  # seconds for its readers to end after it
MOST = 6  # kills before a run may go to its end
COUNTED = ("kills", "runs to the end", "lost", "doubled", "different", "left over", "tracebacks", "verdicts twice")
IN_USE = ("write.lock", "-wal", "-shm")  # what a data folder may hold or not, and is the same


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run of a command ended: its exit status, what it said, and how many of its processes stayed."""

    status: int
    said: str
    stayed: int


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A command, and what an undisturbed run of it leads to."""

    name: str
    folder: Path
    base: Path | None  # the data folder that it starts from
    status: int = 0
    seconds: float = 0.0
    inputs: Mapping[str, Any] = field(default_factory=dict)  # what is said of each
    whole: Any = None  # all that there is to compare
    files: frozenset[str] = frozenset()
    verdicts: int = 0

    def prepared(self, work: Path) -> Path:
        """Return a new place for a run."""
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        if self.base is not None:
            shutil.copytree(self.base, work / "data")
        return work

    def arguments(self, work: Path) -> list[str]:
        """Return the command line of a run in that place."""
        out = ["--out", str(work / "x.jsonl")] if self.name == "screen" else []
        return [sys.executable, "-c", START, self.name, str(self.folder), "--data", str(work / "data"), *out]


@dataclass(slots=True)
class Tally:
    """What was counted of a command and a signal: what COUNTED names, and the exit statuses."""

    counts: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)


def run(arguments: Sequence[str], *, after: float = PATIENCE, sent: int | None = None) -> Ended:
    """Run a command; after so many seconds send it a signal, an interrupt to all its processes as a terminal does."""
    process = subprocess.Popen(
        arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    try:
        said, _ = process.communicate(timeout=after)
    except subprocess.TimeoutExpired:
        assert sent is not None, "a run that is not disturbed ends"
        (os.killpg if sent == signal.SIGINT else os.kill)(process.pid, sent)
        said, _ = process.communicate(timeout=PATIENCE)
    return Ended(process.returncode, said, len(_stayed(process.pid)))


def _stayed(session: int) -> list[int]:
    """Return the processes of a session that do not end within a few seconds, and end them."""
    end = time.monotonic() + LEAVE
    while (found := list(_of_session(session))) and time.monotonic() < end:
        time.sleep(0.05)
    for process in found:
        os.kill(process, signal.SIGKILL)
    return found


def _of_session(session: int) -> Iterator[int]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            kind, _, _, its_session = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if kind != "Z" and int(its_session) == session:
            yield int(stat.parent.name)


def write_inputs(folder: Path) -> Path:
    """Write 20 paintings, two of which are the same file, one with an odd name, two files that are broken."""
    folder.mkdir()
    for number in range(PICTURES):
        painting(number, SIZE).save(folder / f"{number:02}.jpg")
    shutil.copyfile(folder / "05.jpg", folder / "twin of 05.jpg")
    painting(PICTURES, SIZE).save(folder / "two\nlines, 'quotes\" & <b>\u202e\U0001f5bc.png")
    cut = io.BytesIO()
    painting(PICTURES + 1, SIZE).save(cut, "JPEG")
    (folder / "cut.jpg").write_bytes(cut.getvalue()[:4000])
    (folder / "12a page.jpg").write_bytes(b"<!DOCTYPE html><h1>403 Forbidden</h1>")
    for path in folder.iterdir():
        aged(path)
    return folder


def result(case: Case, work: Path) -> tuple[list[tuple[str, Any]], Any]:
    """Return each input that is accounted for, with what is said of it, and all that there is to compare."""
    if case.name == "index":
        whole = state(work / "data")
        return [(path, rest) for _, path, *rest in whole["photos"]] + whole["skipped"], whole
    out = work / "x.jsonl"
    lines = out.read_text(encoding="utf-8").splitlines() if out.exists() else []
    records = [json.loads(line) for line in lines]
    said = [(record["photo"], {key: record[key] for key in record if key != "verdicts"}) for record in records]
    return said, {photo: found for photo, found in sorted(said)}


def files_of(work: Path) -> frozenset[str]:
    """Return the files that a run leaves."""
    names = (str(path.relative_to(work)) for path in work.rglob("*") if path.is_file())
    return frozenset(name for name in names if not name.endswith(IN_USE))


def verdicts_of(work: Path) -> int:
    """Return how many verdicts the log holds on photographs that could be read."""
    path = work / "data" / "verdicts.db"
    if not path.exists():
        return 0
    with closing(sqlite3.connect(path)) as database:
        return int(database.execute("SELECT count(*) FROM verdicts WHERE outcome != 'unreadable'").fetchone()[0])


def undisturbed(name: str, folder: Path, base: Path | None, work: Path) -> Case:
    """Return a command with what it leads to and how long it takes, when nobody disturbs it."""
    case = Case(name, folder, base)
    case.prepared(work)
    start = time.monotonic()
    ended = run(case.arguments(work))
    seconds = time.monotonic() - start
    said, whole = result(case, work)
    present = len(list(folder.iterdir()))
    assert len(said) == len(dict(said)) == present, f"{len(said)} of {present}: {ended.said}"
    return Case(name, folder, base, ended.status, seconds, dict(said), whole, files_of(work), verdicts_of(work))


def disturbed(case: Case, sent: signal.Signals, work: Path, chance: random.Random, tally: Tally) -> None:
    """Start a command and kill it, up to MOST times, until it comes to its end; count what it ends with."""
    case.prepared(work)
    for left in range(chance.randint(1, MOST), -1, -1):
        after = chance.uniform(0.0, case.seconds) if left else PATIENCE
        ended = run(case.arguments(work), after=after, sent=sent)
        tally.counts["left over"] += ended.stayed
        tally.statuses[ended.status] += 1
        if "Traceback" in ended.said:
            tally.counts["tracebacks"] += 1
            _keep(f"traceback {case.name} {sent.name} after {after:.3f} s, status {ended.status}", ended.said)
        if ended.status == case.status or _is_done(case, work):
            return _check(case, sent, work, tally)
        tally.counts["kills"] += left > 0
    tally.counts["different"] += 1
    _keep(f"no end {case.name} {sent.name}, status {ended.status}", ended.said)


def _is_done(case: Case, work: Path) -> bool:
    """Say whether all was written before the signal came: the same command again would be another screening."""
    return case.name == "screen" and (work / "x.jsonl").exists() and not (work / "x.jsonl.part").exists()


def _check(case: Case, sent: signal.Signals, work: Path, tally: Tally) -> None:
    said, whole = result(case, work)
    times = Counter(name for name, _ in said)
    lost = [name for name in case.inputs if not times[name]]
    doubled = [name for name, count in times.items() if count > 1]
    left = files_of(work) - case.files
    again = verdicts_of(work) - case.verdicts
    found = (1, len(lost), len(doubled), int(whole != case.whole), len(left), 0, again)
    tally.counts.update(dict(zip(COUNTED[1:], found, strict=True)))
    if lost or doubled or left or whole != case.whole:
        keys = [key for key in whole if whole[key] != case.whole.get(key)]
        other = "\n".join(f"{key}\n  {whole[key]!r:.3000}\n  {case.whole.get(key)!r:.3000}" for key in keys)
        _keep(f"result {case.name} {sent.name}", f"lost {lost}\ndoubled {doubled}\nleft {sorted(left)}\n{other}\n")


def _keep(what: str, text: str) -> None:
    """Keep what went wrong, and say so."""
    path = KEPT / f"{time.monotonic_ns()}.txt"
    path.write_text(f"{what}\n{text}", encoding="utf-8", errors="backslashreplace")
    print(f"{what}: see {path}", file=sys.stderr)


def kill(case: Case, sent: signal.Signals, work: Path, times: int, seed: int, stop: threading.Event) -> Tally:
    """Kill a command so many times, or until `stop`; return what was counted."""
    chance, tally = random.Random(f"{seed} {case.name} {sent.name}"), Tally()
    while tally.counts["kills"] < times and not stop.is_set():
        disturbed(case, sent, work, chance, tally)
        print(f"{case.name} {sent.name}: {tally.counts['kills']} of {times}", file=sys.stderr)
    return tally


def main() -> None:
    """Kill as often as wanted, two runs at a time, and report; when interrupted, report what there is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    shutil.rmtree(KEPT, ignore_errors=True)
    KEPT.mkdir(parents=True)
    stop = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor(2) as pool:
        root = Path(temporary)
        folder = write_inputs(root / "photos")
        index = undisturbed("index", folder, None, root / "index")
        screen = undisturbed("screen", folder, root / "index" / "data", root / "screen")
        jobs = {
            (case, sent): pool.submit(
                kill, case, sent, root / f"{case.name} {sent.name}", -(-arguments.kills // 4), arguments.seed, stop
            )
            for sent in (signal.SIGKILL, signal.SIGINT)
            for case in (index, screen)
        }
        tallies = {(case.name, sent.name): job.result() for (case, sent), job in jobs.items()}
    report(
        "kills",
        ("command", "signal", *COUNTED),
        [(*names, *(tally.counts[column] for column in COUNTED)) for names, tally in tallies.items()],
        inputs=len(index.inputs),
        seconds={case.name: round(case.seconds, 2) for case in (index, screen)},
        statuses={" ".join(names): dict(sorted(tally.statuses.items())) for names, tally in tallies.items()},
        seed=arguments.seed,
    )


if __name__ == "__main__":
    main()
