"""Each figure of verification against hand-worked cases, scikit-learn, and the metrics that exist."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from retrieval.statistics.metrics import Estimate, clopper_pearson, equal_error_rate, false_alarm_rate, miss_rate
from retrieval.statistics.verification import Confusion, Pairs, Trials, confusion, with_width

DISTANCES = st.lists(st.integers(0, 12), min_size=1, max_size=12)


def pairs(distances: list[float] | np.ndarray, owners: list[int] | np.ndarray | None = None) -> Pairs:
    values = np.asarray(distances, float)
    return Pairs(values, np.arange(len(values)) if owners is None else np.asarray(owners))


def roc_auc(genuine: list[float] | np.ndarray, wrong: list[float] | np.ndarray) -> float:
    return Trials.of(pairs(genuine), pairs(wrong)).whole().auc


def test_confusion_by_hand():
    found = confusion([0.1, 0.2, 0.5], [0.3, 0.6, 0.7, 0.8], 0.3)  # 0.3 itself passes
    assert found == Confusion(2, 1, 1, 3)
    assert (found.accuracy, found.precision, found.recall) == (5 / 7, 2 / 3, 2 / 3)
    assert found.f1 == pytest.approx(2 / 3)


def test_nothing_passes():
    found = confusion([0.5], [0.6], 0.1)
    assert (found.accuracy, found.precision, found.recall, found.f1) == (0.5, 0, 0, 0)


def test_auc_by_hand():
    assert roc_auc([0.1, 0.2], [0.3]) == 1
    assert roc_auc([0.4], [0.3]) == 0
    assert roc_auc([0.3], [0.3]) == 0.5
    assert roc_auc([0.1, 0.4], [0.2, 0.4]) == pytest.approx((1 + 1 + 0 + 0.5) / 4)


@given(DISTANCES, DISTANCES, st.integers(-1, 13))
@settings(deadline=None)
def test_figures_equal_scikit_learn(genuine, wrong, threshold):
    sklearn = pytest.importorskip("sklearn.metrics")
    truth = np.repeat([1, 0], [len(genuine), len(wrong)])
    distances = np.array(genuine + wrong)
    assert roc_auc(genuine, wrong) == pytest.approx(sklearn.roc_auc_score(truth, -distances))
    found, passed = confusion(genuine, wrong, threshold), (distances <= threshold).astype(int)
    assert found.accuracy == pytest.approx(sklearn.accuracy_score(truth, passed))
    expected = sklearn.precision_recall_fscore_support(truth, passed, average="binary", zero_division=0)[:3]
    assert (found.precision, found.recall, found.f1) == pytest.approx(expected)


@given(DISTANCES, DISTANCES, st.integers(-1, 13))
@settings(deadline=None)
def test_the_curve_agrees_with_the_metrics(genuine, wrong, threshold):
    curve = Trials.of(pairs(genuine), pairs(wrong)).whole()
    expected = equal_error_rate(genuine, wrong)
    assert curve.equal_error.rate == pytest.approx(expected.rate)
    assert curve.equal_error.threshold == pytest.approx(expected.threshold)
    shares = curve.at(threshold)
    assert shares.genuine_flagged == pytest.approx(false_alarm_rate(genuine, threshold).value)
    assert shares.wrong_passed == pytest.approx(miss_rate(wrong, threshold).value)
    balanced = (shares.recall + 1 - shares.wrong_passed) / 2
    assert shares.accuracy == pytest.approx(balanced)


@given(DISTANCES, DISTANCES, st.sampled_from([0.0, 0.01, 0.05, 0.25, 1 / 3, 0.5, 0.99, 1.0]))
@example([0] * 19 + [5], [3], 0.05)  # one of twenty
@example([5], [0] + [6] * 19, 0.05)
@settings(deadline=None)
def test_a_rate_where_the_other_is_held_is_that_of_the_best_threshold(genuine, wrong, most):
    curve = Trials.of(pairs(genuine), pairs(wrong)).whole()
    rates = [
        (false_alarm_rate(genuine, threshold).value, miss_rate(wrong, threshold).value) for threshold in range(-1, 13)
    ]
    assert curve.miss_at(most) == pytest.approx(min(miss for alarm, miss in rates if alarm <= most + 1e-12))
    assert curve.false_alarm_at(most) == pytest.approx(min(alarm for alarm, miss in rates if miss <= most + 1e-12))


def test_each_kind_of_wrong_pair_weighs_the_same():
    genuine, forgeries, others = pairs([0.1, 0.5]), pairs([0.3]), pairs([0.2, 0.7, 0.8, 0.9])
    curve = Trials.of(genuine, forgeries, others).whole()
    assert curve.auc == pytest.approx((roc_auc([0.1, 0.5], [0.3]) + roc_auc([0.1, 0.5], others.distances)) / 2)
    assert curve.at(0.4).wrong_passed == pytest.approx((1 + 1 / 4) / 2)


@given(st.lists(st.integers(0, 3), min_size=4, max_size=4).filter(lambda times: times[0] and times[1]))
@settings(deadline=None)
def test_counting_an_object_again_equals_repeating_its_pairs(times):
    genuine, wrong = pairs([0.1, 0.6, 0.3], [0, 1, 2]), pairs([0.2, 0.6, 0.9, 0.4], [0, 1, 1, 3])
    curve = Trials.of(genuine, wrong).curve(np.array(times))
    repeated = [np.repeat(kind.distances, np.array(times)[kind.owners]) for kind in (genuine, wrong)]
    assert curve.auc == pytest.approx(roc_auc(*repeated))
    assert curve.equal_error.rate == pytest.approx(equal_error_rate(*repeated).rate)
    counted = confusion(*repeated, 0.3)
    assert curve.at(0.3).recall == pytest.approx(counted.recall)


def test_a_resample_without_genuine_pairs_is_undefined_and_skipped():
    trials = Trials.of(pairs([0.1], [0]), pairs([0.2, 0.3], [1, 2]))
    with pytest.raises(ValueError, match="No pair of this kind"):
        trials.curve(np.array([0, 1, 2]))
    estimate = trials.estimate(lambda curve: curve.auc)
    assert (estimate.value, estimate.n) == (1, 1)  # one object behind the genuine pairs


def test_intervals_resample_objects_not_pairs():
    rng = np.random.default_rng(0)
    level = rng.random(12)  # pairs of one object are alike
    genuine = pairs(np.repeat(level, 30), np.repeat(np.arange(12), 30))
    wrong = pairs(np.repeat(level + 0.3, 30), np.repeat(np.arange(12), 30))
    by_object = Trials.of(genuine, wrong).estimate(lambda curve: curve.auc)
    by_pair = Trials.of(pairs(genuine.distances), pairs(wrong.distances)).estimate(lambda curve: curve.auc)
    assert by_object.value == pytest.approx(by_pair.value)
    assert by_object.low < by_object.value < by_object.high
    assert by_object.high - by_object.low > 2 * (by_pair.high - by_pair.low)
    assert (by_object.n, by_pair.n) == (12, 360)
    assert Trials.of(genuine, wrong).estimate(lambda curve: curve.auc, seed=1) != by_object


def test_where_all_objects_agree_the_interval_is_that_of_a_share():
    perfect = Trials.of(pairs([0.1] * 20), pairs([0.9] * 20))
    assert perfect.estimate(lambda curve: curve.auc) == Estimate(1, *clopper_pearson(20, 20), 20)
    assert perfect.estimate(lambda curve: curve.equal_error.rate) == Estimate(0, *clopper_pearson(0, 20), 20)
    assert with_width(Estimate(0.5, 0.4, 0.6, 9)) == Estimate(0.5, 0.4, 0.6, 9)
    assert with_width(Estimate(0.5, 0.5, 0.5, 3)).low < 0.5 < with_width(Estimate(0.5, 0.5, 0.5, 3)).high


@pytest.mark.parametrize("distances", [[], [0.1, math.nan], [math.inf]])
def test_distances_are_checked(distances):
    for genuine, wrong in ((distances, [0.5]), ([0.5], distances)):
        with pytest.raises(ValueError, match="Expected finite"):
            roc_auc(genuine, wrong)
    with pytest.raises(ValueError, match="Expected finite"):
        Trials.of(pairs([0.5]))
    with pytest.raises(ValueError, match="Expected a threshold"):
        confusion(distances, [0.5], 0.3)
    with pytest.raises(ValueError, match="Expected a threshold"):
        confusion([0.5], [0.5], math.nan)
