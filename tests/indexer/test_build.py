"""Indexing, and indexing again: only what is new or changed is encoded, and nothing is lost."""

import errno
import os
import shutil
import time
from pathlib import Path

import pytest

from indexer.building import difference as plan_module
from indexer.building.build import build_catalogue
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.rows import Changes
from retrieval.catalogue.segments import vectors_path
from retrieval.errors import CatalogueMissing, EncoderMismatch, UnreadableImage
from retrieval.judging.edition import load_recorded
from retrieval.photographs.files import sha256_of
from retrieval.statistics.calibration import authenticity_threshold
from tests.conftest import (
    DIM,
    TINY,
    aged,
    data_files,
    index,
    make_folder,
    picture,
    state,
    tiny_encoder,
    write_picture,
)

FOUR = {"a.jpg": 1, "b.png": 2, "vase/front.jpg": 3, "vase/back/mark.tif": 4}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "photos", FOUR)


def revision(data: Path) -> int:
    with Catalogue.reading(data) as catalogue:
        return catalogue.revision


def rows(data: Path) -> dict[str, tuple[int | None, str]]:
    with Catalogue.reading(data) as catalogue:
        return {photo.path: (photo.photo_id, photo.object_id) for photo in catalogue.photos()}


def same_as_fresh(folder: Path, data: Path, tmp_path: Path) -> bool:
    """Say whether the catalogue is what a new one of the same folder would be, but for vectors no longer used."""
    index(folder, tmp_path / "fresh")
    fresh, found = state(tmp_path / "fresh"), state(data)
    return all(fresh[key] == found[key] for key in ("objects", "photos", "vectors", "searched", "skipped"))


def test_a_folder_becomes_objects_with_exemplars_and_their_vectors(folder, data):
    report = index(folder, data)
    assert (report.revision, report.objects, report.photos, report.encoded, report.skipped) == (1, 3, 4, 4, ())
    assert sorted(report.difference.added) == sorted(FOUR)
    with Catalogue.reading(data) as catalogue:
        assert [(item.object_id, item.photos) for item in catalogue.objects()] == [("a", 1), ("b", 1), ("vase", 2)]
        assert catalogue.encoder is not None and catalogue.encoder.fingerprint == TINY
        (photo,) = catalogue.photos("a")
        _, vectors = catalogue.vectors()
    path = folder / "a.jpg"
    assert (photo.file, photo.sha256, photo.role) == (path, sha256_of(path), "exemplar")
    assert (photo.bytes, photo.modified_ns) == (path.stat().st_size, path.stat().st_mtime_ns)
    assert (photo.width, photo.height) == (96, 80)
    assert vectors.shape == (4, DIM)
    assert [path.name for path in data.glob("vectors-*")] == ["vectors-1.faiss"]


def test_what_comes_after_encoding_is_told_where_it_is_done(tmp_path, data):
    folder = make_folder(tmp_path / "works", {"a.jpg": 0, "b.jpg": 1})
    steps: list[str] = []
    for expected in (["Writing what photographs are found by", "Setting thresholds"], []):
        steps.clear()
        index(folder, data, on_step=steps.append)
        assert steps == expected


def test_the_vector_of_an_exemplar_is_that_of_its_picture(tmp_path, data):
    write_picture(tmp_path / "photos/a.png", 1, size=(8, 8))
    index(tmp_path / "photos", data)
    with Catalogue.reading(data) as catalogue:
        _, (vector,) = catalogue.vectors()
    assert vector.tobytes() == tiny_encoder().encode([picture(1, size=(8, 8))])[0].tobytes()


def test_again_without_a_change_nothing_is_done_or_written(folder, data):
    index(folder, data)
    before = data_files(data)
    encoder = tiny_encoder()
    report = index(folder, data, encoder=encoder)
    assert (report.revision, report.encoded, encoder.engine.encoded) == (1, 0, 0)
    assert not report.difference.changes and not report.difference.touched
    assert data_files(data) == before


def test_again_without_a_change_files_are_not_even_read(folder, data, monkeypatch):
    index(folder, data)
    monkeypatch.setattr(plan_module, "sha256_of", lambda path: pytest.fail(f"{path} was read"))
    assert index(folder, data).revision == 1


def test_touching_a_file_encodes_nothing_and_makes_no_revision(folder, data):
    index(folder, data)
    aged(folder / "a.jpg", 30)
    encoder = tiny_encoder()
    report = index(folder, data, encoder=encoder)
    assert (report.revision, encoder.engine.encoded) == (1, 0)
    assert [photo.path for photo in report.difference.touched] == ["a.jpg"]
    before = data_files(data)
    assert not index(folder, data).difference.touched
    assert data_files(data) == before


def test_a_file_written_just_now_is_not_trusted_by_its_time_stamp(tmp_path, data):
    path = write_picture(tmp_path / "photos/a.bmp", 1, age=0)
    index(tmp_path / "photos", data)
    then = path.stat().st_mtime_ns
    picture(2).save(path)  # the same size, as it is not compressed
    os.utime(path, ns=(then, then))
    report = index(tmp_path / "photos", data)
    assert (report.difference.changed, report.encoded) == (("a.bmp",), 1)


def test_a_file_written_while_a_long_run_goes_on_is_not_trusted_either(tmp_path, data, monkeypatch):
    monkeypatch.setattr(plan_module, "SETTLED_NS", 10**8)
    path = write_picture(tmp_path / "photos/a.bmp", 1, age=0)
    then = path.stat().st_mtime_ns
    index(tmp_path / "photos", data, on_progress=lambda done, total: time.sleep(0.2))
    picture(2).save(path)
    os.utime(path, ns=(then, then))
    assert index(tmp_path / "photos", data).difference.changed == ("a.bmp",)


def test_a_new_photograph_is_encoded_alone(folder, data):
    index(folder, data)
    write_picture(folder / "vase/side.jpg", 9)
    report = index(folder, data)
    assert (report.encoded, report.difference.added, report.revision) == (1, ("vase/side.jpg",), 2)
    assert [path.name for path in data.glob("vectors-*")] == ["vectors-2.faiss"]


def test_a_renamed_file_keeps_its_vector_and_its_row(folder, data, tmp_path):
    index(folder, data)
    before = rows(data)
    (folder / "a.jpg").rename(folder / "z.jpg")
    encoder = tiny_encoder()
    report = index(folder, data, encoder=encoder)
    assert encoder.engine.encoded == 0
    assert (report.difference.moved, report.difference.added, report.difference.gone) == (("z.jpg",), (), ())
    assert rows(data)["z.jpg"] == (before["a.jpg"][0], "z")
    assert "a.jpg" not in rows(data)
    assert same_as_fresh(folder, data, tmp_path)


def test_a_removed_file_is_reported_and_removed_only_with_prune(folder, data, tmp_path):
    index(folder, data)
    (folder / "a.jpg").unlink()
    for _ in range(2):
        report = index(folder, data)
        assert (report.difference.gone, report.revision, report.objects) == (("a.jpg",), 1, 3)
    report = index(folder, data, prune=True)
    assert (report.difference.gone, report.revision, report.objects, report.pruned) == (("a.jpg",), 2, 2, True)
    assert len(state(data)["kept"]) == 3
    assert same_as_fresh(folder, data, tmp_path)
    assert index(folder, data, prune=True).revision == 2


def test_prune_leaves_other_folders_alone(folder, data, tmp_path):
    index(folder, data)
    shutil.rmtree(folder)
    report = index(make_folder(tmp_path / "more", {"other.jpg": 50}), data, prune=True)
    assert (report.objects, report.difference.gone) == (4, ())


def test_a_changed_file_is_encoded_even_if_its_old_content_stands_elsewhere(tmp_path, data):
    folder = make_folder(tmp_path / "photos", {"a.jpg": 1, "b.jpg": 1})
    index(folder, data)
    write_picture(folder / "a.jpg", 2, age=30)
    report = index(folder, data)
    assert (report.encoded, report.difference.changed) == (1, ("a.jpg",))
    assert same_as_fresh(folder, data, tmp_path)


def test_a_file_that_takes_the_content_of_another_is_changed_without_encoding(tmp_path, data):
    folder = make_folder(tmp_path / "photos", {"a.jpg": 1, "b.jpg": 2})
    index(folder, data)
    shutil.copyfile(folder / "b.jpg", folder / "a.jpg")
    report = index(folder, data)
    assert (report.encoded, report.difference.changed, report.difference.moved) == (0, ("a.jpg",), ())
    assert same_as_fresh(folder, data, tmp_path)


@pytest.mark.parametrize("names", [("a.jpg", "b.jpg"), ("x/1.jpg", "y/2.jpg", "z.jpg")])
def test_files_that_exchange_their_names(tmp_path, data, names):
    folder = make_folder(tmp_path / "photos", {name: number for number, name in enumerate(names)})
    index(folder, data)
    for name in names:
        (folder / name).rename(folder / f"{name}.tmp")
    for old, new in zip(names, names[1:] + names[:1], strict=True):
        (folder / f"{old}.tmp").rename(folder / new)
    report = index(folder, data)
    assert (report.encoded, sorted(report.difference.changed)) == (0, sorted(names))
    assert same_as_fresh(folder, data, tmp_path)


def test_a_chain_of_renames(tmp_path, data):
    folder = make_folder(tmp_path / "photos", {"a.jpg": 1, "b.jpg": 2})
    index(folder, data)
    (folder / "b.jpg").rename(folder / "c.jpg")
    (folder / "a.jpg").rename(folder / "b.jpg")
    write_picture(folder / "a.jpg", 3)
    assert index(folder, data).encoded == 1
    assert same_as_fresh(folder, data, tmp_path)


def test_a_renamed_folder_of_an_object_is_another_object_with_the_same_vectors(folder, data, tmp_path):
    index(folder, data)
    (folder / "vase").rename(folder / "jar")
    report = index(folder, data)
    assert (report.encoded, sorted(report.difference.moved)) == (0, ["jar/back/mark.tif", "jar/front.jpg"])
    assert same_as_fresh(folder, data, tmp_path)


def test_a_whole_folder_moved_elsewhere(folder, data, tmp_path):
    index(folder, data)
    before = rows(data)
    folder.rename(tmp_path / "elsewhere")
    report = index(tmp_path / "elsewhere", data)
    assert (report.encoded, sorted(report.difference.moved), report.difference.gone) == (0, sorted(FOUR), ())
    assert rows(data) == before
    assert same_as_fresh(tmp_path / "elsewhere", data, tmp_path)


def test_a_folder_moved_and_changed_leaves_nothing_behind(folder, data, tmp_path):
    index(folder, data)
    new = folder.rename(tmp_path / "elsewhere")
    write_picture(new / "vase/front.jpg", 30)
    (new / "b.png").unlink()
    write_picture(new / "c.jpg", 31)
    report = index(new, data)
    assert report.difference.changed == ("vase/front.jpg",)
    assert (report.difference.added, report.difference.gone) == (("c.jpg",), ("b.png",))
    assert index(new, data).difference.gone == ("b.png",)
    assert index(new, data, prune=True).difference.gone == ("b.png",)
    assert same_as_fresh(new, data, tmp_path)


def test_a_folder_out_of_reach_does_not_lend_its_ids(folder, data, tmp_path):
    """Its drive is not there now; that another folder has an `a.jpg` does not make the two one object."""
    index(folder, data)
    folder.rename(tmp_path / "unmounted")
    other = make_folder(tmp_path / "other", {"a.jpg": 40, "new.jpg": 41})
    report = index(other, data)
    assert report.difference.added == ("new.jpg",)
    assert [item.path for item in report.skipped] == ["a.jpg"]
    assert "claims the object id 'a', catalogued from" in report.skipped[0].reason
    (tmp_path / "unmounted").rename(folder)
    assert index(folder, data).difference == index(folder, data).difference
    assert [(item, photos) for item, _, photos in state(data)["objects"]] == [
        ("a", 1),
        ("b", 1),
        ("new", 1),
        ("vase", 2),
    ]


def test_a_picture_that_two_folders_share_does_not_make_one_of_them_the_other(folder, data, tmp_path):
    """Else, with the drive of the one away, pruning the other would empty it."""
    index(folder, data)
    folder.rename(tmp_path / "unmounted")
    report = index(make_folder(tmp_path / "other", {"a.jpg": 1, "new.jpg": 41}), data, prune=True)
    assert (report.difference.moved, report.difference.gone, report.photos) == (("a.jpg",), (), 5)


def test_a_file_moved_to_another_indexed_folder(folder, data, tmp_path):
    other = make_folder(tmp_path / "other", {"new.jpg": 41})
    index(folder, data)
    index(other, data)
    (folder / "a.jpg").rename(other / "a.jpg")
    report = index(other, data)
    assert (report.difference.moved, report.encoded, report.skipped) == (("a.jpg",), 0, ())
    report = index(folder, data)
    assert (report.difference.gone, report.photos) == ((), 5)


def test_two_folders_that_claim_one_id_are_reported(folder, data, tmp_path):
    index(folder, data)
    other = make_folder(tmp_path / "other", {"a.png": 40})
    (other / "catalogue.csv").write_text("object_id,title\na,Not yours\n")
    report = index(other, data)
    assert [item.path for item in report.skipped] == ["a.png"]
    assert str(folder / "a.jpg") in report.skipped[0].reason
    assert (report.revision, report.photos) == (1, 4)
    assert state(data)["objects"][0] == ("a", {}, 1)


def test_a_table_elsewhere_does_not_wipe_what_is_known_of_an_object(folder, data, tmp_path):
    (folder / "catalogue.csv").write_text("object_id,title\na,Mine\n")
    index(folder, data)
    other = make_folder(tmp_path / "other", {"a.png": 40, "c.png": 41})
    (other / "catalogue.csv").write_text("object_id,title\nc,Another\n")
    index(other, data)
    assert state(data)["objects"][0] == ("a", {"title": "Mine"}, 1)


def test_a_file_is_not_catalogued_twice_through_a_folder_in_a_folder(folder, data):
    index(folder, data)
    report = index(folder / "vase", data)
    assert report.photos == 4
    assert sorted(item.path for item in report.skipped) == ["back/mark.tif", "front.jpg"]
    assert all("is catalogued already, as 'vase'" in item.reason for item in report.skipped)


@pytest.mark.parametrize("damage", ["content", "open"])
def test_a_file_that_becomes_unreadable_keeps_its_row_and_is_listed(folder, data, monkeypatch, damage):
    index(folder, data)
    before = state(data)
    if damage == "content":
        aged((folder / "a.jpg"), 30).write_bytes(b"\xff\xd8\xff no photograph")
    else:
        aged(folder / "a.jpg", 30)

        def denied(path: Path) -> str:
            if path.name == "a.jpg":
                raise UnreadableImage("cannot be opened: permission denied")
            return sha256_of(path)

        monkeypatch.setattr(plan_module, "sha256_of", denied)
    for _ in range(2):
        report = index(folder, data, prune=True)
        assert [item.path for item in report.skipped] == ["a.jpg"]
        assert (report.revision, report.difference.gone) == (1, ())
    after = state(data)
    assert [path for path, _ in after.pop("skipped")] == ["a.jpg"]
    assert after == {key: value for key, value in before.items() if key != "skipped"}


def test_a_repaired_file_is_taken_and_no_longer_listed(folder, data, tmp_path):
    write_picture(folder / "c.jpg", 7)
    whole = (folder / "c.jpg").read_bytes()
    (folder / "c.jpg").write_bytes(whole[:200])
    assert [item.path for item in index(folder, data).skipped] == ["c.jpg"]
    (folder / "c.jpg").write_bytes(whole)
    assert index(folder, data).skipped == ()
    assert same_as_fresh(folder, data, tmp_path)


def test_an_unreadable_folder_does_not_make_its_photographs_gone(folder, data, monkeypatch):
    index(folder, data)
    before = state(data)
    real = Path.iterdir

    def iterdir(self):
        if self.name == "vase":
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(self)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    report = index(folder, data, prune=True)
    assert [(item.path, item.reason) for item in report.skipped] == [("vase", "cannot be opened: Permission denied")]
    assert (report.difference.gone, report.revision, report.photos) == ((), 1, 4)
    assert state(data)["photos"] == before["photos"]


def test_a_file_out_of_reach_in_another_folder_is_not_lost(folder, data, tmp_path, monkeypatch):
    index(folder, data)
    other = make_folder(tmp_path / "other", {"copy.jpg": 1})
    real = Path.stat

    def stat(self, *, follow_symlinks=True):
        if self.name == "a.jpg":
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(self, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(Path, "stat", stat)
    report = index(other, data)
    assert (report.difference.moved, report.difference.added, report.photos) == ((), ("copy.jpg",), 5)


def test_a_folder_without_photographs_is_refused_and_prunes_nothing(folder, data, tmp_path):
    index(folder, data)
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(CatalogueMissing, match="There is no photograph in"):
        index(folder, data, prune=True)
    with pytest.raises(CatalogueMissing, match="There is no folder"):
        index(tmp_path / "nowhere", data)
    with Catalogue.reading(data) as catalogue:
        assert catalogue.counts() == (3, 4)


def test_a_folder_whose_name_is_no_text_is_refused_in_one_line(tmp_path, data):
    folder = make_folder(tmp_path / os.fsdecode(b"caf\xe9"), {"a.png": 1})
    with pytest.raises(CatalogueMissing, match="is not valid text; rename it") as caught:
        index(folder, data)
    str(caught.value).encode()


def test_an_object_keeps_its_id_when_another_file_claims_it(folder, data):
    index(folder, data)
    write_picture(folder / "a.bmp", 60)
    report = index(folder, data)
    assert [item.path for item in report.skipped] == ["a.bmp"]
    assert rows(data)["a.jpg"][1] == "a"
    assert (report.revision, report.photos) == (1, 4)


def test_the_table_says_more_of_an_object_and_again_without_encoding(folder, data):
    table = folder / "catalogue.csv"
    table.write_text("object_id,title,Raum\nvase,Blue vase,12\n,,x\nnone,N,\n")
    report = index(folder, data)
    assert [(item.path, item.reason) for item in report.skipped] == [
        ("catalogue.csv line 3", "names neither an object_id nor a photo"),
        ("catalogue.csv line 4", "there is no object none in this folder"),
    ]
    assert state(data)["objects"][2] == ("vase", {"title": "Blue vase", "Raum": "12"}, 2)
    assert index(folder, data).revision == 1
    table.write_text("object_id,title,Raum\nvase,Red vase,\na,A,\n")
    report = index(folder, data)
    assert (report.revision, report.encoded, report.skipped) == (2, 0, ())
    assert [item[1] for item in state(data)["objects"]] == [{"title": "A"}, {}, {"title": "Red vase"}]
    table.unlink()
    assert index(folder, data).revision == 2


def test_an_unreadable_photograph_of_a_known_object_does_not_keep_its_description_back(folder, data):
    index(folder, data)
    aged(folder / "a.jpg", 30).write_bytes(b"no photograph")
    (folder / "catalogue.csv").write_text("object_id,title\na,Title\n")
    assert index(folder, data).revision == 2
    assert state(data)["objects"][0] == ("a", {"title": "Title"}, 1)
    assert index(folder, data).revision == 2


def test_a_described_object_that_cannot_be_read_makes_no_revision_at_every_run(folder, data):
    (folder / "broken.jpg").write_bytes(b"no photograph")
    (folder / "catalogue.csv").write_text("object_id,title\nbroken,Broken\n")
    assert [item.path for item in index(folder, data).skipped] == ["broken.jpg"]
    assert index(folder, data).revision == 1
    assert "broken" not in [item[0] for item in state(data)["objects"]]


def test_the_table_moves_a_photograph_to_another_object_without_encoding(folder, data):
    index(folder, data)
    (folder / "catalogue.csv").write_text("object_id,photo\n1984.1,a.jpg\n1984.1,b.png\n")
    report = index(folder, data)
    assert (report.encoded, report.revision) == (0, 2)
    assert [(item, photos) for item, _, photos in state(data)["objects"]] == [("1984.1", 2), ("vase", 2)]


def test_the_same_picture_twice_is_two_exemplars_with_one_vector(tmp_path, data):
    folder = make_folder(tmp_path / "photos", {"a.jpg": 1, "copy of a.jpg": 1})
    index(folder, data)
    found = state(data)
    assert len(found["photos"]) == 2 and len(found["kept"]) == 1
    assert len(set(found["vectors"].values())) == 1


def test_a_vector_of_the_wrong_length_is_made_again(folder, data, tmp_path):
    index(folder, data)
    with Catalogue.writing(data) as catalogue, catalogue.db.atomic():
        catalogue.db.execute("UPDATE vectors SET vector = x'00' WHERE sha256 = ?", [sha256_of(folder / "a.jpg")])
    assert index(folder, data).encoded == 1
    assert same_as_fresh(folder, data, tmp_path)


def test_a_new_catalogue_does_not_take_the_vectors_file_of_an_older_one(folder, data, tmp_path):
    index(make_folder(tmp_path / "old", {"x.jpg": 70, "y.jpg": 71, "z.jpg": 72, "w.jpg": 73}), data)
    for path in data.glob("catalogue.db*"):
        path.unlink()
    index(folder, data)
    assert same_as_fresh(folder, data, tmp_path)


def test_a_missing_or_truncated_vectors_file_is_written_again(folder, data):
    index(folder, data)
    whole = vectors_path(data, 1).read_bytes()
    for number, damage in ((1, Path.unlink), (2, lambda path: path.write_bytes(whole[:100]))):
        damage(vectors_path(data, number))
        assert index(folder, data).revision == 1
        assert vectors_path(data, number + 1).read_bytes() == whole and not vectors_path(data, number).exists()


def test_the_catalogue_refuses_another_encoder_and_says_what_to_do(folder, data, monkeypatch):
    index(folder, data)
    before = data_files(data)
    other = tiny_encoder("tiny-other", seed=1)
    monkeypatch.setattr("retrieval.judging.edition.load_encoder", lambda *args, **options: other)
    with pytest.raises(EncoderMismatch) as caught:
        build_catalogue(folder, data, load=lambda record: load_recorded(record, device="cpu", parallel=1))
    assert f"was made with the encoder {TINY}, not tiny-other" in str(caught.value)
    assert "artifact index FOLDER --data NEW_FOLDER --encoder ENCODER" in str(caught.value)
    assert data_files(data) == before


def test_thresholds_come_from_one_distance_an_object(tmp_path, data):
    folder = make_folder(tmp_path / "photos", {f"{n}.jpg": n for n in range(25)} | {"0/twin.png": 99, "24b/x.jpg": 98})
    index(folder, data)
    found = state(data)
    thresholds = found["thresholds"]
    assert (thresholds.match.count, thresholds.authenticity.count) == (26, 26)
    distance = {sha256: value for sha256, _, _, value in found["rephotographs"]}
    genuine = [distance[photo[2]] for photo in found["photos"]]
    assert thresholds.authenticity == authenticity_threshold(genuine)
    with Catalogue.writing(data) as catalogue:
        catalogue.apply(Changes(gone=[1]))
        assert catalogue.thresholds() is None  # of another revision


def test_progress_counts_every_file_to_be_encoded(folder, data):
    calls: list[tuple[int, int]] = []
    index(folder, data, on_progress=lambda done, total: calls.append((done, total)))
    assert calls == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_photograph_above_the_limit_is_left_out_and_the_others_taken(folder, data):
    write_picture(folder / "big.png", 5, size=(400, 400))
    report = index(folder, data, max_megapixels=0.1)
    assert [item.path for item in report.skipped] == ["big.png"]
    assert report.photos == 4
