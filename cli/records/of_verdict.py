"""Put a verdict into the shape `artifact/1`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cli.records.artifact_1 import (
    SCHEMA,
    ClaimRecord,
    DivergenceRecord,
    ForgeryRecord,
    MatchRecord,
    PhotographRecord,
    RegisterEntryRecord,
    RegistrationRecord,
    SeenRecord,
    StabilityRecord,
    TogetherRecord,
    WorkRecord,
    name_of,
)
from retrieval.catalogue.standing import RegisterEntry
from retrieval.comparing.divergence import Divergence, NotCompared
from retrieval.comparing.registration import NotRegistered, Registration
from retrieval.finding.match import Match
from retrieval.judging.edition import Edition
from retrieval.judging.judge import Verdict
from retrieval.judging.together import Part, Together, part_of
from retrieval.judging.work import Work
from retrieval.statistics.calibration import Thresholds


def photograph_record(
    verdict: Verdict,
    edition: Edition,
    numbers: Sequence[int] = (),
    *,
    lot: Mapping[str, str] | None = None,
    seen_before: Sequence[SeenRecord] = (),
    claim: ClaimRecord | None = None,
) -> PhotographRecord:
    """Return the record of a photograph.

    `numbers` are the entries of its works in the log; `lot` is what a CSV file of lots says of the photograph.
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
        "picture": {"number": verdict.picture, "of": verdict.pictures} if verdict.pictures > 1 else None,
        "together": [],
    }


def parts_of(verdict: Verdict, record: PhotographRecord) -> list[Part]:
    """Return what each work on a photograph says of its object together with other photographs."""
    numbers = [*record["verdicts"], *[None] * len(verdict.works)]
    found = (
        part_of(work, verdict, photo=name_of(record), verdict=number)
        for work, number in zip(verdict.works, numbers, strict=False)
    )
    return [part for part in found if part is not None]


def together_record(said: Together, number: int | None) -> TogetherRecord:
    """Return the record of several photographs together; `number` is that of their entry in the log."""
    return {
        "object_id": said.object_id,
        "exemplar": said.exemplar,
        "photos": list(said.photos),
        "verdicts": list(said.verdicts),
        "verdict": number,
        "outcome": str(said.outcome),
        "alert": said.alert,
        "reasons": list(said.reasons),
        "combined": round(said.combined, 6),
        "combined_threshold": round(said.threshold, 6),
        "compared": round(said.compared, 6),
    }


def work_record(work: Work, limits: Thresholds | None) -> WorkRecord:
    """Return the record of one work."""
    decision = work.decision
    return {
        "region": list(work.region),
        "outline": None if work.outline is None else work.outline.round(1).tolist(),
        "alert": work.alert and str(work.alert),
        "alert_certainty": work.certainty and str(work.certainty),
        "register_entry": entry_record(work.entry) if work.entry else None,
        "lead": entry_record(work.lead) if work.lead else None,
        "status": work.status,
        "outcome": str(decision.outcome),
        "reasons": list(decision.reasons),
        "likelihood_ratio": decision.likelihood_ratio,
        "p_value": _rounded(decision.p_value),
        "matches": [_match(rank, match, limits) for rank, match in enumerate(work.matches, 1)],
        "forgery": _forgery(work.forgery) if work.forgery else None,
        "review": None,
    }


def entry_record(entry: RegisterEntry) -> RegisterEntryRecord:
    """Return the record of an object's entry in the register."""
    return {
        "object_id": entry.object_id,
        "status": entry.status,
        "case_number": entry.case_number,
        "theft_date": entry.theft_date,
        "theft_place": entry.theft_place,
        "authority": entry.authority,
        "contact": entry.contact,
    }


def _forgery(match: Match) -> ForgeryRecord:
    return {
        "object_id": match.object_id,
        "exemplar": str(match.exemplar),
        "distance": round(match.distance, 6),
        "combined": round(match.compared.combined_distance, 6) if match.compared else None,
    }


def _match(rank: int, match: Match, limits: Thresholds | None) -> MatchRecord:
    failed, refused = match.registration, match.divergence
    return {
        "rank": rank,
        "object_id": match.object_id,
        "exemplar": str(match.exemplar),
        "distance": round(match.distance, 6),
        "match_threshold": _rounded(limits.match.value) if limits else None,
        "authenticity_threshold": _rounded(limits.authenticity.value) if limits else None,
        "registration": _registration(match.registered) if match.registered else None,
        "registration_reason": failed.reason if isinstance(failed, NotRegistered) else None,
        "divergence": _divergence(match.compared, match.condition, limits) if match.compared else None,
        "divergence_reason": refused.reason if isinstance(refused, NotCompared) else None,
        "exemplar_away": match.without_exemplar is not None,
        "condition": match.condition,
        "stability": _stability(match) if match.again else None,
    }


def _stability(match: Match) -> StabilityRecord:
    least, most = match.range
    return {
        "least": round(least, 6),
        "most": round(most, 6),
        "again": [
            {"variant": one.variant, "distance": _rounded(one.distance), "outcome": str(one.outcome)}
            for one in match.again
        ],
    }


def _registration(registration: Registration) -> RegistrationRecord:
    return {
        "inliers": registration.inliers,
        "overlap_exemplar": round(registration.overlap_exemplar, 6),
        "overlap_probe": round(registration.overlap_probe, 6),
        "homography": registration.homography.tolist(),
        "mirrored": registration.mirrored,
    }


def _divergence(divergence: Divergence, condition: str | None, limits: Thresholds | None) -> DivergenceRecord:
    threshold = limits.combined_of(condition) if limits else None
    return {
        "global": round(divergence.global_distance, 6),
        "local": round(divergence.local_distance, 6),
        "threshold": round(divergence.limit, 6),
        "combined": round(divergence.combined_distance, 6),
        "combined_threshold": _rounded(threshold.value) if threshold else None,
        "conditions": list(limits.pool_of(condition)) if limits else [],
        "compared": round(divergence.compared, 6),
        "hidden": round(divergence.hidden, 6),
        "detail": round(divergence.detail, 6),
        "closely": divergence.closely is True,
        "places": [
            {"box": list(place.box), "distance": round(place.distance, 6), "where": place.where}
            for place in divergence.places
        ],
        "overlays": [
            {"kind": overlay.kind, "box": list(overlay.box), "share": round(overlay.share, 6)}
            for overlay in divergence.overlays
        ],
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
