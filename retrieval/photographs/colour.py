"""Bring every kind of pixel to 8-bit sRGB over white, without clipping what is deep or transparent."""

import io
from typing import Any

from PIL import ExifTags, Image

_PHOTOMETRIC, _MAX_SAMPLE_VALUE = 262, 281  # TIFF tags


def averageable(source: Image.Image) -> Image.Image:
    """Convert modes whose numbers cannot be averaged to L, LA, RGB or RGBA; leave the others alone."""
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

    tags: Any = getattr(source, "tag_v2", {})
    values = np.asarray(source)
    if source.mode == "I" and tags.get(ExifTags.Base.SampleFormat, (2,))[0] == 1:
        values = values.view(np.uint32)  # Pillow reads unsigned samples as signed ones
    black, white = _range(values, source.mode, tags)
    grey = np.empty(values.shape, np.uint8)
    for start in range(0, len(values), 256):  # by strips: a float copy of a scan takes gigabytes
        rows = slice(start, start + 256)
        scaled = np.nan_to_num((values[rows].astype(np.float64) - black) / (white - black), posinf=1, neginf=0)
        grey[rows] = np.clip(scaled, 0, 1) * 255 + 0.5
    if tags.get(_PHOTOMETRIC) == 0:  # white is zero: Pillow heeds it up to 8 bits only
        grey = 255 - grey
    return Image.fromarray(grey)


def _range(values: Any, mode: str, tags: Any) -> tuple[float, float]:
    """Return the (black, white) of the samples of a deep grey image."""
    import numpy as np

    bits = tags.get(ExifTags.Base.BitsPerSample, (16,))[0]
    declared = tags.get(_MAX_SAMPLE_VALUE, (0,))[0]
    if mode == "F":
        finite = values[np.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
        return (0.0, 1.0) if low >= 0 and high <= 1 else (low, max(high, np.nextafter(low, np.inf)))
    if 0 < declared < 1 << bits:
        return 0.0, float(declared)
    if bits < 32:
        return 0.0, float((1 << bits - (mode == "I")) - 1)  # 16 bits open as "I" when they are signed
    return 0.0, next(float(top) for top in (255, 65535, 2**31 - 1, 2**32 - 1) if values.max() <= top)


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
