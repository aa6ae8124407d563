"""Read and encode the photographs of a folder, in this process or wherever the same can be done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from indexer.building.working_pictures import read_and_keep
from retrieval.encoder.encoder import Encoder
from retrieval.encoder.stream import EmbeddedPhotograph, Views, embed_photographs
from retrieval.photographs.features import features_of
from retrieval.photographs.limits import DEFAULT_MAX_MEGAPIXELS
from retrieval.photographs.reader_process import Running, run_here


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How photographs are read and encoded, and where the process that writes the catalogue keeps their pictures."""

    encoder: Encoder
    views: Views  # to be encoded; can be sent to another process
    data: Path
    side: int  # the long side of working pictures for people; 0: none are kept
    run: Running = run_here
    max_megapixels: float = DEFAULT_MAX_MEGAPIXELS


class Embedding(Protocol):
    """Reads and encodes photographs."""

    def __call__(self, paths: Iterable[Path], manner: Manner) -> Iterator[EmbeddedPhotograph]:
        """Yield every path's photograph, vectors and features, in order; an unreadable one with its error."""


def embed_here(paths: Iterable[Path], manner: Manner) -> Iterator[EmbeddedPhotograph]:
    """Read, encode and keep working pictures on this machine."""
    return embed_photographs(
        paths,
        manner.encoder,
        views=manner.views,
        extract=features_of,
        read=read_and_keep(manner.data, manner.side, manner.run),
        max_megapixels=manner.max_megapixels,
    )
