"""Write a folder of bad and odd photographs, and say of each whether it can be judged."""

import io
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pillow_heif
from PIL import Image, PngImagePlugin, features

from tests.conftest import aged
from tests.pictures import painting

SIZE = (128, 104)
GOOD = (0, 1)  # the paintings that are good photographs
FORMATS = {"jpg": "JPEG", "png": "PNG", "tif": "TIFF", "webp": "WEBP", "bmp": "BMP", "gif": "GIF", "heic": "HEIF"}
FORMATS |= {"avif": "AVIF"} if features.check("avif") else {}
SCRIPT, FORMULA = "<script>alert(1)</script>", "=HYPERLINK(1)"
NO_TEXT = os.fsdecode(b"caf\xe9.jpg")
ODD_NAMES = (
    "new\nline.jpg",
    "carriage\rreturn.jpg",
    "tab\tstop.jpg",
    "escape \x1b[31mred.jpg",
    "single ' quote.jpg",
    'double " quote.jpg',
    "painting \U0001f5bc\ufe0f.jpg",
    "right \u202egnp.jpg",
    "zero\u200bwidth.jpg",
    "=1+1.jpg",
    "-rf.jpg",
    "+49.jpg",
    "@SUM(1).jpg",
    "<img src=x onerror=alert(1)>.jpg",
    "&amp;,;%s{0}$HOME`id`.jpg",
    "back\\slash.jpg",
    "\uff1d1.jpg",  # a wide equals sign
    "\ttab first.jpg",
    "  two spaces  .jpg",
    f"{'ä' * 125}a.jpg",  # 255 bytes, the most that a name may have
)


@dataclass(frozen=True, slots=True)
class Input:
    """A file by its name; it can be judged, or the reason why not holds `says`."""

    name: str
    judged: bool
    content: bytes = b""
    says: str = ""


def saved(image: Image.Image, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    if format == "HEIF":
        pillow_heif.register_heif_opener()
    image.save(file, format, **options)
    return file.getvalue()


def bad(name: str, content: bytes, says: str = "") -> Input:
    return Input(name, False, content, says)


def odd(name: str, content: bytes) -> Input:
    return Input(name, True, content)


@cache
def corpus() -> tuple[Input, ...]:
    """Return every input that is a file with bytes of its own."""
    good = (odd(f"good {number}.jpg", saved(painting(number), "JPEG", quality=92)) for number in GOOD)
    return (*good, *_damaged(), *_claiming_sizes(), *_posing(), *_unusual(), *_with_metadata(), *named())


def write_corpus(folder: Path) -> tuple[Input, ...]:
    """Write the corpus into a new folder, with links and a pipe; return every input under it."""
    folder.mkdir()
    files = corpus()
    for item in files:
        (folder / item.name).write_bytes(item.content)
        aged(folder / item.name)
    (folder / "circle").symlink_to(folder)  # the photographs below are the same: no input of its own
    (folder / "itself.jpg").symlink_to("itself.jpg")
    (folder / "there.jpg").symlink_to("back.jpg")
    (folder / "back.jpg").symlink_to("there.jpg")
    (folder / "dangling.jpg").symlink_to("nowhere.jpg")
    (folder / "linked.jpg").symlink_to("whole jpg.jpg")
    (folder / NO_TEXT).write_bytes(files[0].content)
    os.mkfifo(folder / "pipe.jpg")
    (folder / "folder.jpg").mkdir()  # a folder, passed over as it is empty
    looping = [bad(name, b"", "symbolic links") for name in ("itself.jpg", "there.jpg", "back.jpg")]
    others = [bad("dangling.jpg", b"", "no such file"), bad("pipe.jpg", b"", "not a regular file")]
    return (*files, *looping, *others, odd("linked.jpg", b""), bad("caf\\xe9.jpg", b"", "not valid text"))


def flipped(content: bytes, position: float) -> bytes:
    """Return the content with one bit changed at a share of its length."""
    found = bytearray(content)
    found[int(len(found) * position)] ^= 0x10
    return bytes(found)


def _damaged() -> Iterator[Input]:
    image = painting(3, SIZE)
    for ending, format in FORMATS.items():
        whole = saved(image, format)
        yield odd(f"whole {ending}.{ending}", whole)
        yield bad(f"half {ending}.{ending}", whole[: len(whole) // 2])
        yield bad(f"sixteen bytes {ending}.{ending}", whole[:16])
        yield bad(f"zeros {ending}.{ending}", whole[:16] + bytes(len(whole)))
        yield Input(f"one bit {ending}.{ending}", format != "PNG", flipped(whole, 0.1))  # the others have no checksum


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, pixels: bytes) -> bytes:
    """Return a PNG of 8 bits of grey that claims to be of that size."""
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + _chunk(b"IDAT", zlib.compress(pixels, 9)) + _chunk(b"IEND", b"")


def _claiming_sizes() -> Iterator[Input]:
    tiff = b"II*\0\x08\0\0\0" + struct.pack("<H", 8)
    for tag, value in ((256, 90_000), (257, 90_000), (258, 8), (259, 1), (262, 1), (273, 8), (278, 90_000), (279, 99)):
        tiff += struct.pack("<HHII", tag, 4, 1, value)
    canvas = (2**24 - 1).to_bytes(3, "little")
    jpeg = bytearray(saved(Image.new("L", (8, 8)), "JPEG"))
    at = jpeg.index(b"\xff\xc0") + 5
    jpeg[at : at + 4] = b"\xff\xff\xff\xff"
    bmp = b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, 90_000, 90_000, 1, 24, 0, 0, 0, 0, 0, 0)
    yield bad("30000 x 30000.png", png(30_000, 30_000, b""), "900 megapixels, more than the 500 allowed")
    yield bad("a bomb.png", png(30_000, 30_000, bytes(5_000_000)), "megapixels")
    yield bad("all there is.png", png(2**31 - 1, 2**31 - 1, b""), "megapixels")
    yield bad("no pixels.png", png(0, 0, b""))
    yield bad("large tif.tif", tiff + bytes(4), "megapixels")
    yield bad("large gif.gif", b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0) + bytes(30))
    yield bad("large bmp.bmp", bmp, "megapixels")
    yield bad("large jpg.jpg", bytes(jpeg), "megapixels")
    webp = b"WEBPVP8X" + struct.pack("<II", 10, 0) + canvas + canvas
    yield bad("large webp.webp", b"RIFF" + struct.pack("<I", len(webp)) + webp, "megapixels")
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "a" * 3_000_000, zip=True)
    yield odd("bomb of text.png", saved(painting(3, SIZE), "PNG", pnginfo=text))
    endless = b"II*\0\x08\0\0\0\0\0\x08\0\0\0"  # a directory that names itself as the next one
    yield bad("endless.tif", endless)


def _posing() -> Iterator[Input]:
    said, known = "not a photograph this program can read", "of an unsupported kind: "
    yield bad("empty.jpg", b"", "empty file")
    yield bad("one byte.png", b"\x89", said)
    yield bad("zeros.tif", bytes(4096), said)
    yield bad("svg.jpg", f'<svg xmlns="http://www.w3.org/2000/svg">{SCRIPT}</svg>'.encode(), known + "svg")
    yield bad("page.jpg", f"<!DOCTYPE html><html>{SCRIPT}</html>".encode(), said)
    yield bad("script.png", b"#!/bin/sh\nexit 1\n", said)
    yield bad("program.gif", b"\x7fELF\x02\x01\x01" + bytes(60), said)
    yield bad("archive.webp", b"PK\x03\x04" + bytes(60), said)
    yield bad("document.tif", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "damaged")
    yield bad("postscript.jpg", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", known + "postscript")
    yield bad("sound.webp", b"RIFF\x24\0\0\0WAVEfmt " + bytes(30), said)
    yield bad("film.heic", b"\0\0\0\x18ftypisom\0\0\0\0isommp42", known + "film")
    yield odd("a png.jpg", saved(painting(3, SIZE), "PNG"))
    yield odd("a jpeg.heic", saved(painting(3, SIZE), "JPEG"))
    yield odd("A GIF.TIFF", saved(painting(3, SIZE), "GIF"))


def _unusual() -> Iterator[Input]:
    image, more = painting(3, SIZE), {"save_all": True, "append_images": [painting(4, SIZE)] * 2}
    yield odd("more behind it.jpg", saved(image, "JPEG") + bytes(300))
    yield odd("1 x 1.png", saved(Image.new("RGB", (1, 1)), "PNG"))
    yield odd("1 x 5000.png", saved(Image.new("RGB", (1, 5000), "red"), "PNG"))
    yield odd("5000 x 1.jpg", saved(Image.new("RGB", (5000, 1), "red"), "JPEG"))
    yield odd("cmyk jpg.jpg", saved(image.convert("CMYK"), "JPEG", icc_profile=b"no profile"))
    yield odd("cmyk tif.tif", saved(image.convert("CMYK"), "TIFF", icc_profile=bytes(600)))
    yield odd("moving gif.gif", saved(image, "GIF", **more))
    yield odd("moving webp.webp", saved(image, "WEBP", **more))
    yield odd("moving png.png", saved(image, "PNG", **more))
    yield odd("pages.tif", saved(image, "TIFF", **more))
    yield odd("bits.tif", saved(image.convert("1"), "TIFF", compression="group4"))
    yield odd("invisible.png", saved(Image.new("RGBA", SIZE), "PNG"))


def _with_metadata() -> Iterator[Input]:
    for name, text in (("script", SCRIPT), ("formula", FORMULA)):
        exif = Image.Exif()
        for tag in (0x010E, 0x013B, 0x8298):  # description, artist, copyright
            exif[tag] = text
        yield odd(f"exif {name}.jpg", saved(painting(3, SIZE), "JPEG", exif=exif))


def named() -> Iterator[Input]:
    """Yield one photograph under every odd name."""
    content = saved(painting(3, SIZE), "JPEG")
    for name in ODD_NAMES:
        yield odd(name, content)
