"""What a file says besides the pixels is read, and a broken file says less."""

import io

import pytest
from PIL import Image, ImageCms

from retrieval.errors import UnreadableImage
from retrieval.photographs.facts import read_facts
from tests.pictures import painting


def exif(**more) -> Image.Exif:
    made = Image.Exif()
    made[0x010F], made[0x0110], made[0x0131] = "Canon", "EOS 5D", "Lightroom\x00 6"
    inner = made.get_ifd(0x8769)
    inner[0x9003], inner[0xA434] = "2024:03:02 10:20:30", "EF 50mm"
    made.get_ifd(0x8825)[1] = "N"
    return made


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
def test_camera_date_lens_software_and_that_there_is_a_position(tmp_path, suffix):
    file = tmp_path / f"a.{suffix}"
    painting(1).save(file, exif=exif())
    facts = read_facts(file)
    assert facts.bytes == file.stat().st_size and facts.modified_ns == file.stat().st_mtime_ns
    assert facts.kind == {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "tif": "TIFF"}[suffix]
    assert facts.said["camera"] == "Canon EOS 5D" and facts.said["software"] == "Lightroom 6"
    if suffix == "tif":
        return  # Pillow writes no more into one
    assert facts.said["taken"] == "2024:03:02 10:20:30" and facts.said["lens"] == "EF 50mm"
    assert facts.said["position"] == "written down by the camera (GPS)"  # where, is not said


def test_the_colour_profile_by_its_name_and_a_broken_one(tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    painting(1).save(tmp_path / "a.jpg", icc_profile=profile)
    painting(1).save(tmp_path / "b.jpg", icc_profile=b"no profile")
    assert "sRGB" in read_facts(tmp_path / "a.jpg").said["colour profile"]
    assert read_facts(tmp_path / "b.jpg").said["colour profile"] == "broken"


def test_what_is_broken_says_less_and_what_is_away_is_refused(tmp_path):
    file = io.BytesIO()
    painting(1).save(file, "JPEG")
    (tmp_path / "cut.jpg").write_bytes(file.getvalue()[:40])
    assert read_facts(tmp_path / "cut.jpg").kind == "JPEG"
    (tmp_path / "text.jpg").write_text("no photograph")
    assert read_facts(tmp_path / "text.jpg").said == {}
    with pytest.raises(UnreadableImage):
        read_facts(tmp_path / "away.jpg")
