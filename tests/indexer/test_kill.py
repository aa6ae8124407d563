"""An index run killed at any moment: the next one completes it, and nothing is lost, doubled or done twice."""

import os
import random
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from indexer.building.check import check_catalogue
from indexer.building.publish import publish
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.index_choice import Searching, choose
from retrieval.catalogue.rows import Changes
from retrieval.catalogue.segmenting import open_segments
from retrieval.errors import CatalogueBusy
from tests.conftest import encoded, index, make_folder, state, write_picture

ROOT = Path(__file__).parents[2]
DRIVER = """
import importlib, itertools, os, signal, sys
from pathlib import Path

from indexer.building import build
from retrieval.catalogue.index_choice import AS_BEFORE, Searching
from tests.conftest import index

folder, data, target, when, count = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5])
searching = Searching(shards=int(sys.argv[6])) if len(sys.argv) > 6 else AS_BEFORE
module, _, name = target.partition(":")
owner = importlib.import_module(module)
*parents, name = name.split(".")
for parent in parents:
    owner = getattr(owner, parent)
real, calls = getattr(owner, name), itertools.count(1)


def deadly(*args, **options):
    call = next(calls)  # of this thread: another one may call before this one returns
    if call == count and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    result = real(*args, **options)
    if call == count and when == "after":
        os.kill(os.getpid(), signal.SIGKILL)
    return result


build.KEEP_EVERY = 5
setattr(owner, name, deadly)
index(folder, data, prune=True, searching=searching)
"""
CATALOGUE = "retrieval.catalogue.catalogue:Catalogue"
ANYWHERE = [
    ("tests.conftest:TinyEngine.__call__", 1, "before"),
    ("tests.conftest:TinyEngine.__call__", 2, "after"),
    (f"{CATALOGUE}.add_vectors", 1, "before"),
    (f"{CATALOGUE}.add_vectors", 1, "after"),
    (f"{CATALOGUE}.add_features", 1, "before"),
    (f"{CATALOGUE}.add_features", 2, "after"),
    (f"{CATALOGUE}.add_rephotographs", 1, "after"),
    (f"{CATALOGUE}.add_vectors", 2, "before"),
    (f"{CATALOGUE}.add_vectors", 3, "after"),
    (f"{CATALOGUE}.touch", 1, "before"),
    (f"{CATALOGUE}.set_skipped", 1, "before"),
    (f"{CATALOGUE}.set_skipped", 1, "after"),
    ("retrieval.catalogue.changes:_put", 1, "after"),
    (f"{CATALOGUE}.apply", 1, "after"),
    (f"{CATALOGUE}.set_thresholds", 1, "before"),
    (f"{CATALOGUE}.set_thresholds", 1, "after"),
    ("retrieval.catalogue.segmenting:write_segment", 1, "before"),
    ("retrieval.catalogue.segmenting:write_segment", 1, "after"),
    ("retrieval.catalogue.segmenting:set_segments", 1, "after"),
    ("indexer.building.publish:remove_strays", 1, "before"),
    ("faiss:write_index", 1, "before"),
    ("faiss:write_index", 1, "after"),
    ("os:replace", 1, "after"),
    (f"{CATALOGUE}.drop_unused_vectors", 1, "before"),
]
FIRST_RUN = [
    ("retrieval.catalogue.migrations:MIGRATIONS.apply", 1, "before"),
    ("retrieval.catalogue.migrations:MIGRATIONS._record_applied", 1, "before"),
    ("retrieval.catalogue.migrations:MIGRATIONS._record_applied", 2, "after"),
    (f"{CATALOGUE}.set_encoder", 1, "before"),
    (f"{CATALOGUE}.set_encoder", 1, "after"),
]
SECOND_RUN = [("pathlib:Path.unlink", 2, "before"), ("pathlib:Path.unlink", 2, "after")]

MOVING = [
    ("retrieval.catalogue.shards:make_shard", 2, "before"),
    ("retrieval.catalogue.shards:make_shard", 2, "after"),
    ("retrieval.catalogue.index_choice:ask_for_shards", 1, "before"),
    ("retrieval.catalogue.index_choice:ask_for_shards", 1, "after"),
    ("retrieval.catalogue.shard_features:ShardFeatures.put", 1, "before"),
    ("retrieval.catalogue.shard_features:ShardFeatures.put", 1, "after"),
    ("retrieval.catalogue.feature_rows:FeatureRows.move", 1, "before"),
    ("retrieval.catalogue.feature_rows:FeatureRows.move", 1, "after"),
    ("retrieval.catalogue.segmenting:write_segment", 1, "after"),
    ("retrieval.catalogue.segmenting:set_segments", 1, "after"),
    ("indexer.building.publish:remove_strays", 1, "before"),
    ("indexer.building.publish:finish_moving", 1, "before"),
    ("indexer.building.publish:finish_moving", 1, "after"),
]


@dataclass
class Case:
    """A folder, the data folder that a run starts from, and what it should lead to."""

    folder: Path
    base: Path
    undisturbed: dict[str, Any]
    encoded: int


@pytest.fixture(scope="module")
def cases(tmp_path_factory) -> dict[str, Case]:
    """A first run on 24 photographs, and a second after every kind of change."""
    root = tmp_path_factory.mktemp("kill")
    folder = make_folder(root / "first", {f"{n:02}.png": n for n in range(20)} | {f"vase/{n}.png": n for n in (90, 91)})
    (folder / "bad.jpg").write_bytes(b"no photograph")
    (folder / "catalogue.csv").write_text("object_id,title\nvase,Vase\n03,Three\n")
    index(folder, root / "data-1")
    first = Case(folder, root / "none", state(root / "data-1"), 22)

    later = shutil.copytree(folder, root / "second")
    index(later, root / "base-2")
    for name in ("00.png", "01.png"):
        write_picture(later / name, 100 + int(name[:2]))
    for number in range(200, 210):
        write_picture(later / f"new/{number}.png", number)
    (later / "02.png").rename(later / "renamed.png")
    (later / "05.png").rename(later / "tmp")
    (later / "06.png").rename(later / "05.png")
    (later / "tmp").rename(later / "06.png")
    (later / "07.png").unlink()
    os.utime(later / "08.png", ns=(10**18, 10**18))
    (later / "catalogue.csv").write_text("object_id,title\nvase,Other vase\nnew,New\n")
    shutil.copytree(root / "base-2", root / "data-2")
    report = index(later, root / "data-2", prune=True)
    assert report.revision == 2
    second = Case(later, root / "base-2", state(root / "data-2"), report.encoded)
    return {"first": first, "second": second}


def killed(case: Case, data: Path, target: str, count: int, when: str, *more: str) -> None:
    if case.base.exists():
        shutil.copytree(case.base, data)
    arguments = [str(case.folder), str(data), target, when, str(count), *more]
    command = [sys.executable, "-c", DRIVER, *arguments]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == -9, result.stderr or f"{target} was called less than {count} times"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("which", "target", "count", "when"),
    [("first", *point) for point in ANYWHERE + FIRST_RUN] + [("second", *point) for point in ANYWHERE + SECOND_RUN],
)
def test_the_next_run_completes_a_killed_one(cases, data, which, target, count, when):
    case = cases[which]
    base = len(state(case.base)["kept"]) if case.base.exists() else 0
    killed(case, data, target, count, when)
    kept = 0
    if (data / "catalogue.db").exists():
        with Catalogue.reading(data) as found:
            kept = len(encoded(found)) - base
            if found.encoder is not None:  # readers go on in between
                assert sum(map(len, open_segments(found).vectors)) == found.counts()[1]
    report = index(case.folder, data, prune=True)
    assert report.encoded == case.encoded - kept
    assert state(data) == case.undisturbed
    assert len(list(data.glob("vectors-*"))) == 1
    again = index(case.folder, data, prune=True)
    assert (again.revision, again.encoded) == (report.revision, 0)
    assert again.revision == (2 if which == "second" else 1)


@pytest.mark.slow
@pytest.mark.parametrize("shards", ["3", "1"])
@pytest.mark.parametrize(("target", "count", "when"), MOVING)
def test_the_next_run_completes_a_division_that_was_killed(cases, data, tmp_path, shards, target, count, when):
    """Into three shards, and from two into one folder, with what is new in the folder."""
    case = cases["second"]
    if shards == "1":
        shutil.copytree(case.base, tmp_path / "divided")
        with Catalogue.writing(tmp_path / "divided") as catalogue:
            choose(catalogue, Searching(shards=2))
            publish(catalogue, Changes())
        case = replace(case, base=tmp_path / "divided")
        if "make_shard" in target:
            pytest.skip("no shard is made")
    killed(case, data, target, count, when, shards)
    with Catalogue.reading(data) as found:  # readers go on in between
        assert sum(map(len, open_segments(found).vectors)) == found.counts()[1]
        assert len(found.features([photo.sha256 for photo in found.photos()])) == found.counts()[1]
    index(case.folder, data, prune=True, searching=Searching(shards=int(shards)))
    assert state(data) == case.undisturbed
    report = check_catalogue(data)
    assert report.wrong == () and report.repaired == ()
    assert list(data.glob("vectors-*")) == [] if shards == "3" else not list(data.glob("shards/*/v*"))


def test_a_run_killed_again_and_again_gets_there(cases, data):
    case = cases["first"]
    for number in range(1, 5):
        killed(case, data, f"{CATALOGUE}.add_vectors", 2, "before")
        with Catalogue.reading(data) as found:
            assert len(encoded(found)) == 5 * number
            assert (found.revision, found.counts()) == (0, (0, 0))
    assert index(case.folder, data, prune=True).encoded == case.encoded - 20
    assert state(data) == case.undisturbed


def test_the_sample_behind_the_thresholds_is_that_of_an_undisturbed_run(tmp_path, data):
    """With more objects than are re-photographed: a vector without its measured distance would not be missed."""
    folder = make_folder(tmp_path / "photos", {f"{number:03}.png": number for number in range(150)})
    index(folder, tmp_path / "undisturbed")
    undisturbed = state(tmp_path / "undisturbed")
    assert 100 < undisturbed["thresholds"].authenticity.count < 150
    killed(Case(folder, tmp_path / "none", {}, 150), data, f"{CATALOGUE}.add_rephotographs", 20, "before")
    assert 0 < index(folder, data).encoded < 150
    assert state(data) == undisturbed


def test_an_interrupted_run_keeps_what_it_has_encoded(cases, data):
    def stop(done: int, total: int) -> None:
        if done == 13:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index(cases["first"].folder, data, on_progress=stop)
    report = index(cases["first"].folder, data)
    assert 0 < report.encoded <= cases["first"].encoded - 12
    assert state(data) == cases["first"].undisturbed


def test_readers_go_on_while_an_index_runs_and_a_second_writer_is_refused(cases, data):
    """What a reader sees changes only with the revision, and its vectors with it."""
    case = cases["second"]
    shutil.copytree(case.base, data)
    seen: list[tuple[int, int, int]] = []

    def look(done: int, total: int) -> None:
        with Catalogue.reading(data) as found:
            seen.append((found.revision, found.counts()[1], sum(map(len, open_segments(found).vectors))))
        with pytest.raises(CatalogueBusy, match="Another run is writing"):
            index(case.folder, data)

    with Catalogue.reading(data) as early:
        assert early.revision == 1
        report = index(case.folder, data, prune=True, on_progress=look)
        assert len(seen) == report.encoded + 1 and set(seen) == {(1, 22, 22)}
        assert (early.revision, early.counts()[1]) == (1, 22)
        assert sum(map(len, open_segments(early).vectors)) == 22  # its file is gone by now
    with Catalogue.reading(data) as late:
        assert (late.revision, late.counts()[1], sum(map(len, open_segments(late).vectors))) == (2, 31, 31)


@pytest.mark.slow
def test_the_real_command_killed_at_random_times(tmp_path):
    folder = make_folder(tmp_path / "photos", {})
    for number in range(30):
        write_picture(folder / f"{number:02}.jpg", number, size=(700, 500))

    def command(data: Path) -> subprocess.Popen:
        arguments = [sys.executable, "-m", "cli.main", "index", str(folder), "--data", str(data)]
        return subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    start = time.monotonic()
    process = command(tmp_path / "undisturbed")
    assert process.wait() == 0
    seconds = time.monotonic() - start
    undisturbed = state(tmp_path / "undisturbed")
    assert undisturbed["thresholds"].authenticity.value is not None
    shares = random.Random(7)
    for attempt in range(3):
        data, kills = tmp_path / f"data-{attempt}", 0
        for _ in range(3):
            process = command(data)
            time.sleep(seconds * shares.uniform(0.3, 1.0))
            process.kill()
            process.communicate()
            kills += process.returncode == -9
        assert kills
        process = command(data)
        out, err = process.communicate()
        assert process.returncode == 0, err
        assert b"30 objects, 30 photographs; revision 1" in out
        assert state(data) == undisturbed
