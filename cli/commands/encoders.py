"""The commands that make encoders: train and simulate."""

from pathlib import Path
from typing import Annotated

import typer

from cli.commands.shared_options import ending
from cli.runs.judging_options import MEGAPIXELS, MaxMegapixels
from indexer.training.options import TrainingRequest


def train(request: TrainingRequest) -> None:
    """Train a Siamese encoder on labelled photographs, or on a bare catalogue; write its folder.

    Objects are split into training, validation and test, never by photo. Every photo gives simulated re-photographs and
    copies too. First the projection is trained, then the last parts of the tower; the best epoch by validation is kept.
    A training that was stopped goes on when the same command is run again.

    \b
    Examples:
      artifact train labels.csv --out my-encoder
      artifact train ./catalogue --out my-encoder --epochs 4
      artifact train labels.csv --out my-encoder --hold-out 'Rembrandt_*'
      artifact train ./signatures --out my-encoder --copies 0
      artifact index ./catalogue --encoder my-encoder
    """
    from cli.runs.train import run_train

    run_train(request)


def simulate(
    photo: Annotated[Path, typer.Argument(metavar="PHOTO", help="A photograph of a genuine object.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE.png", callback=ending(".png"), help="Write all on one sheet."),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--folder", metavar="DIR", help="Write each as PHOTO-KIND-SEED.png into a folder.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same pictures.")] = 0,
    kinds: Annotated[
        str | None,
        typer.Option("--kinds", metavar="A,B,...", help="Kinds of copies; by default all that can be made."),
    ] = None,
    donor: Annotated[
        Path | None,
        typer.Option("--donor", metavar="PHOTO", help="Whose details are inserted; by default its own, mirrored."),
    ] = None,
    face: Annotated[
        str | None,
        typer.Option("--face", metavar="X,Y,WIDTH,HEIGHT", help="Where a face is, in shares of the picture."),
    ] = None,
    max_megapixels: MaxMegapixels = MEGAPIXELS,
) -> None:
    """Show what training makes of a photograph: simulated re-photographs, and simulated copies of each kind.

    Local copies: inserted, removed, moved, repainted, face, signature. Copies of the whole: strokes, oil, redrawn,
    palette, smoothed.

    \b
    Examples:
      artifact simulate photo.jpg --out sheet.png
      artifact simulate photo.jpg --out sheet.png --seed 7 --kinds strokes,palette
      artifact simulate photo.jpg --out sheet.png --face 0.4,0.2,0.2,0.3
      artifact simulate photo.jpg --folder ./simulated --donor other.jpg
    """
    from cli.runs.simulate import run_simulate

    run_simulate(
        photo,
        out=out,
        folder=folder,
        seed=seed,
        kinds=kinds,
        donor=donor,
        face=face,
        max_megapixels=max_megapixels,
    )
