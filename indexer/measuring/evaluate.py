"""Evaluate a calibrated catalogue on photographs whose truth is known: identification and verification."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from indexer.inputs.labels import dependent_groups
from indexer.inputs.queries import Query
from indexer.measuring.evaluation_figures import (
    COPY,
    GENUINE,
    OTHER,
    Fault,
    Trial,
    confusion_table,
    costs,
    identification,
    right_objects,
    verification,
    worst_faults,
)
from retrieval.errors import ArtifactError
from retrieval.finding.match import Match
from retrieval.judging.edition import Edition
from retrieval.judging.judge import Verdict, compare_all, judge_all
from retrieval.judging.work import Work
from retrieval.photographs.limits import DEFAULT_MAX_MEGAPIXELS
from retrieval.statistics.calibration import Thresholds
from retrieval.statistics.likelihood import LikelihoodRatio
from retrieval.statistics.metrics import Estimate
from retrieval.statistics.verification import Curve

IMPOSTORS = 3  # nearest wrong objects with which each photograph is compared
MOST_RANKED = 1000


class NothingToEvaluate(ArtifactError):
    """Photographs from which no figure can be taken, or a catalogue without thresholds."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All figures with their 95 % intervals by object, and what the report draws."""

    figures: Mapping[str, Estimate]
    counts: Mapping[str, int]
    confusion: Mapping[str, Mapping[str, int]]  # truth -> outcome -> photographs
    trials: Sequence[Trial]
    curves: Mapping[str, Curve]  # genuine against COPY, against OTHER
    ratios: Mapping[str, Sequence[float]] = field(default_factory=dict)  # likelihood ratios by kind
    worst: Sequence[Fault] = ()


def evaluate(
    edition: Edition,
    queries: Sequence[Query],
    *,
    max_megapixels: float = DEFAULT_MAX_MEGAPIXELS,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Evaluation:
    """Return the figures of a catalogue on photographs with their truth; raises NothingToEvaluate.

    Identification: every photograph is asked for, photographs that are exemplars themselves without them. Verification:
    it is compared with the objects that it shows, with the object that it copies, and with the nearest wrong ones.
    """
    limits = edition.basis.thresholds
    if limits is None or limits.match.value is None or limits.authenticity.value is None:
        raise NothingToEvaluate(
            "This catalogue has no thresholds to evaluate. Run `artifact calibrate`, or index more objects."
        )
    groups = dependent_groups((right_objects(query), query.group) for query in queries)
    k = min(MOST_RANKED, len(edition.exemplars))
    verdicts: list[Verdict] = []
    for verdict in judge_all(
        edition, [query.path for query in queries], k=k, apart=True, max_megapixels=max_megapixels
    ):
        verdicts.append(verdict)
        on_progress(len(verdicts), 2 * len(queries))
    asked = [
        (kind, query, object_id, group)
        for query, verdict, group in zip(queries, verdicts, groups, strict=True)
        for kind, object_id in _compared(query, verdict)
        if verdict.works and _has_others(edition, verdict, object_id)
    ]
    compared = compare_all(
        edition,
        ((query.path, object_id) for _, query, object_id, _ in asked),
        apart=True,
        max_megapixels=max_megapixels,
    )
    trials: list[Trial] = []
    for done, ((kind, query, object_id, group), verdict) in enumerate(zip(asked, compared, strict=True), 1):
        on_progress(len(queries) + done * len(queries) // len(asked), 2 * len(queries))
        if verdict.works and not verdict.works[0].matches[0].without_exemplar:
            trials.append(_trial(edition, kind, query.path, object_id, group, verdict.works[0]))
    return _evaluation(queries, verdicts, groups, trials)


def _compared(query: Query, verdict: Verdict) -> list[tuple[str, str]]:
    """Return the objects that a photograph is compared with, each with the kind of pair that the two are."""
    right = right_objects(query)
    ranked = [match.object_id for work in verdict.works for match in work.matches]
    wrong = [object_id for object_id in ranked if object_id not in right][:IMPOSTORS]
    pairs = [(GENUINE, object_id) for object_id in sorted(query.objects)]
    pairs += [(COPY, query.copy_of)] if query.copy_of else []
    return pairs + [(OTHER, object_id) for object_id in wrong]


def _has_others(edition: Edition, verdict: Verdict, object_id: str) -> bool:
    return any(photo.sha256 != verdict.sha256 for photo in edition.exemplars[object_id])


def _trial(edition: Edition, kind: str, photo: Path, object_id: str, group: str, work: Work) -> Trial:
    (match,) = work.matches
    basis = edition.basis
    assert basis.thresholds is not None
    measured = None
    if basis.calibration is not None:
        measured = basis.calibration.ratio_of(match.condition) if match.compared else basis.calibration.whole.ratio
    ratio = measured(match.decisive) if isinstance(measured, LikelihoodRatio) else None
    return Trial(kind, photo, object_id, group, match, relative_distance(match, basis.thresholds), ratio)


def relative_distance(match: Match, limits: Thresholds) -> float:
    """Return the distance that decides as a share of its threshold: beyond 1, a photograph is not consistent."""
    if match.compared:
        combined = limits.combined_of(match.condition)
        assert combined is not None and combined.value is not None
        return match.compared.combined_distance / combined.value
    assert limits.authenticity.value is not None and limits.match.value is not None
    if match.registered:
        return match.distance / limits.authenticity.value
    return match.distance / min(limits.authenticity.value, limits.match.value)


def _evaluation(
    queries: Sequence[Query],
    verdicts: Sequence[Verdict],
    groups: Sequence[str],
    trials: Sequence[Trial],
) -> Evaluation:
    readable = [row for row, verdict in enumerate(verdicts) if verdict.works]
    if not any(trial.kind == GENUINE for trial in trials):
        raise NothingToEvaluate("None of the photographs could be compared with the object that it shows.")
    known = [row for row in readable if queries[row].objects]
    figures = identification(
        [queries[row] for row in readable], [verdicts[row] for row in readable], [groups[row] for row in readable]
    )
    curves, verified = verification(trials)
    by_kind = {
        kind: [trial.ratio for trial in trials if trial.kind == kind and trial.ratio is not None]
        for kind in (GENUINE, COPY)
    }
    ratios = {kind: some for kind, some in by_kind.items() if all(by_kind.values())}
    counts = {
        "photographs": len(queries),
        "unreadable": len(queries) - len(readable),
        "objects": len({object_id for query in queries for object_id in query.objects}),
        "groups": len(set(groups)),
        "known": len(known),
        "copies": sum(queries[row].copy_of is not None for row in readable),
        "unknown": sum(not queries[row].objects and queries[row].copy_of is None for row in readable),
        **{f"pairs, {kind}": sum(trial.kind == kind for trial in trials) for kind in (GENUINE, COPY, OTHER)},
    }
    return Evaluation(
        figures=figures | verified | costs([trial for trial in trials if trial.kind in ratios]),
        counts=counts,
        confusion=confusion_table(queries, verdicts),
        trials=trials,
        curves=curves,
        ratios=ratios,
        worst=worst_faults(queries, verdicts, trials),
    )
