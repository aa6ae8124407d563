"""The plan of a training and its folder: what is described, what is gone on from, what is refused."""

import errno
import json
import os
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("timm")

from indexer.inputs.labels import LabelledPhoto, LabelledPhotos  # noqa: E402
from indexer.training.checkpoint import Checkpoint, save_checkpoint  # noqa: E402
from indexer.training.plan import TrainingPlan, prepare_folder, rows_showing  # noqa: E402
from indexer.training.pool import Pool  # noqa: E402
from indexer.training.split import Split, read_split  # noqa: E402
from retrieval.encoder.encoder import DESCRIPTION  # noqa: E402
from retrieval.errors import ArtifactError  # noqa: E402
from tests.indexer.plans import OBJECTS, RECIPE, SHAPE, SPLIT, content  # noqa: E402


def other_photos(plan: TrainingPlan, **changes: Any) -> LabelledPhotos:
    first, *more = plan.labelled.photos
    return LabelledPhotos((replace(first, **changes), *more))


DIFFERENT = {
    "photos": lambda plan: replace(plan, labelled=other_photos(plan, path=Path("elsewhere.png"))),
    "photos, by label": lambda plan: replace(plan, labelled=LabelledPhotos(plan.labelled.photos[:-1])),
    "split": lambda plan: replace(plan, split=Split(OBJECTS[:6], OBJECTS[9:], OBJECTS[6:9])),
    "start": lambda plan: replace(plan, start=replace(plan.start, spec="another")),
    "preprocessing": lambda plan: replace(plan, start=replace(plan.start, preprocessing=replace(SHAPE, width=96))),
    "recipe": lambda plan: replace(plan, recipe=replace(RECIPE, views=3)),
    "options": lambda plan: replace(plan, options=replace(plan.options, margin=0.5)),
    "dim": lambda plan: replace(plan, dim=9),
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_whatever_the_outcome_depends_on_is_described(plan, what):
    before, after = plan.described(), DIFFERENT[what](plan).described()
    assert [name for name in before if before[name] != after[name]] == [what.partition(",")[0]]
    assert json.loads(json.dumps(after)) is not None


def test_neither_the_folder_nor_what_is_said_of_it_is(plan, tmp_path):
    other = replace(plan, out=tmp_path / "moved", command="another")
    assert other.described() == plan.described() and other.work == tmp_path / "moved" / "training"


@pytest.mark.parametrize(("unfreeze", "frozen"), [(0, 9), (1, 8), (9, 0), (99, 0)])
def test_the_last_parts_are_unfrozen(plan, unfreeze, frozen):
    assert len(plan.start.network.parts()) == 9
    assert replace(plan, options=replace(plan.options, unfreeze=unfreeze)).frozen == frozen


def learned(plan: TrainingPlan, epoch: int = 2) -> None:
    """Write the checkpoint of a training with some epochs behind it."""
    now, best = ({"project.weight": torch.ones(2, 2)} for _ in range(2))
    state = {"state": {}, "param_groups": []}
    save_checkpoint(plan.work / "checkpoint.json", Checkpoint(epoch, 0.5, now, best, state, {}, []))


def test_a_new_folder_holds_the_plan_and_the_split(plan):
    assert prepare_folder(plan) == 0
    assert {path.name for path in plan.work.iterdir()} == {"plan.json", "split.json"}
    assert json.loads((plan.work / "plan.json").read_text()) == json.loads(json.dumps(plan.described()))
    assert read_split(plan.work / "split.json", plan.labelled) == SPLIT


def test_a_stopped_training_is_found_again(plan):
    prepare_folder(plan)
    assert prepare_folder(plan) == 0
    learned(plan, epoch=5)
    before = content(plan.out)
    assert prepare_folder(plan) == 5 and content(plan.out) == before


def test_one_that_an_older_version_stopped_goes_on_though_its_plan_said_more(plan):
    prepare_folder(plan)
    learned(plan)
    file = plan.work / "plan.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"local": {"epochs": 4}}))
    assert prepare_folder(plan) == 2


@pytest.mark.parametrize("what", DIFFERENT)
def test_another_training_that_was_stopped_is_refused_with_what_differs(plan, what):
    prepare_folder(plan)
    learned(plan)
    before = content(plan.out)
    with pytest.raises(ArtifactError, match=rf"another training.*differs in: {what.partition(',')[0]}\)"):
        prepare_folder(DIFFERENT[what](plan))
    assert content(plan.out) == before


@pytest.mark.parametrize("what", DIFFERENT)
def test_one_that_has_learned_nothing_yet_gives_way(plan, what):
    prepare_folder(plan)
    (plan.work / "pool.npy").write_bytes(b"pictures")
    other = DIFFERENT[what](plan)
    assert prepare_folder(other) == 0
    assert json.loads((plan.work / "plan.json").read_text()) == json.loads(json.dumps(other.described()))
    assert read_split(plan.work / "split.json", other.labelled) == other.split


def test_an_encoder_is_not_trained_over(plan):
    plan.out.mkdir()
    (plan.out / DESCRIPTION).write_text("{}")
    with pytest.raises(ArtifactError, match="an encoder already"):
        prepare_folder(plan)
    assert content(plan.out) == {DESCRIPTION: b"{}"}


@pytest.mark.parametrize("name", ["README.md", "training/photo.jpg", "training/checkpoint.json", "a/b/c.txt"])
def test_files_of_another_kind_are_left_alone(plan, name):
    (plan.out / name).parent.mkdir(parents=True)
    (plan.out / name).write_text("mine")
    with pytest.raises(ArtifactError, match="holds other files already"):
        prepare_folder(plan)
    assert content(plan.out) == {name: b"mine"}


@pytest.mark.parametrize("at", [1, 2])
def test_a_plan_is_written_whole_or_not_at_all(plan, monkeypatch, at):
    calls, known = count(1), os.replace
    with monkeypatch.context() as patched:

        def replaced(*names: Path) -> None:
            if next(calls) == at:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            known(*names)

        patched.setattr(os, "replace", replaced)
        with pytest.raises((OSError, ArtifactError), match="No space left"):
            prepare_folder(plan)
    assert (plan.work / "plan.json").exists() == (at == 2)
    assert prepare_folder(plan) == 0 and {path.name for path in plan.work.iterdir()} == {"plan.json", "split.json"}


@pytest.mark.parametrize("part", ["training", "validation", "test"])
def test_each_part_must_have_pairs(plan, part):
    plan = replace(plan, recipe=replace(RECIPE, views=0))
    photos = [LabelledPhoto(Path("one.png"), name, True) for name in OBJECTS]
    short = plan.split.parts[part]
    photos += [LabelledPhoto(Path("two.png"), name, True) for name in OBJECTS if name not in short[1:]]
    photos += [LabelledPhoto(Path("forged.png"), name, False) for name in OBJECTS]
    plan = replace(plan, labelled=LabelledPhotos(tuple(photos)))
    with pytest.raises(ArtifactError, match=f"^1 of the {len(short)} objects for {part} .* ask for --views"):
        prepare_folder(plan)
    assert not plan.out.exists()
    another = LabelledPhoto(Path("two.png"), short[1], True)
    assert prepare_folder(replace(plan, labelled=LabelledPhotos((*photos, another)))) == 0


def test_only_the_test_may_have_no_objects(plan):
    empty = {"training": (), "validation": (), "test": ()}
    for part in ("training", "validation"):
        with pytest.raises(ArtifactError, match=f"0 of the 0 objects for {part}"):
            prepare_folder(replace(plan, split=replace(SPLIT, **{part: empty[part]})))
    assert prepare_folder(replace(plan, split=replace(SPLIT, test=()))) == 0


def test_rows_are_found_by_what_they_show(plan):
    pool = Pool(plan.rows, np.zeros(0), 0)
    for ids in plan.split.parts.values():
        wanted = [place for place, row in enumerate(pool.rows) if plan.labelled.photos[row.photo].object_id in ids]
        assert rows_showing(plan, pool, ids).tolist() == wanted
    assert rows_showing(plan, pool, ()).tolist() == []
