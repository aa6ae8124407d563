"""Put the works of a screening in the order of what needs a person."""

from __future__ import annotations

import json
import tempfile
import zlib
from collections.abc import Callable, Iterator
from enum import StrEnum
from math import inf
from typing import IO, TypedDict

from cli.records.artifact_1 import MatchRecord, PhotographRecord, TogetherRecord, WorkRecord, dumps, name_of
from retrieval.catalogue.status_words import Status
from retrieval.judging.work import Certainty
from retrieval.outcome import OF_AN_OBJECT, Outcome

SortKey = tuple[int, int, float, int, int, int, int]


class Priority(StrEnum):
    """What a person should look at, the most urgent first; an alert stands above every outcome."""

    STOLEN = "stolen"
    MISSING = "missing"
    KNOWN_FORGERY = "known forgery"
    LEAD = "lead"
    DIVERGENT = "divergent"
    CLAIM = "claim not upheld"
    PLAUSIBLE = "inconclusive match"
    SEEN_BEFORE = "seen before"
    UNREADABLE = "unreadable"
    INCONCLUSIVE = "inconclusive"
    DECIDED = "decided before"
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
        """A sign for readers who do not see the colour."""
        return _WORDS[self][0]

    @property
    def phrase(self) -> str:
        """What the priority says, in a few words for a person."""
        return _WORDS[self][1]


_RANKS = {item: rank for rank, item in enumerate(Priority)}
_WORDS = {
    Priority.STOLEN: ("‼", "shows a work registered as stolen"),
    Priority.MISSING: ("⁉", "shows a work registered as missing"),
    Priority.KNOWN_FORGERY: ("◆", "consistent with a known forgery"),
    Priority.LEAD: ("→", "near to a work registered as stolen or missing, but not laid over it: no alert"),
    Priority.DIVERGENT: ("!", "depicts or imitates an object, but lies beyond its threshold"),
    Priority.CLAIM: ("≠", "not shown to be what it is said to be"),
    Priority.PLAUSIBLE: ("?", "near to an object, but too poor to say"),
    Priority.SEEN_BEFORE: ("↺", "seen in an earlier screening"),
    Priority.UNREADABLE: ("✕", "could not be read as a photograph"),
    Priority.INCONCLUSIVE: ("∅", "too poor to say, and near to nothing"),
    Priority.DECIDED: ("✓", "a person has decided on this photograph and object"),
    Priority.CONSISTENT: ("≈", "matches an object, within its threshold"),
    Priority.NO_MATCH: ("○", "an unknown object, which is no sign of a forgery"),
}
SETTLED = (Priority.DECIDED, Priority.CONSISTENT, Priority.NO_MATCH)  # nobody has to look at these first
ALERTS = (Priority.STOLEN, Priority.MISSING, Priority.KNOWN_FORGERY)
_STANDINGS = (Status.STOLEN, Status.MISSING, Status.KNOWN_FORGERY)


def priority(record: PhotographRecord, work: WorkRecord | None) -> Priority:
    """Return the priority of a work on a photograph; of the photograph itself where it is unreadable (no work)."""
    if work is None:
        return Priority.UNREADABLE
    compared = claimed(record, work)
    alerts = [Priority(judged["alert"]) for judged in (work, compared) if judged and judged["alert"]]
    if alerts:
        return min(alerts, key=lambda alert: alert.rank)
    if work["lead"]:
        return Priority.LEAD
    said = together_with(record, work)
    if Outcome.DIVERGENT in (work["outcome"], said and said["outcome"]) and not is_settled(work):
        eased = said and said["outcome"] == Outcome.CONSISTENT and (record["lot"] or {}).get("lot")
        return Priority.PLAUSIBLE if eased else Priority.DIVERGENT  # a folder may hold several lots
    if claim_fails(record, work):
        return Priority.CLAIM
    if names_nothing(record) and work == record["works"][0]:
        return Priority.CLAIM
    if is_settled(work):
        return Priority.DECIDED
    if work["outcome"] == Outcome.INCONCLUSIVE and _plausible(work):
        return Priority.PLAUSIBLE
    if _seen_before(record, work):
        return Priority.SEEN_BEFORE
    return Priority(work["outcome"])


def together_with(record: PhotographRecord, work: WorkRecord) -> TogetherRecord | None:
    """Return what is said of a work together with other photographs of it, where there is any."""
    best = work["matches"][0]["object_id"] if work["matches"] else None
    return next((said for said in record["together"] if said["object_id"] == best), None)


def claimed(record: PhotographRecord, work: WorkRecord) -> WorkRecord | None:
    """Return the comparison with the claimed object, if this work answers for the claim.

    One work on a photograph answers: the one that shows the claimed object, else the first.
    """
    claim = record["claim"]
    if not claim or not claim["work"]:
        return None
    nearest = [each["matches"][0]["object_id"] if each["matches"] else None for each in record["works"]]
    answering = nearest.index(claim["object_id"]) if claim["object_id"] in nearest else 0
    return claim["work"] if work == record["works"][answering] else None


def is_settled(work: WorkRecord) -> bool:
    """Say whether a person has decided on what is said of a work."""
    review = work["review"]
    return review is not None and review["settles"]


def claim_fails(record: PhotographRecord, work: WorkRecord) -> bool:
    """Say whether this work answers for a claim that is not upheld, and on which nobody has decided."""
    compared = claimed(record, work)
    return compared is not None and compared["outcome"] != Outcome.CONSISTENT and not is_settled(compared)


def names_nothing(record: PhotographRecord) -> bool:
    """Say whether a lot is said to be something with which nothing could be compared."""
    claim = record["claim"]
    return claim is not None and claim["work"] is None


def _plausible(work: WorkRecord) -> bool:
    """Say whether a work may well show the nearest object: registered on it, or near enough to match."""
    if not work["matches"]:
        return False
    best = work["matches"][0]
    near = best["match_threshold"] is not None and best["distance"] <= best["match_threshold"]
    return near or best["registration"] is not None


def _seen_before(record: PhotographRecord, work: WorkRecord) -> bool:
    """Say whether the photograph or an unknown work on it was seen before, or an object that this work may show."""
    known = work["outcome"] != Outcome.NO_MATCH
    return any(known or seen["by"] != "object" for seen in record["seen_before"])


class DecidingDistance(TypedDict):
    """The distance that decided, with its thresholds; a MatchRecord is one for the global distance."""

    distance: float
    match_threshold: float | None
    authenticity_threshold: float | None


def deciding(best: MatchRecord) -> tuple[str, DecidingDistance]:
    """Return the name of the distance that decided, and the distance with its thresholds: combined, or else global."""
    divergence = best["divergence"]
    if not divergence or divergence["combined_threshold"] is None:
        return "global", best
    limit = divergence["combined_threshold"]
    combined: DecidingDistance = {
        "distance": divergence["combined"],
        "match_threshold": None,
        "authenticity_threshold": limit,
    }
    return "combined", combined


def shows_object(work: WorkRecord) -> bool:
    """Say whether a work may show its first match; else the match is only the nearest, and is not named."""
    return work["outcome"] in OF_AN_OBJECT or (work["outcome"] == Outcome.INCONCLUSIVE and _plausible(work))


def beyond(work: WorkRecord) -> float:
    """Return how far a work lies beyond its authenticity threshold; minus infinity where there is no threshold."""
    if not work["matches"]:
        return -inf
    _, judged = deciding(work["matches"][0])
    limit = judged["authenticity_threshold"]
    return -inf if limit is None else judged["distance"] - limit


def triaged(records: Callable[[], Iterator[PhotographRecord]]) -> Iterator[tuple[PhotographRecord, int | None]]:
    """Yield each record with the index of a work, or None where it is unreadable; the most urgent first.

    Within one priority by the object's status, then what lies farthest beyond its threshold, what is settled as it
    came; identical files follow each other. The records are read once, into a temporary file: memory holds a key and
    a path for each.
    """
    with tempfile.TemporaryFile(prefix="artifact-") as spool:
        for *_, index, _, offset in sorted(_keys(records(), spool)):
            yield _read(spool, offset), None if index < 0 else index


def _keys(records: Iterator[PhotographRecord], spool: IO[bytes]) -> Iterator[SortKey]:
    """Yield what to sort by for each work, with its index (-1: none) and where its record begins in the spool."""
    groups: dict[str, int] = {}
    for number, record in enumerate(records):
        offset = _write(spool, record)
        group = groups.setdefault(record["same_as"] or name_of(record), number)
        if not record["works"]:
            yield Priority.UNREADABLE.rank, 0, inf, group, -1, number, offset
        for index, work in enumerate(record["works"]):
            rank = priority(record, work)
            far = 0.0 if rank in SETTLED else -beyond(work)
            yield rank.rank, _standing(work), far, group, index, number, offset


def _standing(work: WorkRecord) -> int:
    """Return 0 for a stolen object, then missing, known forgery, and all others; of alerts, the sure ones first."""
    text = work["status"].strip().casefold()
    standing = next((rank for rank, status in enumerate(_STANDINGS) if status == text), len(_STANDINGS))
    return standing + (len(_STANDINGS) + 1) * (work["alert_certainty"] == Certainty.UNDECIDED)


def _write(spool: IO[bytes], record: PhotographRecord) -> int:
    offset = spool.tell()
    packed = zlib.compress(dumps(record).encode(), 1)
    spool.write(len(packed).to_bytes(8) + packed)
    return offset


def _read(spool: IO[bytes], offset: int) -> PhotographRecord:
    spool.seek(offset)
    packed = spool.read(int.from_bytes(spool.read(8)))
    return json.loads(zlib.decompress(packed))
