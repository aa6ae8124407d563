"""The command line: results, the JSON shape, exit codes, resuming, and one line for whatever goes wrong."""

import csv
import io
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from cli.main import app
from retrieval.catalogue.catalogue import Catalogue
from retrieval.comparing.network import default_description
from tests.pictures import painting

RECORD_KEYS = {"schema", "photo", "sha256", "works", "encoder", "revision", "calibration", "error", "verdicts"}
RECORD_KEYS |= {"lot", "claim", "same_as", "seen_before", "picture", "together"}
WORK_KEYS = {"region", "outcome", "reasons", "likelihood_ratio", "p_value", "matches"}
WORK_KEYS |= {"outline", "alert", "alert_certainty", "register_entry", "lead", "status", "forgery", "review"}
MATCH_KEYS = {"rank", "object_id", "exemplar", "distance", "match_threshold", "authenticity_threshold"}
MATCH_KEYS |= {
    "registration",
    "registration_reason",
    "divergence",
    "divergence_reason",
    "exemplar_away",
    "condition",
    "stability",
}
DIVERGENCE_KEYS = {"global", "local", "threshold", "combined", "combined_threshold", "detail", "closely"}
DIVERGENCE_KEYS |= {"conditions", "compared", "hidden", "places", "overlays"}
CSV_HEADER = [
    *("photo", "outcome", "object_id", "distance", "match_threshold", "authenticity_threshold"),
    *("local_distance", "local_threshold", "reasons", "sha256", "error"),
    *("combined_distance", "combined_threshold", "likelihood_ratio", "p_value"),
    *("priority", "alert", "status", "lot", "sale", "house", "claim", "claim_outcome", "maker", "url"),
    *("lot_columns", "same_as", "seen_before", "region", "picture"),
    *("decided_by", "deciding_distance", "deciding_threshold", "title", "review", "said"),
    *("alert_certainty", "alert_object", "register_entry", "lead"),
    *("together_outcome", "together_photos", "together_distance", "together_threshold", "together_reasons"),
]
runner = CliRunner()


def picture(seed: int, size: tuple[int, int] = (320, 260)) -> Image.Image:
    return painting(seed, size)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a catalogue of 22 objects, indexed into `data`, and four photographs in `incoming`."""
    world: Path = tmp_path_factory.mktemp("world")
    (world / "catalogue").mkdir()
    for number in range(22):
        picture(number).save(world / "catalogue" / f"K-{number:02d}.png")
    (world / "catalogue" / "catalogue.csv").write_text(
        "object_id,title,maker,provenance\nK-00,Ground <b>Zero</b>,Nobody,attic\nK-99,Not there,,\n", encoding="utf-8"
    )
    incoming = world / "incoming"
    (incoming / "sub").mkdir(parents=True)
    picture(0).save(incoming / "a genuine.jpg", quality=95)
    noise = np.random.default_rng(9).integers(0, 256, (300, 400, 3), np.uint8)
    Image.fromarray(noise).save(incoming / "sub" / "unknown.png")
    picture(1, (50, 40)).save(incoming / "thumbnail.png")
    (incoming / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no more")
    result = runner.invoke(app, ["index", str(world / "catalogue"), "--data", str(world / "data")])
    assert result.exit_code == 3, result.output  # a row of catalogue.csv names no object
    return world


def run(world: Path, *arguments: str, code: int = 0) -> str:
    result = runner.invoke(app, [*arguments, "--data", str(world / "data")])
    assert result.exit_code == code, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.stdout


def artifact(*arguments: str, **options: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments], capture_output=True, text=True, check=False, **options
    )  # type: ignore[call-overload,no-any-return]


def test_index_says_what_it_did_and_what_it_left_out(world: Path, tmp_path: Path) -> None:
    result = runner.invoke(app, ["index", str(world / "catalogue"), "--data", str(tmp_path)])
    assert "22 objects, 22 photographs; revision 1" in result.stdout
    assert "match         0." in result.stdout and "from 22 objects" in result.stdout
    assert "catalogue.csv line 3: there is no object K-99" in result.stderr
    assert result.exit_code == 3


def test_query_json_has_every_key_of_the_shape(world: Path) -> None:
    photo = world / "incoming" / "a genuine.jpg"
    found = json.loads(run(world, "query", str(photo), "--format", "json", "-k", "3"))
    assert set(found) == RECORD_KEYS
    assert found["schema"] == "artifact/1" and found["photo"] == str(photo) and found["error"] is None
    assert len(found["sha256"]) == 64 and found["revision"] == 1 and found["calibration"] is None
    (work,) = found["works"]
    assert set(work) == WORK_KEYS
    assert work["region"] == [0, 0, 320, 260] and work["outcome"] == "consistent"
    assert any(
        "provisional" in reason and f"{default_description().threshold.count} pairs" in reason
        for reason in work["reasons"]
    )
    assert [match["rank"] for match in work["matches"]] == [1, 2, 3]
    for match in work["matches"]:
        assert set(match) == MATCH_KEYS
        assert 0 <= match["distance"] <= 2 and 0 < match["match_threshold"] < 2
        assert 0 < match["authenticity_threshold"] < 2
    divergence = work["matches"][0]["divergence"]
    assert set(divergence) == DIVERGENCE_KEYS
    assert divergence["global"] == work["matches"][0]["distance"]
    assert divergence["local"] < divergence["threshold"] and divergence["compared"] > 0.7
    threshold = default_description().threshold.value
    assert divergence["local"] <= divergence["combined"] < divergence["combined_threshold"] == threshold
    assert 0.01 < divergence["detail"] < 0.05
    assert work["likelihood_ratio"] is None and work["p_value"] is None  # there is no calibration
    assert work["matches"][1]["divergence"] is None
    assert work["matches"][0]["object_id"] == "K-00"
    assert work["matches"][0]["exemplar"] == str((world / "catalogue" / "K-00.png").resolve())
    with Catalogue.reading(world / "data") as catalogue:
        encoder = catalogue.encoder
    assert encoder is not None and found["encoder"] == encoder.fingerprint


def test_query_table_is_for_people_and_fits_80_columns(world: Path) -> None:
    printed = run(world, "query", str(world / "incoming" / "a genuine.jpg"))
    header = next(line for line in printed.splitlines() if "rank" in line)
    assert header.split() == ["rank", "object", "title", "distance", "outcome"]
    assert "K-00" in printed and "Ground" in printed and "consistent" in printed
    table = printed[printed.index("rank") :]
    assert max(map(len, table.splitlines())) <= 80


def test_the_four_outcomes_of_a_screening(world: Path) -> None:
    printed = run(world, "screen", str(world / "incoming"), "--format", "jsonl", code=3)
    records = {Path(found["photo"]).name: found for found in map(json.loads, printed.splitlines())}
    assert all(set(found) == RECORD_KEYS for found in records.values())
    outcomes = {name: [work["outcome"] for work in found["works"]] for name, found in records.items()}
    assert outcomes == {
        "a genuine.jpg": ["consistent"],
        "unknown.png": ["no-match"],
        "thumbnail.png": ["inconclusive"],
        "broken.jpg": [],
    }
    assert "truncated" in records["broken.jpg"]["error"] or "damaged" in records["broken.jpg"]["error"]
    assert "50 x 40" in records["thumbnail.png"]["works"][0]["reasons"][0]
    numbers = [number for found in records.values() for number in found["verdicts"]]
    assert len(set(numbers)) == len(records) and all(isinstance(number, int) for number in numbers)


def test_query_and_screen_agree(world: Path) -> None:
    photo = str(world / "incoming" / "a genuine.jpg")
    one = json.loads(run(world, "query", photo, "--format", "json"))
    printed = run(world, "screen", str(world / "incoming"), "--format", "jsonl", code=3)
    screened = [json.loads(line) for line in printed.splitlines()]
    (number,) = one.pop("verdicts")
    assert number not in [later for found in screened for later in found.pop("verdicts")]
    assert one in screened


def test_screen_as_csv(world: Path) -> None:
    printed = run(world, "screen", str(world / "incoming"), "--format", "csv", code=3)
    assert printed.splitlines()[0].split(",") == CSV_HEADER
    rows = list(csv.DictReader(io.StringIO(printed)))
    assert [row["outcome"] for row in rows] == ["consistent", "unreadable", "inconclusive", "no-match"]
    assert rows[0]["object_id"] == "K-00" and 0 <= float(rows[0]["distance"]) <= 2 and rows[0]["match_threshold"]
    assert 0 <= float(rows[0]["local_distance"]) < float(rows[0]["local_threshold"]) and not rows[2]["local_distance"]
    combined, threshold = (float(rows[0][f"combined_{name}"]) for name in ("distance", "threshold"))
    assert float(rows[0]["local_distance"]) <= combined < threshold and not rows[2]["combined_distance"]
    assert not any(row[name] for row in rows for name in ("likelihood_ratio", "p_value"))
    assert rows[1]["error"] and not rows[1]["distance"] and not rows[1]["combined_distance"]


def test_screen_as_table_and_as_page(world: Path, tmp_path: Path) -> None:
    printed = run(world, "screen", str(world / "incoming"), code=3)
    assert printed.splitlines()[0].split() == ["outcome", "distance", "object", "photo"]
    outcomes = [line.split()[0] for line in printed.splitlines()[1:] if not line.startswith(" ")]
    assert outcomes[0] == "unreadable" and outcomes[-1] == "no-match"  # what needs a person first
    assert len(outcomes) == 4
    run(world, "screen", str(world / "incoming"), "--out", str(tmp_path / "page.html"), code=3)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.lstrip().lower().startswith("<!doctype html>") and "Ground &lt;b&gt;Zero" in page
    assert list(tmp_path.iterdir()) == [tmp_path / "page.html"]  # no journal is left over
    assert run(world, "screen", str(world / "incoming"), "--format", "html", code=3).lower().startswith("<!doctype")


@pytest.mark.slow
def test_exit_code_flags_only_when_asked(world: Path, tmp_path: Path) -> None:
    altered = picture(0)
    altered.paste(picture(7).resize((90, 80)), (110, 90))
    (tmp_path / "sub").mkdir()
    photo = tmp_path / "sub" / "altered.jpg"
    altered.save(photo, quality=95)
    assert "divergent" in run(world, "query", str(photo))
    run(world, "query", str(photo), "--exit-code", code=10)
    run(world, "screen", str(photo.parent), "--exit-code", code=10)
    run(world, "screen", str(photo.parent))


def test_results_go_to_stdout_and_the_rest_to_stderr(world: Path) -> None:
    arguments = ["screen", str(world / "incoming"), "--format", "jsonl", "--data", str(world / "data")]
    result = artifact(*arguments)
    assert result.returncode == 3
    assert all(json.loads(line)["schema"] == "artifact/1" for line in result.stdout.splitlines())
    assert result.stderr.splitlines() == ["4 works: 1 consistent, 1 inconclusive, 1 no-match, 1 unreadable"]


def test_data_comes_from_the_environment(world: Path) -> None:
    result = artifact("status", env=os.environ | {"ARTIFACT_DATA": str(world / "data")})
    assert result.returncode == 0 and "22 objects" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["query", "{incoming}/broken.jpg", "--data", "{data}"], 1, "broken.jpg"),
        (["query", "{incoming}/missing.jpg", "--data", "{data}"], 1, "missing.jpg"),
        (["query", "{incoming}", "--data", "{data}"], 1, "is a folder"),
        (["query", "{incoming}/thumbnail.png", "--data", "{nowhere}"], 1, "artifact index FOLDER"),
        (["screen", "{incoming}/missing", "--data", "{data}"], 1, "There is no folder"),
        (["index", "{incoming}/missing", "--data", "{nowhere}"], 1, "There is no folder"),
        (["index", "{nowhere_empty}", "--data", "{nowhere}"], 1, "no photograph"),
        (["show", "K-0", "--data", "{data}"], 1, "Did you mean K-0"),
        (["remove", "nobody", "--data", "{data}"], 1, "artifact list"),
        (["index", "{catalogue}", "--data", "{data}", "--encoder", "nowhere"], 1, "no encoder"),
        (["index", "{catalogue}", "--data", "{data}", "--precision", "bf16"], 1, "--data NEW_FOLDER"),
        (["query", "{incoming}/thumbnail.png", "--data", "{data}", "-k", "0"], 2, "-k"),
        (["frobnicate"], 2, "frobnicate"),
    ],
)
def test_what_goes_wrong_is_one_line(world: Path, tmp_path: Path, arguments: list[str], code: int, says: str) -> None:
    (tmp_path / "empty").mkdir()
    names = {name: world / name for name in ("incoming", "data", "catalogue")}
    names |= {"nowhere": tmp_path / "nowhere", "nowhere_empty": tmp_path / "empty"}
    result = artifact(*(argument.format(**names) for argument in arguments))
    assert result.returncode == code, result
    assert says in result.stderr and "Traceback" not in result.stderr
    assert not (tmp_path / "nowhere" / "catalogue.db").exists()
    if code == 1:
        assert len(result.stderr.splitlines()) == 1 and result.stderr.startswith("artifact: ")
        assert result.stdout == ""


def test_an_unreadable_photo_still_gives_machines_a_record(world: Path) -> None:
    printed = run(world, "query", str(world / "incoming" / "broken.jpg"), "--format", "json", code=1)
    found = json.loads(printed)
    assert set(found) == RECORD_KEYS and found["works"] == [] and found["error"]


def test_a_name_that_is_no_text_is_judged_and_recorded_all_the_same(world: Path, tmp_path: Path) -> None:
    photo = tmp_path / os.fsdecode(b"lot \xff.jpg")
    try:
        shutil.copy(world / "incoming" / "a genuine.jpg", photo)
    except OSError:
        pytest.skip("such a name cannot be given here")
    result = artifact("query", str(photo), "--data", str(world / "data"))
    assert result.returncode == 0, result.stderr
    assert "consistent" in result.stdout and "recorded as verdict" in result.stderr


def test_a_damaged_catalogue_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "catalogue.db").write_bytes(b"nothing of the kind" * 100)
    result = artifact("status", "--data", str(tmp_path))
    assert result.returncode == 1 and "damaged" in result.stderr and len(result.stderr.splitlines()) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_under_stdout_is_one_line(world: Path) -> None:
    command = [sys.executable, "-m", "cli.main", "list", "--format", "json", "--data", str(world / "data")]
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (
        result.returncode == 1
        and result.stderr == "artifact: standard output cannot be written: No space left on device\n"
    )


def test_a_reader_that_leaves_early_is_no_traceback(world: Path) -> None:
    command = f"{sys.executable} -m cli.main list --format json --data '{world / 'data'}' | head -c 10"
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert len(result.stdout) == 10 and "Traceback" not in result.stderr


def test_status_list_show(world: Path) -> None:
    status = json.loads(run(world, "status", "--format", "json"))
    assert status["objects"] == 22 and status["thresholds"]["match"]["count"] == 22
    assert any("line 3" in item["file"] for item in status["skipped"])
    assert status["calibrations"] == []
    printed = run(world, "status")
    assert "22 objects" in printed and "no calibration; `artifact calibrate` sets thresholds" in printed
    listed = json.loads(run(world, "list", "--format", "json"))
    assert len(listed) == 22 and listed[0]["metadata"]["provenance"] == "attic"
    assert "K-21" in run(world, "list")
    searched = json.loads(run(world, "list", "--search", "k-2", "--format", "json"))
    assert searched == [item for item in listed if item["object_id"].startswith("K-2")]
    assert "K-21" in run(world, "list", "--search", "K-21") and "K-20" not in run(world, "list", "--search", "K-21")
    shown = run(world, "show", "K-00")
    assert "maker: Nobody" in shown and "provenance: attic" in shown and "K-00.png (320 x 260)" in shown
    assert json.loads(run(world, "show", "K-00", "--format", "json"))["exemplars"][0]["role"] == "exemplar"


def test_remove_then_index_brings_it_back(world: Path, tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    shutil.copytree(world / "data", data)
    result = runner.invoke(app, ["remove", "K-07", "--data", data])
    assert result.exit_code == 0 and "removed K-07" in result.stdout and "stays on disk" in result.stderr
    assert "K-07" not in runner.invoke(app, ["list", "--data", data]).stdout
    photo = str(world / "catalogue" / "K-07.png")
    found = json.loads(runner.invoke(app, ["query", photo, "--data", data, "--format", "json"]).stdout)
    assert "K-07" not in [match["object_id"] for match in found["works"][0]["matches"]]
    again = runner.invoke(app, ["index", str(world / "catalogue"), "--data", data])
    assert "22 objects" in again.stdout and "(1 encoded" in again.stdout


def test_check_repairs_what_is_derived(world: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(world / "data", data)
    assert runner.invoke(app, ["check", "--data", str(data)]).exit_code == 0
    (data / "vectors-1.faiss").write_bytes(b"rubbish")
    result = runner.invoke(app, ["check", "--data", str(data), "--format", "json"])
    assert result.exit_code == 0 and "vectors-1.faiss" in json.loads(result.stdout)["repaired"][0]
    assert json.loads(runner.invoke(app, ["check", "--data", str(data), "--format", "json"]).stdout)["repaired"] == []


@pytest.fixture(scope="module")
def calibrated(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same catalogue, calibrated by `artifact calibrate`."""
    other: Path = tmp_path_factory.mktemp("calibrated")
    shutil.copytree(world / "data", other / "data")
    printed = run(other, "calibrate")
    assert printed.startswith("calibration 1 of 20") and "22 simulated re-photographs" in printed
    return other


def test_a_calibrated_catalogue_judges_by_its_calibration_and_says_so(world: Path, calibrated: Path) -> None:
    photo = str(world / "incoming" / "a genuine.jpg")
    found = json.loads(run(calibrated, "query", photo, "--format", "json"))
    assert set(found) == RECORD_KEYS and found["calibration"] == 1
    (work,) = found["works"]
    assert set(work) == WORK_KEYS and set(work["matches"][0]["divergence"]) == DIVERGENCE_KEYS
    assert work["outcome"] == "consistent" and work["likelihood_ratio"] is None and 0 < work["p_value"] <= 1
    reasons = "; ".join(work["reasons"])
    assert "calibration 1 of 20" in reasons and "p-value" in reasons and "provisional" not in reasons
    with Catalogue.reading(calibrated / "data") as catalogue:
        kept = catalogue.calibration()
    assert kept is not None and kept.number == 1 and kept.thresholds.combined is not None
    assert f"from {kept.thresholds.combined.count} objects, out of 22 simulated re-photographs" in reasons
    match = work["matches"][0]
    for shown, threshold in (
        (match["divergence"]["combined_threshold"], kept.thresholds.combined),
        (match["match_threshold"], kept.thresholds.match),
        (match["authenticity_threshold"], kept.thresholds.authenticity),
    ):
        assert threshold is not None and shown == round(threshold.value, 6)  # type: ignore[arg-type]
    printed = run(calibrated, "screen", str(world / "incoming"), "--format", "csv", code=3)
    rows = list(csv.DictReader(io.StringIO(printed)))
    assert float(rows[0]["p_value"]) == work["p_value"] and not rows[0]["likelihood_ratio"]
    assert [bool(row["p_value"]) for row in rows] == [True, False, False, False]  # nor for an unknown work


def test_status_says_what_the_calibration_promises_and_when_it_is_out_of_date(calibrated: Path) -> None:
    (listed,) = json.loads(run(calibrated, "status", "--format", "json"))["calibrations"]
    assert listed["number"] == 1 and listed["sources"] == {"labelled": 0, "exemplars": 0, "simulated": 22}
    printed = run(calibrated, "status")
    assert "calibration 1 of 20" in printed and "out of date" not in printed and "no calibration" not in printed
    with Catalogue.writing(calibrated / "data") as catalogue:
        first = catalogue.calibration()
        assert first is not None
        catalogue.add_calibration(replace(first, objects=40))
    printed = run(calibrated, "status")
    assert "calibration 2 of 20" in printed and "calibration 1 of" not in printed
    assert (
        "calibration out of date: the catalogue had 40 objects then and has 22 now; run `artifact calibrate` again"
    ) in printed
    numbers = [item["number"] for item in json.loads(run(calibrated, "status", "--format", "json"))["calibrations"]]
    assert numbers == [2, 1]


def kept(journal: Path) -> int:
    """Return how many records a journal holds."""
    with suppress(sqlite3.Error), sqlite3.connect(f"{journal.as_uri()}?mode=ro", uri=True) as database:
        return int(database.execute("SELECT count(*) FROM records").fetchone()[0])
    return 0


@pytest.mark.slow
def test_a_screening_killed_midway_goes_on(world: Path, tmp_path: Path) -> None:
    incoming = tmp_path / "incoming"
    incoming.mkdir()
    for number in range(60):
        picture(number % 22, (900, 700)).save(incoming / f"lot-{number:03d}.png")
    time.sleep(0.02)
    out = tmp_path / "day.jsonl"
    command = [sys.executable, "-m", "cli.main", "screen", str(incoming), "--data", str(world / "data"), "-o", str(out)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    journal = tmp_path / "day.jsonl.part"
    while process.poll() is None and kept(journal) < 5:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert journal.exists() and not out.exists()
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "going on after" in result.stderr
    photos = [json.loads(line)["photo"] for line in out.read_text().splitlines()]
    assert sorted(photos) == sorted(map(str, incoming.iterdir())) and len(set(photos)) == 60
    assert not journal.exists()


@pytest.mark.slow
def test_interrupting_keeps_what_was_done(world: Path, tmp_path: Path) -> None:
    for number in range(200):
        picture(number, (700, 600)).save(tmp_path / f"{number}.png", compress_level=1)
    out = tmp_path / "day.csv"
    command = [sys.executable, "-m", "cli.main", "screen", str(tmp_path), "--data", str(world / "data"), "-o", str(out)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not out.with_name("day.csv.part").exists():
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate()
    assert process.returncode == 130 and len(stderr.splitlines()) == 1 and "interrupted" in stderr


@pytest.mark.parametrize("while_making_a_class", [False, True])
def test_ctrl_c_before_anything_is_loaded_is_a_line(tmp_path: Path, while_making_a_class: bool) -> None:
    raising = "    def __set_name__(self, *_): raise KeyboardInterrupt\n"
    text = f"class A:\n{raising}class B:\n    a = A()\n" if while_making_a_class else "raise KeyboardInterrupt"
    (tmp_path / "typer.py").write_text(text)
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from cli.start import main; main()"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (130, "artifact: interrupted; nothing was begun\n")
    (tmp_path / "typer.py").write_text("raise RuntimeError('odd')")
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "RuntimeError: odd" in result.stderr


def test_help_has_examples_for_every_command() -> None:
    names = [command.name or command.callback.__name__ for command in app.registered_commands if command.callback]
    assert len(names) == 21
    for name in names:
        printed = runner.invoke(app, [name, "--help"]).stdout
        assert f"artifact {name}" in printed and "Example" in printed
        assert max(map(len, printed.splitlines())) <= 80


def test_completion_knows_the_objects(world: Path) -> None:
    environment = {"_ARTIFACT_COMPLETE": "complete_bash", "COMP_WORDS": "artifact show K-0", "COMP_CWORD": "2"}
    environment["ARTIFACT_DATA"] = str(world / "data")
    script = "import sys; sys.argv = ['artifact']; from cli.main import app; app(prog_name='artifact')"
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, env=os.environ | environment
    )
    assert result.stdout.split() == [f"K-0{number}" for number in range(10)]
