"""Stolen later: of works that earlier screenings saw, how many are found when they come to be stolen, and how quickly.

The museum is catalogued without ten works that its visitors photographed; all of their photographs are screened, and so
are photographs of unknown works. Around the unknown works that are kept of these, others are drawn, until so many are
kept. Half of the photographs are taken away. Then the ten works are added as stolen, and ten others become stolen.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import tempfile
import time
from collections.abc import Collection
from itertools import islice
from pathlib import Path

import numpy as np

from retrieval.finding.sightings import Sighting
from retrieval.photographs.features import Features
from retrieval.verdicts.log import VerdictLog, features_seen
from tests.bench import report, shared_data
from tests.bench.museum import artifact
from tests.bench.stock import mixed, museum_pictures, opened, queries, unknown_picture, unknown_works

NEW = CHANGED = 10  # works that are added as stolen, and that come to be stolen
UNKNOWN = 60  # photographs of unknown works from each of two places
NOISE = 0.02  # of a value of an embedding, some 0.35 of its length in all
JITTER = 0.01  # of the sides of a photograph, by which the features of what is drawn are elsewhere


def shown_works() -> list[str]:
    """Return the works that are to be stolen: some that are on visitors' photographs."""
    return mixed(sorted(frozenset().union(*queries().values())), [23])[: NEW + CHANGED]


def catalogued(folder: Path, stolen: Collection[str], without: Collection[str]) -> None:
    """Write the catalogue of the museum, without some works, and with a status for others."""
    for key, path in museum_pictures().items():
        if key not in without and not (folder / f"{key}.jpg").exists():
            (folder / f"{key}.jpg").symlink_to(path)
    with (folder / "catalogue.csv").open("w", newline="", encoding="utf-8") as file:
        rows = [(key, "stolen" if key in stolen else "") for key in museum_pictures() if key not in without]
        csv.writer(file).writerows([("object_id", "status"), *rows])


def photographs(folder: Path) -> dict[str, frozenset[str]]:
    """Write what was screened earlier; return what each photograph shows, by its name."""
    folder.mkdir()
    for path in queries():
        shutil.copy(path, folder / path.name)
    for path in islice(mixed(sorted(shared_data("chinese").glob("*.jpg")), [24]), UNKNOWN):
        opened(path).save(folder / f"chinese-{path.stem}.jpg", quality=90)
    for path in islice(mixed(unknown_works(), [25]), UNKNOWN):
        unknown_picture(path).save(folder / f"reproduction-{path.stem}.jpg", quality=90)
    return {path.name: works for path, works in queries().items()}


def draw_more(data: Path, count: int, stolen: dict[str, frozenset[str]]) -> None:
    """Keep so many unknown works in all: others are drawn around those whose photographs show no work of the museum."""
    random = np.random.default_rng(26)
    with VerdictLog.opened(data) as log:
        (encoder,) = {name for (name,) in log.db.execute("SELECT encoder FROM sightings")}
        numbers, vectors = log.sighted(encoder)
        known = [log.entry(int(number)) for number in numbers]
        rows = [row for row, entry in enumerate(known) if not stolen.get(Path(entry.photo).name)]
        for start in range(0, count - len(numbers), 500):
            drawn = random.choice(rows, min(500, count - len(numbers) - start))
            kept = features_seen(data, sorted({int(numbers[row]) for row in drawn}))
            for row in drawn:
                work = _around(vectors[row].astype(np.float32), kept[int(numbers[row])], random)
                name = f"/drawn/{random.integers(2**62)}.jpg"
                entry = known[row].to_json() | {"photo": name, "sha256": f"{random.integers(2**62):064x}"}
                entry["whole"] = entry.pop("global")
                log.add([type(known[row])(**entry)], [work])


def _around(vector: np.ndarray, features: Features, random: np.random.Generator) -> Sighting:
    """Return a work that looks like another one, but a little."""
    moved = vector + random.normal(0, NOISE, len(vector)).astype(np.float32)
    points = features.points + random.normal(0, JITTER, features.points.shape) * features.size
    shaken = np.clip(features.descriptors + random.integers(-12, 13, features.descriptors.shape), 0, 255)
    seen = Features(points.astype(np.float32), shaken.astype(np.uint8), features.size)
    return Sighting(moved / np.linalg.norm(moved), seen)


def timed(*arguments: str) -> tuple[float, str]:
    """Run the command line; return the seconds and what it printed."""
    start = time.perf_counter()
    said = artifact(*arguments)
    return time.perf_counter() - start, said


def main() -> None:
    """Print how many are found, and the seconds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seen", type=int, default=10_000, help="unknown works that are kept")
    given = parser.parse_args()
    works = shown_works()
    new, changed = works[:NEW], works[NEW:]
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        (place / "works").mkdir()
        data = place / "data"
        catalogued(place / "works", (), new)
        artifact("index", str(place / "works"), "--data", str(data))
        truth = photographs(place / "seen")
        artifact("screen", str(place / "seen"), "--data", str(data), "--out", str(place / "earlier.csv"))
        draw_more(data, given.seen, truth)
        there = {name: place / "seen" / name for name in truth}
        gone = set(list(truth)[::2])
        for photo in gone:
            there[photo].unlink()
        catalogued(place / "works", (), ())
        indexing, _ = timed("index", str(place / "works"), "--data", str(data))  # the works alone, stolen by nobody
        catalogued(place / "works", works, ())
        first, _ = timed("index", str(place / "works"), "--data", str(data))
        alerts = alerts_of(data)
        again, _ = timed("recheck", "--data", str(data))
        told_twice = len(alerts_of(data)) - len(alerts)
    rows = []
    for kind, some in (("unknown then", new), ("matched then", changed)):
        for state, photos in (("photograph there", truth.keys() - gone), ("photograph away", gone)):
            seen = [(photo, work) for photo in photos for work in truth[photo] if work in some]
            found = sum((photo, work) in alerts for photo, work in seen)
            rows.append([kind, state, len(seen), found])
    wrong = sum(work not in truth.get(photo, ()) for photo, work in alerts)
    report(
        "later",
        ("works", "photographs", "seen", "found"),
        rows,
        wrong_alerts=wrong,
        told_twice=told_twice,
        seconds=f"index with the search {first:.1f}, adding the works without {indexing:.1f}, recheck {again:.1f}",
        command=f"python -m tests.bench.later --seen {given.seen}",
    )


def alerts_of(data: Path) -> list[tuple[str, str]]:
    """Return the photograph and the object of each alert that a recheck logged."""
    said = json.loads(artifact("verdicts", "--data", str(data), "-n", "100000", "--format", "json"))
    return [(Path(item["photo"]).name, item["alert_object"]) for item in said if item["recheck_of"]]


if __name__ == "__main__":
    main()
