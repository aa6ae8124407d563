"""The work as TIFF: every layout, order of bytes and compression; thumbnails and pages."""

from collections.abc import Iterator

import numpy as np
from PIL import Image

from tests.encodings.encoding import DEEP, EXACT, LOSSY, Encoding, deep, planes, saved, seen, tiff

_LOSSLESS = (
    "lzw", "deflate", "adobe_deflate", "zstd", "lzma", "packbits", "png", "lerc", "jpegxl", "jpegxr", "jpeg2000",
)  # fmt: skip

_ORDERS = {"<": "II", ">": "MM"}
_OF_8_BITS = ("webp", "jpeg")
_RGB = {"photometric": "rgb"}
_APART = {"photometric": "rgb", "planarconfig": "separate"}


def _compressed(work: Image.Image) -> Iterator[Encoding]:
    pixels = seen(work)
    for compression in (*_LOSSLESS, *_OF_8_BITS):
        give = LOSSY if compression in _OF_8_BITS else EXACT
        more = {**_RGB, "compression": compression}
        if compression == "jpeg":
            more |= {"subsampling": (1, 1), "compressionargs": {"level": 95}}  # kept as YCbCr
        elif compression == "jpegxr":
            more |= {"compressionargs": {"level": 1.0}}
        yield Encoding(f"{compression}.tif", tiff((pixels, more)), pixels, give)
        if compression not in _OF_8_BITS:
            yield Encoding(f"{compression} 16 bits.tif", tiff((deep(pixels), more)), pixels, DEEP)
        if compression in ("lzw", "deflate", "zstd", "lzma"):
            for depth in (pixels, deep(pixels)):
                name = f"{compression} predicted {8 * depth.itemsize} bits.tif"
                yield Encoding(name, tiff((depth, {**more, "predictor": True})), pixels, EXACT)
                name = f"{compression} predicted planes {8 * depth.itemsize} bits.tif"
                yield Encoding(name, tiff((planes(depth), {**more, **_APART, "predictor": True})), pixels, EXACT)


def _laid_out(work: Image.Image) -> Iterator[Encoding]:
    pixels = seen(work)
    layouts = {"strips": {"rowsperstrip": 7}, "one strip": {}, "tiles": {"tile": (32, 48)}}
    for order in "<>":
        for big in (False, True):
            for depth in (pixels, deep(pixels)):
                for layout, more in layouts.items():
                    kind = f"{layout} {8 * depth.itemsize} bits {'big ' if big else ''}{_ORDERS[order]}"
                    options = {"byteorder": order, "bigtiff": big}
                    yield Encoding(f"{kind}.tif", tiff((depth, {**_RGB, **more}), **options), pixels)
                    apart = {**_APART, **more}
                    yield Encoding(f"planes in {kind}.tif", tiff((planes(depth), apart), **options), pixels)


def _by_pillow(work: Image.Image) -> Iterator[Encoding]:
    one_bit = work.convert("1")
    for compression in ("group3", "group4", "tiff_ccitt", "tiff_lzw", "packbits"):
        yield Encoding(f"bits {compression}.tif", saved(one_bit, "TIFF", compression=compression), seen(one_bit))
    yield Encoding("raw ycbcr.tif", saved(work.convert("YCbCr"), "TIFF"), seen(work), DEEP + 1)
    ycbcr = saved(work.convert("YCbCr"), "TIFF", compression="tiff_lzw")
    yield Encoding("ycbcr lzw.tif", ycbcr, seen(work), LOSSY)
    yield Encoding("jpeg by libtiff.tif", saved(work, "TIFF", compression="jpeg", quality=95), seen(work), LOSSY)


def _oriented(work: Image.Image) -> Iterator[Encoding]:
    turns = dict(zip(range(2, 9), (0, 3, 1, 5, 4, 6, 2), strict=True))  # EXIF orientation -> what undoes it, of Pillow
    undone = {0: 0, 3: 3, 1: 1, 5: 5, 4: 2, 6: 6, 2: 4}
    for orientation, turn in turns.items():
        stored = seen(work.transpose(Image.Transpose(undone[turn])))
        tag = {"extratags": [(274, 3, 1, orientation, True)]}
        yield Encoding(f"orientation {orientation}.tif", tiff((stored, {**_RGB, **tag})), seen(work))
        data = tiff((planes(deep(stored)), {**_APART, **tag}))
        yield Encoding(f"orientation {orientation} of planes 16 bits.tif", data, seen(work))


def _among_others(work: Image.Image) -> Iterator[Encoding]:
    pixels = seen(work)
    small = np.full((12, 16, 3), 90, np.uint8)
    thumbnail = (small, {**_RGB, "subfiletype": 1})
    yield Encoding("thumbnail first.tif", tiff(thumbnail, (pixels, _RGB)), pixels)
    yield Encoding("below a thumbnail.tif", tiff((small, {**thumbnail[1], "subifds": 1}), (pixels, _RGB)), pixels)
    data = tiff((small, {**thumbnail[1], "subifds": 1}), (planes(deep(pixels)), _APART))
    yield Encoding("deep planes below a thumbnail.tif", data, pixels)
    levels = [(pixels[::step, ::step], {**_RGB, "subfiletype": int(step > 1)}) for step in (1, 2, 4)]
    yield Encoding("pyramid.tif", tiff(*levels), pixels)
    below = tiff((pixels, {**_RGB, "subifds": 2}), *levels[1:])
    yield Encoding("pyramid below.tif", below, pixels)


TIFF_WAYS = (_compressed, _laid_out, _by_pillow, _oriented, _among_others)
