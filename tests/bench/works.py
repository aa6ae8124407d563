"""Which catalogued works are found on photographs: the museum's queries, and walls, pages and screens with several."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from retrieval.machine import cpu_count, import_cv2
from retrieval.outcome import Outcome
from retrieval.statistics.metrics import Statistic, bootstrap_by_group, clopper_pearson, tied_groups
from tests.bench import report, shared_data
from tests.bench.growth import drawn
from tests.bench.lots import hung_together, jpeg
from tests.bench.museum import KINDS, artifact
from tests.bench.pages import page_of, screen_of
from tests.bench.staging import fresh, put_all
from tests.bench.stock import distractors, mixed, queries, unknown_picture, work
from tests.bench.walls import Wall, wall_of

SAME = 0.4  # intersection over union of an unknown work and what was found: a frame around it may take up half
COLUMNS = ("photographs", "count", "works", "found", "precision", "recall")

Record = Mapping[str, Any]
Show = Callable[[Sequence[Image.Image], np.random.Generator], Wall]
STAGED: Mapping[str, Show] = {"wall": wall_of, "page": page_of, "screen": screen_of}


@dataclass(frozen=True, slots=True)
class Asked:
    """A (photograph, object) pair: whether the object is on it, and whether it was found there."""

    photo: str
    object_id: str
    true: bool
    found: bool


@dataclass(frozen=True, slots=True, eq=False)
class Hung:
    """What hangs on a wall: the size of its photograph, the object of each outline, empty for an unknown work."""

    size: tuple[int, int]
    objects: tuple[str, ...]
    outlines: tuple[np.ndarray, ...]
    shows: frozenset[str]  # the works, unknown ones too


def named(found: Record) -> str | None:
    """Return the object that a work of a record is said to be; None where it is not said to be any."""
    best = found["matches"][0] if found["matches"] else None
    if best is None or found["outcome"] == Outcome.NO_MATCH:
        return None
    registered = found["outcome"] != Outcome.INCONCLUSIVE or best["registration"] is not None
    return str(best["object_id"]) if registered else None


def asked_of(record: Record, truth: Iterable[str]) -> list[Asked]:
    """Return the pairs of a photograph: each object that is on it, or that was found there."""
    photo, on_it = Path(record["photo"]).name, set(truth)
    found = {object_id for item in record["works"] if (object_id := named(item)) is not None}
    return [Asked(photo, key, key in on_it, key in found) for key in sorted(on_it | found)]


def precision(pairs: Sequence[Asked]) -> float:
    """Return the share of the objects found that are there; raises ValueError where none was found."""
    return share([pair.true for pair in pairs if pair.found])


def recall(pairs: Sequence[Asked]) -> float:
    """Return the share of the objects there that are found; raises ValueError where there is none."""
    return share([pair.found for pair in pairs if pair.true])


def share(flags: Sequence[bool]) -> float:
    """Return the share that is true; raises ValueError where there is nothing."""
    if not flags:
        raise ValueError("nothing to count")
    return sum(flags) / len(flags)


def estimated(items: Sequence[Any], groups: Sequence[str], statistic: Statistic[Any]) -> str:
    """Return a share with its 95 % interval by groups; exact, by their number, where resampling has no width."""
    try:
        value, count = statistic(list(items)), len(set(groups))
    except ValueError:
        return "none"
    low, high = value, value
    if count > 1:
        found = bootstrap_by_group(items, groups, statistic)
        low, high = found.low, found.high
    if low == high:
        low, high = clopper_pearson(round(value * count), count)
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"


def row_of(what: str, pairs: Sequence[Asked], groups: Mapping[str, str], photos: int) -> list:
    """Return the precision and recall of some pairs; only those that a share counts stand behind its interval."""
    there, found = [pair for pair in pairs if pair.true], [pair for pair in pairs if pair.found]
    shares = [
        estimated(some, [groups[pair.photo] for pair in some], statistic)
        for some, statistic in ((found, precision), (there, recall))
    ]
    return [what, photos, len(there), len(found), *shares]


def errors_of(records: Iterable[Record], pairs: Sequence[Asked]) -> Iterator[str]:
    """Yield what was missed and what was invented, with all that was said of the photograph."""
    said = {Path(record["photo"]).name: "; ".join(map(_said, record["works"])) for record in records}
    for pair in pairs:
        if pair.true != pair.found:
            yield f"{pair.photo}: {pair.object_id} {'missed' if pair.true else 'invented'} ({said[pair.photo]})"


def _said(found: Record) -> str:
    best = found["matches"][0] if found["matches"] else {}
    points = f", {best['registration']['inliers']} points" if best.get("registration") else ""
    return f"{found['outcome']} {best.get('object_id', '')}{points}"


def hang_works(folder: Path, count: int, show: Show) -> dict[str, Hung]:
    """Write so many photographs of two or three works each, and return what hangs where on each."""
    folder.mkdir()
    works = islice(hung_together(1), count)
    numbered = [(f"{folder.name}-{number:03d}.jpg", shown) for number, shown in enumerate(works)]

    def hang(name: str, known: Sequence[str], unknown: Sequence[Path]) -> Hung:
        pictures = [*((key, work(key)) for key in known), *(("", unknown_picture(path)) for path in unknown)]
        seed = [1, *name.encode()]
        pictures = mixed(pictures, seed)
        wall = show([picture for _, picture in pictures], np.random.default_rng(seed))
        (folder / name).write_bytes(jpeg(wall.image))
        shows = frozenset([*known, *(path.stem for path in unknown)])
        return Hung(wall.image.size, tuple(key for key, _ in pictures), wall.outlines, shows)

    with ThreadPoolExecutor(cpu_count()) as pool:
        hung = pool.map(lambda item: hang(item[0], *item[1]), numbered)
        return {name: wall for (name, _), wall in zip(numbered, hung, strict=True)}


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Return the intersection over union of two convex polygons, (n, 2)."""
    cv2 = import_cv2()
    first, second = (cv2.convexHull(np.asarray(polygon, np.float32)) for polygon in (one, other))
    common, _ = cv2.intersectConvexConvex(first, second)
    union = cv2.contourArea(first) + cv2.contourArea(second) - common
    return float(common / union) if union > 0 else 0.0


def place_of(found: Record) -> np.ndarray:
    """Return where a work of a record lies: its outline, or else the rectangle around it."""
    if found.get("outline"):
        return np.array(found["outline"], np.float64)
    x, y, width, height = found["region"]
    return np.array([(x, y), (x + width, y), (x + width, y + height), (x, y + height)], np.float64)


def places_of(record: Record, hung: Hung) -> tuple[list[float], list[bool], int]:
    """Return the overlap of each object found with its place, what was said of unknown works, and what of nothing.

    For each unknown work, whether a `no-match` lies where it hangs; then how many lie where none does.
    """
    seen = [np.clip(outline, 0, np.array(hung.size)) for outline in hung.outlines]
    named_at = {named(item): place_of(item) for item in record["works"]}
    objects = [
        overlap(named_at[key], place) for key, place in zip(hung.objects, seen, strict=True) if key and key in named_at
    ]
    strangers = [place for key, place in zip(hung.objects, seen, strict=True) if not key]
    said = [place_of(item) for item in record["works"] if item["outcome"] == Outcome.NO_MATCH]
    unknown = [any(overlap(place, other) >= SAME for other in said) for place in strangers]
    beside = sum(all(overlap(place, other) < SAME for other in strangers) for place in said)
    return objects, unknown, beside


def screened(photos: Path, data: Path) -> list[Record]:
    """Return the records of a folder of photographs."""
    printed = artifact("screen", str(photos), "--data", str(data), "--format", "jsonl")
    return [json.loads(line) for line in printed.splitlines()]


def museum_rows(data: Path) -> tuple[list[list], list[str]]:
    """Return the rows of the museum's queries, by kind and all, and the errors."""
    truth = {path.name: works for path, works in queries().items()}
    records = screened(shared_data("museum") / "queries", data)
    pairs = [pair for record in records for pair in asked_of(record, truth[Path(record["photo"]).name])]
    groups = tied_groups(truth)
    rows = []
    for kind, what in (*KINDS.items(), ("qsd", "all queries of the museum")):
        photos = sum(photo.startswith(kind) for photo in truth)
        rows.append(row_of(what, [pair for pair in pairs if pair.photo.startswith(kind)], groups, photos))
    return rows, list(errors_of(records, pairs))


def staged_row(folder: Path, data: Path, count: int, show: Show) -> tuple[list, list[str], dict[str, Any]]:
    """Return the row of photographs with several works, the errors, and how well places and unknown works are said."""
    walls = hang_works(folder, count, show)
    records = screened(folder, data)
    groups = tied_groups({name: hung.shows for name, hung in walls.items()})
    pairs, overlaps, beside = [], [], 0
    unknown: list[tuple[str, bool]] = []
    for record in records:
        name = Path(record["photo"]).name
        hung = walls[name]
        pairs += asked_of(record, filter(None, hung.objects))
        objects, said, invented = places_of(record, hung)
        overlaps += objects
        unknown += [(groups[name], flag) for flag in said]
        beside += invented
    said_of_unknown = estimated([flag for _, flag in unknown], [group for group, _ in unknown], share)
    more: dict[str, Any] = {
        "overlap_of_places": _quantiles(overlaps),
        "unknown_works_said": f"{said_of_unknown} of {len(unknown)}",
        "no_match_where_no_work_hangs": beside,
    }
    return row_of(f"{folder.name}s with 2 or 3 works", pairs, groups, count), list(errors_of(records, pairs)), more


def _quantiles(values: Sequence[float]) -> dict[str, float]:
    """Return the smallest, a low and the middle value."""
    if not values:
        return {}
    return {name: round(float(np.quantile(values, q)), 3) for name, q in (("least", 0), ("5 %", 0.05), ("median", 0.5))}


def cut_out(folder: Path, count: int) -> Path:
    """Write so many works that are cut out of reproductions and Chinese paintings; return the folder."""
    folder.mkdir()
    put_all({folder / f"{key}.jpg": partial(lambda make: jpeg(make()), make) for key, _, make in distractors(count)})
    return folder


def main() -> None:
    """Print precision and recall of (photograph, object) pairs, and every error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="a catalogue that holds the museum's objects; by default, only them")
    parser.add_argument("--staged", type=int, default=100, help="photographs of walls, of pages and of screens")
    parser.add_argument("--others", type=int, default=0, help="works cut out of reproductions that are added to it")
    parser.add_argument("--drawn", type=int, default=0, help="works drawn around all of these that are added too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        data = Path(name, "data")
        if options.data is not None:
            fresh(options.data, data)
        else:
            artifact("index", str(shared_data("museum") / "catalogue"), "--data", str(data))
        if options.others:
            others = cut_out(Path(name, "others"), options.others)
            artifact("index", str(others), "--data", str(data), "--pictures", "none")
        drawn(data, options.drawn)
        rows, errors = museum_rows(data)
        more = {}
        for what, show in STAGED.items():
            row, wrong, places = staged_row(Path(name, what), data, options.staged, show)
            rows.append(row)
            errors += wrong
            more[f"on {what}s"] = places
    for line in errors:
        print(line)
    command = f"python -m tests.bench.works --others {options.others} --drawn {options.drawn} --staged {options.staged}"
    report("works", COLUMNS, rows, **more, errors=len(errors), command=command)


if __name__ == "__main__":
    main()
