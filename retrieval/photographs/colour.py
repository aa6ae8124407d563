"""Bring every kind of pixel to 8-bit sRGB over white, without clipping what is deep or transparent."""

import io
from typing import Any

from PIL import ExifTags, Image

_PHOTOMETRIC, _MAX_SAMPLE_VALUE = 262, 281  # TIFF tags


def averageable(source: Image.Image) -> Image.Image:
    """Convert modes whose numbers cannot be averaged to L, LA, RGB or RGBA; leave the others alone.

    A picture that is transparent everywhere comes out opaque: its alpha was left empty by mistake.
    """
    image = _in_colour(source)
    if image.mode in ("LA", "RGBA") and image.getchannel("A").getextrema() == (0, 0):
        return image.convert(image.mode[:-1])
    return image


def _in_colour(source: Image.Image) -> Image.Image:
    mode = source.mode
    if mode in ("I", "F") or mode.startswith("I;16"):
        return _eight_bits(source)
    transparent = "transparency" in source.info
    if mode == "P":
        transparent |= source.palette is not None and source.palette.mode == "RGBA"
        return source.convert("RGBA" if transparent else "RGB")
    if mode in ("1", "L"):
        return source.convert("LA" if transparent else "L")
    if mode == "RGB":
        return source.convert("RGBA") if transparent else source
    if mode in ("LA", "RGBA", "CMYK", "LAB"):
        return source
    return source.convert({"La": "LA", "RGBa": "RGBA", "PA": "RGBA"}.get(mode, "RGB"))


def _eight_bits(source: Image.Image) -> Image.Image:
    """Scale deep grey to L by the range it declares; Pillow's own conversion clips at 255."""
    import numpy as np

    from retrieval.photographs.depth import eight_bits, range_of

    tags: Any = getattr(source, "tag_v2", {})
    values = np.asarray(source)
    signed = source.mode == "I" and tags.get(ExifTags.Base.SampleFormat, (1,))[0] != 1
    if source.mode == "I" and not signed:
        values = values.view(np.uint32)  # Pillow reads unsigned samples as signed ones
    bits, declared = tags.get(ExifTags.Base.BitsPerSample, (16,))[0], tags.get(_MAX_SAMPLE_VALUE, (0,))[0]
    grey = eight_bits(values, *range_of(values, bits=bits, declared=declared, signed=signed))
    image = Image.fromarray(255 - grey if tags.get(_PHOTOMETRIC) == 0 else grey)  # Pillow heeds it up to 8 bits only
    clear = source.info.get("transparency")
    if isinstance(clear, int):
        image.putalpha(Image.fromarray(np.where(values == clear, 0, 255).astype(np.uint8)))
    return image


def over_white(image: Image.Image, profile: Any) -> Image.Image:
    """Convert to sRGB, by the embedded profile where there is one, and lay what is transparent over white."""
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    colour = image.convert(image.mode[:-1]) if alpha else image
    rgb = _by_profile(colour, profile) or colour.convert("RGB")
    if alpha is None:
        return rgb
    white = Image.new("RGB", rgb.size, "white")
    white.paste(rgb, mask=alpha)
    return white


def _by_profile(image: Image.Image, profile: Any) -> Image.Image | None:
    """Convert by an ICC profile; None where it is absent, sRGB already, broken, or for other colours."""
    if not profile:
        return None
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if (source.profile.profile_description or "").startswith("sRGB"):
            return None  # the same to the last bit, and 6 ms saved
        srgb = ImageCms.createProfile("sRGB")
        transform = ImageCms.buildTransform(source, srgb, image.mode, "RGB")
        return transform.apply(image)
    except Exception:  # lcms, Pillow and odd tag types each have their own errors
        return None
