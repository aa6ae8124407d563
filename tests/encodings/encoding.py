"""A way to hold a picture, and what comes out of it."""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import tifffile
from PIL import Image

EXACT, DEEP, LOSSY = 0.01, 1.0, 4.0  # mean difference allowed, in grey levels


@dataclass(frozen=True, slots=True)
class Encoding:
    """A file's bytes and the picture that it shows, RGB uint8 (height, width, 3), give or take."""

    name: str
    data: bytes
    shows: np.ndarray
    give_or_take: float = EXACT


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Return what Pillow writes."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def tiff(*pages: tuple[np.ndarray, dict[str, Any]], **options: Any) -> bytes:
    """Return what tifffile writes: arrays, each with its options."""
    file = io.BytesIO()
    with tifffile.TiffWriter(file, **options) as writer:
        for pixels, more in pages:
            writer.write(pixels, **{"metadata": None, "software": False} | more)
    return file.getvalue()


def planes(pixels: np.ndarray) -> np.ndarray:
    """Return the samples one plane after the other."""
    return np.ascontiguousarray(np.moveaxis(pixels, -1, 0))


def deep(pixels: np.ndarray) -> np.ndarray:
    """Return 8-bit samples as 16-bit ones."""
    return pixels.astype(np.uint16) * 257


def linear(pixels: np.ndarray) -> np.ndarray:
    """Return the light, 0 to 1, of 8-bit samples of sRGB."""
    share = pixels / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def seen(image: Image.Image) -> np.ndarray:
    """Return a picture as RGB."""
    return np.asarray(image.convert("RGB"))
