"""Every file of a folder is a photograph, or is counted among what is left out."""

import os
from pathlib import Path

import pytest

from indexer.inputs import walk as walk_module
from indexer.inputs.exclusions import read_exclusions
from indexer.inputs.labels import read_labels
from indexer.inputs.scan import scan_folder
from indexer.inputs.walk import FOLDER, Walk, Why, is_left_out, walk_folder
from retrieval.errors import ArtifactError
from tests.conftest import picture, touch

JPEG = b"\xff\xd8\xff\xe0"


def paths(found: Walk) -> list[str]:
    return [path for path, _ in found.photographs]


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("@eaDir/a.jpg/SYNOPHOTO_THUMB_XL.jpg", "@eaDir"),
        ("works/@eaDir/a.jpg", "@eaDir"),
        ("#recycle/a.jpg", "#recycle"),
        ("$RECYCLE.BIN/S-1-5/$R1.jpg", "$RECYCLE.BIN"),
        ("$Recycle.Bin/a.jpg", "$RECYCLE.BIN"),
        (".Trash-1000/files/a.jpg", ".Trash*"),
        (".Trashes/501/a.jpg", ".Trash*"),
        ("lost+found/a.jpg", "lost+found"),
        (".git/a.jpg", ".git"),
        ("__MACOSX/works/._a.jpg", "__MACOSX"),
        (".thumbnails/a.jpg", ".thumbnails"),
        (".AppleDouble/a.jpg", ".AppleD*"),
        ("System Volume Information/a.jpg", "System Volume Information"),
        (".@__thumb/default1.jpg", ".@*"),
        ("works/._a.jpg", "._*"),
        ("Thumbs.db", "Thumbs.db"),
        ("works/.DS_Store", ".DS_Store"),
        ("Catalog Previews.lrdata/a.jpg", "*.lrdata"),
    ],
)
def test_what_systems_keep_is_counted_and_not_entered(tmp_path, name, known):
    found = walk_folder(touch(tmp_path, "b.jpg", name))
    assert paths(found) == ["b.jpg"]
    assert found.left_out == {(Why.SYSTEM, known): 1}
    assert is_left_out(name, read_exclusions(tmp_path))


def test_a_folder_of_that_name_is_read_when_it_is_the_one_named(tmp_path):
    assert paths(walk_folder(touch(tmp_path / "lost+found", "a.jpg"))) == ["a.jpg"]


def test_files_of_other_kinds_and_hidden_ones_are_counted(tmp_path):
    touch(tmp_path, "a.jpg", "x.doc", "b/y.DOC", "z.txt", "README", "no. 3 of 1904", ".hidden.jpg", ".cache/c.jpg")
    assert walk_folder(tmp_path).left_out == {
        (Why.OTHER_KIND, ".doc"): 2,
        (Why.OTHER_KIND, ".txt"): 1,
        (Why.OTHER_KIND, ""): 2,
        (Why.HIDDEN, ""): 1,
        (Why.HIDDEN, FOLDER): 1,
    }


def test_a_table_that_is_read_elsewhere_is_not_counted(tmp_path):
    touch(tmp_path, "a.jpg", "catalogue.csv", "b/catalogue.csv")
    assert walk_folder(tmp_path, tables=["catalogue.csv"]).left_out == {(Why.OTHER_KIND, ".csv"): 1}


@pytest.mark.parametrize("name", ["a", "1960.5", "a.jpg_large", "a.mpo", "a.jpg!d", "a.php", "a.dat", "a.txt"])
def test_a_photograph_is_one_whatever_its_suffix(tmp_path, name):
    picture(1).save(tmp_path / "kept.jpg")
    (tmp_path / "kept.jpg").rename(tmp_path / name)
    found = walk_folder(tmp_path)
    assert (paths(found), found.left_out) == ([name], {})


PICTURE_OF_A_PDF = b"5 0 obj << /Type /XObject /Subtype /Image /Width 1 >> stream"


@pytest.mark.parametrize("before", [20, (1 << 20) - 40])  # across two steps of the reading too
def test_a_pdf_with_a_picture_is_a_photograph_and_any_other_is_not(tmp_path, before):
    (tmp_path / "scan.pdf").write_bytes(b"%PDF-1.7\n".ljust(before) + PICTURE_OF_A_PDF)
    (tmp_path / "report.pdf").write_bytes(b"%PDF-1.7\n".ljust(before) + b"/Subtype /ImageMask /Subtype /Form")

    walk = walk_folder(tmp_path)

    assert [path for path, _ in walk.photographs] == ["scan.pdf"]
    assert walk.left_out == {(Why.OTHER_KIND, ".pdf"): 1}


@pytest.mark.parametrize("name", ["a.jpg.part", "a.crdownload", "a.bak", "film.thm"])
def test_downloads_under_way_backups_and_thumbnails_of_films_are_none(tmp_path, name):
    (tmp_path / name).write_bytes(JPEG)
    assert walk_folder(tmp_path).left_out == {(Why.OTHER_KIND, Path(name).suffix): 1}


def test_a_text_that_begins_with_the_letters_of_a_bitmap_is_none(tmp_path):
    (tmp_path / "cars").write_bytes(b"BMW, Mercedes and others")
    picture(1).save(tmp_path / "a.bmp")
    (tmp_path / "a.bmp").rename(tmp_path / "bitmap")
    found = walk_folder(tmp_path)
    assert (paths(found), found.left_out) == (["bitmap"], {(Why.OTHER_KIND, ""): 1})


def test_what_has_the_suffix_of_a_photograph_is_not_opened(tmp_path, monkeypatch):
    monkeypatch.setattr(walk_module, "open_regular", lambda path: pytest.fail(f"{path} was opened"))
    assert len(paths(walk_folder(touch(tmp_path, "a.jpg", "b.TIF", "c.heic")))) == 3


def test_a_file_of_another_suffix_is_opened_once_while_it_stays_the_same(tmp_path, monkeypatch):
    touch(tmp_path, "a.jpg", "other")
    walk_folder(tmp_path)
    monkeypatch.setattr(walk_module, "open_regular", lambda path: pytest.fail(f"{path} was opened"))
    assert walk_folder(tmp_path).left_out == {(Why.OTHER_KIND, ""): 1}


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(touch(tmp_path, "a.jpg") / "pipe")
    assert walk_folder(tmp_path).left_out == {(Why.OTHER_KIND, ""): 1}


def test_patterns_leave_out_files_and_whole_folders(tmp_path):
    touch(tmp_path, "a.jpg", "a_old.jpg", "b/c_old.jpg", "drafts/1.jpg", "b/drafts/2.jpg", "top/3.jpg", "b/top/4.jpg")
    (tmp_path / ".artifactignore").write_text("# not ready\n\ndrafts/\n/top\n")
    found = walk_folder(tmp_path, exclude=["*_old.jpg", "!b/c_old.jpg"])
    assert paths(found) == ["a.jpg", "b/c_old.jpg", "b/top/4.jpg"]
    assert found.left_out == {(Why.EXCLUDED, ""): 1, (Why.EXCLUDED, FOLDER): 3}
    exclusions = read_exclusions(tmp_path, ["*_old.jpg"])
    assert [exclusions.covers(path) for path in ("x/drafts/9.jpg", "x/1_old.jpg", "x/1.jpg")] == [True, True, False]


@pytest.mark.parametrize("pattern", ["!", "[z-a]", "\\"])
def test_a_pattern_that_is_none_is_refused_with_where_it_stands(tmp_path, pattern):
    with pytest.raises(ArtifactError, match=r"--exclude: .* is no pattern"):
        walk_folder(tmp_path, exclude=[pattern])
    (tmp_path / ".artifactignore").write_text(f"a\n{pattern}\n")
    with pytest.raises(ArtifactError, match=r"artifactignore line 2: .* is no pattern"):
        walk_folder(tmp_path)


def test_a_list_of_patterns_that_is_no_text_is_refused(tmp_path):
    (tmp_path / ".artifactignore").write_bytes(b"caf\xe9")
    with pytest.raises(ArtifactError, match="not UTF-8"):
        walk_folder(tmp_path)


def test_a_folder_with_two_names_is_walked_through_once_and_counted_once(tmp_path):
    touch(tmp_path / "a", "1.jpg")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    found = walk_folder(tmp_path)
    assert (paths(found), found.left_out) == (["a/1.jpg"], {(Why.LINKED, ""): 1})


def test_a_suffix_that_is_none_stays_in_the_id(tmp_path):
    names = ("1960.5", "1961.2.jpg_large", "1962.1.JPG", "1963.mosaic", "1964.1.jpg!d", "1965.php", "1966.a.dng")
    for name in names:
        (tmp_path / name).write_bytes(JPEG)
    ids = [item.object_id for item in scan_folder(tmp_path).found]
    assert ids == ["1960.5", "1961.2", "1962.1", "1963.mosaic", "1964.1", "1965", "1966.a"]


def test_labelled_folders_are_walked_through_in_the_same_way(tmp_path):
    touch(tmp_path, "a/1.jpg", "a/@eaDir/1.jpg", "#recycle/b.jpg", "b/drafts/2.jpg", "b/1.jpg")
    (tmp_path / ".artifactignore").write_text("drafts\n")
    assert [photo.path.relative_to(tmp_path).as_posix() for photo in read_labels(tmp_path).photos] == [
        "a/1.jpg",
        "b/1.jpg",
    ]
