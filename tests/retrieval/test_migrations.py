"""Old catalogues are read: each step of the schema on rows of the version before it."""

import json
import sqlite3
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sqlite_utils import Database

from indexer.building.preview import preview_catalogue
from indexer.building.reading import AS_BEFORE
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.folder_settings import folder_settings, keep_folder_settings
from retrieval.catalogue.migrations import MIGRATIONS
from retrieval.catalogue.rows import Changes, Content, EncoderRecord
from retrieval.errors import CatalogueBusy
from retrieval.photographs.features import Features, extract_features
from retrieval.verdicts.log import VerdictLog, features_seen
from retrieval.verdicts.migrations import VERDICTS
from retrieval.verdicts.reviews import reviews
from tests.conftest import (
    BERLIN,
    DIM,
    TINY,
    data_files,
    described,
    encoded,
    exemplar,
    index,
    make_folder,
    state,
    tiny_encoder,
    unit,
)
from tests.pictures import SIZE, painting
from tests.retrieval.test_catalogue import calibration

NAMES = [
    "001_catalogue",
    "002_thresholds",
    "003_features",
    "004_calibrations",
    "005_folder_settings",
    "006_dates_in_utc",
    "007_search",
    "008_history_of_objects",
    "009_coded_features",
    "010_notes_of_derived_files",
    "011_segments",
    "012_lookups",
    "013_status_changes",
]
VECTOR = unit(np.arange(1.0, DIM + 1))


def old_database(data: Path, *, stop_before: str) -> Database:
    data.mkdir()
    found = Database(sqlite3.connect(data / "catalogue.db"))
    MIGRATIONS.apply(found, stop_before=stop_before)
    return found


def fill_first_version(found: Database) -> None:
    encoder = f'{{"spec": "tiny", "fingerprint": "{TINY}", "precision": "fp32", "dim": {DIM}}}'
    with found.conn:
        found.conn.executemany("INSERT INTO settings VALUES (?, ?)", [("encoder", encoder), ("revision", "7")])
        found.conn.execute("INSERT INTO objects (object_id, title, other) VALUES ('a', 'A', '{\"Raum\": \"12\"}')")
        found.conn.execute("INSERT INTO objects (object_id) VALUES ('b')")
        for row in [("a", "a.jpg", "s1"), ("b", "b.jpg", "s2")]:
            found.conn.execute(
                """INSERT INTO photos (object_id, folder, path, sha256, bytes, modified_ns, width, height, role)
                   VALUES (?, '/photos', ?, ?, 5, 6, 30, 40, 'exemplar')""",
                row,
            )
        for sha256 in ("s1", "s2"):
            found.conn.execute("INSERT INTO vectors VALUES (?, ?, 5, 30, 40, ?)", (sha256, TINY, VECTOR.tobytes()))
        found.conn.execute("INSERT INTO skipped VALUES ('/photos', 'bad.jpg', 'empty file')")


def test_steps_are_numbered_and_none_is_forgotten_here():
    found = Database(memory=True)
    MIGRATIONS.apply(found)
    assert [step.name for step in MIGRATIONS.applied(found)] == NAMES
    assert sorted(NAMES) == NAMES


def test_steps_run_once(data):
    for _ in range(3):
        with Catalogue.writing(data) as found:
            assert [step.name for step in MIGRATIONS.applied(found.db)] == NAMES


@pytest.mark.parametrize("opening", [Catalogue.reading, Catalogue.writing])
def test_a_catalogue_of_the_first_version_is_read_whole(data, opening):
    old = old_database(data, stop_before="002_thresholds")
    assert {"rephotographs", "thresholds"}.isdisjoint(old.table_names())
    fill_first_version(old)
    old.close()
    with opening(data) as found:
        assert (found.revision, found.encoder) == (7, EncoderRecord("tiny", TINY, "fp32", DIM))
        assert [(item.object_id, item.metadata, item.photos) for item in found.objects()] == [
            ("a", {"title": "A", "Raum": "12"}, 1),
            ("b", {}, 1),
        ]
        sizes = {"bytes": 5, "modified_ns": 6, "width": 30, "height": 40}
        assert found.photos() == [
            exemplar("a", sha256="s1", photo_id=1, **sizes),
            exemplar("b", sha256="s2", photo_id=2, **sizes),
        ]
        ids, vectors = found.vectors()
        assert ids.tolist() == [1, 2] and vectors.tobytes() == 2 * VECTOR.tobytes()
        assert encoded(found)["s1"] == Content("s1", 5, 30, 40)
        assert list(found.skipped()) == [("/photos/bad.jpg", "empty file")]
        assert found.thresholds() is None
        assert found.rephotographs(TINY, 1) == {}
        assert found.calibrations() == [] and found.calibration() is None


def test_a_catalogue_of_the_first_version_can_be_written_on(data):
    old = old_database(data, stop_before="002_thresholds")
    fill_first_version(old)
    old.close()
    with Catalogue.writing(data) as found:
        assert found.apply(Changes(gone=[1])) == 8
        assert [item.object_id for item in found.objects()] == ["b"]


def test_an_index_run_completes_a_catalogue_of_the_first_version_without_encoding(tmp_path, data):
    folder = make_folder(tmp_path / "photos", {f"{n}.png": n for n in range(20)})
    index(folder, tmp_path / "fresh")
    fresh = state(tmp_path / "fresh")
    index(folder, data)
    with Catalogue.writing(data) as found:
        for table in ("rephotographs", "thresholds"):
            found.db[table].drop()
        found.db.conn.execute("DELETE FROM _sqlite_migrations WHERE name = '002_thresholds'")
        found.db.conn.commit()
    report = index(folder, data)
    assert (report.encoded, report.revision) == (0, 1)
    assert state(data) == fresh
    assert fresh["thresholds"].match.value is not None


def forget_step_003(data: Path) -> None:
    """Make a catalogue what it was before features were kept."""
    with Catalogue.writing(data) as found:
        found.db["features"].drop()
        found.db.conn.execute("DELETE FROM _sqlite_migrations WHERE name = '003_features'")
        found.db.conn.commit()


def test_a_dry_run_leaves_an_older_catalogue_as_it_is_and_says_so(tmp_path, data):
    folder = make_folder(tmp_path / "photos", {"a.png": 1})
    index(folder, data)
    forget_step_003(data)
    before = data_files(data)
    with pytest.raises(
        CatalogueBusy, match=r"earlier version, and --dry-run changes nothing\. `artifact status` brings"
    ):
        preview_catalogue(folder, data, AS_BEFORE)
    assert data_files(data) == before
    with Catalogue.reading(data):
        pass
    assert preview_catalogue(folder, data, AS_BEFORE).to_encode == 0


def test_an_index_run_finds_the_features_that_an_older_catalogue_lacks_without_encoding(tmp_path, data):
    folder = make_folder(tmp_path / "photos", {f"{n}.png": n for n in range(20)})
    index(folder, data)
    complete = state(data)
    assert len(complete["features"]) == 20
    forget_step_003(data)
    with Catalogue.reading(data) as found:
        assert described(found) == set() and found.revision == 1
        assert found.features(photo.sha256 for photo in found.photos()) == {}
    encoder, seen = tiny_encoder(), []
    report = index(folder, data, encoder=encoder, on_progress=lambda done, total: seen.append((done, total)))
    assert (report.encoded, report.revision, encoder.engine.encoded) == (0, 1, 0)
    assert seen == [(number, 20) for number in range(1, 21)]
    assert state(data) == complete
    assert index(folder, data, on_progress=lambda done, total: seen.append("again")).encoded == 0
    assert "again" not in seen


def test_features_of_another_version_are_found_anew(tmp_path, data):
    folder = make_folder(tmp_path / "photos", {f"{n}.png": n for n in range(3)})
    index(folder, data)
    complete = state(data)
    with Catalogue.writing(data) as found:
        found.db.execute("UPDATE features SET version = version - 1, features = x'00'")
        found.db.conn.commit()
        assert described(found) == set() and found.features([row[0] for row in complete["features"]]) == {}
    assert index(folder, data).encoded == 0
    assert state(data) == complete


def whole(features: Features) -> bytes:
    """Return features as version 1 stored them."""
    header = struct.pack("<III", len(features), *features.size)
    return header + features.points.astype("<f4").tobytes() + features.descriptors.tobytes()


def test_whole_descriptors_are_coded_without_their_photographs(data):
    kept = {"s1": extract_features(painting(1), SIZE), "s2": extract_features(Image.new("RGB", (40, 40)), (40, 40))}
    old = old_database(data, stop_before="009_coded_features")
    fill_first_version(old)
    rows = [(sha256, 1, whole(item)) for sha256, item in kept.items()] + [("s3", 1, b"damaged"), ("s4", 0, b"")]
    with old.conn:
        old.conn.executemany("INSERT INTO features VALUES (?, ?, ?)", rows)
    old.close()
    with Catalogue.reading(data) as found:
        assert dict(found.db.execute("SELECT sha256, version FROM features")) == {"s1": 2, "s2": 2, "s3": 1, "s4": 0}
        (first, coded), (second, empty) = found.features(["s1", "s2", "s3"]).items()
        assert (first, second, len(empty)) == ("s1", "s2", 0)
        assert coded.to_bytes()[:12] == kept["s1"].to_bytes()[:12] and len(coded) > 100
        assert len(coded) > 0
    with Catalogue.writing(data) as found:
        row = found.db.execute("SELECT features FROM features WHERE sha256 = 's1'").fetchone()
        assert row[0] == kept["s1"].to_bytes()


def test_what_the_codes_save_is_given_back_and_said(data, caplog):
    kept = whole(extract_features(painting(1), SIZE))
    old = old_database(data, stop_before="009_coded_features")
    with old.conn:
        old.conn.executemany("INSERT INTO features VALUES (?, ?, ?)", [(f"s{n}", 1, kept) for n in range(1001)])
    old.close()
    before = (data / "catalogue.db").stat().st_size
    with Catalogue.writing(data) as found:
        assert len(described(found)) == 1001
    assert (data / "catalogue.db").stat().st_size < before / 3
    assert "The features of 1001 photographs are brought to the form of this version" in caplog.text


def test_a_catalogue_that_is_read_meanwhile_is_brought_up_to_date_all_the_same(data):
    kept = whole(extract_features(painting(1), SIZE))
    old = old_database(data, stop_before="009_coded_features")
    with old.conn:
        old.conn.executemany("INSERT INTO features VALUES (?, ?, ?)", [(f"s{n}", 1, kept) for n in range(9)])
    other = sqlite3.connect(data / "catalogue.db")
    other.execute("PRAGMA journal_mode = WAL")
    other.execute("BEGIN")
    assert other.execute("SELECT count(*) FROM features").fetchone() == (9,)
    with Catalogue.reading(data) as found:
        assert len(described(found)) == 9
    other.close()
    old.close()


def test_works_seen_before_are_coded_in_the_log(data):
    seen = extract_features(painting(1), SIZE)
    data.mkdir()
    old = Database(sqlite3.connect(data / "verdicts.db"))
    VERDICTS.apply(old, stop_before="013_coded_features")
    row = {"date": "2026-01-02T03:04:05+00:00", "photo": "/lots/1.jpg", "encoder": TINY, "revision": 7}
    old["verdicts"].insert(row | {"outcome": "no-match", "reasons": "[]"})
    old["sightings"].insert({"verdict": 1, "encoder": TINY, "vector": b"", "version": 1, "features": whole(seen)})
    old.close()
    with VerdictLog.opened(data):
        pass
    assert features_seen(data, [1])[1].to_bytes()[:12] == seen.to_bytes()[:12]


@pytest.mark.parametrize("opening", [Catalogue.reading, Catalogue.writing])
def test_a_catalogue_without_calibrations_is_read_whole_and_can_be_calibrated(tmp_path, data, opening):
    index(make_folder(tmp_path / "photos", {f"{n}.png": n for n in range(20)}), data)
    before = state(data)
    with Catalogue.writing(data) as found:
        found.db["calibrations"].drop()
        found.db.conn.execute("DELETE FROM _sqlite_migrations WHERE name = '004_calibrations'")
        found.db.conn.commit()
    with opening(data) as found:
        assert found.calibration() is None and found.calibration(1) is None and found.calibrations() == []
        assert found.revision == 1 and found.counts() == (20, 20)
    assert state(data) == before and before["thresholds"].match.value is not None
    with Catalogue.writing(data) as found:
        assert found.add_calibration(calibration()).number == 1
        assert sorted(step.name for step in MIGRATIONS.applied(found.db)) == NAMES
    assert state(data) == before


def test_a_new_catalogue_has_the_same_schema_as_one_that_came_by_single_steps(tmp_path, data):
    old = old_database(data, stop_before="004_calibrations")
    assert "calibrations" not in old.table_names()
    old.close()
    with Catalogue.writing(data) as stepped, Catalogue.writing(tmp_path / "new") as fresh:
        assert sorted(stepped.db.schema.split(";")) == sorted(fresh.db.schema.split(";"))


def test_a_catalogue_that_kept_nothing_of_its_folders_is_read_and_keeps_it_from_then_on(data):
    old = old_database(data, stop_before="005_folder_settings")
    fill_first_version(old)
    old.close()
    with Catalogue.writing(data) as found:
        assert folder_settings(found.db, "/photos") == {} and found.counts() == (2, 2)
        keep_folder_settings(found.db, "/photos", {"table": "tms.csv"})
        assert folder_settings(found.db, "/photos") == {"table": "tms.csv"}


VERDICT_NAMES = [
    "001_verdicts",
    "002_lots_and_reviews",
    "003_sightings",
    "004_dates_in_utc",
    "005_pictures",
    "006_conditions",
    "007_comparisons",
    "008_alerts",
    "009_rechecked",
    "010_together",
    "011_withdrawals",
    "012_waiting",
    "013_coded_features",
]


def old_log(data: Path) -> None:
    """Make a log of verdicts of the first version, with one verdict."""
    data.mkdir()
    found = Database(sqlite3.connect(data / "verdicts.db"))
    VERDICTS.apply(found, stop_before="002_lots_and_reviews")
    assert "reviews" not in found.table_names()
    row = {"date": "2026-01-02T03:04:05+00:00", "photo": "/lots/1.jpg", "encoder": TINY, "revision": 7}
    found["verdicts"].insert(row | {"outcome": "no-match", "region": "[1, 2, 3, 4]", "reasons": json.dumps(["far"])})
    found.close()


def read_log(data: Path) -> tuple:
    with VerdictLog.reading(data) as log:
        (item,) = log.entries()
        assert log.entry(1) == item
        return [step.name for step in VERDICTS.applied(log.db)], item


def test_a_log_of_the_first_version_is_completed_once_and_read_whole(data):
    old_log(data)
    for _ in range(2):
        names, item = read_log(data)
        assert names == VERDICT_NAMES == sorted(VERDICT_NAMES)
        assert (item.number, item.region, item.reasons, item.lot, item.alert) == (1, (1, 2, 3, 4), ("far",), None, None)


def test_a_log_of_the_first_version_that_cannot_be_written_is_read_as_it_is(data, monkeypatch):
    old_log(data)
    monkeypatch.setattr("os.access", lambda path, mode: False)
    names, item = read_log(data)
    assert names == VERDICT_NAMES[:1]
    assert (item.number, item.photo, item.lot, item.alert) == (1, "/lots/1.jpg", None, None)


def test_a_new_log_has_the_same_schema_as_one_that_came_by_single_steps(tmp_path, data):
    old_log(data)
    with VerdictLog.opened(data) as stepped:
        (tmp_path / "new").mkdir()
        with VerdictLog.opened(tmp_path / "new") as fresh:
            assert sorted(stepped.db.schema.split(";")) == sorted(fresh.db.schema.split(";"))


OLD_DATES = {  # as they were kept -> as they are kept now
    "2026-10-25T02:30:00+02:00": "2026-10-25T00:30:00+00:00",  # the first half past two of that night
    "2026-10-25T02:30:00+01:00": "2026-10-25T01:30:00+00:00",  # the second
    "2026-07-01T09:00:00": "2026-07-01T07:00:00+00:00",  # of this machine
    "2026-07-01T03:00:00-04:00": "2026-07-01T07:00:00+00:00",
    "2026-07-01T07:00:00Z": "2026-07-01T07:00:00+00:00",
    "some day": "some day",
}


def test_the_dates_of_an_old_log_and_its_reviews_come_to_utc(data, zone):
    zone(BERLIN)
    data.mkdir()
    found = Database(sqlite3.connect(data / "verdicts.db"))
    VERDICTS.apply(found, stop_before="004_dates_in_utc")
    row = {"photo": "/lots/1.jpg", "encoder": TINY, "revision": 7, "outcome": "no-match", "reasons": "[]"}
    review = {"verdict": 1, "name": "J. Doe", "decision": "accept", "outcome": "no-match", "reason": ""}
    found["verdicts"].insert_all({"date": date, **row} for date in OLD_DATES)
    found["reviews"].insert_all({"date": date, **review} for date in OLD_DATES)
    found.close()
    with VerdictLog.reading(data) as log:
        assert [item.date for item in reversed(log.entries())] == list(OLD_DATES.values())
        assert [item.date for item in reviews(log)] == list(OLD_DATES.values())
        with pytest.raises(sqlite3.IntegrityError, match="a review is never changed"):
            log.db.execute("UPDATE reviews SET date = ''")
        night, noon = "2026-10-25T01:00:00+00:00", {"object_ids": (), "seen": (1, 2, 3, 4, 5)}
        assert [item.number for item in log.earlier(None, before=night, **noon)] == [5, 4, 3, 1]


def test_the_date_of_an_old_calibration_comes_to_utc_and_nothing_else_of_it_changes(data):
    found = old_database(data, stop_before="006_dates_in_utc")
    old = calibration()
    body = json.dumps(old.as_dict())
    found["calibrations"].insert({"date": old.date, "fingerprint": TINY, "revision": 1, "body": body})
    found.close()
    with Catalogue.reading(data) as catalogue:
        moment = "2031-05-06T05:08:09+00:00"
        assert catalogue.calibrations() == [replace(old, date=moment, number=1)]
        assert catalogue.db.execute("SELECT date FROM calibrations").fetchall() == [(moment,)]


@pytest.mark.parametrize("store", ["milvus://127.0.0.1:19530/one", "files", None])
def test_what_a_store_has_of_objects_with_a_status_is_put_again_with_it(data, store):
    old = old_database(data, stop_before="013_status_changes")
    fill_first_version(old)
    with old.conn:
        old.conn.execute("UPDATE objects SET status = 'stolen' WHERE object_id = 'b'")
        if store:
            old.conn.execute("INSERT INTO settings VALUES ('store', ?)", [store])
    old.close()
    with Catalogue.writing(data) as catalogue:
        noted = catalogue.db.execute("SELECT sha256 FROM status_changes").fetchall()
    assert noted == ([("s2",)] if store and store != "files" else [])


def test_whoever_changes_a_status_has_it_noted(data):
    old = old_database(data, stop_before="013_status_changes")
    fill_first_version(old)
    MIGRATIONS.apply(old)

    def noted(sql: str) -> list[str]:
        old.conn.execute("DELETE FROM status_changes")
        old.conn.execute(sql)
        return [sha256 for (sha256,) in old.conn.execute("SELECT sha256 FROM status_changes")]

    assert noted("UPDATE objects SET title = 'B', status = NULL") == []
    assert noted("UPDATE objects SET status = 'stolen' WHERE object_id = 'a'") == ["s1"]
    assert noted("UPDATE photos SET bytes = 7, sha256 = sha256, object_id = object_id") == []
    assert noted("UPDATE photos SET sha256 = 's3' WHERE object_id = 'a'") == ["s1", "s3"]
    assert noted("UPDATE photos SET object_id = 'a' WHERE object_id = 'b'") == ["s2"]
    assert noted("DELETE FROM photos WHERE sha256 = 's2'") == ["s2"]
    values = "'/photos', 'c.jpg', 's4', 5, 6, 30, 40, 'exemplar'"
    columns = "object_id, folder, path, sha256, bytes, modified_ns, width, height, role"
    assert noted(f"INSERT INTO photos ({columns}) VALUES ('b', {values})") == []
    assert noted("DELETE FROM photos WHERE sha256 = 's4'") == []
    assert noted(f"INSERT INTO photos ({columns}) VALUES ('a', {values})") == ["s4"]
    old.close()
