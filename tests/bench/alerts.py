"""A museum as a stolen register: which photographs that show a work of it raise an alert, and which of others do.

Visitors' photographs and simulated phone photographs of the works, each of one kind; and photographs of works that are
not catalogued: Chinese paintings, reproductions, and what people photographed elsewhere. A work is recognised where one
of its exemplars is registered on the photograph. Nothing is chosen on these figures.
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from indexer.simulation.camera import defocus
from indexer.simulation.hindrances import reflect_room
from indexer.simulation.obstacles import reflect, stand_before
from indexer.simulation.rephotograph import ORDINARY, VISITORS, draw_shot, photograph
from retrieval.machine import cpu_count
from retrieval.statistics.metrics import clopper_pearson
from tests.bench import report, shared_data
from tests.bench.museum import artifact
from tests.bench.pages import page_of, screen_of
from tests.bench.stock import mixed, museum_pictures, opened, queries, unknown_picture, unknown_works
from tests.bench.walls import incoming

COLUMNS = ("photographs", "of", "recognised", "alert", "consistent", "share", "95 % interval")
ROOM = replace(VISITORS, room=1.0, frame=1.0, coarse=0.5)
KEPT = (0.35, 0.7)  # of each side, by a crop
BLURRED = (0.006, 0.014)  # of the shorter side
UNKNOWN = 100  # photographs of unknown works from each of three places

Taken = Callable[[Image.Image, np.random.Generator], Image.Image]


def glass(work: Image.Image, random: np.random.Generator) -> Image.Image:
    """Return a photograph behind glass, with lamps and another picture in it."""
    room = opened(mixed(sorted(museum_pictures().values()), [int(random.integers(1000))])[0])
    seen = np.asarray(_shot(work, random))
    for _ in range(3):
        seen = np.asarray(reflect_room(seen, np.asarray(room), random).round(), np.uint8)
    return Image.fromarray(reflect(seen, random)[0])


def finger(work: Image.Image, random: np.random.Generator) -> Image.Image:
    """Return a photograph with a finger, a head or a cord before the work."""
    seen = _shot(work, random)
    return Image.fromarray(stand_before(np.asarray(seen), (0.0, 0.0, *map(float, seen.size)), random)[0])


def room(work: Image.Image, random: np.random.Generator) -> Image.Image:
    """Return a photograph of the framed work in a room."""
    return photograph(work, draw_shot(random, ROOM), random)


def blur(work: Image.Image, random: np.random.Generator) -> Image.Image:
    """Return a photograph out of focus."""
    return defocus(_shot(work, random), random.uniform(*BLURRED))


def crop(work: Image.Image, random: np.random.Generator) -> Image.Image:
    """Return a part of a photograph."""
    seen = _shot(work, random)
    size = (random.uniform(*KEPT, 2) * seen.size).astype(int)
    left, top = (random.random(2) * (np.array(seen.size) - size)).astype(int).tolist()
    return seen.crop((left, top, left + int(size[0]), top + int(size[1])))


def page(work: Image.Image, random: np.random.Generator) -> Image.Image:
    """Return a photograph of a page of a sales catalogue."""
    return page_of([work], random).image


def screen(work: Image.Image, random: np.random.Generator) -> Image.Image:
    """Return a photograph of a screen."""
    return screen_of([work], random).image


KINDS: Mapping[str, Taken] = {one.__name__: one for one in (glass, finger, room, blur, crop, page, screen)}


def _shot(work: Image.Image, random: np.random.Generator) -> Image.Image:
    return photograph(work, draw_shot(random, ORDINARY), random)


def photographs(folder: Path, objects: int) -> dict[str, dict[Path, frozenset[str]]]:
    """Write all photographs; return by kind what each shows, nothing where it is a work that is not catalogued."""
    kinds: dict[str, dict[Path, frozenset[str]]] = {}
    for path, works in queries().items():
        kinds.setdefault("visitors" if works else "unknown: visitors", {})[path] = works
    jobs: list[tuple[Path, Callable[[], Image.Image]]] = []
    for number, (key, source) in enumerate(mixed(sorted(museum_pictures().items()), [17])[:objects]):
        for kind, take in KINDS.items():
            seed = [number, *kind.encode()]
            file = folder / f"{kind}-{key}.jpg"
            kinds.setdefault(f"simulated: {kind}", {})[file] = frozenset({key})
            jobs.append((file, lambda take=take, source=source, seed=seed: _taken(take, source, seed)))
    for kind, others in unknown().items():
        for path in others:
            file = folder / f"unknown-{kind}-{path.parent.parent.name}-{path.stem}.jpg"
            kinds.setdefault(f"unknown: {kind}", {})[file] = frozenset()
            make = unknown_picture if kind == "reproductions" else opened
            jobs.append((file, lambda make=make, path=path: make(path)))
    with ThreadPoolExecutor(cpu_count()) as pool:
        list(pool.map(lambda job: job[1]().save(job[0], quality=90), jobs))
    return kinds


def _taken(take: Taken, source: Path, seed: list[int]) -> Image.Image:
    return take(incoming(opened(source)), np.random.default_rng(seed))


def unknown() -> dict[str, list[Path]]:
    """Return photographs of works that are not catalogued, by where they are from."""
    elsewhere = sorted((shared_data("wave2")).glob("*/photos/*.jpg"))
    return {
        "Chinese paintings": list(islice(mixed(sorted(shared_data("chinese").glob("*.jpg")), [18]), UNKNOWN)),
        "reproductions": list(islice(mixed(unknown_works(), [19]), UNKNOWN)),
        "wave2": list(islice(mixed(elsewhere, [20]), UNKNOWN)),
    }


def register_of(folder: Path) -> None:
    """Write the catalogue of the museum with every work stolen."""
    for key, path in museum_pictures().items():
        (folder / f"{key}.jpg").symlink_to(path)
    with (folder / "catalogue.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("object_id", "status"), *((key, "stolen") for key in museum_pictures())])


def screened(paths: Iterator[Path], data: Path, place: Path) -> dict[Path, dict]:
    """Screen photographs, and return their records by path."""
    listed = place / "list.txt"
    listed.write_text("".join(f"{path}\n" for path in paths), encoding="utf-8")
    printed = artifact("screen", str(listed), "--data", str(data), "--format", "jsonl")
    return {Path(record["photo"]): record for record in map(json.loads, printed.splitlines())}


def row_of(kind: str, shown: Mapping[Path, frozenset[str]], records: Mapping[Path, dict]) -> list:
    """Return the figures of one kind: of works that are recognised, else of all that are unknown, those with alert."""
    recognised = alert = sure = 0
    for path, works in shown.items():
        found = records[path]["works"]
        known = {match["object_id"] for work in found for match in work["matches"] if match["registration"]}
        recognised += bool(known & works)
        raised = [work for work in found if work["alert"]]
        counts = bool(raised) and (not works or bool(known & works))
        alert += counts
        sure += counts and any(work["alert_certainty"] == "consistent" for work in raised)
    known_kind = any(shown.values())
    of = recognised if known_kind else len(shown)
    low, high = clopper_pearson(alert, of)
    told = str(recognised) if known_kind else ""
    return [kind, len(shown), told, alert, sure, alert / of if of else 0.0, f"[{low:.3f}, {high:.3f}]"]


def main() -> None:
    """Print the share of recognised works that raise an alert, by kind, and the false alerts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", type=int, default=25, help="that are photographed by simulation, in each way")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        (place / "works").mkdir()
        (place / "photographs").mkdir()
        register_of(place / "works")
        artifact("index", str(place / "works"), "--data", str(place / "data"))
        kinds = photographs(place / "photographs", given.objects)
        records = screened((path for shown in kinds.values() for path in shown), place / "data", place)
    rows = [row_of(kind, shown, records) for kind, shown in kinds.items()]
    for name, wanted in (("all recognised works", True), ("all unknown works", False)):
        some = {path: works for shown in kinds.values() for path, works in shown.items() if bool(works) is wanted}
        rows.append(row_of(name, some, records))
    report("alerts", COLUMNS, rows, command=f"python -m tests.bench.alerts --objects {given.objects}")


if __name__ == "__main__":
    main()
