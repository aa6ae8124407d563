"""Make a picture of the samples of a TIFF, as its PhotometricInterpretation says what they mean."""

from __future__ import annotations

import numpy as np
from PIL import Image
from tifffile import TiffPage

from retrieval.photographs.depth import eight_bits, range_of
from retrieval.photographs.formats_extra import unsupported
from retrieval.photographs.tiff_kind import name_of

_COLOURS = {0: 1, 1: 1, 2: 3, 3: 1, 4: 1, 5: 4, 6: 3, 8: 3, 9: 3, 10: 3}  # samples that are no alpha
_PREMULTIPLIED, _ALPHA = 1, 2  # ExtraSamples
_PLAIN = (1, 5, 8, 32773, 32946, 34925, 50000)  # compressions that know nothing of pictures


def picture_of(page: TiffPage, samples: np.ndarray) -> Image.Image:
    """Return the picture that samples, (height, width, n), make, of mode L, LA, RGB, RGBA, CMYK or LAB."""
    wanted = _COLOURS.get(page.photometric, 0)
    if not 0 < wanted <= samples.shape[2]:
        raise unsupported(name_of(page))
    colour, alpha = samples[..., :wanted], _alpha(page, samples[..., wanted:])
    image = _opaque(page, colour)
    if alpha is None:
        return image
    if image.mode not in ("L", "RGB"):
        image = image.convert("RGB")
    premultiplied = _PREMULTIPLIED in page.extrasamples
    bands = [*image.split(), Image.fromarray(alpha)]
    mode = {"L": "LA", "RGB": "RGBA"}[image.mode]
    merged = Image.merge(mode, bands)
    return _divided(merged) if premultiplied else merged


def _alpha(page: TiffPage, extra: np.ndarray) -> np.ndarray | None:
    """Return the plane of opacity, uint8, among the extra samples."""
    for number, meaning in enumerate(page.extrasamples[: extra.shape[2]]):
        if meaning in (_PREMULTIPLIED, _ALPHA):
            plane = np.ascontiguousarray(extra[..., number])
            return eight_bits(plane, *range_of(plane, bits=8 * plane.itemsize))
    return None


def _divided(image: Image.Image) -> Image.Image:
    """Undo the multiplication of the colours by the opacity."""
    return Image.frombytes({"LA": "La", "RGBA": "RGBa"}[image.mode], image.size, image.tobytes()).convert(image.mode)


def _opaque(page: TiffPage, colour: np.ndarray) -> Image.Image:
    """Return the picture that the samples of colour make."""
    photometric = page.photometric
    if photometric == 3:
        return _by_palette(page, colour[..., 0])
    if photometric in (8, 9, 10):
        return _lab(page, colour)
    if photometric in (0, 1, 4):
        return Image.fromarray(np.ascontiguousarray(255 - colour[..., 0] if photometric == 0 else colour[..., 0]))
    # tifffile has made RGB of what codecs of pictures, JPEG among them, hold as YCbCr
    mode = "CMYK" if photometric == 5 else "YCbCr" if photometric == 6 and page.compression in _PLAIN else "RGB"
    height, width, _ = colour.shape
    return Image.frombuffer(mode, (width, height), np.ascontiguousarray(colour), "raw", mode, 0, 1)


def _by_palette(page: TiffPage, index: np.ndarray) -> Image.Image:
    """Return the colours that a palette gives; one of values below 256 was written as 8 bits by mistake."""
    if page.colormap is None:
        raise unsupported(f"{name_of(page)} without a palette")
    colours = page.colormap.T.astype(np.float64)
    table = np.rint(colours / (257 if colours.max() > 255 else 1)).astype(np.uint8)
    return Image.fromarray(table[np.minimum(index, len(table) - 1)])


def _lab(page: TiffPage, colour: np.ndarray) -> Image.Image:
    """Return Lab as Pillow keeps it, 8 bits a sample: L* of 0..100 as 0..255, a* and b* signed."""
    deep, floating = page.bitspersample > 8, colour.dtype.kind == "f"
    light, sides = colour[..., 0].astype(np.float32), colour[..., 1:]
    if floating:
        light, sides = light * 2.55, sides.astype(np.float32)
    elif page.photometric == 8:  # CIELab: a* and b* are signed, of 16 bits in 256ths
        light /= 257 if deep else 1
        sides = sides.astype(np.int16 if deep else np.int8).astype(np.float32) / (256 if deep else 1)
    elif page.photometric == 9:  # ICC Lab: offset by half
        light /= 256 if deep else 1
        sides = sides.astype(np.float32) / (256 if deep else 1) - 128
    else:  # ITU Lab: a* of -85..85, b* of -75..125
        top = 65535 if deep else 255
        light *= 255 / top
        sides = sides.astype(np.float32) / top * (170, 200) - (85, 75)
    limits = np.clip(np.rint(sides), -128, 127).astype(np.int8).view(np.uint8)
    packed = np.dstack([np.clip(np.rint(light), 0, 255).astype(np.uint8), limits])
    height, width, _ = packed.shape
    return Image.frombytes("LAB", (width, height), packed.tobytes())
