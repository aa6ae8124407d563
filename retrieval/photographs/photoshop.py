"""Read Photoshop files: the picture of all layers together, which is stored last; not the thumbnail."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageChops

from retrieval.errors import UnreadableImage
from retrieval.photographs.depth import eight_bits, range_of
from retrieval.photographs.formats_extra import import_decoder, unsupported
from retrieval.photographs.pictures import Contents, Pictures, Pixels, whole

_MODES = {0: ("1", 1), 1: ("L", 1), 2: ("P", 1), 3: ("RGB", 3), 4: ("CMYK", 4), 8: ("L", 1), 9: ("LAB", 3)}
_DEPTHS = {1: ">u1", 8: ">u1", 16: ">u2", 32: ">f4"}
_PROFILE = 1039  # image resource
_PLAIN, _RUNS = 0, 1  # compressions


@dataclass(frozen=True, slots=True)
class PhotoshopPicture:
    """The flattened picture of a Photoshop file."""

    file: BinaryIO
    large: bool  # a PSB
    channels: int
    size: tuple[int, int]  # (width, height)
    depth: int
    mode: str
    palette: bytes
    profile: bytes | None
    start: int  # of the pixels in the file

    def decode(self, enough: int) -> Pixels:
        """Decode to 8 bits a sample, channel by channel."""
        wanted = {mode: count for mode, count in _MODES.values()}[self.mode]
        planes = [Image.fromarray(plane) for plane in self._planes(wanted)]
        if self.mode == "P":
            (index,) = planes
            index.putpalette(np.frombuffer(self.palette, np.uint8).reshape(3, 256).T.tobytes())
            return whole(index.convert("RGB"), self.profile)
        if self.mode == "CMYK":  # stored as light, not ink
            planes = [ImageChops.invert(plane) for plane in planes]
        return whole(planes[0] if wanted == 1 else Image.merge(self.mode, planes), self.profile)

    def _planes(self, wanted: int) -> list[np.ndarray]:
        """Return the first channels, uint8 (height, width)."""
        width, height = self.size
        row = (width + 7) // 8 if self.depth == 1 else width * self.depth // 8
        self.file.seek(self.start)
        (compression,) = struct.unpack(">H", self.file.read(2))
        if compression not in (_PLAIN, _RUNS):
            raise unsupported(f"Photoshop with compression {compression}")
        lengths = np.empty(0, np.int64)
        if compression == _RUNS:
            counts = np.dtype(">u4" if self.large else ">u2")
            packed = self.file.read(counts.itemsize * height * self.channels)
            lengths = np.frombuffer(packed, counts).astype(np.int64).reshape(self.channels, height).sum(axis=1)
        planes = []
        for number in range(wanted):
            size = int(lengths[number]) if compression == _RUNS else row * height
            data = self.file.read(size)
            if len(data) < size:
                raise UnreadableImage("truncated: pixels lie beyond the end of the file")
            if compression == _RUNS:
                data = import_decoder("imagecodecs", "packed Photoshop").packbits_decode(data)
            planes.append(self._plane(data, row * height))
        return planes

    def _plane(self, data: bytes, size: int) -> np.ndarray:
        width, height = self.size
        if len(data) < size:
            raise UnreadableImage("damaged: too few pixels")
        values = np.frombuffer(data[:size], _DEPTHS[self.depth]).reshape(height, -1)
        if self.depth == 1:
            return (1 - np.unpackbits(values, axis=1)[:, :width]) * np.uint8(255)
        values = values.astype(values.dtype.newbyteorder("="), copy=False)
        if self.depth == 32:
            return _from_linear(values)
        return eight_bits(values, *range_of(values, bits=self.depth))


def _from_linear(light: np.ndarray) -> np.ndarray:
    """Return linear light, 0 to 1, as 8 bits of sRGB."""
    share = np.clip(np.nan_to_num(light, posinf=1, neginf=0), 0, 1)
    curved = np.where(share <= 0.0031308, 12.92 * share, 1.055 * share ** (1 / 2.4) - 0.055)
    return np.rint(255 * curved).astype(np.uint8)


def contents(file: BinaryIO, max_megapixels: float) -> Contents:
    """Open a PSD or PSB; raises UnreadableImage, or struct.error where it is cut."""
    file.seek(0)
    version, channels, height, width, depth, mode = struct.unpack(">4xH6xHIIHH", file.read(26))
    if mode not in _MODES or depth not in _DEPTHS or channels < _MODES[mode][1]:
        raise unsupported(f"{depth}-bit Photoshop of colour mode {mode}")
    palette = _block(file, ">I")
    resources = _block(file, ">I")
    (layers,) = struct.unpack(">Q" if version == 2 else ">I", file.read(8 if version == 2 else 4))
    start = file.tell() + layers
    picture = PhotoshopPicture(
        file, version == 2, channels, (width, height), depth, _MODES[mode][0], palette, _profile(resources), start
    )
    return Contents(Pictures(), lambda number: picture)


def _block(file: BinaryIO, size: str) -> bytes:
    (length,) = struct.unpack(size, file.read(struct.calcsize(size)))
    data = file.read(length)
    if len(data) < length:
        raise UnreadableImage("truncated: its header lies beyond the end of the file")
    return data


def _profile(resources: bytes) -> bytes | None:
    """Return the ICC profile among the image resources."""
    at = 0
    while resources[at : at + 4] == b"8BIM":
        (number,) = struct.unpack_from(">H", resources, at + 4)
        name = resources[at + 6]
        at += 6 + name + 1 + (name + 1) % 2
        (length,) = struct.unpack_from(">I", resources, at)
        if number == _PROFILE:
            return resources[at + 4 : at + 4 + length]
        at += 4 + length + length % 2
    return None
