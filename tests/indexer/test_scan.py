"""What a folder holds: which files are photographs, and which object each belongs to."""

import errno
import os
import unicodedata
from pathlib import Path

import pytest

from indexer.inputs import walk
from indexer.inputs.layout import read_layout
from indexer.inputs.scan import Scan, assign_objects, scan_folder
from indexer.inputs.walk import walk_folder
from tests.conftest import touch


def owners(found: Scan) -> dict[str, str]:
    return {item.path: item.object_id for item in found.found}


def refused(found: Scan) -> dict[str, str]:
    return {item.path: item.reason for item in found.skipped}


def test_a_file_is_an_object_and_a_folder_is_one_at_any_depth(tmp_path):
    touch(tmp_path, "a.jpg", "b.b.PNG", "vase/front.jpg", "vase/details/foot/mark.tif", "vase/x.heic")
    assert owners(scan_folder(tmp_path)) == {
        "a.jpg": "a",
        "b.b.PNG": "b.b",
        "vase/front.jpg": "vase",
        "vase/x.heic": "vase",
        "vase/details/foot/mark.tif": "vase",
    }


def test_other_files_and_hidden_ones_are_no_photographs(tmp_path):
    touch(tmp_path, "a.jpg", "catalogue.csv", "notes.txt", ".hidden.jpg", ".thumbs/b.jpg", "a/.x.jpg", "Thumbs.db")
    (tmp_path / "folder.jpg").mkdir()
    found = scan_folder(tmp_path)
    assert (owners(found), found.skipped) == ({"a.jpg": "a"}, ())


def test_size_and_time_are_those_of_the_file(tmp_path):
    path = touch(tmp_path, "a.jpg") / "a.jpg"
    path.write_bytes(b"12345")
    os.utime(path, ns=(7_000_000_123, 7_000_000_123))
    (item,) = scan_folder(tmp_path).found
    assert (item.bytes, item.modified_ns) == (5, 7_000_000_123)


def test_the_order_is_that_of_names_whatever_the_disk_says(tmp_path, monkeypatch):
    touch(tmp_path, "c.jpg", "a.jpg", "b/2.jpg", "b/1.jpg")
    once = [name for name, _ in walk_folder(tmp_path).photographs]
    real = Path.iterdir
    monkeypatch.setattr(Path, "iterdir", lambda self: reversed(list(real(self))))
    assert [name for name, _ in walk_folder(tmp_path).photographs] == once
    assert sorted(once) == ["a.jpg", "b/1.jpg", "b/2.jpg", "c.jpg"]


@pytest.mark.parametrize(
    ("names", "kept", "left_out"),
    [
        (("a.jpg", "a.png"), {"a.jpg": "a"}, ["a.png"]),
        (("a.jpg", "a/1.jpg", "a/2.jpg"), {"a.jpg": "a"}, ["a/1.jpg", "a/2.jpg"]),
        (("a.b/1.jpg", "a.b.jpg"), {"a.b.jpg": "a.b"}, ["a.b/1.jpg"]),
    ],
)
def test_two_that_claim_one_id_are_reported_not_merged(tmp_path, names, kept, left_out):
    found = scan_folder(touch(tmp_path, *names))
    assert owners(found) == kept
    assert sorted(refused(found)) == left_out
    assert all("claims the object id 'a" in reason for reason in refused(found).values())


def test_who_is_catalogued_keeps_the_id(tmp_path):
    touch(tmp_path, "a.jpg", "a.png", "a/1.jpg")
    found = assign_objects(walk_folder(tmp_path), known={("a/1.jpg", "a")})
    assert owners(found) == {"a/1.jpg": "a"}
    assert sorted(refused(found)) == ["a.jpg", "a.png"]


def test_a_pattern_joins_files_and_takes_those_beside_them_by_their_names(tmp_path):
    touch(tmp_path, "1960.5.jpg", "1960.5_2.jpg", "1960.5_verso.png", "vase/front.jpg", "vase/back.jpg")
    touch(tmp_path, "2019/1970.1.jpg", "2019/1970.1_2.jpg", "2019/1971.1.jpg")
    found = assign_objects(walk_folder(tmp_path), layout=read_layout("{object}_{view}"))
    assert found.skipped == () and owners(found) == {
        "1960.5.jpg": "1960.5",
        "1960.5_2.jpg": "1960.5",
        "1960.5_verso.png": "1960.5",
        "2019/1970.1.jpg": "1970.1",
        "2019/1970.1_2.jpg": "1970.1",
        "2019/1971.1.jpg": "1971.1",
        "vase/back.jpg": "vase",
        "vase/front.jpg": "vase",
    }


def test_a_table_stands_above_a_pattern(tmp_path):
    touch(tmp_path, "1960.5_2.jpg", "1961.2_3.jpg")
    layout = read_layout("{object}_{view}")
    found = assign_objects(walk_folder(tmp_path), named={"1961.2_3.jpg": "1970.1"}, layout=layout)
    assert owners(found) == {"1960.5_2.jpg": "1960.5", "1961.2_3.jpg": "1970.1"}


def test_a_claim_on_what_a_table_gives_is_refused_whatever_the_table_is_called(tmp_path):
    touch(tmp_path, "a.jpg", "b.jpg")
    found = assign_objects(walk_folder(tmp_path), named={"a.jpg": "b"})
    assert refused(found) == {"b.jpg": "claims the object id 'b', which the table already has"}


def test_names_that_only_look_alike_claim_one_id(tmp_path):
    one, other = (unicodedata.normalize(form, "Édouard") for form in ("NFC", "NFD"))
    found = scan_folder(touch(tmp_path, f"{one}/1.jpg", f"{other}/1.jpg"))
    assert list(owners(found).values()) == [one]
    assert len(found.skipped) == 1


def test_ids_that_differ_in_case_are_two_objects(tmp_path):
    found = scan_folder(touch(tmp_path, "a.jpg", "A.jpg"))
    assert owners(found) == {"A.jpg": "A", "a.jpg": "a"}


def test_a_table_gives_photographs_to_objects(tmp_path):
    touch(tmp_path, "DSC1.jpg", "DSC2.jpg", "other.jpg", "box/3.jpg", "box/4.jpg")
    named = {"DSC1.jpg": "1984.1", "DSC2.jpg": "1984.1", "box/3.jpg": "1984.1"}
    assert owners(scan_folder(tmp_path, named=named)) == {
        "DSC1.jpg": "1984.1",
        "DSC2.jpg": "1984.1",
        "box/3.jpg": "1984.1",
        "box/4.jpg": "box",
        "other.jpg": "other",
    }


def test_a_table_does_not_merge_another_object_into_its_own_in_silence(tmp_path):
    found = scan_folder(touch(tmp_path, "a.jpg", "z.jpg"), named={"z.jpg": "a"})
    assert owners(found) == {"a.jpg": "a"}
    assert "which a.jpg already has" in refused(found)["z.jpg"]


def test_a_table_that_names_one_photograph_of_a_folder_leaves_the_others_in_it(tmp_path):
    touch(tmp_path, "vase/front.jpg", "vase/back.jpg", "extra.jpg")
    found = scan_folder(tmp_path, named={"vase/front.jpg": "vase", "extra.jpg": "vase"})
    assert owners(found) == {"vase/front.jpg": "vase", "vase/back.jpg": "vase", "extra.jpg": "vase"}
    assert found.skipped == ()


def test_a_table_finds_a_name_however_its_accents_are_written(tmp_path):
    on_disk, in_table = (unicodedata.normalize(form, "é.jpg") for form in ("NFD", "NFC"))
    found = scan_folder(touch(tmp_path, on_disk), named={in_table: "1984.1"})
    assert owners(found) == {on_disk: "1984.1"}


def test_links_are_followed_each_folder_once_and_no_loop_holds_it(tmp_path):
    outside = touch(tmp_path / "outside", "1.jpg")
    folder = touch(tmp_path / "folder", "a/1.jpg", "b.jpg")
    (folder / "a" / "up").symlink_to(folder)
    (folder / "linked").symlink_to(outside)
    (folder / "again").symlink_to(outside)
    (folder / "c.jpg").symlink_to(folder / "b.jpg")
    assert set(owners(scan_folder(folder))) == {"a/1.jpg", "again/1.jpg", "b.jpg", "c.jpg"}


def test_a_dangling_link_and_a_loop_of_links_are_listed(tmp_path):
    touch(tmp_path, "a.jpg")
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    found = scan_folder(tmp_path)
    assert owners(found) == {"a.jpg": "a"}
    assert set(refused(found)) == {"gone.jpg", "loop.jpg"}
    assert all(reason.startswith("cannot be read") for reason in refused(found).values())


def test_a_name_that_is_no_text_is_listed(tmp_path):
    touch(tmp_path, "a.jpg")
    (tmp_path / os.fsdecode(b"caf\xe9.jpg")).write_bytes(b"x")
    bad = tmp_path / os.fsdecode(b"bo\xeete")
    bad.mkdir()
    (bad / "1.jpg").write_bytes(b"x")
    found = scan_folder(tmp_path)
    assert owners(found) == {"a.jpg": "a"}
    assert refused(found) == dict.fromkeys(["caf\\xe9.jpg", "bo\\xeete/1.jpg"], "its name is not valid text; rename it")


def test_a_folder_that_cannot_be_listed_is_named(tmp_path, monkeypatch):
    touch(tmp_path, "a.jpg", "closed/1.jpg")
    real = Path.iterdir

    def iterdir(self):
        if self.name == "closed":
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(self)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    found = scan_folder(tmp_path)
    assert owners(found) == {"a.jpg": "a"}
    assert refused(found) == {"closed": "cannot be opened: Permission denied"}


def test_a_folder_whose_entries_cannot_be_looked_at_is_not_empty(tmp_path, monkeypatch):
    """A folder with mode r--: its names can be listed, but nothing below can be reached."""
    touch(tmp_path, "a.jpg", "closed/1.jpg", "closed/deeper/2.jpg")
    real_stat, real_iterdir = Path.stat, Path.iterdir

    def stat(self, *, follow_symlinks=True):
        if "closed" in self.parent.parts:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real_stat(self, follow_symlinks=follow_symlinks)

    def iterdir(self):
        if "closed" in self.parent.parts:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real_iterdir(self)

    monkeypatch.setattr(walk.Path, "stat", stat)
    monkeypatch.setattr(walk.Path, "iterdir", iterdir)
    found = scan_folder(tmp_path)
    assert owners(found) == {"a.jpg": "a"}
    assert refused(found) == {
        "closed/1.jpg": "cannot be read: Permission denied",
        "closed/deeper": "cannot be opened: Permission denied",
    }
