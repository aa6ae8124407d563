"""Damaged files that can be decoded: lost pixels are told from untidiness, and decoders are silent at the terminal."""

import contextlib
import io
import os
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from retrieval.errors import UnreadableImage
from retrieval.photographs import tiff
from retrieval.photographs.files import in_plain_words
from retrieval.photographs.heard import heard
from retrieval.photographs.images import read_photograph
from retrieval.photographs.quality import poor
from tests.pictures import painting

UNREAD = "of an unsupported kind: the decoders installed here do not read it"
END = b"\xff\xd9"


def grainy(seed: int = 0) -> Image.Image:
    """Return a picture with the grain of a photograph, so that its data fills the file evenly."""
    noise = np.random.default_rng(seed).normal(0, 8, (400, 520, 3))
    return Image.fromarray(np.clip(np.asarray(painting(seed)) + noise, 0, 255).astype(np.uint8))


def encoded(kind: str, image: Image.Image | None = None, **options) -> bytes:
    file = io.BytesIO()
    (image or grainy()).save(file, kind, **options)
    return file.getvalue()


JPEGS = {
    "baseline": encoded("JPEG", quality=88),
    "progressive": encoded("JPEG", quality=88, progressive=True),
    "with restarts": encoded("JPEG", quality=88, restart_marker_rows=1),
    "grey": encoded("JPEG", grainy().convert("L"), quality=88),
}
FAX = encoded("TIFF", grainy().resize((1600, 1200)).convert("1"), compression="group4")


def zeroed(data: bytes, share: float, count: int = 1500) -> bytes:
    start = int(share * len(data))
    return data[:start] + bytes(count) + data[start + count :]


def read(folder, data: bytes):
    (folder / "a").write_bytes(data)
    return read_photograph(folder / "a", short_side=260)


def assert_inconclusive_or_unreadable(folder, data: bytes, reason: str) -> None:
    try:
        photograph = read(folder, data)
    except UnreadableImage as error:
        assert str(error).startswith(("damaged: ", "truncated: "))
        return
    assert photograph.damage is not None and reason in photograph.damage
    assert poor(photograph) == f"the file is damaged ({photograph.damage}); a sound copy of it would help"


@pytest.mark.parametrize("share", [0.2, 0.35, 0.5])
@pytest.mark.parametrize("name", JPEGS)
def test_a_jpeg_with_a_block_of_zeros_is_inconclusive(tmp_path, name, share):
    assert_inconclusive_or_unreadable(tmp_path, zeroed(JPEGS[name], share), "libjpeg says")


def test_bytes_left_over_between_the_scans_of_a_jpeg_are_lost_pixels_and_not_those_among_its_headers(tmp_path):
    data = JPEGS["progressive"]
    between = [data.rfind(marker) for marker in (b"\xff\xc4", b"\xff\xda")]
    rest = data[between[0] - 600 : between[0] - 100].replace(b"\xff", b"\x7f")
    for at in between:
        damaged = data[:at] + rest + data[at:]
        for some in (damaged, untidy(damaged)["bytes after the start"], untidy(damaged)["bytes before a table"]):
            assert_inconclusive_or_unreadable(tmp_path, some, "extraneous bytes before marker 0x")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
@pytest.mark.parametrize("name", JPEGS)
def test_a_jpeg_cut_and_closed_again_is_inconclusive(tmp_path, name, share):
    data = JPEGS[name][: int(share * len(JPEGS[name]))] + END
    assert_inconclusive_or_unreadable(tmp_path, data, "libjpeg says: premature end of data segment")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
@pytest.mark.parametrize("name", JPEGS)
def test_a_jpeg_cut_before_its_last_rows_is_unreadable(tmp_path, name, share):
    with pytest.raises(UnreadableImage, match="truncated: the file ends before its last rows"):
        read(tmp_path, JPEGS[name][: int(share * len(JPEGS[name]))])


@pytest.mark.parametrize("at", range(20, 90, 3))
def test_zeros_are_found_wherever_they_lie(tmp_path, at):
    """Decoding may go on behind zeros as if nothing were missing, so that libjpeg has nothing to say."""
    (tmp_path / "a").write_bytes(zeroed(JPEGS["baseline"], at / 100, 300))
    with contextlib.suppress(UnreadableImage):
        assert read_photograph(tmp_path / "a", short_side=260).damage is not None


def test_zeros_that_stand_for_an_even_sky_are_no_damage(tmp_path):
    sky = Image.new("RGB", (3000, 2000), (120, 160, 220))
    sky.paste(painting(0, (400, 300)), (1000, 1700))
    data = encoded("JPEG", sky, quality=90, optimize=True)
    assert bytes(48) in data
    assert read(tmp_path, data).damage is None
    assert read(tmp_path, encoded("JPEG", sky, quality=90)).damage is None


def untidy(data: bytes) -> dict[str, bytes]:
    table, scan = data.find(b"\xff\xc4"), data.find(b"\xff\xda")
    return {
        "no end": data[:-2],
        "bytes after the start": data[:2] + b"\0xyz" + data[2:],
        "fill bytes after the start": data[:2] + b"\xff\xff" + data[2:],
        "bytes after the end": data + b"<html>" * 50,
        "bytes before a table": data[:table] + b"\0\1" * 40 + data[table:],
        "bytes before the first scan": data[:scan] + b"\0\1" * 40 + data[scan:],
        "a few bytes before the end": data[:-2] + b"\1\2\3\4" + END,
        "padded before the end": data[:-2] + bytes(512) + END,
    }


@pytest.mark.parametrize("what", untidy(b""))
@pytest.mark.parametrize("name", JPEGS)
def test_an_untidy_jpeg_is_read_without_a_word(tmp_path, name, what):
    photograph = read(tmp_path, untidy(JPEGS[name])[what])
    assert photograph.damage is None and poor(photograph) is None
    np.testing.assert_array_equal(np.asarray(photograph.image), np.asarray(read(tmp_path, JPEGS[name]).image))


def test_a_jpeg_that_lacks_a_part_of_its_last_rows_is_read(tmp_path):
    data = JPEGS["baseline"]
    assert read(tmp_path, data[: int(0.985 * len(data))]).damage is None


@pytest.mark.parametrize("share", [0.3, 0.5, 0.8])
def test_a_fax_with_flipped_bytes_or_zeros_is_inconclusive(tmp_path, share):
    start = int(share * len(FAX))
    flipped = FAX[:start] + bytes(byte ^ 0x5A for byte in FAX[start : start + 40]) + FAX[start + 40 :]
    assert_inconclusive_or_unreadable(tmp_path, flipped, "libtiff says: Fax4Decode")
    assert_inconclusive_or_unreadable(tmp_path, zeroed(FAX, share), "strip")


@pytest.mark.parametrize("compression", ["tiff_adobe_deflate", "jpeg", "tiff_lzw"])
def test_a_tiff_with_a_broken_strip_is_inconclusive(tmp_path, compression):
    data = encoded("TIFF", compression=compression)
    assert read(tmp_path, data).damage is None
    assert_inconclusive_or_unreadable(tmp_path, zeroed(data, 0.4), "is broken")


def test_a_deflated_strip_with_a_wrong_checksum_is_inconclusive(tmp_path):
    data = bytearray(encoded("TIFF", compression="tiff_adobe_deflate"))
    with Image.open(io.BytesIO(data)) as tiff:
        offset, count = tiff.tag_v2[273][0], tiff.tag_v2[279][0]
    data[offset + count - 1] ^= 1
    assert_inconclusive_or_unreadable(tmp_path, bytes(data), "strip 1 of")


def test_a_png_is_read_whose_text_or_end_is_damaged_and_not_one_whose_pixels_are(tmp_path):
    text = PngInfo()
    text.add_text("Author", "nobody")
    data = encoded("PNG", pnginfo=text)
    whole = np.asarray(read(tmp_path, data).image)
    for untidy_one in (data.replace(b"nobody", b"no body"[:6]), data[:-12], data + b"more"):
        found = read(tmp_path, untidy_one)
        assert found.damage is None
        np.testing.assert_array_equal(np.asarray(found.image), whole)
    with pytest.raises(UnreadableImage):
        read(tmp_path, zeroed(data, 0.5))


@pytest.mark.parametrize("missing", [1, 2])
@pytest.mark.parametrize("bare", [False, True])
def test_a_jpeg_2000_that_lacks_only_its_end_is_read_and_not_one_that_lacks_more(tmp_path, bare, missing):
    data = encoded("JPEG2000", no_jp2=bare, tile_size=(256, 256))
    found = read(tmp_path, data[:-missing])
    assert found.damage is None and found.image == read(tmp_path, data).image
    for length in (len(data) - 3, len(data) // 2):
        with pytest.raises(UnreadableImage, match=r"^(damaged|truncated): "):
            read(tmp_path, data[:length])


@pytest.mark.parametrize("lossless", [False, True])
def test_a_webp_that_says_a_wrong_length_is_read_and_not_one_that_is_cut(tmp_path, lossless):
    data = encoded("WEBP", lossless=lossless)
    whole = read(tmp_path, data).image
    for wrong in (100, -100):
        length = len(data) - 8 + wrong
        assert read(tmp_path, data[:4] + struct.pack("<I", length) + data[8:]).image == whole
    for share in (0.01, 0.5, 0.99):
        with pytest.raises(UnreadableImage, match=r"^(damaged|truncated): "):
            read(tmp_path, data[: int(share * len(data))])


@pytest.mark.parametrize("add", [PngInfo.add_text, PngInfo.add_itxt])
def test_a_png_is_read_whose_text_or_profile_is_long(tmp_path, add):
    text = PngInfo()
    add(text, "Author", "nobody " * 3_000_000, zip=True)
    add(text, "Title", "nothing", zip=True)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() + bytes(2_000_000)
    found = read(tmp_path, encoded("PNG", pnginfo=text, icc_profile=profile))
    assert found.damage is None and found.image == read(tmp_path, encoded("PNG")).image


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (struct.error("unpack requires a buffer of 4 bytes"), "truncated: its headers end too early"),
        (TypeError("'IFDRational' object cannot be interpreted as an integer"), "damaged: its headers make no sense"),
        (KeyError(273), "damaged: its headers make no sense"),
        (RuntimeError(b"Input/output error"), "truncated: a part of it lies beyond the end of the file"),
        (RuntimeError(b"Out of order"), "damaged: Out of order"),
        (OSError("decoder error -2"), "damaged: its pixels cannot be decoded"),
        (RuntimeError("Generic Error. Please build `libjxl` from source"), "damaged: libjxl cannot decode it"),
        (RuntimeError("Support for this compression format has not been built in: AVC"), UNREAD),
        (RuntimeError("Failed to decode image: Not implemented"), UNREAD),
        (OSError("image file is truncated"), "truncated: image file is truncated"),
        (ValueError("bad\nsize"), "damaged: bad size"),
    ],
)
def test_a_reason_is_not_in_the_words_of_python_or_of_how_a_library_is_built(error, words):
    assert in_plain_words(error) == words


def test_nothing_that_a_decoder_says_reaches_the_terminal(tmp_path, capfd):
    start = len(FAX) // 2
    read(tmp_path, FAX[:start] + bytes(byte ^ 0x5A for byte in FAX[start : start + 40]) + FAX[start + 40 :])
    read(tmp_path, zeroed(JPEGS["baseline"], 0.3))
    assert capfd.readouterr() == ("", "")


def test_what_is_said_is_heard_and_the_terminal_is_given_back(capfd):
    with heard() as said:
        os.write(2, b"Fax4Decode: Bad code word\n")
        assert said() == "Fax4Decode: Bad code word\n"
    os.write(2, b"ours\n")
    assert capfd.readouterr().err == "ours\n"


@pytest.mark.parametrize("error", [struct.error("unpack"), ZeroDivisionError()])
def test_a_tiff_that_tifffile_fails_on_is_left_to_pillow(tmp_path, monkeypatch, error):
    def fail(file):
        raise error

    painting(1, (60, 40)).save(tmp_path / "photo.tif")
    monkeypatch.setattr(tiff, "TiffFile", fail)
    assert read_photograph(tmp_path / "photo.tif", short_side=40).width == 60
