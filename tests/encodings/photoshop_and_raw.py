"""The work as Photoshop keeps it, and as a camera's sensor would have seen it."""

import struct
from collections.abc import Iterator

import imagecodecs
import numpy as np
from PIL import Image, ImageCms

from tests.encodings.encoding import DEEP, EXACT, Encoding, deep, linear, planes, seen, tiff


def psd(samples: np.ndarray, mode: int, *, large: bool = False, runs: bool = False, palette: bytes = b"") -> bytes:
    """Return a Photoshop file without layers, of planes (channels, height, width)."""
    channels, height, width = samples.shape
    depth = 8 * samples.itemsize
    head = b"8BPS" + struct.pack(">H6xHIIHH", 1 + large, channels, height, width, depth, mode)
    head += struct.pack(">I", len(palette)) + palette + struct.pack(">I", 0) + (bytes(8) if large else bytes(4))
    stored = samples.astype(samples.dtype.newbyteorder(">"))
    if not runs:
        return head + b"\0\0" + stored.tobytes()
    rows = [bytes(imagecodecs.packbits_encode(row.tobytes())) for plane in stored for row in plane]
    counts = struct.pack(f">{len(rows)}{'I' if large else 'H'}", *map(len, rows))
    return head + b"\0\1" + counts + b"".join(rows)


def _photoshop(work: Image.Image) -> Iterator[Encoding]:
    grey, inks = work.convert("L"), work.convert("CMYK")
    to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    lab = np.frombuffer(to_lab.apply(work).tobytes(), np.uint8).reshape(work.height, work.width, 3)
    kinds = {
        "rgb": (3, planes(seen(work)), work, EXACT),
        "grey": (1, np.asarray(grey)[None], grey, EXACT),
        "cmyk": (4, planes(255 - np.asarray(inks)), inks, EXACT),
        "lab": (9, planes(lab ^ np.uint8([0, 128, 128])), work, 2.0),
    }
    for name, (mode, samples, shows, give) in kinds.items():
        for large in (False, True):
            for runs in (False, True):
                for values in (samples, deep(samples)):
                    title = f"{name} {8 * values.itemsize} bits{' runs' if runs else ''}.{'psb' if large else 'psd'}"
                    yield Encoding(title, psd(values, mode, large=large, runs=runs), seen(shows), give)
    yield Encoding("rgb float 32.psd", psd(planes(linear(seen(work)).astype(np.float32)), 3), seen(work), DEEP)
    indexed = work.quantize(256)
    colours = np.zeros((256, 3), np.uint8)
    table = np.array(indexed.getpalette(), np.uint8).reshape(-1, 3)
    colours[: len(table)] = table
    for large in (False, True):
        data = psd(np.asarray(indexed)[None], 2, large=large, palette=colours.T.tobytes())
        yield Encoding(f"palette.{'psb' if large else 'psd'}", data, seen(indexed))


_TO_SRGB = (3.2404542, -1.5371385, -0.4985314, -0.969266, 1.8760108, 0.041556, 0.0556434, -0.2040259, 1.0572252)


def _raw(work: Image.Image) -> Iterator[Encoding]:
    """Yield DNG of linear light: a mosaic of colours, and three colours a pixel."""
    pixels = seen(work).copy()
    pixels[:8, :8] = 255  # brightest: nothing is brightened further
    light = np.rint(65535 * linear(pixels)).astype(np.uint16)
    rational = [int(part) for value in np.rint(np.array(_TO_SRGB) * 10000) for part in (value, 10000)]
    common = [
        (50706, 1, 4, (1, 4, 0, 0), True), (50707, 1, 4, (1, 1, 0, 0), True), (50708, 2, 0, "Painted", True),
        (50721, 10, 9, rational, True), (50728, 5, 3, [1, 1] * 3, True), (50778, 3, 1, 21, True),
        (271, 2, 0, "Painted", True), (272, 2, 0, "Painted", True),
    ]  # fmt: skip
    preview = {"photometric": "rgb", "subfiletype": 1, "subifds": 1, "extratags": common}
    small = (np.full((12, 16, 3), 90, np.uint8), preview)
    three = (light, {"photometric": 34892, "subfiletype": 0})
    yield Encoding("linear.dng", tiff(small, three), pixels, 5.0)
    mosaic = np.empty(light.shape[:2], np.uint16)
    for top, left, colour in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2)):
        mosaic[top::2, left::2] = light[top::2, left::2, colour]
    pattern = [(33421, 3, 2, (2, 2), True), (33422, 1, 4, (0, 1, 1, 2), True)]
    sensor = (mosaic, {"photometric": "cfa", "subfiletype": 0, "extratags": pattern})
    yield Encoding("mosaic.dng", tiff(small, sensor), pixels, 25.0)  # the work has many more edges than photographs


PHOTOSHOP_AND_RAW_WAYS = (_photoshop, _raw)
