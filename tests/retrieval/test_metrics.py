"""Each metric against hand-worked cases, a plain loop, and scikit-learn or scipy where those agree."""

import itertools
import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.statistics.metrics import (
    RankedQuery,
    bootstrap_by_group,
    clopper_pearson,
    equal_error_rate,
    false_alarm_rate,
    global_average_precision,
    mean_average_precision,
    miss_rate,
    recall_at_k,
    tied_groups,
)

METRICS = [recall_at_k, mean_average_precision, global_average_precision]


def query(truth: str, ranking: str, distances: list[float] | None = None) -> RankedQuery:
    """One letter an object: `query("a", "ba")` shows object a, and object b was nearest."""
    distances = distances or [float(rank) / 10 for rank in range(1, len(ranking) + 1)]
    return RankedQuery(frozenset(truth), tuple(zip(ranking, distances, strict=True)))


@st.composite
def ranked_queries(draw: st.DrawFn) -> list[RankedQuery]:
    """Queries over five objects, at distances so few that ties are frequent; at least one is known."""

    def one(truths: st.SearchStrategy[set[str]]) -> RankedQuery:
        ranking = draw(st.lists(st.sampled_from("abcde"), unique=True))
        distance = st.sampled_from([0.0, 0.25, 0.5, 1.0, 2.0])
        distances = draw(st.lists(distance, min_size=len(ranking), max_size=len(ranking)))
        return query("".join(draw(truths)), "".join(ranking), sorted(distances))

    anything = st.sets(st.sampled_from("abcde"))
    known = one(st.sets(st.sampled_from("abcde"), min_size=1))
    return [known, *(one(anything) for _ in range(draw(st.integers(0, 7))))]


# Finding: recall@k, mAP, GAP


def test_recall_counts_queries_with_a_true_object_among_the_first_k():
    queries = [query("a", "abc"), query("a", "bac"), query("bc", "acb"), query("d", "abc"), query("", "abc")]
    assert recall_at_k(queries) == 1 / 4
    assert recall_at_k(queries, 2) == 3 / 4
    assert recall_at_k(queries, 100) == 3 / 4


def test_mean_average_precision_by_hand():
    both, second, absent = query("ac", "abc"), query("b", "ab"), query("d", "abc")
    assert mean_average_precision([both]) == pytest.approx((1 / 1 + 2 / 3) / 2)
    assert mean_average_precision([second]) == 1 / 2
    assert mean_average_precision([absent]) == 0
    assert mean_average_precision([query("ad", "abc")]) == 1 / 2  # d is never found
    assert mean_average_precision([both, second, absent, query("", "abc")]) == pytest.approx((5 / 6 + 1 / 2) / 3)


def test_gap_by_hand():
    queries = [
        query("a", "a", [0.1]),  # right: precision 1/1
        query("", "a", [0.2]),  # unknown work, yet answered
        query("b", "bc", [0.3, 0.4]),  # right: precision 2/3
        query("c", "bc", [0.5, 0.5]),  # wrong; that c is second does not count
        query("d", ""),  # no answer, counts in M
        query("", ""),  # rightly no answer
    ]
    assert global_average_precision(queries) == pytest.approx((1 + 2 / 3) / 4)


def test_gap_falls_when_an_unknown_work_is_answered_confidently():
    known = [query("a", "a", [0.5])]
    assert global_average_precision([*known, query("", "b", [0.9])]) == 1
    assert global_average_precision([*known, query("", "b", [0.1])]) == 1 / 2


def test_gap_counts_answers_at_the_same_distance_together():
    right, wrong = query("a", "a", [0.3]), query("a", "b", [0.3])
    assert global_average_precision([right, wrong]) == global_average_precision([wrong, right]) == 1 / 4


def test_gap_without_any_answer_is_zero():
    assert global_average_precision([query("a", "")]) == 0


def loop_recall(queries: list[RankedQuery], k: int) -> float:
    found = known = 0
    for one in queries:
        if len(one.truth) > 0:
            known += 1
            if one.truth & {object_id for object_id, _ in one.ranking[:k]}:
                found += 1
    return found / known


def loop_map(queries: list[RankedQuery]) -> float:
    precisions = []
    for one in queries:
        ids = [object_id for object_id, _ in one.ranking]
        total = 0.0
        for true_id in one.truth & set(ids):
            rank = ids.index(true_id) + 1
            total += len(one.truth & set(ids[:rank])) / rank
        if one.truth:
            precisions.append(total / len(one.truth))
    return sum(precisions) / len(precisions)


def loop_gap(queries: list[RankedQuery]) -> float:
    total = 0.0
    for one in queries:
        if one.ranking and one.ranking[0][0] in one.truth:
            accepted = [q for q in queries if q.ranking and q.ranking[0][1] <= one.ranking[0][1]]
            total += sum(q.ranking[0][0] in q.truth for q in accepted) / len(accepted)
    return total / sum(bool(one.truth) for one in queries)


@given(ranked_queries())
@settings(deadline=None)
def test_metrics_equal_a_plain_loop(queries):
    for k in (1, 2, 5):
        assert recall_at_k(queries, k) == loop_recall(queries, k)
    assert mean_average_precision(queries) == pytest.approx(loop_map(queries))
    assert global_average_precision(queries) == pytest.approx(loop_gap(queries))


@given(ranked_queries(), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_metrics_lie_in_0_1_and_ignore_the_order_of_queries(queries, shuffler):
    shuffled = shuffler.sample(queries, len(queries))
    for metric in METRICS:
        assert 0 <= metric(queries) <= 1
        assert metric(shuffled) == metric(queries)


@given(ranked_queries())
@settings(deadline=None)
def test_recall_never_falls_with_k(queries):
    recalls = [recall_at_k(queries, k) for k in range(1, 8)]
    assert recalls == sorted(recalls)


@given(ranked_queries())
@settings(deadline=None)
def test_gap_never_exceeds_recall_at_1(queries):
    assert global_average_precision(queries) <= recall_at_k(queries) + 1e-12


def test_average_precision_equals_scikit_learn():
    sklearn = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    queries, expected = [], []
    for _ in range(50):
        distances = np.sort(rng.random(20))
        true = rng.random(20) < 0.2
        true[rng.integers(20)] = True
        ids = [f"object-{index}" for index in range(20)]
        truth = frozenset(itertools.compress(ids, true))
        queries.append(RankedQuery(truth, tuple(zip(ids, distances, strict=True))))
        expected.append(sklearn.average_precision_score(true, -distances))
        assert mean_average_precision(queries[-1:]) == pytest.approx(expected[-1])
    assert mean_average_precision(queries) == pytest.approx(np.mean(expected))


def test_gap_equals_scikit_learn_times_recall_at_1():
    sklearn = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(1)
    truths = rng.choice(["a", "b", ""], size=200)
    distances = rng.integers(0, 30, size=200) / 15  # many ties
    queries = [query(truth, "a", [distance]) for truth, distance in zip(truths, distances, strict=True)]
    precision = sklearn.average_precision_score(truths == "a", -distances)
    assert global_average_precision(queries) == pytest.approx(precision * recall_at_k(queries))


@pytest.mark.parametrize("metric", METRICS)
def test_nothing_to_measure_is_said(metric):
    with pytest.raises(ValueError, match="of 0 queries"):
        metric([])
    with pytest.raises(ValueError, match="of 2 queries, none has a known truth"):
        metric([query("", "ab"), query("", "")])


def test_k_must_be_positive():
    with pytest.raises(ValueError, match="k must be 1 or more"):
        recall_at_k([query("a", "a")], 0)


@pytest.mark.parametrize(
    ("ranking", "message"),
    [
        ((("a", 0.5), ("b", 0.4)), "nearest first"),
        ((("a", 0.5), ("a", 0.6)), "each object once"),
        ((("a", math.nan),), "finite"),
        ((("a", 0.1), ("b", math.inf)), "finite"),
    ],
)
def test_a_ranking_checks_itself(ranking, message):
    with pytest.raises(ValueError, match=message):
        RankedQuery(frozenset("a"), ranking)


# Verification: equal error rate, false alarm rate, miss rate


def test_equal_error_rate_by_hand():
    assert equal_error_rate([0.1, 0.2], [0.8, 0.9]).rate == 0
    assert equal_error_rate([0.8, 0.9], [0.1, 0.2]).rate == 1
    assert equal_error_rate([0.5], [0.5]).rate == pytest.approx(0.5)
    one_of_four = equal_error_rate([0.1, 0.2, 0.3, 0.7], [0.4, 0.8, 0.9, 1.0])
    assert one_of_four.rate == pytest.approx(1 / 4)
    assert one_of_four.threshold == pytest.approx(0.4)


def test_equal_error_rate_is_interpolated_where_no_threshold_gives_it():
    # (false alarms, misses) at 0.4: (1/2, 1/3), at 0.6: (0, 1/3): they meet after a third of this step
    result = equal_error_rate([0.2, 0.6], [0.4, 0.8, 1.0])
    assert result.rate == pytest.approx(1 / 3)
    assert result.threshold == pytest.approx(0.4 + 0.2 / 3)


def swept_rates(genuine: np.ndarray, impostor: np.ndarray) -> list[tuple[float, float]]:
    """(false alarm rate, miss rate) at each threshold, by counting."""
    thresholds = [-1.0, *sorted({*genuine, *impostor})]
    return [
        (sum(d > t for d in genuine) / len(genuine), sum(d <= t for d in impostor) / len(impostor)) for t in thresholds
    ]


@given(
    st.lists(st.integers(0, 12), min_size=1, max_size=12),
    st.lists(st.integers(0, 12), min_size=1, max_size=12),
)
@settings(deadline=None)
def test_equal_error_rate_equals_a_brute_force_sweep(genuine, impostor):
    swept = swept_rates(np.array(genuine), np.array(impostor))
    meeting = []
    for (alarm, miss), (next_alarm, next_miss) in itertools.pairwise(swept):
        if alarm >= miss and next_alarm <= next_miss:
            fall, rise = alarm - next_alarm, next_miss - miss
            meeting.append(miss + rise * (alarm - miss) / (fall + rise))
    result = equal_error_rate(genuine, impostor)
    assert meeting == pytest.approx([result.rate] * len(meeting)) and meeting
    assert max(min(pair) for pair in swept) - 1e-12 <= result.rate <= min(max(pair) for pair in swept) + 1e-12
    assert min(genuine + impostor) <= result.threshold <= max(genuine + impostor)


def test_equal_error_rate_equals_the_roc_curve_of_scikit_learn():
    sklearn = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(2)
    genuine, impostor = rng.normal(0.6, 0.2, 300).round(2), rng.normal(1.0, 0.2, 170).round(2)
    is_genuine = np.repeat([1, 0], [300, 170])
    misses, recalls, _ = sklearn.roc_curve(is_genuine, -np.concatenate([genuine, impostor]), drop_intermediate=False)
    gap = (1 - recalls) - misses
    expected = np.interp(0, -gap, misses)
    assert equal_error_rate(genuine, impostor).rate == pytest.approx(expected)


def test_rates_at_a_threshold_carry_their_interval():
    genuine, copies = [0.1, 0.2, 0.3, 0.4], [0.3, 0.5, 0.6]
    flagged, passed = false_alarm_rate(genuine, 0.3), miss_rate(copies, 0.3)
    assert (flagged.value, flagged.n) == (1 / 4, 4)  # 0.3 itself is within the threshold
    assert (passed.value, passed.n) == (1 / 3, 3)
    assert (flagged.low, flagged.high) == clopper_pearson(1, 4)
    wider = miss_rate(copies, 0.3, confidence=0.99)
    assert wider.low < passed.low < passed.high < wider.high


@pytest.mark.parametrize("distances", [[], [[0.1, 0.2]], [0.1, math.nan], 0.3])
def test_distances_are_checked(distances):
    for measure in (false_alarm_rate, miss_rate):
        with pytest.raises(ValueError, match="Expected finite"):
            measure(distances, 0.5)
    with pytest.raises(ValueError, match="finite genuine"):
        equal_error_rate(distances, [0.5])
    with pytest.raises(ValueError, match="finite impostor"):
        equal_error_rate([0.5], distances)
    with pytest.raises(ValueError, match="threshold must be a number"):
        false_alarm_rate([0.5], math.nan)


# Intervals


@pytest.mark.parametrize(
    ("successes", "trials", "expected"),
    [
        (0, 10, (0, 0.3085)),
        (1, 10, (0.0025, 0.4450)),
        (5, 10, (0.1871, 0.8129)),
        (10, 10, (0.6915, 1)),
        (0, 1, (0, 0.975)),
        (50, 100, (0.3983, 0.6017)),
    ],
)
def test_clopper_pearson_equals_published_values(successes, trials, expected):
    assert clopper_pearson(successes, trials) == pytest.approx(expected, abs=5e-5)


def test_clopper_pearson_of_no_success_has_a_closed_form():
    assert clopper_pearson(0, 10)[1] == pytest.approx(1 - 0.025 ** (1 / 10), abs=1e-12)
    assert clopper_pearson(0, 1_000_000)[1] == pytest.approx(-math.expm1(math.log(0.025) / 1e6), rel=1e-7)


def test_clopper_pearson_equals_the_beta_quantiles_of_scipy():
    beta = pytest.importorskip("scipy.stats").beta
    for trials, confidence in itertools.product((1, 2, 7, 30, 1000, 200_000), (0.5, 0.95, 0.999)):
        for successes in {0, 1, trials // 3, trials - 1, trials}:
            tail = (1 - confidence) / 2
            low = beta.ppf(tail, successes, trials - successes + 1) if successes else 0
            high = beta.ppf(1 - tail, successes + 1, trials - successes) if successes < trials else 1
            interval = clopper_pearson(successes, trials, confidence=confidence)
            assert interval == pytest.approx((low, high), abs=1e-9)


@given(st.integers(1, 300).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials))))
@settings(deadline=None)
def test_clopper_pearson_holds_the_share_and_mirrors(counts):
    successes, trials = counts
    low, high = clopper_pearson(successes, trials)
    assert 0 <= low <= successes / trials <= high <= 1
    assert clopper_pearson(trials - successes, trials) == pytest.approx((1 - high, 1 - low))


@pytest.mark.parametrize(("successes", "trials"), [(0, 0), (-1, 5), (6, 5)])
def test_clopper_pearson_checks_its_counts(successes, trials):
    with pytest.raises(ValueError, match="successes"):
        clopper_pearson(successes, trials)


@pytest.mark.parametrize("confidence", [0, 1, 95, math.nan])
def test_confidence_is_checked(confidence):
    with pytest.raises(ValueError, match="confidence"):
        clopper_pearson(1, 2, confidence=confidence)
    with pytest.raises(ValueError, match="confidence"):
        bootstrap_by_group([0.0, 1.0], ["a", "b"], mean, confidence=confidence)


def mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)


def test_photographs_that_share_an_object_even_through_others_are_one_group():
    shown = {"1": {"a"}, "2": {"b"}, "3": {"a", "c"}, "4": {"c", "d"}, "5": {"d"}, "6": set(), "7": {"b", "e"}}
    groups = tied_groups(shown)
    assert list(groups) == list(shown)
    together = {frozenset(photo for photo in groups if groups[photo] == name) for name in groups.values()}
    assert together == {frozenset("1345"), frozenset("27"), frozenset("6")}


def test_a_photograph_and_an_object_of_the_same_name_do_not_collide():
    shown = {"a": {"b"}, "b": {"a"}, "c": {"c"}}
    assert len(set(tied_groups(shown).values())) == 3
    assert tied_groups({"x": {"y"}, "y": {"z"}}) == {"x": "x", "y": "y"}
    assert tied_groups({}) == {}


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.sets(st.sampled_from("abcdef")), max_size=8), st.randoms())
def test_groups_are_the_connected_ones_in_whatever_order(shown, shuffler):
    reached = {one: {two for two in shown if one == two or shown[one] & shown[two]} for one in shown}
    for _ in shown:
        reached = {one: set().union(*(reached[two] for two in near)) for one, near in reached.items()}
    shuffled = list(shown.items())
    shuffler.shuffle(shuffled)
    for groups in (tied_groups(shown), tied_groups(dict(shuffled))):
        assert {one: {two for two in groups if groups[two] == groups[one]} for one in shown} == reached
        assert set(groups.values()) <= set(shown)


def test_bootstrap_draws_whole_groups():
    sizes = {"a": 1, "b": 2, "c": 4}
    items = [group for group, size in sizes.items() for _ in range(size)]
    drawn: list[list[str]] = []

    def record(sample: list[str]) -> float:
        drawn.append(sample)
        return float(len(sample))

    estimate = bootstrap_by_group(items, items, record, resamples=50)
    assert (estimate.value, estimate.n, len(drawn)) == (7, 3, 51)
    for sample in drawn:
        assert sum(sample.count(group) / size for group, size in sizes.items()) == 3
        assert all(sample.count(group) % size == 0 for group, size in sizes.items())


def test_bootstrap_of_two_groups_by_hand():
    # The mean is 0, 1/2 or 1 with chances 1/4, 1/2, 1/4.
    wide = bootstrap_by_group([0.0, 1.0], ["a", "b"], mean, confidence=0.9)
    narrow = bootstrap_by_group([0.0, 1.0], ["a", "b"], mean, confidence=0.3)
    assert (wide.value, wide.low, wide.high, wide.n) == (0.5, 0, 1, 2)
    assert (narrow.low, narrow.high) == (0.5, 0.5)


def test_bootstrap_repeats_and_ignores_the_order_of_items():
    rng = np.random.default_rng(3)
    pairs = [(value, f"object-{index % 8}") for index, value in enumerate(rng.random(40))]
    first = bootstrap_by_group(*zip(*pairs, strict=True), mean, resamples=200)
    random.Random(0).shuffle(pairs)
    assert bootstrap_by_group(*zip(*pairs, strict=True), mean, resamples=200) == first
    assert bootstrap_by_group(*zip(*pairs, strict=True), mean, resamples=200, seed=1) != first


def test_bootstrap_skips_resamples_without_a_known_query():
    queries = [query("a", "a"), query("", "a"), query("", "b")]
    estimate = bootstrap_by_group(queries, ["a", "u1", "u2"], recall_at_k, resamples=100)
    assert (estimate.value, estimate.low, estimate.high, estimate.n) == (1, 1, 1, 3)


def test_bootstrap_says_what_is_wrong():
    with pytest.raises(ValueError, match="two objects or more, got 1"):
        bootstrap_by_group([0.0, 1.0], ["a", "a"], mean)
    with pytest.raises(ValueError, match="two objects or more, got 0"):
        bootstrap_by_group([], [], mean)
    with pytest.raises(ValueError, match="2 items and 1 groups"):
        bootstrap_by_group([0.0, 1.0], ["a"], mean)
    with pytest.raises(ValueError, match="none has a known truth"):
        bootstrap_by_group([query("", "a")] * 2, ["a", "b"], recall_at_k)
    with pytest.raises(ValueError, match="undefined on all"):
        bootstrap_by_group([0.0, 1.0], ["a", "b"], lambda values: math.nan)


def test_intervals_by_group_cover_the_truth_and_intervals_by_photo_do_not():
    rng = np.random.default_rng(4)
    n_objects, n_photos, n_trials = 40, 5, 200
    objects = [f"object-{index:02}" for index in range(n_objects) for _ in range(n_photos)]
    photos = [f"photo-{index:03}" for index in range(n_objects * n_photos)]
    covered = {"object": 0, "photo": 0}
    for trial in range(n_trials):  # mean 0; photos of one object are nearly alike
        of_object = np.repeat(rng.normal(0, 1, n_objects), n_photos)
        values = (of_object + rng.normal(0, 0.3, len(photos))).tolist()
        for kind, groups in {"object": objects, "photo": photos}.items():
            estimate = bootstrap_by_group(values, groups, mean, resamples=200, seed=trial)
            covered[kind] += estimate.low <= 0 <= estimate.high
    assert 0.90 <= covered["object"] / n_trials <= 0.985
    assert covered["photo"] / n_trials < 0.75
