"""How well objects are found: recall@k, mean average precision, GAP, each with its interval."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

Item = TypeVar("Item")
Distances = Sequence[float] | np.ndarray
Statistic = Callable[[list[Item]], float]


@dataclass(frozen=True, slots=True)
class RankedQuery:
    """One query photo: what it shows, and what was answered.

    Objects at the same distance stand in the order in which the search put them: `ranking[0]` is the answer.
    """

    truth: frozenset[str]  # object ids on the photo; empty for an unknown work
    ranking: tuple[tuple[str, float], ...]  # (object_id, distance), nearest first, each object once

    def __post_init__(self) -> None:
        distances = [distance for _, distance in self.ranking]
        if not all(math.isfinite(distance) for distance in distances) or distances != sorted(distances):
            raise ValueError("A ranking must hold finite distances, nearest first.")
        if len({object_id for object_id, _ in self.ranking}) < len(self.ranking):
            raise ValueError("A ranking must name each object once: keep its nearest exemplar.")


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measured value with its interval, 95 % unless another confidence was asked for."""

    value: float
    low: float
    high: float
    n: int  # number of objects (groups), or of trials, behind it


@dataclass(frozen=True, slots=True)
class EqualError:
    """Where the false alarm rate and the miss rate meet."""

    rate: float
    threshold: float  # distance


def recall_at_k(queries: Sequence[RankedQuery], k: int = 1) -> float:
    """Return the share of the queries with a known truth that have a true object among the first k."""
    if k < 1:
        raise ValueError(f"k must be 1 or more, not {k}.")
    known = _known(queries)
    found = sum(any(object_id in query.truth for object_id, _ in query.ranking[:k]) for query in known)
    return found / len(known)


def mean_average_precision(queries: Sequence[RankedQuery]) -> float:
    """Return the mean, over the queries with a known truth, of the average precision of the full ranking.

    Average precision is (1 / number of true objects) * sum of precision@rank over the ranks of true objects;
    a true object that the ranking lacks adds 0 (Manning et al., Introduction to Information Retrieval, 8.4).
    """
    known = _known(queries)
    return math.fsum(_average_precision(query) for query in known) / len(known)


def _average_precision(query: RankedQuery) -> float:
    found, total = 0, 0.0
    for rank, (object_id, _) in enumerate(query.ranking, start=1):
        if object_id in query.truth:
            found += 1
            total += found / rank
            if found == len(query.truth):
                break
    return total / len(query.truth)


def global_average_precision(queries: Sequence[RankedQuery]) -> float:
    """Return GAP, also called micro-AP, as in Google Landmarks v2 (Weyand et al., CVPR 2020).

    Only the first answer of each query counts, whether its truth is known or not. Ordered over all queries by
    distance, GAP = (1 / M) * sum of precision@i over the correct answers i, where M is the number of queries
    with a known truth. A query with an empty ranking gives no answer; if its truth is known it counts in M.

    Answers at the same distance are counted together (a threshold takes all of them or none): each has the
    precision after the last of them, so the order of the queries does not matter.
    """
    n_known = len(_known(queries))
    answers = [(query.ranking[0], query.truth) for query in queries if query.ranking]
    correct = [object_id in truth for (object_id, _), truth in answers]
    _, step = np.unique(np.array([distance for (_, distance), _ in answers]), return_inverse=True)
    hits = np.bincount(step, weights=correct)
    precision = np.cumsum(hits) / np.cumsum(np.bincount(step))
    return float(np.sum(hits * precision)) / n_known


def _known(queries: Sequence[RankedQuery]) -> list[RankedQuery]:
    known = [query for query in queries if query.truth]
    if not known:
        raise ValueError(f"Nothing to measure: of {len(queries)} queries, none has a known truth.")
    return known


def equal_error_rate(genuine: Distances, impostor: Distances) -> EqualError:
    """Return the rate at which false alarms and misses are equal, and its threshold.

    `genuine` of shape (n_genuine,) and `impostor` of shape (n_impostor,) hold distances. Both rates are taken
    at every distance that occurs, from (1, 0) below the smallest, and joined by straight lines; the point
    where the lines meet is returned (the ROC polyline on its diagonal). The rates counted at exactly this
    threshold may differ from it by the height of one step.
    """
    near, far = np.sort(_distances(genuine, "genuine")), np.sort(_distances(impostor, "impostor"))
    thresholds = np.unique(np.concatenate([near, far]))
    false_alarm = np.append(1.0, (len(near) - np.searchsorted(near, thresholds, side="right")) / len(near))
    miss = np.append(0.0, np.searchsorted(far, thresholds, side="right") / len(far))
    thresholds = np.append(thresholds[0], thresholds)
    gap = false_alarm - miss  # falls from 1 to -1
    after = int(np.argmax(gap <= 0))
    before = after - 1
    weight = gap[before] / (gap[before] - gap[after])
    rate = miss[before] + weight * (miss[after] - miss[before])
    threshold = thresholds[before] + weight * (thresholds[after] - thresholds[before])
    return EqualError(float(rate), float(threshold))


def false_alarm_rate(genuine: Distances, threshold: float, *, confidence: float = 0.95) -> Estimate:
    """Return the share of genuine distances, shape (n,), above the threshold: genuine photos flagged (FNMR).

    The interval is Clopper and Pearson's, for independent distances; else use `bootstrap_by_group`.
    """
    return _share(_exceeds(genuine, threshold, "genuine"), confidence)


def miss_rate(impostor: Distances, threshold: float, *, confidence: float = 0.95) -> Estimate:
    """Return the share of impostor or copy distances, shape (n,), within the threshold: passed (FMR).

    A distance equal to the threshold passes. The interval is taken as in `false_alarm_rate`.
    """
    return _share(~_exceeds(impostor, threshold, "impostor"), confidence)


def _exceeds(distances: Distances, threshold: float, kind: str) -> np.ndarray:
    if math.isnan(threshold):
        raise ValueError("The threshold must be a number, not NaN.")
    return _distances(distances, kind) > threshold


def _share(outcomes: np.ndarray, confidence: float) -> Estimate:
    successes, trials = int(np.count_nonzero(outcomes)), len(outcomes)
    return Estimate(successes / trials, *clopper_pearson(successes, trials, confidence=confidence), trials)


def _distances(values: Distances, kind: str) -> np.ndarray:
    distances = np.asarray(values, dtype=float)
    if distances.ndim != 1 or not len(distances) or not np.isfinite(distances).all():
        raise ValueError(f"Expected finite {kind} distances of shape (n,), n > 0; got {distances.shape}.")
    return distances


def clopper_pearson(successes: int, trials: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Return the exact interval (low, high) of a binomial share (Clopper and Pearson, Biometrika 1934).

    Two-sided: each side leaves out (1 - confidence) / 2, also where the other bound is 0 or 1.
    """
    if trials < 1 or not 0 <= successes <= trials:
        raise ValueError(f"Expected 0 <= successes <= trials and 1 trial or more, got {successes}/{trials}.")
    tail = _tail(confidence)
    return 1 - _upper_bound(trials - successes, trials, tail), _upper_bound(successes, trials, tail)


def _upper_bound(successes: int, trials: int, tail: float) -> float:
    """Return the share at which so few successes are only as likely as `tail`, by bisection."""
    if successes == trials:
        return 1.0
    low, high = successes / trials, 1.0
    while high - low > 1e-15:
        middle = (low + high) / 2
        if at_most(successes, trials, middle) > tail:
            low = middle
        else:
            high = middle
    return high


def at_most(successes: int, trials: int, share: float) -> float:
    """Return P(X <= successes), X binomial; for share > successes / trials, where terms fall downwards."""
    ways = math.lgamma(trials + 1) - math.lgamma(successes + 1) - math.lgamma(trials - successes + 1)
    term = math.exp(ways + successes * math.log(share) + (trials - successes) * math.log1p(-share))
    total = term
    for count in range(successes, 0, -1):
        term *= count / (trials - count + 1) * (1 - share) / share
        total += term
        if term <= total * 1e-17:
            break
    return total


def bootstrap_by_group(
    items: Sequence[Item],
    groups: Sequence[str],
    statistic: Statistic[Item],
    *,
    resamples: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Estimate:
    """Return the statistic of all items, with a percentile interval that resamples groups, never items.

    `groups[i]` is the object behind `items[i]` (queries, or values of any kind). Photos of one object depend
    on each other, so an object is drawn with all of its photos (Davison and Hinkley, Bootstrap Methods, 3.8).
    Photos that show several objects, or crops of one photo, tie those objects into one group; unknown works
    have groups of their own. Pass only the items that the statistic uses, for `n` counts their groups.

    Resamples on which the statistic is undefined (ValueError or not finite) are skipped. The interval is too
    narrow with few groups, and has no width where all items agree: there, use `clopper_pearson` on objects.
    """
    tail = _tail(confidence)
    if len(items) != len(groups):
        raise ValueError(f"Each item needs its group: got {len(items)} items and {len(groups)} groups.")
    members: dict[str, list[Item]] = {}
    for item, group in zip(items, groups, strict=True):
        members.setdefault(group, []).append(item)
    if len(members) < 2:
        raise ValueError(f"An interval needs two objects or more, got {len(members)}.")
    value = statistic(list(items))
    blocks = [members[group] for group in sorted(members)]  # so that the order of the items does not matter
    rng = np.random.default_rng(seed)
    drawn = (_draw(blocks, statistic, rng) for _ in range(resamples))
    defined = [result for result in drawn if math.isfinite(result)]
    if not defined:
        raise ValueError(f"The statistic is undefined on all of the {resamples} resamples.")
    low, high = np.quantile(defined, [tail, 1 - tail])
    return Estimate(float(value), float(low), float(high), len(blocks))


def tied_groups(shown: Mapping[str, Collection[str]]) -> dict[str, str]:
    """Return a group for each photograph, given what it shows: photographs that share a thing, even through others."""
    parent: dict[tuple[str, str], tuple[str, str]] = {}

    def root(name: tuple[str, str]) -> tuple[str, str]:
        while parent.setdefault(name, name) != name:
            name = parent[name]
        return name

    for photo, things in shown.items():
        for thing in things:
            parent[root(("thing", thing))] = root(("photo", photo))
    return {photo: root(("photo", photo))[1] for photo in shown}


def _draw(blocks: list[list[Item]], statistic: Statistic[Item], rng: np.random.Generator) -> float:
    chosen = rng.integers(len(blocks), size=len(blocks))
    try:
        return statistic([item for index in chosen for item in blocks[index]])
    except ValueError:  # undefined on these groups, though not on all of them
        return math.nan


def _tail(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise ValueError(f"The confidence must lie between 0 and 1, not {confidence}.")
    return (1 - confidence) / 2
