"""Take the figures of an evaluation from verdicts and trials: identification, verification, costs, the worst errors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from indexer.inputs.queries import Query
from retrieval.finding.match import Match
from retrieval.judging.judge import Verdict
from retrieval.judging.work import Work
from retrieval.outcome import OF_AN_OBJECT, UNREADABLE, Outcome
from retrieval.statistics.likelihood import cllr, cllr_min, object_weights
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
RANKS = (1, 5, 10)
RATES = (0.05, 0.01)
RESAMPLES = 500
WORST = 20


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


def right_objects(query: Query) -> frozenset[str]:
    """Return the objects that a photograph shows or copies."""
    return query.objects | ({query.copy_of} if query.copy_of else set())


def _ranked(query: Query, verdict: Verdict) -> RankedQuery:
    """Return the answer to a photograph, ordered as the program orders: points that agree first, then the distance."""
    matches = verdict.works[0].matches
    return RankedQuery(query.objects, tuple((match.object_id, _score(match)) for match in matches))


def _score(match: Match) -> float:
    """Return what objects are ranked by, lower is better."""
    return -float(match.registered.inliers) if match.registered else match.distance


def identification(queries: Sequence[Query], verdicts: Sequence[Verdict], groups: Sequence[str]) -> dict[str, Estimate]:
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


def verification(trials: Sequence[Trial]) -> tuple[dict[str, Curve], dict[str, Estimate]]:
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


def costs(trials: Sequence[Trial]) -> dict[str, Estimate]:
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


def confusion_table(queries: Sequence[Query], verdicts: Iterable[Verdict]) -> dict[str, dict[str, int]]:
    """Return how many photographs of each truth got each outcome; a match with a wrong object is told apart."""
    table: dict[str, Counter[str]] = {truth: Counter() for truth in (KNOWN, COPIES, UNKNOWN)}
    for query, verdict in zip(queries, verdicts, strict=True):
        truth = KNOWN if query.objects else COPIES if query.copy_of else UNKNOWN
        if not verdict.works:
            table[truth][UNREADABLE] += 1
            continue
        work = verdict.works[0]
        outcome = str(work.decision.outcome)
        right = right_objects(query)
        named = work.decision.outcome in OF_AN_OBJECT
        if named and right and work.matches[0].object_id not in right:
            outcome = f"{outcome}, {WRONG_OBJECT}"
        table[truth][outcome] += 1
    return {truth: dict(row) for truth, row in table.items() if row}


def worst_faults(queries: Sequence[Query], verdicts: Sequence[Verdict], trials: Sequence[Trial]) -> list[Fault]:
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
