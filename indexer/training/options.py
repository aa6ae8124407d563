"""What can be asked of a training: each option once, with its default, its choices and its help."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from indexer.inputs.option import Option

LOSSES = ("triplet", "contrastive", "supervised-contrastive", "multi-similarity")
SCHEDULE = "schedule"  # the miner that is semi-hard first, then batch-hard
MINERS = (SCHEDULE, "random", "batch-all", "semi-hard", "batch-hard")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingOptions:
    """How the encoder learns; distances are Euclidean between unit vectors, [0, 2]."""

    losses: Annotated[
        tuple[str, ...],
        Option("Several are added up; by default triplet and contrastive.", flags=("--loss",), choices=LOSSES),
    ] = ("triplet", "contrastive")
    miner: Annotated[str, Option("schedule: semi-hard, then batch-hard.", choices=MINERS)] = SCHEDULE
    index_mining: Annotated[
        bool,
        Option("Put each object with those it is confused with.", flags=("--index-mining/--no-index-mining",)),
    ] = True
    margin: Annotated[float, Option("Of the triplets.", low=0.0, high=2.0)] = 0.3
    apart: Annotated[float, Option("Margin of the contrastive loss.", low=0.0, high=2.0)] = 1.0
    spread: Annotated[float, Option("Weight of the spread term (KoLeo).", low=0.0)] = 0.05
    head_epochs: Annotated[int, Option("Of the projection alone.", low=0)] = 5
    epochs: Annotated[int, Option("Of the last parts of the tower too.", low=0)] = 8
    unfreeze: Annotated[int, Option("How many parts of the tower are trained.", low=0)] = 3
    optimizer: Annotated[str, Option("Both with a warm-up and cosine decay.", choices=("sgd", "adamw"))] = "sgd"
    rate: Annotated[float, Option("Highest rate of learning.", low=1e-8, high=10.0)] = 0.02
    # the last epoch, for a score that is not validated may still get better
    keep: Annotated[str, Option("The best epoch by validation, or the last.", choices=("best", "last"))] = "best"
    interpolate: Annotated[
        float, Option("Share of the trained weights; the rest are those of the start.", low=0.0, high=1.0)
    ] = 1.0
    objects: Annotated[int, Option("Objects in a batch.", flags=("--batch-objects",), low=2)] = 16
    photos: Annotated[int, Option("Genuine photos of each.", flags=("--batch-photos",), low=2)] = 3
    forgeries: Annotated[
        int | None,  # simulated copies count as forgeries; None: none, until the labels are known
        Option("Forgeries of each; by default 2 where some are labelled, else none.", ("--batch-forgeries",), low=0),
    ] = None
    seed: Annotated[int, Option("The same seed gives the same encoder.", low=0, last=True)] = 0
    device: Annotated[str, Option("cuda needs the extra `train`.", choices=("cpu", "cuda"), last=True)] = "cpu"
    precision: Annotated[str, Option("bf16 is quicker where it is at home.", choices=("fp32", "bf16"), last=True)] = (
        "fp32"
    )

    @property
    def bf16(self) -> bool:
        """Whether the network computes in half precision."""
        return self.precision == "bf16"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRequest:
    """What `artifact train` is asked for."""

    source: Annotated[
        Path,
        Option(
            "A CSV photo,object_id,label (1 genuine, 0 forgery of that object); a folder with OBJECT/genuine* "
            "and OBJECT/forgery*; or a catalogue.",
            metavar="SOURCE",
            positional=True,
        ),
    ]
    out: Annotated[Path, Option("Folder of the new encoder.", flags=("--out", "-o"), metavar="DIR")]
    encoder: Annotated[str, Option("To start from: default, a folder, open_clip:NAME@TAG.", metavar="ENCODER")] = (
        "default"
    )
    size: Annotated[str | None, Option("Of the input; by default as it was.", metavar="WIDTHxHEIGHT")] = None
    dim: Annotated[int, Option("Size of the embedding.", low=2, high=4096)] = 256
    views: Annotated[int, Option("Simulated re-photographs of each photo.", low=0)] = 3
    conditions: Annotated[
        str,
        Option(
            "Of these: with walls, frames, plates and glare, or of scans and the like.",
            choices=("ordinary", "difficult"),
        ),
    ] = "difficult"
    copies: Annotated[int, Option("Simulated copies of each genuine photo.", low=0)] = 3
    kinds: Annotated[str | None, Option("Kinds of copies; by default all. See simulate.", metavar="A,B,...")] = None
    options: TrainingOptions = field(default_factory=TrainingOptions)
    validation: Annotated[float, Option("Share of the objects.", low=0.0, high=1.0)] = 0.15
    test: Annotated[float, Option("Share of the objects.", low=0.0, high=1.0)] = 0.15
    hold_out: Annotated[
        tuple[str, ...], Option("Objects for the test, as in 'Rembrandt_*'; repeatable.", metavar="PATTERN")
    ] = ()
    split: Annotated[Path | None, Option("A split that another training wrote.", metavar="FILE.json")] = None
