"""A photograph as the rest of the program sees it: a file's hash, a picture's size, and its reduced pixels."""

from dataclasses import dataclass
from pathlib import Path

from PIL import Image


@dataclass(frozen=True, slots=True)
class Photograph:
    """A decoded photograph: the hash of its file, its own upright size, and its reduced upright pixels."""

    path: Path
    sha256: str  # of the file's bytes
    width: int  # of the upright photograph, in its own pixels
    height: int
    image: Image.Image  # upright, mode "RGB", whole, reduced
    picture: int = 1  # its number in a file of several, from 1
    pictures: int = 1  # that the file has
    damage: str | None = None  # what is wrong with the pixels, where the file is damaged and could be decoded
