"""Stage a day at a desk that screens auctions: a catalogue with registers, and lots whose truth is known."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.machine import cpu_count
from tests.bench.lots import KINDS, Lot, jpeg, retaken
from tests.bench.stock import (
    FORGERIES,
    calibrated,
    distractors,
    forgery,
    models,
    museum_pictures,
    queries,
    registers,
    work,
)

SHARES = {"copy": 0.06, "several": 0.05, "known forgery": 0.005, "broken": 0.02}  # of the lots
KNOWN = 0.12  # of the lots: photographs of single catalogued works, up to half of them the museum's own queries
AGAIN = 0.05  # of the lots: a file that another lot has too
HOUSES = ("Northgate", "Hall & Vane", "Maison Ferrand", "Auktionshaus Linde")
OBJECT_COLUMNS = ("object_id", "title", "maker", "status", "forgery_of")
LOT_COLUMNS = ("photo", "lot", "sale", "house", "claim", "maker", "url")
TRUTH_COLUMNS = ("photo", "kind", "objects", "shows", "genuine", "outcome", "same_as")
LABEL_COLUMNS = ("photo", "object_id", "label")


def catalogue_of(folder: Path, objects: int = 10_000) -> None:
    """Write a catalogue of that many objects: photographs, one an object, and catalogue.csv."""
    museum = museum_pictures()
    wanted = objects - len(museum) - len(FORGERIES)
    if wanted < 0:
        raise ValueError(f"A catalogue has {objects - wanted} objects or more, not {objects}.")
    others = list(distractors(wanted))
    status = {key: name for name, keys in registers().items() for key in keys}
    rows = [(key, f"No. {key}", "", status.get(key, "in collection"), "") for key in museum]
    rows += [(key, f"After no. {models()[key]}", "", "known forgery", models()[key]) for key in FORGERIES]
    rows += [(key, key.replace("_", " "), maker, "in collection", "") for key, maker, _ in others]
    files: dict[str, Callable[[], bytes]] = {key: path.read_bytes for key, path in museum.items()}
    files |= {key: partial(lambda key: jpeg(forgery(key)), key) for key in FORGERIES}
    files |= {key: partial(lambda make: jpeg(make()), make) for key, _, make in others}
    folder.mkdir(parents=True)
    put_all({folder / f"{key}.jpg": make for key, make in files.items()})
    _write(folder / "catalogue.csv", OBJECT_COLUMNS, rows)


def fresh(data: Path, place: Path) -> Path:
    """Return a copy of a catalogue in which nothing was seen before."""
    return Path(shutil.copytree(data, place, ignore=shutil.ignore_patterns("verdicts.db*")))


def stage_day(folder: Path, photos: int = 2000, seed: int = 0) -> None:
    """Write a day's lots: photos/, lots.csv and truth.csv, and labels.csv with other objects to calibrate on."""
    lots = [lot for kind, count in _counts(photos).items() for lot in KINDS[kind](count, seed)]
    random = np.random.default_rng(seed)
    whole = [number for number, lot in enumerate(lots) if lot.kind != "broken"]
    again = [whole[index] for index in random.permutation(len(whole))[: photos - len(lots)]]
    names = [f"lot-{1 + number:05d}.jpg" for number in random.permutation(photos).tolist()]
    (folder / "photos").mkdir(parents=True)
    staged = {name: (lots[number], "") for name, number in zip(names, range(len(lots)), strict=False)}
    staged |= {name: (lots[number], names[number]) for name, number in zip(names[len(lots) :], again, strict=True)}
    put_all({folder / "photos" / name: lot.make for name, (lot, _) in staged.items()})
    day = sorted(staged.items())
    _write(folder / "truth.csv", TRUTH_COLUMNS, [_truth(name, *line) for name, line in day])
    _write(folder / "lots.csv", LOT_COLUMNS, [_row(name, lot, random) for name, (lot, _) in day])
    _stage_labels(folder, seed)


def _counts(photos: int) -> Mapping[str, int]:
    """Return how many lots of each kind there are on a day of so many photographs, those that repeat another apart."""
    counts = {kind: max(1, round(share * photos)) for kind, share in SHARES.items()}
    known = max(2, round(KNOWN * photos))
    counts["query"] = min(known // 2, len(queries()))
    counts["re-photographed"] = known - counts["query"]
    counts["unknown"] = photos - sum(counts.values()) - max(1, round(AGAIN * photos))
    if counts["unknown"] < 1:
        raise ValueError(f"A day has more photographs than {photos}.")
    return counts


def _stage_labels(folder: Path, seed: int) -> None:
    """Write a photograph of each object that is calibrated on, and labels.csv, which names them."""
    (folder / "labels").mkdir()
    own = {key: [seed, 8, int(key)] for key in calibrated()}
    put_all({folder / "labels" / f"{key}.jpg": partial(retaken, partial(work, key), own[key]) for key in own})
    _write(folder / "labels.csv", LABEL_COLUMNS, [(f"labels/{key}.jpg", key, 1) for key in own])


def _truth(name: str, lot: Lot, same_as: str) -> Sequence[Any]:
    return name, lot.kind, " ".join(lot.objects), "|".join(lot.shows), int(lot.genuine), lot.outcome, same_as


def _row(name: str, lot: Lot, random: np.random.Generator) -> Sequence[Any]:
    number = name.removeprefix("lot-").removesuffix(".jpg")
    house, sale = HOUSES[random.integers(len(HOUSES))], f"Sale {random.integers(100, 110)}"
    return f"photos/{name}", number, sale, house, lot.claim, lot.maker, f"https://example.org/lots/{number}"


def put_all(files: Mapping[Path, Callable[[], bytes | None]]) -> None:
    """Make and write files, on all cores."""

    def put(path: Path) -> None:
        data = files[path]()
        if data is not None:
            path.write_bytes(data)

    with ThreadPoolExecutor(cpu_count()) as pool:
        for _ in pool.map(put, files):
            pass


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(chain([columns], rows))
