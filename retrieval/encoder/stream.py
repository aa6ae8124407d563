"""Decode and encode a stream of photographs in overlapping stages, in bounded memory and in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from retrieval.encoder.encoder import Encoder
from retrieval.encoder.in_order import in_order
from retrieval.errors import UnreadableImage
from retrieval.machine import cpu_count
from retrieval.photographs.features import Features
from retrieval.photographs.limits import DEFAULT_MAX_MEGAPIXELS
from retrieval.photographs.numbered import NumberedPicture
from retrieval.photographs.photograph import Photograph
from retrieval.photographs.reader_process import Extract, Order, ReadPhotograph, read_here

BATCH = 8
LOOK_AHEAD = 3 * BATCH

Views = Callable[[Photograph], Sequence[Image.Image]]
Reading = Callable[[Order], ReadPhotograph]


@dataclass(frozen=True, slots=True)
class EmbeddedPhotograph:
    """A photograph, the vectors of its views, (n_views, dim), and its features where they were asked for.

    Or the error that kept it from being read.
    """

    path: Path
    photograph: Photograph | None
    vectors: np.ndarray
    features: Features | None = None
    error: UnreadableImage | None = None


@dataclass(frozen=True, slots=True)
class _PreparedPhotograph:
    path: Path
    photograph: Photograph | None
    pictures: Sequence[np.ndarray]
    features: Features | None = None
    error: UnreadableImage | None = None


def whole(photograph: Photograph) -> Sequence[Image.Image]:
    """Return the photograph itself as its only view."""
    return [photograph.image]


def no_view(photograph: Photograph) -> Sequence[Image.Image]:
    """Return no view: the photograph is not to be encoded."""
    return []


def no_features(photograph: Photograph) -> None:
    """Return no features: they are not wanted."""


def embed_photographs(
    paths: Iterable[Path | NumberedPicture],
    encoder: Encoder,
    *,
    views: Views = whole,
    extract: Extract = no_features,
    read: Reading = read_here,
    max_megapixels: float = DEFAULT_MAX_MEGAPIXELS,
    threads: int | None = None,
) -> Iterator[EmbeddedPhotograph]:
    """Yield every path's photograph, vectors and features, in order; an unreadable one is yielded with its error.

    Photographs are read, and `extract` is called, by `threads` threads, or else as many as there are cores, some way
    ahead of the encoder; `read` may do it elsewhere. BATCH paths at a time are encoded together.
    """
    side = encoder.preprocessing.short_side

    def prepare(asked: Path | NumberedPicture) -> _PreparedPhotograph:
        path, number = (asked, None) if isinstance(asked, Path) else (asked.path, asked.number)
        try:
            found = read(Order(path, side, max_megapixels, extract, number))
        except UnreadableImage as error:
            return _PreparedPhotograph(path, None, (), error=error)
        pictures = [encoder.preprocessing(view) for view in views(found.photograph)]
        return _PreparedPhotograph(path, found.photograph, pictures, found.features)

    with (
        ThreadPoolExecutor(threads or cpu_count(), thread_name_prefix="decode") as pool,
        closing(in_order(pool, prepare, paths, ahead=LOOK_AHEAD)) as prepared,
    ):
        while batch := list(islice(prepared, BATCH)):
            yield from _encode(batch, encoder)


def _encode(batch: Sequence[_PreparedPhotograph], encoder: Encoder) -> Iterator[EmbeddedPhotograph]:
    pictures = [picture for item in batch for picture in item.pictures]
    shape = (0, 3, encoder.preprocessing.height, encoder.preprocessing.width)
    vectors = encoder.encode_prepared(np.stack(pictures) if pictures else np.empty(shape, np.float32))
    start = 0
    for item in batch:
        stop = start + len(item.pictures)
        yield EmbeddedPhotograph(item.path, item.photograph, vectors[start:stop], item.features, item.error)
        start = stop
