"""What `index`, `status` and `screen` say of tables: how they were read, what raises an alarm, what changed."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from tests.conftest import index, make_folder
from tests.pictures import painting, write_paintings


def artifact(*arguments: object, code: int = 0) -> tuple[str, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, (result.output, result.exception)
    return result.stdout, result.stderr


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Path:
    """Three paintings with an export of a museum, indexed, and said what was said."""
    root = tmp_path_factory.mktemp("tables")
    write_paintings(root / "works", 3)
    text = "Inv.-Nr.;Titel;Objektstatus\n00;Meer;Gestohlen (2003)\n01;Berg;stollen\n02;Tal;im Haus\n"
    (root / "works/Liste.csv").write_bytes(text.encode("cp1252"))
    said = artifact("index", root / "works", "--data", root / "data")
    (root / "said.json").write_text(json.dumps(said))
    return root


def test_index_says_how_the_table_was_read_and_what_raises_an_alarm(world):
    out, err = json.loads((world / "said.json").read_text())
    assert "table: Liste.csv is read for what is known of the objects\n" in out
    assert "table: object_id = Inv.-Nr., title = Titel, status = Objektstatus\n" in out
    assert "alerts: 2 stolen\n" in out
    assert "  status of 01: 'stollen' is taken for 'stolen'\n" in err


def test_a_photograph_of_a_work_that_is_stolen_in_german_is_an_alert(world, tmp_path):
    painting(0).save(tmp_path / "x.jpg", quality=95)
    (tmp_path / "lots.csv").write_text("Position;Scan rechts\n12;X.JPG\n")
    arguments = ["screen", tmp_path / "lots.csv", "--data", world / "data", "--format", "jsonl"]
    assert "has no column of photographs; line 1 has 'Position', 'Scan rechts'" in artifact(*arguments, code=1)[1]
    out, err = artifact(*arguments, "--map", "photo=Scan rechts", "--map", "lot=position")
    record = json.loads(out)
    assert record["lot"] == {"lot": "12"} and record["works"][0]["status"] == "Gestohlen (2003)"
    assert "lots.csv: lot = Position, photo = Scan rechts" in err


def test_a_pair_that_is_none_is_refused_before_anything_is_done(tmp_path):
    write = make_folder(tmp_path / "works", {"a.jpg": 1})
    _, err = artifact("index", write, "--data", tmp_path / "data", "--map", "colour=Farbe", code=1)
    assert "--map 'colour=Farbe' is no FIELD=COLUMN; the fields are object_id, photo, title" in err
    assert not (tmp_path / "data").exists()


def test_status_says_what_changed_object_by_object(tmp_path):
    folder = make_folder(tmp_path / "works", {"a.jpg": 1, "b.jpg": 2})
    table = folder / "catalogue.csv"
    table.write_text("object_id,title,status\na,Sea,stolen\nb,Sky,not stolen\n")
    index(folder, tmp_path / "data")
    table.write_text("object_id,title,status\na,Lake,\nb,Sky,not stolen\n")
    index(folder, tmp_path / "data")
    out, _ = artifact("status", "--data", tmp_path / "data")
    assert (
        "metadata of 1 object changed in revision 2:\n  status of a: 'stolen' -> nothing\n  title of a: 'Sea' -> 'Lake'"
        in out
    )
    assert "status of b: 'not stolen' raises no alarm" in out and "alerts:" not in out
    found = json.loads(artifact("status", "--data", tmp_path / "data", "--format", "json")[0])
    assert found["alerts"] == {} and found["doubtful_statuses"] == {"b": "'not stolen' raises no alarm"}
    assert found["metadata_changes"][0] == {
        "revision": 2, "object_id": "a", "field": "status", "before": "stolen", "after": "",
    }  # fmt: skip
