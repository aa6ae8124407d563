"""Keep working pictures of exemplars as their photographs are read, and of exemplars that were indexed before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

from PIL import Image

from retrieval.catalogue.pictures import PackedPictures, has_pictures, keep_pictures, pack_pictures
from retrieval.encoder.in_order import in_order
from retrieval.encoder.stream import LOOK_AHEAD, Reading
from retrieval.errors import UnreadableImage
from retrieval.machine import cpu_count
from retrieval.photographs.images import read_both
from retrieval.photographs.photograph import Photograph
from retrieval.photographs.reader_process import Order, ReadPhotograph, Running


def read_and_keep(data: Path, side: int, run: Running) -> Reading:
    """Return a way to read sound photographs that keeps working pictures, for people with that long side; 0: none."""
    return lambda order: run(partial(_read_sound, data, side, order))


def _read_sound(data: Path, side: int, order: Order) -> ReadPhotograph:
    photograph = _keep_sound(data, order.path, side, order.short_side, order.max_megapixels)
    return ReadPhotograph(photograph, order.extract(photograph))


def read_and_pack(side: int, order: Order) -> tuple[ReadPhotograph, PackedPictures | None]:
    """Read a sound photograph, and return its working pictures, to be kept elsewhere, if there are to be any."""
    photograph, large = _both(order.path, side, order.short_side, order.max_megapixels)
    packed = pack_pictures(photograph, large, short_side=order.short_side) if side else None
    return ReadPhotograph(photograph, order.extract(photograph)), packed


def _both(path: Path, side: int, short_side: int, max_megapixels: float) -> tuple[Photograph, Image.Image]:
    """Read a photograph, and as large as it is for people; raises UnreadableImage for a damaged one."""
    photograph, large = read_both(path, short_side=short_side, long_side=side, max_megapixels=max_megapixels)
    if photograph.damage is not None:
        raise UnreadableImage(f"damaged: {photograph.damage}")
    return photograph, large


def _keep_sound(data: Path, path: Path, side: int, short_side: int, max_megapixels: float) -> Photograph:
    """Read a photograph and keep its working pictures; raises UnreadableImage for a damaged one."""
    photograph, large = _both(path, side, short_side, max_megapixels)
    if side:
        keep_pictures(data, photograph, large, short_side=short_side)
    return photograph


def without_pictures(data: Path, exemplars: Mapping[str, Path], *, side: int, short_side: int) -> list[Path]:
    """Return the files of which working pictures are missing; `exemplars` names a file for each content."""
    return [path for sha256, path in exemplars.items() if side and not has_pictures(data, sha256, short_side)]


def complete_pictures(
    data: Path,
    missing: Sequence[Path],
    *,
    side: int,
    short_side: int,
    max_megapixels: float,
    run: Running,
    on_progress: Callable[[int, int], None],
) -> None:
    """Keep the working pictures of sound files still missing, as of an earlier version; nothing is encoded."""

    def keep(path: Path) -> None:
        with suppress(UnreadableImage):  # gone just now, or damaged and of an earlier version: it stays without one
            run(partial(_complete_one, data, path, side, short_side, max_megapixels))

    with (
        ThreadPoolExecutor(cpu_count(), thread_name_prefix="decode") as pool,
        closing(in_order(pool, keep, missing, ahead=LOOK_AHEAD)) as kept,
    ):
        for done, _ in enumerate(kept, 1):
            on_progress(done, len(missing))


def _complete_one(data: Path, path: Path, side: int, short_side: int, max_megapixels: float) -> None:
    _keep_sound(data, path, side, short_side, max_megapixels)  # its pixels need not come back from another process
