"""`artifact compare` and `query --report`: from a photograph to files that are written whole or not at all."""

import errno
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from cli.evidence.gather import gather
from cli.main import app
from cli.output.writing import check_targets, write_whole
from cli.pictures.strips import WIDTH
from indexer.demo import paint_demo
from indexer.simulation.rephotograph import rephotograph
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.rows import Changes, Photo
from retrieval.comparing.registration import NotRegistered, Registration
from retrieval.errors import ArtifactError, UnreadableImage
from retrieval.finding.match import Match
from retrieval.judging.decision import Basis, Decision
from retrieval.judging.edition import Edition
from retrieval.judging.judge import Verdict
from retrieval.judging.work import Work
from retrieval.outcome import Outcome
from retrieval.statistics.calibration import Threshold, Thresholds
from retrieval.verdicts.log import VerdictLog
from tests.conftest import write_picture
from tests.page import Page

runner = CliRunner()


# -- gathering, with an edition made by hand


LIMITS = Thresholds(Threshold(None, 0.05, 1), Threshold(None, 0.05, 1), Threshold(0.42, 0.05, 170))


def judge_of(tmp_path: Path) -> Any:
    """Return an edition of a catalogue of one object with one exemplar."""
    file = write_picture(tmp_path / "cat" / "7.png", 1, size=(400, 300))
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    photo = Photo("7", str(file.parent), file.name, sha256, 1, 1, 400, 300)
    with Catalogue.writing(tmp_path / "data") as catalogue:
        catalogue.apply(Changes(put=[photo], metadata={"7": {"title": "The Reader", "provenance": "attic"}}))
    encoder = SimpleNamespace(fingerprint="net-01")
    edition = SimpleNamespace(
        data=tmp_path / "data", exemplars={"7": [photo]}, basis=Basis(LIMITS), encoder=encoder, revision=1
    )
    edition.exemplar = partial(Edition.exemplar, edition)
    edition.read_exemplar = partial(Edition.read_exemplar, edition)
    edition.metadata = partial(Edition.metadata, edition)
    return edition


def verdict_of(tmp_path: Path, registration: Registration | NotRegistered) -> Verdict:
    photo = write_picture(tmp_path / "probe.png", 2, size=(200, 150))
    match = Match("7", tmp_path / "cat" / "7.png", 0.3, registration)
    work = Work((0, 0, 200, 150), Decision(Outcome.INCONCLUSIVE, ("too few",)), (match,))
    return Verdict(photo, hashlib.sha256(photo.read_bytes()).hexdigest(), (work,))


def half_as_large() -> Registration:
    return Registration(np.diag([0.5, 0.5, 1.0]), 40, np.zeros((40, 4), np.float32), 1.0, 1.0, 0.001, mirrored=False)


def test_evidence_is_gathered_from_the_verdict_the_catalogue_and_both_files(tmp_path: Path) -> None:
    found = gather(verdict_of(tmp_path, half_as_large()), judge_of(tmp_path), max_megapixels=1)
    assert found.metadata == {"title": "The Reader", "provenance": "attic"}
    assert not isinstance(found.exemplar, UnreadableImage) and (found.exemplar.width, found.probe.width) == (400, 200)
    assert found.basis == Basis(LIMITS) and found.thresholds == LIMITS
    assert (found.encoder, found.revision, found.decision.reasons) == ("net-01", 1, ("too few",))
    assert found.pair is not None and found.pair[0].size == found.pair[1].size == (400, 300)
    assert np.abs(np.asarray(found.pair[0]).astype(int) - np.asarray(found.exemplar.image)).mean() < 1


def test_what_is_not_registered_is_not_laid_over(tmp_path: Path) -> None:
    found = gather(verdict_of(tmp_path, NotRegistered("only 4 points")), judge_of(tmp_path), max_megapixels=1)
    assert found.pair is None and not isinstance(found.exemplar, UnreadableImage)


@pytest.mark.parametrize(
    ("change", "says"), [("gone", "no such file"), ("changed", "has changed since it was indexed")]
)
def test_an_exemplar_that_is_no_longer_there_is_said_to_be(tmp_path: Path, change: str, says: str) -> None:
    verdict, edition = verdict_of(tmp_path, half_as_large()), judge_of(tmp_path)
    if change == "gone":
        (tmp_path / "cat" / "7.png").unlink()
    else:
        write_picture(tmp_path / "cat" / "7.png", 3)
    found = gather(verdict, edition, max_megapixels=1)
    assert isinstance(found.exemplar, UnreadableImage) and says in str(found.exemplar)
    assert found.pair is None


def test_a_photograph_that_changed_meanwhile_is_no_evidence(tmp_path: Path) -> None:
    verdict, edition = verdict_of(tmp_path, half_as_large()), judge_of(tmp_path)
    write_picture(tmp_path / "probe.png", 5)
    with pytest.raises(UnreadableImage, match=r"probe\.png has changed since it was judged"):
        gather(verdict, edition, max_megapixels=1)


# -- writing


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"half"
        raise KeyboardInterrupt

    out = tmp_path / "page.html"
    for before in (None, b"the old page"):
        if before:
            out.write_bytes(before)
        with pytest.raises(KeyboardInterrupt):
            write_whole(out, pieces())
        assert [path.read_bytes() for path in tmp_path.iterdir()] == ([before] if before else [])
    write_whole(out, iter([b"a", b"b"]))
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"ab"]


def test_a_disk_that_fills_meanwhile_is_said_with_the_name_of_the_file(tmp_path: Path) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"half"
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(ArtifactError, match=r"cannot write .*page\.html: No space left on device"):
        write_whole(tmp_path / "page.html", pieces())
    assert list(tmp_path.iterdir()) == []


def test_a_target_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    photo = write_picture(tmp_path / "photo.png", 1)
    (tmp_path / "other.png").symlink_to(photo)
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "old.png").write_bytes(b"an old picture")
    for name, says in {
        "nowhere/a.png": "there is no folder",
        "folder.png": "it is a folder",
        "photo.png": "it is one of the photographs",
        "other.png": "it is one of the photographs",
    }.items():
        with pytest.raises(ArtifactError, match=says):
            check_targets([None, tmp_path / name], [tmp_path / "gone.png", photo])
    check_targets([None, tmp_path / "old.png", tmp_path / "new.png"], [tmp_path / "gone.png", photo])


# -- the commands


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four painted works, indexed into `data`; a photograph of one of them, and another that was painted over."""
    world: Path = tmp_path_factory.mktemp("compare")
    demo = paint_demo(world, works=4)
    exemplar, other = sorted(demo.catalogue.glob("*.jpg"))[:2]
    genuine = rephotograph(Image.open(exemplar).convert("RGB"), seed=1)
    genuine.save(world / "genuine.jpg")
    side = min(genuine.size) // 5
    genuine.paste(Image.open(other).resize((side, side)), (side * 2, side * 2))
    genuine.save(world / "painted over.jpg")
    result = runner.invoke(app, ["index", str(demo.catalogue), "--data", str(world / "data")])
    assert result.exit_code == 0, result.output
    return world


def object_of(world: Path) -> str:
    with Catalogue.reading(world / "data") as catalogue:
        return next(catalogue.objects()).object_id


def words(page: Path) -> str:
    """Return what a page says."""
    return " ".join(Page(page.read_text(encoding="utf-8")).text.split())


def run(world: Path, *arguments: object, code: int = 0) -> Any:
    result = runner.invoke(app, [*map(str, arguments), "--data", str(world / "data")])
    assert result.exit_code == code, result.output
    return result


def test_a_photograph_is_compared_with_the_object_named(world: Path, tmp_path: Path) -> None:
    page, png, photo = tmp_path / "e.html", tmp_path / "e.png", world / "painted over.jpg"
    object_id = object_of(world)
    result = run(world, "compare", photo, object_id, "--format", "json", "--report", page, "--png", png)
    found = json.loads(result.stdout)
    (number,) = found["verdicts"]
    assert result.stderr.splitlines() == [f"wrote {page}", f"wrote {png}"]
    with VerdictLog.reading(world / "data") as log:
        recorded = log.entry(number)
    assert (recorded.asked, recorded.outcome) == (object_id, found["works"][0]["outcome"])
    (work,) = found["works"]
    (match,) = work["matches"]
    divergence = match["divergence"]
    combined, threshold = divergence["combined"], divergence["combined_threshold"]
    assert match["object_id"] == object_id and match["registration"]["inliers"] > 10
    text = words(page)
    for said in (
        f"painted over.jpg against {object_id}",
        f"the combined distance {combined:.3f} to the genuine exemplar is beyond the threshold {threshold:.3f}",
        f"local distance {divergence['local']:.3f}, beyond the threshold",
        work["outcome"],
        found["sha256"],
        *work["reasons"],
    ):
        assert said in text
    assert "Where the two differ most" in text and "beyond the threshold" in text
    with Image.open(png) as drawn:
        assert drawn.format == "PNG" and drawn.width == WIDTH
    assert sorted(path.name for path in tmp_path.iterdir()) == ["e.html", "e.png"]


def test_a_genuine_photograph_differs_less_than_one_painted_over(world: Path) -> None:
    def distances(photo: str) -> tuple[float, float]:
        printed = run(world, "compare", world / photo, object_of(world), "--format", "json").stdout
        divergence = json.loads(printed)["works"][0]["matches"][0]["divergence"]
        return float(divergence["local"]), float(divergence["combined"])

    for near, far in zip(distances("genuine.jpg"), distances("painted over.jpg"), strict=True):
        assert near + 0.1 < far


def test_a_query_shows_the_nearest_object(world: Path, tmp_path: Path) -> None:
    result = run(world, "query", world / "genuine.jpg", "-k", 3, "--report", tmp_path / "e.HTML")
    recorded, wrote = result.stderr.splitlines()
    assert wrote == f"wrote {tmp_path / 'e.HTML'}" and "rank" in result.stdout
    assert re.fullmatch(r"recorded as verdict \d+", recorded)
    assert f"genuine.jpg against {object_of(world)}" in words(tmp_path / "e.HTML")


def test_compare_prints_a_table_without_writing(world: Path) -> None:
    result = run(world, "compare", world / "genuine.jpg", object_of(world))
    assert re.fullmatch(r"recorded as verdict \d+\n", result.stderr) and object_of(world) in result.stdout
    table = result.stdout[result.stdout.index("rank") :]
    assert [line.split()[:2] for line in table.splitlines() if line.strip()[:1].isdigit()] == [["1", object_of(world)]]


def exemplar_of(world: Path) -> Path:
    with Catalogue.reading(world / "data") as catalogue:
        return min(catalogue.photos(), key=lambda photo: photo.object_id).file


@pytest.mark.parametrize(
    ("photo", "outcome", "says"),
    [
        ("genuine.jpg", "consistent", "Both show the same, and the combined distance"),
        ("painted over.jpg", "divergent", "Both show the same work, or one imitates the other"),
    ],
)
def test_two_photographs_are_compared_without_a_catalogue_as_they_are_with_one(
    world: Path, tmp_path: Path, photo: str, outcome: str, says: str
) -> None:
    page, first, nowhere = tmp_path / "e.html", exemplar_of(world), tmp_path / "nowhere"
    asked = ["compare", str(first), str(world / photo), "--format", "json", "--data", str(nowhere)]
    result = runner.invoke(app, [*asked, "--report", str(page), "--exit-code"])
    assert result.exit_code == (10 if outcome == "divergent" else 0), result.output
    found = json.loads(result.stdout)
    (work,) = found["works"]
    (match,) = work["matches"]
    assert (work["outcome"], match["object_id"], match["exemplar"]) == (outcome, first.name, str(first))
    assert f"{first.name}, named first, is taken as the exemplar" in work["reasons"]
    assert [found["photo"], found["revision"], found["verdicts"]] == [str(world / photo), 0, []]
    catalogued = json.loads(run(world, "compare", world / photo, object_of(world), "--format", "json").stdout)
    (other,) = catalogued["works"][0]["matches"]
    assert [match[name] for name in ("distance", "registration")] == [
        other[name] for name in ("distance", "registration")
    ]
    for name in ("combined", "local", "places", "compared"):
        assert match["divergence"][name] == other["divergence"][name]
    text = words(page)
    assert says in text and "Exemplar: the photograph named first" in text and "The object" not in text
    assert not nowhere.exists()


def test_two_photographs_that_cannot_be_laid_over_each_other_are_no_match(world: Path) -> None:
    with Catalogue.reading(world / "data") as catalogue:
        other = max(catalogue.photos(), key=lambda photo: photo.object_id).file
    result = runner.invoke(app, ["compare", str(world / "genuine.jpg"), str(other), "--format", "json"])
    (work,) = json.loads(result.stdout)["works"]
    assert work["outcome"] == "no-match" and "cannot be laid over each other" in work["reasons"][0]


def test_two_photographs_of_one_name_are_told_apart_and_one_file_twice_is_said(world: Path, tmp_path: Path) -> None:
    twin = tmp_path / "genuine.jpg"
    twin.write_bytes((world / "genuine.jpg").read_bytes())
    result = runner.invoke(app, ["compare", str(world / "genuine.jpg"), str(twin), "--format", "json"])
    (work,) = json.loads(result.stdout)["works"]
    assert work["matches"][0]["object_id"] == str(world / "genuine.jpg")
    assert work["outcome"] == "consistent" and "both are the same file" in work["reasons"]


def test_what_is_both_a_file_and_an_object_is_asked_for(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    object_id = object_of(world)
    (tmp_path / object_id).write_bytes((world / "genuine.jpg").read_bytes())
    monkeypatch.chdir(tmp_path)
    result = run(world, "compare", exemplar_of(world), object_id, code=1)
    assert f"Write ./{object_id} for the file" in result.stderr and len(result.stderr.splitlines()) == 1
    assert ": consistent" in run(world, "compare", exemplar_of(world), f"./{object_id}").stdout


def test_several_photographs_are_judged_in_order_and_one_unreadable_stops_no_other(world: Path) -> None:
    photos = [world / "genuine.jpg", world / "missing.jpg", world / "painted over.jpg"]
    result = run(world, "query", *photos, "--format", "json", code=3)
    records = json.loads(result.stdout)
    assert [record["photo"] for record in records] == [*map(str, photos)]
    assert [record["error"] is None for record in records] == [True, False, True]
    assert result.stderr == f"artifact: {photos[1]}: {records[1]['error']}\n"
    (alone,) = [json.loads(run(world, "query", photo, "--format", "json").stdout) for photo in photos[:1]]
    assert [alone["works"], alone["sha256"]] == [records[0]["works"], records[0]["sha256"]]
    flagged = records[2]["works"][0]["outcome"] == "divergent"
    assert flagged and run(world, "query", *photos, "--exit-code", code=10).stdout.count(": divergent\n") == 1


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["compare", "{photo}", "{object}", "--report", "e.pdf"], 2, "e.pdf must end in .html"),
        (["query", "{photo}", "--png", "e.jpg"], 2, "e.jpg must end in .png"),
        (["query", "{photo}", "--report", "{world}/nowhere/e.html"], 1, "there is no folder"),
        (["compare", "{photo}", "{object}", "--png", "{world}/unknown.png"], 1, "one of the photographs"),
        (["compare", "{world}/unknown.png", "nobody"], 1, "No object 'nobody' in the catalogue"),
        (["compare", "{world}/missing.jpg", "{object}"], 1, "missing.jpg"),
        (["compare", "{photo}"], 2, "OBJECT|PHOTO"),
        (["compare", "{photo}", "gone.jpg"], 1, "gone.jpg: cannot be opened: no such file"),
        (["compare", "{world}/gone.jpg", "{photo}"], 1, "gone.jpg: cannot be opened: no such file"),
        (["compare", "{photo}", "{world}"], 1, "is a folder. `artifact screen {world}` judges the photographs in it."),
        (["compare", "{world}/genuine.jpg", "{photo}", "--png", "{photo}"], 1, "one of the photographs"),
        (["query", "{photo}", "{photo}", "--report", "e.html"], 2, "--report and --png show one PHOTO"),
        (["query", "{world}"], 1, "is a folder. `artifact screen {world}` judges the photographs in it."),
        (["query", "lots.CSV"], 1, "`artifact screen lots.CSV` judges those that a list names"),
    ],
)
def test_what_goes_wrong_is_one_line(world: Path, arguments: list[str], code: int, says: str) -> None:
    photo = world / "unknown.png"
    if not photo.exists():
        write_picture(photo, 3)
    names = {"world": world, "photo": photo, "object": object_of(world)}
    before = {path: path.read_bytes() for path in world.iterdir() if path.is_file()}
    result = run(world, *(argument.format(**names) for argument in arguments), code=code)
    assert says.format(**names) in result.stderr and result.stdout == ""
    if code == 1:
        assert len(result.stderr.splitlines()) == 1 and result.stderr.startswith("artifact: ")
    assert {path: path.read_bytes() for path in world.iterdir() if path.is_file()} == before


def test_an_answer_without_a_page_imports_nothing_of_it(world: Path) -> None:
    code = (
        "import sys\n"
        "from cli.main import app\n"
        f"try: app(['query', {str(world / 'genuine.jpg')!r}, '--data', {str(world / 'data')!r}])\n"
        "except SystemExit: pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    recorded, modules = result.stderr.splitlines()
    assert recorded.startswith("recorded as verdict ")
    wings = {name.split(".")[1] for name in modules.split() if name.startswith("cli.")}
    assert wings <= {"main", "commands", "runs", "screening", "records", "output"}
    assert "jinja2" not in modules.split()


def test_completion_knows_the_objects(world: Path) -> None:
    environment = {"_ARTIFACT_COMPLETE": "complete_bash", "COMP_WORDS": "artifact compare a.jpg D-", "COMP_CWORD": "3"}
    environment["ARTIFACT_DATA"] = str(world / "data")
    script = "import sys; sys.argv = ['artifact']; from cli.main import app; app(prog_name='artifact')"
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, env=os.environ | environment
    )
    assert object_of(world) in result.stdout.split() and len(result.stdout.split()) == 4
