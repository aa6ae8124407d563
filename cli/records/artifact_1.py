"""Put verdicts into the stable JSON shape, and into tables for people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from retrieval.comparing.divergence import Divergence, NotCompared
from retrieval.comparing.registration import NotRegistered, Registration
from retrieval.finding.match import Match
from retrieval.judging.edition import Edition
from retrieval.judging.judge import Verdict
from retrieval.judging.work import Work
from retrieval.outcome import UNREADABLE
from retrieval.statistics.calibration import Threshold, Thresholds

SCHEMA = "artifact/1"

Record = dict[str, Any]


def record(
    verdict: Verdict,
    edition: Edition,
    numbers: Sequence[int] = (),
    *,
    lot: Mapping[str, str] | None = None,
    seen_before: Sequence[Record] = (),
    claim: Record | None = None,
) -> Record:
    """Return a verdict in the shape `artifact/1`: keys may be added to it, none changes or goes.

    `numbers` are those under which its works were recorded; `lot` is what a CSV file of lots says of the photograph.
    """
    basis = edition.basis
    return {
        "schema": SCHEMA,
        "photo": str(verdict.photo),
        "sha256": verdict.sha256,
        "works": [work_record(work, basis.thresholds) for work in verdict.works],
        "encoder": edition.encoder.fingerprint,
        "revision": edition.revision,
        "calibration": basis.calibration.number if basis.calibration else None,
        "error": verdict.error,
        "verdicts": list(numbers),
        "lot": None if lot is None else dict(lot),
        "claim": claim,
        "same_as": None,
        "seen_before": list(seen_before),
    }


def work_record(work: Work, limits: Thresholds | None) -> Record:
    """Return one work of a record."""
    decision = work.decision
    return {
        "region": list(work.region),
        "outline": None if work.outline is None else work.outline.round(1).tolist(),
        "alert": work.alert and str(work.alert),
        "status": work.status,
        "outcome": str(decision.outcome),
        "reasons": list(decision.reasons),
        "likelihood_ratio": decision.likelihood_ratio,
        "p_value": _rounded(decision.p_value),
        "matches": [_match(rank, match, limits) for rank, match in enumerate(work.matches, 1)],
        "forgery": work.forgery and _forgery(work.forgery),
    }


def _forgery(match: Match) -> Record:
    """Return a known forgery that the photograph was compared with, beside the genuine object."""
    return {
        "object_id": match.object_id,
        "exemplar": str(match.exemplar),
        "distance": round(match.distance, 6),
        "combined": round(match.compared.combined_distance, 6) if match.compared else None,
    }


def _match(rank: int, match: Match, limits: Thresholds | None) -> Record:
    return {
        "rank": rank,
        "object_id": match.object_id,
        "exemplar": str(match.exemplar),
        "distance": round(match.distance, 6),
        "match_threshold": limits and _rounded(limits.match.value),
        "authenticity_threshold": limits and _rounded(limits.authenticity.value),
        **_registration(match.registration),
        **_divergence(match.divergence, limits.combined if limits else None),
    }


def _registration(found: Registration | NotRegistered | None) -> Record:
    """Return how the exemplar lies on the photograph, or why it does not; both null where it was not tried."""
    if not isinstance(found, Registration):
        return {"registration": None, "registration_reason": found and found.reason}
    registration = {
        "inliers": found.inliers,
        "overlap_exemplar": round(found.overlap_exemplar, 6),
        "overlap_probe": round(found.overlap_probe, 6),
        "homography": found.homography.tolist(),
        "mirrored": found.mirrored,
    }
    return {"registration": registration, "registration_reason": None}


def _divergence(found: Divergence | NotCompared | None, threshold: Threshold | None) -> Record:
    """Return how far the photograph lies from the exemplar place by place, or why that is not known."""
    if not isinstance(found, Divergence):
        return {"divergence": None, "divergence_reason": found and found.reason}
    divergence = {
        "global": round(found.global_distance, 6),
        "local": round(found.local_distance, 6),
        "threshold": _rounded(found.limit),
        "combined": round(found.combined_distance, 6),
        "combined_threshold": threshold and _rounded(threshold.value),
        "compared": round(found.compared, 6),
        "hidden": round(found.hidden, 6),
        "places": [{"box": list(place.box), "distance": round(place.distance, 6)} for place in found.places],
        "overlays": [
            {"kind": overlay.kind, "box": list(overlay.box), "share": round(overlay.share, 6)}
            for overlay in found.overlays
        ],
    }
    return {"divergence": divergence, "divergence_reason": None}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def dumps(value: Any, *, indent: int | None = None) -> str:
    """Return JSON in ASCII, which any terminal and any file name survives."""
    return json.dumps(value, indent=indent)


def outcomes(found: Record) -> list[str]:
    """Return the outcome of each work of a record, or that the photograph is unreadable."""
    return [work["outcome"] for work in found["works"]] or [UNREADABLE]


def alerts(found: Record) -> list[str]:
    """Return the alert of each work of a record that has one."""
    return [work["alert"] for work in found["works"] if work.get("alert")]
