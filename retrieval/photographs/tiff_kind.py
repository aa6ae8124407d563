"""What kind of picture a directory of a TIFF holds, in words, and who reads it rightly."""

from __future__ import annotations

from tifffile import TiffPage

_GREY, _RGB, _PALETTE, _CMYK, _YCBCR, _LAB = (0, 1), 2, 3, 5, 6, 8  # PhotometricInterpretation
_UNSIGNED, _SIGNED, _FLOAT = 1, 2, 3  # SampleFormat
_COLOURS = {
    0: "grey", 1: "grey", 2: "RGB", 3: "palette", 4: "mask", 5: "CMYK", 6: "YCbCr",
    8: "Lab", 9: "ICC Lab", 10: "ITU Lab", 32844: "LogL", 32845: "LogLuv",
}  # fmt: skip
_NUMBERS = {1: "", 2: "signed ", 3: "float ", 4: "", 5: "complex ", 6: "complex "}
_RAW_COLOURS = (32803, 34892)  # a mosaic of colours, and what was made of one
_RAW_COMPRESSIONS = (32767, 32770, 34713, 65000, 65535)  # of Sony, Samsung, Nikon, Kodak and Pentax
_JPEGS, _OLD_JPEG = (6, 7), 6
_PILLOW_COMPRESSIONS = (1, 2, 3, 4, 5, 6, 7, 8, 32771, 32773, 32946, 34925, 50000)


def is_raw(page: TiffPage) -> bool:
    """Say whether a directory holds what a camera's sensor saw."""
    return page.photometric in _RAW_COLOURS or page.compression in _RAW_COMPRESSIONS


def sample_format(page: TiffPage) -> int:
    """Return the SampleFormat of a directory: 1 unsigned, 2 signed, 3 float."""
    value = page.tags.valueof(339, default=1)
    return int(value[0] if isinstance(value, tuple) else value)


def name_of(page: TiffPage) -> str:
    """Return what a directory holds, as in "32-bit float RGB TIFF with lzw compression"."""
    colour = _COLOURS.get(page.photometric, f"photometric {page.photometric}")
    packed = getattr(page.compression, "name", str(page.compression)).lower()
    return (
        f"{page.bitspersample}-bit {_NUMBERS.get(sample_format(page), '')}{colour} TIFF"
        f"{f' with {packed} compression' if page.compression != 1 else ''}"
    )


def pillow_reads(page: TiffPage) -> bool:
    """Say whether Pillow reads a directory, and its pixels come out right."""
    bits, samples, numbers = page.bitspersample, page.samplesperpixel, sample_format(page)
    if len(page.treeindex) > 1 or page.compression not in _PILLOW_COMPRESSIONS:
        return False  # below another directory, or packed in another way
    if page.parent.is_bigtiff and page.parent.byteorder == ">":
        return False
    if page.is_tiled and page.compression == 1:
        return False  # Pillow may miss rows of the last tiles
    if page.compression in _JPEGS and (bits != 8 or (page.compression == _OLD_JPEG and samples == 1)):
        return False
    if page.compression == 1 and page.is_subsampled:
        return False
    if page.photometric in _GREY and samples == 1:
        more = (12, 32) if page.parent.byteorder == "<" and page.photometric == 1 else ()
        depths = {_UNSIGNED: (1, 2, 4, 8, 16, *more), _SIGNED: (16, 32), _FLOAT: (32,)}
        return bits in depths.get(numbers, ())
    if numbers != _UNSIGNED:
        return False
    apart = page.planarconfig == 2
    if page.photometric == _PALETTE:
        return samples == 1 and bits <= 8 and page.colormap is not None and int(page.colormap.max()) > 255
    if page.photometric in (_YCBCR, _LAB):
        return bits == 8 and samples == 3 and not apart
    if page.photometric in _GREY:
        return bits == 8 and samples == 2 and page.extrasamples in ((0,), (1,), (2,)) and not apart
    extra_apart = apart and page.extrasamples not in ((), (2,))
    return {_RGB: (3, 4), _CMYK: (4,)}.get(page.photometric, ()).count(samples) > 0 and (
        (bits == 8 and not extra_apart) or (bits == 16 and not apart)
    )
