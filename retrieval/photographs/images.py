"""Open photographs upright, as RGB, small, and say clearly when one cannot be read."""

import contextlib
import hashlib
import importlib
import io
import logging
import os
import stat
import threading
import warnings
from dataclasses import dataclass
from pathlib import Path

from PIL import ExifTags, Image, UnidentifiedImageError, features
from PIL.Image import Transpose

from retrieval.errors import UnreadableImage
from retrieval.photographs.colour import averageable, over_white

SUFFIXES = frozenset([
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".tif", ".tiff",
    ".webp", ".bmp", ".gif", ".heic", ".heif", ".hif", ".avif",
])  # fmt: skip
DEFAULT_MAX_MEGAPIXELS = 500.0

# Set once for the process, as `catch_warnings` is not thread safe: our own limit replaces Pillow's, and its
# remarks on sloppy metadata are of no use at the terminal.
Image.MAX_IMAGE_PIXELS = None
warnings.filterwarnings("ignore", module=r"(PIL|pillow_heif)\.")
logging.getLogger("PIL").addHandler(logging.NullHandler())

_LARGE_MEGAPIXELS = 100.0
_one_large_at_a_time = threading.Lock()  # a gigapixel scan takes gigabytes: two threads must not add up

_MAGIC = {
    "JPEG": (b"\xff\xd8\xff",),
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "TIFF": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    "GIF": (b"GIF87a", b"GIF89a"),
    "BMP": (b"BM",),
}
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_AVIF_BRANDS = {b"avif", b"avis"}
_PLUGINS = {"JPEG": "Jpeg", "PNG": "Png", "TIFF": "Tiff", "WEBP": "WebP", "GIF": "Gif", "BMP": "Bmp"}
_TURNS = {  # EXIF orientation -> what makes it upright
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}
_SWAPPING = {Transpose.TRANSPOSE, Transpose.ROTATE_270, Transpose.TRANSVERSE, Transpose.ROTATE_90}


@dataclass(frozen=True, slots=True)
class Photograph:
    """A decoded photograph: the hash of its file, its own upright size, and its reduced upright pixels."""

    path: Path
    sha256: str  # of the file's bytes
    width: int  # of the upright photograph, in its own pixels
    height: int
    image: Image.Image  # upright, mode "RGB", whole, reduced


def read_photograph(path: Path, *, short_side: int, max_megapixels: float = DEFAULT_MAX_MEGAPIXELS) -> Photograph:
    """Read the first picture of a file, upright, in sRGB over white, reduced but never enlarged or cropped.

    The short side of the result lies in [short_side, 2 * short_side] pixels, or is the file's own if smaller.
    Raises UnreadableImage, with one line that does not name the file, when it cannot be read.
    """
    assert short_side > 0
    try:
        with _open_regular(path) as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            image, (width, height) = _decode(file, short_side, max_megapixels)
    except UnreadableImage:
        raise
    except Exception as error:  # decoders raise almost anything on a damaged file
        raise UnreadableImage(_in_plain_words(error)) from error
    return Photograph(path, sha256, width, height, image)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal; raises UnreadableImage if they cannot be read."""
    try:
        with _open_regular(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError) as error:
        raise UnreadableImage(_in_plain_words(error)) from error


def _open_regular(path: Path) -> io.BufferedReader:
    """Open a file, refusing pipes and devices without waiting for them."""
    no_wait = getattr(os, "O_NONBLOCK", 0)
    file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | no_wait))  # noqa: SIM115
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise UnreadableImage("not a regular file")
    return file


def _decode(file: io.BufferedReader, short_side: int, max_megapixels: float) -> tuple[Image.Image, tuple[int, int]]:
    """Return the reduced upright RGB image, and the upright (width, height) of the file's own pixels."""
    with _identify(file, max_megapixels) as source:
        large = _refuse_above(max_megapixels, source.size) > _LARGE_MEGAPIXELS
        with _one_large_at_a_time if large else contextlib.nullcontext():
            size, box = _load(source, 2 * short_side)
            small = _shrink(averageable(source), box, short_side)
        turn = _turn(source)
        image = over_white(small, source.info.get("icc_profile"))
    if turn is not None:
        image = image.transpose(turn)
    image.info.clear()  # the profile and orientation are spent; nothing may apply them twice
    return image, (size[::-1] if turn in _SWAPPING else size)


def _identify(file: io.BufferedReader, max_megapixels: float) -> Image.Image:
    """Open by content, with the one decoder that fits it: no other is imported, none is guessed."""
    file.seek(0)
    head = file.read(256)
    kind = _kind(head)
    if not head:
        raise UnreadableImage("empty file")
    if kind is None:
        raise UnreadableImage(
            "not a photograph this program can read (content is not JPEG, PNG, TIFF, WebP, BMP, GIF, HEIF or AVIF)"
        )
    if kind == "WEBP" and head[12:16] == b"VP8X":  # Pillow allocates the canvas on opening
        width, height = (1 + int.from_bytes(head[i : i + 3], "little") for i in (24, 27))
        _refuse_above(max_megapixels, (width, height))
    _import_decoder(kind)
    try:
        return _open(file, kind)
    except UnidentifiedImageError:
        raise UnreadableImage(
            f"damaged, truncated or of an unsupported kind: begins like {kind}, but cannot be opened"
        ) from None


def _open(file: io.BufferedReader, kind: str) -> Image.Image:
    """Open with one decoder; an AVIF that libavif refuses for a broken EXIF block, without the block."""
    try:
        return Image.open(file, formats=[kind])
    except (ValueError, UnidentifiedImageError):
        if kind != "AVIF":
            raise
    file.seek(0)
    return Image.open(io.BytesIO(file.read().replace(b"Exif", b"Void", 1)), formats=[kind])


def _kind(head: bytes) -> str | None:
    """Return Pillow's name for the format that these first bytes announce."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] == b"ftyp":
        size = min(int.from_bytes(head[:4], "big"), len(head))
        brands = [head[8:12], *(head[i : i + 4] for i in range(16, size, 4))]
        codec = next((brand for brand in brands if brand in _HEIF_BRANDS | _AVIF_BRANDS), None)
        if codec or {b"mif1", b"msf1"} & set(brands):
            return "AVIF" if codec in _AVIF_BRANDS else "HEIF"
    return next((kind for kind, magics in _MAGIC.items() if head.startswith(magics)), None)


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


def _refuse_above(max_megapixels: float, size: tuple[int, int]) -> float:
    """Return the megapixels of a picture of this size, unless they are none or too many."""
    megapixels = size[0] * size[1] / 1e6
    if megapixels <= 0:
        raise UnreadableImage("damaged: a picture without pixels")
    if megapixels > max_megapixels:
        raise UnreadableImage(
            f"{megapixels:.6g} megapixels, more than the {max_megapixels:.6g} allowed; "
            "raise --max-megapixels to read it"
        )
    return megapixels


def _load(source: Image.Image, enough: int) -> tuple[tuple[int, int], tuple[float, float, float, float]]:
    """Decode, a JPEG at reduced size; return the size in the file and the box that the pixels fill now."""
    size, drafted = source.size, None
    if source.format in ("JPEG", "MPO"):  # pillow_heif's draft shows an embedded thumbnail: not the evidence
        drafted = source.draft(None, (enough, enough))
    elif source.format == "TIFF":
        with contextlib.suppress(Exception):  # Pillow would read these blocks too, and fail on broken ones
            for tag in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo):
                source.getexif().pop(tag, None)
    source.load()
    return (size, drafted[1]) if drafted else (source.size, (0, 0, *source.size))


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


def _turn(source: Image.Image) -> Transpose | None:
    """Return what makes a loaded image upright (TIFF and HEIF are already)."""
    try:
        return _TURNS.get(source.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # a broken EXIF block says nothing against the pixels
        return None


def _in_plain_words(error: Exception) -> str:
    """Say on one printable line, without the path, what a decoder or the system ran into."""
    if isinstance(error, MemoryError):
        return "too little memory to decode it"
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be opened: {error.strerror.lower()}"
    text = "".join(c if c.isprintable() else " " for c in str(error) or type(error).__name__)
    text = " ".join(text.split())[:200]
    cut = isinstance(error, EOFError) or "truncated" in text.lower() or "end of file" in text
    return f"{'truncated' if cut else 'damaged'}: {text}"
