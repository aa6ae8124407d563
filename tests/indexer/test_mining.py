"""Which pairs and triplets are mined, against plain loops and pytorch-metric-learning."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="needs the extra train")

from indexer.metric_learning.losses import distances  # noqa: E402
from indexer.metric_learning.mining import (  # noqa: E402
    MINERS,
    Triplets,
    batch_all,
    batch_hard,
    make_miner,
    random_triplets,
    relations,
    semi_hard,
)

# two genuine photos and a forgery of object 7, two and two of object 3, one genuine photo of object 5
OBJECTS = [7, 7, 7, 3, 3, 3, 3, 5]
GENUINE = [True, True, False, True, True, False, False, True]


def seeded(seed: int = 0) -> "torch.Generator":
    return torch.Generator().manual_seed(seed)


def masks(objects=OBJECTS, genuine=GENUINE, same_work=frozenset()):
    return relations(torch.tensor(objects), torch.tensor(genuine), same_work)


def as_set(triplets: Triplets) -> set[tuple[int, int, int]]:
    rows = (triplets.anchors, triplets.positives, triplets.negatives)
    assert all(row.dtype == torch.int64 for row in rows)
    found = list(zip(*(row.tolist() for row in rows), strict=True))
    assert len(set(found)) == len(found) == len(triplets)
    return set(found)


def plain_pairs(objects, genuine) -> dict[tuple[int, int], list[int]]:
    """Return the negatives of each positive pair that has any."""
    rows = range(len(objects))
    found = {}
    for anchor in rows:
        negatives = [row for row in rows if objects[row] != objects[anchor] or genuine[row] != genuine[anchor]]
        for other in rows:
            if (
                anchor != other
                and objects[anchor] == objects[other]
                and genuine[anchor]
                and genuine[other]
                and negatives
            ):
                found[anchor, other] = negatives
    return found


def plain_all(distance, pairs) -> set[tuple[int, int, int]]:
    return {(*pair, negative) for pair, negatives in pairs.items() for negative in negatives}


def plain_hard(distance, pairs) -> set[tuple[int, int, int]]:
    found = set()
    for anchor in {anchor for anchor, _ in pairs}:
        positives = [positive for one, positive in pairs if one == anchor]
        negatives = next(pairs[one, positive] for one, positive in pairs if one == anchor)
        positive = max(positives, key=lambda row: distance[anchor][row])
        found.add((anchor, positive, min(negatives, key=lambda row: distance[anchor][row])))
    return found


def plain_semi(distance, pairs) -> set[tuple[int, int, int]]:
    found = set()
    for (anchor, positive), negatives in pairs.items():
        away = distance[anchor]
        farther = [row for row in negatives if away[row] > away[positive]]
        chosen = min(farther, key=away.__getitem__) if farther else max(negatives, key=away.__getitem__)
        found.add((anchor, positive, chosen))
    return found


def vectors_of(count: int, seed: int):
    vectors = torch.randn(count, 4, generator=seeded(seed), dtype=torch.float64)
    return torch.nn.functional.normalize(vectors, dim=1)


labelled = st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=14)


def test_relations_by_hand():
    positive, negative = masks()
    assert set(map(tuple, positive.nonzero().tolist())) == {(0, 1), (1, 0), (3, 4), (4, 3)}
    within = {(0, 2), (1, 2), (3, 5), (3, 6), (4, 5), (4, 6)}
    across = {(a, b) for a in range(8) for b in range(8) if OBJECTS[a] != OBJECTS[b]}
    assert set(map(tuple, negative.nonzero().tolist())) == within | {(b, a) for a, b in within} | across


def test_two_entries_of_one_work_are_no_negatives():
    plain, plain_negative = masks()
    positive, negative = masks(same_work={(3, 7), (5, 99), (1, 2)})
    assert torch.equal(positive, plain)
    gone = {tuple(sorted(pair)) for pair in (plain_negative & ~negative).nonzero().tolist()}
    assert gone == {(a, b) for a in (0, 1, 2) for b in (3, 4, 5, 6)}
    assert not (negative & ~plain_negative).any()
    assert torch.equal(negative, negative.T)


@settings(max_examples=100, deadline=None)
@given(labels=labelled, seed=st.integers(0, 99))
@pytest.mark.parametrize(
    ("miner", "plain"), [(batch_all, plain_all), (batch_hard, plain_hard), (semi_hard, plain_semi)]
)
def test_triplets_are_those_of_a_plain_loop(miner, plain, labels, seed):
    objects, genuine = map(list, zip(*labels, strict=True))
    distance = distances(vectors_of(len(labels), seed))
    found = as_set(miner(distance, *masks(objects, genuine)))
    assert found == plain(distance.tolist(), plain_pairs(objects, genuine))


@settings(max_examples=50, deadline=None)
@given(labels=labelled, seed=st.integers(0, 99), order=st.randoms())
@pytest.mark.parametrize("miner", [batch_all, batch_hard, semi_hard])
def test_the_order_of_the_rows_changes_nothing(miner, labels, seed, order):
    rows = list(range(len(labels)))
    order.shuffle(rows)
    objects, genuine = map(list, zip(*labels, strict=True))
    distance = distances(vectors_of(len(labels), seed))
    moved = miner(distance[rows][:, rows], *masks([objects[row] for row in rows], [genuine[row] for row in rows]))
    back = {tuple(rows[place] for place in triplet) for triplet in as_set(moved)}
    assert back == as_set(miner(distance, *masks(objects, genuine)))


def test_semi_hard_by_hand():
    """Anchor 0 with a positive at 0.5; the negatives in the margin, beyond it, or all too near."""
    positive, negative = masks([0, 0, 1, 1, 1], [True, True, False, False, False])

    def chosen(*away: float) -> int:
        distance = torch.zeros(5, 5)
        distance[0] = distance[:, 0] = torch.tensor([0.0, 0.5, *away])
        triplets = semi_hard(distance, positive, negative)
        return int(triplets.negatives[(triplets.anchors == 0).nonzero()[0]])

    assert chosen(0.4, 0.6, 0.7) == 3  # the hardest of those that are farther
    assert chosen(0.5, 0.7, 0.6) == 4  # as far is not farther
    assert chosen(0.4, 1.9, 1.8) == 4  # none is semi-hard: the nearest of the easy ones, which costs nothing
    assert chosen(0.1, 0.3, 0.5) == 4  # all too hard: the mildest


def test_random_negatives_are_seeded_and_even():
    positive, negative = masks()
    distance = distances(vectors_of(8, 0))
    first = random_triplets(distance, positive, negative, generator=seeded(3))
    again = random_triplets(distance, positive, negative, generator=seeded(3))
    assert as_set(first) == as_set(again)
    generator = seeded()
    drawn: dict[tuple[int, int], list[int]] = {}
    for _ in range(600):
        for anchor, other, chosen in as_set(random_triplets(distance, positive, negative, generator=generator)):
            drawn.setdefault((anchor, other), []).append(chosen)
    assert drawn.keys() == plain_pairs(OBJECTS, GENUINE).keys()
    for pair, negatives in plain_pairs(OBJECTS, GENUINE).items():
        assert set(drawn[pair]) == set(negatives)
        for row in negatives:
            assert drawn[pair].count(row) == pytest.approx(600 / len(negatives), rel=0.5)


@pytest.mark.parametrize("name", MINERS)
def test_a_miner_by_its_name(name):
    wanted = {"random": None, "batch-all": batch_all, "batch-hard": batch_hard, "semi-hard": semi_hard}[name]
    distance = distances(vectors_of(8, 1)).requires_grad_()
    found = make_miner(name, generator=seeded(5))(distance, *masks())
    again = wanted(distance, *masks()) if wanted else random_triplets(distance, *masks(), generator=seeded(5))
    assert as_set(found) == as_set(again)


@pytest.mark.parametrize("name", MINERS)
@pytest.mark.parametrize("genuine", [[True], [False] * 3, [True, False], [True] * 4])
def test_a_batch_without_triplets_gives_none(name, genuine):
    distance = distances(vectors_of(len(genuine), 1))
    found = make_miner(name, generator=seeded())(distance, *masks([0] * len(genuine), genuine))
    assert as_set(found) == set()


def library_batch(seed: int):
    """Return distances and masks, and vectors and labels that give pytorch-metric-learning the same triplets."""
    objects = torch.randint(0, 5, (24,), generator=seeded(seed))
    genuine = torch.rand(24, generator=seeded(seed + 1)) < 0.8
    vectors = vectors_of(24, seed)
    labels = torch.where(genuine, objects, 100 + torch.arange(24))
    return distances(vectors), relations(objects, genuine), vectors, labels


def library():
    """Return the miners of pytorch-metric-learning, and its distance as it is ours."""
    pytest.importorskip("pytorch_metric_learning", reason="needs pytorch-metric-learning, of the extra dev")
    from pytorch_metric_learning import miners
    from pytorch_metric_learning.distances import LpDistance

    return miners, LpDistance(normalize_embeddings=False)


@pytest.mark.parametrize("seed", range(4))
def test_all_and_hard_triplets_are_those_of_the_library(seed):
    miners, euclidean = library()
    distance, pairs, vectors, labels = library_batch(seed)
    wanted = miners.TripletMarginMiner(margin=99.0, distance=euclidean)(vectors, labels)
    assert as_set(batch_all(distance, *pairs)) == as_set(Triplets(*wanted))
    wanted = miners.BatchHardMiner(distance=euclidean)(vectors, labels)
    assert as_set(batch_hard(distance, *pairs)) == as_set(Triplets(*wanted))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("margin", [0.1, 0.3])
def test_semi_hard_triplets_are_the_hardest_of_the_library(seed, margin):
    miners, euclidean = library()
    distance, pairs, vectors, labels = library_batch(seed)
    wanted = miners.TripletMarginMiner(margin=margin, type_of_triplets="semihard", distance=euclidean)
    hardest: dict[tuple[int, int], int] = {}
    for anchor, other, chosen in as_set(Triplets(*wanted(vectors, labels))):
        nearest = hardest.setdefault((anchor, other), chosen)
        if distance[anchor, chosen] < distance[anchor, nearest]:
            hardest[anchor, other] = chosen
    ours = {(anchor, other): chosen for anchor, other, chosen in as_set(semi_hard(distance, *pairs))}
    assert hardest and {pair: ours[pair] for pair in hardest} == hardest
    for (anchor, other), chosen in ours.items():  # where there is none, nothing of ours is semi-hard either
        between = distance[anchor, other] < distance[anchor, chosen] < distance[anchor, other] + margin
        assert bool(between) == ((anchor, other) in hardest)
