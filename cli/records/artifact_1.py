"""The JSON shape `artifact/1`: keys may be added to it, none changes or goes.

`cli/records/artifact-1.schema.json` says the same to other programs, `docs/json.md` to people.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

from retrieval.outcome import UNREADABLE

SCHEMA = "artifact/1"


class PhotographRecord(TypedDict):
    """What is said of one photograph."""

    schema: str
    photo: str
    sha256: str | None
    works: list[WorkRecord]
    encoder: str
    revision: int
    calibration: int | None
    error: str | None
    verdicts: list[int]
    lot: dict[str, str] | None
    claim: ClaimRecord | None
    same_as: str | None
    seen_before: list[SeenRecord]
    picture: PictureRecord | None
    together: list[TogetherRecord]


class TogetherRecord(TypedDict):
    """What is said of several photographs of one object together."""

    object_id: str
    exemplar: str
    photos: list[str]
    verdicts: list[int]
    verdict: int | None
    outcome: str
    alert: str | None
    reasons: list[str]
    combined: float
    combined_threshold: float
    compared: float


class PictureRecord(TypedDict):
    """Which picture of a file of several was judged."""

    number: int
    of: int


class WorkRecord(TypedDict):
    """What is said of one work on a photograph."""

    region: list[int]
    outline: list[list[float]] | None
    alert: str | None
    alert_certainty: str | None
    register_entry: RegisterEntryRecord | None
    lead: RegisterEntryRecord | None
    status: str
    outcome: str
    reasons: list[str]
    likelihood_ratio: float | None
    p_value: float | None
    matches: list[MatchRecord]
    forgery: ForgeryRecord | None
    review: ReviewRecord | None


class ReviewRecord(TypedDict):
    """What a person decided earlier on the same photograph and object; `settles`: and so on what is said now."""

    verdict: int
    date: str
    name: str
    outcome: str
    object_id: str | None
    reason: str
    settles: bool


class RegisterEntryRecord(TypedDict):
    """What a register says of an object: its status as it is written, the case, and whom to tell."""

    object_id: str
    status: str
    case_number: str
    theft_date: str
    theft_place: str
    authority: str
    contact: str


class MatchRecord(TypedDict):
    """An object that a work was matched with."""

    rank: int
    object_id: str
    exemplar: str
    distance: float
    match_threshold: float | None
    authenticity_threshold: float | None
    registration: RegistrationRecord | None
    registration_reason: str | None
    divergence: DivergenceRecord | None
    divergence_reason: str | None
    exemplar_away: bool
    condition: str | None
    stability: StabilityRecord | None


class StabilityRecord(TypedDict):
    """How far the distance that decides moves where the photograph is made a little different."""

    least: float
    most: float
    again: list[AgainRecord]


class AgainRecord(TypedDict):
    """A flag measured again on a photograph made a little different."""

    variant: str
    distance: float | None
    outcome: str


class RegistrationRecord(TypedDict):
    """How an exemplar lies on a photograph."""

    inliers: int
    overlap_exemplar: float
    overlap_probe: float
    homography: list[list[float]]
    mirrored: bool


DivergenceRecord = (
    TypedDict(  # how a photograph differs from an exemplar, place by place; `global` is no name in Python
        "DivergenceRecord",
        {
            "global": float,
            "local": float,
            "threshold": float,
            "combined": float,
            "combined_threshold": float | None,
            "conditions": "list[str]",
            "compared": float,
            "hidden": float,
            "detail": float,
            "closely": bool,
            "places": "list[PlaceRecord]",
            "overlays": "list[OverlayRecord]",
        },
    )
)


class PlaceRecord(TypedDict):
    """A place where a photograph differs from an exemplar."""

    box: list[int]
    distance: float
    where: str


class OverlayRecord(TypedDict):
    """Something laid over the picture, which was left out."""

    kind: str
    box: list[int]
    share: float


class ForgeryRecord(TypedDict):
    """A known forgery that a work was compared with, beside the genuine object."""

    object_id: str
    exemplar: str
    distance: float
    combined: float | None


class ClaimRecord(TypedDict):
    """What a lot is said to be, and the photograph compared with the claimed object."""

    claimed: str
    object_id: str | None
    work: WorkRecord | None
    reason: str | None


class SeenRecord(TypedDict):
    """An earlier screening of the same photograph, work or object."""

    date: str
    photo: str
    lot: dict[str, str] | None
    verdict: int | None
    by: Literal["photo", "work", "object"]


def dumps(value: Any, *, indent: int | None = None) -> str:
    """Return JSON in ASCII, which any terminal and any file name survives."""
    return json.dumps(value, indent=indent)


def name_of(photograph: PhotographRecord) -> str:
    """Return what a person calls a photograph: its file, with the number of the picture in a file of several."""
    picture = photograph.get("picture")  # a journal of an earlier version has none
    return f"{photograph['photo']}#{picture['number']}" if picture else photograph["photo"]


def outcomes(photograph: PhotographRecord) -> list[str]:
    """Return the outcome of each work of a photograph, or that the photograph is unreadable."""
    return [work["outcome"] for work in photograph["works"]] or [UNREADABLE]


@dataclass(frozen=True, slots=True)
class Tally:
    """How many works there are of each outcome, and how many alerts."""

    outcomes: Mapping[str, int]
    alerts: int

    @classmethod
    def of(cls, records: Iterable[PhotographRecord]) -> Tally:
        """Count the works of some photographs."""
        counts: Counter[str] = Counter()
        raised = 0
        for record in records:
            counts.update(outcomes(record))
            raised += len(alerts(record))
        return cls(counts, raised)


def away(photograph: PhotographRecord) -> list[WorkRecord]:
    """Return the works of a photograph that could not be compared, as the exemplar is away."""
    return [work for work in photograph["works"] if any(match.get("exemplar_away") for match in work["matches"][:1])]


def alerted(work: WorkRecord) -> str:
    """Return the object that the alert of a work is about."""
    entry = work["register_entry"]
    return entry["object_id"] if entry else work["matches"][0]["object_id"]


def alarming_works(photograph: PhotographRecord) -> list[WorkRecord]:
    """Return each work of a photograph that raises an alert; the claimed one too, where its alert is another."""
    found = [work for work in photograph["works"] if work["alert"]]
    claimed = photograph["claim"] and photograph["claim"]["work"]
    if not claimed or not claimed["alert"]:
        return found
    known = {(work["alert"], alerted(work)) for work in found}
    return found if (claimed["alert"], alerted(claimed)) in known else [*found, claimed]


def alerts(photograph: PhotographRecord) -> list[str]:
    """Return the alert of each work of a photograph that has one, and of the claimed object where it is another."""
    return [work["alert"] for work in alarming_works(photograph) if work["alert"]]


def undecided(photograph: PhotographRecord) -> int:
    """Return of how many works of a photograph that raise an alert original or copy is undecided."""
    return sum(work["alert_certainty"] == "undecided" for work in alarming_works(photograph))
