"""Working pictures come with the index run that reads the photographs, or are made up for by the next."""

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import ExifTags, Image

from indexer.building import working_pictures
from retrieval.catalogue.pictures import kept_pictures, picture_path
from retrieval.errors import CatalogueBusy
from retrieval.photographs.files import sha256_of
from retrieval.photographs.images import read_both
from retrieval.photographs.photograph import Photograph
from tests.conftest import SIDE, index, make_folder, picture, state, tiny_encoder, write_picture


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "photos", {"a.jpg": 1, "b.png": 2})


def size_of(data: Path, file: Path) -> tuple[int, int]:
    with Image.open(picture_path(data, sha256_of(file))) as picture:
        return picture.size


def names(data: Path) -> set[str]:
    return {path.name.partition(".")[0] for path in kept_pictures(data)}


def test_an_index_run_keeps_a_picture_of_each_exemplar(folder, data):
    index(folder, data)
    assert names(data) == {sha256_of(folder / name) for name in ("a.jpg", "b.png")}
    assert size_of(data, folder / "a.jpg") == (96, 80)


@pytest.mark.parametrize(
    ("name", "size", "kept"),
    [
        ("large.jpg", (1200, 900), (400, 300)),
        ("large.png", (900, 1200), (300, 400)),
        ("wide.png", (3000, 60), (800, 16)),  # its short side is what comparing needs
        ("small.jpg", (200, 100), (200, 100)),
    ],
)
def test_a_picture_has_the_side_asked_for_and_enough_to_compare(folder, data, name, size, kept):
    write_picture(folder / name, 3, size=size)
    index(folder, data, pictures=400)
    assert size_of(data, folder / name) == kept
    assert kept == size or max(kept) == 400 or min(kept) == 2 * SIDE


def test_what_is_encoded_and_described_is_what_it_is_without_pictures(tmp_path, folder, data):
    for name in ("large.png", "phone.jpg"):
        write_picture(folder / name, 3, size=(1600, 1200))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    picture(6, size=(1600, 1200)).save(folder / "turned.jpg", exif=exif)
    index(folder, data, pictures=400)
    index(folder, tmp_path / "none", pictures=0)
    assert state(data) == state(tmp_path / "none")
    assert len(names(data)) == 5 and not names(tmp_path / "none")
    assert size_of(data, folder / "turned.jpg") == (300, 400)


def test_pictures_still_missing_are_made_by_the_next_run_without_encoding(folder, data):
    index(folder, data, pictures=0)
    assert names(data) == set()
    encoder = tiny_encoder()
    before = state(data)
    apart: list[bytes] = []

    def run(read: Callable[[], Any]) -> Any:
        apart.append(pickle.dumps(read))  # as for a process of its own: a file may crash its decoder
        return read()

    report = index(folder, data, encoder=encoder, pictures=1600, run=run)
    assert (len(apart), report.sides, report.encoded, encoder.engine.encoded, report.revision) == (
        2,
        (0, 1600),
        0,
        0,
        1,
    )
    assert len(names(data)) == 2 and state(data) == before


def test_a_damaged_exemplar_of_an_earlier_version_gets_no_picture(folder, data, monkeypatch):
    index(folder, data, pictures=0)
    damaged = folder / "a.jpg"

    def read(path: Path, **options: Any) -> tuple[Photograph, Image.Image]:
        photograph, large = read_both(path, **options)
        return replace(photograph, damage="a part of it is blank" if path == damaged else None), large

    monkeypatch.setattr(working_pictures, "read_both", read)
    index(folder, data, pictures=1600)
    assert names(data) == {sha256_of(folder / "b.png")}


def test_the_side_asked_for_holds_from_then_on_and_what_is_there_stays(folder, data):
    index(folder, data)
    write_picture(folder / "c.png", 3, size=(1200, 900))
    assert index(folder, data, pictures=400).sides == (1600, 400)
    write_picture(folder / "d.png", 4, size=(1200, 900))
    assert index(folder, data).sides == (400, 400)
    assert [size_of(data, folder / name) for name in ("a.jpg", "c.png", "d.png")] == [(96, 80), (400, 300), (400, 300)]
    write_picture(folder / "e.png", 5)
    index(folder, data, pictures=0)
    assert not picture_path(data, sha256_of(folder / "e.png")).exists() and len(names(data)) == 4


def test_prune_drops_the_pictures_of_what_is_gone(folder, data):
    index(folder, data)
    (folder / "a.jpg").unlink()
    index(folder, data)
    assert len(names(data)) == 2
    index(folder, data, prune=True)
    assert names(data) == {sha256_of(folder / "b.png")}


def test_a_full_disk_ends_the_run_in_a_line_and_the_next_one_completes_it(folder, data, monkeypatch):
    keep, kept = working_pictures.keep_pictures, []

    def full(data: Path, photograph: Photograph, large: Image.Image, *, short_side: int) -> None:
        if kept:
            raise CatalogueBusy("no room")
        kept.append(photograph)
        keep(data, photograph, large, short_side=short_side)

    monkeypatch.setattr(working_pictures, "keep_pictures", full)
    with pytest.raises(CatalogueBusy, match="no room"):
        index(folder, data)
    monkeypatch.undo()
    index(folder, data)
    assert len(names(data)) == 2
