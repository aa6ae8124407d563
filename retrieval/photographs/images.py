"""Open photographs upright, as RGB, small, and say clearly when one cannot be read."""

import hashlib
from pathlib import Path

from PIL import Image

from retrieval.errors import UnreadableImage
from retrieval.photographs.colour import averageable, over_white
from retrieval.photographs.contents import contents_of
from retrieval.photographs.files import in_plain_words, open_regular
from retrieval.photographs.limits import DEFAULT_MAX_MEGAPIXELS, refuse_above, turn_of
from retrieval.photographs.orientation import upright, upright_size
from retrieval.photographs.photograph import Photograph
from retrieval.photographs.pictures import Picture, Pictures


def read_photograph(
    path: Path, *, short_side: int, max_megapixels: float = DEFAULT_MAX_MEGAPIXELS, picture: int | None = None
) -> Photograph:
    """Read one picture of a file, upright, in sRGB over white, reduced but never enlarged or cropped.

    `picture` is its number in a file of several, from 1; None stands for the first. The short side of the result lies
    in [short_side, 2 * short_side] pixels, or is the picture's own if smaller.
    Raises UnreadableImage, with one line that does not name the file, when it cannot be read.
    """
    assert short_side > 0
    try:
        with open_regular(path) as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            contents = contents_of(file, max_megapixels)
            number = _chosen(contents.pictures, picture)
            image, (width, height) = _decode(contents.picture(number), short_side, max_megapixels)
    except UnreadableImage:
        raise
    except Exception as error:  # decoders raise almost anything on a damaged file
        raise UnreadableImage(in_plain_words(error)) from error
    return Photograph(path, sha256, width, height, image, number, contents.pictures.count)


def _chosen(pictures: Pictures, picture: int | None) -> int:
    """Return the number of the picture to be read."""
    if picture is None:
        return 1
    if not 1 <= picture <= pictures.count:
        raise UnreadableImage(f"has no picture {picture}: pictures in it: {pictures.count}")
    return picture


def _decode(picture: Picture, short_side: int, max_megapixels: float) -> tuple[Image.Image, tuple[int, int]]:
    """Return the reduced upright RGB image, and the upright (width, height) of the picture's own pixels."""
    size = picture.size
    refuse_above(max_megapixels, size)
    with turn_of(size):
        pixels = picture.decode(2 * short_side)
        small = _shrink(averageable(pixels.image), pixels.box, short_side)
    image = upright(over_white(small, pixels.profile), pixels.orientation)
    image.info.clear()  # the profile and orientation are spent; nothing may apply them twice
    return image, upright_size(size, pixels.orientation)


def _shrink(image: Image.Image, box: tuple[float, float, float, float], short_side: int) -> Image.Image:
    """Reduce what is at least twice too large, to half more than asked for.

    The encoder resizes once more. Its 260 px input, against the input from a full decode: 53 dB this way, 50 dB when
    reduced to just what is asked for, 33 to 49 dB with nothing but the JPEG's own reduction.
    """
    width, height = box[2], box[3]
    if min(width, height) < 2 * short_side:
        return image
    scale = 1.5 * short_side / min(width, height)
    size = (round(width * scale), round(height * scale))
    return image.resize(size, Image.Resampling.LANCZOS, box=box, reducing_gap=2.0)
