"""`artifact status`: counts what a catalogue holds, and reads no list of all that it holds."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.runs.inspect import SKIPPED
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.changes import count_last_changes, last_changes
from retrieval.catalogue.lookups import alarming_objects
from retrieval.catalogue.rows import Changes
from retrieval.catalogue.standing import Register
from retrieval.catalogue.status_words import Status
from retrieval.catalogue.statuses import Statuses
from tests.conftest import exemplar

STATUSES = (
    "",
    "stolen",
    "Gestohlen",
    "in collection",
    "stolen; frame recovered",
    "known forgery",
    "known forgery?",
    "missing",
)
runner = CliRunner()


@pytest.fixture
def many(writable: Catalogue, data: Path) -> Path:
    """A catalogue of 80 objects in two folders, with statuses, changes of metadata and files that were left out."""
    ids = [f"K-{number:02d}" for number in range(80)]
    put = [exemplar(object_id, folder=f"/photos/{object_id[-1] > '4'}") for object_id in ids]
    metadata = {object_id: {"status": STATUSES[number % 8]} for number, object_id in enumerate(ids)}
    writable.apply(Changes(put=put, metadata={object_id: {"status": "", "title": "?"} for object_id in ids}))
    writable.apply(Changes(metadata={**metadata, "K-00": {"title": "Boats"}}))
    return data


def said(data: Path, *arguments: str) -> str:
    result = runner.invoke(app, ["status", "--data", str(data), *arguments])
    assert result.exit_code == 0, result.stderr
    return result.stdout


def test_it_says_what_a_register_of_all_objects_says(many):
    found = json.loads(said(many, "--format", "json"))
    with Catalogue.reading(many) as catalogue:
        register, folders = Register.of(catalogue.objects()), {photo.folder for photo in catalogue.photos()}
        assert found["alerts"] == {str(status): list(ids) for status, ids in register.alarms.items()}
        assert list(found["alerts"]) == ["stolen", "missing", "known forgery"] and len(found["alerts"]["stolen"]) == 30
        assert found["doubtful_statuses"] == register.doubts and list(found["doubtful_statuses"]) == [*register.doubts]
        assert found["folders"] == found["missing_folders"] == sorted(folders) and len(folders) == 2
        assert [item.object_id for item in alarming_objects(catalogue)] == sorted(
            object_id for ids in register.alarms.values() for object_id in ids
        )
    lines = said(many)
    assert "80 objects, 80 photographs; revision 2 in " in lines
    assert "alerts: 30 stolen, 10 missing, 10 known forgeries\n" in lines
    assert "  status of K-04: 'stolen; frame recovered' may be undone, but is taken for stolen\n" in lines
    assert "metadata of 80 objects changed in revision 2:\n  status of K-01: nothing -> 'stolen'\n" in lines
    assert (
        "  ... and 130 more; `artifact status --format json` has all\n" in lines
        and len(found["metadata_changes"]) == 150
    )


def test_nothing_asks_for_all_objects_or_photographs(many, monkeypatch):
    for name in ("objects", "photos"):
        monkeypatch.setattr(Catalogue, name, None)
    assert said(many) and said(many, "--format", "json")


def test_of_many_files_that_were_left_out_the_first_are_said(many, writable, tmp_path):
    writable.set_skipped(str(tmp_path), [(f"{number:05d}.jpg", "empty file") for number in range(SKIPPED + 12)])
    writable.set_skipped("/nowhere", [("a.jpg", "empty file")])
    lines = said(many).splitlines()
    assert f"left out by the last index: {SKIPPED + 12}" in lines
    assert lines[-2:] == [
        f"  {tmp_path}/{SKIPPED - 1:05d}.jpg: empty file",
        "  ... and 12 more; `artifact status --format json` has all",
    ]
    assert len(json.loads(said(many, "--format", "json"))["skipped"]) == SKIPPED + 12


def test_statuses_are_counted_by_how_they_are_written(many):
    with Catalogue.reading(many) as catalogue:
        statuses = Statuses.of(catalogue)
        assert statuses.alarming[Status.STOLEN] == ["Gestohlen", "stolen", "stolen; frame recovered"]
        assert statuses.doubtful == ["known forgery?", "stolen; frame recovered"]
        assert statuses.count(statuses.doubtful) == 20 and len(list(statuses.doubts(limit=3))) == 3
        assert statuses.alarms()[Status.KNOWN_FORGERY] == len(list(statuses.ids(Status.KNOWN_FORGERY))) == 10
        assert list(statuses.ids(Status.SOLD)) == []


def test_the_last_changes_come_statuses_first_and_are_counted(many, tmp_path):
    with Catalogue.reading(many) as catalogue:
        changes = list(last_changes(catalogue.db))
        assert count_last_changes(catalogue.db) == (2, 80, len(changes))
        fields = [change.field for change in changes]
        assert fields == sorted(fields, key=lambda field: field != "status") and {"status", "title"} == set(fields)
    with Catalogue.writing(tmp_path / "none") as catalogue:
        assert count_last_changes(catalogue.db) == (0, 0, 0) and list(last_changes(catalogue.db)) == []
