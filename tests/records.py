"""Records in the shape `artifact/1` for tests, with every key, so that a test names only what it is about."""

from typing import Any


def match_record(object_id: str = "7", distance: float = 0.3, **changed: Any) -> dict[str, Any]:
    return {
        "rank": 1,
        "object_id": object_id,
        "exemplar": f"{object_id}.png",
        "distance": distance,
        "match_threshold": 0.8,
        "authenticity_threshold": 0.4,
        "registration": None,
        "registration_reason": None,
        "divergence": None,
        "divergence_reason": None,
        "condition": None,
        "stability": None,
    } | changed


def work_record(outcome: str, *matches: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {
        "region": [0, 0, 300, 200],
        "outline": None,
        "alert": None,
        "alert_certainty": None,
        "register_entry": None,
        "lead": None,
        "status": "",
        "outcome": outcome,
        "reasons": [],
        "likelihood_ratio": None,
        "p_value": None,
        "matches": list(matches),
        "forgery": None,
        "review": None,
    } | changed


def photograph_record(photo: object, *works: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {
        "schema": "artifact/1",
        "photo": str(photo),
        "sha256": "00ff",
        "works": list(works),
        "encoder": "net-0123abcd",
        "revision": 5,
        "calibration": None,
        "error": None,
        "verdicts": [],
        "lot": None,
        "claim": None,
        "same_as": None,
        "picture": None,
        "together": [],
        "seen_before": [],
    } | changed
