"""What Pillow reads: open by content, with the one decoder that fits it, and decode."""

import contextlib
import importlib
import io
import logging
import warnings
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from PIL import ExifTags, Image, UnidentifiedImageError, features

from retrieval.errors import UnreadableImage
from retrieval.photographs.kinds import HEAD
from retrieval.photographs.limits import refuse_above
from retrieval.photographs.orientation import orientation_of
from retrieval.photographs.pictures import Contents, Picture, Pictures, Pixels

# Set once for the process, as `catch_warnings` is not thread safe: our own limit replaces Pillow's, and its
# remarks on sloppy metadata are of no use at the terminal.
Image.MAX_IMAGE_PIXELS = None
warnings.filterwarnings("ignore", module=r"(PIL|pillow_heif)\.")
logging.getLogger("PIL").addHandler(logging.NullHandler())

_PLUGINS = {
    "JPEG": "Jpeg", "PNG": "Png", "TIFF": "Tiff", "WEBP": "WebP", "GIF": "Gif", "BMP": "Bmp", "JPEG2000": "Jpeg2K",
}  # fmt: skip
_OF_SEVERAL = frozenset(["GIF", "PNG", "WEBP", "AVIF", "HEIF"])  # the second picture of a JPEG is a preview or an eye


@dataclass(frozen=True, slots=True)
class PillowPicture:
    """A picture that Pillow has opened, and stands at."""

    source: Image.Image

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in the file."""
        return self.source.size

    def decode(self, enough: int) -> Pixels:
        """Decode, a JPEG at reduced size."""
        source, box = self.source, None
        if source.format in ("JPEG", "MPO"):  # pillow_heif's draft shows an embedded thumbnail: not the evidence
            drafted = source.draft(None, (enough, enough))
            box = drafted and drafted[1]
        elif source.format == "TIFF":
            with contextlib.suppress(Exception):  # Pillow would read these blocks too, and fail on broken ones
                for tag in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo):
                    source.getexif().pop(tag, None)
        source.load()
        return Pixels(source, box or (0, 0, *source.size), source.info.get("icc_profile"), orientation_of(source))


def contents(file: BinaryIO, kind: str, max_megapixels: float) -> Contents:
    """Open a file of a known kind; raises UnreadableImage, or what the decoder raises."""
    source = opened(file, kind, max_megapixels)
    count = max(1, getattr(source, "n_frames", 1)) if kind in _OF_SEVERAL else 1
    return Contents(Pictures(count, animated=kind != "HEIF" and count > 1), partial(_picture, source))


def _picture(source: Image.Image, number: int) -> Picture:
    if source.tell() != number - 1:  # a HEIF is opened at its main picture, which need not be the first
        source.seek(number - 1)
    return PillowPicture(source)


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
    """Open with one decoder; what libavif or libwebp refuses for a broken EXIF block, or its length, without that."""
    file.seek(0)
    try:
        return Image.open(file, formats=[kind])
    except (OSError, ValueError):  # of which UnidentifiedImageError is one
        if kind not in ("AVIF", "WEBP"):
            raise
    file.seek(0)
    data = file.read()
    if kind == "AVIF":
        data = data.replace(b"Exif", b"Void", 1)
    else:
        data = data[:4] + (len(data) - 8).to_bytes(4, "little") + data[8:]
    return Image.open(io.BytesIO(data), formats=[kind])


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
