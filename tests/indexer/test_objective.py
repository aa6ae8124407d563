"""What a batch costs: the losses named, added up, and the spread term by its weight."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from indexer.metric_learning.losses import contrastive_loss, distances, koleo_loss, triplet_loss  # noqa: E402
from indexer.metric_learning.mining import batch_hard, relations  # noqa: E402
from indexer.metric_learning.objective import batch_cost  # noqa: E402
from indexer.training.options import LOSSES  # noqa: E402
from tests.conftest import unit  # noqa: E402

OBJECTS = torch.tensor([0, 0, 0, 1, 1, 2, 2])
GENUINE = torch.tensor([True, True, False, True, True, True, True])
VECTORS = torch.from_numpy(unit(np.random.default_rng(0).normal(size=(7, 4))))
WEIGHTS = {"margin": 0.3, "apart": 1.0, "miner": batch_hard}


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_that_can_be_chosen_costs_something_and_has_a_gradient(name):
    vectors = VECTORS.clone().requires_grad_(True)
    cost = batch_cost(vectors, OBJECTS, GENUINE, losses=(name,), spread=0.0, **WEIGHTS)
    cost.value.backward()
    assert cost.value > 0 and 0 < cost.active <= 1 and vectors.grad.abs().sum() > 0
    assert cost.triplet == (float(cost.value.detach()) if name == "triplet" else None)


def test_losses_and_the_weighted_spread_term_are_added_up():
    distance, (positive, negative) = distances(VECTORS), relations(OBJECTS, GENUINE)
    found = batch_hard(distance, positive, negative)
    near, far = distance[found.anchors, found.positives], distance[found.anchors, found.negatives]
    labels = torch.cat([torch.ones_like(near), torch.zeros_like(far)])
    wanted = triplet_loss(near, far, margin=0.3).value + 0.5 * koleo_loss(VECTORS, negative).value
    wanted = wanted + contrastive_loss(torch.cat([near, far]), labels, margin=1.0).value
    cost = batch_cost(VECTORS, OBJECTS, GENUINE, losses=("triplet", "contrastive"), spread=0.5, **WEIGHTS)
    assert float(cost.value) == pytest.approx(float(wanted))
    between = [float((VECTORS[one] - VECTORS[other]).norm()) for one in range(7) for other in range(one)]
    assert cost.spread == pytest.approx(np.mean(between), rel=1e-4)


def test_one_work_under_two_names_costs_nothing_as_such():
    objects, genuine = torch.tensor([0, 0, 1, 1]), torch.ones(4, dtype=torch.bool)
    vectors = VECTORS[[0, 0, 0, 0]]
    apart = batch_cost(vectors, objects, genuine, losses=("contrastive",), spread=0.0, **WEIGHTS)
    same = batch_cost(vectors, objects, genuine, losses=("contrastive",), spread=0.0, same_work={(0, 1)}, **WEIGHTS)
    assert float(apart.value) > 0 and float(same.value) == 0
