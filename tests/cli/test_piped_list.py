"""Lists that are piped in, output to stdout, and two screenings of one output."""

import io
import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.output.writing import alone_at
from cli.records.artifact_1 import Tally
from cli.screening.piped_list import source_on_disk
from indexer.inputs.lots import read_lots
from retrieval.errors import ArtifactError, BadTable

HOLD = """
import sys, time
from pathlib import Path
from cli.output.writing import alone_at
with alone_at(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """The current directory, with a photograph."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.jpg").write_bytes(b"x")
    return tmp_path


def piped(text: bytes) -> str:
    """Return the name of a pipe through which a text comes."""
    ours, theirs = os.pipe()
    with os.fdopen(theirs, "wb") as pipe:
        pipe.write(text)
    return f"/dev/fd/{ours}"


def test_names_of_a_piped_list_are_relative_to_the_current_directory(here):
    with source_on_disk(Path(piped(b"a.jpg\nb.jpg\n"))) as source:
        lots = list(read_lots(source.file, beside=source.beside))
    assert [lot.path for lot in lots] == [here / "a.jpg", here / "b.jpg"] and not source.file.exists()


def test_a_piped_table_is_a_table(here):
    with source_on_disk(Path(piped(b"photo,lot\na.jpg,7\n,8\n"))) as source:
        one, other = read_lots(source.file, beside=source.beside)
    assert (one.path, one.columns) == (here / "a.jpg", {"lot": "7"})
    assert other.problem == "piped list line 3 names no photo"


def test_the_lines_of_standard_input_are_named_so(here, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"Picture;lot\n;8\n")))
    notes = []
    with source_on_disk(Path("-")) as source:
        (lot,) = read_lots(source.file, beside=source.beside, on_note=notes.append)
    assert (lot.path.name, lot.problem) == ("standard input line 2", "standard input line 2 names no photo")
    assert notes[0] == "standard input: photo = Picture"


def test_a_named_pipe_is_read_once(here):
    os.mkfifo(here / "pipe")
    writer = threading.Thread(target=lambda: (here / "pipe").write_bytes(b"a.jpg\n"))
    writer.start()
    with source_on_disk(here / "pipe") as source:
        (lot,) = read_lots(source.file, beside=source.beside)
    writer.join()
    assert lot.path == here / "a.jpg"


def test_the_same_list_in_the_same_place_is_the_same_source(here, monkeypatch):
    def identity(text: bytes) -> str:
        with source_on_disk(Path(piped(text))) as source:
            return source.identity

    (here / "sub").mkdir()
    assert identity(b"a.jpg\n") == identity(b"a.jpg\n") != identity(b"b.jpg\n")
    first = identity(b"a.jpg\n")
    monkeypatch.chdir(here / "sub")
    assert identity(b"a.jpg\n") != first


def test_a_piped_text_that_is_no_list_is_named(here):
    with pytest.raises(BadTable) as caught, source_on_disk(Path(piped(b"\xff\xd8\xff\xe0" * 99))) as source:
        list(read_lots(source.file, beside=source.beside))
    assert str(caught.value).startswith("/dev/fd/") and "piped list" not in str(caught.value)


def test_a_file_or_folder_is_itself(here):
    for source in (here, here / "a.jpg"):
        with source_on_disk(source) as found:
            assert (found.file, found.beside, found.identity) == (source, None, str(source.resolve()))


def test_one_output_is_written_by_one_run_and_a_killed_one_lets_it_go(tmp_path):
    out = tmp_path / "day.html"
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(out)], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"held\n"
    with pytest.raises(ArtifactError, match=r"Another run is writing .*day\.html\. Wait"), alone_at(out):
        pass
    with alone_at(tmp_path / "other.html"), alone_at(None):
        pass
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with alone_at(out):
        pass
    assert not list(tmp_path.iterdir())


def test_a_lock_that_cannot_be_removed_while_it_is_held_spoils_no_work(tmp_path, monkeypatch):
    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "is used by another process", str(path))

    with alone_at(tmp_path / "day.html"):
        monkeypatch.setattr(Path, "unlink", refuse)
    monkeypatch.undo()
    with alone_at(tmp_path / "day.html"):
        pass


def test_a_second_screening_is_refused_before_anything_is_loaded(here):
    (here / "a.txt").write_text("a.jpg\n")
    (here / "catalogue.db").touch()
    with alone_at(here / "day.csv"):
        result = CliRunner().invoke(app, ["screen", "a.txt", "--data", ".", "--out", "day.csv"])
    assert (result.exit_code, result.output) == (
        1, "artifact: Another run is writing day.csv. Wait until it ends, or name another file.\n"
    )  # fmt: skip


def test_a_dash_is_stdout(here, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "cli.runs.screen.run_screen",
        lambda *_, options, **__: asked.append(options) or Tally({}, 0),
    )
    assert CliRunner().invoke(app, ["screen", str(here), "--out", "-", "--format", "csv"]).exit_code == 0
    assert asked[0].out is None and asked[0].form == "csv"


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="needs files in memory below /dev")
def test_a_folder_and_a_list_in_shared_memory_are_no_pipes():
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        listed = Path(folder, "list.txt")
        listed.write_text("a.jpg\n")
        for source in (Path(folder), listed):
            with source_on_disk(source) as found:
                assert (found.file, found.beside) == (source, None)
