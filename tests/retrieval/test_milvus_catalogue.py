"""A catalogue whose vectors are searched in a real Milvus server, through the command line and through kills of it."""

from __future__ import annotations

import itertools
import json
import shutil
import stat
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from retrieval.catalogue import store as stores
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.index_choice import Searching, choose
from retrieval.catalogue.key_of_content import content_key
from retrieval.catalogue.milvus import MilvusVectors
from retrieval.catalogue.retrying import Patience
from retrieval.catalogue.rows import EncoderRecord
from retrieval.catalogue.segments import segments_of
from retrieval.catalogue.store import known_address, open_store
from retrieval.finding.nearest import nearest_alarming
from retrieval.judging.edition import open_edition
from retrieval.judging.judge import judge_all
from retrieval.verdicts.log import VerdictLog
from tests.conftest import DIM, TINY, aged, content, state
from tests.milvus_server import NEEDED, MilvusProcess, running_in
from tests.pictures import LEFT, RIGHT, forged, hung, painting, write_paintings
from tests.retrieval import test_segments as in_files

ROOT = Path(__file__).parents[2]
WORKS, INBOX = 10, 14
NAMES = (f"catalogue_{number}" for number in itertools.count())
pytestmark = NEEDED


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[MilvusProcess]:
    with running_in(tmp_path_factory.mktemp("milvus")) as process:
        yield process


@pytest.fixture
def running(server) -> Iterator[MilvusProcess]:
    """The server, which a test may kill; it runs again afterwards."""
    yield server
    if not server.is_well():
        server.kill()
        server.start()


@pytest.fixture
def address(server) -> str:
    return f"milvus://root:Milvus@127.0.0.1:{server.port}/{next(NAMES)}"


@pytest.fixture(scope="module")
def desk(tmp_path_factory) -> Path:
    """A folder of paintings, an inbox, a catalogue of the paintings in files, and the records of the inbox by it."""
    root = tmp_path_factory.mktemp("desk")
    write_paintings(root / "works", WORKS)
    inbox = root / "inbox"
    inbox.mkdir()
    for number in range(INBOX - 3):  # the last ones are of no work
        painting(number + 1).save(inbox / f"{number:02}.jpg", quality=90)
    forged().save(inbox / "forged.jpg", quality=92)
    hung([(painting(5), LEFT), (painting(2), RIGHT)]).save(inbox / "wall.jpg", quality=92)
    (inbox / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    artifact("index", root / "works", "--data", root / "data")
    shutil.copytree(root / "data", root / "screened")
    artifact("screen", inbox, "--data", root / "screened", "--out", root / "files.jsonl", code=3)
    return root


@pytest.fixture
def data(desk, tmp_path) -> Path:
    """A copy of the catalogue in files."""
    return Path(shutil.copytree(desk / "data", tmp_path / "data"))


def artifact(*arguments: object, code: int | None = 0) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert code is None or result.exit_code == code, (result.output, result.exception)
    return result


def records(path: Path) -> list[dict[str, Any]]:
    return sorted(map(json.loads, path.read_text().splitlines()), key=lambda record: record["photo"])


def same(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> bool:
    """Say whether records say the same; the revision counts the runs of a catalogue, and verdicts are numbered."""
    return [record | {"revision": 0, "verdicts": 0} for record in one] == [
        record | {"revision": 0, "verdicts": 0} for record in other
    ]


def lines_on_stderr(result: Result) -> list[str]:
    return [line for line in result.stderr.splitlines() if "does not answer" not in line]


def count(data: Path) -> int:
    """Return how many vectors the store of a catalogue has."""
    with Catalogue.reading(data) as catalogue:
        address = known_address(catalogue, catalogue.setting("store"))
        with open_store(catalogue, address) as store:
            return store.count()


def state_of(data: Path) -> dict[str, Any]:
    """Return what tells whether a run left a catalogue as it was."""
    with Catalogue.reading(data) as catalogue:
        return {
            "revision": catalogue.revision,
            "photos": sorted((photo.object_id, photo.sha256) for photo in catalogue.photos()),
            "segments": segments_of(catalogue),
        }


@pytest.fixture
def impatient(monkeypatch) -> None:
    """Nobody waits for long."""
    for name in ("WRITING", "READING", "OPENING"):
        monkeypatch.setattr(stores, name, Patience(4.0))


def killing(monkeypatch, server: MilvusProcess, method: str, calls: int, *, again: bool) -> list[threading.Thread]:
    """Have the server killed before a call of a method, and started again where that is wanted."""
    asked, began, threads = itertools.count(1), getattr(MilvusVectors, method), list[threading.Thread]()

    def call(store: MilvusVectors, *arguments: Any, **options: Any) -> Any:
        if next(asked) == calls:
            server.kill()
            if again:
                threads.append(threading.Thread(target=server.start))
                threads[0].start()
        return began(store, *arguments, **options)

    monkeypatch.setattr(MilvusVectors, method, call)
    return threads


def test_verdicts_are_those_of_files(desk, address, tmp_path):
    data = tmp_path / "data"
    artifact("index", desk / "works", "--data", data, "--store", address)
    artifact("screen", desk / "inbox", "--data", data, "--out", tmp_path / "store.jsonl", code=3)
    assert records(tmp_path / "store.jsonl") == records(desk / "files.jsonl")
    photo = desk / "inbox/forged.jpg"
    both = [artifact("query", photo, "--data", of, "--format", "json").stdout for of in (data, desk / "screened")]
    assert json.loads(both[0])["works"] == json.loads(both[1])["works"]
    shown = address.replace("root:Milvus@", "")
    assert f"searched: {WORKS} vectors by {shown} (a server of its own)" in artifact("status", "--data", data).stdout
    (segment,) = json.loads(artifact("status", "--data", data, "--format", "json").stdout)["searched"]["segments"]
    assert (segment["vectors"], segment["kind"], segment["bytes"]["vectors"]) == (WORKS, shown, 0)
    artifact("check", "--data", data)
    assert not list(data.glob("*.faiss")) and "Milvus" not in (data / "catalogue.db").read_bytes().decode("latin-1")
    assert stat.S_IMODE((data / "store.token").stat().st_mode) == 0o600


def test_only_what_is_new_is_put_and_what_is_gone_is_removed(desk, address, tmp_path, monkeypatch):
    data = tmp_path / "data"
    works = Path(shutil.copytree(desk / "works", tmp_path / "works"))
    put, given = MilvusVectors.put, Counter[str]()
    monkeypatch.setattr(MilvusVectors, "put", lambda store, rows: (given.update(n=len(rows)), put(store, rows)))
    artifact("index", works, "--data", data, "--prune", "--store", address)
    assert given["n"] == count(data) == WORKS
    for number in (20, 21):
        painting(number).save(works / f"{number}.png")
        aged(works / f"{number}.png")
    artifact("index", works, "--data", data)
    assert given["n"] == count(data) == WORKS + 2
    artifact("remove", "20", "--data", data)
    assert given["n"] == WORKS + 2 and count(data) == WORKS + 1
    for number in (20, 21):
        (works / f"{number}.png").unlink()
    artifact("index", works, "--data", data, "--prune")
    assert given["n"] == WORKS + 2 and count(data) == WORKS
    artifact("check", "--data", data)
    artifact("index", works, "--data", data, "--store", "files")
    artifact("screen", desk / "inbox", "--data", data, "--out", tmp_path / "again.jsonl", code=3)
    assert len(list(data.glob("*.faiss"))) == 1
    found = [work["outcome"] for record in records(tmp_path / "again.jsonl") for work in record["works"]]
    assert found == [work["outcome"] for record in records(desk / "files.jsonl") for work in record["works"]]


def statuses(data: Path) -> dict[str, tuple[str, ...]]:
    """Return the statuses that the store of a catalogue has, by object."""
    with Catalogue.reading(data) as catalogue:
        keys = {photo.object_id: content_key(photo.sha256) for photo in catalogue.photos()}
        with open_store(catalogue, known_address(catalogue, catalogue.setting("store"))) as store:
            found = store.statuses(list(keys.values()))
    return {object_id: found[key] for object_id, key in keys.items() if found[key]}


def describe(works: Path, status: Mapping[str, str]) -> None:
    lines = "".join(f"{object_id},{text}\n" for object_id, text in status.items())
    (works / "catalogue.csv").write_text(f"object_id,status\n{lines}")


def test_a_status_that_changes_is_in_the_store_after_the_next_run(desk, address, tmp_path, monkeypatch):
    data = tmp_path / "data"
    works = Path(shutil.copytree(desk / "works", tmp_path / "works"))
    describe(works, {"02": "stolen (2003)", "03": "in collection"})
    artifact("index", works, "--data", data, "--store", address)
    assert statuses(data) == {"02": ("stolen (2003)",), "03": ("in collection",)}
    put, given = MilvusVectors.put, Counter[str]()
    monkeypatch.setattr(MilvusVectors, "put", lambda store, rows: (given.update(n=len(rows)), put(store, rows)))
    describe(works, {"02": "stolen (2003)", "03": "gestohlen"})
    artifact("index", works, "--data", data)
    assert statuses(data) == {"02": ("stolen (2003)",), "03": ("gestohlen",)} and given["n"] == 1
    artifact("index", works, "--data", data)
    artifact("check", "--data", data)
    assert given["n"] == 1


def test_a_run_that_is_killed_before_statuses_are_put_is_completed_by_the_next(
    desk, address, running, tmp_path, monkeypatch
):
    data = tmp_path / "data"
    works = Path(shutil.copytree(desk / "works", tmp_path / "works"))
    artifact("index", works, "--data", data, "--store", address)
    describe(works, {"02": "stolen", "03": "missing"})
    with monkeypatch.context() as patched:
        for name in ("READING", "OPENING"):
            patched.setattr(stores, name, Patience(4.0))
        killing(patched, running, "put", 1, again=False)
        artifact("index", works, "--data", data)
    running.start()
    assert statuses(data) == {}
    artifact("index", works, "--data", data)
    assert statuses(data) == {"02": ("stolen",), "03": ("missing",)}
    artifact("check", "--data", data)


def test_the_server_looks_only_at_what_raises_an_alarm(desk, address, tmp_path, monkeypatch):
    data = tmp_path / "data"
    works = Path(shutil.copytree(desk / "works", tmp_path / "works"))
    describe(works, {"02": "stolen (2003)", "03": "gestohlen", "04": "sold"})
    artifact("index", works, "--data", data, "--store", address)
    monkeypatch.setattr("retrieval.finding.finder.NEAREST", 1)  # as if there were a crowd
    monkeypatch.setattr("retrieval.finding.finder.VOTED", 0)
    edition, asked, search = open_edition(data), [], MilvusVectors.search

    def noted(store: MilvusVectors, vectors: np.ndarray, k: int, wanted: Sequence[str] | None = None) -> Any:
        asked.append(wanted)
        return search(store, vectors, k, wanted)

    monkeypatch.setattr(MilvusVectors, "search", noted)
    alarms = edition.finder.alarms
    for object_id in ("02", "03", "04"):
        (photo,) = edition.exemplars[object_id]
        vector = edition.finder.vectors.exact([photo.sha256])[photo.sha256]
        near = nearest_alarming([], alarms, edition.finder.contents, vector, k=3)
        assert {match.object_id for match in near} == {"02", "03"} and set(asked) == {("gestohlen", "stolen (2003)")}
        if object_id != "04":
            assert (near[0].object_id, near[0].distance) == (object_id, 0.0)
    hung([(painting(5), LEFT), (painting(2), RIGHT)]).save(tmp_path / "wall.jpg", quality=92)
    (verdict,) = judge_all(edition, [tmp_path / "wall.jpg"], k=1)
    assert [work.alert for work in verdict.works] == ["stolen"] and None in asked


def test_vectors_are_copied_both_ways(desk, data, address):
    there = artifact("store", "copy", "files", address, "--data", data).stdout
    shown = address.replace("root:Milvus@", "")
    assert there.startswith(f"{WORKS} vectors copied from files to {shown}; checksum ")
    with Catalogue.writing(data) as catalogue:
        lost = [photo.sha256 for photo in catalogue.photos()][:3]
        for sha256 in lost:
            catalogue.forget_vector(sha256)
    back = artifact("store", "copy", address, "files", "--data", data).stdout
    assert back.split("checksum")[1] == there.split("checksum")[1]
    assert state(data)["vectors"] == state(desk / "data")["vectors"]


def test_a_server_that_is_killed_during_an_upsert_leaves_the_catalogue_as_it_was(
    desk, data, address, running, monkeypatch, impatient
):
    before = state_of(data)
    monkeypatch.setattr("retrieval.catalogue.milvus.PUT_AT_ONCE", 2)
    with monkeypatch.context() as patched:
        killing(patched, running, "_write", 3, again=False)
        result = artifact("index", desk / "works", "--data", data, "--store", address, code=1)
    (line,) = [line for line in lines_on_stderr(result) if line.startswith("artifact: ")]
    assert "is away, and stayed so for" in line and "Milvus@" not in result.output
    assert state_of(data) == before
    for name in ("WRITING", "READING", "OPENING"):  # a server that comes back loads for seconds
        monkeypatch.setattr(stores, name, Patience())
    running.start()
    artifact("index", desk / "works", "--data", data, "--store", address)
    assert count(data) == WORKS
    artifact("check", "--data", data)


def test_an_index_run_waits_for_a_server_that_comes_back(desk, data, address, running, monkeypatch, caplog):
    monkeypatch.setattr("retrieval.catalogue.milvus.PUT_AT_ONCE", 2)
    with monkeypatch.context() as patched:
        threads = killing(patched, running, "_write", 3, again=True)
        artifact("index", desk / "works", "--data", data, "--store", address)
        threads[0].join()
    assert caplog.text.count("does not answer; waiting for it, 1") == 1
    assert count(data) == WORKS
    artifact("check", "--data", data)


@pytest.mark.parametrize("again", [True, False], ids=["started again", "away"])
def test_a_screening_survives_a_server_that_is_killed(
    desk, data, address, running, tmp_path, monkeypatch, again, request
):
    artifact("index", desk / "works", "--data", data, "--store", address)
    out = tmp_path / "out.jsonl"
    command = ("screen", desk / "inbox", "--data", data, "--out", out)
    if not again:
        request.getfixturevalue("impatient")
    with monkeypatch.context() as patched:
        threads = killing(patched, running, "search", 5, again=again)
        result = artifact(*command, code=3 if again else 1)
        for thread in threads:
            thread.join()
    if not again:
        (line,) = [line for line in lines_on_stderr(result) if line.startswith("artifact: ")]
        assert "is away, and stayed so for" in line and not out.exists()
        running.start()
        monkeypatch.setattr(stores, "OPENING", Patience())
        monkeypatch.setattr(stores, "READING", Patience())
        assert " already judged" in artifact(*command, code=3).stderr
    assert same(records(out), records(desk / "files.jsonl"))
    with VerdictLog.reading(data) as log:
        photos = Counter(entry.photo for entry in log.entries(limit=None) if entry.outcome != "unreadable")
    works = {record["photo"]: len(record["works"]) for record in records(out) if record["works"]}
    assert {Path(photo).name: n for photo, n in photos.items()} == {Path(photo).name: n for photo, n in works.items()}


@pytest.mark.parametrize("command", ["query", "screen"])
def test_a_server_that_is_away_is_waited_for_briefly_and_said_on_one_line(desk, data, address, running, command):
    artifact("index", desk / "works", "--data", data, "--store", address)
    running.kill()
    source = desk / "inbox/00.jpg" if command == "query" else desk / "inbox"
    start = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-m", "cli.main", command, str(source), "--data", str(data)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert time.monotonic() - start < stores.OPENING.total + 15, ended.stderr
    assert ended.stderr.count("\n") == 2, ended.stderr
    waits, line = ended.stderr.splitlines()
    assert "does not answer; waiting for it, 15 s at most" in waits
    assert ended.returncode == 1 and line.startswith("artifact: The store milvus://127.0.0.1:") and "is away" in line


def test_a_store_that_cannot_be_used_is_refused_before_anything_is_encoded(desk, data, address, tmp_path, impatient):
    before = state_of(data)
    painting(30).save(Path(shutil.copytree(desk / "works", tmp_path / "works")) / "30.png")
    token = address.replace("root:Milvus", "root:wrong")
    for wrong, says in ((token, "refuses the token"), ("milvus://127.0.0.1:1/nobody", "is away")):
        result = artifact("index", tmp_path / "works", "--data", data, "--store", wrong, code=1)
        assert says in result.stderr and "Milvus@" not in result.output and "root:wrong" not in result.output
    with Catalogue.reading(data) as catalogue:
        assert state_of(data) == before and catalogue.setting("store") is None and catalogue.count_vectors() == WORKS


# What is asked of segments in files, asked of a catalogue in a server. Left out: what is about files of vectors and
# FAISS, and the test by random steps, whose every step would take seconds.

small = in_files.small


@pytest.fixture
def filled(tmp_path: Path, address: str) -> Iterator[Catalogue]:
    with Catalogue.writing(tmp_path / "new") as catalogue:
        catalogue.set_encoder(EncoderRecord(TINY, TINY, "fp32", DIM))
        catalogue.add_vectors([(content(name), vector) for name, vector in in_files.VECTORS.items()], TINY)
        catalogue.add_features(in_files.FEATURES)
        choose(catalogue, Searching(store=address))
        yield catalogue


test_a_small_catalogue = in_files.test_a_small_catalogue_is_one_segment_with_nothing_left_behind
test_a_file_of_another_object = in_files.test_a_file_of_another_object_is_one_content
test_a_file_that_changed = in_files.test_a_file_that_changed_is_another_content
test_what_a_run_adds = in_files.test_what_a_run_adds_is_written_beside_the_rest
test_what_is_taken_away = in_files.test_what_is_taken_away_stays_in_its_segment_until_it_is_much
test_a_vector_that_is_gone = in_files.test_a_vector_that_is_gone_is_not_searched_and_one_that_comes_back_is
test_readers = in_files.test_readers_search_what_no_segment_holds_yet
test_what_was_encoded_anew = in_files.test_what_was_encoded_or_described_anew_is_written_again
