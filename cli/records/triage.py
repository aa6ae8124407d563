"""Put the works of a screening in the order of what needs a person."""

from __future__ import annotations

import json
import tempfile
import zlib
from collections.abc import Callable, Iterator
from enum import StrEnum
from math import inf
from typing import IO

from cli.records.artifact_1 import Record, dumps
from retrieval.catalogue.standing import Status
from retrieval.outcome import Outcome

Key = tuple[int, int, float, int, int, int, int]


class Priority(StrEnum):
    """What a person should look at, the most urgent first; an alert stands above every outcome."""

    STOLEN = "stolen"
    MISSING = "missing"
    KNOWN_FORGERY = "known forgery"
    DIVERGENT = "divergent"
    CLAIM = "claim not upheld"
    PLAUSIBLE = "inconclusive match"
    SEEN_BEFORE = "seen before"
    UNREADABLE = "unreadable"
    INCONCLUSIVE = "inconclusive"
    CONSISTENT = "consistent"
    NO_MATCH = "no-match"

    @property
    def rank(self) -> int:
        """The place in the order, from 0."""
        return _RANKS[self]

    @property
    def slug(self) -> str:
        """The name in one word, for a page."""
        return self.replace(" ", "-")

    @property
    def sign(self) -> str:
        """A sign for those who do not see its colour."""
        return _WORDS[self][0]

    @property
    def phrase(self) -> str:
        """What it says, in a few words for a person."""
        return _WORDS[self][1]


_RANKS = {item: rank for rank, item in enumerate(Priority)}
_WORDS = {
    Priority.STOLEN: ("‼", "consistent with an object registered as stolen"),
    Priority.MISSING: ("⁉", "consistent with an object registered as missing"),
    Priority.KNOWN_FORGERY: ("◆", "consistent with a known forgery"),
    Priority.DIVERGENT: ("!", "depicts or imitates an object, but lies beyond its threshold"),
    Priority.CLAIM: ("≠", "not consistent with the object it is said to be"),
    Priority.PLAUSIBLE: ("?", "near to an object, but too poor to say"),
    Priority.SEEN_BEFORE: ("↺", "seen in an earlier screening"),
    Priority.UNREADABLE: ("✕", "could not be read as a photograph"),
    Priority.INCONCLUSIVE: ("∅", "too poor to say, and near to nothing"),
    Priority.CONSISTENT: ("≈", "matches an object, within its threshold"),
    Priority.NO_MATCH: ("○", "an unknown object, which is no sign of a forgery"),
}
ALERTS = (Priority.STOLEN, Priority.MISSING, Priority.KNOWN_FORGERY)
_STANDINGS = (Status.STOLEN, Status.MISSING, Status.KNOWN_FORGERY)


def priority(found: Record, work: Record | None) -> Priority:
    """Return the priority of a work of a record; of the photograph itself where it is unreadable (no work)."""
    if work is None:
        return Priority.UNREADABLE
    outcome = work["outcome"]
    compared = claimed(found, work)
    alerts = [Priority(judged["alert"]) for judged in (work, compared) if judged and judged.get("alert")]
    if alerts:
        return min(alerts, key=lambda alert: alert.rank)
    if outcome == Outcome.DIVERGENT:
        return Priority.DIVERGENT
    if compared and compared["outcome"] != Outcome.CONSISTENT:
        return Priority.CLAIM
    if outcome == Outcome.INCONCLUSIVE and _plausible(work):
        return Priority.PLAUSIBLE
    if _seen_before(found, work):
        return Priority.SEEN_BEFORE
    return Priority(outcome)


def claimed(found: Record, work: Record) -> Record | None:
    """Return the comparison with the claimed object; one work answers for it: that which shows it, or the first."""
    claim = found.get("claim")
    if not claim or not claim["work"]:
        return None
    nearest = [each["matches"][0]["object_id"] if each["matches"] else None for each in found["works"]]
    answering = nearest.index(claim["object_id"]) if claim["object_id"] in nearest else 0
    return claim["work"] if work == found["works"][answering] else None


def _plausible(work: Record) -> bool:
    """Say whether a work may well show the nearest object: registered on it, or near enough to match."""
    if not work["matches"]:
        return False
    best = work["matches"][0]
    near = best["match_threshold"] is not None and best["distance"] <= best["match_threshold"]
    return near or best.get("registration") is not None


def _seen_before(found: Record, work: Record) -> bool:
    """Say whether the photograph or an unknown work on it was seen before, or an object that this work may show."""
    known = work["outcome"] != Outcome.NO_MATCH
    return any(known or seen["by"] != "object" for seen in found.get("seen_before") or ())


def deciding(best: Record) -> tuple[str, Record]:
    """Return the name of the distance that decided, and it with its thresholds: the combined, or the global one."""
    found = best.get("divergence")
    if not found or found.get("combined_threshold") is None:
        return "distance", best
    local = {"distance": found["combined"], "authenticity_threshold": found["combined_threshold"]}
    return "combined distance", {**local, "match_threshold": None}


def beyond(work: Record) -> float:
    """Return how far a work lies beyond its authenticity threshold; minus infinity where that is not known."""
    if not work["matches"]:
        return -inf
    judged = deciding(work["matches"][0])[1]
    limit = judged["authenticity_threshold"]
    return -inf if limit is None else judged["distance"] - limit


def triaged(records: Callable[[], Iterator[Record]]) -> Iterator[tuple[Record, int | None]]:
    """Yield each record with the index of a work, or None where it is unreadable; the most urgent first.

    Within one priority by the object's status, then what lies farthest beyond its threshold; identical files follow
    each other. The records are read once, into a temporary file: memory holds a key and a path for each.
    """
    with tempfile.TemporaryFile(prefix="artifact-") as spool:
        for *_, index, _, offset in sorted(_keys(records(), spool)):
            yield _read(spool, offset), None if index < 0 else index


def _keys(records: Iterator[Record], spool: IO[bytes]) -> Iterator[Key]:
    """Yield what to sort by for each work, with its index (-1: none) and where its record begins in the spool."""
    groups: dict[str, int] = {}
    for number, found in enumerate(records):
        offset = _write(spool, found)
        group = groups.setdefault(found.get("same_as") or found["photo"], number)
        for index, work in list(enumerate(found["works"])) or [(-1, None)]:
            order = (0, inf) if work is None else (_standing(work), -beyond(work))
            yield priority(found, work).rank, *order, group, index, number, offset


def _standing(work: Record) -> int:
    """Return 0 for a stolen object, then missing, known forgery, and all others."""
    text = work.get("status") or ""
    return next((rank for rank, status in enumerate(_STANDINGS) if status == text.strip().casefold()), len(_STANDINGS))


def _write(spool: IO[bytes], found: Record) -> int:
    offset = spool.tell()
    packed = zlib.compress(dumps(found).encode(), 1)
    spool.write(len(packed).to_bytes(8) + packed)
    return offset


def _read(spool: IO[bytes], offset: int) -> Record:
    spool.seek(offset)
    packed = spool.read(int.from_bytes(spool.read(8)))
    return json.loads(zlib.decompress(packed))
