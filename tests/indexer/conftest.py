"""Fixtures of a small training, for the tests that plan, run and publish one; they need the extra `train`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from indexer.inputs.labels import LabelledPhotos
    from indexer.training.plan import TrainingPlan
    from tests.indexer.plans import Known


@pytest.fixture(scope="session")
def paintings(tmp_path_factory: pytest.TempPathFactory) -> LabelledPhotos:
    from tests.indexer.plans import labelled_paintings

    return labelled_paintings(tmp_path_factory.mktemp("paintings"))


@pytest.fixture
def plan(paintings: LabelledPhotos, tmp_path: Path) -> TrainingPlan:
    from tests.indexer.plans import small_plan

    return small_plan(paintings, tmp_path / "encoder")


@pytest.fixture
def known(plan: TrainingPlan) -> Known:
    from tests.indexer.plans import known_trainer

    return known_trainer(plan)
