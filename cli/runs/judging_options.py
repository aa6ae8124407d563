"""How a command is asked to judge photographs."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from indexer.inputs.option import Option

if TYPE_CHECKING:  # not imported here: `--help` must be quick
    from retrieval.encoder.stream import Reading
    from retrieval.judging.edition import Edition
    from retrieval.judging.two import OneExemplar
    from retrieval.photographs.numbered import NumberedPicture

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
Closely = Annotated[
    bool,
    Option("Look again in parts, at twice the resolution: small changes show; slower.", flags=("--closely",)),
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

    def open_one(self, exemplar: "Path | NumberedPicture", name: str, read: "Reading") -> "OneExemplar":
        """Return a photograph of what has a name as the only exemplar; the encoder by default is the one shipped."""
        from retrieval.encoder.encoder import DEFAULT, load_encoder
        from retrieval.judging.two import taken_as_exemplar

        encoder = load_encoder(self.encoder or DEFAULT, device=self.device)
        return taken_as_exemplar(exemplar, name, encoder, read=read, max_megapixels=self.max_megapixels)


@dataclass(frozen=True, slots=True, kw_only=True)
class LookingOptions(JudgingOptions):
    """And how closely photographs are looked at."""

    closely: Closely = False

    def open_edition(self, data: Path, *, parallel: int = 1) -> "Edition":
        """Return the last revision of the catalogue in `data`, opened to look so closely."""
        from dataclasses import replace

        return replace(JudgingOptions.open_edition(self, data, parallel=parallel), closely=self.closely)

    def open_one(self, exemplar: "Path | NumberedPicture", name: str, read: "Reading") -> "OneExemplar":
        """Return a photograph of what has a name as the only exemplar, to be looked at so closely."""
        from dataclasses import replace

        return replace(JudgingOptions.open_one(self, exemplar, name, read), closely=self.closely)
