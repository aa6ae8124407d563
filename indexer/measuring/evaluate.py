"""Evaluate a calibrated catalogue on photographs whose truth is known: identification and verification."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from indexer.inputs.labels import dependent_groups
from indexer.inputs.queries import Query
from retrieval.errors import ArtifactError
from retrieval.finding.match import Match
from retrieval.judging.edition import Edition
from retrieval.judging.judge import Verdict, compare_all, judge_all
from retrieval.judging.work import Work
from retrieval.outcome import OF_AN_OBJECT, UNREADABLE, Outcome
from retrieval.photographs.images import DEFAULT_MAX_MEGAPIXELS
from retrieval.statistics.calibration import Thresholds
from retrieval.statistics.likelihood import LikelihoodRatio, cllr, cllr_min, object_weights
from retrieval.statistics.metrics import (
    Estimate,
    RankedQuery,
    bootstrap_by_group,
    global_average_precision,
    mean_average_precision,
    recall_at_k,
)
from retrieval.statistics.verification import Curve, Pairs, Trials, with_width

GENUINE, COPY, OTHER = "genuine", "copy", "other work"
KNOWN, UNKNOWN = "genuine, in the catalogue", "not in the catalogue"
COPIES = "copy of a catalogued work"
WRONG_OBJECT = "another object"
IMPOSTORS = 3  # nearest wrong objects with which each photograph is compared
MOST_RANKED = 1000
RANKS = (1, 5, 10)
RATES = (0.05, 0.01)
RESAMPLES = 500
WORST = 20


class NothingToEvaluate(ArtifactError):
    """Photographs from which no figure can be taken, or a catalogue without thresholds."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A photograph that was compared with one object: how far it is, as a share of the threshold that decides."""

    kind: str  # of GENUINE, COPY, OTHER
    photo: Path
    object_id: str
    group: str
    match: Match
    relative: float  # 1 is at the threshold; farther is flagged
    ratio: float | None  # the likelihood ratio


@dataclass(frozen=True, slots=True)
class Fault:
    """An error, as a photograph and what it was compared with."""

    what: str
    photo: Path
    exemplar: Path
    object_id: str
    relative: float
    badness: float


@dataclass(frozen=True, slots=True)
class Assessment:
    """All figures with their 95 % intervals by object, and what the report draws."""

    figures: Mapping[str, Estimate]
    counts: Mapping[str, int]
    confusion: Mapping[str, Mapping[str, int]]  # truth -> outcome -> photographs
    trials: Sequence[Trial]
    curves: Mapping[str, Curve]  # genuine against COPY, against OTHER
    ratios: Mapping[str, Sequence[float]] = field(default_factory=dict)  # likelihood ratios by kind
    worst: Sequence[Fault] = ()


def assess(
    edition: Edition,
    queries: Sequence[Query],
    *,
    max_megapixels: float = DEFAULT_MAX_MEGAPIXELS,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Assessment:
    """Return the figures of a catalogue on photographs with their truth; raises NothingToEvaluate.

    Identification: every photograph is asked for, photographs that are exemplars themselves without them. Verification:
    it is compared with the objects that it shows, with that which it copies, and with the nearest wrong ones.
    """
    limits = edition.basis.thresholds
    if limits is None or limits.match.value is None or limits.authenticity.value is None:
        raise NothingToEvaluate(
            "This catalogue has no thresholds to evaluate. Run `artifact calibrate`, or index more objects."
        )
    groups = dependent_groups((_right(query), query.group) for query in queries)
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
        if verdict.works:
            trials.append(_trial(edition, kind, query.path, object_id, group, verdict.works[0]))
    return _assessment(edition, queries, verdicts, groups, trials)


def _right(query: Query) -> frozenset[str]:
    """Return the objects that a photograph shows or copies."""
    return query.objects | ({query.copy_of} if query.copy_of else set())


def _compared(query: Query, verdict: Verdict) -> list[tuple[str, str]]:
    """Return the objects that a photograph is compared with, and what that is a pair of."""
    right = _right(query)
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
        measured = (basis.calibration.combined if match.compared else basis.calibration.whole).ratio
    ratio = measured(match.decisive) if isinstance(measured, LikelihoodRatio) else None
    return Trial(kind, photo, object_id, group, match, relative_distance(match, basis.thresholds), ratio)


def relative_distance(match: Match, limits: Thresholds) -> float:
    """Return the distance that decides as a share of its threshold: beyond 1, a photograph is not consistent."""
    if match.compared:
        assert limits.combined is not None and limits.combined.value is not None
        return match.compared.combined_distance / limits.combined.value
    assert limits.authenticity.value is not None and limits.match.value is not None
    if match.registered:
        return match.distance / limits.authenticity.value
    return match.distance / min(limits.authenticity.value, limits.match.value)


def _assessment(
    edition: Edition,
    queries: Sequence[Query],
    verdicts: Sequence[Verdict],
    groups: Sequence[str],
    trials: Sequence[Trial],
) -> Assessment:
    readable = [row for row, verdict in enumerate(verdicts) if verdict.works]
    if not any(trial.kind == GENUINE for trial in trials):
        raise NothingToEvaluate("None of the photographs could be compared with the object that it shows.")
    known = [row for row in readable if queries[row].objects]
    figures = _identification(
        [queries[row] for row in readable], [verdicts[row] for row in readable], [groups[row] for row in readable]
    )
    curves, verified = _verification(trials)
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
    return Assessment(
        figures=figures | verified | _costs([trial for trial in trials if trial.kind in ratios]),
        counts=counts,
        confusion=_confusion(queries, verdicts),
        trials=trials,
        curves=curves,
        ratios=ratios,
        worst=_worst(queries, verdicts, trials),
    )


def _ranked(query: Query, verdict: Verdict) -> RankedQuery:
    """Return the answer to a photograph, ordered as the program orders: points that agree first, then the distance."""
    matches = verdict.works[0].matches
    return RankedQuery(query.objects, tuple((match.object_id, _score(match)) for match in matches))


def _score(match: Match) -> float:
    """Return what objects are ranked by, lower is better."""
    return -float(match.registered.inliers) if match.registered else match.distance


def _identification(
    queries: Sequence[Query], verdicts: Sequence[Verdict], groups: Sequence[str]
) -> dict[str, Estimate]:
    """Return recall@k, mAP, GAP, and at the match threshold FNIR and FPIR; copies are left out."""
    answers = [_ranked(query, verdict) for query, verdict in zip(queries, verdicts, strict=True)]
    matched = [_is_matched(verdict.works[0]) for verdict in verdicts]
    rows = [row for row, query in enumerate(queries) if query.copy_of is None]
    known = [row for row in rows if queries[row].objects]
    unknown = [row for row in rows if not queries[row].objects]
    figures = {}

    def put(name: str, statistic: Callable[[list], float], some: Sequence[int], values: Sequence) -> None:
        names = [groups[row] for row in some]
        if len(set(names)) >= 2:
            estimate = bootstrap_by_group([values[row] for row in some], names, statistic, resamples=RESAMPLES)
            figures[name] = with_width(estimate)

    for k in RANKS:
        put(f"recall_at_{k}", partial(recall_at_k, k=k), known, answers)
    put("map", mean_average_precision, known, answers)
    put("gap", global_average_precision, rows, answers)
    right = [bool(answer.ranking) and answer.ranking[0][0] in answer.truth for answer in answers]
    missed = [not (right[row] and matched[row]) for row in range(len(queries))]
    put("fnir", lambda some: float(np.mean(some)), known, missed)
    put("fpir", lambda some: float(np.mean(some)), unknown, matched)
    return figures


def _is_matched(work: Work) -> bool:
    """Return whether a photograph was taken for a catalogued object."""
    if work.decision.outcome is Outcome.NO_MATCH or not work.matches:
        return False
    return work.decision.outcome is not Outcome.INCONCLUSIVE or work.matches[0].registered is not None


def _verification(trials: Sequence[Trial]) -> tuple[dict[str, Curve], dict[str, Estimate]]:
    """Return the curves by kind of wrong pair, and the figures, each kind of wrong pair weighing the same."""
    numbers = {group: number for number, group in enumerate(sorted({trial.group for trial in trials}))}

    def pairs(kind: str) -> Pairs:
        some = [trial for trial in trials if trial.kind == kind]
        return Pairs(
            np.array([trial.relative for trial in some]), np.array([numbers[trial.group] for trial in some], int)
        )

    genuine = pairs(GENUINE)
    wrong = {kind: found for kind in (COPY, OTHER) if len((found := pairs(kind)).distances)}
    curves: dict[str, Curve] = {}
    figures: dict[str, Estimate] = {}
    if not wrong or len(numbers) < 2:
        return curves, figures
    everything = Trials.of(genuine, *wrong.values())
    estimate = partial(everything.estimate, resamples=RESAMPLES)
    for name in ("accuracy", "precision", "recall", "f1"):
        figures[name] = estimate(partial(_at_threshold, name=name))
    figures["false_alarm_rate"] = estimate(lambda curve: curve.at(1.0).genuine_flagged)
    for kind, some in wrong.items():
        against = Trials.of(genuine, some)
        curves[kind] = against.whole()
        name = kind.replace(" ", "_")
        measured: dict[str, Callable[[Curve], float]] = {
            "miss_rate": lambda curve: curve.at(1.0).wrong_passed,
            "auc": lambda curve: curve.auc,
            "eer": lambda curve: curve.equal_error.rate,
        }
        for rate in RATES:
            measured[f"miss_at_false_alarm_{rate:g}"] = partial(Curve.miss_at, false_alarm=rate)
            measured[f"false_alarm_at_miss_{rate:g}"] = partial(Curve.false_alarm_at, miss=rate)
        figures |= {f"{key}_{name}": against.estimate(figure, resamples=RESAMPLES) for key, figure in measured.items()}
    return curves, figures


def _at_threshold(curve: Curve, *, name: str) -> float:
    return float(getattr(curve.at(1.0), name))


def _costs(trials: Sequence[Trial]) -> dict[str, Estimate]:
    """Return the cost of the likelihood ratios on these photographs, and of the best ones in the same order."""
    if not trials:
        return {}

    def cost(some: Sequence[Trial], of: Callable[[np.ndarray, np.ndarray, np.ndarray], float]) -> float:
        kinds = [[trial for trial in some if trial.kind == kind] for kind in (GENUINE, COPY)]
        if not all(kinds):
            raise ValueError("A cost needs both kinds.")
        weights = np.concatenate([object_weights([trial.object_id for trial in kind]) for kind in kinds])
        labels = np.repeat([1.0, 0.0], [len(kind) for kind in kinds])
        logs = np.log10([trial.ratio for kind in kinds for trial in kind if trial.ratio is not None])
        return of(logs, labels, weights)

    groups = [trial.group for trial in trials]
    if len(set(groups)) < 2:
        return {}
    figures = {"cllr": cllr, "cllr_min": cllr_min}
    return {
        name: bootstrap_by_group(trials, groups, partial(cost, of=of), resamples=RESAMPLES)
        for name, of in figures.items()
    }


def _confusion(queries: Sequence[Query], verdicts: Iterable[Verdict]) -> dict[str, dict[str, int]]:
    """Return how many photographs of each truth got each outcome; a match with a wrong object is told apart."""
    table: dict[str, Counter[str]] = {truth: Counter() for truth in (KNOWN, COPIES, UNKNOWN)}
    for query, verdict in zip(queries, verdicts, strict=True):
        truth = KNOWN if query.objects else COPIES if query.copy_of else UNKNOWN
        if not verdict.works:
            table[truth][UNREADABLE] += 1
            continue
        work = verdict.works[0]
        outcome = str(work.decision.outcome)
        right = _right(query)
        named = work.decision.outcome in OF_AN_OBJECT
        if named and right and work.matches[0].object_id not in right:
            outcome = f"{outcome}, {WRONG_OBJECT}"
        table[truth][outcome] += 1
    return {truth: dict(row) for truth, row in table.items() if row}


def _worst(queries: Sequence[Query], verdicts: Sequence[Verdict], trials: Sequence[Trial]) -> list[Fault]:
    """Return the errors that are farthest on the wrong side, worst first; each photograph with one object once."""
    faults: dict[tuple[Path, str], Fault] = {}

    def put(what: str, photo: Path, match: Match, relative: float, badness: float) -> None:
        fault = Fault(what, photo, match.exemplar, match.object_id, relative, badness)
        faults.setdefault((photo, match.object_id), fault)

    for trial in trials:
        if trial.kind == GENUINE and trial.relative > 1.0:
            put("genuine, beyond the threshold", trial.photo, trial.match, trial.relative, trial.relative)
        elif trial.kind != GENUINE and trial.relative <= 1.0:
            what = f"{trial.kind}, within the threshold"
            put(what, trial.photo, trial.match, trial.relative, 2.0 - trial.relative)
    for query, verdict in zip(queries, verdicts, strict=True):
        first = next((match for work in verdict.works for match in work.matches[:1]), None)
        if first is not None and query.objects and first.object_id not in query.objects:
            put(f"shows {', '.join(sorted(query.objects))}, found another object", query.path, first, 0.0, 1.5)
    return sorted(faults.values(), key=lambda fault: -fault.badness)[:WORST]
