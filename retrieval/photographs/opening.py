"""Open a file with the one decoder of Pillow that fits its content."""

import importlib
import io
import logging
import warnings
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError, features

from retrieval.errors import UnreadableImage
from retrieval.photographs.kinds import HEAD, kind_of
from retrieval.photographs.limits import refuse_above

# Set once for the process, as `catch_warnings` is not thread safe: our own limit replaces Pillow's, and its
# remarks on sloppy metadata are of no use at the terminal.
Image.MAX_IMAGE_PIXELS = None
warnings.filterwarnings("ignore", module=r"(PIL|pillow_heif)\.")
logging.getLogger("PIL").addHandler(logging.NullHandler())

_PLUGINS = {"JPEG": "Jpeg", "PNG": "Png", "TIFF": "Tiff", "WEBP": "WebP", "GIF": "Gif", "BMP": "Bmp"}


def kind_of_file(file: BinaryIO) -> str:
    """Return the kind of an open file by its content; raises UnreadableImage where it is no photograph's."""
    file.seek(0)
    head = file.read(HEAD)
    kind = kind_of(head)
    if not head:
        raise UnreadableImage("empty file")
    if kind is None:
        raise UnreadableImage(
            "not a photograph this program can read (content is not JPEG, PNG, TIFF, WebP, BMP, GIF, HEIF or AVIF)"
        )
    return kind


def opened(file: BinaryIO, kind: str, max_megapixels: float) -> Image.Image:
    """Open a file of a known kind, without decoding it; raises UnreadableImage, or what the decoder raises."""
    if kind == "WEBP":  # Pillow allocates the canvas on opening
        file.seek(0)
        head = file.read(HEAD)
        if head[12:16] == b"VP8X":
            width, height = (1 + int.from_bytes(head[i : i + 3], "little") for i in (24, 27))
            refuse_above(max_megapixels, (width, height))
    _import_decoder(kind)
    try:
        return _open(file, kind)
    except UnidentifiedImageError:
        raise UnreadableImage(
            f"damaged, truncated or of an unsupported kind: begins like {kind}, but cannot be opened"
        ) from None


def _open(file: BinaryIO, kind: str) -> Image.Image:
    """Open with one decoder; an AVIF that libavif refuses for a broken EXIF block, without the block."""
    file.seek(0)
    try:
        return Image.open(file, formats=[kind])
    except (ValueError, UnidentifiedImageError):
        if kind != "AVIF":
            raise
    file.seek(0)
    return Image.open(io.BytesIO(file.read().replace(b"Exif", b"Void", 1)), formats=[kind])


def _import_decoder(kind: str) -> None:
    """Import one plugin; left to itself, Pillow imports all 47 to find a TIFF."""
    if kind in _PLUGINS:
        importlib.import_module(f"PIL.{_PLUGINS[kind]}ImagePlugin")
    elif kind == "AVIF" and features.check("avif"):
        importlib.import_module("PIL.AvifImagePlugin")
    elif kind not in Image.OPEN:
        import pillow_heif

        register = getattr(pillow_heif, f"register_{kind.lower()}_opener", None)  # no AVIF since version 1
        if register is None:
            raise UnreadableImage(f"{kind} is not supported by the Pillow installed here")
        register()
