"""What a training is to do, and the folder in which it does it."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from indexer.inputs.labels import LabelledPhotos
from indexer.training.checkpoint import load_checkpoint
from indexer.training.options import TrainingOptions
from indexer.training.pool import PictureRow, Pool, Recipe, plan_rows
from indexer.training.split import Split, write_split
from indexer.training.start import Start
from retrieval.encoder.encoder import DESCRIPTION
from retrieval.errors import ArtifactError

WORK = "training"  # folder, beside the encoder's own files, of what a run keeps to go on from
ENCODER = "encoder"  # folder, in that one, of the encoder's own files until it is published


@dataclass(frozen=True, slots=True, eq=False)
class TrainingPlan:
    """What is to be trained on, from what, and how."""

    labelled: LabelledPhotos
    split: Split
    start: Start
    recipe: Recipe
    options: TrainingOptions
    dim: int
    out: Path
    command: str  # that makes the encoder again

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
        options["bf16"] = options.pop("precision") == "bf16"  # the name in the plan of a run that was stopped
        return {
            "photos": hashlib.sha256(json.dumps(photos).encode()).hexdigest(),
            "split": asdict(self.split),
            "start": self.start.spec,
            "preprocessing": asdict(self.start.preprocessing),
            "recipe": asdict(self.recipe),
            "options": options,
            "dim": self.dim,
        }

    @property
    def rows(self) -> tuple[PictureRow, ...]:
        """The pictures to learn from."""
        numbers = {object_id: number for number, object_id in enumerate(self.labelled.object_ids)}
        return plan_rows(self.labelled.photos, numbers, self.recipe)

    @property
    def about(self) -> dict[str, str]:
        """What the model card says of how the encoder was made."""
        size, recipe, share = self.start.preprocessing, self.recipe, self.options.interpolate
        weights = (
            f"{share:g} of the trained ones, whose figures the epochs show, {1 - share:g} of those they began with"
        )
        copies = f", {recipe.copies} simulated copies ({', '.join(recipe.kinds)})" if recipe.copies else ""
        return {
            "Started from": f"the encoder {self.start.spec}, {self.start.network.architecture}",
            "Photographs": f"{self.labelled.summary}; of each, {recipe.views} simulated re-photographs{copies}",
            "Split": self.split.summary,
            "Seed": str(self.options.seed),
            "Input": f"{size.width} x {size.height} pixels, the whole photograph",
            "Embedding": f"{self.dim} numbers",
            "Loss": f"{' + '.join(self.options.losses)}, miner {self.options.miner}",
            **({"Weights": weights} if share != 1 else {}),
        }


def prepare_folder(plan: TrainingPlan) -> int:
    """Make the folder of a training, or find one that was stopped; return how many epochs it has behind it.

    A training that had not ended its first epoch gives way to another, since nothing is lost but pictures. Raises
    ArtifactError where the folder holds an encoder already, another training, or files of another kind; and on too few
    pictures.
    """
    if (plan.out / DESCRIPTION).exists():
        raise ArtifactError(f"{plan.out} holds an encoder already; name another folder with --out, or move it away")
    _check_pictures(plan)
    file, described = plan.work / "plan.json", json.loads(json.dumps(plan.described()))
    if not file.exists() and (other := _other_file(plan)):
        raise ArtifactError(f"{plan.out} holds other files already, such as {other}; name a new folder with --out")
    if (plan.work / "checkpoint.json").exists():
        found = json.loads(file.read_text(encoding="utf-8"))
        if changed := ", ".join(name for name, value in described.items() if found.get(name) != value):
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


def _check_pictures(plan: TrainingPlan) -> None:
    """Raise ArtifactError unless two objects of each part have two genuine pictures, so that there are pairs."""
    genuine = Counter(plan.labelled.photos[row.photo].object_id for row in plan.rows if row.genuine)
    for part, object_ids in plan.split.parts.items():
        paired = sum(genuine[object_id] > 1 for object_id in object_ids)
        if paired < 2 and (object_ids or part != "test"):
            raise ArtifactError(
                f"{paired} of the {len(object_ids)} objects for {part} have two genuine pictures, and two objects "
                "must: give more photographs, or ask for --views"
            )


def _other_file(plan: TrainingPlan) -> str | None:
    """Return a file in the folder that no training wrote and none may touch, None where there is no such file."""
    ours = (plan.work, plan.work / "plan.new")
    return next((str(path.relative_to(plan.out)) for path in plan.out.rglob("*") if path not in ours), None)


def rows_showing(plan: TrainingPlan, pool: Pool, object_ids: tuple[str, ...]) -> np.ndarray:
    """Return the numbers of the rows that show some objects, int64."""
    wanted, photos = set(object_ids), plan.labelled.photos
    return np.flatnonzero([photos[row.photo].object_id in wanted for row in pool.rows])
