"""Exemplars' files: changed or not, asked for no longer than one is patient."""

import time
from pathlib import Path

import pytest

from retrieval.catalogue import exemplar_files
from retrieval.catalogue.exemplar_files import ExemplarFiles, in_time
from retrieval.catalogue.rows import Photo
from retrieval.photographs.files import sha256_of
from tests.conftest import aged, exemplar


@pytest.fixture
def photo(tmp_path: Path) -> Photo:
    file = tmp_path / "a.png"
    file.write_bytes(b"as indexed")
    time_ns = aged(file).stat().st_mtime_ns
    return exemplar("a", path="a.png", folder=str(tmp_path), sha256=sha256_of(file), bytes=10, modified_ns=time_ns)


def test_a_file_has_changed_if_its_content_has(photo, monkeypatch):
    files, hashed = ExemplarFiles(), []
    monkeypatch.setattr(exemplar_files, "sha256_of", lambda file: hashed.append(file) or sha256_of(file))
    assert not files.changed(photo) and not hashed  # size and time are as they were
    aged(photo.file, 30)
    assert not files.changed(photo) and not files.changed(photo) and len(hashed) == 1
    photo.file.write_bytes(b"not as it ")
    assert files.changed(photo) and files.changed(photo) and len(hashed) == 2
    photo.file.write_bytes(b"of another size")
    assert files.changed(photo) and len(hashed) == 2
    photo.file.unlink()
    assert not files.changed(photo)


def test_a_folder_that_does_not_answer_is_asked_once(photo, monkeypatch):
    asked = []

    def hang(self: ExemplarFiles, photo: Photo) -> bool:
        asked.append(photo)
        time.sleep(1.0)
        return True

    monkeypatch.setattr(ExemplarFiles, "_changed", hang)
    files = ExemplarFiles(patience=0.05)
    assert not files.changed(photo) and not files.changed(photo)
    assert asked == [photo]


def test_an_answer_comes_in_time_or_not_at_all(tmp_path):
    assert in_time(tmp_path.is_dir) is True
    assert in_time((tmp_path / "gone").stat) is None
    assert in_time(lambda: time.sleep(1.0) or True, patience=0.05) is None
