"""What an index run asks of the database grows with the folder and with what changes, not with the catalogue."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from cli.runs.recheck import recheck_what_is_new
from cli.runs.register_words import say_register
from indexer.building import build
from indexer.building.preview import preview_catalogue
from indexer.building.publish import Published
from indexer.building.reading import AS_BEFORE
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.rows import Changes, Content
from retrieval.verdicts.log import VerdictLog
from tests.conftest import TINY, aged, exemplar, index, make_folder, unit, write_picture

FEW, MANY = 50, 2000
EVERY = 20  # steps of the virtual machine of SQLite, between two counts


def crowded(data: Path, folder: str, others: int) -> None:
    """Catalogue works of another folder by their rows alone: with vectors, features, statuses and distances."""
    names = [f"{number:05}" for number in range(others)]
    with Catalogue.writing(data) as catalogue:
        dim = catalogue.encoder.dim
        vectors = unit(np.ones((others, dim)))
        contents = [Content(f"{name:0>64}", 7, 40, 30) for name in names]
        catalogue.add_vectors(zip(contents, vectors, strict=True), TINY)
        catalogue.add_rephotographs({item.sha256: 0.5 for item in contents}, TINY, 1)
        put = [exemplar(name, folder=folder, sha256=f"{name:0>64}", bytes=7) for name in names]
        statuses = {name: {"title": name, "status": "in collection"} for name in names}
        catalogue.apply(Changes(put=put, metadata=statuses))


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], int]:
    """Count the steps that SQLite takes for what is done, of which publishing is left out."""
    counted = SimpleNamespace(ticks=0)
    connect = sqlite3.connect

    def tick() -> int:
        counted.ticks += 1
        return 0

    def connected(*args: object, **options: object) -> sqlite3.Connection:
        connection = connect(*args, **options)
        connection.set_progress_handler(tick, EVERY)
        return connection

    def applied(catalogue: Catalogue, changes: Changes, **_: object) -> Published:
        if changes:
            catalogue.apply(changes)
        return Published()

    def count(work: Callable[[], object]) -> int:
        counted.ticks = 0
        with monkeypatch.context() as patched:
            patched.setattr(build, "publish", applied)
            patched.setattr(sqlite3, "connect", connected)
            work()
        return counted.ticks

    return count


@pytest.mark.parametrize("is_there", [True, False], ids=["there", "away"])
def test_what_one_photograph_costs_does_not_grow_with_the_catalogue(tmp_path, steps, is_there):
    costs: dict[int, dict[str, int]] = {}
    for others in (FEW, MANY):
        root = tmp_path / str(others)
        folder = make_folder(root / "photos", {"a.jpg": 1, "b.jpg": 2})
        index(folder, root / "data")
        if is_there:
            (root / "others").mkdir()
        crowded(root / "data", str(root / "others"), others)
        costs[others] = costs_of(folder, root / "data", steps)
    for what, few in costs[FEW].items():
        assert costs[MANY][what] < 1.2 * few + 20, (what, costs)


def costs_of(folder: Path, data: Path, steps: Callable[[Callable[[], object]], int]) -> dict[str, int]:
    """Return the steps of each kind of run."""
    costs = {"nothing new": steps(lambda: index(folder, data))}
    write_picture(folder / "c.jpg", 3)
    costs["a dry run"] = steps(lambda: preview_catalogue(folder, data, AS_BEFORE))
    costs["one more"] = steps(lambda: index(folder, data))
    (folder / "c.jpg").rename(folder / "d.jpg")
    (folder / "catalogue.csv").write_text("object_id,title,status\na,A,sold\nd,D,\n")
    costs["one renamed, and a table"] = steps(lambda: index(folder, data))
    (folder / "d.jpg").unlink()
    costs["pruned"] = steps(lambda: index(folder, data, prune=True))
    other = make_folder(folder.parent / "more", {"e.jpg": 5})
    costs["another folder"] = steps(lambda: index(other, data))

    def said() -> None:
        with Catalogue.reading(data) as catalogue:
            say_register(catalogue, since=catalogue.revision - 1)
        with VerdictLog.opened(data):
            recheck_what_is_new(data, None)

    costs["what is said"] = steps(said)
    return costs


def test_a_large_folder_is_not_asked_about_file_by_file(tmp_path, monkeypatch):
    asked: list[str] = []
    connect = sqlite3.connect

    def connected(*args: object, **options: object) -> sqlite3.Connection:
        connection = connect(*args, **options)
        connection.set_trace_callback(asked.append)
        return connection

    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(300):
        path = folder / f"{number}.png"
        Image.new("RGB", (16, 16), (number % 256, number // 256, 9)).save(path)
        aged(path)
    index(folder, tmp_path / "data")
    write_picture(folder / "new.png", 1)
    monkeypatch.setattr(sqlite3, "connect", connected)
    monkeypatch.setattr(build, "publish", lambda catalogue, changes, **_: Published())
    assert index(folder, tmp_path / "data").encoded == 1
    assert 0 < len(asked) < 150
