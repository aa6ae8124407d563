"""Photographs are read and encoded by Dask workers: the catalogue is bit for bit that of an index run without."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

distributed = pytest.importorskip("distributed")

from indexer.building import on_workers, worker_side  # noqa: E402
from indexer.building.build import BuildReport, build_catalogue  # noqa: E402
from indexer.building.embedding import Manner  # noqa: E402
from indexer.building.on_workers import Workers, workers_at  # noqa: E402
from indexer.building.simulated_distances import sampled_views  # noqa: E402
from indexer.building.worker_side import installed, proof_of  # noqa: E402
from retrieval.catalogue.catalogue import Catalogue  # noqa: E402
from retrieval.encoder.encoder import Encoder, load_encoder  # noqa: E402
from retrieval.encoder.stream import BATCH, EmbeddedPhotograph, embed_photographs  # noqa: E402
from retrieval.errors import UnreadableImage, UnusableWorkers  # noqa: E402
from retrieval.extras import program_version  # noqa: E402
from tests.conftest import TINY, TinyEngine, index, make_folder, state, tiny_encoder, unit, write_picture  # noqa: E402

ROOT = Path(__file__).parents[2]
PHOTOS = 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Photographs of several batches, one damaged file among them, and one of them twice."""
    folder = make_folder(tmp_path_factory.mktemp("workers") / "photos", {f"{n:02}.jpg": n for n in range(PHOTOS)})
    (folder / "05-bad.jpg").write_bytes(b"\xff\xd8\xff nothing")
    return make_folder(folder, {"vase/a.png": 90, "vase/b.png": 91, "again.jpg": 3})


@pytest.fixture(scope="module")
def without(folder) -> Path:
    """The data folder of an index run without Dask."""
    index(folder, folder.parent / "without")
    return folder.parent / "without"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A scheduler and two workers in threads of this process."""
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=False,
        protocol="tcp",
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
    ) as cluster:
        yield cluster


@pytest.fixture
def tiny(monkeypatch) -> Callable[[Encoder], None]:
    """Give workers the tiny encoder, or another one, as if they had loaded none before."""

    def give(encoder: Encoder) -> None:
        monkeypatch.setattr(worker_side, "load_encoder", lambda spec, **how: encoder)
        monkeypatch.setattr(worker_side, "_STATIONS", worker_side._Stations())

    monkeypatch.setattr(worker_side, "load_encoder", lambda spec, **how: tiny_encoder())
    return give


@pytest.fixture
def workers(cluster, tiny) -> Iterator[Workers]:
    with workers_at(cluster.scheduler_address) as workers:
        yield workers


def everything(data: Path) -> dict[str, Any]:
    """Return all that a catalogue says, and its working pictures."""
    pictures = {path.relative_to(data).as_posix(): path.read_bytes() for path in sorted(data.glob("pictures/*/*"))}
    assert pictures
    return state(data) | {"pictures": pictures}


def nothing_skipped(data: Path) -> bool:
    with Catalogue.reading(data) as catalogue:
        return not list(catalogue.skipped()) and catalogue.revision == 0


def test_a_catalogue_made_by_workers_is_the_one_made_here(folder, without, data, workers):
    shown: list[tuple[int, int]] = []
    expected: list[tuple[int, int]] = []
    report = index(folder, data, embed=workers, on_progress=lambda *now: shown.append(now))
    here = index(folder, data.parent / "here", on_progress=lambda *now: expected.append(now))
    assert everything(data) == everything(without)
    assert shown == expected
    assert [item.path for item in report.skipped] == ["05-bad.jpg"]
    assert replace(report, published=here.published) == here
    again = index(folder, data, embed=workers)
    assert (again.encoded, again.revision) == (0, 1)


def test_a_vector_that_depends_on_its_batch_is_the_same_too(folder, data, workers, tiny):
    def engine(pictures: np.ndarray) -> np.ndarray:
        return unit(TinyEngine()(pictures) + pictures.mean())

    together = replace(tiny_encoder(), engine=engine)
    tiny(together)
    index(folder, data, encoder=together, embed=workers)
    index(folder, data.parent / "here", encoder=together)
    assert everything(data) == everything(data.parent / "here")


def test_what_is_stored_stands_in_the_same_order(folder, without, data, workers):
    index(folder, data, embed=workers)
    order = []
    for one in (data, without):
        with Catalogue.reading(one) as catalogue:
            order.append(list(catalogue.db.execute("SELECT sha256 FROM vectors ORDER BY rowid")))
    assert order[0] == order[1] and len(order[0]) == PHOTOS + 2


def test_no_pictures_are_made_where_none_are_wanted(folder, data, workers):
    index(folder, data, embed=workers, pictures=0)
    assert not (data / "pictures").exists()


def test_few_photographs_are_under_way(folder, data, workers, monkeypatch):
    taken, given = [], 0

    def paths() -> Iterator[Path]:
        for number in range(400):
            taken.append(number)
            yield folder / f"{number % PHOTOS:02}.jpg"

    manner = Manner(encoder=tiny_encoder(), views=sampled_views(400), data=data, side=0)
    for _ in workers(paths(), manner):
        given += 1
        assert len(taken) - given <= BATCH * (on_workers.AHEAD * 2 + 2)
    assert given == 400


def test_an_interrupted_run_keeps_what_it_has(folder, without, data, workers):
    def stop(done: int, total: int) -> None:
        if done == 13:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index(folder, data, embed=workers, on_progress=stop)
    report = index(folder, data, embed=workers)
    assert 0 < report.encoded <= PHOTOS + 3 - 11
    assert everything(data) == everything(without)


def test_another_version_is_refused_and_both_are_named(folder, data, workers, monkeypatch):
    monkeypatch.setattr(on_workers, "installed", lambda: "artifact 9.9 on Python 3.11")
    with pytest.raises(UnusableWorkers) as error:
        index(folder, data, embed=workers)
    assert f"has {installed()}, this machine has artifact 9.9" in str(error.value)
    assert nothing_skipped(data)


def test_another_encoder_is_refused_and_both_are_named(folder, data, workers, tiny):
    tiny(tiny_encoder("another"))
    with pytest.raises(UnusableWorkers, match=f"has the encoder another, this machine {TINY}"):
        index(folder, data, embed=workers)
    assert nothing_skipped(data)


def test_other_last_digits_are_refused(folder, data, workers, tiny):
    tiny(tiny_encoder(seed=1))
    with pytest.raises(UnusableWorkers, match="computes other last digits than this machine"):
        index(folder, data, embed=workers)
    assert nothing_skipped(data)


def test_an_encoder_that_a_worker_lacks_is_said_with_its_address(folder, data, workers, tiny, monkeypatch):
    tiny(tiny_encoder())
    monkeypatch.setattr(worker_side, "load_encoder", load_encoder)
    with pytest.raises(UnusableWorkers, match=r"worker tcp://127.0.0.1:\d+ has no such encoder: no encoder 'tiny'"):
        index(folder, data, embed=workers)


def blind(*unread: str) -> Callable[..., Iterator[EmbeddedPhotograph]]:
    """Return what embeds photographs but for some that it cannot read; without names, all."""

    def embed(paths: Any, encoder: Encoder, **how: Any) -> Iterator[EmbeddedPhotograph]:
        for item in embed_photographs(paths, encoder, **how):
            lost = not unread or item.path.name in unread
            yield EmbeddedPhotograph(item.path, None, item.vectors, error=UnreadableImage("lost")) if lost else item

    return embed


def test_a_worker_that_does_not_see_the_folder_skips_nothing(folder, data, workers, monkeypatch):
    monkeypatch.setattr(worker_side, "embed_photographs", blind())
    monkeypatch.setattr(worker_side, "looks_of", lambda path: None)
    with pytest.raises(UnusableWorkers, match=r"finds no such file at .*: the folder must be at the same path on each"):
        index(folder, data, embed=workers)
    assert nothing_skipped(data)


def test_a_worker_that_sees_another_folder_there_is_found_out(folder, data, workers, monkeypatch):
    monkeypatch.setattr(worker_side, "looks_of", lambda path: (1_234, 5))
    with pytest.raises(UnusableWorkers, match=r"finds a file of 1,234 bytes, not of .*, at .*the same path on each"):
        index(folder, data, embed=workers)
    monkeypatch.setattr(worker_side, "looks_of", lambda path: (path.stat().st_size, 5))
    with pytest.raises(UnusableWorkers, match=r"finds another file of the same size at .*the same path on each"):
        index(folder, data, embed=workers)
    assert nothing_skipped(data)


def test_a_file_is_known_by_its_size_its_beginning_and_its_end(tmp_path):
    path, looks = tmp_path / "a", set()
    for change in (None, 0, 299_999):
        data = bytearray(300_000)
        if change is not None:
            data[change] = 1
        path.write_bytes(data)
        looks.add(worker_side.looks_of(path))
    path.write_bytes(b"short")
    assert len(looks | {worker_side.looks_of(path)}) == 4 and worker_side.looks_of(tmp_path / "none") is None


def test_what_a_worker_could_not_read_is_read_here(folder, without, data, workers, monkeypatch):
    monkeypatch.setattr(worker_side, "embed_photographs", blind("03.jpg", "11.jpg"))
    index(folder, data, embed=workers)
    assert everything(data) == everything(without)


@pytest.mark.parametrize("error", [MemoryError("no room"), OSError("no room"), AttributeError("no room")])
def test_a_failure_of_a_worker_is_a_line(folder, data, workers, monkeypatch, error):
    def fail(path: Path) -> int:
        raise error

    monkeypatch.setattr(worker_side, "looks_of", fail)
    said = rf"A Dask worker failed \({type(error).__name__}: no room\)\. What was done is kept"
    with pytest.raises(UnusableWorkers, match=said):
        index(folder, data, embed=workers)


def test_photographs_over_which_workers_end_are_a_line(workers):
    with pytest.raises(UnusableWorkers, match="Several Dask workers ended, one after the other"), workers._in_a_line():
        raise distributed.KilledWorker("task", "worker", 3)


def test_no_worker_is_a_line(folder, data):
    with (
        distributed.LocalCluster(
            n_workers=0, processes=False, protocol="tcp", dashboard_address="127.0.0.1:0"
        ) as empty,
        workers_at(empty.scheduler_address, patience=0.5) as workers,
        pytest.raises(UnusableWorkers, match="No Dask worker is at tcp://"),
    ):
        index(folder, data, embed=workers)
    assert nothing_skipped(data)


def test_no_scheduler_is_a_line(monkeypatch):
    monkeypatch.setattr(on_workers, "TIMEOUT", 0.5)
    with (
        pytest.raises(UnusableWorkers, match=r"No Dask scheduler answers at tcp://127\.0\.0\.1:1 within 0\.5 s"),
        workers_at("tcp://127.0.0.1:1"),
    ):
        pass


def test_what_is_not_installed_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(UnusableWorkers, match=r"--dask needs distributed, .*pip install 'artifact-verdict\[dask\]'"),
        workers_at("tcp://127.0.0.1:1"),
    ):
        pass


def test_what_a_worker_has_loaded_is_let_go_when_nobody_asks_for_it(monkeypatch, tiny):
    monkeypatch.setattr(worker_side, "LET_GO", 0.2)
    encoder = tiny_encoder()
    tiny(encoder)
    needed = worker_side.Needed("tiny", "fp32", "cpu", TINY, proof_of(encoder))
    stations = worker_side._STATIONS
    with stations.lend(needed, "here", 1) as first, stations.lend(needed, "here", 1) as second:
        assert first is second
        time.sleep(0.5)
        assert needed in stations._loaded
    deadline = time.monotonic() + 10
    while needed in stations._loaded and time.monotonic() < deadline:
        time.sleep(0.05)
    assert needed not in stations._loaded


def test_dask_is_not_imported_unless_it_is_asked_for():
    code = (
        "import sys, cli.main, cli.runs.index, indexer.building.on_workers\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'dask', 'distributed', 'tornado'}))"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


@dataclass(slots=True)
class Cluster:
    """A scheduler and workers in processes of their own, on this machine alone."""

    folder: Path
    port: int = 0
    processes: list[subprocess.Popen] = field(default_factory=list)  # the scheduler first

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def schedule(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._start("scheduler", "--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard")

    def work(self, count: int, *before: str, **environment: str) -> None:
        """Start workers, and return when the scheduler knows them."""
        with distributed.Client(self.address, timeout=60) as client:
            known = len(client.nthreads())
            for _ in range(count):
                own = self.folder / str(len(self.processes))
                arguments = ("--no-nanny", "--no-dashboard", "--nthreads", "1", "--local-directory", str(own))
                self._start("worker", self.address, *arguments, before=before, environment=environment)
            client.wait_for_workers(known + count, timeout=60)

    def _start(self, *arguments: str, before: tuple[str, ...] = (), environment: Any = None) -> None:
        self.processes.append(
            subprocess.Popen(
                [*before, sys.executable, "-m", "dask", *arguments],
                cwd=ROOT, env=os.environ | (environment or {}), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )
        )  # fmt: skip

    def kill(self, *which: int) -> None:
        for number in which:
            self.processes[number].kill()
            self.processes[number].wait()


@pytest.fixture
def real(tmp_path) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path / "cluster")
    try:
        cluster.schedule()
        yield cluster
    finally:
        cluster.kill(*range(len(cluster.processes)))


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder()


@pytest.fixture(scope="module")
def larger(tmp_path_factory, encoder) -> Path:
    """A folder of larger photographs; its catalogue by the default encoder, without Dask, lies beside it."""
    folder = make_folder(tmp_path_factory.mktemp("larger") / "photos", {f"vase/{n}.png": n for n in (90, 91)})
    for number in range(46):
        make_larger(folder / f"{number:02}.jpg", number)
    (folder / "07-bad.jpg").write_bytes(b"\xff\xd8\xff nothing")
    build(folder, folder.parent / "without", encoder)
    return folder


def make_larger(path: Path, number: int) -> None:
    write_picture(path, number, size=(900, 700))


def build(folder: Path, data: Path, encoder: Encoder, **options: Any) -> BuildReport:
    return build_catalogue(folder, data, load=lambda record: encoder, **options)


def artifact(*arguments: object, data: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "cli.main", "index", *map(str, arguments), "--data", str(data)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_worker_that_is_killed_costs_time_only(larger, data, encoder, real):
    real.work(2)
    killed = []

    def kill(done: int, total: int) -> None:
        if done == 9:
            real.kill(2)
            killed.append(total)

    with workers_at(real.address) as workers:
        report = build(larger, data, encoder, embed=workers, on_progress=kill)
    assert killed == [49] and report.encoded == 48
    assert everything(data) == everything(larger.parent / "without")


@pytest.mark.slow
def test_without_a_worker_left_the_next_run_goes_on(larger, data, encoder, real):
    real.work(2)

    def kill(done: int, total: int) -> None:
        if done == 9:
            real.kill(1, 2)

    with (
        workers_at(real.address, patience=2.0) as workers,
        pytest.raises(UnusableWorkers, match=r"No Dask worker is at .* the same command goes on from there"),
    ):
        build(larger, data, encoder, embed=workers, on_progress=kill)
    assert nothing_skipped(data)
    real.work(1)
    with workers_at(real.address) as workers:
        assert 0 < build(larger, data, encoder, embed=workers).encoded < 48
    assert everything(data) == everything(larger.parent / "without")


@pytest.mark.slow
def test_without_its_scheduler_a_run_ends_with_a_line_and_goes_on_without_dask(larger, data, encoder, real):
    real.work(1)

    def kill(done: int, total: int) -> None:
        if done == 9:
            real.kill(0)

    with (
        workers_at(real.address) as workers,
        pytest.raises(UnusableWorkers, match=r"The Dask scheduler at .* went away\. What was done is kept"),
    ):
        build(larger, data, encoder, embed=workers, on_progress=kill)
    assert 0 < build(larger, data, encoder).encoded < 48
    assert everything(data) == everything(larger.parent / "without")


@pytest.mark.slow
def test_the_command_reaches_its_scheduler_only_and_says_nothing_more(larger, data, real):
    real.work(2)
    code = (
        "import json, os, sys\n"
        "calls = []\n"
        "def watch(event, args):\n"
        "    if event in ('socket.connect', 'socket.bind', 'socket.sendto', 'urllib.Request'):\n"
        "        calls.append([event, str(args[-1])])\n"
        "sys.addaudithook(watch)\n"
        "from cli.main import app\n"
        "try: app(sys.argv[1:])\n"
        "except SystemExit as end: print('RESULT' + json.dumps([end.code, calls]))\n"
        "sys.stdout.flush(); os._exit(0)"
    )
    command = [sys.executable, "-c", code, "index", str(larger), "--data", str(data), "--dask", real.address]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    exit_code, calls = json.loads(ran.stdout.partition("RESULT")[2])
    assert exit_code == 3  # one photograph is damaged
    assert ran.stderr == artifact(larger, data=data.parent / "here").stderr
    assert everything(data) == everything(larger.parent / "without")
    assert calls and {tuple(call) for call in calls} == {("socket.connect", f"('127.0.0.1', {real.port})")}


@pytest.mark.slow
def test_a_signal_ends_the_command_in_a_line(larger, data, real):
    real.work(1)
    command = [sys.executable, "-m", "cli.main", "index", str(larger), "--data", str(data), "--dask", real.address]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout and running.stdout.readline().startswith("understood")
        time.sleep(1.0)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert said == "artifact: interrupted; what was done is kept, the same command goes on from there\n"
    assert artifact(larger, "--dask", real.address, data=data).returncode == 3
    assert everything(data) == everything(larger.parent / "without")


def claiming(folder: Path, version: str, *, more: str = "") -> str:
    """Return a path by which a Python takes artifact for another version, and does something more as it starts."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(
        "import importlib.metadata as m, sys\n"
        "real = m.version\n"
        f"m.version = lambda name: {version!r} if name == 'artifact-verdict' else real(name)\n{more}\n"
    )
    return str(folder)


@pytest.mark.slow
def test_a_worker_of_another_version_is_refused_in_a_line(larger, data, tmp_path, real):
    real.work(1, PYTHONPATH=claiming(tmp_path / "old", "0.0.9"))
    ran = artifact(larger, "--dask", real.address, data=data)
    assert ran.returncode == 1
    (line,) = ran.stderr.splitlines()
    assert line.startswith("artifact: The Dask worker tcp://127.0.0.1:")
    assert "has artifact 0.0.9 on" in line and f"this machine has artifact {program_version()} on" in line
    assert nothing_skipped(data)


@pytest.mark.slow
def test_a_worker_that_cannot_do_it_is_named_and_lives_on(larger, data, tmp_path, real):
    lacks = "sys.modules['indexer.building.worker_side'] = None"
    real.work(1, PYTHONPATH=claiming(tmp_path / "older", "0.0.5", more=lacks))
    ran = artifact(larger, "--dask", real.address, data=data)
    assert ran.returncode == 1
    (line,) = ran.stderr.splitlines()
    assert line.startswith("artifact: The Dask worker tcp://127.0.0.1:") and " has artifact 0.0.5, this machine" in line
    assert nothing_skipped(data) and real.processes[1].poll() is None


@pytest.mark.slow
def test_a_worker_on_a_machine_without_the_folder_is_refused_in_a_line(larger, data, real):
    hidden = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none "$0" && exec "$@"', str(larger)]
    if not shutil.which("unshare") or subprocess.run([*hidden, "true"], capture_output=True, check=False).returncode:
        pytest.skip("may not hide a folder from a process")
    real.work(1, *hidden)
    ran = artifact(larger, "--dask", real.address, data=data)
    assert ran.returncode == 1
    (line,) = ran.stderr.splitlines()
    assert "finds no such file at" in line and "the folder must be at the same path on each worker" in line
    assert nothing_skipped(data)
