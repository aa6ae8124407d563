"""What the rows of a catalogue take as they become many: objects, photographs and the words of their metadata.

Vectors, features and votes are left out, so that it is the database alone that is measured. Most rows are written at
once, and what the database itself keeps of them after that; the last ones as `artifact index` writes them. Commands run
in processes of their own, the rest in this one; the middle one of five counts.
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.key_of_content import content_key
from retrieval.catalogue.lookups import alarming_objects, photos_of_content
from retrieval.catalogue.rows import Changes, EncoderRecord, Photo
from retrieval.errors import UnknownObject
from retrieval.statistics.calibration import Threshold, Thresholds
from tests.bench import report
from tests.bench.growth import ROUNDS, timed

AT_ONCE = 50_000  # objects that are written in one transaction
CHANGED = 100  # objects that a change adds, and then takes out again
LOOKED_UP = 1000  # contents
STOLEN = 100_000  # of the objects one in so many is
MAKERS = ("Abel", "Berthe", "Carlo", "Dora", "Emil", "Franz", "Greta", "Hana", "Ivo", "Jana")
COLUMNS = (
    "objects", "GB", "50,000 more s", "status s", "list s", "list the last s", "search s", "show s", "no such id s",
    "1000 contents s", "stolen s", "100 more s", "100 taken out s", "MB at most",
)  # fmt: skip


def rows(start: int, count: int) -> Changes:
    """Return so many objects with a photograph each, and what is known of them."""
    numbers = range(start, start + count)
    hashes = [hashlib.sha256(str(number).encode()).hexdigest() for number in numbers]
    put = [
        Photo(f"R-{n:08}", "/photographs", f"{n // 1000:05}/{n:08}.jpg", sha256, 2_000_000, n, 4000, 3000)
        for n, sha256 in zip(numbers, hashes, strict=True)
    ]
    known = {
        photo.object_id: {
            "title": f"Sheet {photo.sha256[:5]} of {n % 977}",
            "maker": MAKERS[n % len(MAKERS)],
            "date": str(1500 + n % 400),
            "status": "stolen" if n % STOLEN == 7 else "",
        }
        for n, photo in zip(numbers, put, strict=True)
    }
    return Changes(put=put, metadata=known)


def write(data: Path, count: int) -> float:
    """Write a catalogue of so many objects, and return the seconds that the last of them took, a run's worth."""
    most = max(0, count - AT_ONCE)
    with Catalogue.writing(data) as catalogue:
        catalogue.set_encoder(EncoderRecord("none", "none", "fp32", 512))
        write_at_once(catalogue, most)
        last = rows(most, count - most)
        start = time.perf_counter()
        catalogue.apply(last)
        taken = time.perf_counter() - start
        catalogue.db.execute("DELETE FROM unsegmented")
        catalogue.set_thresholds(Thresholds(Threshold(0.8, 0.05, count), Threshold(0.6, 0.05, count)))
    return taken


def write_at_once(catalogue: Catalogue, count: int) -> None:
    """Write so many objects without what the database does at each row, and then that."""
    execute = catalogue.db.execute
    sql = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name <> 'text_of_new_object'"
    triggers = execute(sql).fetchall()
    for name, _ in triggers:
        execute(f"DROP TRIGGER {name}")
    names = [name for name in Photo.__slots__ if name != "photo_id"]
    put = f"INSERT INTO photos ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
    for start in range(0, count, AT_ONCE):
        some = rows(start, min(AT_ONCE, count - start))
        known = [(object_id, *found.values()) for object_id, found in some.metadata.items()]
        with catalogue.db.atomic():
            catalogue.db.conn.executemany(
                "INSERT INTO objects (object_id, title, maker, date, status) VALUES (?, ?, ?, ?, nullif(?, ''))", known
            )
            values = ([getattr(photo, name) for name in names] for photo in some.put)
            catalogue.db.conn.executemany(put, values)
    execute("INSERT INTO object_words (object_words) VALUES ('rebuild')")
    execute("UPDATE row_counts SET count = ?", [count])
    for _, made in triggers:
        execute(made)
    catalogue.db.conn.commit()


def seconds(act: Callable[[], Any]) -> float:
    """Return the seconds that something takes, the middle ones of several."""
    found = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        act()
        found.append(time.perf_counter() - start)
    return statistics.median(found)


def changing(data: Path, count: int) -> Iterator[float]:
    """Yield what it takes to add some objects, and to take them out again, each with its revision."""
    with Catalogue.writing(data) as catalogue:
        changes = rows(count, CHANGED)
        start = time.perf_counter()
        catalogue.apply(changes)
        yield time.perf_counter() - start
        ids = [photo.photo_id for item in changes.put for photo in catalogue.photos(item.object_id)]
        start = time.perf_counter()
        catalogue.apply(Changes(gone=[photo_id for photo_id in ids if photo_id is not None]))
        yield time.perf_counter() - start


def measured(data: Path, count: int) -> list[Any]:
    """Return the row of a catalogue of so many objects."""
    last = write(data, count)
    commands = (
        ("status",),
        ("list", "--limit", "100"),
        ("list", "--limit", "100", "--after", f"R-{count - 50:08}"),
        ("list", "--limit", "100", "--search", "sheet ab1 greta"),
        ("show", f"R-{count // 2:08}"),
    )
    found = [[timed(*command, "--data", str(data)) for _ in range(ROUNDS)] for command in commands]
    with Catalogue.reading(data) as catalogue:
        step = max(1, count // LOOKED_UP)
        keys = [content_key(hashlib.sha256(str(n).encode()).hexdigest()) for n in range(0, count, step)]
        looked_up = seconds(lambda: [photos_of_content(catalogue, key) for key in keys])
        stolen = seconds(lambda: alarming_objects(catalogue))
        unknown = seconds(lambda: _unknown(catalogue, f"R-{count + 5:08}"))
    size = sum(path.stat().st_size for path in data.glob("catalogue.db*")) / 1e9
    times = [statistics.median(one for one, _ in runs) for runs in found]
    peak = max(peak for runs in found for _, peak in runs)
    return [count, size, last, *times, unknown, looked_up, stolen, *changing(data, count), peak]


def _unknown(catalogue: Catalogue, object_id: str) -> None:
    try:
        catalogue.object(object_id)
    except UnknownObject:
        return
    raise AssertionError(object_id)


def main() -> None:
    """Print a row for each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", type=int, nargs="*", default=[10_000, 100_000], help="objects")
    options = parser.parse_args()
    found = []
    for size in options.sizes:
        with tempfile.TemporaryDirectory() as name:
            found.append(measured(Path(name), size))
    report("rows", COLUMNS, found, command=f"python -m tests.bench.rows {' '.join(map(str, options.sizes))}")


if __name__ == "__main__":
    main()
