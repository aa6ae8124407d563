"""What is kept of pictures appears whole or not at all, is bounded, and may go at any time."""

import os
import threading

import pytest

from cli.serve.comparing.tiles import RECORD, Tiles, key_of
from retrieval.errors import ArtifactError, CatalogueBusy


@pytest.fixture
def tiles(tmp_path) -> Tiles:
    return Tiles(tmp_path / "tiles", most_bytes=1000)


def fill(size: int, more: str = ""):
    """Return what makes a folder of so many bytes."""

    def make(folder):
        (folder / "0").mkdir()
        (folder / "0" / "0-0.jpg").write_bytes(b"x" * size)
        return {"what": more}

    return make


def names(tmp_path) -> list[str]:
    return sorted(file.name for file in (tmp_path / "tiles").iterdir())


def test_made_once_and_found_again(tiles, tmp_path):
    key = key_of("a", 1)
    assert tiles.find(key) is None
    assert tiles.make(key, fill(10, "first")).record["what"] == "first"
    assert tiles.make(key, fill(10, "second")).record["what"] == "first"
    assert tiles.find(key).record == {"what": "first", "bytes": 10}
    assert tiles.file(key, "0", "0-0.jpg").read_bytes() == b"x" * 10
    assert names(tmp_path) == [key]


def test_keys_are_of_what_they_are_made_from():
    assert key_of("a", 1) == key_of("a", 1) != key_of("a", 2)
    assert len(key_of("a")) == 32


@pytest.mark.parametrize("error", [ArtifactError("no"), KeyboardInterrupt()])
def test_nothing_half_is_left_of_what_failed(tiles, tmp_path, error):
    def make(folder):
        fill(10)(folder)
        raise error

    with pytest.raises(type(error)):
        tiles.make(key_of("a"), make)
    assert names(tmp_path) == [] and tiles.find(key_of("a")) is None


def test_what_a_killed_desk_left_is_removed_and_that_of_another_that_runs_stays(tmp_path):
    key = key_of("a")
    (tmp_path / "tiles" / f".{key}-999999999-ab.part").mkdir(parents=True)
    (tmp_path / "tiles" / f".{key}-{os.getppid()}-ab.part").mkdir(parents=True)
    tiles = Tiles(tmp_path / "tiles")
    assert names(tmp_path) == [f".{key}-{os.getppid()}-ab.part"] and tiles.find(key) is None


def test_the_longest_unused_are_dropped_and_what_is_needed_stays(tiles, tmp_path):
    keys = [key_of(number) for number in range(4)]
    for age, key in enumerate(keys):
        tiles.make(key, fill(400))
        os.utime(tmp_path / "tiles" / key, (1000 + age, 1000 + age))
    tiles.bound([keys[0]])
    assert names(tmp_path) == sorted([keys[0], keys[2], keys[3]]) or names(tmp_path) == sorted([keys[0], keys[3]])
    tiles.find(keys[0])
    tiles.bound()
    assert keys[0] in names(tmp_path) and len(names(tmp_path)) == 2


def test_all_of_it_may_be_deleted_and_half_of_it_is_not_found(tiles, tmp_path):
    key = key_of("a")
    made = tiles.make(key, fill(10))
    (made.folder / RECORD).unlink()
    assert tiles.find(key) is None
    assert tiles.make(key, fill(10, "anew")).record["what"] == "anew"


def test_dropped_by_what_was_written_down(tiles, tmp_path):
    for number in range(3):
        tiles.make(key_of(number), fill(10, str(number)))
    tiles.drop_where(lambda record: record["what"] == "1")
    assert names(tmp_path) == sorted([key_of(0), key_of(2)])


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "tiles").write_text("in the way")
    with pytest.raises(CatalogueBusy, match="cannot be put"):
        Tiles(tmp_path / "tiles").make(key_of("a"), fill(10))


def test_two_at_once_leave_one_whole_folder(tiles, tmp_path):
    gate = threading.Barrier(2)

    def make(folder):
        gate.wait(10)
        return fill(10)(folder)

    threads = [threading.Thread(target=tiles.make, args=(key_of("a"), make)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert names(tmp_path) == [key_of("a")] and tiles.file(key_of("a"), "0", "0-0.jpg").is_file()


@pytest.mark.parametrize("part", ["..", ".hidden", "a/b"])
def test_no_file_but_ours(tiles, part):
    with pytest.raises(AssertionError):
        tiles.file(key_of("a"), part)
    with pytest.raises(AssertionError):
        tiles.file(part, "0")
