"""The commands that make encoders, thin functions as in `cli.main`: `artifact train` and `artifact simulate`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.commands import options
from cli.commands.options import Device, Precision


class LossName(StrEnum):
    """Losses; several are added up."""

    TRIPLET = "triplet"
    CONTRASTIVE = "contrastive"
    SUPERVISED_CONTRASTIVE = "supervised-contrastive"
    MULTI_SIMILARITY = "multi-similarity"


class ConditionsName(StrEnum):
    """How simulated re-photographs are taken."""

    ORDINARY = "ordinary"
    DIFFICULT = "difficult"


class MinerName(StrEnum):
    """How triplets are chosen."""

    SCHEDULE = "schedule"
    RANDOM = "random"
    BATCH_ALL = "batch-all"
    SEMI_HARD = "semi-hard"
    BATCH_HARD = "batch-hard"


class KeepName(StrEnum):
    """Which epoch becomes the encoder."""

    BEST = "best"
    LAST = "last"


class OptimizerName(StrEnum):
    """What takes the steps."""

    SGD = "sgd"
    ADAMW = "adamw"


def train(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SOURCE",
            help="A CSV photo,object_id,label (1 genuine, 0 forgery of that object); a folder with OBJECT/genuine* "
            "and OBJECT/forgery*; or a catalogue.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Folder of the new encoder.")],
    encoder: Annotated[
        str,
        typer.Option("--encoder", metavar="ENCODER", help="To start from: default, a folder, open_clip:NAME@TAG."),
    ] = "default",
    size: Annotated[
        str | None, typer.Option("--size", metavar="WIDTHxHEIGHT", help="Of the input; by default as it was.")
    ] = None,
    dim: Annotated[int, typer.Option("--dim", min=2, max=4096, help="Size of the embedding.")] = 256,
    views: Annotated[int, typer.Option("--views", min=0, help="Simulated re-photographs of each photo.")] = 3,
    conditions: Annotated[
        ConditionsName,
        typer.Option("--conditions", help="Of these: with walls, frames, plates and glare, or of scans and the like."),
    ] = ConditionsName.DIFFICULT,
    copies: Annotated[int, typer.Option("--copies", min=0, help="Simulated copies of each genuine photo.")] = 3,
    kinds: Annotated[
        str | None, typer.Option("--kinds", metavar="A,B,...", help="Kinds of copies; by default all. See simulate.")
    ] = None,
    loss: Annotated[
        list[LossName] | None, typer.Option("--loss", help="Several are added up; by default triplet and contrastive.")
    ] = None,
    miner: Annotated[
        MinerName, typer.Option("--miner", help="schedule: semi-hard, then batch-hard.")
    ] = MinerName.SCHEDULE,
    index_mining: Annotated[
        bool, typer.Option("--index-mining/--no-index-mining", help="Put each object with those it is confused with.")
    ] = True,
    margin: Annotated[float, typer.Option("--margin", min=0.0, max=2.0, help="Of the triplets.")] = 0.3,
    apart: Annotated[float, typer.Option("--apart", min=0.0, max=2.0, help="Margin of the contrastive loss.")] = 1.0,
    spread: Annotated[float, typer.Option("--spread", min=0.0, help="Weight of the spread term (KoLeo).")] = 0.05,
    head_epochs: Annotated[int, typer.Option("--head-epochs", min=0, help="Of the projection alone.")] = 5,
    epochs: Annotated[int, typer.Option("--epochs", min=0, help="Of the last parts of the tower too.")] = 8,
    unfreeze: Annotated[int, typer.Option("--unfreeze", min=0, help="How many parts of the tower are trained.")] = 3,
    optimizer: Annotated[
        OptimizerName, typer.Option("--optimizer", help="Both with a warm-up and cosine decay.")
    ] = OptimizerName.SGD,
    rate: Annotated[float, typer.Option("--rate", min=1e-8, max=10.0, help="Highest rate of learning.")] = 0.02,
    keep: Annotated[
        KeepName, typer.Option("--keep", help="The best epoch by validation, or the last.")
    ] = KeepName.BEST,
    interpolate: Annotated[
        float,
        typer.Option(
            "--interpolate", min=0.0, max=1.0, help="Share of the trained weights; the rest are those of the start."
        ),
    ] = 1.0,
    batch_objects: Annotated[int, typer.Option("--batch-objects", min=2, help="Objects in a batch.")] = 16,
    batch_photos: Annotated[int, typer.Option("--batch-photos", min=2, help="Genuine photos of each.")] = 3,
    batch_forgeries: Annotated[
        int | None,
        typer.Option(
            "--batch-forgeries", min=0, help="Forgeries of each; by default 2 where some are labelled, else none."
        ),
    ] = None,
    validation: Annotated[float, typer.Option("--validation", min=0.0, max=1.0, help="Share of the objects.")] = 0.15,
    test: Annotated[float, typer.Option("--test", min=0.0, max=1.0, help="Share of the objects.")] = 0.15,
    hold_out: Annotated[
        list[str] | None,
        typer.Option("--hold-out", metavar="PATTERN", help="Objects for the test, as in 'Rembrandt_*'; repeatable."),
    ] = None,
    split: Annotated[
        Path | None, typer.Option("--split", metavar="FILE.json", help="A split that another training wrote.")
    ] = None,
    places: Annotated[bool, typer.Option("--places/--no-places", help="Train the distance place by place too.")] = True,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same encoder.")] = 0,
    device: options.DeviceOption = Device.CPU,
    precision: Annotated[
        Precision, typer.Option("--precision", help="bf16 is quicker where it is at home.")
    ] = Precision.FP32,
) -> None:
    """Train a Siamese encoder on labelled photographs, or on a bare catalogue; write its folder.

    Objects are split into training, validation and test, never by photo. Every photo gives simulated re-photographs and
    copies too. First the projection is trained, then the last parts of the tower; the best epoch by validation is kept.
    A training that was stopped goes on when the same command is run again.

    \b
    Examples:
      artifact train labels.csv --out my-encoder
      artifact train ./catalogue --out my-encoder --epochs 4
      artifact train labels.csv --out my-encoder --hold-out 'Rembrandt_*'
      artifact train ./signatures --out my-encoder --copies 0 --no-places
      artifact index ./catalogue --encoder my-encoder
    """
    from cli.runs.train import Wanted, run_train

    run_train(
        Wanted(
            source=source,
            out=out,
            encoder=encoder,
            size=size,
            dim=dim,
            views=views,
            conditions=conditions.value,
            copies=copies,
            kinds=kinds,
            validation=validation,
            test=test,
            hold_out=hold_out or [],
            split=split,
            places=places,
        ),
        {
            "losses": tuple(name.value for name in loss or (LossName.TRIPLET, LossName.CONTRASTIVE)),
            "miner": miner.value,
            "index_mining": index_mining,
            "margin": margin,
            "apart": apart,
            "spread": spread,
            "head_epochs": head_epochs,
            "epochs": epochs,
            "unfreeze": unfreeze,
            "optimizer": optimizer.value,
            "rate": rate,
            "keep": keep.value,
            "interpolate": interpolate,
            "objects": batch_objects,
            "photos": batch_photos,
            "forgeries": batch_forgeries,
            "seed": seed,
            "device": device.value,
            "bf16": precision is Precision.BF16,
        },
    )


def simulate(
    photo: Annotated[Path, typer.Argument(metavar="PHOTO", help="A photograph of a genuine object.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="FILE.png", callback=options.ending(".png"), help="Write all on one sheet."
        ),
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
    max_megapixels: options.MaxMegapixels = options.MEGAPIXELS,
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
