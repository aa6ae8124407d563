"""Likelihood ratios: the line, its cost and its bounds against scikit-learn, a plain loop, and hand-worked cases."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from retrieval.statistics import likelihood
from retrieval.statistics.likelihood import (
    FEWEST,
    RIDGE,
    SCALE,
    LikelihoodRatio,
    cllr,
    cllr_min,
    fit_ratio,
    isotonic,
    object_weights,
    words,
)

LINE = LikelihoodRatio(intercept=3.0, slope=-10.0, genuine=10**6, copies=10**6, cllr=0.5, cllr_min=0.4)


def names(kind: str, count: int) -> list[str]:
    return [f"{kind}{number}" for number in range(count)]


def drawn(
    seed: int, count: int = 40, *, genuine: float = 0.3, copies: float = 0.5, photos: int = 1
) -> tuple[np.ndarray, list[str], np.ndarray, list[str]]:
    """Return what `fit_ratio` takes: normal distances around two means, up to so many photographs of each object."""
    random = np.random.default_rng(seed)
    found: list = []
    for kind, mean in (("genuine", genuine), ("copy", copies)):
        objects = np.repeat(names(kind, count), random.integers(1, photos + 1, count)).tolist()
        found += [random.normal(mean, 0.1, len(objects)), objects]
    return tuple(found)


@st.composite
def scored(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores with many ties, labels of both kinds, and weights."""
    rows = draw(
        st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.2, 0.5, 1.0]), st.booleans(), st.floats(0.05, 5)), min_size=2)
    )
    scores, labels, weights = (np.array(column, float) for column in zip(*rows, strict=True))
    assume(0 < labels.sum() < len(labels))
    return scores, labels, weights


# Isotonic regression


@given(scored())
@settings(deadline=None)
def test_pooled_means_are_those_of_scikit_learn(rows):
    scores, labels, weights = rows
    theirs = IsotonicRegression(y_min=0, y_max=1).fit_transform(scores, labels, sample_weight=weights)
    assert isotonic(scores, labels, weights) == pytest.approx(theirs, abs=1e-9)


@given(st.lists(st.tuples(st.floats(-3, 3), st.floats(0, 1), st.floats(0.1, 9)), min_size=1, max_size=60))
@settings(deadline=None)
def test_pooled_means_of_any_values_are_those_of_scikit_learn(rows):
    scores, values, weights = (np.array(column) for column in zip(*rows, strict=True))
    scores = scores.round(2)  # scikit-learn takes scores that differ by less than 1e-15 for equal
    theirs = IsotonicRegression().fit_transform(scores, values, sample_weight=weights)
    ours = isotonic(scores, values, weights)
    assert ours == pytest.approx(theirs, abs=1e-9)
    assert (np.diff(ours[np.argsort(scores)]) >= 0).all()


def test_pooled_means_by_hand():
    scores, values = np.array([3.0, 1.0, 2.0, 2.0, 4.0]), np.array([0.0, 0.0, 1.0, 0.0, 1.0])
    assert isotonic(scores, values, np.ones(5)) == pytest.approx([1 / 3, 0, 1 / 3, 1 / 3, 1])
    assert isotonic(scores, values, np.array([2.0, 1, 1, 1, 1])) == pytest.approx([1 / 4, 0, 1 / 4, 1 / 4, 1])


# The cost


def plain_cost(log_ratios: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> float:
    sums, totals = {0: 0.0, 1: 0.0}, {0: 0.0, 1: 0.0}
    for log_ratio, label, weight in zip(log_ratios, labels, weights, strict=True):
        ratio = 10.0**log_ratio
        sums[int(label)] += weight * math.log2(1 + (1 / ratio if label else ratio))
        totals[int(label)] += weight
    return (sums[0] / totals[0] + sums[1] / totals[1]) / 2


def test_cost_by_hand():
    """Genuine at ratios 1 and 3 cost 1 and log2(4/3) bits, a copy at 1/3 costs log2(4/3)."""
    log_ratios, labels = np.log10([1.0, 3.0, 1 / 3]), np.array([1.0, 1.0, 0.0])
    small = math.log2(4 / 3)
    assert cllr(log_ratios, labels, np.ones(3)) == pytest.approx(((1 + small) / 2 + small) / 2)
    assert cllr(log_ratios, labels, np.array([3.0, 1.0, 1.0])) == pytest.approx(((3 + small) / 4 + small) / 2)


@given(scored(), st.lists(st.floats(-7, 7), min_size=1))
@settings(deadline=None)
def test_cost_equals_a_plain_loop(rows, log_ratios):
    _, labels, weights = rows
    ratios = np.resize(log_ratios, len(labels))
    assert cllr(ratios, labels, weights) == pytest.approx(plain_cost(ratios, labels, weights))


@given(scored(), st.floats(0.1, 50))
@settings(deadline=None)
def test_ratios_of_one_cost_a_bit_and_only_shares_of_the_weights_count(rows, factor):
    scores, labels, weights = rows
    assert cllr(np.zeros(len(labels)), labels, weights) == pytest.approx(1.0)
    more = np.where(labels > 0, factor, 1.0) * weights
    assert cllr(scores, labels, more) == pytest.approx(cllr(scores, labels, weights))
    assert cllr_min(scores, labels, more) == pytest.approx(cllr_min(scores, labels, weights))


def test_right_ratios_cost_little_and_wrong_ones_much():
    labels = np.array([1.0, 1.0, 0.0])
    right = np.array([6.0, 6.0, -6.0])
    assert 0 < cllr(right, labels, np.ones(3)) < 1e-5
    assert cllr(-right, labels, np.ones(3)) == pytest.approx(6 * math.log2(10), rel=1e-4)
    assert cllr(right * math.inf, labels, np.ones(3)) == 0
    assert cllr_min(right, labels, np.ones(3)) == 0
    assert cllr_min(-right, labels, np.ones(3)) == pytest.approx(1.0)


@given(scored())
@settings(deadline=None)
def test_no_ratios_that_rise_with_the_scores_cost_less_than_the_best(rows):
    scores, labels, weights = rows
    least = cllr_min(scores, labels, weights)
    assert -1e-9 <= least <= 1 + 1e-9
    for scale, shift in itertools.product((0.0, 0.5, 2.0, 20.0), (-1.0, -0.3, 0.0, 0.7)):
        assert least <= cllr(scale * scores + shift, labels, weights) + 1e-9


@given(scored())
@settings(deadline=None)
def test_the_least_cost_is_that_of_scikit_learns_isotonic_regression(rows):
    """With both kinds weighing the same, the chance of being genuine is ratio / (1 + ratio)."""
    scores, labels, weights = rows
    balanced = weights / np.where(labels > 0, weights[labels > 0].sum(), weights[labels == 0].sum())
    chance = IsotonicRegression(y_min=0, y_max=1).fit_transform(scores, labels, sample_weight=balanced)
    right = np.where(labels > 0, chance, 1 - chance)
    assert cllr_min(scores, labels, weights) == pytest.approx(float(-(balanced * np.log2(right)).sum() / 2), abs=1e-9)


# Objects


@given(st.lists(st.sampled_from("abcdefgh"), min_size=1))
def test_every_object_weighs_the_same_whatever_its_photographs(objects):
    weights = object_weights(objects)
    assert weights.sum() == pytest.approx(len(set(objects)))
    for name in set(objects):
        assert sum(weight for weight, of in zip(weights, objects, strict=True) if of == name) == pytest.approx(1.0)
        assert len({weight for weight, of in zip(weights, objects, strict=True) if of == name}) == 1


@pytest.mark.parametrize("times", [2, 9])
def test_photographs_of_one_object_that_say_the_same_change_nothing(times):
    genuine, genuine_objects, copies, copy_objects = drawn(1, 20)
    once = fit_ratio(genuine, genuine_objects, copies, copy_objects)
    again = fit_ratio(
        np.concatenate([genuine, np.repeat(genuine[:1], times)]), genuine_objects + genuine_objects[:1] * times,
        np.concatenate([copies, np.repeat(copies[4:5], times)]), copy_objects + copy_objects[4:5] * times,
    )  # fmt: skip
    for name in LikelihoodRatio.__slots__:
        assert getattr(again, name) == pytest.approx(getattr(once, name), rel=1e-6), name


@pytest.mark.parametrize(("genuine", "copies"), [(0, 30), (30, 0), (FEWEST - 1, 30), (30, FEWEST - 1)])
def test_too_few_objects_of_a_kind_give_no_ratio(genuine, copies):
    """However many photographs there are of them."""
    found = []
    for kind, count in (("genuine", genuine), ("copy", copies)):
        objects = 5 * names(kind, count)
        found += [np.linspace(0.1, 0.5, len(objects)), objects]
    assert fit_ratio(*found) is None


def test_just_enough_objects_of_both_kinds_give_one():
    found = fit_ratio(*drawn(0, FEWEST, photos=3))
    assert found is not None and (found.genuine, found.copies) == (FEWEST, FEWEST)


# The line


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("photos", [1, 5])
def test_the_line_is_that_of_scikit_learns_logistic_regression(seed, photos):
    """On standardised distances, every object weighing the same and each kind half of all."""
    genuine, genuine_objects, copies, copy_objects = drawn(seed, 30 + seed, copies=0.45, photos=photos)
    found = fit_ratio(genuine, genuine_objects, copies, copy_objects)
    labels = np.repeat([1, 0], [len(genuine), len(copies)])
    weights = np.concatenate([object_weights(genuine_objects), object_weights(copy_objects)])
    weights = weights / np.where(labels > 0, weights[labels > 0].sum(), weights[labels == 0].sum()) / 2 * weights.sum()
    distances = np.concatenate([genuine, copies])
    centre = np.average(distances, weights=weights)
    spread = np.sqrt(np.average((distances - centre) ** 2, weights=weights)) if photos > 1 else distances.std()
    theirs = LogisticRegression(C=1 / RIDGE, tol=1e-12, max_iter=10_000)
    theirs.fit(((distances - centre) / spread)[:, None], labels, sample_weight=weights)
    slope = theirs.coef_.item() / spread
    # the ridge hangs on the spread, which may be taken in several ways: with several photographs, to a hundredth
    close = 1e-5 if photos == 1 else 1e-2
    assert found.slope == pytest.approx(slope / math.log(10), rel=close)
    assert found.intercept == pytest.approx((theirs.intercept_.item() - slope * centre) / math.log(10), rel=close)


def test_a_ratio_is_that_of_the_densities_where_those_are_known():
    """Of normal distances with one deviation the logarithm of the ratio is a line, its zero half-way."""
    found = fit_ratio(*drawn(5, 4000, genuine=0.3, copies=0.5))
    slope = -0.2 / 0.1**2 / math.log(10)
    assert found.slope == pytest.approx(slope, rel=0.06)
    assert -found.intercept / found.slope == pytest.approx(0.4, abs=0.005)
    assert found.cllr == pytest.approx(found.cllr_min, abs=0.02)


@given(
    st.lists(st.floats(0, 2), min_size=FEWEST, max_size=25),
    st.lists(st.floats(0, 2), min_size=FEWEST, max_size=25),
    st.lists(st.floats(0, 2), min_size=2),
)
@settings(deadline=None)
def test_a_ratio_never_rises_with_the_distance_and_stays_within_its_counts(genuine, copies, probes):
    found = fit_ratio(np.array(genuine), names("g", len(genuine)), np.array(copies), names("c", len(copies)))
    ratios = [found(distance) for distance in sorted(probes)]
    assert all(one >= other for one, other in itertools.pairwise(ratios))
    assert max(ratios) <= (len(copies) + 1) * (1 + 1e-12) and min(ratios) >= (1 - 1e-12) / (len(genuine) + 1)
    assert math.isfinite(found.cllr) and math.isfinite(found.cllr_min)


def test_far_out_a_ratio_is_all_that_the_counts_can_carry():
    found = fit_ratio(*drawn(2, 12)[:2], *drawn(3, 25)[2:])
    assert (found.genuine, found.copies) == (12, 25)
    assert found(0.0) == pytest.approx(26) and found(2.0) == pytest.approx(1 / 13)
    assert 1 / 13 < found(0.42) < 26


@pytest.mark.parametrize("seed", range(3))
def test_copies_that_lie_no_farther_say_nothing_at_any_distance(seed):
    found = fit_ratio(*drawn(seed, 50, genuine=0.5, copies=0.3))
    assert found.slope == 0
    assert [found(distance) for distance in (0.0, 0.3, 0.5, 2.0)] == [1, 1, 1, 1]
    assert found.cllr == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("count", [14, 15, 20, 22, 38])
def test_distances_that_are_all_the_same_say_nothing(count):
    found = fit_ratio(np.full(count, 0.1), names("g", count), np.full(count + 1, 0.1), names("c", count + 1))
    assert [found(distance) for distance in (0.0, 0.1, 0.2)] == pytest.approx([1, 1, 1])
    assert found.cllr == pytest.approx(1) and found.cllr_min == pytest.approx(1)


@pytest.mark.parametrize("gap", [1e-6, 0.01, 1.0])
def test_perfectly_separable_distances_do_not_blow_up(gap):
    genuine = np.linspace(0.2, 0.3, 15)
    copies = genuine + 0.1 + gap
    found = fit_ratio(genuine, names("g", 15), copies, names("c", 15))
    assert math.isfinite(found.slope) and found.slope < 0
    middle = (genuine.mean() + copies.mean()) / 2
    assert found(middle) == pytest.approx(1, rel=0.01)
    assert 1 <= found(genuine.max()) <= 16 and 1 / 16 <= found(copies.min()) <= 1
    assert found.cllr_min == 0 and 0 < found.cllr < 0.5


def test_the_same_data_give_the_same_ratio_again():
    assert fit_ratio(*drawn(6, photos=4)) == fit_ratio(*drawn(6, photos=4))


# Cost on objects left out


def test_the_cost_of_a_good_ratio_lies_between_the_least_cost_and_one():
    found = fit_ratio(*drawn(7, 60, photos=3))
    assert found.cllr_min < found.cllr < 0.6


def test_the_cost_is_taken_on_objects_that_the_line_was_not_fitted_on():
    """Each object lies at its own distance, its label is a coin: what was learned of it must not help."""
    costs = []
    for seed in range(10):
        random = np.random.default_rng(seed)
        labels = np.arange(24) % 2
        distances = np.repeat(random.uniform(0.2, 0.6, 24)[:, None], 8, axis=1)
        objects = np.repeat(names("o", 24), 8).reshape(24, 8)
        genuine, copies = labels == 1, labels == 0
        found = fit_ratio(
            distances[genuine].ravel(), objects[genuine].ravel().tolist(),
            distances[copies].ravel(), objects[copies].ravel().tolist(),
        )  # fmt: skip
        costs.append(found.cllr)
    assert np.mean(costs) > 0.98


def test_an_object_is_left_out_with_its_genuine_photographs_and_its_copies(monkeypatch):
    """No line is fitted on a photograph of one of the objects that it is tried on; each object is left out once."""
    genuine, objects, copies, copy_objects = drawn(8, 25, photos=4)
    copy_objects = [name.replace("copy", "genuine") for name in copy_objects]
    owners = dict(zip([*genuine.tolist(), *copies.tolist()], [*objects, *copy_objects], strict=True))
    left_out = []

    def fit(distances: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
        left_out.append({owners[distance] for distance in set(owners) - set(distances.tolist())})
        assert not left_out[-1] & {owners[distance] for distance in distances.tolist()}
        return 0.0, 0.0

    monkeypatch.setattr(likelihood, "_fit", fit)
    fit_ratio(genuine, objects, copies, copy_objects)
    assert sorted(name for some in left_out for name in some) == sorted(set(objects))
    assert sorted(map(len, left_out)) == [0, *[2] * 5, *[3] * 5]


# Words


@pytest.mark.parametrize(("least", "strength"), SCALE)
def test_words_at_the_edges_of_the_scale_on_both_sides(least, strength):
    assert words(least) == f"{strength} support for a genuine photograph of it"
    assert words(1 / least) == f"{strength} support for a photograph of a copy of it"
    assert words(least * 0.999) != words(least) and words(1 / (least * 0.999)) != words(1 / least)


@pytest.mark.parametrize("ratio", [0.51, 0.9, 1.0, 1.5, 1.99])
def test_a_ratio_near_one_supports_neither(ratio):
    assert words(ratio) == "no support for either"


def test_the_scale_in_words():
    said = [words(ratio).split(" support")[0] for ratio in (1.5, 2, 10, 100, 1000, 10_000, 10**6)]
    assert said == ["no", "weak", "moderate", "moderately strong", "strong", "very strong", "extremely strong"]


def test_the_line_itself_within_the_bounds():
    assert LINE(0.3) == pytest.approx(1) and LINE(0.2) == pytest.approx(10) and LINE(0.5) == pytest.approx(0.01)
