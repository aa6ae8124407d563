"""How a command is asked to judge photographs."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from indexer.inputs.option import Option

if TYPE_CHECKING:  # not imported here: `--help` must be quick
    from retrieval.judging.edition import Edition

MEGAPIXELS = 500.0  # DEFAULT_MAX_MEGAPIXELS of retrieval.photographs.images

EncoderSpec = Annotated[
    str | None,
    Option(
        "Folder of an encoder, open_clip:NAME@TAG, a checkpoint, or hf-hub:ORG/MODEL; "
        "by default the catalogue's own, for a new catalogue the one shipped.",
        flags=("--encoder",),
        metavar="ENCODER",
    ),
]
Device = Annotated[str, Option("cuda needs the extra `train`.", flags=("--device",), choices=("cpu", "cuda"))]
MaxMegapixels = Annotated[
    float, Option("Larger photographs are left out, to protect memory.", flags=("--max-megapixels",), low=0.01)
]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgingOptions:
    """By which encoder photographs are judged (None: the catalogue's own), where it runs, and up to which size."""

    encoder: EncoderSpec = None
    device: Device = "cpu"
    max_megapixels: MaxMegapixels = MEGAPIXELS

    def open_edition(self, data: Path, *, parallel: int = 1) -> "Edition":
        """Return the last revision of the catalogue in `data`, opened with this encoder."""
        from dataclasses import replace

        from retrieval.judging.edition import open_edition
        from retrieval.verdicts.watching import fits

        edition = open_edition(data, encoder_spec=self.encoder, device=self.device, parallel=parallel)
        return replace(edition, misfit=not fits(data, edition.calibration))
