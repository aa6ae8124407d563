"""The projection in closed form: discriminants of scikit-learn, white within objects, and objects told apart better."""

import numpy as np
import pytest

from indexer.metric_learning.whitening import SHRINKAGE, discriminative_whitening
from tests.conftest import unit

PER = {"as many": 4, "uneven": np.resize([1, 2, 3, 9], 120)}  # photographs of each object
SIZE, TELLING, SHIFTING = 24, 8, 6  # directions in which objects differ, and those in which photographs of one do


def photographs(count: int, per: int | np.ndarray, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return features of objects, float32, whose photographs lie far apart in directions that tell nothing."""
    random = np.random.default_rng(seed)
    means = np.zeros((count, SIZE))
    means[:, :TELLING] = random.standard_normal((count, TELLING)) * np.linspace(1.5, 0.8, TELLING)
    objects = np.repeat(np.arange(count) * 10, per)
    spread = np.full(SIZE, 0.2)
    spread[TELLING : TELLING + SHIFTING] = 3.0
    noise = random.standard_normal((len(objects), SIZE)) * spread
    turned = np.linalg.qr(np.random.default_rng(99).standard_normal((SIZE, SIZE)))[0]
    return ((means[objects // 10] + noise) @ turned + 5.0).astype(np.float32), objects


def recall_at_1(vectors: np.ndarray, objects: np.ndarray) -> float:
    similarity = unit(vectors) @ unit(vectors).T
    np.fill_diagonal(similarity, -np.inf)
    return float((objects[similarity.argmax(axis=1)] == objects).mean())


def scatter_within(vectors: np.ndarray, objects: np.ndarray) -> np.ndarray:
    """Return the covariance of photographs about the mean of their object, by a plain loop."""
    total, numbers = np.zeros((vectors.shape[1],) * 2), sorted(set(objects.tolist()))
    for number in numbers:
        own = vectors[objects == number].astype(np.float64)
        for row in own:
            off = row - own.mean(axis=0)
            total += np.outer(off, off)
    return total / (len(vectors) - len(numbers))


@pytest.mark.parametrize("dim", [1, 5, SIZE])
@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_shapes_and_kinds_of_numbers(dim, kind):
    features, objects = photographs(40, 3)
    given = features.astype(kind)
    before = given.copy()
    weight, bias = discriminative_whitening(given, objects, dim)
    assert weight.shape == (dim, SIZE) and bias.shape == (dim,)
    assert weight.dtype == bias.dtype == np.float32
    assert np.isfinite(weight).all() and np.isfinite(bias).all() and np.array_equal(given, before)


def test_the_directions_are_the_discriminants_of_scikit_learn():
    features, objects = photographs(40, 4)
    weight, _ = discriminative_whitening(features, objects, TELLING, shrinkage=0.0)
    analysis = pytest.importorskip("sklearn.discriminant_analysis")
    wanted = analysis.LinearDiscriminantAnalysis(solver="eigen").fit(features.astype(np.float64), objects)
    alike = np.abs(np.sum(unit(weight) * unit(wanted.scalings_[:, :TELLING].T), axis=1))
    np.testing.assert_allclose(alike, 1.0, atol=1e-4)


@pytest.mark.parametrize("shrinkage", [0.0, SHRINKAGE, 2.0])
@pytest.mark.parametrize("per", PER.values(), ids=PER.keys())
def test_the_directions_are_those_of_a_plain_loop(shrinkage, per):
    eigh = pytest.importorskip("scipy.linalg").eigh
    features, objects = photographs(120, per)
    weight, _ = discriminative_whitening(features, objects, TELLING, shrinkage=shrinkage)
    within, between = scatter_within(features, objects), np.zeros((SIZE, SIZE))
    within += shrinkage * np.diag(within).mean() * np.eye(SIZE)
    for number in set(objects.tolist()):  # every object counts as one, however many photographs it has
        off = features[objects == number].astype(np.float64).mean(axis=0) - features.astype(np.float64).mean(axis=0)
        between += np.outer(off, off)
    _, directions = eigh(between, within)
    alike = np.abs(np.sum(unit(weight) * unit(directions[:, ::-1][:, :TELLING].T), axis=1))
    np.testing.assert_allclose(alike, 1.0, atol=1e-4)


def test_the_order_of_the_photographs_and_the_names_of_the_objects_change_nothing():
    features, objects = photographs(30, 4)
    order = np.random.default_rng(1).permutation(len(objects))
    one, other = (
        discriminative_whitening(features[rows], names[rows], 6)
        for rows, names in ((np.arange(len(order)), objects), (order, 1000 - 7 * objects))
    )
    turn = np.sign(np.sum(one[0] * other[0], axis=1))  # a direction may come out the other way round
    np.testing.assert_allclose(one[0], other[0] * turn[:, None], atol=1e-5)
    np.testing.assert_allclose(one[1], other[1] * turn, atol=1e-4)


def test_the_mean_falls_on_zero_and_lengths_are_about_one():
    features, objects = photographs(50, 4)
    weight, bias = discriminative_whitening(features, objects, 10)
    projected = features.astype(np.float64) @ weight.T + bias
    np.testing.assert_allclose(projected.mean(axis=0), 0.0, atol=1e-4)
    assert np.sqrt((projected**2).sum(axis=1).mean()) == pytest.approx(1.0, abs=1e-3)


def test_without_shrinkage_objects_are_white_within():
    features, objects = photographs(60, 5)
    weight, bias = discriminative_whitening(features, objects, TELLING, shrinkage=0.0)
    within = scatter_within(features @ weight.T + bias, objects)
    across = np.sqrt(np.diag(within))
    np.testing.assert_allclose(within / np.outer(across, across), np.eye(TELLING), atol=2e-3)
    before = np.linalg.eigvalsh(scatter_within(features, objects))
    assert before[-1] > 50 * before[0]


def test_the_spread_between_objects_is_evened_out_half_way():
    features, objects = photographs(60, 5)
    weight, bias = discriminative_whitening(features, objects, TELLING, shrinkage=0.0)
    projected = features.astype(np.float64) @ weight.T + bias
    means = np.stack([projected[objects == number].mean(axis=0) for number in np.unique(objects)])
    within = np.diag(scatter_within(projected, objects))
    # white, the spread would be s; divided by the root of its standard deviation, within is s^-1/2 and between s^1/2
    spread = (means**2).mean(axis=0)
    white = spread / within
    assert (np.diff(white) < 0).all() and white[0] > 1.5 * white[-1]
    np.testing.assert_allclose(spread / spread[0], np.sqrt(white / white[0]), rtol=1e-3)


@pytest.mark.parametrize("per", PER.values(), ids=PER.keys())
def test_other_objects_are_told_apart_better(per):
    features, objects = photographs(120, per)
    weight, bias = discriminative_whitening(features, objects, TELLING)
    others, names = photographs(80, 4, seed=7)
    before = recall_at_1(others - features.mean(axis=0), names)
    assert before < 0.3
    assert recall_at_1(others @ weight.T + bias, names) > 0.85


@pytest.mark.parametrize("dim", [6, SIZE])
def test_more_directions_than_objects_tell_nothing_more(dim):
    features, objects = photographs(6, 8)
    weight, bias = discriminative_whitening(features, objects, 5)  # six means span five directions
    more, shift = discriminative_whitening(features, objects, dim)
    assert more.shape == (dim, SIZE) and not more[5:].any() and not shift[5:].any()
    np.testing.assert_allclose(more[:5], weight, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(shift[:5], bias, rtol=1e-4, atol=1e-5)
    others, names = photographs(80, 4, seed=7)
    assert recall_at_1(others @ more.T + shift, names) == recall_at_1(others @ weight.T + bias, names)


def test_objects_seen_once_still_give_a_projection():
    features, objects = photographs(40, 1)
    weight, bias = discriminative_whitening(features, objects, 5)
    _, vectors = np.linalg.eigh(np.cov(features.T.astype(np.float64)))  # the principal components are left
    alike = np.abs(np.sum(unit(weight) * unit(vectors[:, ::-1][:, :5].T), axis=1))
    np.testing.assert_allclose(alike, 1.0, atol=1e-3)
    assert np.isfinite(bias).all()


def test_few_objects_fill_all_directions_by_each_photograph():
    features, objects = photographs(6, 40)
    weight, bias = discriminative_whitening(features, objects, TELLING, each_photograph=True)
    projected = features.astype(np.float64) @ weight.T + bias
    assert (projected.std(axis=0) > 0.01 * projected.std()).all()
    np.testing.assert_allclose(projected.mean(axis=0), 0.0, atol=1e-4)
