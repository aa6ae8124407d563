"""What is read without the extra `formats`, and what is said of the rest."""

import io
import json
import subprocess
import sys
from pathlib import Path

import imagecodecs
import numpy as np
import pillow_jxl  # noqa: F401  registers JPEG XL with Pillow
import pytest
from PIL import Image

from retrieval.errors import UnreadableImage
from retrieval.photographs.images import read_photograph
from tests.encodings.encoding import deep, planes, saved, seen, tiff
from tests.pictures import painting

ROOT = Path(__file__).parents[2]
SCRIPT = """
import json, sys
for name in ("imagecodecs", "pillow_jxl", "pypdfium2", "rawpy"):
    sys.modules[name] = None  # cannot be imported
from pathlib import Path
from retrieval.errors import UnreadableImage
from retrieval.photographs.images import read_photograph

said = {}
for path in Path(sys.argv[1]).iterdir():
    try:
        said[path.name] = read_photograph(path, short_side=60).width
    except UnreadableImage as error:
        said[path.name] = str(error)
print(json.dumps(said))
"""
RGB, APART = {"photometric": "rgb"}, {"photometric": "rgb", "planarconfig": "separate"}


@pytest.fixture(scope="module")
def said(tmp_path_factory) -> dict[str, int | str]:
    work = painting(2, (104, 80))
    pixels, raw = seen(work), tiff((deep(seen(work)), {"photometric": 34892}))
    jxl = io.BytesIO()
    work.save(jxl, "JXL")
    files = {
        "lzw.tif": saved(work, "TIFF", compression="tiff_lzw"),
        "planes 16 bits.tif": tiff((planes(deep(pixels)), APART)),
        "float 64.tif": tiff((pixels / 255, RGB)),
        "a.jp2": saved(work, "JPEG2000"),
        "lerc.tif": tiff((pixels, {**RGB, "compression": "lerc"})),
        "12 bits.tif": tiff((deep(pixels) >> 4, {**RGB, "bitspersample": 12})),
        "predicted.tif": tiff(((pixels / 255).astype(np.float32), {**RGB, "compression": "zlib", "predictor": 3})),
        "a.jxl": jxl.getvalue(),
        "a.pdf": saved(work, "PDF"),
        "a.dng": raw,
    }
    folder = tmp_path_factory.mktemp("core")
    for name, data in files.items():
        (folder / name).write_bytes(data)
    command = [sys.executable, "-c", SCRIPT, str(folder)]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stderr == ""
    return json.loads(found.stdout)


@pytest.mark.parametrize("name", ["lzw.tif", "planes 16 bits.tif", "float 64.tif", "a.jp2"])
def test_the_core_reads_it(said, name):
    assert said[name] == 104


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("lerc.tif", "8-bit RGB TIFF with lerc compression"),
        ("12 bits.tif", "12-bit RGB TIFF"),
        ("predicted.tif", "32-bit float RGB TIFF with adobe_deflate compression"),
        ("a.jxl", "JPEG XL"),
        ("a.pdf", "PDF"),
        ("a.dng", "camera raw"),
    ],
)
def test_what_needs_the_extra_says_which(said, name, kind):
    assert str(said[name]).startswith(f"reading {kind} needs the extra `formats`: `pip install '")


@pytest.mark.parametrize("name", ["complex", "logluv"])
def test_what_is_not_read_is_named_and_not_called_damaged(tmp_path, name):
    grey = np.asarray(Image.new("L", (40, 30), 90))
    data, kind = {
        "complex": (tiff((grey.astype(np.complex64), {"photometric": "minisblack"})), "64-bit complex grey TIFF"),
        "logluv": (tiff((np.dstack([grey] * 3), {"photometric": 32845})), "8-bit LogLuv TIFF"),
    }[name]
    path = tmp_path / "photo.tif"
    path.write_bytes(data)
    with pytest.raises(UnreadableImage, match=rf"^of an unsupported kind: {kind}$"):
        read_photograph(path, short_side=20)


def test_raw_that_is_cut_is_damaged_and_silent(tmp_path, capfd):
    pixels = seen(painting(2, (104, 80)))
    mosaic = deep(pixels)[..., 1]
    pattern = [(33421, 3, 2, (2, 2), True), (33422, 1, 4, (0, 1, 1, 2), True), (50706, 1, 4, (1, 4, 0, 0), True)]
    data = tiff((mosaic, {"photometric": "cfa", "extratags": [*pattern, (271, 2, 0, "Painted", True)]}))
    path = tmp_path / "photo.dng"
    path.write_bytes(data)
    assert read_photograph(path, short_side=40).damage is None
    path.write_bytes(data[: len(data) // 2])
    try:
        assert "LibRaw says" in str(read_photograph(path, short_side=40).damage)
    except UnreadableImage as error:
        assert "truncated" in str(error) or "damaged" in str(error)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("codec", ["jp2", "j2k"])
def test_white_of_sixteen_bits_stays_white(tmp_path, codec):
    pixels = np.zeros((40, 60, 3), np.uint16)
    pixels[:, 20:40], pixels[:, 40:] = 65535, (65535, 30000, 0)
    file = tmp_path / f"deep.{codec}"
    file.write_bytes(imagecodecs.jpeg2k_encode(pixels, level=0, codecformat=codec))
    shown = np.asarray(read_photograph(file, short_side=100).image)
    assert shown[20, [10, 30, 50]].tolist() == [[0, 0, 0], [255, 255, 255], [255, 117, 0]]


def test_a_deep_jpeg_2000_that_is_cut_is_said_to_be_cut(tmp_path):
    pixels = (np.random.default_rng(0).random((200, 300, 3)) * 65535).astype(np.uint16)
    file = tmp_path / "cut.jp2"
    data = imagecodecs.jpeg2k_encode(pixels, level=0, codecformat="jp2")
    file.write_bytes(data[: len(data) // 2])
    with pytest.raises(UnreadableImage, match="truncated"):
        read_photograph(file, short_side=100)
