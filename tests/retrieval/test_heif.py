"""Large HEIF is decoded tile by tile, and what libheif does not read is named."""

import io
import struct

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from retrieval.errors import UnreadableImage
from retrieval.photographs import heif
from retrieval.photographs.by_pillow import PillowPicture
from retrieval.photographs.images import read_photograph
from tests.pictures import painting

WORK = painting(5, (390, 300))


def tiled(image: Image.Image, orientation: int = 1) -> bytes:
    exif = Image.Exif()
    exif[274] = orientation
    file = io.BytesIO()
    pillow_heif.from_pillow(image).save(file, quality=90, tile_size=128, exif=exif.tobytes())
    return file.getvalue()


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("short_side", [150, 40])
def test_tiles_make_the_same_picture_as_the_whole(tmp_path, monkeypatch, orientation, short_side):
    path = tmp_path / "photo.heic"
    path.write_bytes(tiled(WORK, orientation))
    at_once = read_photograph(path, short_side=short_side)
    monkeypatch.setattr(heif, "_LARGE", 0)
    monkeypatch.setattr(PillowPicture, "decode", None)
    in_tiles = read_photograph(path, short_side=short_side)
    assert (in_tiles.width, in_tiles.height) == (at_once.width, at_once.height)
    pixels, expected = (np.asarray(found.image, int) for found in (in_tiles, at_once))
    assert pixels.shape == expected.shape
    assert np.abs(pixels - expected).mean() < 1


def test_what_is_in_heif_and_not_read_is_named(tmp_path):
    path = tmp_path / "photo.heic"
    data = tiled(WORK)
    path.write_bytes(data.replace(b"hvc1", b"unci"))
    with pytest.raises(UnreadableImage, match=r"^of an unsupported kind: uncompressed HEIF$"):
        read_photograph(path, short_side=40)
    path.write_bytes(struct.pack(">I4s4sI4s", 20, b"ftyp", b"mif3", 0, b"heic"))
    with pytest.raises(UnreadableImage, match=r"^damaged|^of an unsupported kind: minimised HEIF$"):
        read_photograph(path, short_side=40)


def test_large_heif_whose_boxes_cannot_be_made_out_is_decoded_at_once(tmp_path, monkeypatch):
    path = tmp_path / "photo.heic"
    path.write_bytes(tiled(WORK))
    monkeypatch.setattr(heif, "_LARGE", 0)
    monkeypatch.setattr(heif, "items_of", lambda data: next(iter(())))
    assert (read_photograph(path, short_side=40).width, WORK.width) == (390, 390)
