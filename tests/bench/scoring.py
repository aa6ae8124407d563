"""Score the records of a staged day against its truth: outcomes, alerts, false alarms, and what became of each file."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retrieval.statistics.metrics import tied_groups
from tests.bench.works import Record, estimated, named, share

UNREADABLE, FORGED = "unreadable", "known forgery"
GRAVEST = ("divergent", "consistent", "inconclusive", "no-match")  # of several works on one photograph
ALERTS = ("stolen", "missing", FORGED)


@dataclass(frozen=True, slots=True)
class Truth:
    """What a lot shows: the catalogued objects on it, or imitated by it, and all that ties it to other lots."""

    photo: str
    kind: str
    objects: tuple[str, ...]
    shows: tuple[str, ...]
    genuine: bool
    outcome: str
    same_as: str  # the lot with the same file, empty for the first of them


@dataclass(frozen=True, slots=True)
class Said:
    """What should have been said of a work on a photograph, and what was."""

    photo: str
    kind: str
    expected: str
    said: str
    group: str


Records = Mapping[str, Record]  # by the name of the photograph


def read_truth(path: Path) -> list[Truth]:
    """Return the rows of truth.csv."""
    with path.open(newline="", encoding="utf-8") as file:
        return [
            Truth(
                photo=row["photo"],
                kind=row["kind"],
                objects=tuple(row["objects"].split()),
                shows=tuple(row["shows"].split("|")),
                genuine=row["genuine"] == "1",
                outcome=row["outcome"],
                same_as=row["same_as"],
            )
            for row in csv.DictReader(file)
        ]


def read_statuses(path: Path) -> dict[str, str]:
    """Return the status of each object of a catalogue.csv."""
    with path.open(newline="", encoding="utf-8") as file:
        return {row["object_id"]: row["status"] for row in csv.DictReader(file)}


def by_name(records: Iterable[Record]) -> tuple[dict[str, Record], list[str]]:
    """Return the records by the names of their photographs, and the names that come again."""
    found: dict[str, Record] = {}
    again = []
    for record in records:
        name = Path(record["photo"]).name
        if name in found:
            again.append(name)
        found.setdefault(name, record)
    return found, again


def groups_of(day: Iterable[Truth]) -> dict[str, str]:
    """Return for each photograph what it depends on: photographs that share a work are one group."""
    return tied_groups({truth.photo: truth.shows for truth in day})


def outcomes_of(day: Sequence[Truth], records: Records) -> list[Said]:
    """Return what was said of each work of the day; files that repeat another and known forgeries are left out."""
    groups = groups_of(day)
    return [
        Said(truth.photo, truth.kind, expected, said, groups[truth.photo])
        for truth in day
        if not truth.same_as and truth.outcome != FORGED and truth.photo in records
        for expected, said in _said_of(truth, records[truth.photo])
    ]


def _said_of(truth: Truth, record: Record) -> Iterator[tuple[str, str]]:
    """Yield (what should be said, what was said): for each object, for an unknown work, and for what is invented."""
    if record["error"] is not None or not truth.objects:
        yield truth.outcome, gravest(record)
        return
    for key in truth.objects:
        yield truth.outcome, _said_of_object(key, record)
    for work in record["works"]:
        if (invented := named(work)) is not None and invented not in truth.objects:
            yield "no-match", work["outcome"]


def gravest(record: Record) -> str:
    """Return the outcome that a photograph as a whole stands for."""
    if record["error"] is not None:
        return UNREADABLE
    found = {work["outcome"] for work in record["works"]}
    return next(outcome for outcome in GRAVEST if outcome in found)


def _said_of_object(key: str, record: Record) -> str:
    """Return the outcome of the work nearest to an object; where none is, no more than that all is inconclusive."""
    nearest = [work["outcome"] for work in record["works"] if work["matches"] and nearest_of(work) == key]
    if nearest:
        return next(outcome for outcome in GRAVEST if outcome in nearest)
    return "inconclusive" if gravest(record) == "inconclusive" else "no-match"


def nearest_of(work: Record) -> str:
    """Return the object that a work was judged by."""
    return str(work["matches"][0]["object_id"])


def outcome_row(outcome: str, items: Sequence[Said]) -> list:
    """Return a row: objects, how often an outcome should have been said and was, precision and recall."""
    expected = [item for item in items if item.expected == outcome]
    said = [item for item in items if item.said == outcome]
    unsure = sum(item.said == "inconclusive" for item in expected)
    return [
        outcome,
        len({item.group for item in expected}),
        len(expected),
        len(said),
        right(said),
        right(expected),
        unsure,
    ]


def right(items: Sequence[Said]) -> str:
    """Return the share of items of which the right thing was said, with its interval by objects."""
    return estimated([item.said == item.expected for item in items], [item.group for item in items], share)


def recall_by_kind(items: Sequence[Said]) -> dict[str, str]:
    """Return how often the right thing was said, by kind of lot, with how many works there are of it."""
    kinds = dict.fromkeys(item.kind for item in items)
    some = {kind: [item for item in items if item.kind == kind] for kind in kinds}
    return {kind: f"{right(of)} of {len(of)}" for kind, of in some.items()}


def false_alarms(items: Sequence[Said]) -> str:
    """Return how many of the genuine works that were compared were called divergent, with the interval by objects."""
    compared = [item for item in items if item.expected == "consistent" and item.said in ("consistent", "divergent")]
    flags, groups = [item.said == "divergent" for item in compared], [item.group for item in compared]
    return f"{estimated(flags, groups, share)} of {len(flags)} works, {len(set(groups))} groups of objects"


def alert_row(
    alert: str, day: Sequence[Truth], records: Records, statuses: Mapping[str, str]
) -> tuple[list, list[str]]:
    """Return a row: photographs that should raise an alert, do, and do wrongly; and the names of both errors."""
    groups = groups_of(day)
    due = {truth.photo: keys for truth in day if (keys := _due(alert, truth, statuses))}
    raised = {truth.photo: _raised(alert, records[truth.photo]) for truth in day if truth.photo in records}
    found = {photo: bool(keys & raised.get(photo, set())) for photo, keys in due.items()}
    wrong = [photo for photo, keys in raised.items() if keys and not keys & due.get(photo, set())]
    objects = {key for keys in due.values() for key in keys}
    seen = {key for photo, keys in due.items() for key in keys & raised.get(photo, set())}
    recall = estimated(list(found.values()), [groups[photo] for photo in found], share)
    missed = [photo for photo, flag in found.items() if not flag]
    errors = [f"{photo}: no alert: {alert} ({_words(records.get(photo))})" for photo in missed]
    errors += [f"{photo}: false alert: {alert} ({_words(records[photo])})" for photo in wrong]
    return [alert, len(objects), len(seen), len(due), sum(found.values()), recall, len(wrong)], errors


def _due(alert: str, truth: Truth, statuses: Mapping[str, str]) -> set[str]:
    """Return the objects of which a photograph should raise the alert: the works themselves, not copies of them."""
    shown = truth.genuine if alert != FORGED else truth.outcome == FORGED
    return {key for key in truth.objects if shown and statuses[key] == alert}


def _raised(alert: str, record: Record) -> set[str]:
    """Return the objects of which a record raises the alert."""
    works = [work for work in record["works"] if work.get("alert") == alert and work["matches"]]
    named_as = {work["forgery"]["object_id"] for work in works if alert == FORGED and work.get("forgery")}
    return {nearest_of(work) for work in works} | named_as


def _words(record: Record | None) -> str:
    if record is None:
        return "no record"
    said = [f"{work['outcome']} {nearest_of(work) if work['matches'] else ''}".strip() for work in record["works"]]
    return "; ".join(said) or str(record["error"])


def repeats_pointed_out(day: Iterable[Truth], records: Records) -> tuple[int, int, int]:
    """Return how many pairs of the same file there are, how many were pointed out, and how many wrongly."""
    pairs = {frozenset({truth.photo, truth.same_as}) for truth in day if truth.same_as}
    said = {
        frozenset({name, Path(record["same_as"]).name}) for name, record in records.items() if record.get("same_as")
    }
    return len(pairs), len(pairs & said), len(said - pairs)


def seen_again(day: Iterable[Truth], earlier: Iterable[Truth], records: Records) -> dict[str, dict[str, int]]:
    """Return, by kind of lot, how many show what an earlier day showed, how many were told so, and how many wrongly."""
    shown = {truth.photo: set(truth.shows) for truth in earlier if truth.outcome != "unreadable"}
    counts: dict[str, dict[str, int]] = {}
    for truth in day:
        if truth.outcome == "unreadable":
            continue
        told = [Path(seen["photo"]).name for seen in records.get(truth.photo, {}).get("seen_before", ())]
        right = any(shown[name] & set(truth.shows) for name in told)
        found = counts.setdefault(truth.kind, {"photographs": 0, "again": 0, "pointed out": 0, "wrongly": 0})
        found["photographs"] += 1
        found["again"] += any(shows & set(truth.shows) for shows in shown.values())
        found["pointed out"] += right
        found["wrongly"] += bool(told) and not right
    return counts


def claims_by_kind(day: Iterable[Truth], records: Records) -> dict[str, dict[str, int]]:
    """Return what was said of claims, by kind of lot."""
    counts: dict[str, Counter[str]] = {}
    for truth in day:
        claim = records.get(truth.photo, {}).get("claim")
        if claim is not None and not truth.same_as:
            said = claim["work"]["outcome"] if claim["work"] else f"not verified: {claim['reason']}"
            counts.setdefault(truth.kind, Counter())[said] += 1
    return {kind: dict(sorted(found.items())) for kind, found in counts.items()}


def accounted(day: Iterable[Truth], records: Records, again: Sequence[str]) -> dict[str, Any]:
    """Return which lots have no record, which have two, and which records are of no lot."""
    names = {truth.photo for truth in day}
    return {"lost": sorted(names - set(records)), "doubled": sorted(again), "unasked": sorted(set(records) - names)}
