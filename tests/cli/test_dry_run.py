"""`index --dry-run`, what is left out, and what is kept for a folder, on the command line."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from tests.conftest import make_folder, write_picture

runner = CliRunner()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = make_folder(tmp_path / "photos", {"1960.5.jpg": 1, "1960.5_2.jpg": 2, "old/1961.2.jpg": 3})
    for name in ("a.txt", "b.txt", "notes", "Thumbs.db"):
        (folder / name).write_text("x")
    return folder


def index(folder: Path, *options: str) -> tuple[str, str]:
    result = runner.invoke(app, ["index", str(folder), "--data", str(folder.parent / "data"), *options])
    assert result.exit_code == 0, result.output
    return result.stdout, result.stderr


def test_a_dry_run_says_all_and_writes_nothing(folder):
    out, err = index(folder, "--dry-run")
    assert out.splitlines() == [
        "3 objects, 3 photographs there; 3 to be encoded",
        "new 3, changed 0, moved 0, gone 0",
        "nothing was written (--dry-run)",
    ]
    assert err.splitlines() == [
        "taken for objects, but called like views of one: 1960.5, 1960.5_2",
        "  if they are: --pattern '{object}_{view}'",
        "3 files of other kinds left out: 2 .txt, 1 without a suffix",
        "1 left out that systems keep there: 1 Thumbs.db",
    ]
    assert not (folder.parent / "data").exists()


def test_a_pattern_and_what_is_excluded_are_kept(folder):
    index(folder)
    out, err = index(folder, "--pattern", "{object}_{view}", "--exclude", "old/")
    assert out.splitlines()[0] == "understood: 1 object of 2 photographs; the largest: 1960.5 (2)"
    assert "new 0, changed 0, moved 0, gone 1, of another object now 1" in out
    assert "1 catalogued, but left out now; --prune removes it from the catalogue:\n  old/1961.2.jpg\n" in err
    write_picture(folder / "1960.5_3.jpg", 4)
    write_picture(folder / "old/1962.1.jpg", 5)
    assert "1 object, 3 photographs; revision 3 (1 encoded" in index(folder, "--prune")[0]
    result = runner.invoke(app, ["status", "--data", str(folder.parent / "data"), "--format", "json"])
    left_out = [(item["why"], item["what"], item["count"]) for item in json.loads(result.stdout)["left_out"]]
    assert left_out == [
        ("system", "Thumbs.db", 1),
        ("other kind", ".txt", 2),
        ("other kind", "", 1),
        ("excluded", "folder", 1),
    ]


def test_a_pattern_that_is_none_is_refused_in_a_line(folder):
    result = runner.invoke(app, ["index", str(folder), "--data", str(folder.parent / "data"), "--pattern", "{view}"])
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1 and "must hold {object} once" in result.stderr
    assert not (folder.parent / "data").exists()


def test_a_folder_in_which_nothing_can_be_read_is_not_called_indexed(folder):
    unread = folder.parent / "unread"
    unread.mkdir()
    (unread / "x.jpg").write_text("no picture")
    options = ["index", str(unread), "--data", str(folder.parent / "data")]
    first = runner.invoke(app, options)
    assert (first.exit_code, first.stdout) == (3, "new 0, changed 0, moved 0, gone 0\n")
    nothing = "Nothing was indexed: no photograph of this folder could be taken"
    assert first.stderr.splitlines()[0] == f"{nothing}, and the catalogue is empty."
    assert "Nothing was indexed" not in index(folder)[1]
    again = runner.invoke(app, options)
    assert again.stdout.startswith("3 objects, 3 photographs; revision 1 (0 encoded")
    assert again.stderr.splitlines()[0] == f"{nothing}."
