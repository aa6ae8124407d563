"""A whole training, step by step: its folder, what it will take, what is measured, and the encoder it leaves."""

import errno
import json
import os
import shutil
from collections import Counter
from copy import deepcopy
from dataclasses import replace
from functools import cache
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("timm")

from indexer.inputs.labels import Labelled, LabelledPhoto  # noqa: E402
from indexer.measuring.combination import Combination  # noqa: E402
from indexer.metric_learning.encoder_figures import evaluate, summarise  # noqa: E402
from indexer.metric_learning.whitening import discriminative_whitening  # noqa: E402
from indexer.training import run as training  # noqa: E402
from indexer.training.checkpoint import Checkpoint, save_checkpoint  # noqa: E402
from indexer.training.export import export_encoder  # noqa: E402
from indexer.training.history import EpochRecord  # noqa: E402
from indexer.training.local_heads import LocalOptions, LocalRecord  # noqa: E402
from indexer.training.options import TrainingOptions  # noqa: E402
from indexer.training.pool import PLAIN, Pool, Recipe, Row, fill_pool, make_pictures  # noqa: E402
from indexer.training.run import (  # noqa: E402
    KEPT,
    SPARE,
    Plan,
    Trained,
    Watching,
    agreement,
    forecast,
    hardest_pairs,
    measure,
    prepare,
    project_by_whitening,
    publish,
    rows_of,
    rows_showing,
    train_heads,
    write_encoder,
)
from indexer.training.split import Split, read_split  # noqa: E402
from indexer.training.start import Start  # noqa: E402
from retrieval.encoder.encoder import DESCRIPTION, load_encoder  # noqa: E402
from retrieval.encoder.network import EmbeddingNetwork  # noqa: E402
from retrieval.encoder.preprocessing import Preprocessing  # noqa: E402
from retrieval.errors import ArtifactError  # noqa: E402
from retrieval.statistics.calibration import Threshold  # noqa: E402
from tests.conftest import unit  # noqa: E402
from tests.pictures import painting  # noqa: E402

SHAPE = Preprocessing(64, 48, (0.5,) * 3, (0.5,) * 3)
OBJECTS = tuple(f"K-{number:02}" for number in range(12))
SPLIT = Split(OBJECTS[:6], OBJECTS[6:9], OBJECTS[9:])
RECIPE = Recipe(views=1, copies=2, kinds=("oil", "moved"), seed=0)


@cache
def tower() -> EmbeddingNetwork:
    torch.manual_seed(0)
    return EmbeddingNetwork("tf_efficientnet_lite0").eval()


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Labelled:
    """A genuine photograph of each of twelve objects, another of the first, and a forgery of the second."""
    folder = tmp_path_factory.mktemp("photos")
    photos = [LabelledPhoto(folder / f"{name}.png", name, True) for name in OBJECTS]
    photos += [LabelledPhoto(folder / "more.png", "K-00", True), LabelledPhoto(folder / "forged.png", "K-01", False)]
    for number, photo in enumerate(photos):
        painting(number, (130, 100)).save(photo.path)
    return Labelled(tuple(photos))


@pytest.fixture
def plan(labelled: Labelled, tmp_path: Path) -> Plan:
    return Plan(
        labelled=labelled,
        split=SPLIT,
        start=Start("start", deepcopy(tower()), SHAPE, None),
        recipe=RECIPE,
        options=TrainingOptions(unfreeze=99, head_epochs=1, epochs=1, objects=6, seed=3),
        dim=8,
        local=LocalOptions(epochs=1),
        out=tmp_path / "encoder",
        about={"Seed": "3"},
        command="artifact train",
    )


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# -- the plan


def other_photos(plan: Plan, **changes: Any) -> Labelled:
    first, *more = plan.labelled.photos
    return Labelled((replace(first, **changes), *more))


DIFFERENT = {
    "photos": lambda plan: replace(plan, labelled=other_photos(plan, path=Path("elsewhere.png"))),
    "photos, by label": lambda plan: replace(plan, labelled=Labelled(plan.labelled.photos[:-1])),
    "split": lambda plan: replace(plan, split=Split(OBJECTS[:6], OBJECTS[9:], OBJECTS[6:9])),
    "start": lambda plan: replace(plan, start=replace(plan.start, spec="another")),
    "preprocessing": lambda plan: replace(plan, start=replace(plan.start, preprocessing=replace(SHAPE, width=96))),
    "recipe": lambda plan: replace(plan, recipe=replace(RECIPE, views=3)),
    "options": lambda plan: replace(plan, options=replace(plan.options, margin=0.5)),
    "dim": lambda plan: replace(plan, dim=9),
    "local": lambda plan: replace(plan, local=None),
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_whatever_the_outcome_depends_on_is_described(plan, what):
    before, after = plan.described(), DIFFERENT[what](plan).described()
    assert [name for name in before if before[name] != after[name]] == [what.partition(",")[0]]
    assert json.loads(json.dumps(after)) is not None


def test_neither_the_folder_nor_what_is_said_of_it_is(plan, tmp_path):
    other = replace(plan, out=tmp_path / "moved", about={}, command="another")
    assert other.described() == plan.described() and other.work == tmp_path / "moved" / "training"


@pytest.mark.parametrize(("unfreeze", "frozen"), [(0, 9), (1, 8), (9, 0), (99, 0)])
def test_the_last_parts_are_unfrozen(plan, unfreeze, frozen):
    assert len(plan.start.network.parts()) == 9
    assert replace(plan, options=replace(plan.options, unfreeze=unfreeze)).frozen == frozen


# -- the folder


def learned(plan: Plan, epoch: int = 2) -> None:
    """Write the checkpoint of a training with some epochs behind it."""
    now, best = ({"project.weight": torch.ones(2, 2)} for _ in range(2))
    state = {"state": {}, "param_groups": []}
    save_checkpoint(plan.work / "checkpoint.json", Checkpoint(epoch, 0.5, now, best, state, {}, []))


def test_a_new_folder_holds_the_plan_and_the_split(plan):
    assert prepare(plan) == 0
    assert {path.name for path in plan.work.iterdir()} == {"plan.json", "split.json"}
    assert json.loads((plan.work / "plan.json").read_text()) == json.loads(json.dumps(plan.described()))
    assert read_split(plan.work / "split.json", plan.labelled) == SPLIT


def test_a_stopped_training_is_found_again(plan):
    prepare(plan)
    assert prepare(plan) == 0
    learned(plan, epoch=5)
    before = content(plan.out)
    assert prepare(plan) == 5 and content(plan.out) == before


@pytest.mark.parametrize("what", DIFFERENT)
def test_another_training_that_was_stopped_is_refused_with_what_differs(plan, what):
    prepare(plan)
    learned(plan)
    before = content(plan.out)
    with pytest.raises(ArtifactError, match=rf"another training.*differs in: {what.partition(',')[0]}\)"):
        prepare(DIFFERENT[what](plan))
    assert content(plan.out) == before


@pytest.mark.parametrize("what", DIFFERENT)
def test_one_that_has_learned_nothing_yet_gives_way(plan, what):
    prepare(plan)
    (plan.work / "pool.npy").write_bytes(b"pictures")
    other = DIFFERENT[what](plan)
    assert prepare(other) == 0
    assert json.loads((plan.work / "plan.json").read_text()) == json.loads(json.dumps(other.described()))
    assert read_split(plan.work / "split.json", other.labelled) == other.split


def test_an_encoder_is_not_trained_over(plan):
    plan.out.mkdir()
    (plan.out / DESCRIPTION).write_text("{}")
    with pytest.raises(ArtifactError, match="an encoder already"):
        prepare(plan)
    assert content(plan.out) == {DESCRIPTION: b"{}"}


@pytest.mark.parametrize("name", ["README.md", "training/photo.jpg", "training/checkpoint.json", "a/b/c.txt"])
def test_files_of_another_kind_are_left_alone(plan, name):
    (plan.out / name).parent.mkdir(parents=True)
    (plan.out / name).write_text("mine")
    with pytest.raises(ArtifactError, match="holds other files already"):
        prepare(plan)
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
            prepare(plan)
    assert (plan.work / "plan.json").exists() == (at == 2)
    assert prepare(plan) == 0 and {path.name for path in plan.work.iterdir()} == {"plan.json", "split.json"}


@pytest.mark.parametrize("part", ["training", "validation", "test"])
def test_each_part_must_have_pairs(plan, part):
    plan = replace(plan, recipe=replace(RECIPE, views=0))
    photos = [LabelledPhoto(Path("one.png"), name, True) for name in OBJECTS]
    short = plan.split.parts[part]
    photos += [LabelledPhoto(Path("two.png"), name, True) for name in OBJECTS if name not in short[1:]]
    photos += [LabelledPhoto(Path("forged.png"), name, False) for name in OBJECTS]
    plan = replace(plan, labelled=Labelled(tuple(photos)))
    with pytest.raises(ArtifactError, match=f"^1 of the {len(short)} objects for {part} .* ask for --views"):
        prepare(plan)
    assert not plan.out.exists()
    another = LabelledPhoto(Path("two.png"), short[1], True)
    assert prepare(replace(plan, labelled=Labelled((*photos, another)))) == 0


def test_only_the_test_may_have_no_objects(plan):
    empty = {"training": (), "validation": (), "test": ()}
    for part in ("training", "validation"):
        with pytest.raises(ArtifactError, match=f"0 of the 0 objects for {part}"):
            prepare(replace(plan, split=replace(SPLIT, **{part: empty[part]})))
    assert prepare(replace(plan, split=replace(SPLIT, test=()))) == 0


# -- the forecast


def test_it_is_foreseen_how_many_pictures_there_are_and_how_much_they_take(plan):
    plan.work.mkdir(parents=True)
    found = forecast(plan)
    rows = 14 * 2 + 13 * 2  # each photo and its view; the copies of the genuine ones
    assert found.pictures == rows and found.megabytes == pytest.approx(rows * 64 * 48 * 3 / 1e6)


def test_what_is_frozen_is_foreseen_as_what_it_makes(plan):
    plan = replace(plan, options=replace(plan.options, unfreeze=8))
    plan.work.mkdir(parents=True)
    found = forecast(plan)
    pool = fill(plan)
    assert pool.frozen == 1
    assert found.megabytes * 1e6 == pool.features.nbytes and found.pictures == len(pool.rows)


def test_memory_is_foreseen_by_the_size_of_a_batch(plan):
    plan.work.mkdir(parents=True)
    few, many = (forecast(replace(plan, options=replace(plan.options, objects=count))) for count in (100, 1100))
    step = many.memory - few.memory
    twice = forecast(replace(plan, options=replace(plan.options, objects=2100))).memory - many.memory
    assert few.memory > 100 and step > 0  # torch alone takes more
    assert twice == pytest.approx(step, rel=0.1)


def fill(plan: Plan) -> Pool:
    return fill_pool(
        plan.labelled.photos,
        rows_of(plan),
        plan.start.network,
        SHAPE,
        frozen=plan.frozen,
        folder=plan.work,
        device="cpu",
        on_progress=lambda done, total: None,
    )


def test_the_time_is_foreseen_from_what_a_few_take(plan, monkeypatch):
    clock = count(0.0, 8.0)  # making the pictures of four photos takes 8 seconds, learning from them too
    monkeypatch.setattr(training.time, "monotonic", lambda: next(clock))
    plan.work.mkdir(parents=True)
    few = 4 * 4
    plan = replace(plan, local=None, options=replace(plan.options, epochs=10, photos=3, forgeries=0))
    rows = len(rows_of(plan))
    assert forecast(plan).seconds == pytest.approx(rows * 8 / few + 10 * (6 * 3 + rows / 5) * 8 / few)
    copies = replace(plan, options=replace(plan.options, forgeries=2))
    assert forecast(copies).seconds == pytest.approx(rows * 8 / few + 10 * (6 * 5 + rows / 5) * 8 / few)
    local = replace(plan, local=LocalOptions(epochs=2, photos=4))
    assert forecast(local).seconds - forecast(plan).seconds == pytest.approx(2 * 4 * 4 * 8 / few)


@pytest.mark.parametrize("unfreeze", [0, 99])
def test_a_forecast_changes_nothing(plan, unfreeze):
    plan = replace(plan, options=replace(plan.options, unfreeze=unfreeze))
    plan.work.mkdir(parents=True)
    forecast(plan)
    assert not content(plan.out)
    for name, value in plan.start.network.state_dict(keep_vars=True).items():
        assert torch.equal(value, tower().state_dict()[name]) and value.grad is None


@pytest.mark.parametrize("there", [0, 100_000])
def test_a_full_disk_is_foreseen(plan, monkeypatch, there):
    plan.work.mkdir(parents=True)
    (plan.work / "pool.npy").write_bytes(bytes(there))  # that will be written over
    needed = int(len(rows_of(plan)) * 64 * 48 * 3 * SPARE)
    disk = SimpleNamespace(free=needed + 1 - there)
    monkeypatch.setattr(training.shutil, "disk_usage", lambda path: disk)
    assert forecast(plan).pictures == len(rows_of(plan))
    disk.free -= 2
    with pytest.raises(ArtifactError, match=r"GB are free in .*--views and --copies"):
        forecast(plan)


# -- what is learned from


def test_rows_are_found_by_what_they_show(plan):
    pool = Pool(rows_of(plan), np.zeros(0), 0)
    for ids in plan.split.parts.values():
        wanted = [place for place, row in enumerate(pool.rows) if plan.labelled.photos[row.photo].object_id in ids]
        assert rows_showing(plan, pool, ids).tolist() == wanted
    assert rows_showing(plan, pool, ()).tolist() == []


def test_photographs_of_one_work_agree_and_others_do_not(plan, tmp_path, monkeypatch):
    read = Counter()
    known = training.read_photograph
    monkeypatch.setattr(
        training, "read_photograph", lambda path, **more: read.update([path.name]) or known(path, **more)
    )
    photos = [LabelledPhoto(tmp_path / f"{number}.png", f"K-{number}", True) for number in range(3)]
    for photo, picture in zip(photos, (painting(1), painting(1).resize((400, 300)), painting(2)), strict=True):
        picture.save(photo.path)
    plan = replace(plan, labelled=Labelled(tuple(photos)))
    pool = Pool(rows_of(plan), np.zeros(0), 0)
    first = [next(place for place, row in enumerate(pool.rows) if row.photo == number) for number in range(3)]
    agree = agreement(plan, pool)
    assert agree(first[0], first[1]) and not agree(first[0], first[2]) and not agree(first[2], first[1])
    assert agree(first[0] + 1, first[1] + 1)  # by the photo, not by what was made of it
    assert read == {"0.png": 1, "1.png": 1, "2.png": 1}


# -- what is measured, with rows and vectors that are known


class Known:
    """A trainer whose vectors are given."""

    def __init__(self, rows: tuple[Row, ...], vectors: np.ndarray) -> None:
        self.pool = Pool(rows, vectors, 0)
        self.objects, self.genuine = self.pool.objects, self.pool.genuine
        self.options = TrainingOptions()
        self.network = deepcopy(tower())

    @property
    def tower(self) -> "Known":
        return self

    pooled = tower

    def embed(self, rows: np.ndarray) -> np.ndarray:
        return self.pool.features[rows]

    def summary(self, rows: np.ndarray, source: "Known"):
        return summarise(source.embed(rows), self.objects[rows], self.genuine[rows])


@pytest.fixture
def known(plan: Plan) -> Known:
    """Vectors near those of their object."""
    rows, random = rows_of(plan), np.random.default_rng(5)
    centres = random.normal(0, 1, (len(OBJECTS), 6))
    vectors = np.stack([centres[row.object] + random.normal(0, 0.8, 6) for row in rows])
    return Known(rows, unit(vectors))


def test_the_threshold_comes_from_validation_and_the_figures_from_what_is_held_back(plan, known):
    validation, test = (rows_showing(plan, known.pool, ids) for ids in (SPLIT.validation, SPLIT.test))
    found = measure(known, validation, test)
    threshold = summarise(known.pool.features[validation], known.objects[validation], known.genuine[validation])
    assert found.threshold == threshold.threshold and found.threshold_given
    objects = [str(number) for number in known.objects[test]]
    wanted = evaluate(known.pool.features[test], objects, known.genuine[test], threshold=threshold.threshold)
    assert found.as_dict() == wanted.as_dict() and found.counts["objects"] == 3


def test_the_hardest_pairs_are_those_of_a_plain_loop(plan, known):
    rows = rows_showing(plan, known.pool, (*SPLIT.training, *SPLIT.validation))
    found = hardest_pairs(plan, known, rows, count=2)
    wanted = []
    for said in ("two genuine pictures of", "genuine, and a forgery of", "two different works,"):
        best, sign = [], -1 if said.startswith("two genuine") else 1  # the farthest of these, the nearest of those
        for one in rows.tolist():
            pairs = [
                (float(np.linalg.norm(known.pool.features[one] - known.pool.features[other])), other)
                for other in rows.tolist()
                if shown_as(known, one, other) == said
            ]
            if pairs and known.pool.rows[one].kind == PLAIN and known.genuine[one]:
                distance, other = min(pairs, key=lambda pair: sign * pair[0])
                best.append((sign * distance, one, other))
        shown: list[set[int]] = []
        for value, one, other in sorted(best):
            both = {known.objects[one], known.objects[other]}
            if len(shown) < 2 and not any(objects & both for objects in shown):  # each object once
                shown.append(both)
                wanted.append((sign * value, said, one, other))
    assert len(found) == len(wanted) == 6
    for (picture, against, distance, said), (far, kind, one, other) in zip(found, wanted, strict=True):
        ids = list(dict.fromkeys(plan.labelled.photos[known.pool.rows[row].photo].object_id for row in (one, other)))
        assert distance == pytest.approx(far, abs=1e-4) and said == f"{kind} {' and '.join(ids)}"
        for made, row in ((picture, one), (against, other)):
            again = next(make_pictures(plan.labelled.photos, [known.pool.rows[row]], SHAPE))[0]
            assert np.array_equal(made, again)


def shown_as(known: Known, one: int, other: int) -> str | None:
    """Return what a pair is, seen from a plain genuine photo."""
    if known.objects[one] == known.objects[other]:
        if known.genuine[other]:
            return "two genuine pictures of" if one != other else None
        return "genuine, and a forgery of"
    plain = known.pool.rows[other].kind == PLAIN and known.genuine[other]
    return "two different works," if plain else None


def test_without_forgeries_there_is_no_hardest_one(plan, known):
    rows = rows_showing(plan, known.pool, SPLIT.validation)
    found = hardest_pairs(plan, known, rows[known.genuine[rows]])
    assert {said.split(" K-")[0] for *_, said in found} == {"two genuine pictures of", "two different works,"}


@pytest.mark.slow
def test_the_projection_is_learned_from_genuine_training_pictures(plan, known):
    random = np.random.default_rng(0)
    known.pool = replace(known.pool, features=random.normal(0, 1, (len(known.pool.rows), 1280)).astype(np.float32))
    rows = rows_showing(plan, known.pool, SPLIT.training)
    project_by_whitening(known, rows, 4)
    genuine = [row for row in rows if known.genuine[row]]
    weight, bias = discriminative_whitening(known.pool.features[genuine], known.objects[genuine], 4)
    assert known.network.projection == 4 and len(genuine) < len(rows)
    assert torch.allclose(known.network.project.weight, torch.from_numpy(weight).float(), atol=1e-6)
    assert torch.allclose(known.network.project.bias, torch.from_numpy(bias).float(), atol=1e-6)


def test_a_projection_is_no_larger_than_what_it_projects(plan, known):
    random = np.random.default_rng(0)
    known.pool = replace(known.pool, features=random.normal(0, 1, (len(known.pool.rows), 1280)).astype(np.float32))
    project_by_whitening(known, rows_showing(plan, known.pool, SPLIT.training), 5000)
    assert known.network.projection == 1280 == known.network.pooled_size()
    spread = known.network.project(torch.from_numpy(known.pool.features)).std(0)
    assert (spread > 0).sum() > 8  # more than six objects can span by their means alone


# -- the distance place by place


def test_places_are_trained_on_genuine_training_photos_alone(plan, monkeypatch):
    asked, told = [], []
    record = LocalRecord(1, 0.5, 1.0)

    def train(network, preprocessing, paths, kinds, options, *, on_step):
        asked.append((network, preprocessing, list(paths), kinds, options))
        on_step(1, 1)
        yield record

    monkeypatch.setattr(training, "train_local", train)
    watching = Watching(
        *[lambda done, total: None] * 2, lambda _: None, lambda *step: told.append(step), lambda one: told.append(one)
    )
    train_heads(plan, plan.start.network, watching)
    wanted = [p.path for p in plan.labelled.photos if p.genuine and p.object_id in SPLIT.training]
    assert asked == [(plan.start.network, SHAPE, wanted, RECIPE.kinds, plan.local)] and len(wanted) == 7
    assert told == [(1, 1), record]
    train_heads(replace(plan, local=None), plan.start.network, watching)
    assert len(asked) == 1


# -- the encoder


@cache
def exported(folder: Path) -> Path:
    export_encoder(deepcopy(tower()), folder, preprocessing=SHAPE)
    return folder


@pytest.mark.parametrize("enough", [True, False])
@pytest.mark.slow
def test_the_distances_are_combined_on_objects_held_back_or_else_on_all(plan, monkeypatch, tmp_path_factory, enough):
    asked = []
    made = exported(tmp_path_factory.getbasetemp() / "exported")
    monkeypatch.setattr(training, "export_encoder", lambda _, folder, **more: shutil.copytree(made, folder))

    def combination(photos, encoder, *, seed):
        asked.append((sorted({photo.object_id for photo in photos}), encoder.spec, seed))
        value = 0.4 if enough or len(asked) == 2 else None
        return Combination(0.1 * len(asked), Threshold(value, 0.05, 7))

    monkeypatch.setattr(training, "combination_of", combination)
    found = write_encoder(plan, plan.start.network)
    partial = plan.work / "encoder"
    assert found == Combination(0.1 if enough else 0.2, Threshold(0.4, 0.05, 7))
    written = load_encoder(str(partial))
    assert (written.global_weight, written.combined_threshold) == (found.global_weight, found.threshold)
    wanted = [(sorted(OBJECTS[6:]), str(partial), 3), (list(OBJECTS), str(partial), 3)]
    assert asked == wanted[: 1 if enough else 2]
    assert not (plan.out / DESCRIPTION).exists()


@pytest.fixture
def trained(plan: Plan, known: Known) -> Trained:
    rows = rows_showing(plan, known.pool, SPLIT.test)
    found = measure(known, rows, rows)
    record = EpochRecord("head", 1, 0.5, 0.4, 0.01, 1.2, 0.9, 0.1, 0.95, 2.0, 10, True)
    return Trained([record], {}, found, found, True, Combination(0.3, Threshold(0.4, 0.05, 7)), [])


@pytest.fixture
def finished(plan: Plan) -> Plan:
    """The folder of a training that has only to be published."""
    (plan.work / "encoder").mkdir(parents=True)
    for name in ("model.safetensors", "openvino.bin", "openvino.xml", DESCRIPTION):
        (plan.work / "encoder" / name).write_text(name)
    for name in ("plan.json", "split.json", "history.jsonl", "pool.npy", "pool.json", "checkpoint.json"):
        (plan.work / name).write_text(name)
    (plan.work / "checkpoint-2.safetensors").write_text("numbers")
    (plan.work / "tensorboard").mkdir()
    (plan.work / "tensorboard" / "events").write_text("events")
    return plan


def test_an_encoder_is_published_with_its_card_and_figures_and_nothing_else_is_left(finished, trained):
    publish(finished, trained, {"curves.png": b"picture"})
    own = {DESCRIPTION, "model.safetensors", "openvino.bin", "openvino.xml"}
    found = content(finished.out)
    assert set(found) == own | {"README.md", "metrics.json", "curves.png"} | {
        f"training/{name}" for name in ("plan.json", "split.json", "history.jsonl", "tensorboard/events")
    }
    assert {name.split("/")[1] for name in found if "/" in name} == set(KEPT)
    assert all(found[name] == name.encode() for name in own) and found["curves.png"] == b"picture"
    metrics = json.loads(found["metrics.json"])
    assert metrics["after"] == trained.after.as_dict() and metrics["threshold"] == trained.after.threshold
    threshold = {"value": 0.4, "rate": 0.05, "count": 7, "confidence": None, "asked": None}
    assert metrics["combination"] == {"global_weight": 0.3, "threshold": threshold} and metrics["held_back"] == "test"
    assert metrics["counts"]["objects"] == 3 and b"artifact train" in found["README.md"]


@pytest.mark.parametrize("at", range(1, 8))
def test_a_folder_becomes_an_encoder_with_the_last_file(finished, trained, monkeypatch, at):
    calls, known = count(1), os.replace

    def replaced(source: Path, target: Path) -> None:
        if next(calls) == at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))
        known(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", replaced)
        with pytest.raises(OSError, match="No space left"):
            publish(finished, trained, {"curves.png": b"picture"})
    assert next(calls) == at + 1 and not (finished.out / DESCRIPTION).exists()
    assert (finished.work / "checkpoint.json").exists() and (finished.work / "pool.npy").exists()
    for path in finished.out.iterdir():  # as the next run writes them again
        if path.is_file():
            (finished.work / "encoder" / path.name).write_bytes(path.read_bytes())
    publish(finished, trained, {"curves.png": b"picture"})
    assert (finished.out / DESCRIPTION).read_text() == DESCRIPTION
    assert {path.name for path in finished.work.iterdir()} == set(KEPT)


def test_figures_of_validation_objects_are_not_called_those_of_a_test(finished, trained):
    publish(finished, replace(trained, tested=False, combination=None), {})
    metrics = json.loads((finished.out / "metrics.json").read_text())
    assert metrics["held_back"] == "validation" and metrics["combination"] is None
