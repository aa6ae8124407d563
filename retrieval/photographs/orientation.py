"""Turn pictures upright as their EXIF block asks for."""

from PIL import ExifTags, Image
from PIL.Image import Transpose

_TURNS = {  # EXIF orientation -> what makes it upright
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}


def orientation_of(source: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8, that is still to be applied to a loaded image (to none of TIFF and HEIF)."""
    try:
        return source.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # a broken EXIF block says nothing against the pixels
        return 1


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """Return an image turned as its EXIF orientation asks for; one that does not exist asks for nothing."""
    turn = _TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)


def upright_size(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """Return the (width, height) that a picture of this size has when it is turned upright."""
    return size[::-1] if orientation in (5, 6, 7, 8) else size
