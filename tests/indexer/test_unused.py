"""What no exemplar needs is forgotten by name; all pictures are looked through only after a killed run."""

from pathlib import Path

import numpy as np
import pytest

from indexer.building import unused
from indexer.building.unused import STRAYS
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.contents import unused_contents
from retrieval.catalogue.pictures import kept_pictures
from retrieval.catalogue.rows import Changes
from retrieval.photographs.files import sha256_of
from tests.conftest import DIM, TINY, content, exemplar, index, make_folder, unit, write_picture


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "photos", {"a.jpg": 1, "b.jpg": 2, "c.jpg": 3})


def pictures(data: Path) -> set[str]:
    return {path.name.partition(".")[0] for path in kept_pictures(data)}


def noted(data: Path) -> bool:
    with Catalogue.reading(data) as catalogue:
        return catalogue.setting(STRAYS) is not None


def unused_in(data: Path) -> list[str]:
    with Catalogue.reading(data) as catalogue:
        return unused_contents(catalogue)


def test_what_a_run_leaves_behind_goes_with_the_next_prune_and_nothing_else_is_looked_at(folder, data, monkeypatch):
    monkeypatch.setattr(unused, "drop_unused_pictures", lambda catalogue: pytest.fail("all pictures were looked at"))
    index(folder, data)
    old = sha256_of(folder / "a.jpg")
    write_picture(folder / "a.jpg", 11, age=30)
    index(folder, data)
    assert unused_in(data) == [old] and old in pictures(data)
    (folder / "b.jpg").unlink()
    index(folder, data, prune=True)
    wanted = {sha256_of(folder / name) for name in ("a.jpg", "c.jpg")}
    assert pictures(data) == wanted and unused_in(data) == [] and not noted(data)
    with Catalogue.reading(data) as catalogue:
        for table in ("vectors", "features", "rephotographs"):
            assert {row[0] for row in catalogue.db.execute(f"SELECT sha256 FROM {table}")} == wanted, table


def test_a_content_that_comes_back_is_used_again(folder, data):
    index(folder, data)
    kept = (folder / "a.jpg").read_bytes()
    (folder / "a.jpg").write_bytes((folder / "b.jpg").read_bytes())
    index(folder, data)
    assert len(unused_in(data)) == 1
    (folder / "a.jpg").write_bytes(kept)
    assert index(folder, data).encoded == 0
    assert unused_in(data) == []
    assert len(pictures(data)) == 3


def test_after_a_run_that_did_not_end_all_pictures_are_looked_through_once(folder, data, monkeypatch):
    index(folder, data)
    write_picture(folder / "d.jpg", 4)

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index(folder, data, on_progress=stop)
    (data / "pictures/ab").mkdir(exist_ok=True)
    stray = data / "pictures/ab" / f"{'ab' * 32}.jpg"
    stray.write_bytes(b"x")
    index(folder, data)
    assert noted(data) and stray.exists()
    index(folder, data, prune=True)
    assert not noted(data) and not stray.exists() and len(pictures(data)) == 4


def test_the_database_knows_what_is_unused_whoever_writes_it(writable):
    vectors = unit(np.ones((3, DIM)))
    writable.add_vectors([(content(name), vectors[0]) for name in ("s1", "s2", "s3")], TINY)
    assert unused_contents(writable) == ["s1", "s2", "s3"]
    writable.apply(Changes(put=[exemplar("a", sha256="s1"), exemplar("b", sha256="s1"), exemplar("c", sha256="s2")]))
    assert (unused_contents(writable), writable.counts()) == (["s3"], (3, 3))
    writable.apply(Changes(gone=[1]))
    assert unused_contents(writable) == ["s3"], "another exemplar has s1"
    writable.apply(Changes(put=[exemplar("b", sha256="s3", photo_id=2)], gone=[3]))
    assert (unused_contents(writable), writable.counts()) == (["s1", "s2"], (1, 1))
    assert writable.drop_unused_vectors() == 2
    assert unused_contents(writable) == []
