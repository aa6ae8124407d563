"""Fixtures of registered works, and of a small training; those of a training need the extra `train`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from indexer.building import same_work
from tests.works import Registering

if TYPE_CHECKING:
    from indexer.inputs.labels import LabelledPhotos
    from indexer.training.plan import TrainingPlan
    from tests.indexer.plans import Known


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> tuple[Registering, list[frozenset[str]], set[frozenset[str]]]:
    """A catalogue whose features are the hashes; which pairs of them were registered; and which show one work."""
    found = Registering()
    monkeypatch.setattr(same_work, "find_registration", found.register)
    return found, found.asked, found.same


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
