"""A staged day at a desk that screens auctions: outcomes, alerts, false alarms, time and memory."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench import report
from tests.bench.museum import artifact
from tests.bench.scoring import (
    ALERTS,
    Records,
    Said,
    Truth,
    accounted,
    alert_row,
    by_name,
    claims_by_kind,
    false_alarms,
    outcome_row,
    outcomes_of,
    read_statuses,
    read_truth,
    recall_by_kind,
    repeats_pointed_out,
    seen_again,
)
from tests.bench.staging import catalogue_of, fresh, stage_day
from tests.bench.watching import Watched, thinned, watch

LATER = 4  # times fewer photographs on a later day, some of which show what was seen before
OUTCOMES = ("consistent", "divergent", "no-match", "unreadable")
COLUMNS = ("outcome", "objects", "expected", "said", "precision", "recall", "of these inconclusive")
ALERT_COLUMNS = ("alert", "objects", "found", "photographs", "raised", "recall", "false")


def staged(folder: Path, objects: int, photos: int) -> tuple[Path, Path, Path, Path]:
    """Return a catalogue's folder, its index, a day and a later one, each made where it is not there yet."""
    catalogue, data = folder / f"catalogue-{objects}", folder / f"data-{objects}"
    day, later = folder / f"day-{photos}", folder / f"later-{photos // LATER}"
    for whole, make in (
        (catalogue / "catalogue.csv", lambda: catalogue_of(catalogue, objects)),
        (day / "labels.csv", lambda: stage_day(day, photos)),
        (later / "labels.csv", lambda: stage_day(later, photos // LATER, seed=1)),
    ):
        if not whole.exists():  # it is written last
            shutil.rmtree(whole.parent, ignore_errors=True)
            make()
    artifact("index", str(catalogue), "--data", str(data))
    return catalogue, data, day, later


def screened(day: Path, data: Path, out: Path) -> tuple[Watched, Records, list[str]]:
    """Screen the lots of a day, and return how that went, the records, and which came twice."""
    watched = watch(
        "screen",
        str(day / "lots.csv"),
        "--data",
        str(data),
        "--out",
        str(out),
        journal=out.with_name(f"{out.name}.part"),
    )
    if not out.exists():
        sys.exit(f"artifact screen ended with {watched.status}: {watched.said}")
    with out.open(encoding="utf-8") as lines:
        return watched, *by_name(json.loads(line) for line in lines)


def wrong_words(items: list[Said]) -> list[str]:
    """Return what was said wrongly, by what should have been said."""
    wrong = [item for item in items if item.said != item.expected]
    return [f"{item.photo}: {item.kind}, not {item.expected} but {item.said}" for item in wrong]


@contextmanager
def kept(folder: Path | None) -> Iterator[Path]:
    """Give a folder that stays, or one that is removed afterwards."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
        return
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def show(
    day: list[Truth], records: Records, again: list[str], statuses: dict[str, str], watched: Watched, **more: object
) -> None:
    """Print the tables and the errors, and write them."""
    items = outcomes_of(day, records)
    alerts = [alert_row(alert, day, records, statuses) for alert in ALERTS]
    for line in (*wrong_words(items), *(line for _, errors in alerts for line in errors)):
        print(line)
    repeats, pointed_out, wrongly = repeats_pointed_out(day, records)
    report(
        "day",
        COLUMNS,
        [outcome_row(outcome, items) for outcome in OUTCOMES],
        alerts=[dict(zip(ALERT_COLUMNS, row, strict=True)) for row, _ in alerts],
        right_by_kind=recall_by_kind(items),
        false_alarms=false_alarms(items),
        repeats={"pairs": repeats, "pointed out": pointed_out, "wrongly": wrongly},
        claims=claims_by_kind(day, records),
        accounted=accounted(day, records, again),
        exit_status=watched.status,
        photographs_a_second=round(len(day) / watched.seconds, 2),
        seconds=round(watched.seconds, 1),
        peak_memory_mb=round(watched.peak),
        memory_mb_after_photographs=thinned(watched.curve),
        **more,
    )


def main() -> None:
    """Stage, index, calibrate, screen and score a day, and a later one for what is seen again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=2000)
    parser.add_argument("--objects", type=int, default=10_000)
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="take what is staged there, and leave it there")
    options = parser.parse_args()
    with kept(options.keep) as folder, tempfile.TemporaryDirectory() as name:
        catalogue, data, day, later = staged(folder, options.objects, options.photos)
        data = fresh(data, Path(name, "data"))
        calibration = json.loads(
            artifact("calibrate", str(day / "labels.csv"), "--data", str(data), "--format", "json")
        )
        watched, records, again = screened(day, data, Path(name, "day.jsonl"))
        if options.keep:
            shutil.copy(Path(name, "day.jsonl"), day / "day.jsonl")
        truths = read_truth(day / "truth.csv")
        _, later_records, _ = screened(later, data, Path(name, "later.jsonl"))
        show(
            truths,
            records,
            again,
            read_statuses(catalogue / "catalogue.csv"),
            watched,
            seen_again_later=seen_again(read_truth(later / "truth.csv"), truths, later_records),
            promised=calibration["combined"]["threshold"],
            command=f"python -m tests.bench.day --photos {options.photos} --objects {options.objects}",
        )


if __name__ == "__main__":
    main()
