"""The work as TIFF: every depth, number and colour."""

from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageCms

from tests.encodings.encoding import DEEP, EXACT, Encoding, deep, planes, saved, seen, tiff

_GREY, _RGB = {"photometric": "minisblack"}, {"photometric": "rgb"}
_APART = {"planarconfig": "separate"}


def _grey(work: Image.Image) -> Iterator[Encoding]:
    grey = np.asarray(work.convert("L"))
    shows = seen(work.convert("L"))
    depths = {
        "8 bits": grey, "16 bits": deep(grey),
        "32 bits": grey * np.uint32(0x01010101), "64 bits": grey * np.uint64(2**56),
        "signed 8 bits": (grey // 2).astype(np.int8), "signed 16 bits": grey.astype(np.int16) * 128,
        "signed 32 bits": grey.astype(np.int32) * 2**23, "float 16": (grey / 255).astype(np.float16),
        "float 32": (grey / 255).astype(np.float32), "float 64": grey / 255,
    }  # fmt: skip
    for order in "<>":
        for name, values in depths.items():
            name = f"grey {name} {'II' if order == '<' else 'MM'}.tif"
            yield Encoding(name, tiff((values, _GREY), byteorder=order), shows, 2.5)  # signed: the lowest bit is lost
    for name in ("8 bits", "16 bits", "32 bits"):
        values = depths[name]
        turned = np.iinfo(values.dtype).max - values
        yield Encoding(f"white is zero {name}.tif", tiff((turned, {"photometric": "miniswhite"})), shows, DEEP)
        packed = {**_GREY, "compression": "lzw", "predictor": True, "tile": (32, 32)}
        yield Encoding(f"grey tiles {name}.tif", tiff((values, packed)), shows, DEEP)


def _grey_in_few_bits(work: Image.Image) -> Iterator[Encoding]:
    grey = np.asarray(work.convert("L"))
    for bits in (2, 4):
        values = grey >> (8 - bits)
        shows = np.repeat((values * (255 // (2**bits - 1)))[..., None], 3, 2)
        yield Encoding(f"grey {bits} bits.tif", tiff((values, {**_GREY, "bitspersample": bits})), shows, DEEP)
    for bits in (10, 12, 14):
        values = deep(grey) >> (16 - bits)
        data = tiff((values, {**_GREY, "bitspersample": bits}))
        yield Encoding(f"grey {bits} bits.tif", data, seen(work.convert("L")), DEEP)
        colour = deep(seen(work)) >> (16 - bits)
        yield Encoding(f"rgb {bits} bits.tif", tiff((colour, {**_RGB, "bitspersample": bits})), seen(work), DEEP)


def _with_alpha(work: Image.Image) -> Iterator[Encoding]:
    for name, image, photometric in (("grey", work.convert("L"), _GREY), ("rgb", work, _RGB)):
        colour = np.atleast_3d(np.asarray(image))
        for alpha, kind in ((255, "unassalpha"), (255, "assocalpha"), (0, "unassalpha"), (9, "unspecified")):
            pixels = np.dstack([colour, np.full(colour.shape[:2], alpha, np.uint8)])
            more = {**photometric, "extrasamples": kind}
            for values in (pixels, deep(pixels)):
                title = f"{name} {kind} {alpha} {8 * values.itemsize} bits.tif"
                yield Encoding(title, tiff((values, {**more, "planarconfig": "contig"})), seen(image), EXACT)
                yield Encoding(f"planes of {title}", tiff((planes(values), {**more, **_APART})), seen(image), EXACT)


def _floats(work: Image.Image) -> Iterator[Encoding]:
    pixels = seen(work)
    for dtype in (np.float16, np.float32, np.float64):
        values = (pixels / 255).astype(dtype)
        name = f"rgb float {8 * values.itemsize}"
        yield Encoding(f"{name}.tif", tiff((values, _RGB)), pixels, DEEP)
        yield Encoding(f"planes of {name}.tif", tiff((planes(values), {**_RGB, **_APART})), pixels, DEEP)
        packed = {**_RGB, "compression": "deflate", "predictor": True}
        yield Encoding(f"{name} predicted.tif", tiff((values, packed)), pixels, DEEP)
    clear = np.dstack([pixels / 255, np.zeros(pixels.shape[:2])]).astype(np.float32)
    data = tiff((clear, {**_RGB, "extrasamples": "unassalpha"}))
    yield Encoding("rgb float 32 transparent everywhere.tif", data, pixels, DEEP)
    wide = pixels.astype(np.uint32) * 0x01010101
    yield Encoding("rgb 32 bits.tif", tiff((wide, _RGB)), pixels, DEEP)
    yield Encoding("planes of rgb 32 bits.tif", tiff((planes(wide), {**_RGB, **_APART})), pixels, DEEP)


def _inks(work: Image.Image) -> Iterator[Encoding]:
    inks = work.convert("CMYK")
    inked = {"photometric": "separated"}
    for values in (np.asarray(inks), deep(np.asarray(inks))):
        name = f"cmyk {8 * values.itemsize} bits.tif"
        yield Encoding(name, tiff((values, inked)), seen(inks), EXACT)
        yield Encoding(f"planes of {name}", tiff((planes(values), {**inked, **_APART})), seen(inks), EXACT)
        clear = np.dstack([values, np.zeros(values.shape[:2], values.dtype)])
        data = tiff((clear, {**inked, "extrasamples": "unassalpha"}))
        yield Encoding(f"transparent {name}", data, seen(inks), EXACT)


def _lab(work: Image.Image) -> Iterator[Encoding]:
    to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    lab = np.frombuffer(to_lab.apply(work).tobytes(), np.uint8).reshape(work.height, work.width, 3).copy()
    light, sides = lab[..., :1].astype(float), lab[..., 1:].view(np.int8).astype(float)
    forms = {
        "cielab": np.dstack([light, np.mod(sides, 256)]).astype(np.uint8),
        "cielab 16 bits": np.dstack([light * 257, np.mod(sides * 256, 65536)]).astype(np.uint16),
        "icclab": np.dstack([light, sides + 128]).astype(np.uint8),
        "icclab 16 bits": np.dstack([light * 256, (sides + 128) * 256]).astype(np.uint16),
    }
    for name, values in forms.items():
        photometric = {"photometric": name.split()[0]}
        yield Encoding(f"{name}.tif", tiff((values, photometric)), seen(work), 2.0)
        yield Encoding(f"planes of {name}.tif", tiff((planes(values), {**photometric, **_APART})), seen(work), 2.0)
    yield Encoding("lab by pillow.tif", saved(to_lab.apply(work), "TIFF"), seen(work), 2.0)


def _palettes(work: Image.Image) -> Iterator[Encoding]:
    indexed = work.quantize(200)
    index = np.asarray(indexed)
    colours = np.zeros((256, 3), np.uint16)
    table = np.array(indexed.getpalette(), np.uint16).reshape(-1, 3)
    colours[: len(table)] = table
    by = {"photometric": "palette"}
    yield Encoding("palette.tif", tiff((index, {**by, "colormap": colours.T * 257})), seen(indexed))
    yield Encoding("palette of 8-bit colours.tif", tiff((index, {**by, "colormap": colours.T})), seen(indexed))
    many = np.zeros((3, 65536), np.uint16)
    many[:, :256] = colours.T * 257
    yield Encoding("palette 16 bits.tif", tiff((index.astype(np.uint16), {**by, "colormap": many})), seen(indexed))
    few = work.quantize(16)
    data = saved(few, "TIFF")
    yield Encoding("palette of 16 colours.tif", data, seen(few))


TIFF_DEPTH_WAYS = (_grey, _grey_in_few_bits, _with_alpha, _floats, _inks, _lab, _palettes)
