"""The choices of the training options are those that the training knows."""

import pytest

pytest.importorskip("torch")

from indexer.metric_learning import mining
from indexer.training.options import MINERS, SCHEDULE, TrainingOptions


def test_every_miner_can_be_chosen():
    assert set(MINERS) == {SCHEDULE, *mining.MINERS}


def test_half_precision_is_asked_for_by_name():
    assert not TrainingOptions().bf16 and TrainingOptions(precision="bf16").bf16
