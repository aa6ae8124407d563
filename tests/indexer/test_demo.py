"""The demonstration holds what its tables say, and overwrites nobody's files."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from indexer.demo import Demo, paint_demo
from indexer.demo.folder import COLUMNS, THUMBNAIL, object_id, plan_probes
from retrieval.errors import ArtifactError

WORKS = 4


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return paint_demo(tmp_path_factory.mktemp("demo"), works=WORKS)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_every_probe_is_in_the_truth_and_every_object_in_the_catalogue(demo: Demo) -> None:
    truth, catalogue = rows(demo.truth), rows(demo.catalogue / "catalogue.csv")
    ids = [row["object_id"] for row in catalogue]
    assert ids == [object_id(work) for work in range(WORKS)]
    assert tuple(catalogue[0]) == COLUMNS and all(all(row.values()) for row in catalogue)
    assert {row["photo"] for row in truth} == {path.name for path in demo.incoming.iterdir()}
    assert {row["object_id"] for row in truth} <= {*ids, ""}
    assert all((row["expected"] == "no-match") == (row["object_id"] == "") for row in truth)
    assert {row["expected"] for row in truth} == {"consistent", "divergent", "no-match", "inconclusive"}


def test_every_object_has_its_exemplars(demo: Demo) -> None:
    for row in rows(demo.catalogue / "catalogue.csv"):
        single, folder = demo.catalogue / f"{row['object_id']}.jpg", demo.catalogue / row["object_id"]
        assert single.exists() != folder.exists()
        assert single.exists() or len(list(folder.glob("*.jpg"))) == 2
    assert (demo.catalogue / object_id(3)).is_dir()


def test_only_the_thumbnail_is_tiny(demo: Demo) -> None:
    for row in rows(demo.truth):
        with Image.open(demo.incoming / row["photo"]) as photo:
            assert photo.mode == "RGB"
            assert (photo.width == THUMBNAIL) == (row["expected"] == "inconclusive")


def test_the_full_plan_counts_and_hides_the_answers() -> None:
    probes = plan_probes(40)
    kinds = [probe.kind for probe in probes]
    assert [kinds.count(k) for k in ("genuine", "copy", "thumbnail")] == [12, 6, 1] and len(probes) == 21
    assert kinds != sorted(kinds) and len({probe.seed for probe in probes}) == 21
    works = [probe.work for probe in probes if probe.work is not None]
    assert len(set(works)) == len(works)


def test_a_second_run_gives_the_same_bytes_and_reports_progress(demo: Demo) -> None:
    before, seen = contents(demo.truth.parent), []
    assert paint_demo(demo.truth.parent, works=WORKS, on_progress=lambda *step: seen.append(step)) == demo
    assert contents(demo.truth.parent) == before
    total = WORKS + len(rows(demo.truth))
    assert seen == [(done, total) for done in range(1, total + 1)]


@pytest.mark.parametrize("name", ["holiday.jpg", "catalogue/catalogue.csv", "truth.csv"])
def test_a_folder_with_other_files_is_refused_and_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    with pytest.raises(ArtifactError, match="empty folder"):
        paint_demo(tmp_path, works=1)
    assert contents(tmp_path) == {name: b"mine"}


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "demo").write_text("mine")
    with pytest.raises(ArtifactError, match="empty folder"):
        paint_demo(tmp_path / "demo", works=1)


@pytest.mark.slow
def test_the_program_says_what_the_truth_says_and_no_copy_lies_on_a_hair(tmp_path: Path) -> None:
    def artifact(*arguments: str) -> str:
        command = [sys.executable, "-m", "cli.main", *arguments, "--data", str(tmp_path / "data")]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    demo = paint_demo(tmp_path / "demo")
    artifact("index", str(demo.catalogue))
    printed = artifact("screen", str(demo.incoming), "--format", "jsonl")
    found = {Path(record["photo"]).name: record["works"][0] for record in map(json.loads, printed.splitlines())}
    expected = {row["photo"]: row["expected"] for row in rows(demo.truth)}
    assert {photo: work["outcome"] for photo, work in found.items()} == expected
    copies = [found[photo]["matches"][0] for photo, outcome in expected.items() if outcome == "divergent"]
    compared = [match["divergence"] for match in copies if match["divergence"]]
    others = [match["distance"] for match in copies if not match["divergence"]]
    assert len(copies) == 6 and len(compared) == 5
    assert all(places["combined"] > 1.1 * places["combined_threshold"] for places in compared)
    assert all(0.7 < distance < 0.8 for distance in others)
