"""Conformal p-values against a plain count, and what bets against them make."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.statistics.martingale import JUMPS, LEVEL, POWERS, conformal_p_values, evidence

distances = st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.4]), max_size=12)


@given(distances, distances)
def test_p_values_are_those_of_a_plain_count_among_all_that_came_before(calibrated, later):
    found = list(conformal_p_values(calibrated, later))
    for number, (distance, p_value) in enumerate(zip(later, found, strict=True)):
        before = [*calibrated, *later[:number]]
        assert p_value == (1 + sum(other >= distance for other in before)) / (len(before) + 1)


def test_evidence_is_the_most_that_the_bets_ever_made():
    p_values, capital, most = [0.02, 0.3, 0.9, 0.9], np.full(len(POWERS), 1 / len(POWERS)), 1.0
    for p_value in p_values:
        capital = (1 - JUMPS) * capital + JUMPS * capital.sum() / len(POWERS)
        capital = capital * [power * p_value ** (power - 1) for power in POWERS]
        most = max(most, capital.sum())
    assert evidence(p_values) == pytest.approx(most) and evidence(p_values) > capital.sum()
    assert evidence([]) == evidence([1.0] * 9) == 1.0


@pytest.mark.parametrize("power", POWERS)
def test_a_bet_pays_its_stake_on_the_average(power):
    middles = (np.arange(1_000_000) + 0.5) / 1_000_000
    assert (power * middles ** (power - 1)).mean() == pytest.approx(1.0, abs=0.03)


def test_exchangeable_distances_reach_the_level_at_most_once_in_a_hundred():
    random, raised = np.random.default_rng(0), 0
    for _ in range(600):
        drawn = random.gamma(4, 0.1, 260)
        raised += evidence(conformal_p_values(drawn[:60], drawn[60:])) >= LEVEL
    assert raised <= 12  # of 600 at a rate of 1/100; more with a chance below 1 %


def test_distances_that_lie_farther_are_found_out_soon_however_late_they_come():
    random = np.random.default_rng(0)
    for before in (0, 300):
        drawn = [*random.gamma(4, 0.1, before), *(1.6 * random.gamma(4, 0.1, 60))]
        assert evidence(conformal_p_values(random.gamma(4, 0.1, 100), drawn)) >= LEVEL
