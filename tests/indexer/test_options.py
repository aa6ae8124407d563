"""The choices of the training options are those that the training knows."""

from typing import get_type_hints

import pytest

pytest.importorskip("torch")

from indexer.metric_learning import mining
from indexer.training import pool
from indexer.training.options import MINERS, SCHEDULE, TrainingOptions, TrainingRequest


def test_every_miner_can_be_chosen():
    assert set(MINERS) == {SCHEDULE, *mining.MINERS}


def test_every_kind_of_conditions_can_be_chosen():
    (option,) = get_type_hints(TrainingRequest, include_extras=True)["conditions"].__metadata__
    assert set(option.choices) == set(pool.CONDITIONS)


def test_half_precision_is_asked_for_by_name():
    assert not TrainingOptions().bf16 and TrainingOptions(precision="bf16").bf16
