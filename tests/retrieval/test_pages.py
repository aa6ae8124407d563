"""Files of several pictures: how many they hold, and that each can be read."""

import hashlib
import io
import struct

import numpy as np
import pillow_heif
import pytest
import tifffile
from PIL import Image

from retrieval.errors import UnreadableImage
from retrieval.photographs.images import read_photograph
from retrieval.photographs.pages import pictures_in
from retrieval.photographs.pictures import Pictures

COLOURS = ((230, 120, 40), (20, 60, 200), (30, 160, 60))
FLAT = [Image.new("RGB", (60 + 10 * number, 40), colour) for number, colour in enumerate(COLOURS)]
SAME = [Image.new("RGB", (60, 40), colour) for colour in COLOURS]  # frames have one size


def several(kind: str) -> bytes:
    file = io.BytesIO()
    if kind == "HEIF":
        heif = pillow_heif.HeifFile()
        for image in FLAT:
            heif.add_from_pillow(image)
        heif.save(file, quality=90)
        return file.getvalue()
    pictures = FLAT if kind == "TIFF" else SAME
    options = {"lossless": True} if kind == "WEBP" else {}
    pictures[0].save(file, kind, save_all=True, append_images=pictures[1:], **options)
    return file.getvalue()


def assert_shows(path, colour, **options):
    photograph = read_photograph(path, short_side=16, **options)
    np.testing.assert_allclose(np.asarray(photograph.image).mean((0, 1)), colour, atol=8)
    return photograph


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("TIFF", Pictures(3)),
        ("HEIF", Pictures(3)),
        ("GIF", Pictures(3, animated=True)),
        ("PNG", Pictures(3, animated=True)),
        ("WEBP", Pictures(3, animated=True)),
        ("AVIF", Pictures(3, animated=True)),
        ("MPO", Pictures(1)),  # the second is a preview, or the other eye
    ],
)
def test_each_picture_of_a_file_is_counted_and_read(tmp_path, kind, found):
    path = tmp_path / "several"
    path.write_bytes(several(kind))
    assert pictures_in(path) == found
    assert assert_shows(path, COLOURS[0]).picture == 1
    for number in range(1, found.count + 1):
        photograph = assert_shows(path, COLOURS[number - 1], picture=number)
        assert (photograph.picture, photograph.pictures) == (number, found.count)
        if not found.animated:
            assert photograph.width == 50 + 10 * number or kind == "MPO"
    for number in (0, found.count + 1):
        with pytest.raises(UnreadableImage, match=f"^has no picture {number}: pictures in it: {found.count}$"):
            read_photograph(path, short_side=16, picture=number)


def test_the_first_picture_of_a_heif_is_read_whose_main_picture_is_another(tmp_path):
    heif = pillow_heif.HeifFile()
    for image in FLAT:
        heif.add_from_pillow(image)
    path = tmp_path / "several.heic"
    heif.save(path, quality=90, primary_index=1)
    for number in (1, 2, 3):
        assert assert_shows(path, COLOURS[number - 1], picture=number).width == 50 + 10 * number


def tiff(path, *pages, **options):
    """Write pages, each an array and what tifffile takes with it."""
    with tifffile.TiffWriter(path, **options) as file:
        for pixels, more in pages:
            file.write(pixels, **{"photometric": "rgb", "metadata": None} | more)


def flat(colour: int, width: int, height: int) -> np.ndarray:
    return np.full((height, width, 3), COLOURS[colour], np.uint8)


def test_thumbnails_and_masks_of_a_tiff_are_no_pictures(tmp_path):
    path = tmp_path / "several.tif"
    reduced, mask = {"subfiletype": 1}, {"subfiletype": 4, "photometric": "minisblack"}
    whole = np.ones((120, 160), bool)
    tiff(path, (flat(2, 16, 12), reduced), (flat(0, 160, 120), {}), (whole, mask), (flat(1, 90, 70), {}))
    assert pictures_in(path) == Pictures(2)
    assert assert_shows(path, COLOURS[0]).width == 160
    assert assert_shows(path, COLOURS[1], picture=2).width == 90


def test_the_old_tag_of_a_thumbnail_is_understood(tmp_path):
    path = tmp_path / "several.tif"
    old = [(255, 3, 1, 2, True)]
    tiff(path, (flat(2, 16, 12), {"extratags": old}), (flat(0, 160, 120), {}))
    assert pictures_in(path) == Pictures(1)
    assert assert_shows(path, COLOURS[0]).width == 160


@pytest.mark.parametrize("flagged", [0, 1])
def test_the_levels_of_a_pyramid_are_one_picture(tmp_path, flagged):
    path = tmp_path / "pyramid.tif"
    below = {"subfiletype": flagged}
    tiff(path, (flat(0, 321, 241), {}), (flat(1, 160, 120), below), (flat(2, 80, 60), below))
    assert pictures_in(path) == Pictures(1)
    assert assert_shows(path, COLOURS[0]).width == 321


@pytest.mark.parametrize("length", [1, 2, 150])
def test_a_circle_of_directories_ends(tmp_path, length):
    path = tmp_path / "circle.tif"
    tiff(path, *[(flat(0, 8, 8), {})] * length)
    data = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as file:
        offsets = [page.offset for page in file.pages]
    (entries,) = struct.unpack_from("<H", data, offsets[-1])
    struct.pack_into("<I", data, offsets[-1] + 2 + 12 * entries, offsets[0])
    path.write_bytes(data)
    assert pictures_in(path) == Pictures(length)
    assert_shows(path, COLOURS[0])


def test_what_cannot_be_opened_cannot_be_counted(tmp_path):
    path = tmp_path / "photo.gif"
    path.write_bytes(b"no picture")
    with pytest.raises(UnreadableImage, match=r"^not a photograph"):
        pictures_in(path)
    with pytest.raises(UnreadableImage, match="no such file"):
        pictures_in(tmp_path / "nowhere.gif")


def test_a_file_is_hashed_once_for_all_of_its_pictures_that_are_tried(tmp_path, monkeypatch):
    blank, shown = Image.new("RGB", (60, 40), "white"), Image.effect_noise((60, 40), 90).convert("RGB")
    shown.paste("red", (10, 10, 30, 30))
    blank.save(tmp_path / "pages.tif", save_all=True, append_images=[blank, blank, shown])
    hashed = []
    digest = hashlib.file_digest
    monkeypatch.setattr(hashlib, "file_digest", lambda *of: hashed.append(of) or digest(*of))
    assert read_photograph(tmp_path / "pages.tif", short_side=20).picture == 4
    assert len(hashed) == 1
