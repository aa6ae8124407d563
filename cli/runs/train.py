"""What `artifact train` does, and what it says."""

from __future__ import annotations

import fnmatch
import io
import shlex
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

import typer
from PIL import Image

from cli.output.interruption import GOES_ON, saying
from cli.output.progress import progress
from cli.output.text import plain
from cli.pages.training import training_page
from cli.pictures.training_curves import curves_png
from cli.runs.simulate import kinds_of
from indexer.inputs.labels import LabelledPhotos, read_labels
from indexer.training import history
from indexer.training.history import EpochRecord
from indexer.training.model_card import compared_figures
from indexer.training.options import TrainingRequest
from indexer.training.split import Split, read_split, split_by_object
from retrieval.encoder.torch_engine import import_torch
from retrieval.errors import ArtifactError
from retrieval.statistics.metrics import Estimate

if TYPE_CHECKING:
    from indexer.training.forecast import Forecast
    from indexer.training.plan import TrainingPlan
    from indexer.training.publish import TrainingResult
    from indexer.training.run import Listeners

FORGERIES = 2  # of each object in a batch


def run_train(request: TrainingRequest) -> None:
    """Train an encoder on labelled photographs, and write its folder."""
    labelled = read_labels(request.source)
    for name in ("torch", "timm", "safetensors.torch", "matplotlib"):
        import_torch(name)
    from indexer.training.forecast import make_forecast
    from indexer.training.plan import prepare_folder
    from indexer.training.publish import publish_encoder
    from indexer.training.run import run_training

    split = chosen_split(labelled, request)
    plan = make_plan(request, labelled, split)
    typer.echo(labelled.summary)
    typer.echo(split.summary)
    done = prepare_folder(plan)
    typer.echo(f"going on after epoch {done}" if done else forecast_line(make_forecast(plan)))
    with saying(GOES_ON), TerminalDisplay() as listeners:
        result = run_training(plan, listeners)
    publish_encoder(plan, result, pages(plan, result))
    say_result(plan, result)


def forecast_line(expected: Forecast) -> str:
    """Return in words what a training will take."""
    minutes = max(1, round(expected.seconds / 60))
    return (
        f"{expected.pictures:,} pictures; it takes {expected.megabytes:,.0f} MB of disk, "
        f"{expected.memory / 1e3:,.1f} GB of memory, about {minutes:,} {'minute' if minutes == 1 else 'minutes'}"
    )


def chosen_split(labelled: LabelledPhotos, request: TrainingRequest) -> Split:
    """Return the split that was given, or a new one with the objects that were named held back."""
    if request.split is not None:
        if request.hold_out:
            raise ArtifactError("give either --split, which says already what is held back, or --hold-out")
        return read_split(request.split, labelled)
    held_out: set[str] = set()
    for pattern in request.hold_out:
        found = fnmatch.filter(labelled.object_ids, pattern)
        if not found:
            raise ArtifactError(f"--hold-out {pattern}: no object in {request.source} has such an id")
        held_out.update(found)
    return split_by_object(
        labelled,
        validation=request.validation,
        test=request.test,
        seed=request.options.seed,
        held_out=sorted(held_out),
    )


def make_plan(request: TrainingRequest, labelled: LabelledPhotos, split: Split) -> TrainingPlan:
    """Return the plan of a training, its network loaded; raises ArtifactError where options do not go together."""
    import torch

    from indexer.training.plan import TrainingPlan
    from indexer.training.pool import Recipe
    from indexer.training.start import open_start, with_size

    options = request.options
    if options.forgeries is None:  # simulated copies alone would cost more recall than they teach: see the ablation
        options = replace(options, forgeries=FORGERIES if labelled.forgery_count else 0)
    if options.device == "cuda" and not torch.cuda.is_available():
        raise ArtifactError("--device cuda: torch finds no CUDA device here; leave it out to train on the CPU")
    start = open_start(request.encoder)
    if request.size is not None:
        start = with_size(start, request.size)
    kinds = tuple(kind for kind in kinds_of(request.kinds) if kind != "face")  # nothing says where the faces are
    recipe = Recipe(request.views, request.copies, kinds, seed=options.seed, conditions=request.conditions)
    return TrainingPlan(
        labelled=labelled,
        split=split,
        start=start,
        recipe=recipe,
        options=options,
        dim=min(request.dim, start.network.pooled_size()),
        out=request.out,
        command=shlex.join(["artifact", *sys.argv[1:]]),
    )


class Bar:
    """A bar of progress that is there from the first step to the last, and begins anew after the last."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._open = ExitStack()
        self._show: Callable[[int, int], None] | None = None

    def __call__(self, done: int, total: int) -> None:
        if self._show is None:
            self._show = self._open.enter_context(progress(self._what))
        self._show(done, total)
        if done >= total:
            self.close()

    def close(self) -> None:
        """Take the bar away."""
        self._open.close()
        self._show = None


class TerminalDisplay:
    """Shows a training on the terminal: bars for what takes long, a line for each epoch."""

    def __init__(self) -> None:
        self._bars = [Bar("Making pictures"), Bar("Training")]
        self._headed = False

    def __enter__(self) -> Listeners:
        from indexer.training.run import Listeners

        pictures, steps = self._bars
        return Listeners(pictures, steps, self._epoch)

    def __exit__(self, *_: object) -> None:
        for bar in self._bars:
            bar.close()

    def _epoch(self, record: EpochRecord) -> None:
        if not self._headed:
            typer.echo(history.HEADER)
            self._headed = True
        typer.echo(history.line(record))


def pages(plan: TrainingPlan, result: TrainingResult) -> dict[str, bytes]:
    """Return the curves as a picture, and the page about a training, by name of the file."""
    png = io.BytesIO()
    curves_png(result.history, result.baseline).save(png, "PNG")
    page = training_page(
        plan.out.name,
        about=plan.about,
        command=plan.command,
        history=result.history,
        baseline=result.baseline,
        before=result.before.as_dict(),
        after=result.after.as_dict(),
        tested=result.tested,
        hardest=[
            (Image.fromarray(pair.one), Image.fromarray(pair.other), pair.distance, pair.said)
            for pair in result.hardest
        ],
    )
    return {"curves.png": png.getvalue(), "training.html": page.encode()}


def say_result(plan: TrainingPlan, result: TrainingResult) -> None:
    """Say what came out, before and after, and where it lies."""
    rows = compared_figures(result.before.as_dict(), result.after.as_dict())
    typer.echo(
        f"\n{'on objects held back' if result.tested else 'on validation objects':21} {'before':>18} {'after':>18}"
    )
    for row in rows:
        typer.echo(f"{row.name:21} {cell(row.before):>18} {cell(row.after):>18}  {row.said}")
    typer.echo("in brackets: 95 % intervals, by object")
    typer.echo(f"wrote {plain(str(plan.out))}: the encoder, README.md, metrics.json, curves.png and training.html")
    typer.echo(f"next: artifact index CATALOGUE --encoder {shlex.quote(str(plan.out))}")


def cell(estimate: Estimate | None) -> str:
    """Return a figure with its interval in 18 characters."""
    return f"{estimate.value:.3f} ({estimate.low:.2f}-{estimate.high:.2f})" if estimate else "none"
