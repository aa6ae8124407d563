"""What the rooms of the formats hand on: how many pictures a file holds, each of them, and its pixels."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from PIL import Image


@dataclass(frozen=True, slots=True)
class Pictures:
    """How many pictures a file holds, and whether they are the frames of an animation rather than pages."""

    count: int = 1
    animated: bool = False


@dataclass(frozen=True, slots=True)
class Pixels:
    """A decoded picture in any mode of Pillow, perhaps reduced."""

    image: Image.Image
    box: tuple[float, float, float, float]  # that the picture fills in the image
    profile: bytes | None = None  # ICC
    orientation: int = 1  # of EXIF, still to be applied
    damage: Callable[[], str | None] = lambda: None  # looks for what is wrong with the pixels of the file


class Picture(Protocol):
    """One picture of an open file, not yet decoded."""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in the file, before it is turned."""

    def decode(self, enough: int) -> Pixels:
        """Decode, whole; reduced if that is cheap, to no less than `enough` pixels of the short side."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What an open file holds; `picture` gives one by its number, from 1."""

    pictures: Pictures
    picture: Callable[[int], Picture]


def whole(image: Image.Image, profile: bytes | None = None, orientation: int = 1) -> Pixels:
    """Return pixels that fill all of their image."""
    return Pixels(image, (0, 0, *image.size), profile, orientation)
