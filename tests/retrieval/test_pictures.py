"""Working pictures of exemplars: written whole and once, and read in the place of the file."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from retrieval.catalogue import pictures
from retrieval.catalogue.pictures import (
    MOST,
    MOST_WEBP,
    PicturesSize,
    compared_path,
    drop_unused_pictures,
    has_pictures,
    is_whole,
    keep_pictures,
    kept_pictures,
    picture_path,
    picture_side,
    pictures_size,
    read_exemplar,
    set_picture_side,
)
from retrieval.catalogue.rows import Changes, Photo
from retrieval.errors import CatalogueBusy, ExemplarAway
from retrieval.photographs.files import sha256_of
from retrieval.photographs.images import read_photograph
from retrieval.photographs.photograph import Photograph
from tests.conftest import exemplar
from tests.pictures import painting

KEY = "ab" + 62 * "0"


@pytest.fixture
def photo(tmp_path: Path) -> Photo:
    """An exemplar of 520 x 400 pixels."""
    file = tmp_path / "photos/a.png"
    file.parent.mkdir()
    painting(1).save(file)
    return exemplar("a", path="a.png", folder=str(file.parent), sha256=sha256_of(file), width=520, height=400)


def keep(data: Path, image: Image.Image, sha256: str = KEY, *, short_side: int = 260) -> None:
    """Keep the working pictures of a photograph that is no larger than either of them."""
    photograph = Photograph(Path("a.png"), sha256, *image.size, image)
    keep_pictures(data, photograph, image, short_side=short_side)


def test_pictures_are_kept_by_the_hash_of_the_file_and_never_written_again(data):
    keep(data, painting(1))
    path, exact = data / "pictures/ab" / f"{KEY}.jpg", data / "pictures/ab" / f"{KEY}.260.exact"
    assert (picture_path(data, KEY), compared_path(data, KEY, 260)) == (path, exact)
    assert is_whole(path) and is_whole(exact) and has_pictures(data, KEY, 260) and not has_pictures(data, KEY, 224)
    before = [(file.read_bytes(), file.stat().st_mtime_ns) for file in (path, exact)]
    keep(data, painting(2))
    assert [(file.read_bytes(), file.stat().st_mtime_ns) for file in (path, exact)] == before
    assert sorted(kept_pictures(data)) == [exact, path]
    with Image.open(path) as kept:
        assert (kept.format, kept.mode, kept.size) == ("JPEG", "RGB", (520, 400))
        assert not kept.getexif() and "icc_profile" not in kept.info
        assert np.abs(np.asarray(kept, float) - np.asarray(painting(1), float)).mean() < 20.0


@pytest.mark.parametrize("length", [MOST_WEBP + 9, MOST + 4500])
def test_a_picture_longer_than_a_jpeg_or_webp_can_hold_is_kept_too(data, length):
    image = Image.linear_gradient("L").resize((length, 70)).convert("RGB")
    keep(data, image)
    with Image.open(picture_path(data, KEY)) as kept:
        assert kept.size == (min(length, MOST), 70 if length < MOST else 66)
    with Image.open(compared_path(data, KEY, 260)) as exact:
        assert exact.convert("RGB") == image


@pytest.mark.parametrize(
    "spoil",
    [lambda b: b[:-1], lambda b: b[:900], lambda b: b"", lambda b: b[:500] + b"x" + b[501:], lambda b: b + b"\0"],
)
def test_whatever_is_not_as_it_was_written_is_not_whole(data, spoil: Callable[[bytes], bytes]):
    keep(data, painting(1))
    for path in kept_pictures(data):
        path.write_bytes(spoil(path.read_bytes()))
        assert not is_whole(path)


def test_a_picture_that_cannot_be_written_is_said_in_a_line_and_leaves_nothing(data, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pictures.os, "replace", full)
    with pytest.raises(CatalogueBusy, match=r"cannot be written: No space left on device\. Once it can, the same"):
        keep(data, painting(1))
    assert list(kept_pictures(data)) == []


def test_the_picture_is_read_in_the_place_of_the_file_to_the_last_bit_where_it_is_compared(data, photo):
    keep(data, painting(1), photo.sha256)
    photo.file.unlink()
    for short_side, difference in ((260, 0.0), (250, 20.0)):
        found = read_exemplar(data, photo, short_side=short_side)
        assert (found.path, found.sha256, found.width, found.height) == (photo.file, photo.sha256, 520, 400)
        assert np.abs(np.asarray(found.image, float) - np.asarray(painting(1), float)).mean() <= difference


def test_without_a_whole_picture_the_file_is_read_while_it_is_the_same(data, photo):
    whole = read_photograph(photo.file, short_side=260)
    assert read_exemplar(data, photo, short_side=260) == whole
    keep(data, painting(2), photo.sha256)
    for path in kept_pictures(data):
        path.write_bytes(b"spoilt")
    assert read_exemplar(data, photo, short_side=260) == whole


def test_without_the_exact_picture_the_unchanged_file_is_compared_sooner_than_the_picture_for_people(data, photo):
    whole = read_photograph(photo.file, short_side=260)
    keep(data, painting(1), photo.sha256)
    exact = compared_path(data, photo.sha256, 260)
    for spoil in (lambda: exact.write_bytes(b"spoilt"), exact.unlink):
        spoil()
        assert read_exemplar(data, photo, short_side=260, compared=True).image == whole.image
        assert read_exemplar(data, photo, short_side=260).image != whole.image  # for people, a drive is left alone
    painting(2).save(photo.file)
    found = read_exemplar(data, photo, short_side=260, compared=True)
    assert np.abs(np.asarray(found.image, float) - np.asarray(whole.image, float)).mean() <= 20.0


def test_a_damaged_working_picture_of_an_exemplar_that_is_away_is_called_damaged(data, photo):
    keep(data, painting(1), photo.sha256)
    for path in kept_pictures(data):
        path.write_bytes(b"spoilt")
    photo.file.unlink()
    for compared in (True, False):
        with pytest.raises(
            ExemplarAway, match=r"is away and its working picture is damaged \(cannot be opened: no such"
        ):
            read_exemplar(data, photo, short_side=260, compared=compared)


@pytest.mark.parametrize(
    ("happen", "why"),
    [
        (os.remove, "cannot be opened: no such file or directory"),
        (lambda file: painting(2).save(file), "it has changed since it was indexed"),
        (lambda file: file.write_bytes(b""), "empty file"),
    ],
)
def test_where_there_is_neither_it_is_said_what_would_help(data, photo, happen: Callable[[Path], None], why: str):
    happen(photo.file)
    with pytest.raises(ExemplarAway) as raised:
        read_exemplar(data, photo, short_side=260)
    assert str(raised.value) == (
        f"the exemplar {photo.file} is away and no working picture of it is kept ({why}); bring it back, or say where "
        "its folder is now: artifact move OLD NEW"
    )


def test_pictures_of_no_exemplar_and_what_a_killed_run_left_are_dropped(writable, data):
    keep(data, painting(1))
    keep(data, painting(2), KEY.replace("0", "1"))
    (data / "pictures/ab/x.140.part").write_bytes(b"x")
    writable.apply(Changes(put=[exemplar("a", sha256=KEY)]))
    assert pictures_size(data).count == 2
    assert drop_unused_pictures(writable) == 3
    kept = [compared_path(data, KEY, 260), picture_path(data, KEY)]
    assert sorted(kept_pictures(data)) == kept
    assert pictures_size(data) == PicturesSize(1, sum(path.stat().st_size for path in kept))


def test_of_very_many_pictures_the_size_is_reckoned_from_some_folders(data):
    for folder in ("0a", "1b", "2c"):
        (data / "pictures" / folder).mkdir(parents=True)
        for number in range(4):
            (data / "pictures" / folder / f"{folder}{number}.{'jpg' if number % 2 else '260.exact'}").write_bytes(
                b"12345"
            )
    assert pictures_size(data) == pictures_size(data, looked_at=8) == PicturesSize(6, 60)
    assert pictures_size(data, looked_at=3) == PicturesSize(6, 60, exact=False)
    (data / "pictures/2c/2c9.jpg").write_bytes(b"")
    assert pictures_size(data, looked_at=3).count == 6 and pictures_size(data).count == 7
    assert pictures_size(data / "nowhere") == PicturesSize(0, 0)


def test_the_side_is_kept_with_the_catalogue(writable):
    assert picture_side(writable) == 1600
    for side in (800, 0):
        set_picture_side(writable, side)
        assert picture_side(writable) == side
