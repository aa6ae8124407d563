"""Run a whole training: pictures, epochs, evaluation on held-back objects, an encoder folder."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch.autograd.graph import saved_tensors_hooks

from indexer.inputs.labels import Labelled
from indexer.measuring.combination import Combination, combination_of
from indexer.metric_learning.encoder_figures import Evaluation, evaluate
from indexer.metric_learning.nearest_wrong import agree_by_geometry
from indexer.metric_learning.whitening import discriminative_whitening
from indexer.training import history
from indexer.training.checkpoint import load_checkpoint
from indexer.training.export import export_encoder
from indexer.training.history import EpochRecord
from indexer.training.local_heads import LocalOptions, LocalRecord, train_local
from indexer.training.model_card import model_card
from indexer.training.options import TrainingOptions
from indexer.training.pool import (
    PLAIN,
    Pool,
    Progress,
    Recipe,
    Row,
    fill_pool,
    frozen_part,
    kept_shape,
    make_pictures,
    plan_rows,
)
from indexer.training.split import Split, write_split
from indexer.training.start import Start
from indexer.training.trainer import Trainer
from retrieval.encoder.encoder import DESCRIPTION, load_encoder
from retrieval.errors import ArtifactError
from retrieval.photographs.features import Features, features_of
from retrieval.photographs.images import read_photograph

WORK = "training"  # folder, beside the encoder's own files, of what a run keeps to go on from
KEPT = ("plan.json", "split.json", "history.jsonl", "tensorboard")  # in it, when the training is done
FEATURES_SIDE = 260  # pixels of the photographs between which one work is recognised
SAMPLED = 4  # photos on which the forecast is measured
SPARE = 1.2  # times what the pictures take that must be free on the disk


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What is to be trained on, from what, and how."""

    labelled: Labelled
    split: Split
    start: Start
    recipe: Recipe
    options: TrainingOptions
    dim: int
    local: LocalOptions | None  # None: the distance place by place is not trained
    out: Path
    about: dict[str, str]  # of the model card
    command: str  # that makes it again

    @property
    def frozen(self) -> int:
        """The number of the network's parts that are not trained."""
        return max(0, len(self.start.network.parts()) - self.options.unfreeze)

    @property
    def work(self) -> Path:
        """The folder of what a run goes on from."""
        return self.out / WORK

    def described(self) -> dict:
        """Return all that the outcome depends on, for JSON."""
        photos = [[str(photo.path), photo.object_id, photo.genuine] for photo in self.labelled.photos]
        options = asdict(self.options)
        options["bf16"] = options.pop("precision") == "bf16"  # as a run that was stopped long ago wrote it
        return {
            "photos": hashlib.sha256(json.dumps(photos).encode()).hexdigest(),
            "split": asdict(self.split),
            "start": self.start.spec,
            "preprocessing": asdict(self.start.preprocessing),
            "recipe": asdict(self.recipe),
            "options": options,
            "dim": self.dim,
            "local": asdict(self.local) if self.local else None,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Watching:
    """Who is told of a training while it runs."""

    pictures: Progress
    steps: Progress  # of an epoch
    epoch: Callable[[EpochRecord], None]
    local: Progress
    local_epoch: Callable[[LocalRecord], None]


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What came out of a training: figures of the objects held back, before and after."""

    history: list[EpochRecord]
    baseline: dict[str, dict[str, float]]  # of the validation objects, before
    before: Evaluation
    after: Evaluation
    tested: bool  # on objects of the test; else on those of validation
    combination: Combination | None
    hardest: list[tuple[np.ndarray, np.ndarray, float, str]]  # pairs of pictures uint8, their distance, what they are


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a training will take, measured on a few pictures."""

    pictures: int
    megabytes: float  # on disk, while it runs
    memory: float  # megabytes
    seconds: float


def prepare(plan: Plan) -> int:
    """Make the folder of a training, or find one that was stopped; return how many epochs it has behind it.

    One that had not ended its first epoch gives way to another: nothing is lost but pictures. Raises ArtifactError
    where the folder holds an encoder already, another training, or files of another kind; and on too few pictures.
    """
    if (plan.out / DESCRIPTION).exists():
        raise ArtifactError(f"{plan.out} holds an encoder already; name another folder with --out, or move it away")
    _check_pictures(plan)
    file, described = plan.work / "plan.json", json.loads(json.dumps(plan.described()))
    if not file.exists() and (other := _other_file(plan)):
        raise ArtifactError(f"{plan.out} holds other files already, such as {other}; name a new folder with --out")
    if (plan.work / "checkpoint.json").exists():
        found = json.loads(file.read_text(encoding="utf-8"))
        if found != described:
            changed = ", ".join(name for name, value in described.items() if found.get(name) != value)
            raise ArtifactError(
                f"{plan.out} holds another training, which was stopped (it differs in: {changed}); give its options to "
                "go on with it, name another folder with --out, or move it away"
            )
        saved = load_checkpoint(plan.work / "checkpoint.json")
        return saved.epoch if saved else 0
    plan.work.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".new")
    partial.write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")
    os.replace(partial, file)
    write_split(plan.work / "split.json", plan.split)
    return 0


def _check_pictures(plan: Plan) -> None:
    """Raise ArtifactError unless two objects of each part have two genuine pictures, so that there are pairs."""
    genuine = Counter(plan.labelled.photos[row.photo].object_id for row in rows_of(plan) if row.genuine)
    for part, object_ids in plan.split.parts.items():
        paired = sum(genuine[object_id] > 1 for object_id in object_ids)
        if paired < 2 and (object_ids or part != "test"):
            raise ArtifactError(
                f"{paired} of the {len(object_ids)} objects for {part} have two genuine pictures, and two objects "
                "must: give more photographs, or ask for --views"
            )


def _other_file(plan: Plan) -> str | None:
    """Return a file in the folder that no training wrote: it must be neither overwritten nor taken away."""
    ours = (plan.work, plan.work / "plan.new")
    return next((str(path.relative_to(plan.out)) for path in plan.out.rglob("*") if path not in ours), None)


def forecast(plan: Plan) -> Forecast:
    """Measure a few pictures and steps, and return what the whole will take; raises ArtifactError on a full disk."""
    rows, network, options = rows_of(plan), plan.start.network.to(plan.options.device), plan.options
    run = frozen_part(network, plan.start.preprocessing, plan.frozen, options.device)
    size = int(np.prod(kept_shape(run, plan.start.preprocessing))) * (2 if plan.frozen else 1)
    free = shutil.disk_usage(plan.work).free + _size(plan.work / "pool.npy")
    needed = len(rows) * size
    if needed * SPARE > free:
        raise ArtifactError(
            f"the pictures to learn from take {needed / 1e9:.1f} GB while it runs, and {free / 1e9:.1f} GB are free in "
            f"{plan.out}; free some, train elsewhere (--out), or ask for fewer --views and --copies"
        )
    few = [row for row in rows if row.photo < SAMPLED]
    start = time.monotonic()
    pictures = np.concatenate(list(make_pictures(plan.labelled.photos, few, plan.start.preprocessing)))
    kept = run(pictures)
    making = (time.monotonic() - start) / len(few)
    values = torch.from_numpy(kept).float().to(options.device).requires_grad_(True)
    before = _memory_so_far()
    saved: dict[int, int] = {}  # bytes, by where they lie: some are saved twice

    def save(value: torch.Tensor) -> torch.Tensor:
        saved[value.data_ptr()] = value.nbytes
        return value

    start = time.monotonic()
    with torch.enable_grad(), saved_tensors_hooks(save, lambda value: value):
        network.requires_grad_(True)
        network.pooled(network.run(values, plan.frozen)).sum().backward()
        network.zero_grad(set_to_none=True)
    learning = (time.monotonic() - start) / len(few)
    photos = options.photos + (options.forgeries or 0 if plan.recipe.copies else 0)
    views, batch = len(plan.split.training) * photos, options.objects * photos
    memory = before + sum(saved.values()) / len(few) * batch
    seconds = len(rows) * making + options.epochs * (views + len(rows) / 5) * learning
    if plan.local:
        seconds += plan.local.epochs * min(plan.local.photos, len(plan.split.training)) * 4 * making
    return Forecast(len(rows), needed / 1e6, memory / 1e6, seconds)


def _memory_so_far() -> int:
    """Return the most bytes that this process has held in memory, 0 where that cannot be told."""
    if sys.platform == "win32":
        return 0
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def run_training(plan: Plan, watching: Watching) -> Trained:
    """Train, evaluate on the objects held back, and write the encoder folder; goes on where a run was stopped."""
    network, options = plan.start.network.to(plan.options.device), plan.options
    pool = fill_pool(
        plan.labelled.photos,
        rows_of(plan),
        network,
        plan.start.preprocessing,
        frozen=plan.frozen,
        folder=plan.work,
        device=options.device,
        on_progress=watching.pictures,
    )
    training, validation, test = (rows_showing(plan, pool, ids) for ids in plan.split.parts.values())
    trainer = Trainer(
        network,
        plan.start.preprocessing,
        pool,
        training=training,
        validation=validation,
        options=options,
        agree=agreement(plan, pool),
        checkpoint=plan.work / "checkpoint.json",
    )
    held_back = test if len(test) else validation
    before = measure(trainer, validation, held_back)
    baseline = asdict(trainer.summary(validation, trainer.tower))
    if network.projection != plan.dim:
        project_by_whitening(trainer, training, plan.dim)
    log = plan.work / "history.jsonl"
    history.truncate(log, trainer.epochs_done)
    writer = history.tensorboard_writer(plan.work / "tensorboard", after=trainer.epochs_done)
    for record in trainer.run(watching.steps):
        history.append(log, record)
        history.log(writer, record)
        watching.epoch(record)
    after = measure(trainer, validation, held_back)
    hardest = hardest_pairs(plan, trainer, held_back)
    train_heads(plan, network, watching)
    threshold = write_encoder(plan, network)
    return Trained(
        history.read(log),
        {name: {"value": value} for name, value in baseline.items()},
        before,
        after,
        bool(len(test)),
        threshold,
        hardest,
    )


def rows_of(plan: Plan) -> tuple[Row, ...]:
    """Return the pictures that a plan makes."""
    numbers = {object_id: number for number, object_id in enumerate(plan.labelled.object_ids)}
    return plan_rows(plan.labelled.photos, numbers, plan.recipe)


def rows_showing(plan: Plan, pool: Pool, object_ids: tuple[str, ...]) -> np.ndarray:
    """Return the numbers of the rows that show some objects, int64."""
    wanted, photos = set(object_ids), plan.labelled.photos
    return np.flatnonzero([photos[row.photo].object_id in wanted for row in pool.rows])


def agreement(plan: Plan, pool: Pool) -> Callable[[int, int], bool]:
    """Return the check whether the photos behind two rows show the same work, by registration."""
    known: dict[int, Features] = {}

    def features(row: int) -> Features:
        photo = pool.rows[row].photo
        if photo not in known:
            path = plan.labelled.photos[photo].path
            known[photo] = features_of(read_photograph(path, short_side=FEATURES_SIDE))
        return known[photo]

    return agree_by_geometry(features)


def project_by_whitening(trainer: Trainer, rows: np.ndarray, dim: int) -> None:
    """Give the network a projection that is good already, in closed form, from the genuine pictures of some rows."""
    genuine = rows[trainer.genuine[rows]]
    pooled = trainer.pooled.embed(genuine)
    objects, size = trainer.objects[genuine], min(dim, pooled.shape[1])
    few = len(np.unique(objects)) <= size  # their means alone would leave all but a few numbers at nothing
    weight, bias = discriminative_whitening(pooled, objects, size, each_photograph=few)
    project = trainer.network.add_projection(len(weight)).to(trainer.options.device)
    with torch.no_grad():
        project.weight.copy_(torch.from_numpy(weight))
        project.bias.copy_(torch.from_numpy(bias))


def measure(trainer: Trainer, validation: np.ndarray, held_back: np.ndarray) -> Evaluation:
    """Evaluate the network as it is on rows held back, at the threshold that the validation rows set."""
    threshold = trainer.summary(validation, trainer.tower).threshold
    objects = [str(number) for number in trainer.objects[held_back]]
    vectors = trainer.tower.embed(held_back)
    return evaluate(vectors, objects, trainer.genuine[held_back], threshold=threshold)


def hardest_pairs(plan: Plan, trainer: Trainer, rows: np.ndarray, count: int = 4) -> list:
    """Return the genuine pairs that lie farthest apart and the wrong pairs that lie nearest, one an object."""
    objects, genuine = trainer.objects[rows], trainer.genuine[rows]
    vectors = trainer.tower.embed(rows)
    distance = np.sqrt(np.maximum(2.0 - 2.0 * vectors @ vectors.T, 0.0))
    plain = np.array([trainer.pool.rows[row].kind == PLAIN for row in rows]) & genuine
    same = objects[:, None] == objects[None, :]
    kinds = (
        ("two genuine pictures of", np.where(plain[:, None] & genuine[None, :] & same, distance, -np.inf)),
        ("genuine, and a forgery of", np.where(plain[:, None] & ~genuine[None, :] & same, -distance, -np.inf)),
        ("two different works,", np.where(plain[:, None] & plain[None, :] & ~same, -distance, -np.inf)),
    )
    found = []
    for said, value in kinds:
        shown: set[int] = set()
        left = count
        for one in np.argsort(-value.max(axis=1), kind="stable").tolist():
            other = int(value[one].argmax())
            both = {int(objects[one]), int(objects[other])}
            if left and np.isfinite(value[one, other]) and shown.isdisjoint(both):
                shown, left = shown | both, left - 1
                pair = [trainer.pool.rows[rows[index]] for index in (one, other)]
                pictures = [
                    next(make_pictures(plan.labelled.photos, [row], plan.start.preprocessing))[0] for row in pair
                ]
                names = dict.fromkeys(plan.labelled.photos[row.photo].object_id for row in pair)
                found.append((*pictures, float(distance[one, other]), f"{said} {' and '.join(names)}"))
    return found


def train_heads(plan: Plan, network: torch.nn.Module, watching: Watching) -> None:
    """Train the distance place by place, where that is asked for."""
    if plan.local is None:
        return
    wanted = set(plan.split.training)
    paths = [photo.path for photo in plan.labelled.photos if photo.genuine and photo.object_id in wanted]
    for record in train_local(
        network, plan.start.preprocessing, paths, plan.recipe.kinds, plan.local, on_step=watching.local
    ):
        watching.local_epoch(record)


def write_encoder(plan: Plan, network: torch.nn.Module) -> Combination | None:
    """Write the encoder's own files, with how its two distances are combined, and the threshold; return that."""
    partial = plan.work / "encoder"
    export_encoder(network.cpu(), partial, preprocessing=plan.start.preprocessing)
    found = None
    if network.has_stages:
        held_back = {*plan.split.validation, *plan.split.test}
        photos = [photo for photo in plan.labelled.photos if photo.object_id in held_back]
        encoder = load_encoder(str(partial))
        found = combination_of(photos, encoder, seed=plan.options.seed)
        if found.threshold.value is None:  # better one of objects that were trained on too than none
            found = combination_of(plan.labelled.photos, encoder, seed=plan.options.seed)
        description = json.loads((partial / DESCRIPTION).read_text(encoding="utf-8"))
        description |= {"global_weight": found.global_weight, "combined_threshold": asdict(found.threshold)}
        (partial / DESCRIPTION).write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
    return found


def publish(plan: Plan, trained: Trained, extra: dict[str, bytes]) -> None:
    """Put the encoder in its place, with its card, its figures and other files; what only the run needed goes."""
    partial = plan.work / "encoder"
    before, after = trained.before.as_dict(), trained.after.as_dict()
    card = model_card(
        plan.out.name,
        about=plan.about,
        command=plan.command,
        history=trained.history,
        before=before,
        after=after,
        tested=trained.tested,
    )
    metrics = {
        "before": before,
        "after": after,
        "threshold": trained.after.threshold,
        "counts": trained.after.counts,
        "held_back": "test" if trained.tested else "validation",
        "combination": asdict(trained.combination) if trained.combination else None,
    }
    files = {"README.md": card.encode(), "metrics.json": (json.dumps(metrics, indent=1) + "\n").encode(), **extra}
    for name, content in files.items():
        (partial / name).write_bytes(content)
    names = sorted((file.name for file in partial.iterdir()), key=lambda name: name == DESCRIPTION)
    for name in names:  # the description last: with it, the folder is an encoder
        os.replace(partial / name, plan.out / name)
    partial.rmdir()
    for file in plan.work.iterdir():
        if file.name not in KEPT:
            file.unlink()
