"""What a calibration promises: bounds against textbook numbers, scipy and simulation; how it is kept and gets old."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.stats import beta, binom

from retrieval.statistics.calibration import (
    MOST_GROWTH,
    CalibratedDistance,
    Calibration,
    Threshold,
    allowed_beyond,
    lower_bound,
    objects_needed,
    smallest_rate,
    upper_bound,
)
from retrieval.statistics.likelihood import LikelihoodRatio

rates = st.sampled_from([0.0001, 0.001, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5])
counts = st.integers(1, 700)
values = st.lists(st.floats(0, 2), max_size=200).map(lambda some: np.array(some, np.float64))


def carried(count: int, rate: float) -> bool:
    return 1 - (1 - rate) ** count >= 0.95


# Tolerance limits


@pytest.mark.parametrize(("rate", "needed"), [(0.05, 59), (0.01, 299), (0.1, 29), (0.001, 2995), (0.5, 5)])
def test_as_many_objects_are_needed_as_textbooks_say(rate, needed):
    assert objects_needed(rate) == needed
    assert smallest_rate(needed) <= rate < smallest_rate(needed - 1)


def test_other_confidences_need_other_counts():
    assert objects_needed(0.05, confidence=0.9) == 45 and objects_needed(0.05, confidence=0.99) == 90
    assert objects_needed(0.1, confidence=0.5) == 7


@pytest.mark.parametrize(
    ("count", "rate", "beyond"),
    [
        (59, 0.05, 0), (92, 0.05, 0), (93, 0.05, 1), (123, 0.05, 1), (124, 0.05, 2), (152, 0.05, 2), (153, 0.05, 3),
        (299, 0.01, 0), (472, 0.01, 0), (473, 0.01, 1), (627, 0.01, 1), (628, 0.01, 2), (1000, 0.05, 38),
    ],
)  # fmt: skip
def test_as_many_may_lie_beyond_as_textbooks_say(count, rate, beyond):
    assert allowed_beyond(count, rate) == beyond


@pytest.mark.parametrize(("count", "rate"), [(3, 0.632), (10, 0.259), (30, 0.095), (60, 0.0487), (100, 0.0295)])
def test_the_smallest_rate_of_so_many(count, rate):
    assert smallest_rate(count) == pytest.approx(rate, abs=5e-4)
    assert smallest_rate(count) == pytest.approx(beta.ppf(0.95, 1, count))


def test_nothing_carries_no_rate():
    assert smallest_rate(0) == 1.0


@given(counts, rates, st.sampled_from([0.8, 0.9, 0.95, 0.99]))
@settings(deadline=None)
def test_the_number_beyond_is_that_of_the_binomial_distribution(count, rate, confidence):
    if (1 - rate) ** count > 1 - confidence:
        return
    beyond = allowed_beyond(count, rate, confidence=confidence)
    assert binom.cdf(beyond, count, rate) <= (1 - confidence) * (1 + 1e-9)
    assert binom.cdf(beyond + 1, count, rate) > (1 - confidence) * (1 - 1e-9)
    assert beta.ppf(confidence, beyond + 1, count - beyond) <= rate * (1 + 1e-9)


def plain_upper(some: list[float], rate: float) -> tuple[float, float]:
    """Return threshold and rate, looking for the smallest value that can be promised at the rate."""
    ordered = sorted(some)
    for beyond in range(len(ordered) - 1, -1, -1):
        if binom.cdf(beyond, len(ordered), rate) <= 0.05:
            return ordered[len(ordered) - 1 - beyond], rate
    return ordered[-1], 1 - 0.05 ** (1 / len(ordered))


@given(values.filter(len), rates)
@settings(deadline=None)
def test_an_upper_bound_is_that_of_a_plain_search(some, rate):
    found = upper_bound(some, rate)
    value, promised = plain_upper(some.tolist(), rate)
    assert found.value == value and found.rate == pytest.approx(promised, rel=1e-9)
    assert (found.count, found.confidence) == (len(some), 0.95)
    assert found.asked == (None if carried(len(some), rate) else rate)


@given(values, rates)
def test_a_lower_bound_is_an_upper_one_in_the_mirror(some, rate):
    low, high = lower_bound(some, rate), upper_bound(-some, rate)
    assert low.value == (None if high.value is None else -high.value)
    assert replace(low, value=None) == replace(high, value=None)


@given(values.filter(len), st.randoms(use_true_random=False))
def test_the_order_of_the_values_does_not_matter(some, shuffler):
    shuffled = np.array(shuffler.sample(some.tolist(), len(some)))
    assert upper_bound(shuffled, 0.05) == upper_bound(some, 0.05)
    assert lower_bound(shuffled, 0.05) == lower_bound(some, 0.05)


@pytest.mark.parametrize(
    ("count", "rate", "value", "promised"),
    [(58, 0.05, 57, smallest_rate(58)), (59, 0.05, 58, 0.05), (93, 0.05, 91, 0.05), (124, 0.05, 121, 0.05),
     (1, 0.05, 0, 0.95), (298, 0.01, 297, smallest_rate(298)), (299, 0.01, 298, 0.01)],
)  # fmt: skip
def test_the_rate_is_the_one_asked_or_the_smallest_that_they_carry(count, rate, value, promised):
    some = np.random.default_rng(0).permutation(count).astype(float)
    high, low = upper_bound(some, rate), lower_bound(some, rate)
    assert high.value == value and low.value == count - 1 - value
    for found in (high, low):
        assert found.rate == pytest.approx(promised)
        assert found.asked == (rate if promised > rate else None)


@pytest.mark.parametrize("bound", [upper_bound, lower_bound])
def test_without_values_there_is_no_bound(bound):
    assert bound(np.empty(0), 0.05) == Threshold(None, 1.0, 0, 0.95, 0.05)


@pytest.mark.parametrize("count", [59, 93, 140, 600])
@pytest.mark.parametrize("name", ["expon", "norm", "uniform", "cauchy"])
def test_the_promise_holds_in_nineteen_draws_of_twenty(count, name):
    """The true rate beyond a bound is known from the distribution."""
    distribution, runs = getattr(stats, name)(), 2000
    samples = distribution.rvs((runs, count), random_state=np.random.default_rng([count, len(name)]))
    above = distribution.sf([upper_bound(sample, 0.05).value for sample in samples])
    below = distribution.cdf([lower_bound(sample, 0.05).value for sample in samples])
    exact = binom.cdf(allowed_beyond(count, 0.05), count, 0.05)
    assert exact <= 0.05
    for rates_beyond in (above, below):
        assert np.mean(rates_beyond > 0.05) == pytest.approx(exact, abs=4 * math.sqrt(0.05 * 0.95 / runs))


@pytest.mark.parametrize("count", [3, 10, 30])
def test_the_smallest_rate_that_few_objects_carry_is_a_promise_too(count):
    runs = 4000
    samples = np.random.default_rng(count).uniform(size=(runs, count))
    broken = [1 - found.value > found.rate for found in (upper_bound(sample, 0.05) for sample in samples)]
    assert np.mean(broken) == pytest.approx(0.05, abs=4 * math.sqrt(0.05 * 0.95 / runs))


def test_the_promise_holds_where_many_values_are_the_same():
    """Of whole numbers 0 to 9, each as likely: beyond a bound means strictly beyond it."""
    samples = np.random.default_rng(1).integers(0, 10, (3000, 93)).astype(float)
    broken = [(9 - upper_bound(sample, 0.05).value) / 10 > 0.05 for sample in samples]
    assert np.mean(broken) <= 0.05


# P-values


def measured(*genuine: float) -> CalibratedDistance:
    return CalibratedDistance(Threshold(0.5, 0.05, len(genuine), 0.95), tuple(sorted(genuine)))


@given(st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.7]), max_size=30), st.sampled_from([0.0, 0.1, 0.25, 0.3, 0.7, 0.9]))
def test_a_p_value_is_that_of_a_plain_count(genuine, distance):
    found = measured(*genuine).p_value(distance)
    assert found == (1 + sum(one >= distance for one in genuine)) / (1 + len(genuine))
    assert 1 / (1 + len(genuine)) <= found <= 1


def test_p_values_of_genuine_photographs_are_uniform():
    """Of n + 1 exchangeable distances each rank is as likely, so that a share a of p-values is a at most."""
    draws = np.random.default_rng(2).exponential(size=(6000, 20))
    found = np.array([measured(*some[1:]).p_value(float(some[0])) for some in draws])
    assert sorted(set(found)) == pytest.approx([rank / 20 for rank in range(1, 21)])
    for share in (0.05, 0.1, 0.25, 0.5, 0.9):
        assert np.mean(found <= share + 1e-9) == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / 6000))


# A calibration as a whole

thresholds = st.builds(
    Threshold,
    value=st.none() | st.floats(0, 2),
    rate=st.floats(0.0001, 1),
    count=st.integers(0, 10**6),
    confidence=st.none() | st.just(0.95),
    asked=st.none() | st.floats(0.0001, 0.5),
)
line = st.floats(-100, 100)
ratios = st.builds(
    LikelihoodRatio,
    intercept=line,
    slope=st.floats(-100, 0),
    genuine=st.integers(10, 999),
    copies=st.integers(10, 999),
    cllr=st.floats(0, 5),
    cllr_min=st.floats(0, 1),
)
measurements = st.builds(
    CalibratedDistance,
    threshold=thresholds,
    genuine=st.lists(st.floats(0, 2), max_size=9).map(lambda some: tuple(sorted(some))),
    ratio=st.none() | ratios,
)
calibrations = st.builds(
    Calibration,
    date=st.just("2026-05-04T03:02:01+02:00"),
    encoder=st.text(max_size=9),
    revision=st.integers(0, 99),
    objects=st.integers(1, 10**6),
    sources=st.dictionaries(st.sampled_from(["labelled", "exemplars", "simulated"]), st.integers(0, 99)),
    copies=st.integers(0, 99),
    match=thresholds,
    combined=measurements,
    whole=measurements,
    number=st.none() | st.integers(1, 99),
)


@given(calibrations, st.integers(1, 99))
@settings(deadline=None)
def test_a_calibration_comes_back_from_json_as_it_was(calibration, number):
    text = json.dumps(calibration.as_dict(), allow_nan=False)
    assert Calibration.from_dict(json.loads(text), number=number) == replace(calibration, number=number)
    assert "number" not in json.loads(text)


def example(**changed: object) -> Calibration:
    ratio = LikelihoodRatio(1.0, -2.0, 12, 13, 0.5, 0.4)
    combined = CalibratedDistance(Threshold(0.4, 0.05, 2, 0.95), (0.1, 0.2), ratio)
    whole = CalibratedDistance(Threshold(0.8, 0.1, 3, 0.95, 0.05), (0.3, 0.4, 0.5))
    match = Threshold(0.6, 0.01, 300, 0.95)
    sources = {"labelled": 3, "exemplars": 0, "simulated": 0}
    values = ("2026-05-04T03:02:01+02:00", "encoder-1", 7, 10, sources, 4, match, combined, whole)
    return replace(Calibration(*values), **changed)


def test_each_threshold_is_that_of_its_distance():
    found = example().thresholds
    assert (found.match.value, found.authenticity.value, found.combined.value) == (0.6, 0.8, 0.4)
    assert found.authenticity.asked == 0.05


def test_what_a_calibration_is_made_of_survives_json():
    back = Calibration.from_dict(json.loads(json.dumps(example().as_dict())), number=3)
    assert back == example(number=3)
    assert isinstance(back.combined.genuine, tuple) and back.combined.ratio(0.5) == 1.0
    assert back.whole.p_value(0.45) == 0.5 and back.whole.ratio is None


@pytest.mark.parametrize(
    ("then", "now", "old"),
    [(10, 10, False), (10, 12, False), (10, 8, False), (10, 13, True), (10, 7, True), (5, 6, False), (5, 7, True),
     (100, 120, False), (100, 121, True), (100, 80, False), (100, 79, True), (15, 18, False), (35, 42, False)],
)  # fmt: skip
def test_a_calibration_is_out_of_date_when_the_catalogue_has_changed_by_more_than_a_fifth(then, now, old):
    assert MOST_GROWTH == 0.2
    said = example(objects=then).out_of_date("encoder-1", now)
    assert said == (f"the catalogue had {then} objects then and has {now} now" if old else None)


def test_a_calibration_is_out_of_date_with_another_encoder():
    said = example(objects=10).out_of_date("encoder-2", 99)
    assert said == "it was made with the encoder encoder-1, not encoder-2"
