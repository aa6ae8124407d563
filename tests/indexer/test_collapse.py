"""The monitor on real trainings of a linear network, ones that collapse and ones that do not."""

import math

import pytest

from indexer.metric_learning.collapse import CollapseMonitor
from retrieval.errors import ArtifactError, Collapsed

STEADY = {"spread": 1.0, "loss": 0.2}


def train(miner: str, *, margin=0.3, steps=200, rate=0.05, noise=0.3, shift=0.0, positives_only=False, watched=True):
    """Train a linear network under the monitor; return the spread of the last step.

    24 objects with four photos each: their vectors differ by `noise`, and `shift` is common to all, as in the pooled
    features of a network whose activations are never negative.
    """
    torch = pytest.importorskip("torch", reason="needs the extra train")
    from indexer.metric_learning import losses, mining

    generator = torch.Generator().manual_seed(0)
    centres = torch.randn(24, 16, generator=generator).repeat_interleave(4, 0)
    photos = centres + noise * torch.randn(96, 16, generator=generator) + shift
    objects = torch.arange(24).repeat_interleave(4)
    network = torch.nn.Linear(16, 8)
    torch.nn.init.normal_(network.weight, std=0.25, generator=generator)
    torch.nn.init.zeros_(network.bias)
    optimizer = torch.optim.SGD(network.parameters(), lr=rate, momentum=0.9)
    monitor = CollapseMonitor(margin=margin)
    for _ in range(steps):
        chosen = torch.isin(objects, torch.randperm(24, generator=generator)[:8])
        distance = losses.distances(torch.nn.functional.normalize(network(photos[chosen]), dim=1))
        masks = mining.relations(objects[chosen], torch.ones(32, dtype=torch.bool))
        triplets = mining.make_miner(miner, generator=generator)(distance, *masks)
        near, far = distance[triplets.anchors, triplets.positives], distance[triplets.anchors, triplets.negatives]
        triplet = losses.triplet_loss(near, far, margin=margin).value
        loss = losses.contrastive_loss(near, torch.ones_like(near), margin=1.0).value if positives_only else triplet
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        spread = losses.mean_distance(distance).item()
        if watched:
            monitor.update(spread=spread, loss=loss.item(), triplet=None if positives_only else triplet.item())
    return spread


@pytest.mark.slow
@pytest.mark.parametrize("miner", ["random", "batch-all", "semi-hard", "batch-hard"])
@pytest.mark.parametrize("margin", [0.3, None])
@pytest.mark.parametrize("noise", [0.3, 1.0])
def test_a_healthy_training_goes_on(miner, margin, noise):
    assert train(miner, margin=margin, noise=noise) > 0.5


@pytest.mark.parametrize("rate", [1e-4, 1e-3])
def test_a_slow_training_goes_on(rate):
    assert train("batch-hard", rate=rate, noise=1.0) > 0.5


@pytest.mark.parametrize("margin", [0.3, None])
@pytest.mark.parametrize("rate", [0.05, 0.5])
def test_batch_hard_that_draws_all_together_is_stopped(rate, margin):
    hard = {"margin": margin, "rate": rate, "noise": 3.0, "shift": 3.0}
    assert train("batch-hard", **hard, watched=False) < 0.05
    with pytest.raises(Collapsed, match="semi-hard"):
        train("batch-hard", **hard)


@pytest.mark.slow
def test_the_advice_helps():
    hard = {"rate": 0.05, "noise": 2.0, "shift": 3.0}
    with pytest.raises(Collapsed, match="semi-hard"):
        train("batch-hard", **hard)
    assert train("semi-hard", **hard) > 0.5


def test_genuine_pairs_alone_draw_all_together():
    with pytest.raises(Collapsed, match=r"collapsed: .* apart\. Lower the rate"):
        train("random", rate=0.2, noise=2.0, shift=1.0, positives_only=True)


def test_semi_hard_triplets_at_the_margin_of_spread_photos_are_no_collapse():
    monitor = CollapseMonitor(margin=None, steps=10)
    for _ in range(50):
        monitor.update(spread=1.2, loss=0.688, triplet=0.688)


@pytest.mark.parametrize(("margin", "stuck"), [(0.3, 0.3), (None, math.log(2))])
def test_a_loss_at_the_margin_of_a_shrinking_cloud_is_told(margin, stuck):
    monitor = CollapseMonitor(margin=margin, steps=10)
    monitor.update(spread=1.0, loss=1.0, triplet=0.4)
    for _ in range(9):
        monitor.update(spread=0.3, loss=1.0, triplet=1.001 * stuck)
    with pytest.raises(Collapsed, match=rf"last 10 steps, up to step 11.* 0\.300 apart, once 1\.000.*{stuck:.3f}\."):
        monitor.update(spread=0.3, loss=1.0, triplet=1.001 * stuck)


def test_a_loss_that_moves_around_the_margin_is_not_stuck():
    monitor = CollapseMonitor(margin=0.3, steps=10)
    monitor.update(spread=1.0, loss=0.3, triplet=0.3)
    for step in range(50):
        monitor.update(spread=0.3, loss=0.3, triplet=0.33 if step % 2 else 0.27)


def test_a_short_dip_is_forgiven_and_a_long_one_is_not():
    monitor = CollapseMonitor(margin=0.3, steps=20)
    for step in range(100):
        monitor.update(spread=0.01 if step % 4 else 1.0, loss=0.1)
    with pytest.raises(Collapsed):
        for _ in range(20):
            monitor.update(spread=0.01, loss=0.1)


@pytest.mark.parametrize(
    "bad", [{"loss": math.nan}, {"loss": math.inf}, {"spread": math.nan}, {"triplet": math.nan}], ids=str
)
def test_what_is_no_number_is_told_at_once(bad):
    monitor = CollapseMonitor(margin=0.3)
    monitor.update(**STEADY)
    with pytest.raises(ArtifactError, match=r"no number at step 2 .*Lower the rate") as caught:
        monitor.update(**STEADY | bad)
    assert "\n" not in str(caught.value)
