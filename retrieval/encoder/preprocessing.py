"""Bring a whole picture, never a crop of it, into the shape that an encoder takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

RESAMPLING = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How an encoder wants its pictures; part of its fingerprint.

    `fit` is "squash" (the whole picture stretched to width x height) or "pad" (kept in proportion, on a ground of
    `fill`). Values are scaled to [0, 1], then (value - mean) / std for each channel.
    """

    width: int
    height: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    interpolation: Literal["bilinear", "bicubic"] = "bicubic"
    fit: Literal["squash", "pad"] = "squash"
    fill: int = 0

    @property
    def short_side(self) -> int:
        """The short side, in pixels, from which a photograph loses nothing by being decoded smaller."""
        return max(self.width, self.height)

    def __call__(self, image: Image.Image) -> np.ndarray:
        """Return an RGB picture as float32 of shape (3, height, width)."""
        return np.asarray(self.scaled(self.fitted(image)[None])[0])

    def fitted(self, image: Image.Image) -> np.ndarray:
        """Return an RGB picture in the shape that the encoder takes, uint8 (height, width, 3)."""
        resample = RESAMPLING[self.interpolation]
        if self.fit == "pad":
            image = self._padded(image, resample)
        elif image.size != (self.width, self.height):
            image = image.resize((self.width, self.height), resample)
        return np.asarray(image)

    def scaled(self, pictures: np.ndarray) -> np.ndarray:
        """Return fitted pictures, (n, height, width, 3), as the network takes them: float32 (n, 3, height, width)."""
        scale = np.float32(1.0) / (np.float32(255.0) * np.asarray(self.std, np.float32))
        shift = np.asarray(self.mean, np.float32) / np.asarray(self.std, np.float32)
        return np.ascontiguousarray((pictures.astype(np.float32) * scale - shift).transpose(0, 3, 1, 2))

    def _padded(self, image: Image.Image, resample: Image.Resampling) -> Image.Image:
        ratio = min(self.width / image.width, self.height / image.height)
        size = (max(1, round(image.width * ratio)), max(1, round(image.height * ratio)))
        ground = Image.new("RGB", (self.width, self.height), (self.fill,) * 3)
        ground.paste(image.resize(size, resample), ((self.width - size[0]) // 2, (self.height - size[1]) // 2))
        return ground
