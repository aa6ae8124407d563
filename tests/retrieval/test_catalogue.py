"""The catalogue: what is put in comes out, one writer, many readers, and clear words where it cannot be used."""

import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retrieval.catalogue import database
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.rows import Changes, EncoderRecord
from retrieval.errors import (
    CatalogueBusy,
    CatalogueDamaged,
    CatalogueMissing,
    UnknownObject,
)
from retrieval.statistics.calibration import CalibratedDistance, Calibration, Threshold, Thresholds
from retrieval.statistics.likelihood import LikelihoodRatio
from tests.conftest import DIM, TINY, content, encoded, exemplar, index, make_folder, unit

ROOT = Path(__file__).parents[2]


def vectors_of(*names: str) -> list:
    made = unit(np.random.default_rng(0).standard_normal((len(names), DIM)))
    return [(content(name), vector) for name, vector in zip(names, made, strict=True)]


def put(*photos, **metadata) -> Changes:
    return Changes(put=photos, metadata=metadata)


def calibration(**changed: Any) -> Calibration:
    """Return a calibration that is not stored yet."""
    values: dict[str, Any] = {
        "date": "2031-05-06T07:08:09+02:00",
        "encoder": TINY,
        "revision": 1,
        "objects": 40,
        "sources": {"labelled": 30, "exemplars": 0, "simulated": 10},
        "copies": 12,
        "match": Threshold(0.8, 0.1, 29, 0.95, 0.01),
        "combined": CalibratedDistance(Threshold(0.1 + 0.2, 0.05, 59, 0.95), (0.1, 0.1 + 0.2, 1 / 3)),
        "whole": CalibratedDistance(
            Threshold(None, 1.0, 0, 0.95, 0.05), (), LikelihoodRatio(2.0, -5.5, 40, 12, 0.3, 0.2)
        ),
    }
    return Calibration(**(values | changed))


def test_what_is_put_in_comes_out(writable, data):
    metadata = {"title": "A \0 b\nc", "maker": "Ö", "Raum": "12", "date": ""}
    writable.add_vectors(vectors_of("s1", "s2"), TINY)
    assert writable.revision == 0
    assert writable.apply(put(exemplar("o", sha256="s1", bytes=2**40), exemplar("b", sha256="s2"), o=metadata)) == 1
    with Catalogue.reading(data) as found:
        assert [item.object_id for item in found.objects()] == ["b", "o"]
        assert found.object("o").metadata == {"title": "A \0 b\nc", "maker": "Ö", "Raum": "12"}
        assert found.object("o").title == metadata["title"]
        assert found.object("b").title == ""
        assert found.titles(["o", "b", "none"]) == {"o": metadata["title"], "b": "", "none": ""}
        assert found.counts() == (2, 2)
        (photo,) = found.photos("o")
        assert photo == exemplar("o", sha256="s1", bytes=2**40, photo_id=photo.photo_id)
        ids, vectors = found.vectors()
    by_sha = {item.sha256: vector for item, vector in vectors_of("s1", "s2")}
    assert ids.tolist() == [1, 2] and vectors.dtype == np.float32
    assert vectors.tobytes() == np.stack([by_sha["s1"], by_sha["s2"]]).tobytes()


def test_ids_are_never_used_again(writable):
    writable.apply(put(exemplar("a"), exemplar("b")))
    writable.apply(Changes(gone=[2]))
    writable.apply(put(exemplar("c")))
    assert [(photo.object_id, photo.photo_id) for photo in writable.photos()] == [("a", 1), ("c", 3)]


def test_an_object_without_exemplars_is_gone_with_its_metadata(writable):
    writable.apply(put(exemplar("a"), exemplar("b"), a={"title": "A"}))
    writable.apply(Changes(gone=[1]))
    assert [item.object_id for item in writable.objects()] == ["b"]
    writable.apply(put(exemplar("a")))
    assert writable.object("a").metadata == {}


def test_photographs_exchange_their_places_in_one_step(writable):
    writable.apply(put(exemplar("a", sha256="1"), exemplar("b", sha256="2")))
    writable.apply(put(exemplar("b", sha256="1", photo_id=1), exemplar("a", sha256="2", photo_id=2)))
    assert [(p.object_id, p.path, p.sha256, p.photo_id) for p in writable.photos()] == [
        ("a", "a.jpg", "2", 2),
        ("b", "b.jpg", "1", 1),
    ]


def test_changes_that_fail_midway_change_nothing(writable):
    writable.apply(put(exemplar("a")))
    with pytest.raises(sqlite3.IntegrityError):
        writable.apply(put(exemplar("b"), exemplar("c", path="a.jpg")))
    assert writable.revision == 1
    assert [item.object_id for item in writable.objects()] == ["a"]


def test_describing_again_replaces_what_was_known(writable):
    writable.apply(put(exemplar("a"), a={"title": "A", "Raum": "1"}))
    writable.apply(Changes(metadata={"a": {"maker": "M"}}))
    assert writable.object("a").metadata == {"maker": "M"}
    assert writable.revision == 2


def test_touch_is_no_revision(writable):
    writable.apply(put(exemplar("a")))
    writable.touch([exemplar("a", modified_ns=77, photo_id=1)])
    assert (writable.photos()[0].modified_ns, writable.revision) == (77, 1)


def test_the_list_of_skipped_files_is_kept_by_folder(writable):
    writable.set_skipped("/one", [("a.jpg", "bad"), ("b.jpg", "bad")])
    writable.set_skipped("/two", [("a.jpg", "worse")])
    writable.set_skipped("/one", [("b.jpg", "still bad")])
    assert list(writable.skipped()) == [("/one/b.jpg", "still bad"), ("/two/a.jpg", "worse")]


def test_an_unknown_object_is_named_with_those_it_may_be(writable):
    writable.apply(put(exemplar("1984.12"), exemplar("1984.13"), exemplar("zebra")))
    with pytest.raises(UnknownObject, match=r"No object '1984\.1' .* Did you mean 1984\.1[23], 1984\.1[23]\?"):
        writable.object("1984.1")
    with pytest.raises(UnknownObject, match="`artifact list` shows the ids"):
        writable.object("???")


def test_vectors_are_kept_by_content_and_encoder(writable):
    writable.add_vectors(vectors_of("s1", "s2"), TINY)
    writable.add_vectors(vectors_of("s1"), "another")
    assert set(encoded(writable)) == {"s1", "s2"}
    assert set(encoded(writable, "another", DIM)) == {"s1"}
    assert encoded(writable, TINY, DIM + 1) == {}
    assert encoded(writable, "unknown", DIM) == {}
    writable.apply(put(exemplar("a", sha256="s1")))
    assert writable.vectors()[0].tolist() == [1]
    assert writable.drop_unused_vectors() == 1
    assert set(encoded(writable)) == {"s1"}


def test_a_catalogue_without_encoder_has_no_vectors(data):
    with Catalogue.writing(data) as found:
        ids, vectors = found.vectors()
        assert (found.encoder, found.revision, len(ids), len(vectors)) == (None, 0, 0, 0)


def test_the_encoder_is_remembered(writable, data):
    with Catalogue.reading(data) as found:
        assert found.encoder == EncoderRecord("tiny", TINY, "fp32", DIM)


def test_thresholds_are_those_of_their_revision(writable):
    kept = Thresholds(Threshold(0.25, 0.05, 40), Threshold(None, 0.05, 7))
    writable.apply(put(exemplar("a")))
    writable.set_thresholds(kept)
    assert writable.thresholds() == kept
    writable.apply(put(exemplar("b")))
    assert writable.thresholds() is None


def test_a_threshold_of_the_combined_distance_comes_with_the_program_and_is_not_kept(writable):
    kept = Thresholds(Threshold(0.25, 0.05, 40), Threshold(None, 0.05, 7))
    writable.set_thresholds(replace(kept, combined=Threshold(0.4, 0.05, 67)))
    assert writable.thresholds() == kept and kept.combined is None


def test_a_forgotten_vector_takes_the_thresholds_with_it(writable):
    writable.add_vectors(vectors_of("s1"), TINY)
    writable.apply(put(exemplar("a", sha256="s1")))
    writable.set_thresholds(Thresholds(Threshold(0.25, 0.05, 40), Threshold(0.5, 0.05, 40)))
    writable.forget_vector("s1")
    assert (writable.thresholds(), writable.count_vectors(), writable.counts()) == (None, 0, (1, 1))


def test_rephotographs_are_kept_by_encoder_and_simulation(writable):
    writable.add_rephotographs({"s1": 0.5}, TINY, 1)
    writable.add_rephotographs({"s1": 0.6, "s2": 0.7}, TINY, 2)
    assert writable.rephotographs(TINY, 1) == {"s1": 0.5}
    assert writable.rephotographs(TINY, 2) == {"s1": 0.6, "s2": 0.7}
    assert writable.rephotographs("another", 1) == {}


# -- calibrations


def test_a_calibration_comes_out_as_it_was_put_in(writable, data):
    assert writable.calibration() is None and writable.calibrations() == []
    kept = writable.add_calibration(calibration())
    assert kept == calibration(number=1)
    with Catalogue.reading(data) as found:
        assert found.calibration() == found.calibration(1) == kept and found.calibrations() == [kept]
        assert found.calibration().whole.ratio(0.4) == calibration().whole.ratio(0.4)


def test_calibrations_are_numbered_and_the_earlier_ones_stay_readable(writable, data):
    texts = ("first", "zweite ü", "third")
    made = [calibration(encoder=text, revision=number) for number, text in enumerate(texts)]
    kept = [writable.add_calibration(each) for each in made]
    assert kept == [replace(each, number=number) for number, each in enumerate(made, 1)]
    with Catalogue.reading(data) as found:
        assert found.calibration() == kept[2]
        assert found.calibrations() == kept[::-1]
        assert [found.calibration(number) for number in (1, 2, 3, 4, 0)] == [*kept, None, None]


def test_a_number_of_a_calibration_is_never_used_again(writable):
    for _ in range(3):
        writable.add_calibration(calibration())
    writable.db.execute("DELETE FROM calibrations WHERE number = 3")
    writable.db.conn.commit()
    assert writable.add_calibration(calibration()).number == 4


def test_a_calibration_is_no_revision_and_outlives_revisions(writable):
    writable.apply(put(exemplar("a")))
    writable.set_thresholds(Thresholds(Threshold(0.25, 0.05, 40), Threshold(0.5, 0.05, 40)))
    kept = writable.add_calibration(calibration())
    assert writable.revision == 1 and writable.thresholds() is not None
    writable.apply(put(exemplar("b")))
    assert writable.thresholds() is None and writable.calibration() == kept


# -- one writer, many readers


def test_a_second_writer_is_told_at_once(writable, data):
    start = time.monotonic()
    with (
        pytest.raises(CatalogueBusy, match=f"Another run is writing the catalogue in {data}. Wait"),
        Catalogue.writing(data),
    ):
        pass
    assert time.monotonic() - start < 1


def test_a_second_process_is_told_too_and_the_lock_falls_with_its_holder(data):
    hold = f"""
import sys, time
from pathlib import Path
from retrieval.catalogue.catalogue import Catalogue
with Catalogue.writing(Path({str(data)!r})):
    print("held", flush=True)
    time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", hold], cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None and process.stdout.readline() == b"held\n"
        with pytest.raises(CatalogueBusy), Catalogue.writing(data):
            pass
    finally:
        process.kill()
        process.communicate()
    with Catalogue.writing(data) as found:
        assert found.revision == 0


def test_the_lock_is_free_after_an_error_which_is_not_renamed(data):
    """An error on another file, raised while writing, says nothing of the catalogue."""
    with pytest.raises(FileNotFoundError, match="elsewhere"), Catalogue.writing(data):
        Path("/nowhere/elsewhere").read_bytes()
    with Catalogue.writing(data) as found:
        assert found.revision == 0


def test_a_reader_keeps_its_revision_while_another_is_written(writable, data):
    writable.apply(put(exemplar("a")))
    with Catalogue.reading(data) as reader:
        assert reader.revision == 1
        writable.apply(put(exemplar("b")))
        assert (reader.revision, reader.counts()) == (1, (1, 1))
        with Catalogue.reading(data) as new_reader:
            assert (new_reader.revision, new_reader.counts()) == (2, (2, 2))


def test_a_reader_does_not_wait_for_an_open_transaction(writable, data):
    writable.apply(put(exemplar("a")))
    start = time.monotonic()
    with writable.db.atomic():
        writable.apply(put(exemplar("b")))
        with Catalogue.reading(data) as reader:
            assert (reader.revision, reader.counts()) == (1, (1, 1))
    assert time.monotonic() - start < 1
    with Catalogue.reading(data) as reader:
        assert reader.revision == 2


def test_readers_see_whole_revisions_only(writable, data):
    """Every revision has as many photographs as its number."""
    seen: list[tuple[int, int]] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            with Catalogue.reading(data) as reader:
                seen.append((reader.revision, reader.counts()[1]))

    thread = threading.Thread(target=read)
    thread.start()
    for number in range(40):
        writable.apply(put(exemplar(f"o{number}")))
    done.set()
    thread.join()
    assert len(seen) > 1 and all(revision == photos for revision, photos in seen)


# -- what cannot be used


def test_no_catalogue_says_what_to_do(tmp_path):
    with pytest.raises(CatalogueMissing, match="Run `artifact index FOLDER` first"), Catalogue.reading(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(CatalogueMissing, match="cannot make the folder"), Catalogue.writing(tmp_path / "file" / "data"):
        pass


@pytest.mark.parametrize("opening", [Catalogue.reading, Catalogue.writing])
def test_a_file_that_is_no_database(tmp_path, opening):
    (tmp_path / "catalogue.db").write_text("These are my notes. " * 500)
    with pytest.raises(CatalogueDamaged, match="is damaged or no catalogue"), opening(tmp_path):
        pass


@pytest.mark.parametrize("opening", [Catalogue.reading, Catalogue.writing])
@pytest.mark.parametrize("table", ["objects", "recipes"])
def test_the_database_of_another_program_is_left_as_it_is(tmp_path, opening, table):
    path = tmp_path / "catalogue.db"
    connection = sqlite3.connect(path)
    connection.execute(f"CREATE TABLE {table} (name TEXT)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(CatalogueDamaged, match="database of another program"), opening(tmp_path):
        pass
    assert path.read_bytes() == before


@pytest.mark.parametrize("share", [0.001, 0.3, 0.6, 0.9])
def test_a_truncated_database(tmp_path, data, share):
    index(make_folder(tmp_path / "photos", {f"{n}.png": n for n in range(60)}), data)
    path = data / "catalogue.db"
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(CatalogueDamaged) as caught, Catalogue.reading(data) as found:
        found.photos(), found.vectors(), list(found.objects()), found.thresholds()
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("opening", [Catalogue.reading, Catalogue.writing])
def test_a_database_of_a_newer_version(data, opening):
    with Catalogue.writing(data) as found:
        found.db["_sqlite_migrations"].insert(
            {"migration_set": "artifact", "name": "999_future", "applied_at": "2099-01-01"}
        )
    with pytest.raises(CatalogueDamaged, match="newer version of this program; update it"), opening(data):
        pass


# -- a data folder that cannot be written

READ = """
import os, sys
from pathlib import Path
from retrieval.catalogue.catalogue import Catalogue
from retrieval.errors import CatalogueBusy
from retrieval.catalogue.segmenting import open_segments
data = Path(sys.argv[1])
if os.geteuid() == 0:
    os.setgroups([])
    os.setresuid(65534, 65534, 65534)
assert not os.access(data, os.W_OK)
with Catalogue.reading(data) as found:
    print(found.revision, found.counts()[1], len(open_segments(found).vectors))
try:
    with Catalogue.writing(data):
        print("written")
except CatalogueBusy as error:
    print(error)
"""


@pytest.mark.parametrize("closed", [True, False], ids=["closed", "killed"])
def test_a_folder_that_may_not_be_written_is_read(tmp_path, closed):
    """As another user, since nothing is forbidden to root; with what a killed run left in its log."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        outer = Path(name)
        outer.chmod(0o755)
        data = outer / "data"
        folder = make_folder(tmp_path / "photos", {"a.png": 1, "b.png": 2})
        index(folder, data)
        with Catalogue.writing(data) as found:
            found.apply(Changes(gone=[1]))
            files = {path.name: path.read_bytes() for path in data.iterdir() if path.is_file()}
        if not closed:
            for file, content_then in files.items():
                (data / file).write_bytes(content_then)
            assert (data / "catalogue.db-wal").stat().st_size > 0
        before = sorted(path.name for path in data.iterdir())
        for path in data.iterdir():
            path.chmod(0o444 if path.is_file() else 0o555)
        data.chmod(0o555)
        try:
            result = subprocess.run(
                [sys.executable, "-c", READ, str(data)], cwd=ROOT, capture_output=True, text=True, check=False
            )
            if "ModuleNotFoundError" in result.stderr or "Operation not permitted" in result.stderr:
                pytest.skip("cannot become another user here")
            assert result.returncode == 0, result.stderr
            revision, refusal = result.stdout.splitlines()
            assert revision == "2 1 1"
            assert f"The catalogue in {data} cannot be written" in refusal
            assert sorted(path.name for path in data.iterdir()) == before
        finally:
            data.chmod(0o755)


def test_a_read_only_folder_is_opened_without_a_file_beside_the_database(writable, data, monkeypatch):
    writable.apply(put(exemplar("a")))
    monkeypatch.setattr(database.os, "access", lambda path, mode: mode != os.W_OK)
    with Catalogue.reading(data) as found:
        assert (found.revision, found.counts()) == (1, (1, 1))
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            found.db.conn.execute("DELETE FROM photos")
