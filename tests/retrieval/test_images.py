"""Photographs of every format, mode and defect; all made here."""

import hashlib
import io
import os
import re
import struct
import subprocess
import sys
import threading
import time
import tracemalloc
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, features

from retrieval.errors import UnreadableImage
from retrieval.photographs import by_pillow, files, images, limits
from retrieval.photographs.by_pillow import PillowPicture
from retrieval.photographs.files import sha256_of
from retrieval.photographs.images import read_both, read_photograph
from retrieval.photographs.kinds import SUFFIXES
from retrieval.photographs.photograph import Photograph
from tests.pictures import painting

pillow_heif.register_heif_opener()
pytestmark = pytest.mark.filterwarnings("ignore:::PIL")  # pytest undoes the filter of the module

ORANGE = (230, 120, 40)
FORMATS = {
    "jpg": {"format": "JPEG", "quality": 95},
    "progressive.jpg": {"format": "JPEG", "quality": 95, "progressive": True},
    "png": {"format": "PNG"},
    "tif": {"format": "TIFF"},
    "lzw.tif": {"format": "TIFF", "compression": "tiff_lzw"},
    "jpeg.tif": {"format": "TIFF", "compression": "jpeg", "quality": 95},
    "webp": {"format": "WEBP", "quality": 95},
    "lossless.webp": {"format": "WEBP", "lossless": True},
    "bmp": {"format": "BMP"},
    "gif": {"format": "GIF"},
    "avif": {"format": "AVIF", "quality": 90},
    "heic": {"format": "HEIF", "quality": 90},
}
needs_avif = pytest.mark.skipif(not features.check("avif"), reason="Pillow without AVIF")
each_format = pytest.mark.parametrize(
    "suffix", [pytest.param(s, marks=needs_avif) if s == "avif" else s for s in FORMATS]
)


def encoded(image: Image.Image, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, **options)
    return buffer.getvalue()


def read(tmp_path: Path, data: bytes, short_side: int = 16, **options) -> Photograph:
    path = tmp_path / "photo.jpg"
    path.write_bytes(data)
    return read_photograph(path, short_side=short_side, **options)


def read_saved(tmp_path: Path, image: Image.Image, short_side: int = 16, **options) -> Photograph:
    return read(tmp_path, encoded(image, **options), short_side)


def refusal(tmp_path: Path, data: bytes, **options) -> str:
    with pytest.raises(UnreadableImage) as caught:
        read(tmp_path, data, **options)
    assert_clean(str(caught.value), tmp_path)
    return str(caught.value)


def assert_clean(message: str, folder: Path) -> None:
    assert message.isprintable()
    assert message.strip()
    assert str(folder) not in message
    assert "photo.jpg" not in message


def assert_colour(photograph: Photograph, expected: tuple[int, int, int], tolerance: int = 6) -> None:
    assert photograph.image.mode == "RGB"
    middle = photograph.image.getpixel((photograph.image.width // 2, photograph.image.height // 2))
    np.testing.assert_allclose(middle, expected, atol=tolerance)


def noise(width: int, height: int) -> Image.Image:
    rng = np.random.default_rng(0)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))


def png(depth: int, colour_type: int, row: bytes, *, width: int = 1, height: int = 1, **chunks: bytes) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    extra = b"".join(chunk(name.encode(), data) for name, data in chunks.items())
    body = chunk(b"IDAT", zlib.compress((b"\0" + row) * min(height, 100)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + body + chunk(b"IEND", b"")


# formats


@each_format
def test_every_format_gives_its_colour_size_and_hash(tmp_path, suffix):
    data = encoded(Image.new("RGB", (60, 40), ORANGE), **FORMATS[suffix])
    photograph = read(tmp_path, data)
    assert_colour(photograph, ORANGE)
    assert (photograph.width, photograph.height) == (60, 40)
    assert photograph.path == tmp_path / "photo.jpg"
    assert photograph.sha256 == hashlib.sha256(data).hexdigest() == sha256_of(photograph.path)
    assert photograph.image.info == {}


@each_format
def test_truncated_files_are_refused(tmp_path, suffix):
    data = encoded(noise(100, 80), **FORMATS[suffix])
    for fraction in (0.02, 0.3, 0.6, 0.9, *(() if suffix == "jpg" else (0.98,))):  # a JPEG may lack a few last rows
        assert re.search("truncated|damaged", refusal(tmp_path, data[: int(len(data) * fraction)]))


def test_suffixes_are_lower_case_and_cover_the_formats():
    assert {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".heic", ".hif", ".avif"} <= SUFFIXES
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in SUFFIXES)


@needs_avif
def test_generic_brands_are_told_apart_by_the_others(tmp_path):
    for suffix in ("avif", "heic"):
        data = encoded(Image.new("RGB", (60, 40), ORANGE), **FORMATS[suffix])
        major = data[8:12]
        assert_colour(read(tmp_path, data[:8] + b"mif1" + data[12:16] + major + data[20:]), ORANGE)


def test_missing_avif_support_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(by_pillow.features, "check", lambda _: False)
    monkeypatch.delitem(Image.OPEN, "AVIF", raising=False)
    header = struct.pack(">I4s4sI4s", 20, b"ftyp", b"avif", 0, b"mif1")
    if not hasattr(pillow_heif, "register_avif_opener"):
        assert "AVIF is not supported" in refusal(tmp_path, header)


def test_only_the_first_picture_of_several_is_read(tmp_path):
    first, second = Image.new("RGB", (60, 40), ORANGE), Image.new("RGB", (60, 40), "blue")
    for kind in ("TIFF", "GIF", "WEBP", "PNG", "MPO"):
        options = {"lossless": True} if kind == "WEBP" else {}
        data = encoded(first, format=kind, save_all=True, append_images=[second], **options)
        assert_colour(read(tmp_path, data), ORANGE)


def test_mpo_is_drafted_as_a_jpeg_is(tmp_path):
    data = encoded(noise(800, 600), format="MPO", save_all=True, append_images=[noise(80, 60)])
    photograph = read(tmp_path, data, 100)
    assert (photograph.width, photograph.height) == (800, 600)
    assert photograph.image.size == (200, 150)


# modes


@pytest.mark.parametrize(
    ("mode", "colour", "expected", "kinds"),
    [
        ("1", 1, (255, 255, 255), "TIFF PNG BMP JPEG GIF WEBP"),
        ("L", 100, (100, 100, 100), "TIFF PNG BMP JPEG GIF WEBP"),
        ("LA", (100, 255), (100, 100, 100), "TIFF PNG WEBP"),
        ("LA", (100, 0), (100, 100, 100), "TIFF PNG WEBP"),  # transparent everywhere: a mistake
        ("RGBA", (*ORANGE, 255), ORANGE, "TIFF PNG WEBP GIF HEIF"),
        ("RGBA", (*ORANGE, 0), ORANGE, "TIFF PNG HEIF"),
        ("RGBA", (0, 0, 0, 128), (127, 127, 127), "TIFF PNG WEBP HEIF"),
        ("CMYK", (0, 255, 255, 0), (255, 0, 0), "TIFF JPEG"),
        ("YCbCr", (100, 128, 128), (100, 100, 100), "TIFF JPEG"),
        ("RGBX", (*ORANGE, 0), ORANGE, "TIFF JPEG"),
        ("LAB", (137, 128, 128), (128, 128, 128), "TIFF"),
        ("PA", (0, 255), (10, 200, 30), "TIFF"),
        ("PA", (0, 0), (10, 200, 30), "TIFF"),
    ],
)
def test_modes(tmp_path, mode, colour, expected, kinds):
    image = Image.new(mode, (40, 30), colour)
    if mode == "PA":
        image.putpalette([10, 200, 30] * 256)
    for kind in kinds.split():
        data = encoded(image, format=kind)
        for short_side in (8, 30):  # reduced, and as it is
            assert_colour(read(tmp_path, data, short_side), expected)


def test_alpha_is_averaged_before_it_is_laid_over_white(tmp_path):
    image = Image.new("RGBA", (40, 30), (0, 0, 0, 0))
    for x in range(0, 40, 2):
        image.paste((200, 0, 0, 255), (x, 0, x + 1, 30))
    assert_colour(read_saved(tmp_path, image, 2, format="PNG"), (227, 127, 127))


def test_palettes_with_and_without_transparency(tmp_path):
    image = Image.new("P", (40, 30), 1)
    image.putpixel((0, 0), 2)
    image.putpalette([0, 0, 0, *ORANGE, 9, 9, 9])
    assert_colour(read_saved(tmp_path, image, format="PNG"), ORANGE)
    assert_colour(read_saved(tmp_path, image, format="PNG", transparency=b"\xff\x00\xff"), (255, 255, 255))
    assert_colour(read_saved(tmp_path, image, format="PNG", transparency=b"\xff\x80"), (242, 187, 147))
    assert_colour(read_saved(tmp_path, image, format="PNG", transparency=1), (255, 255, 255))
    assert_colour(read_saved(tmp_path, image, format="GIF", transparency=1), (255, 255, 255))


def test_a_transparent_colour_key_becomes_white(tmp_path):
    grey, rgb = Image.new("L", (40, 30), 50), Image.new("RGB", (40, 30), ORANGE)
    grey.putpixel((0, 0), 9)
    rgb.putpixel((0, 0), (9, 9, 9))
    assert_colour(read_saved(tmp_path, grey, format="PNG", transparency=50), (255, 255, 255))
    assert_colour(read_saved(tmp_path, rgb, format="PNG", transparency=ORANGE), (255, 255, 255))


def test_premultiplied_tiff_grey(tmp_path):
    data = encoded(Image.new("LA", (40, 30), (60, 128)), format="TIFF")
    extra_samples = struct.pack("<HHIHH", 338, 3, 1, 2, 0)
    assert extra_samples in data
    data = data.replace(extra_samples, struct.pack("<HHIHH", 338, 3, 1, 1, 0))
    assert_colour(read(tmp_path, data), (187, 187, 187))


@pytest.mark.parametrize("value", [0, 1000, 0x8000, 0xFFFF])
@pytest.mark.parametrize(("mode", "kind"), [("I;16", "PNG"), ("I;16", "TIFF"), ("I;16B", "TIFF")])
def test_sixteen_bit_grey_is_scaled_not_clipped(tmp_path, mode, kind, value):
    for options in ({}, {"compression": "tiff_lzw"}) if kind == "TIFF" else ({},):
        photograph = read_saved(tmp_path, Image.new(mode, (40, 30), value), format=kind, **options)
        assert_colour(photograph, (round(value / 257),) * 3, 1)


def test_sixteen_bit_colour(tmp_path):
    row = struct.pack(">HHH", 65535, 32768, 1000)
    assert_colour(read(tmp_path, png(16, 2, row)), (255, 128, 4), 1)
    assert_colour(read(tmp_path, png(16, 6, row + b"\xff\xff")), (255, 128, 4), 1)
    assert_colour(read(tmp_path, png(16, 6, row + b"\0\0")), (255, 128, 4), 1)  # transparent everywhere: a mistake
    assert_colour(read(tmp_path, png(16, 6, row + b"\0\0" + row + b"\xff\xff", width=2)), (255, 128, 4), 1)
    assert_colour(read(tmp_path, png(16, 4, struct.pack(">HH", 32768, 65535))), (128, 128, 128), 1)


def tiff_grey(bits: int, samples: bytes, photometric: int = 1, sample_format: int = 1, order: str = "<") -> bytes:
    """Return an uncompressed 2 x 1 grey TIFF."""
    entries = {256: 2, 257: 1, 258: bits, 259: 1, 262: photometric, 273: 8, 277: 1, 278: 1, 279: len(samples)}
    entries[339] = sample_format
    samples += b"\0" * (len(samples) % 2)
    start = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8 + len(samples))
    rows = [struct.pack(order + "HHIHH", tag, 3, 1, value, 0) for tag, value in sorted(entries.items())]
    return start + samples + struct.pack(order + "H", len(rows)) + b"".join(rows) + b"\0\0\0\0"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (tiff_grey(12, bytes([0x80, 0x08, 0x00])), 128),
        (tiff_grey(16, struct.pack("<2H", 0x8000, 0x8000), photometric=0), 127),
        (tiff_grey(16, struct.pack("<2h", 16384, 16384), sample_format=2), 128),
        (tiff_grey(16, struct.pack(">2H", 0x4000, 0x4000), order=">"), 64),
        (tiff_grey(32, struct.pack("<2I", 2**31, 2**31)), 128),
        (tiff_grey(32, struct.pack("<2i", 2**30, 2**31 - 1), sample_format=2), 128),
        (tiff_grey(32, struct.pack("<2i", 0x8000, -5), sample_format=2), 128),
        (tiff_grey(32, struct.pack("<2i", 128, 0), sample_format=2), 128),
        (tiff_grey(32, struct.pack("<2f", 0.5, 1), sample_format=3), 128),
        (tiff_grey(32, struct.pack("<2f", 0.25, 0.25), sample_format=3), 64),
        (tiff_grey(32, struct.pack("<2f", 500, -500), sample_format=3), 255),
        (tiff_grey(32, struct.pack("<2f", float("nan"), 7), sample_format=3), 0),
        (tiff_grey(32, struct.pack("<2f", float("nan"), float("nan")), sample_format=3), 0),
        (tiff_grey(32, struct.pack("<2f", float("inf"), 0.3), sample_format=3), 255),
        (tiff_grey(32, struct.pack("<2f", 9, 9), sample_format=3), 0),
        (tiff_grey(32, struct.pack(">2f", 0.5, 0), sample_format=3, order=">"), 128),
    ],
)
def test_deep_grey_is_scaled_by_what_it_declares(tmp_path, data, expected):
    assert read(tmp_path, data).image.getpixel((0, 0)) == pytest.approx((expected,) * 3, abs=1)


def test_ten_bits_in_sixteen_are_scaled_by_the_declared_maximum(tmp_path):
    image = Image.new("I;16", (40, 30), 512)
    assert_colour(read_saved(tmp_path, image, format="TIFF", tiffinfo={281: 1023}), (128, 128, 128), 1)


# colour profiles


def icc(space: bytes, tags: dict[bytes, bytes], pcs: bytes = b"XYZ ", device: bytes = b"mntr") -> bytes:
    """Return a version 2 ICC profile."""
    text = b"test profile\0"
    tags = {b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(78), **tags}
    tags |= {b"cprt": b"text\0\0\0\0none\0", b"wtpt": xyz(0.9642, 1.0, 0.8249)}
    table, body, offset = b"", b"", 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += name + struct.pack(">II", offset + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(">I4sI4s4s4s12s4s", 0, b"none", 0x02400000, device, space, pcs, bytes(12), b"acsp")
    head += bytes(28) + struct.pack(">3i", *(round(v * 65536) for v in (0.9642, 1.0, 0.8249)))
    data = head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body
    return struct.pack(">I", len(data)) + data[4:]


def xyz(*values: float) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(v * 65536) for v in values))


def gamma(value: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(value * 256))


RED, GREEN, BLUE = xyz(0.4361, 0.2225, 0.0139), xyz(0.3851, 0.7169, 0.0971), xyz(0.1431, 0.0606, 0.7141)
CURVES = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), gamma(2.2))
SWAPPED = icc(b"RGB ", {b"rXYZ": BLUE, b"gXYZ": GREEN, b"bXYZ": RED, **CURVES})
LINEAR_GREY = icc(b"GRAY", {b"kTRC": gamma(1.0)})


def cmyk_profile() -> bytes:
    """Return a profile in which cyan is a mid grey (L* = 50), black is black, and the others are nothing."""
    ramp = bytes(range(256))
    lab = b"".join(bytes([(255, 0, 128, 0)[ink >> 3 << 1 | ink & 1], 128, 128]) for ink in range(16))
    matrix = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + matrix + ramp * 4 + lab + ramp * 3
    return icc(b"CMYK", {b"A2B0": table}, pcs=b"Lab ", device=b"prtr")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "HEIF", pytest.param("AVIF", marks=needs_avif)])
def test_an_embedded_profile_is_converted_to_srgb(tmp_path, kind):
    image = Image.new("RGB", (60, 40), (250, 100, 10))
    photograph = read_saved(tmp_path, image, format=kind, icc_profile=SWAPPED, quality=95)
    assert_colour(photograph, (10, 100, 250), 12)


def test_profiles_of_other_modes(tmp_path):
    grey, clear = Image.new("L", (40, 30), 128), Image.new("RGBA", (40, 30), (250, 100, 10, 128))
    palette = Image.new("P", (40, 30), 0)
    palette.putpalette([250, 100, 10])
    assert_colour(read_saved(tmp_path, grey, format="JPEG", icc_profile=LINEAR_GREY), (188, 188, 188), 3)
    assert_colour(read_saved(tmp_path, clear, format="PNG", icc_profile=SWAPPED), (132, 177, 252), 4)
    assert_colour(read_saved(tmp_path, palette, format="PNG", icc_profile=SWAPPED), (10, 100, 250), 12)
    inks = Image.new("CMYK", (40, 30), (255, 0, 0, 0))
    for kind in ("JPEG", "TIFF"):
        assert_colour(read_saved(tmp_path, inks, format=kind, icc_profile=cmyk_profile()), (119, 119, 119), 4)
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    image = Image.new("LAB", (40, 30), (137, 128, 128))
    assert_colour(read_saved(tmp_path, image, format="TIFF", icc_profile=lab), (128, 128, 128), 4)


def test_the_profile_of_deep_planes_is_converted_too(tmp_path):
    planes = np.repeat(np.array([250, 100, 10], np.uint16)[:, None, None] * 257, 40, 1).repeat(60, 2)
    file = io.BytesIO()
    tifffile.imwrite(file, planes, photometric="rgb", planarconfig="separate", iccprofile=SWAPPED)
    assert_colour(read(tmp_path, file.getvalue()), (10, 100, 250), 12)


@pytest.mark.parametrize("profile", [b"junk", SWAPPED[:200], LINEAR_GREY, cmyk_profile(), b"\0" * 4000])
def test_a_broken_or_mismatching_profile_is_ignored(tmp_path, profile):
    for kind in ("JPEG", "PNG", "TIFF"):
        image = Image.new("RGB", (40, 30), ORANGE)
        assert_colour(read_saved(tmp_path, image, format=kind, icc_profile=profile), ORANGE)


def test_an_srgb_profile_changes_nothing(tmp_path):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = noise(30, 20)
    photograph = read_saved(tmp_path, image, format="PNG", icc_profile=srgb)
    assert np.array_equal(np.asarray(photograph.image), np.asarray(image))


# upright


def with_marked_corner(width: int, height: int) -> Image.Image:
    image = Image.new("RGB", (width, height), "white")
    image.paste((255, 0, 0), (0, 0, width // 4, height // 4))
    return image


MARKED_CORNER = {1: (0, 0), 2: (1, 0), 3: (1, 1), 4: (0, 1), 5: (0, 0), 6: (1, 0), 7: (1, 1), 8: (0, 1)}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "HEIF", pytest.param("AVIF", marks=needs_avif)])
def test_every_orientation_comes_out_upright(tmp_path, kind, orientation):
    exif = Image.Exif()
    exif[274] = orientation
    for width, height in ((80, 40), (641, 321)):
        photograph = read_saved(tmp_path, with_marked_corner(width, height), format=kind, exif=exif.tobytes())
        upright = (height, width) if orientation >= 5 else (width, height)
        assert (photograph.width, photograph.height) == upright
        image = photograph.image
        assert image.width / image.height == pytest.approx(upright[0] / upright[1], rel=0.05)
        corners = {(x, y): image.getpixel((x * (image.width - 1), y * (image.height - 1)))
                   for x in (0, 1) for y in (0, 1)}  # fmt: skip
        assert [corner for corner, pixel in corners.items() if pixel[1] < 100] == [MARKED_CORNER[orientation]]


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_ignored(tmp_path, value):
    exif = Image.Exif()
    exif[274] = value
    photograph = read_saved(tmp_path, with_marked_corner(80, 40), format="JPEG", exif=exif)
    assert (photograph.width, photograph.height) == (80, 40)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF"])
@pytest.mark.parametrize(
    "block", [b"garbage!!", b"II*\0", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff" + b"\x01\x12" * 30]
)
def test_a_broken_exif_block_is_ignored(tmp_path, kind, block):
    photograph = read_saved(tmp_path, Image.new("RGB", (60, 40), ORANGE), format=kind, exif=b"Exif\0\0" + block)
    assert_colour(photograph, ORANGE)


@needs_avif
def test_a_broken_exif_block_in_avif_is_ignored(tmp_path):
    exif = Image.Exif()
    exif[271], exif[274] = "maker", 6
    data = encoded(Image.new("RGB", (60, 40), ORANGE), format="AVIF", exif=exif)
    assert data.count(b"MM\0*") == 1
    photograph = read(tmp_path, data.replace(b"MM\0*", b"junk"))
    assert_colour(photograph, ORANGE, 10)
    assert (photograph.width, photograph.height) == (40, 60)


@pytest.mark.parametrize("pointer", [-5, 2**31 - 1])
def test_a_broken_exif_pointer_in_tiff_is_ignored(tmp_path, pointer):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2020:01:01 00:00:00"
    data = encoded(Image.new("RGB", (60, 40), ORANGE), format="TIFF", exif=exif.tobytes())
    at = data.index(struct.pack("<HHI", 0x8769, 4, 1))
    data = data[:at] + struct.pack("<HHIi", 0x8769, 9, 1, pointer) + data[at + 12 :]
    assert_colour(read(tmp_path, data), ORANGE)


# size


@pytest.mark.parametrize(
    ("size", "short_side", "reduced"),
    [
        ((400, 300), 100, (200, 150)),
        ((4001, 3001), 100, (200, 150)),
        ((300, 1900), 260, (300, 1900)),
        ((519, 600), 260, (519, 600)),
        ((520, 600), 260, (390, 450)),
        ((50, 30), 260, (50, 30)),
        ((1, 5000), 260, (1, 5000)),
        ((5000, 1), 1, (5000, 1)),
        ((3, 3000), 1, (2, 1500)),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_the_picture_is_reduced_whole_and_never_enlarged(tmp_path, kind, size, short_side, reduced):
    photograph = read_saved(tmp_path, Image.new("RGB", size, ORANGE), short_side, format=kind)
    assert (photograph.width, photograph.height) == size
    assert photograph.image.size == reduced
    assert_colour(photograph, ORANGE)


def test_a_reduced_picture_is_close_to_one_from_a_full_decode(tmp_path):
    ramp = Image.radial_gradient("L").resize((1603, 1203), Image.Resampling.BICUBIC).convert("RGB")
    data = encoded(ramp, format="JPEG", quality=95)
    small = read(tmp_path, data, 100).image.resize((100, 100), Image.Resampling.BICUBIC)
    fair = Image.open(io.BytesIO(data)).resize((100, 100), Image.Resampling.BICUBIC)
    assert np.abs(np.asarray(small, int) - np.asarray(fair, int)).max() <= 3


def test_a_jpeg_is_decoded_at_a_fraction_of_its_size(tmp_path, monkeypatch):
    decoded = []
    monkeypatch.setattr(
        images,
        "averageable",
        lambda source, keep=images.averageable: decoded.append(source.size) or keep(source),
    )
    read_saved(tmp_path, Image.new("RGB", (4000, 3000)), 260, format="JPEG")
    assert decoded == [(1000, 750)]


def test_more_megapixels_than_allowed_are_refused_before_decoding(tmp_path):
    data = png(8, 2, b"", width=30000, height=30000)
    message = refusal(tmp_path, data)
    assert message == "900 megapixels, more than the 500 allowed; raise --max-megapixels to read it"
    assert "truncated" in refusal(tmp_path, png(8, 2, b"", width=300, height=300), max_megapixels=0.09)
    canvas = b"VP8X" + struct.pack("<II", 10, 0) + b"\xff\xff\x00" * 2
    data = b"RIFF" + struct.pack("<I", 4 + len(canvas)) + b"WEBP" + canvas
    assert "4294.97 megapixels" in refusal(tmp_path, data)


def test_the_limit_can_be_raised_beyond_that_of_pillow(tmp_path):
    image = Image.new("1", (20000, 10000), 1)
    photograph = read_saved(tmp_path, image, 4, format="TIFF", compression="group4")
    assert_colour(photograph, (255, 255, 255))
    assert (photograph.width, photograph.height) == (20000, 10000)


def test_one_large_picture_is_decoded_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "_LARGE_MEGAPIXELS", 0.0001)
    inside, most = [], []

    def slow(*arguments, load=PillowPicture.decode):
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.01)
        result = load(*arguments)
        inside.pop()
        return result

    monkeypatch.setattr(PillowPicture, "decode", slow)
    path = tmp_path / "photo.png"
    noise(40, 40).save(path)
    threads = [threading.Thread(target=read_photograph, args=(path,), kwargs={"short_side": 8}) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1, 1, 1, 1]


def test_threads_get_the_same_pixels(tmp_path):
    paths = [tmp_path / f"photo.{suffix}" for suffix in FORMATS if suffix != "avif" or features.check("avif")]
    for path, options in zip(paths, (FORMATS[path.name.removeprefix("photo.")] for path in paths), strict=True):
        noise(90, 70).save(path, **options)
    alone = {path: read_photograph(path, short_side=20).image.tobytes() for path in paths}
    wrong = []

    def work() -> None:
        for _ in range(3):
            wrong.extend(path for path in paths if read_photograph(path, short_side=20).image.tobytes() != alone[path])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# what is no photograph


def test_other_content_is_named_as_such(tmp_path):
    for data in (
        b"<!DOCTYPE html><html>",
        b"#!/bin/sh",
        b"8BPS\0\3",
    ):
        assert refusal(tmp_path, data).startswith("not a photograph this program can read (content is not JPEG")
    assert refusal(tmp_path, b"<svg xmlns='http://www.w3.org/2000/svg'/>") == "of an unsupported kind: SVG"
    assert refusal(tmp_path, b"%!PS-Adobe-3.0 EPSF-3.0") == "of an unsupported kind: PostScript"
    assert refusal(tmp_path, b"") == "empty file"
    assert refusal(tmp_path, b"\xff\xd8\xff").startswith("damaged")


def test_a_picture_without_pixels_is_refused(tmp_path):
    assert "damaged" in refusal(
        tmp_path, b"BM" + struct.pack("<IIIIiiHHIIiiII", 54, 0, 54, 40, 0, 5, 1, 24, 0, 0, 0, 0, 0, 0)
    )


@pytest.mark.parametrize("chunk", ["zTXt", "iCCP"])
def test_a_huge_text_or_profile_is_not_unpacked(tmp_path, chunk):
    path = tmp_path / "photo.png"
    path.write_bytes(png(8, 0, b"\0", **{chunk: b"note\0\0" + zlib.compress(bytes(80 << 20))}))
    tracemalloc.start()
    assert read_photograph(path, short_side=16).image.getpixel((0, 0)) == (0, 0, 0)
    assert tracemalloc.get_traced_memory()[1] < 40 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("read_it", [sha256_of, lambda path: read_photograph(path, short_side=16)])
def test_what_is_not_a_file_is_refused_without_waiting(tmp_path, read_it):
    os.mkfifo(tmp_path / "fifo")
    for path, reason in {
        tmp_path: "is a directory",
        tmp_path / "missing.jpg": "no such file",
        tmp_path / "fifo": "not a regular file",
        Path("/dev/zero"): "not a regular file",
        tmp_path / "nul\0.jpg": "null byte",
        tmp_path / ("x" * 300): "name too long",
    }.items():
        with pytest.raises(UnreadableImage, match=reason) as caught:
            read_it(path)
        assert_clean(str(caught.value), tmp_path)


def test_a_file_that_may_not_be_read_is_refused(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied", str(tmp_path / "photo.jpg"))

    monkeypatch.setattr(files.os, "open", refuse)
    for read_it in (sha256_of, lambda path: read_photograph(path, short_side=16)):
        with pytest.raises(UnreadableImage, match=r"^cannot be opened: permission denied$"):
            read_it(tmp_path / "photo.jpg")


@pytest.mark.parametrize(
    "error",
    [MemoryError(), OverflowError("x" * 999), struct.error("a\nb\x1b[31m"), EOFError(), AssertionError()],
)
def test_whatever_a_decoder_raises_becomes_one_line(tmp_path, monkeypatch, error):
    def fail(*_):
        raise error

    monkeypatch.setattr(PillowPicture, "decode", fail)
    assert len(refusal(tmp_path, encoded(noise(9, 9), format="PNG"))) < 250


def test_nothing_reaches_stderr_and_little_is_imported(tmp_path):
    exif = Image.Exif()
    exif[33432] = "a long copyright remark"
    noise(60, 40).save(tmp_path / "a.tif", exif=exif, compression="tiff_lzw")
    data = bytearray((tmp_path / "a.tif").read_bytes())
    at = data.index(struct.pack("<HHI", 33432, 2, 24))
    data[at + 8 : at + 12] = b"\xff\xff\xff\x7f"
    (tmp_path / "a.tif").write_bytes(data)
    (tmp_path / "b.tif").write_bytes(data[: len(data) // 2])
    samples_per_pixel = struct.pack("<HHI", 277, 3, 1)
    data = tiff_grey(8, b"ab").replace(samples_per_pixel + b"\1\0", samples_per_pixel + b"\xe7\3")
    (tmp_path / "c.tif").write_bytes(data)
    (tmp_path / "d.jpg").write_bytes(encoded(noise(60, 40), format="JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\x09\0\x0f"))
    script = """if True:
        import sys
        from pathlib import Path
        from retrieval.photographs import images
        before = set(sys.modules)
        assert not before & {"pillow_heif", "numpy", "PIL.ImageCms", "PIL.TiffImagePlugin"}, before
        for path in sorted(Path(sys.argv[1]).iterdir()):
            try:
                images.read_photograph(path, short_side=16)
                print(path.name, end=" ")
            except images.UnreadableImage:
                pass
        assert not set(sys.modules) & {"pillow_heif", "PIL.EpsImagePlugin", "PIL.PsdImagePlugin"}
    """
    root = Path(images.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", script, str(tmp_path)],
        cwd=root,
        capture_output=True,
        text=True,
    )
    assert (done.stderr, done.stdout) == ("", "a.tif d.jpg ")


# anything at all


SAMPLES = [
    encoded(noise(24, 16), **options)
    for suffix, options in FORMATS.items()
    if suffix != "avif" or features.check("avif")
]
SAMPLES += [SWAPPED, tiff_grey(16, b"abcd"), png(16, 0, b"\0\0", tRNS=b"\0\0")]
SAMPLES += [encoded(noise(24, 16), format=kind, icc_profile=SWAPPED) for kind in ("PNG", "JPEG", "TIFF")]


@st.composite
def mutated(draw) -> bytes:
    data = bytearray(draw(st.sampled_from(SAMPLES)))
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, len(data) - 1))
        data[at] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.integers(0, len(data)))]) if draw(st.booleans()) else bytes(data)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=mutated() | st.binary(max_size=200))
def test_any_bytes_give_a_photograph_or_one_clear_line(tmp_path, data):
    try:
        photograph = read(tmp_path, data, 8, max_megapixels=1)
    except UnreadableImage as error:
        assert_clean(str(error), tmp_path)
    else:
        assert photograph.image.mode == "RGB"
        assert min(photograph.image.size) <= min(photograph.width, photograph.height)


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_a_picture_is_read_in_two_sizes_the_smaller_one_as_it_is_alone(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    painting(1, (1600, 1200)).save(path)
    alone = read_photograph(path, short_side=100)
    for long_side, size in ((400, (400, 300)), (100, (267, 200)), (9000, (1600, 1200))):
        found, large = read_both(path, short_side=100, long_side=long_side)
        assert found == replace(alone, image=found.image) and found.image == alone.image
        assert large.size == size
        expected = painting(1, (1600, 1200)).resize(size, Image.Resampling.LANCZOS)
        assert np.abs(np.asarray(large, float) - np.asarray(expected, float)).mean() < 6.0
