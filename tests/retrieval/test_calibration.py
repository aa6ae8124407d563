"""Thresholds against a plain count, and the rates that they promise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.statistics.calibration import authenticity_threshold, match_threshold

distances = st.lists(st.floats(0, 2), max_size=130).map(lambda values: np.array(values, np.float64))
rates = st.sampled_from([0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5])


def allowed(count: int, rate: float) -> int:
    """Return how many of count + 1 cases are at most the share `rate`, by counting in whole numbers."""
    percent = round(100 * rate)
    return max(r for r in range(count + 2) if 100 * r <= percent * (count + 1))


@given(distances, rates)
def test_thresholds_are_those_of_a_plain_count(values, rate):
    low, high = match_threshold(values, rate=rate), authenticity_threshold(values, rate=rate)
    rank, ordered = allowed(len(values), rate), sorted(values.tolist())
    assert low.value == (ordered[rank - 1] if rank else None)
    assert high.value == (ordered[len(values) - rank] if rank else None)
    assert (low.count, low.rate, high.count, high.rate) == (len(values), rate, len(values), rate)


@pytest.mark.parametrize(
    ("count", "lowest", "highest"),
    [(0, None, None), (1, None, None), (18, None, None), (19, 0, 18), (38, 0, 37), (39, 1, 37), (99, 4, 94)],
)
def test_ranks_at_five_in_a_hundred(count, lowest, highest):
    values = np.random.default_rng(0).permutation(count).astype(np.float64)
    assert match_threshold(values, rate=0.05).value == lowest
    assert authenticity_threshold(values, rate=0.05).value == highest


@given(rates)
def test_as_many_objects_as_are_said_to_be_needed_are_enough_and_one_less_is_not(rate):
    needed = match_threshold(np.empty(0), rate=rate).needed
    assert match_threshold(np.ones(needed), rate=rate).value == 1.0
    assert match_threshold(np.ones(needed - 1), rate=rate).value is None


@pytest.mark.parametrize("count", [19, 20, 38, 39, 100])
@pytest.mark.parametrize("draw", ["exponential", "normal", "uniform"])
def test_the_promised_rates_hold_over_many_catalogues(count, draw):
    """The bound is floor(0.05 (n + 1)) / (n + 1), and it is reached for continuous distances."""
    random = np.random.default_rng([count, len(draw)])
    runs = 4000
    samples, probes = getattr(random, draw)(size=(runs, count)), getattr(random, draw)(size=runs)
    pairs = list(zip(samples, probes, strict=True))
    below = np.mean([probe <= match_threshold(sample).value for sample, probe in pairs])
    above = np.mean([probe > authenticity_threshold(sample).value for sample, probe in pairs])
    promise = allowed(count, 0.05) / (count + 1)
    error = 4 * np.sqrt(promise * (1 - promise) / runs)
    assert promise <= 0.05
    assert below == pytest.approx(promise, abs=error)
    assert above == pytest.approx(promise, abs=error)
