"""Whether a catalogue whose vectors are searched in a Milvus server says what it says by files, also through kills.

The museum stands among drawn works (`tests.bench.growth`). All of its queries are screened by the files, then by the
server, just after the vectors were put there and once it has indexed them; the records are compared field by field.
Then the server is killed at random moments and started again a little later: during runs of `artifact index` that put
all vectors into a new collection, and during screenings. Needs the wheels `milvus` and `pymilvus` (`make milvus`).
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.content_keys import content_keys
from retrieval.catalogue.store import known_address, open_store
from tests.bench import ROOT, report, shared_data
from tests.bench.growth import drawn
from tests.bench.milvus import index_built
from tests.bench.museum import artifact
from tests.milvus_server import MilvusProcess

ENDED = (0, 3)  # exit codes of a screening that was done
AMID = 0.4  # of a run of `artifact index` that puts all vectors: until then it surely puts some
LATER = 5.0  # seconds, at most, after which a killed server is started again
AS_PUT, INDEXED = "server, as put", "server, indexed"
COLUMNS = ("what", "photographs/s", "differing fields", "kills", "begun again", "lost", "doubled")
Record = dict[str, Any]


@dataclass(slots=True)
class Bench:
    """The museum, a catalogue of it among drawn works, and a server."""

    museum: Path
    queries: Path
    data: Path
    server: MilvusProcess
    chance: random.Random = field(default_factory=lambda: random.Random(0))

    def address(self, name: str) -> str:
        """Return the address of a collection."""
        return f"milvus://127.0.0.1:{self.server.port}/{name}"

    def index(self, store: str) -> list[str]:
        """Return the arguments that have vectors searched in a store."""
        return ["index", str(self.museum / "catalogue"), "--data", str(self.data), "--store", store]

    def screen(self, out: Path) -> list[str]:
        """Return the arguments of a screening of all queries."""
        return ["screen", str(self.queries), "--data", str(self.data), "--out", str(out)]

    def keys(self) -> np.ndarray:
        """Return the keys of all contents, int64 (n,), in ascending order."""
        with Catalogue.reading(self.data) as catalogue:
            return np.sort(content_keys([row[0] for row in catalogue.db.execute("SELECT DISTINCT sha256 FROM photos")]))

    def stored(self, name: str) -> tuple[np.ndarray, int]:
        """Return all keys of a collection, int64 (n,), and the count that the server says."""
        with Catalogue.reading(self.data) as catalogue:
            store = open_store(catalogue, known_address(catalogue, self.address(name)))
        with store:
            return np.concatenate([np.empty(0, np.int64), *store.key_pages()]), store.count()


def chosen(folder: Path, count: int | None, target: Path) -> Path:
    """Copy so many photographs of a folder into another one, or all; return it."""
    photos = sorted(path for path in folder.iterdir() if path.is_file())
    target.mkdir()
    for photo in photos[:: max(1, len(photos) // (count or len(photos)))][:count]:
        shutil.copy(photo, target)
    return target


def started(arguments: list[str]) -> subprocess.Popen:
    """Start the command line."""
    command = [sys.executable, "-m", "cli.main", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def records(path: Path) -> list[Record]:
    """Return the records of a screening, in the order of the photographs."""
    found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return sorted(found, key=lambda record: record["photo"])


def screened(bench: Bench, out: Path) -> tuple[list[Record], float]:
    """Screen all queries; return the records, and how many photographs a second."""
    (bench.data / "verdicts.db").unlink(missing_ok=True)  # what was seen before would be said
    start = time.perf_counter()
    process = started(bench.screen(out))
    _, said = process.communicate()
    assert process.returncode in ENDED, said
    found = records(out)
    return found, len(found) / (time.perf_counter() - start)


def differing(one: Any, other: Any, name: str = "") -> Iterator[str]:
    """Yield the names of the fields in which two records differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted({*one, *other} - {"verdicts"}):
            yield from differing(one.get(key), other.get(key), f"{name}.{key}".strip("."))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (first, second) in enumerate(zip(one, other, strict=True), 1):
            yield from differing(first, second, f"{name} {number}" if name.endswith("matches") else name)
    elif one != other:
        yield name


def compared(right: list[Record], found: list[Record]) -> tuple[Counter[str], int, int]:
    """Return the fields that differ, and how many photographs were lost and how many came twice."""
    times = Counter(record["photo"] for record in found)
    by_photo = {record["photo"]: record for record in found}
    fields = Counter(name for one in right for name in differing(one, by_photo.get(one["photo"], one)))
    return fields, sum(one["photo"] not in times for one in right), sum(count - 1 for count in times.values())


def survived(bench: Bench, arguments: list[str], wait: Callable[[], None], ended: tuple[int, ...]) -> int:
    """Run a command, kill the server after a wait and start it again; return how often it had to be given again."""
    process = started(arguments)
    wait()
    assert process.poll() is None, "it was done before the server was killed"
    bench.server.kill()
    time.sleep(bench.chance.uniform(0, LATER))
    bench.server.start()
    for again in range(3):
        _, said = process.communicate()
        if process.returncode in ended:
            return again
        print(f"exit code {process.returncode}: {said}", file=sys.stderr)
        process = started(arguments)
    raise AssertionError("it does not come to an end")


def amid_upserts(bench: Bench, name: str, seconds: float) -> None:
    """Wait until a collection is there, and then for a part of the seconds that its upserts take."""
    from pymilvus import MilvusClient

    client: Any = MilvusClient(f"http://127.0.0.1:{bench.server.port}", dedicated=True)
    while not client.has_collection(name):
        time.sleep(0.02)
    client.close()
    time.sleep(bench.chance.uniform(0, seconds))


def killed_upserts(bench: Bench, kills: int, seconds: float) -> list[Any]:
    """Kill the server while all vectors are put into a new collection; return the row of what came of it.

    `seconds` is what a run that puts them takes.
    """
    right, again, lost, doubled = bench.keys(), 0, 0, 0
    for number in range(kills):
        name = f"killed_{number}"
        amid = partial(amid_upserts, bench, name, AMID * seconds)
        again += survived(bench, bench.index(bench.address(name)), amid, (0,))
        keys, count = bench.stored(name)
        lost += len(np.setdiff1d(right, keys)) + max(0, len(keys) - count)
        doubled += len(keys) - len(np.unique(keys)) + max(0, count - len(keys))
        print(f"upsert killed: {number + 1} of {kills}; {count} stored", file=sys.stderr)
    return ["kills during upserts", "", "", kills, again, lost, doubled]


def amid_screening(bench: Bench, out: Path, count: int) -> None:
    """Wait until the journal of a screening has a part of so many records."""
    journal, wanted = out.with_name(f"{out.name}.part"), bench.chance.randint(1, max(1, count * 2 // 3))
    while True:
        time.sleep(0.05)
        with suppress(sqlite3.Error), closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as database:
            if database.execute("SELECT count(*) FROM records").fetchone()[0] >= wanted:
                return


def killed_screenings(bench: Bench, kills: int, right: list[Record], out: Path) -> tuple[list[Any], Counter[str]]:
    """Kill the server while the queries are screened; return the row of what came of it, and what differed."""
    totals, again, differ = Counter[str](), 0, Counter[str]()
    for number in range(kills):
        (bench.data / "verdicts.db").unlink(missing_ok=True)
        amid = partial(amid_screening, bench, out, len(right))
        again += survived(bench, bench.screen(out), amid, ENDED)
        fields, lost, doubled = compared(right, records(out))
        out.unlink()
        differ += fields
        totals.update(lost=lost, doubled=doubled)
        print(f"screening killed: {number + 1} of {kills}", file=sys.stderr)
    return ["kills during screenings", "", differ.total(), kills, again, totals["lost"], totals["doubled"]], differ


def measured(bench: Bench, kills: int, folder: Path, states: tuple[str, ...]) -> tuple[list[list[Any]], dict[str, Any]]:
    """Return the rows, and what else was measured."""
    right, rate = screened(bench, folder / "files.jsonl")
    rows: list[list[Any]] = [["files", rate, 0, "", "", "", ""]]
    vectors = sum(path.stat().st_size for path in bench.data.glob("*.faiss"))
    start = time.perf_counter()
    artifact(*bench.index(bench.address("works")))
    switched, differ = time.perf_counter() - start, Counter[str]()
    with Catalogue.reading(bench.data) as catalogue:
        address = known_address(catalogue, bench.address("works"))
    more: dict[str, Any] = {"queries": len(right), "switch_s": switched, "vectors_file_mb": vectors / 1e6}
    for what in states:
        if what == INDEXED:
            more["index_s"] = index_built(address, len(bench.keys()))
        found, rate = screened(bench, folder / f"{what}.jsonl")
        fields, lost, doubled = compared(right, found)
        differ += fields
        rows.append([what, rate, fields.total(), "", "", lost, doubled])
        print(*rows[-1], file=sys.stderr)
    more |= {"differing": dict(differ), "server_mb": bench.server.memory(), "server_disk_mb": bench.server.disk()}
    if kills:
        row, after_kills = killed_screenings(bench, kills, right, folder / "killed.jsonl")
        rows.append(row)
        more["differing_after_kills"] = dict(after_kills)
        rows.append(killed_upserts(bench, kills, switched))
    return rows, more


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("works", type=int, nargs="?", default=100_000, help="the museum's among them")
    parser.add_argument("--kills", type=int, default=5, help="during upserts, and as many during screenings")
    parser.add_argument("--as-put", action="store_true", help="do not wait for the index: of 100,000 it takes long")
    parser.add_argument("--data", type=Path, help="a folder in which these works were catalogued and drawn before")
    parser.add_argument("--queries", type=int, help="as many of the museum's queries, evenly chosen; all by default")
    asked = parser.parse_args()
    states = (AS_PUT,) if asked.as_put else (AS_PUT, INDEXED)
    museum = shared_data("museum")
    with tempfile.TemporaryDirectory() as name:
        data, server = Path(name) / "data", MilvusProcess(Path(name) / "server")
        if asked.data is None:
            artifact("index", str(museum / "catalogue"), "--data", str(data), "--pictures", "none")
            drawn(data, asked.works - 279)
        else:
            shutil.copytree(asked.data, data)
        try:
            server.start()
            queries = chosen(museum / "queries", asked.queries, Path(name) / "queries")
            rows, more = measured(Bench(museum, queries, data, server), asked.kills, Path(name), states)
        finally:
            server.kill()
    command = f"python -m tests.bench.milvus_verdicts {asked.works} --kills {asked.kills}"
    command += f"{f' --queries {asked.queries}' * (asked.queries is not None)}{' --as-put' * asked.as_put}"
    report("milvus_verdicts", COLUMNS, rows, works=asked.works, **more, command=command)


if __name__ == "__main__":
    main()
