"""Decode the samples of a directory of a TIFF, strip by strip, into 8 bits each where their range is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from tifffile import TIFF, TiffPage

from retrieval.errors import UnreadableImage
from retrieval.photographs.depth import eight_bits, range_of
from retrieval.photographs.formats_extra import missing, unsupported
from retrieval.photographs.tiff_kind import name_of, sample_format

_PALETTE, LABS = 3, (8, 9, 10)  # PhotometricInterpretation
_MAX_SAMPLE_VALUE = 281
_MOST_SAMPLES = 16  # of a pixel; a damaged file may claim thousands
_JPEGS = (6, 7, 33007)


def samples_of(page: TiffPage) -> np.ndarray:
    """Return the samples, (height, width, n): of a palette and of Lab as they are, all others scaled to uint8.

    Raises UnreadableImage for what is cut, or not read at all; almost anything where the data is damaged.
    """
    _refuse(page)
    try:
        return _eight_bit_samples(page)
    except (ValueError, ImportError, RuntimeError) as error:  # what tifffile raises without imagecodecs
        if isinstance(error, ImportError) or "imagecodecs" in str(error):
            raise missing(name_of(page)) from error
        raise


def _eight_bit_samples(page: TiffPage) -> np.ndarray:
    dtype = page.dtype
    assert dtype is not None
    if page.is_subsampled and page.compression == 1:
        return _spread(page)
    if page.photometric == _PALETTE or page.photometric in LABS:
        return _read(page, lambda values: values, dtype)
    bits, signed = page.bitspersample, sample_format(page) == 2
    declared = page.tags.valueof(_MAX_SAMPLE_VALUE, default=0)
    limits = {"bits": bits, "declared": max(declared) if isinstance(declared, tuple) else declared, "signed": signed}
    if bits < 32 and dtype.kind in "ub":
        known = range_of(np.empty(0, dtype), **limits)
        return _read(page, lambda values: eight_bits(values, *known), np.dtype(np.uint8))
    values = _read(page, lambda values: values, dtype)
    return eight_bits(values, *range_of(values, **limits))


def _read(page: TiffPage, convert: Callable[[np.ndarray], np.ndarray], dtype: np.dtype) -> np.ndarray:
    """Return all samples, (height, width, n), each strip or tile converted as it comes."""
    _, _, height, width, _ = page.shaped
    canvas = np.zeros((height, width, page.samplesperpixel), dtype)
    for values, (plane, _, top, left, _), _ in page.segments(maxworkers=1):
        if values is None:  # a hole
            continue
        part = convert(values[0])[: height - top, : width - left]
        place = canvas[top : top + part.shape[0], left : left + part.shape[1]]
        if page.planarconfig == 2:
            place[..., plane] = part[..., 0]
        else:
            place[:] = part
    return canvas


def _is_packed(page: TiffPage) -> bool:
    """Say whether colours are kept at less than the full size in a way that is not undone here."""
    plain = page.compression == 1 and page.planarconfig == 1 and not page.is_tiled
    return page.is_subsampled and not plain and (page.compression not in _JPEGS or page.planarconfig == 2)


def _spread(page: TiffPage) -> np.ndarray:
    """Return the samples of YCbCr whose colours are kept for blocks of pixels, uncompressed, in strips."""
    across, down = page.subsampling or (1, 1)
    height, width, _ = page.shape
    unit, units = across * down + 2, -(-width // across)
    canvas = np.zeros((height, width, 3), np.uint8)
    file = page.parent.filehandle
    for number, start in enumerate(page.dataoffsets):
        top = number * page.rowsperstrip
        blocks = -(-min(page.rowsperstrip, height - top) // down)
        file.seek(start)
        packed = np.frombuffer(file.read(blocks * units * unit), np.uint8).reshape(blocks, units, unit)
        light = packed[..., :-2].reshape(blocks, units, down, across).swapaxes(1, 2)
        colour = np.repeat(np.repeat(packed[..., -2:], across, 1), down, 0)
        strip = np.dstack([light.reshape(blocks * down, units * across), colour])[: height - top, :width]
        canvas[top : top + len(strip)] = strip[: page.rowsperstrip]
    return canvas


def _refuse(page: TiffPage) -> None:
    """Raise UnreadableImage for what cannot be decoded, with the reason."""
    try:
        TIFF.DECOMPRESSORS[page.compression]
    except KeyError as error:
        raise missing(name_of(page)) if "imagecodecs" in str(error) else unsupported(name_of(page)) from error
    if page.samplesperpixel > _MOST_SAMPLES:
        raise unsupported(f"{name_of(page)} of {page.samplesperpixel} samples")
    if page.dtype is None or page.dtype.kind == "c" or page.shaped[1] != 1 or _is_packed(page):
        raise unsupported(name_of(page))
    size = page.parent.filehandle.size
    ends = [start + count for start, count in zip(page.dataoffsets, page.databytecounts, strict=False)]
    if not ends or max(page.dataoffsets) >= size or (page.compression != 1 and max(ends) > size):
        raise UnreadableImage("truncated: pixels lie beyond the end of the file")
