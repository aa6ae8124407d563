"""Losses against plain loops over pairs, against pytorch-metric-learning, and their gradients."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="needs the extra train")

from indexer.metric_learning.losses import (  # noqa: E402
    NEAREST,
    contrastive_loss,
    distances,
    koleo_loss,
    mean_distance,
    multi_similarity_loss,
    supervised_contrastive_loss,
    triplet_loss,
)
from indexer.metric_learning.mining import batch_all, relations  # noqa: E402

# three genuine photos and a forgery of object 0, two and two of object 1, one genuine photo of object 2
OBJECTS = torch.tensor([0, 0, 0, 0, 1, 1, 1, 1, 2])
GENUINE = torch.tensor([True, True, True, False, True, True, False, False, True])
POSITIVE = {(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1), (4, 5), (5, 4)}
NEITHER = {(6, 7), (7, 6)} | {(row, row) for row in range(9)}
NEGATIVE = {(row, other) for row in range(9) for other in range(9)} - POSITIVE - NEITHER
MASKS = relations(OBJECTS, GENUINE)


def batch(seed: int = 0, *, dim: int = 6, dtype=None) -> "torch.Tensor":
    """Return nine unit vectors."""
    vectors = torch.randn(9, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return torch.nn.functional.normalize(vectors, dim=1).to(dtype or torch.float32)


def plain_distances(vectors) -> list[list[float]]:
    rows = vectors.double().tolist()
    return [[math.dist(one, other) for other in rows] for one in rows]


def plain_similarities(vectors) -> list[list[float]]:
    rows = vectors.double().tolist()
    return [[sum(a * b for a, b in zip(one, other, strict=True)) for other in rows] for one in rows]


def triplets_of(vectors):
    """Return the distances of all triplets to their positives and negatives."""
    distance = distances(vectors)
    triplets = batch_all(distance, *MASKS)
    return distance[triplets.anchors, triplets.positives], distance[triplets.anchors, triplets.negatives]


def pairs_of(vectors):
    """Return the distances of all pairs that are positive or negative, and which they are."""
    positive, negative = MASKS
    return distances(vectors)[positive | negative], positive[positive | negative]


LOSSES = {
    "contrastive": lambda vectors: contrastive_loss(*pairs_of(vectors), margin=1.2),
    "triplet": lambda vectors: triplet_loss(*triplets_of(vectors), margin=0.3),
    "soft triplet": lambda vectors: triplet_loss(*triplets_of(vectors), margin=None),
    "koleo": lambda vectors: koleo_loss(vectors, MASKS[1]),
    "supervised contrastive": lambda vectors: supervised_contrastive_loss(vectors, *MASKS),
    "multi-similarity": lambda vectors: multi_similarity_loss(vectors, *MASKS),
}
each_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES.keys())


def plain_contrastive(vectors) -> tuple[float, float]:
    distance = plain_distances(vectors)
    terms = [distance[a][b] ** 2 / 2 for a, b in sorted(POSITIVE)]
    terms += [max(0.0, 1.2 - distance[a][b]) ** 2 / 2 for a, b in sorted(NEGATIVE)]
    return sum(terms) / len(terms), sum(term > 0 for term in terms) / len(terms)


def plain_triplets(vectors) -> list[float]:
    distance = plain_distances(vectors)
    return [distance[a][p] - distance[a][n] for a, p in sorted(POSITIVE) for b, n in sorted(NEGATIVE) if a == b]


def plain_triplet(vectors) -> tuple[float, float]:
    terms = [max(0.0, excess + 0.3) for excess in plain_triplets(vectors)]
    return sum(terms) / len(terms), sum(term > 0 for term in terms) / len(terms)


def plain_soft_triplet(vectors) -> tuple[float, float]:
    excesses = plain_triplets(vectors)
    value = sum(math.log(1 + math.exp(excess)) for excess in excesses) / len(excesses)
    return value, sum(excess >= 0 for excess in excesses) / len(excesses)


def plain_koleo(vectors) -> tuple[float, float]:
    distance = plain_distances(vectors)
    nearest = [min(distance[a][b] for c, b in NEGATIVE if c == a) for a in range(9)]
    return -sum(math.log(value + NEAREST) for value in nearest) / 9, 1.0


def plain_supervised(vectors) -> tuple[float, float]:
    score = [[value / 0.1 for value in row] for row in plain_similarities(vectors)]
    terms = []
    for anchor in (0, 1, 2, 4, 5):
        whole = sum(math.exp(score[anchor][other]) for a, other in POSITIVE | NEGATIVE if a == anchor)
        logs = [score[anchor][other] - math.log(whole) for a, other in POSITIVE if a == anchor]
        terms.append(-sum(logs) / len(logs))
    return sum(terms) / len(terms), 1.0


def plain_multi_similarity(vectors) -> tuple[float, float]:
    similarity, total, active = plain_similarities(vectors), 0.0, 0
    for anchor in (0, 1, 2, 4, 5):
        positives = [similarity[a][b] for a, b in POSITIVE if a == anchor]
        negatives = [similarity[a][b] for a, b in NEGATIVE if a == anchor]
        near = [value for value in negatives if value + 0.1 > min(positives)]
        far = [value for value in positives if value - 0.1 < max(negatives)]
        total += math.log(1 + sum(math.exp(-2.0 * (value - 0.5)) for value in far)) / 2.0
        total += math.log(1 + sum(math.exp(50.0 * (value - 0.5)) for value in near)) / 50.0
        active += bool(near or far)
    return total / 5, active / 5


PLAIN = (
    plain_contrastive,
    plain_triplet,
    plain_soft_triplet,
    plain_koleo,
    plain_supervised,
    plain_multi_similarity,
)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("loss", "plain"), list(zip(LOSSES.values(), PLAIN, strict=True)), ids=LOSSES.keys())
def test_a_loss_is_that_of_a_plain_loop(loss, plain, seed):
    found = loss(batch(seed, dtype=torch.float64))
    value, active = plain(batch(seed, dtype=torch.float64))
    assert float(found.value) == pytest.approx(value, rel=1e-9)
    assert float(found.active) == pytest.approx(active, rel=1e-6)  # a count, in single precision


def test_the_pairs_of_the_plain_loops_are_those_of_the_masks():
    for mask, pairs in zip(MASKS, (POSITIVE, NEGATIVE), strict=True):
        assert set(map(tuple, mask.nonzero().tolist())) == pairs


def test_some_losses_on_paper():
    pairs = torch.tensor([0.6, 0.2, 1.5]), torch.tensor([1, 0, 0])
    found = contrastive_loss(*pairs, margin=1.0)
    assert float(found.value) == pytest.approx((0.18 + 0.32 + 0.0) / 3)
    assert float(found.active) == pytest.approx(2 / 3)
    near, far = torch.tensor([0.5, 0.5]), torch.tensor([0.6, 1.0])
    found = triplet_loss(near, far, margin=0.3)
    assert (float(found.value), float(found.active)) == pytest.approx((0.1, 0.5))
    equal = triplet_loss(near, near, margin=None)
    assert (float(equal.value), float(equal.active)) == pytest.approx((math.log(2), 1.0))


@each_loss
def test_gradients_are_those_of_finite_differences(loss):
    vectors = batch(3, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda free: loss(torch.nn.functional.normalize(free, dim=1)).value, (vectors,))


def test_distances_have_the_right_gradient():
    one = batch(1, dtype=torch.float64).requires_grad_()
    other = batch(2, dtype=torch.float64)[:4].requires_grad_()
    assert torch.autograd.gradcheck(distances, (one, other))


@pytest.mark.parametrize("apart", [0.0, 1e-4, 1e-2, 1.0])
def test_distances_of_near_vectors_are_exact(apart):
    one, other = np.eye(1, 512), np.zeros((1, 512))
    other[0, :2] = 1 - apart**2 / 2, apart * math.sqrt(1 - apart**2 / 4)
    vectors = torch.from_numpy(np.concatenate([one, other]).astype(np.float32))
    wanted = math.dist(*vectors.double().tolist())
    assert wanted == pytest.approx(apart, rel=1e-3)
    for found in (distances(vectors)[0, 1], distances(vectors[:1], vectors[1:])[0, 0]):
        assert found.dtype == torch.float32
        assert float(found) == pytest.approx(wanted, rel=1e-6)


@each_loss
def test_equal_vectors_have_finite_gradients(loss):
    vectors = batch()[:1].repeat(9, 1).requires_grad_()
    loss(vectors).value.backward()
    assert torch.isfinite(vectors.grad).all()
    assert float(distances(vectors).detach().max()) == 0.0


@each_loss
@pytest.mark.parametrize("row", [0, 8])
def test_a_vector_that_is_no_number_is_not_hidden(loss, row):
    vectors = batch()
    vectors[row, 0] = math.nan
    assert not math.isfinite(float(loss(vectors).value))


@each_loss
@pytest.mark.parametrize("half", ["bfloat16", "float16"])
def test_mixed_precision_changes_little(loss, half):
    dtype = getattr(torch, half)
    layer = torch.nn.Linear(6, 6, bias=False)
    torch.nn.init.eye_(layer.weight)
    with torch.autocast("cpu", dtype=dtype):
        vectors = layer(batch())
        found = loss(vectors)
    assert vectors.dtype == dtype and found.value.dtype == torch.float32
    rounded = loss(vectors.detach().double())  # the same numbers, but all steps after them in double precision
    assert found.value.item() == pytest.approx(float(rounded.value), rel=1e-4)
    assert found.value.item() == pytest.approx(float(loss(batch()).value), rel=0.05, abs=0.01)
    found.value.backward()
    assert torch.isfinite(layer.weight.grad).all() and layer.weight.grad.abs().sum() > 0


@each_loss
def test_a_loss_without_terms_is_nothing_and_has_no_gradient(loss, monkeypatch):
    monkeypatch.setitem(globals(), "MASKS", (torch.zeros(9, 9, dtype=torch.bool),) * 2)
    vectors = batch().requires_grad_()
    found = loss(vectors)
    found.value.backward()
    assert found.value.item() == found.active.item() == 0.0
    assert not vectors.grad.any()


@each_loss
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_rotation_of_all_vectors_changes_nothing(loss, seed):
    vectors = batch(seed, dtype=torch.float64)
    generator = torch.Generator().manual_seed(seed)
    rotation = torch.linalg.qr(torch.randn(6, 6, generator=generator, dtype=torch.float64)).Q
    assert float(loss(vectors @ rotation).value) == pytest.approx(float(loss(vectors).value), rel=1e-9)


@pytest.mark.parametrize("name", ["koleo", "supervised contrastive", "multi-similarity", "distances"])
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), order=st.permutations(range(9)))
def test_the_order_of_the_rows_changes_nothing(name, seed, order):
    vectors, order = batch(seed, dtype=torch.float64), torch.tensor(order)
    positive, negative = relations(OBJECTS[order], GENUINE[order])
    if name == "distances":
        assert torch.allclose(distances(vectors[order]), distances(vectors)[order][:, order])
        assert float(mean_distance(distances(vectors[order]))) == pytest.approx(
            float(mean_distance(distances(vectors)))
        )
        return
    moved = {
        "koleo": lambda: koleo_loss(vectors[order], negative),
        "supervised contrastive": lambda: supervised_contrastive_loss(vectors[order], positive, negative),
        "multi-similarity": lambda: multi_similarity_loss(vectors[order], positive, negative),
    }[name]()
    assert float(moved.value) == pytest.approx(float(LOSSES[name](vectors).value), rel=1e-9)


def test_the_mean_distance_leaves_the_diagonal_out():
    vectors = batch(dtype=torch.float64)
    distance = plain_distances(vectors)
    wanted = sum(distance[a][b] for a in range(9) for b in range(9) if a != b) / 72
    assert float(mean_distance(distances(vectors))) == pytest.approx(wanted)
    assert float(mean_distance(distances(vectors[:1]))) == 0.0


def library():
    """Return pytorch-metric-learning, and its distance as it is ours."""
    learning = pytest.importorskip("pytorch_metric_learning", reason="needs pytorch-metric-learning, of the extra dev")
    from pytorch_metric_learning import distances as theirs
    from pytorch_metric_learning import losses, miners, reducers

    assert learning
    return losses, miners, reducers, theirs.LpDistance(normalize_embeddings=False)


def labels_of(seed: int) -> tuple:
    """Return objects, which photos are genuine, and labels that give the library the same triplets."""
    random = np.random.default_rng(seed)
    objects = torch.from_numpy(random.integers(0, 5, 30))
    genuine = torch.from_numpy(random.random(30) < 0.8)
    labels = torch.where(genuine, objects, 100 + torch.arange(30))
    vectors = torch.nn.functional.normalize(torch.from_numpy(random.standard_normal((30, 8))), dim=1)
    return vectors, labels, relations(objects, genuine)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("margin", [0.2, None])
def test_triplets_cost_what_the_library_says(seed, margin):
    losses, _, reducers, euclidean = library()
    vectors, labels, masks = labels_of(seed)
    distance = distances(vectors)
    triplets = batch_all(distance, *masks)
    ours = triplet_loss(
        distance[triplets.anchors, triplets.positives], distance[triplets.anchors, triplets.negatives], margin=margin
    )
    theirs = losses.TripletMarginLoss(
        margin=margin or 0.0, smooth_loss=margin is None, distance=euclidean, reducer=reducers.MeanReducer()
    )
    assert float(ours.value) == pytest.approx(float(theirs(vectors, labels)), rel=1e-9)
    if margin is not None:  # without a reducer of ours it takes the mean over the active ones
        theirs = losses.TripletMarginLoss(margin=margin, distance=euclidean)
        assert float(ours.value / ours.active) == pytest.approx(float(theirs(vectors, labels)), rel=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_pairs_cost_what_the_library_says(seed):
    losses, _, reducers, euclidean = library()
    vectors, labels, (positive, _) = labels_of(seed)
    negative = labels[:, None] != labels
    pairs = (*positive.nonzero(as_tuple=True), *negative.nonzero(as_tuple=True))
    theirs = losses.ContrastiveLoss(neg_margin=1.1, distance=euclidean, reducer=reducers.DoNothingReducer())
    found = theirs(vectors, indices_tuple=pairs)
    terms = torch.cat([found["pos_loss"]["losses"], found["neg_loss"]["losses"]])  # theirs are not squared
    either = positive | negative
    ours = contrastive_loss(distances(vectors)[either], positive[either], margin=1.1)
    assert float(ours.value) == pytest.approx(float((terms**2 / 2).mean()), rel=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_the_other_losses_are_those_of_the_library(seed):
    losses, miners, reducers, _ = library()
    vectors, labels, masks = labels_of(seed)
    wanted = losses.SupConLoss(temperature=0.1)(vectors, labels)
    assert float(supervised_contrastive_loss(vectors, *masks).value) == pytest.approx(float(wanted), rel=1e-9)
    mined = miners.MultiSimilarityMiner(epsilon=0.1)(vectors, labels)
    theirs = losses.MultiSimilarityLoss(reducer=reducers.MeanReducer())(vectors, labels, mined)
    anchors = int((masks[0].any(1) & masks[1].any(1)).sum())  # theirs divides by all rows
    ours = multi_similarity_loss(vectors, *masks)
    assert float(ours.value) == pytest.approx(float(theirs) * 30 / anchors, rel=1e-9)
