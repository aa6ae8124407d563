"""Count the pictures in a file without decoding them."""

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from retrieval.errors import UnreadableImage
from retrieval.photographs.files import in_plain_words, open_regular
from retrieval.photographs.limits import DEFAULT_MAX_MEGAPIXELS
from retrieval.photographs.opening import kind_of_file, opened

_OF_SEVERAL = frozenset(["GIF", "PNG", "WEBP", "AVIF", "HEIF"])  # the second picture of a JPEG is a preview or an eye
_ANIMATED = _OF_SEVERAL - {"HEIF"}


@dataclass(frozen=True, slots=True)
class Pictures:
    """How many pictures a file holds, and whether they are the frames of an animation rather than pages."""

    count: int = 1
    animated: bool = False


def pictures_in(path: Path) -> Pictures:
    """Count the pictures of a file: pages and frames, no thumbnails, masks or smaller levels of a pyramid.

    Raises UnreadableImage where the file cannot be opened as a photograph; its pixels may still be damaged.
    """
    try:
        with open_regular(path) as file:
            return pictures_of(file, kind_of_file(file))
    except UnreadableImage:
        raise
    except Exception as error:  # decoders raise almost anything on a damaged file
        raise UnreadableImage(in_plain_words(error)) from error


def pictures_of(file: BinaryIO, kind: str, max_megapixels: float = DEFAULT_MAX_MEGAPIXELS) -> Pictures:
    """Count the pictures of an open file of a known kind; raises UnreadableImage, or what a decoder raises."""
    if kind == "TIFF":
        return Pictures(len(chain_numbers(file)))
    if kind not in _OF_SEVERAL:
        return Pictures()
    source = opened(file, kind, max_megapixels)
    count = max(1, getattr(source, "n_frames", 1))
    return Pictures(count, animated=kind in _ANIMATED and count > 1)


def chain_numbers(file: BinaryIO) -> list[int]:
    """Return the places, from 0, of a TIFF's pictures in its chain of directories."""
    from tifffile import TiffFile

    from retrieval.photographs.tiff_pages import pages_of

    file.seek(0)
    try:
        return [page.index for page in pages_of(TiffFile(file))] or [0]
    except Exception:  # what tifffile cannot make out may still be read
        return [0]
